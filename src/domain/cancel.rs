use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stop, shared by whoever may ask and whoever must obey.
///
/// A run's flag has one child for each task: cancelling the run cancels every task, cancelling a task leaves the others alone.
/// Checked at every batch and in every data stage.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    own: Arc<AtomicBool>,
    parent: Option<Arc<AtomicBool>>,
}

impl Cancel {
    /// A flag nobody has raised yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A flag that is raised with this one, and can also be raised alone. One level deep: a child of a child hangs on the child only.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { own: Arc::default(), parent: Some(Arc::clone(&self.own)) }
    }

    /// Asks everyone who holds this flag, and its children, to stop.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::Release);
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.own.load(Ordering::Acquire)
            || self.parent.as_ref().is_some_and(|parent| parent.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_cancels_its_tasks_and_a_task_only_itself() {
        let run = Cancel::new();
        let (first, second) = (run.child(), run.child());
        first.cancel();
        assert!(first.is_cancelled() && !second.is_cancelled() && !run.is_cancelled());
        run.cancel();
        assert!(second.is_cancelled());
    }
}
