use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::RunId;
use crate::runs::{Comparison, RunOutline};

/// Runs side by side.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// The runs asked for last.
    pub(crate) asked: Vec<RunId>,
    /// They have not been answered yet.
    pub(crate) pending: bool,
    /// What is shown.
    pub(crate) loaded: Option<Arc<Comparison>>,
    /// Why the runs asked for last cannot be compared.
    pub(crate) error: Option<String>,
    /// What of them is drawn, of those it was asked for.
    outlines: BTreeMap<RunId, Outline>,
}

/// What of a run is drawn beside others.
#[derive(Debug, Clone)]
pub(crate) enum Outline {
    Loading,
    Ready(Arc<RunOutline>),
    Failed(String),
}

impl Compared {
    pub(crate) fn ask(&mut self, runs: Vec<RunId>) {
        (self.asked, self.pending, self.error) = (runs, true, None);
        self.outlines.clear();
    }

    pub(crate) fn take(&mut self, comparison: Result<Box<Comparison>, String>) {
        self.pending = false;
        match comparison {
            Ok(comparison) => (self.loaded, self.error) = (Some(Arc::from(comparison)), None),
            Err(message) => (self.loaded, self.error) = (None, Some(message)),
        }
    }

    /// Nothing is compared any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What of a run is drawn; `None` where nobody has asked.
    pub(crate) fn outline(&self, run: &RunId) -> Option<&Outline> {
        self.outlines.get(run)
    }

    /// Whether the engine has to be asked what of the run is drawn; it then counts as being read.
    pub(crate) fn want_outline(&mut self, run: &RunId) -> bool {
        if self.outlines.contains_key(run) {
            return false;
        }
        self.outlines.insert(run.clone(), Outline::Loading);
        true
    }

    /// Takes what of a run is drawn, where it was asked for.
    pub(crate) fn take_outline(&mut self, run: &RunId, outline: Result<Box<RunOutline>, String>) {
        if let Some(known) = self.outlines.get_mut(run) {
            *known = match outline {
                Ok(outline) => Outline::Ready(Arc::from(outline)),
                Err(message) => Outline::Failed(message),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_asked_for_once_until_runs_are_compared_again() {
        let mut compared = Compared::default();
        let run = RunId::new("r");
        compared.take_outline(&run, Ok(Box::default()));
        assert!(compared.outline(&run).is_none(), "nobody asked");
        assert!(compared.want_outline(&run) && !compared.want_outline(&run));
        assert!(matches!(compared.outline(&run), Some(Outline::Loading)));
        compared.take_outline(&run, Ok(Box::default()));
        assert!(matches!(compared.outline(&run), Some(Outline::Ready(_))));
        assert!(!compared.want_outline(&run));
        compared.ask(vec![run.clone()]);
        assert!(compared.want_outline(&run), "it may have changed");
    }
}
