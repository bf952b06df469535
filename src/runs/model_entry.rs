use serde::{Deserialize, Serialize};

use crate::domain::{RunId, TaskId, UtcMillis};

/// A trained model that somebody gave a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// What it is called; several versions share a name.
    pub name: String,
    /// Counts up within the name, from 1.
    pub version: u32,
    /// What it is good for.
    pub stage: ModelStage,
    /// The run it comes from.
    pub run: RunId,
    /// The task of that run whose weights it has.
    pub task: TaskId,
    /// When it was named.
    pub registered: UtcMillis,
    /// Free text.
    pub notes: String,
    /// Short words, in order.
    pub tags: Vec<String>,
}

impl ModelEntry {
    /// Whether each of the words is in its name, run, task, tags or notes, in any case.
    #[must_use]
    pub fn contains_all(&self, words: &str) -> bool {
        let mut words = words.split_whitespace().map(str::to_lowercase).peekable();
        if words.peek().is_none() {
            return true;
        }
        let Self { run, task, tags, notes, .. } = self;
        let text = format!("{self} {run} {task} {} {notes}", tags.join(" ")).to_lowercase();
        words.all(|word| text.contains(&word))
    }
}

/// What a named model is good for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelStage {
    /// To be compared with the champion.
    #[default]
    Candidate,
    /// In use: at most one version of a name. Promoting another one archives it.
    Champion,
    /// Not in use any more.
    Archived,
}

impl ModelStage {
    /// As people read and write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Champion => "champion",
            Self::Archived => "archived",
        }
    }
}

impl std::str::FromStr for ModelStage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Candidate, Self::Champion, Self::Archived]
            .into_iter()
            .find(|stage| stage.word() == text)
            .ok_or_else(|| {
                format!("`{text}` is no stage; expected candidate, champion or archived")
            })
    }
}

impl std::fmt::Display for ModelEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}
