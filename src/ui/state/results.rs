use std::collections::BTreeSet;

use crate::domain::RunId;
use crate::runs::{RunEntry, RunResults};

/// Stored runs and the one looked at.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// Newest first.
    pub(crate) stored: Vec<RunEntry>,
    /// The run asked for.
    pub(crate) wanted: Option<RunId>,
    /// What is shown.
    pub(crate) loaded: Option<Box<RunResults>>,
    /// The user chose the run; a newer one does not take its place by itself.
    pub(crate) chosen: bool,
    /// Folders that cannot be read and have been told of.
    pub(crate) told_broken: BTreeSet<String>,
    /// Why the run asked for cannot be shown.
    pub(crate) error: Option<String>,
}

impl Results {
    /// Takes what was loaded, unless another run has been asked for since.
    pub(crate) fn take(&mut self, run: &RunId, results: Result<Box<RunResults>, String>) {
        if self.wanted.as_ref() != Some(run) {
            return;
        }
        match results {
            Ok(results) => (self.loaded, self.error) = (Some(results), None),
            Err(message) => (self.loaded, self.error) = (None, Some(message)),
        }
    }
}
