use serde::{Deserialize, Serialize};

use super::TimeSpan;

/// Bars of a fold that are in none of its sections, so that no section knows anything of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldGap {
    /// Why they are left out.
    pub kind: GapKind,
    /// Beside which section.
    pub place: GapPlace,
    /// When they are decided. Not each of the bars decided then has to be one of them.
    pub span: TimeSpan,
    /// How many there are, of all symbols that share the model.
    pub bars: u64,
}

/// Why bars are in no section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// Their labels reach into another section, or begin before another section's labels have ended.
    Purge,
    /// They keep a distance that the experiment or its features ask for, as the plan rounds it up where it does not know when labels end.
    Embargo,
}

/// Which section bars are left out beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapPlace {
    /// Before the validation section.
    BeforeValidation,
    /// After the validation section.
    AfterValidation,
    /// Before the test section.
    BeforeTest,
    /// After the test section.
    AfterTest,
}

impl GapPlace {
    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeValidation => "before validation",
            Self::AfterValidation => "after validation",
            Self::BeforeTest => "before test",
            Self::AfterTest => "after test",
        }
    }
}
