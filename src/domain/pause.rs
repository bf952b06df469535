use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stand still, shared by whoever may ask and whoever must obey. Unlike [`super::Cancel`] it can be taken back.
///
/// What hangs on a flag stands still with it: everything on the program's, a run's tasks on the run's.
#[derive(Debug, Clone, Default)]
pub struct Pause {
    own: Arc<AtomicBool>,
    above: Vec<Arc<AtomicBool>>,
}

impl Pause {
    /// A flag that is raised with this one and with all that this one hangs on, and can also be raised alone.
    #[must_use]
    pub fn child(&self) -> Self {
        let above = self.above.iter().chain([&self.own]).map(Arc::clone).collect();
        Self { own: Arc::default(), above }
    }

    /// Asks everyone who holds this flag, or one that hangs on it, to stand still.
    pub fn pause(&self) {
        self.own.store(true, Ordering::Release);
    }

    /// Takes it back; what was asked of the flags above stays.
    pub fn resume(&self) {
        self.own.store(false, Ordering::Release);
    }

    /// Whether somebody asked to stand still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.own.load(Ordering::Acquire)
            || self.above.iter().any(|flag| flag.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_on_a_flag_stands_still_with_it_and_can_stand_still_alone() {
        let program = Pause::default();
        let run = program.child();
        let (first, second) = (run.child(), run.child());
        first.pause();
        assert!(first.is_paused() && !second.is_paused() && !run.is_paused());
        program.pause();
        assert!(second.is_paused() && run.is_paused());
        run.resume();
        assert!(run.is_paused(), "what was asked of all is not the run's to take back");
        program.resume();
        assert!(first.is_paused() && !second.is_paused());
    }
}
