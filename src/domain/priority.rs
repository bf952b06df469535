use serde::{Deserialize, Serialize};

/// Whose tasks come first. Runs of the same priority take turns.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Only while nothing else wants the machine.
    Low,
    /// As everything that nobody has said more of.
    #[default]
    Normal,
    /// Before everything else.
    High,
}

impl Priority {
    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}
