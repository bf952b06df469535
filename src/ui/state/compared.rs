use std::sync::Arc;

use crate::domain::RunId;
use crate::runs::Comparison;

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
}

impl Compared {
    pub(crate) fn ask(&mut self, runs: Vec<RunId>) {
        (self.asked, self.pending, self.error) = (runs, true, None);
    }

    pub(crate) fn take(&mut self, comparison: Result<Box<Comparison>, String>) {
        self.pending = false;
        match comparison {
            Ok(comparison) => (self.loaded, self.error) = (Some(Arc::from(comparison)), None),
            Err(message) => (self.loaded, self.error) = (None, Some(message)),
        }
    }
}
