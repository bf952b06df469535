use super::State;
use crate::domain::RunOutcome;
use crate::runs::{RunEntry, RunStatus};

/// How a stored run stands, as this window sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It trains, or waits for its turn to.
    Running,
    /// It stands at its checkpoints.
    Paused,
    /// Another program that lives runs it.
    Elsewhere,
    /// Its program is gone.
    Interrupted,
    Failed,
    Cancelled,
    Finished,
}

impl Standing {
    pub(crate) const ALL: [Self; 7] = [
        Self::Running,
        Self::Paused,
        Self::Elsewhere,
        Self::Interrupted,
        Self::Failed,
        Self::Cancelled,
        Self::Finished,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Elsewhere => "running elsewhere",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Finished => "finished",
        }
    }

    /// Whether it can be taken up again.
    pub(crate) const fn can_resume(self) -> bool {
        matches!(self, Self::Interrupted | Self::Failed | Self::Cancelled)
    }

    /// Whether a program that lives works on it.
    pub(crate) const fn is_alive(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Elsewhere)
    }
}

impl From<RunOutcome> for Standing {
    fn from(outcome: RunOutcome) -> Self {
        match outcome {
            RunOutcome::Finished => Self::Finished,
            RunOutcome::Failed => Self::Failed,
            RunOutcome::Cancelled => Self::Cancelled,
        }
    }
}

impl State {
    /// How a stored run stands: what this session's own events say of it is newer than the list.
    pub(crate) fn standing(&self, entry: &RunEntry) -> Standing {
        let here = self.runs.iter().find(|run| run.id == entry.id);
        match (here, entry.status) {
            (Some(run), _) if !run.is_over() => {
                if run.is_paused() {
                    Standing::Paused
                } else {
                    Standing::Running
                }
            }
            (Some(run), RunStatus::Running) => {
                run.outcome.map_or(Standing::Interrupted, Standing::from)
            }
            (None, RunStatus::Running) if self.resuming.contains(&entry.id) => Standing::Running,
            (None, RunStatus::Running) => Standing::Elsewhere,
            (_, RunStatus::Interrupted) => Standing::Interrupted,
            (_, RunStatus::Failed) => Standing::Failed,
            (_, RunStatus::Cancelled) => Standing::Cancelled,
            (_, RunStatus::Finished) => Standing::Finished,
        }
    }
}
