//! What the window knows and the panels read. Only [`super::app`] changes it: from what the engine tells and from commands.

mod catalog;
mod checks;
mod choice;
mod curve;
mod draft;
mod journal;
mod looks;
mod machine;
mod preview;
mod results;
mod run;
mod task;

use std::collections::VecDeque;
use std::path::PathBuf;

use super::commands::Command;
use crate::domain::{RunId, TaskId, UtcMillis};
use crate::spec::Monitor;

pub(super) use catalog::{ListedFile, Listing, Source};
pub(super) use checks::{Checked, Checks, Running, Trouble};
pub(super) use choice::Choice;
pub(super) use curve::Curve;
pub(super) use draft::{Draft, StoredDraft};
pub(super) use journal::{Journal, Level};
pub(super) use looks::Looks;
pub(super) use machine::Machine;
pub(super) use preview::Preview;
pub(super) use results::Results;
pub(super) use run::RunView;
pub(super) use task::{TaskState, TaskView};

/// A message under the top bar, until it is dismissed or another takes its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Notice {
    pub(super) level: Level,
    pub(super) text: String,
    /// A way on: what its button says and does.
    pub(super) action: Option<(&'static str, Command)>,
}

/// Everything the panels show.
#[derive(Debug)]
pub(super) struct State {
    /// The time of this frame.
    pub(super) now: UtcMillis,
    /// Where runs are written.
    pub(super) runs_folder: PathBuf,
    /// The experiment on the bench.
    pub(super) draft: Draft,
    /// What its data source offers.
    pub(super) source: Source,
    /// What it would do.
    pub(super) preview: Preview,
    /// Runs of this session, oldest first.
    pub(super) runs: Vec<RunView>,
    /// The run that Queue and Training show.
    pub(super) shown_run: Option<RunId>,
    /// The task picked in the queue.
    pub(super) selected_task: Option<TaskId>,
    /// Experiments sent to the engine whose run has neither begun nor failed to.
    pub(super) waiting: usize,
    /// What each of them watches, in the order they were sent, in which the engine answers.
    pub(super) monitors: VecDeque<Monitor>,
    /// An export is at work.
    pub(super) exporting: bool,
    /// Stored runs and the one looked at.
    pub(super) results: Results,
    /// The leak check.
    pub(super) checks: Checks,
    /// The column looked at.
    pub(super) looks: Looks,
    /// Devices and their readings.
    pub(super) machine: Machine,
    /// What happened.
    pub(super) journal: Journal,
    /// What the user should see now.
    pub(super) notice: Option<Notice>,
}

impl State {
    /// The run that Queue and Training show: the one chosen, else the latest.
    pub(super) fn shown_run(&self) -> Option<&RunView> {
        self.shown_run
            .as_ref()
            .and_then(|shown| self.runs.iter().find(|run| run.id == *shown))
            .or(self.runs.last())
    }

    /// Whether anything trains, is about to, or is being written.
    pub(super) fn is_busy(&self) -> bool {
        self.waiting > 0 || self.exporting || self.runs.iter().any(|run| !run.is_over())
    }

    /// The run that is paused, or that Pause would pause: runs train one after another.
    pub(super) fn pausable_run(&self) -> Option<&RunView> {
        self.runs.iter().find(|run| !run.is_over() && !run.stopping)
    }

    /// Why Start cannot be pressed, in words; `None` where it can.
    pub(super) fn start_waits_for(&self) -> Option<String> {
        // Nothing can be ticked in a folder that cannot be read: that comes first.
        match &self.source {
            Source::Scanning { folder } => {
                return Some(format!("the folder {} is being read", folder.display()));
            }
            Source::Failed { message, .. } => return Some(message.clone()),
            Source::Synthetic | Source::Ready(_) => {}
        }
        let issues = self.draft.issues();
        if let [first, rest @ ..] = issues {
            let more = match rest.len() {
                0 => String::new(),
                1 => " (and one more field)".to_owned(),
                more => format!(" (and {more} more fields)"),
            };
            return Some(format!("{}: {}{more}", first.field, first.message));
        }
        self.preview.error.clone()
    }
}
