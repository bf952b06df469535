//! What the window knows and the panels read. Only [`super::app`] changes it: from what the engine tells and from commands.

mod catalog;
mod checks;
mod choice;
mod compared;
mod curve;
mod curves;
mod details;
mod draft;
mod eta;
mod examined;
mod journal;
mod launches;
mod looks;
mod machine;
mod models;
mod notices;
mod origin;
mod preview;
mod recents;
mod results;
mod run;
mod run_colors;
mod standing;
mod surveys;
mod tally;
mod task;
mod tries;

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;

use crate::domain::{RunId, TaskId, UtcMillis};
use crate::runs::RunStatus;

pub(super) use catalog::{ListedSeries, Listing, Source};
pub(super) use checks::{Checked, Checks, Running, Trouble};
pub(super) use choice::Choice;
pub(super) use compared::{Compared, Outline};
pub(super) use curve::{COARSEST, Curve};
pub(super) use curves::TaskCurves;
pub(super) use details::{Detail, Details};
pub(super) use draft::{Draft, StoredDraft};
pub(super) use eta::TimeLeft;
pub(super) use examined::Examined;
pub(super) use journal::{Journal, Level};
pub(super) use launches::Launches;
pub(super) use looks::Looks;
pub(super) use machine::Machine;
pub(super) use models::Models;
pub(super) use notices::{Notice, Notices};
pub(super) use origin::Origin;
pub(super) use preview::Preview;
pub(super) use recents::Recents;
pub(super) use results::Results;
pub(super) use run::{Changes, RunView};
pub(super) use run_colors::RunColors;
pub(super) use standing::Standing;
pub(super) use surveys::Surveys;
pub(super) use task::{TaskState, TaskView};

/// Runs of this session that are kept with their curves.
const MOST_RUNS: usize = 60;
/// Files of experiments that are remembered.
const MOST_EXPERIMENTS: usize = 6;

/// Everything the panels show.
#[derive(Debug)]
pub(super) struct State {
    /// The time of this frame.
    pub(super) now: UtcMillis,
    /// Where runs are written.
    pub(super) runs_folder: PathBuf,
    /// The experiment on the bench.
    pub(super) draft: Draft,
    /// Experiments that were opened from files or saved into them, the latest first.
    pub(super) experiments: Vec<PathBuf>,
    /// What its data source offers.
    pub(super) source: Source,
    /// The data folders used last.
    pub(super) recents: Recents,
    /// What is known of the source's series.
    pub(super) surveys: Surveys,
    /// The series looked at by itself.
    pub(super) examined: Examined,
    /// What it would do.
    pub(super) preview: Preview,
    /// Runs of this session, oldest first.
    pub(super) runs: Vec<RunView>,
    /// The run that Queue and Training show.
    pub(super) shown_run: Option<RunId>,
    /// The task picked in the queue.
    pub(super) selected_task: Option<TaskId>,
    /// The run that was begun by the last Start: shown until it is over, unless another is chosen.
    pub(super) followed: Option<RunId>,
    /// Experiments that are no runs yet.
    pub(super) launches: Launches,
    /// Stored runs that were asked to be taken up again and have not said a word yet.
    pub(super) resuming: BTreeSet<RunId>,
    /// Runs that were asked to be deleted, request by request.
    pub(super) deleting: VecDeque<Vec<RunId>>,
    /// An export is at work.
    pub(super) exporting: bool,
    /// Stored runs and the one looked at.
    pub(super) results: Results,
    /// Tasks of stored runs that dialogs and the models panel asked for.
    pub(super) details: Details,
    /// Runs side by side.
    pub(super) compared: Compared,
    /// Colours of runs that are drawn together.
    pub(super) run_colors: RunColors,
    /// The named models.
    pub(super) models: Models,
    /// The leak check.
    pub(super) checks: Checks,
    /// The column looked at.
    pub(super) looks: Looks,
    /// Devices and their readings.
    pub(super) machine: Machine,
    /// What happened.
    pub(super) journal: Journal,
    /// What the user should see now.
    pub(super) notices: Notices,
}

impl State {
    /// The run that Queue and Training show: the one chosen, else the one just started while it goes on, else the first that trains, else the
    /// first that waits for its turn, else the latest.
    pub(super) fn shown_run(&self) -> Option<&RunView> {
        let find = |id: &RunId| self.runs.iter().find(|run| run.id == *id);
        let followed = self.followed.as_ref().and_then(find).filter(|run| !run.is_over());
        let open = || self.runs.iter().filter(|run| !run.is_over());
        self.shown_run
            .as_ref()
            .and_then(find)
            .or(followed)
            .or_else(|| open().find(|run| run.count(TaskState::Running) > 0))
            .or_else(|| open().next())
            .or(self.runs.last())
    }

    /// Lets go of what has long been over, the oldest first: the store has it, and its curves need memory.
    pub(super) fn release_old_runs(&mut self) {
        let shown = self.shown_run().map(|run| run.id.clone());
        let mut excess = self.runs.len().saturating_sub(MOST_RUNS);
        let Self { runs, results, .. } = self;
        runs.retain(|run| {
            // The list of the stored runs must know of its end: from now on it is asked alone.
            let is_told =
                results.entry(&run.id).is_some_and(|entry| entry.status != RunStatus::Running);
            let goes = excess > 0 && run.is_over() && is_told && Some(&run.id) != shown.as_ref();
            excess -= usize::from(goes);
            !goes
        });
    }

    /// An experiment was read from a file or written into it.
    pub(super) fn remember_experiment(&mut self, path: PathBuf) {
        self.experiments.retain(|known| *known != path);
        self.experiments.insert(0, path);
        self.experiments.truncate(MOST_EXPERIMENTS);
    }

    /// Whether anything trains, is about to, or is being written.
    pub(super) fn is_busy(&self) -> bool {
        !self.launches.is_empty()
            || !self.resuming.is_empty()
            || self.exporting
            || self.runs.iter().any(|run| !run.is_over())
    }

    /// Whether a time that is shown goes on, though nothing is told.
    pub(super) fn is_moving(&self) -> bool {
        self.runs.iter().any(|run| !run.is_over() && !run.stands())
    }

    /// Whether somebody has said yes to deleting it, which has not come about yet.
    pub(super) fn is_being_deleted(&self, run: &RunId) -> bool {
        self.deleting.iter().any(|runs| runs.contains(run))
    }

    /// The runs that Pause would pause or let go on.
    pub(super) fn pausable_runs(&self) -> impl Iterator<Item = &RunView> {
        self.runs.iter().filter(|run| !run.is_over() && !run.stopping)
    }

    /// Whether all of them are asked to pause already, so that Pause lets them go on.
    pub(super) fn is_held(&self) -> bool {
        self.pausable_runs().all(|run| run.pausing)
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
