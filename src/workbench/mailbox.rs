use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::Update;

/// Updates kept for a front end that does not fetch them; beyond, the oldest measurements are dropped first.
const CAPACITY: usize = 65_536;

/// Where updates wait for the front end. Posting never blocks: a newer progress report, preview, look or waiting list takes the older one's place, and measurements give way
/// when nobody fetches them. Lifecycle events are always kept; there are only a few for each task.
pub(super) struct Mailbox {
    queue: Mutex<VecDeque<Update>>,
    posted: Condvar,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Mailbox {
    /// An empty one; `wake` is called after every post and must return at once.
    pub(super) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { queue: Mutex::default(), posted: Condvar::new(), wake: Box::new(wake) }
    }

    pub(super) fn post(&self, update: Update) {
        {
            let mut queue = self.queue.lock();
            if let Some(older) = superseded(&queue, &update) {
                queue.remove(older);
            } else if queue.len() >= CAPACITY
                && let Some(oldest) = queue.iter().position(is_measurement)
            {
                queue.remove(oldest);
            }
            queue.push_back(update);
        }
        self.posted.notify_all();
        (self.wake)();
    }

    /// Everything that waits, oldest first.
    pub(super) fn drain(&self) -> Vec<Update> {
        self.queue.lock().drain(..).collect()
    }

    /// Like [`Self::drain`], but waits until there is something or the time is over.
    pub(super) fn wait(&self, timeout: Duration) -> Vec<Update> {
        let mut queue = self.queue.lock();
        if queue.is_empty() {
            let _timed_out = self.posted.wait_for(&mut queue, timeout);
        }
        queue.drain(..).collect()
    }
}

/// The waiting progress report, preview, look or waiting list that this one makes worthless. Reports come often, so the older one is near the end.
fn superseded(queue: &VecDeque<Update>, update: &Update) -> Option<usize> {
    const NEAR: usize = 64;
    let is_preview = |update: &Update| matches!(update, Update::Previewed { .. });
    let is_look = |update: &Update| matches!(update, Update::Looked { .. });
    if is_preview(update) {
        return queue.iter().position(is_preview);
    }
    if is_look(update) {
        return queue.iter().position(is_look);
    }
    let is_waiting = |update: &Update| matches!(update, Update::Waiting(_));
    if is_waiting(update) {
        return queue.iter().position(is_waiting);
    }
    let Update::Event(new) = update else { return None };
    if !new.kind.is_coalescible() {
        return None;
    }
    let near = queue.len().saturating_sub(NEAR)..queue.len();
    near.rev().find(|&index| match &queue[index] {
        Update::Event(old) => {
            old.kind.is_coalescible() && old.task == new.task && old.run == new.run
        }
        _ => false,
    })
}

fn is_measurement(update: &Update) -> bool {
    matches!(update, Update::Event(event) if !event.kind.is_lifecycle())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Event, EventKind, Progress, RunId, TaskId, UtcMillis};

    fn event(seq: u64, task: &str, kind: EventKind) -> Update {
        let task = Some(TaskId::new(task));
        Update::Event(Box::new(Event { run: RunId::new("r"), task, seq, at: UtcMillis(0), kind }))
    }

    fn progress(seq: u64, task: &str) -> Update {
        let kind = Progress {
            epoch: 1,
            max_epochs: 2,
            batch: 1,
            batches: 2,
            samples_per_second: 1.0,
            times: None,
        };
        event(seq, task, EventKind::Progress(kind))
    }

    fn seqs(updates: &[Update]) -> Vec<u64> {
        let seq = |update: &Update| match update {
            Update::Event(event) => event.seq,
            other => panic!("{other:?}"),
        };
        updates.iter().map(seq).collect()
    }

    #[test]
    fn only_the_newest_progress_of_a_task_waits() {
        let mailbox = Mailbox::new(|| {});
        for update in
            [progress(0, "a"), progress(1, "b"), event(2, "a", EventKind::Queued), progress(3, "a")]
        {
            mailbox.post(update);
        }
        assert_eq!(seqs(&mailbox.drain()), [1, 2, 3]);
        assert!(mailbox.wait(Duration::from_millis(1)).is_empty());
    }

    #[test]
    fn only_the_newest_preview_waits() {
        let mailbox = Mailbox::new(|| {});
        let preview = |ticket| Update::Previewed { ticket, plan: Err(String::new()) };
        for update in [preview(1), event(0, "a", EventKind::Queued), preview(2)] {
            mailbox.post(update);
        }
        assert_eq!(mailbox.drain(), [event(0, "a", EventKind::Queued), preview(2)]);
    }

    #[test]
    fn only_the_newest_look_waits() {
        let mailbox = Mailbox::new(|| {});
        let look = |ticket| Update::Looked { ticket, look: Err(String::new()) };
        let preview = Update::Previewed { ticket: 1, plan: Err(String::new()) };
        for update in [look(1), preview.clone(), look(2)] {
            mailbox.post(update);
        }
        assert_eq!(mailbox.drain(), [preview, look(2)]);
    }

    #[test]
    fn a_full_box_drops_measurements_and_never_lifecycle() {
        let mailbox = Mailbox::new(|| {});
        mailbox.post(event(0, "a", EventKind::Queued));
        for seq in 1..=CAPACITY as u64 {
            mailbox.post(progress(seq, &seq.to_string()));
        }
        let waiting = seqs(&mailbox.drain());
        assert_eq!((waiting.len(), waiting[0], waiting[1]), (CAPACITY, 0, 2));
    }
}
