//! What is wrong with an installation, and what mends it: libtorch, CUDA, driver, display, folders, the index of the runs, memory, processors.
//! Looks and changes nothing.

mod compute;
mod display;
mod folders;
mod host;

use std::path::Path;

use serde::Serialize;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What, in a word.
    pub topic: &'static str,
    /// How it stands.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What mends it; where there is a command, the command. `None` where nothing is wrong.
    pub mend: Option<String>,
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Ok,
    /// It works, but not everything will, or not well.
    Warning,
    /// Something does not work.
    Problem,
}

impl Health {
    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

impl Finding {
    fn ok(topic: &'static str, found: impl Into<String>) -> Self {
        Self { topic, health: Health::Ok, found: found.into(), mend: None }
    }

    fn warning(topic: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { topic, health: Health::Warning, found: found.into(), mend: Some(mend.into()) }
    }

    fn problem(topic: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { topic, health: Health::Problem, found: found.into(), mend: Some(mend.into()) }
    }
}

/// Looks at everything, for somebody who keeps runs in this folder. May take some seconds: CUDA is started.
#[must_use]
pub fn examine(runs: &Path) -> Vec<Finding> {
    let mut findings = compute::examine();
    findings.extend(display::examine());
    findings.extend(folders::examine(runs));
    findings.extend(host::examine());
    findings
}
