use crate::domain::RunId;
use crate::runs::{ModelEntry, ModelStage};

/// The named models.
#[derive(Debug, Default)]
pub(crate) struct Models {
    /// By name and version; `None` until they have been listed.
    pub(crate) entries: Option<Vec<ModelEntry>>,
    /// Why they cannot be listed.
    pub(crate) error: Option<String>,
}

impl Models {
    pub(crate) fn all(&self) -> &[ModelEntry] {
        self.entries.as_deref().unwrap_or_default()
    }

    pub(crate) fn find(&self, name: &str, version: u32) -> Option<&ModelEntry> {
        self.all().iter().find(|entry| entry.version == version && entry.name == name)
    }

    /// The version of this name that is in use.
    pub(crate) fn champion(&self, name: &str) -> Option<&ModelEntry> {
        let is_it = |entry: &&ModelEntry| entry.stage == ModelStage::Champion && entry.name == name;
        self.all().iter().find(is_it)
    }

    /// Models that a run has trained.
    pub(crate) fn of_run<'a>(&'a self, run: &'a RunId) -> impl Iterator<Item = &'a ModelEntry> {
        self.all().iter().filter(move |entry| entry.run == *run)
    }
}
