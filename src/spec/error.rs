use std::path::PathBuf;

/// One field that cannot be run as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecIssue {
    /// The field's path as `--set` takes it: `validation.train`, `features[2].window`.
    pub field: String,
    /// What was found, what is expected.
    pub message: String,
}

impl std::fmt::Display for SpecIssue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Why there is no usable specification.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Neither a preset's name nor a file.
    #[error(
        "there is no preset `{name}` and no such file; presets are {known}; a file of your own ends in .ron"
    )]
    UnknownPreset {
        /// What was asked for.
        name: String,
        /// The presets' names.
        known: String,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}; check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is no specification.
    #[error(
        "{origin}:{line}:{column}: {message}; mend the file there; the spec.ron of any run folder is a whole one to start from"
    )]
    Syntax {
        /// The file, or the preset's name.
        origin: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was found and expected.
        message: String,
    },
    /// The file was written for another version of the format.
    #[error("{origin}: schema {found} is not the one this program reads, {SCHEMA}; a newer one needs a newer walkforge", SCHEMA = super::SCHEMA_VERSION)]
    Schema {
        /// The file, or the preset's name.
        origin: String,
        /// Its version.
        found: u32,
    },
    /// An argument of `--set` cannot be applied.
    #[error("--set {assignment}: {message}")]
    Assignment {
        /// The argument.
        assignment: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// Fields that cannot be run.
    #[error("the experiment cannot run:\n{}", list(.0))]
    Invalid(Vec<SpecIssue>),
}

fn list(issues: &[SpecIssue]) -> String {
    issues.iter().map(|issue| format!("  {issue}")).collect::<Vec<_>>().join("\n")
}
