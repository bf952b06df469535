use std::collections::BTreeMap;

use super::{RunView, State};
use crate::domain::{RunId, RunOutcome};
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
    /// How a stored run stands: while it is open, and until a list has been made after its end, this session's own events are newer than the list.
    pub(crate) fn standing(&self, entry: &RunEntry) -> Standing {
        self.standing_of(entry, self.runs.iter().find(|run| run.id == entry.id))
    }

    /// The same for each of many, in their order.
    pub(crate) fn standings<'a>(
        &self,
        entries: impl IntoIterator<Item = &'a RunEntry>,
    ) -> Vec<Standing> {
        let here: BTreeMap<&RunId, &RunView> = self.runs.iter().map(|run| (&run.id, run)).collect();
        let of = |entry: &RunEntry| self.standing_of(entry, here.get(&entry.id).copied());
        entries.into_iter().map(of).collect()
    }

    /// Here it is as it was in this session, if it was.
    fn standing_of(&self, entry: &RunEntry, here: Option<&RunView>) -> Standing {
        match (here, entry.status) {
            (Some(run), _) if !run.is_over() => {
                if run.is_paused() {
                    Standing::Paused
                } else {
                    Standing::Running
                }
            }
            (_, RunStatus::Running) if self.resuming.contains(&entry.id) => Standing::Running,
            // What could not be written to its end may stay this process's.
            (Some(run), RunStatus::Running) if run.broken.is_some() => Standing::Interrupted,
            (Some(run), RunStatus::Running)
                if !run.listed_from.is_some_and(|list| self.results.has_list(list)) =>
            {
                run.outcome.map_or(Standing::Interrupted, Standing::from)
            }
            (_, RunStatus::Running) => Standing::Elsewhere,
            (_, RunStatus::Interrupted) => Standing::Interrupted,
            (_, RunStatus::Failed) => Standing::Failed,
            (_, RunStatus::Cancelled) => Standing::Cancelled,
            (_, RunStatus::Finished) => Standing::Finished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::{app, begin, end, entry, list};

    #[test]
    fn once_a_list_is_newer_than_the_end_it_says_how_a_run_stands() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = app(folder.path());
        begin(&mut app, "r");
        let standing = |app: &crate::ui::App, status| {
            let (one, many) = (entry("r", status), [entry("r", status)]);
            let standing = app.state.standing(&one);
            assert_eq!(app.state.standings(&many), [standing]);
            standing
        };
        assert_eq!(standing(&app, RunStatus::Interrupted), Standing::Running, "the list is older");
        end(&mut app, "r", RunOutcome::Cancelled);
        assert_eq!(standing(&app, RunStatus::Running), Standing::Cancelled);
        // The one that was under way when it ended, and the one that was asked for then.
        list(&mut app, vec![entry("r", RunStatus::Running)]);
        assert_eq!(standing(&app, RunStatus::Running), Standing::Cancelled);
        list(&mut app, vec![entry("r", RunStatus::Cancelled)]);
        assert_eq!(standing(&app, RunStatus::Cancelled), Standing::Cancelled);
        // Somebody resumes it from a terminal.
        list(&mut app, vec![entry("r", RunStatus::Running)]);
        assert_eq!(standing(&app, RunStatus::Running), Standing::Elsewhere);
    }
}
