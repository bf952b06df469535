use std::path::PathBuf;

use super::{LeakReport, Look, LookAt};
use crate::domain::{Event, Plan, RunId, RunOutcome, TaskId};
use crate::market::Catalog;
use crate::runs::{RunEntry, RunResults};
use crate::spec::ExperimentSpec;

/// What a front end can ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Plan the experiment and run it, after those started before.
    Start(Box<ExperimentSpec>),
    /// Stop a run within a batch of each of its tasks. Finished tasks are kept.
    Cancel(RunId),
    /// Let every task of a run write a checkpoint at its next step and give its device back.
    Pause(RunId),
    /// Let a paused run go on from its checkpoints.
    Resume(RunId),
    /// Stop one task; the others go on.
    CancelTask(RunId, TaskId),
    /// Stop everything: what runs, what is being planned to run, what waits, exports, the leak check and the look at a column. Previews, listings,
    /// results and saves are left alone.
    CancelAll,
    /// Write a run's trained models to a folder.
    Export {
        /// Which run; the start of its name is enough where only one fits.
        run: String,
        /// Where to.
        to: PathBuf,
    },
    /// Plan the experiment without running it. The latest request wins: one that works or waits is given up, and nothing is told of it.
    Preview {
        /// Given back with the plan; the asker's own count.
        ticket: u64,
        /// The experiment.
        spec: Box<ExperimentSpec>,
    },
    /// Check the experiment for leaks. The latest request wins; one that works or waits is stopped, and its answer says so.
    CheckLeaks {
        /// Given back with the report; the asker's own count.
        ticket: u64,
        /// The experiment.
        spec: Box<ExperimentSpec>,
        /// Whether to train it on shuffled folds as well, and compare.
        contrast: bool,
    },
    /// Stop the leak check.
    StopCheck,
    /// Look at one column of the experiment's features. The latest request wins; one that works or waits is given up.
    Look {
        /// Given back with the look; the asker's own count.
        ticket: u64,
        /// The experiment.
        spec: Box<ExperimentSpec>,
        /// Which column, of what.
        at: LookAt,
    },
    /// List a folder's market files.
    Scan(PathBuf),
    /// Read an experiment's RON file, whatever its name.
    OpenExperiment(PathBuf),
    /// Write an experiment as a RON file, in the place of an older file; missing folders are made.
    SaveExperiment {
        /// The experiment, which need not be one that can run.
        spec: Box<ExperimentSpec>,
        /// The file.
        to: PathBuf,
    },
    /// List the runs.
    ListRuns,
    /// Read a run's results.
    LoadResults(RunId),
}

/// What the workbench has to say. Errors in words say why, where, and the next step.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// Something happened to a run.
    Event(Box<Event>),
    /// An experiment could not be started; there is no run.
    StartFailed {
        /// The experiment's name.
        experiment: String,
        /// Why, where, and the next step.
        message: String,
        /// Whether somebody asked to stop while it was being planned.
        cancelled: bool,
    },
    /// The run's folder could not be written to its end.
    RunBroken {
        /// The run.
        run: RunId,
        /// Why, where, and the next step.
        message: String,
    },
    /// A run is completely over: its outcome, and nothing more comes of it.
    RunDone {
        /// The run.
        run: RunId,
        /// How it ended.
        outcome: RunOutcome,
    },
    /// Models were exported.
    Exported {
        /// Which run, as it was asked for.
        run: String,
        /// The folders written, one for each task.
        folders: Vec<PathBuf>,
    },
    /// Models could not be exported.
    ExportFailed {
        /// Why, where, and the next step.
        message: String,
        /// Whether somebody asked to stop.
        cancelled: bool,
    },
    /// What [`Command::Preview`] asked for. A request made while this was on its way is answered by an update of its own.
    Previewed {
        /// As it was given.
        ticket: u64,
        /// What would be done, or why it cannot be.
        plan: Result<Box<Plan>, String>,
    },
    /// How far a leak check is.
    CheckingLeaks {
        /// As it was given.
        ticket: u64,
        /// What is being done, in words.
        stage: String,
    },
    /// What [`Command::CheckLeaks`] asked for: every request is answered once.
    LeaksChecked {
        /// As it was given.
        ticket: u64,
        /// What was found, or why nothing could be.
        report: Result<Box<LeakReport>, String>,
        /// Whether somebody asked to stop, or for another check.
        cancelled: bool,
    },
    /// What [`Command::Look`] asked for. One that gave way to a newer one may be answered or not.
    Looked {
        /// As it was given.
        ticket: u64,
        /// What there is to see, or why there is nothing.
        look: Result<Box<Look>, String>,
    },
    /// What [`Command::Scan`] asked for.
    Scanned {
        /// As it was given.
        folder: PathBuf,
        /// Its market files.
        catalog: Result<Box<Catalog>, String>,
    },
    /// What [`Command::OpenExperiment`] asked for.
    ExperimentOpened {
        /// As it was given.
        path: PathBuf,
        /// The experiment, which may be one that cannot run.
        spec: Result<Box<ExperimentSpec>, String>,
    },
    /// What became of [`Command::SaveExperiment`].
    ExperimentSaved {
        /// As it was given.
        path: PathBuf,
        /// Whether it is on disk.
        saved: Result<(), String>,
    },
    /// What [`Command::ListRuns`] asked for.
    RunsListed {
        /// The runs, newest first.
        runs: Result<Vec<RunEntry>, String>,
        /// Why folders that look like runs cannot be read.
        broken: Vec<String>,
    },
    /// What [`Command::LoadResults`] asked for.
    ResultsLoaded {
        /// As it was given.
        run: RunId,
        /// What is in its folder now.
        results: Result<Box<RunResults>, String>,
    },
}
