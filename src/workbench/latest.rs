use parking_lot::{Condvar, Mutex};

use crate::domain::Cancel;

/// Where the newest of several wishes waits for the thread that works on them: a newer one takes its place and cancels the one at work.
pub(super) struct LatestSlot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: Option<T>,
    /// Of the wish at work.
    at_work: Option<Cancel>,
    is_closed: bool,
}

impl<T> Default for LatestSlot<T> {
    fn default() -> Self {
        let state = State { waiting: None, at_work: None, is_closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<T> LatestSlot<T> {
    /// Asks for this instead of whatever was asked for before; what waited for its turn is handed back.
    pub(super) fn ask(&self, wish: T) -> Option<T> {
        let mut state = self.state.lock();
        let replaced = state.waiting.replace(wish);
        state.give_up();
        self.changed.notify_one();
        replaced
    }

    /// Cancels what is at work and hands back what waited.
    pub(super) fn withdraw(&self) -> Option<T> {
        let mut state = self.state.lock();
        state.give_up();
        state.waiting.take()
    }

    /// From now on [`Self::next`] gives nothing; what is at work is cancelled.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.waiting = None;
        state.is_closed = true;
        state.give_up();
        self.changed.notify_one();
    }

    /// Waits for the next wish, with what tells that it has been given up; `None` once the slot is closed.
    pub(super) fn next(&self) -> Option<(T, Cancel)> {
        let mut state = self.state.lock();
        state.at_work = None;
        while state.waiting.is_none() && !state.is_closed {
            self.changed.wait(&mut state);
        }
        let wish = state.waiting.take()?;
        let cancel = Cancel::new();
        state.at_work = Some(cancel.clone());
        Some((wish, cancel))
    }
}

impl<T> State<T> {
    fn give_up(&self) {
        if let Some(cancel) = &self.at_work {
            cancel.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_wish_takes_the_place_of_one_that_waits_and_cancels_the_one_at_work() {
        let slot = LatestSlot::default();
        assert_eq!((slot.ask(1), slot.ask(2)), (None, Some(1)));
        let (wish, second) = slot.next().unwrap();
        assert_eq!((wish, second.is_cancelled()), (2, false));
        assert_eq!(slot.ask(3), None, "what is at work waits no more");
        assert!(second.is_cancelled());
        let (wish, third) = slot.next().unwrap();
        assert_eq!((wish, third.is_cancelled()), (3, false));
        slot.ask(4);
        slot.close();
        assert!(third.is_cancelled() && slot.next().is_none(), "nothing is begun after closing");
    }

    #[test]
    fn what_is_withdrawn_is_not_begun_and_the_next_wish_is() {
        let slot = LatestSlot::default();
        assert_eq!(slot.withdraw(), None);
        slot.ask(1);
        let (_, first) = slot.next().unwrap();
        slot.ask(2);
        assert_eq!(slot.withdraw(), Some(2));
        assert!(first.is_cancelled());
        slot.ask(3);
        let (wish, third) = slot.next().unwrap();
        assert_eq!((wish, third.is_cancelled()), (3, false));
    }
}
