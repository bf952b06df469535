use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Examination, LeakReport, Look, LookAt, MarketSeries, Picture, PlannedVariant, Survey};
use crate::domain::{
    EpochRecord, Event, Plan, Priority, RunId, RunOutcome, SweepMember, Symbol, TaskId, Timeframe,
};
use crate::export::ExportWhat;
use crate::market::{Catalog, Trial};
use crate::runs::{Comparison, ModelEntry, ModelStage, RunEntry, RunOutline, RunResults};
use crate::spec::{ExperimentSpec, QualitySpec};

/// What a front end can ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Plan the experiment and run it, after those started before. One with a sweep becomes a run for each of its variants.
    Start(Box<ExperimentSpec>),
    /// Give up experiments that wait or are being planned, by the numbers that [`Update::Waiting`] told.
    CancelWaiting(Vec<u64>),
    /// Let experiments that wait come before or after others, by the numbers that [`Update::Waiting`] told. Their runs keep the priority.
    PrioritiseWaiting(Vec<u64>, Priority),
    /// Stop a run within a batch of each of its tasks. Finished tasks are kept.
    Cancel(RunId),
    /// Let every task of a run write a checkpoint at its next step and give its device back.
    Pause(RunId),
    /// Let a paused run go on from its checkpoints. One that stands on disk, interrupted, cancelled or with failed tasks, is taken up again:
    /// finished tasks are kept, the others go on from their checkpoints or begin.
    Resume(RunId),
    /// Stop one task; the others go on.
    CancelTask(RunId, TaskId),
    /// Let one task write a checkpoint at its next step and give its device back.
    PauseTask(RunId, TaskId),
    /// Let one paused task go on.
    ResumeTask(RunId, TaskId),
    /// Let those of the tasks that failed be tried again while their run goes on. For a run that is over there is [`Command::Resume`].
    RetryTasks(RunId, Vec<TaskId>),
    /// Whose tasks come first.
    Prioritise(RunId, Priority),
    /// Let every task write a checkpoint, and stop. Runs stay on disk as interrupted, and [`Command::Resume`] takes them up again; what waits
    /// is given up. Answered by [`Update::Stopped`].
    CheckpointAndStop,
    /// Stop everything: what runs, what is being planned to run, what waits, exports, the leak check and the look at a column. Previews, listings,
    /// results and saves are left alone.
    CancelAll,
    /// Write a run's trained models to a folder.
    Export {
        /// Which run; the start of its name is enough where only one fits.
        run: String,
        /// Which of its models.
        what: ExportWhat,
        /// Where to.
        to: PathBuf,
    },
    /// Plan the experiment without running it, and each variant of its sweep. The latest request wins: one that works or waits is given up, and nothing is told of it.
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
    /// Read series for a list, the most urgent first. The latest request wins: what is left of an older one is given up, and nothing is told of it.
    Survey {
        /// Given back with each series; the asker's own count.
        ticket: u64,
        /// Which.
        series: Vec<MarketSeries>,
        /// What is done about rows that are wrong.
        policies: QualitySpec,
    },
    /// Read everything there is to see of a series. The latest request wins, as of surveys.
    Examine {
        /// Given back with the answer; the asker's own count.
        ticket: u64,
        /// Which.
        series: Box<MarketSeries>,
        /// What is done about rows that are wrong.
        policies: QualitySpec,
    },
    /// Read a market file as a `walkforge.ron` with this text would have it read. Writes nothing. The latest request wins, as of surveys.
    TryImport {
        /// Given back with the answer; the asker's own count.
        ticket: u64,
        /// The market file.
        file: PathBuf,
        /// The text.
        text: String,
    },
    /// Write a folder's `walkforge.ron`, in the place of the one that was read: what somebody else wrote since is not written over.
    SaveOverrides {
        /// The folder.
        folder: PathBuf,
        /// What stood in the file when it was read; `None` where there was none.
        before: Option<String>,
        /// The text, which must make sense as one.
        text: String,
    },
    /// Find out which of some folders are not there.
    LookForFolders(Vec<PathBuf>),
    /// Find out what a path leads to.
    LookAtPath(PathBuf),
    /// Read an experiment's RON file, whatever its name.
    OpenExperiment(PathBuf),
    /// Write an experiment as a RON file, in the place of an older file; missing folders are made.
    SaveExperiment {
        /// The experiment, which need not be one that can run.
        spec: Box<ExperimentSpec>,
        /// The file.
        to: PathBuf,
    },
    /// Write the epochs of a run's tasks as a table, CSV or Parquet by the file's ending. Answered by [`Update::FileSaved`].
    SaveCurves {
        /// The run.
        run: RunId,
        /// The file.
        to: PathBuf,
    },
    /// Write a picture as a PNG file. Answered by [`Update::FileSaved`].
    SavePicture {
        /// What there is to see.
        picture: Picture,
        /// The file.
        to: PathBuf,
    },
    /// List the runs. Once asked, they are told again whenever another program has changed them.
    ListRuns,
    /// Read a run's results.
    LoadResults(RunId),
    /// Read the curves of a run's tasks, also while it runs.
    LoadCurves(RunId),
    /// Read what of a run is drawn beside other runs.
    LoadOutline(RunId),
    /// Put runs side by side.
    Compare(Vec<RunId>),
    /// Delete runs with all their files.
    DeleteRuns(Vec<RunId>),
    /// Say something about a run.
    AnnotateRun {
        /// Which.
        run: RunId,
        /// Short words; replaces those there are.
        tags: Vec<String>,
        /// Free text; replaces what there is.
        notes: String,
    },
    /// List the named models.
    ListModels,
    /// Change the named models. Answered like [`Command::ListModels`].
    ChangeModels(ModelChange),
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A folder.
    Folder,
    /// A file with the ending of a market file.
    MarketFile,
    /// A file with the ending of an experiment.
    Experiment,
    /// Something else.
    Other,
}

/// A change of the named models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelChange {
    /// Give a finished task's model a name: it becomes the next version of that name, a candidate.
    Register {
        /// The name.
        name: String,
        /// The run.
        run: RunId,
        /// The task.
        task: TaskId,
    },
    /// Say what it is good for. A champion takes the place of the one there is, which is archived.
    Stage {
        /// The name.
        name: String,
        /// The version.
        version: u32,
        /// What for.
        stage: ModelStage,
    },
    /// Say something about it; replaces what was said before.
    Annotate {
        /// The name.
        name: String,
        /// The version.
        version: u32,
        /// Short words.
        tags: Vec<String>,
        /// Free text.
        notes: String,
    },
    /// Forget the name and version; the run keeps its files.
    Remove {
        /// The name.
        name: String,
        /// The version.
        version: u32,
    },
}

/// An experiment that has been started and is no run yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Counts up, in the order of starting.
    pub number: u64,
    /// The experiment's name.
    pub experiment: String,
    /// Which variant of which sweep.
    pub sweep: Option<SweepMember>,
    /// Whether it comes before others that wait.
    pub priority: Priority,
    /// Whether it is being planned now.
    pub is_planning: bool,
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
    /// What was wrong with the index of the runs when it was opened, and what was done about it.
    StoreMended(String),
    /// What has been started and is no run yet, the next 200 of it, whenever that changes.
    Waiting(Vec<Waiting>),
    /// A run on disk could not be taken up again.
    ResumeFailed {
        /// As it was asked for.
        run: RunId,
        /// Why, where, and the next step.
        message: String,
    },
    /// What [`Command::CheckpointAndStop`] asked for is done: everything is on disk, and nothing runs.
    Stopped,
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
    /// The rest of the answer to [`Command::Preview`] where the experiment has a sweep; the plan told before is that of its first variant.
    VariantsPlanned {
        /// As it was given.
        ticket: u64,
        /// Every variant, in order, or why one of them cannot be planned.
        variants: Result<Vec<PlannedVariant>, String>,
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
    /// One of the series that [`Command::Survey`] asked for.
    Surveyed {
        /// As it was given.
        ticket: u64,
        /// What is traded.
        symbol: Symbol,
        /// How long a bar is.
        timeframe: Timeframe,
        /// What was found, or why it cannot be read.
        survey: Result<Box<Survey>, String>,
    },
    /// What [`Command::Examine`] asked for.
    Examined {
        /// As it was given.
        ticket: u64,
        /// What there is to see, or why there is nothing.
        examination: Result<Box<Examination>, String>,
    },
    /// What [`Command::TryImport`] asked for.
    ImportTried {
        /// As it was given.
        ticket: u64,
        /// How the file would be read, or why it cannot be.
        trial: Result<Box<Trial>, String>,
    },
    /// What became of [`Command::SaveOverrides`].
    OverridesSaved {
        /// As it was given.
        folder: PathBuf,
        /// Whether it is on disk.
        saved: Result<(), String>,
    },
    /// What [`Command::LookForFolders`] asked for.
    FoldersLookedFor {
        /// Those that are not there.
        missing: Vec<PathBuf>,
    },
    /// What [`Command::LookAtPath`] asked for.
    PathLookedAt {
        /// As it was given.
        path: PathBuf,
        /// What is there, or why nobody knows.
        kind: Result<PathKind, String>,
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
    /// What became of a file that [`Command::SaveCurves`] or [`Command::SavePicture`] asked for.
    FileSaved {
        /// As it was given.
        path: PathBuf,
        /// Whether it is on disk.
        saved: Result<(), String>,
    },
    /// What [`Command::ListRuns`] asked for.
    RunsListed {
        /// The runs, newest first.
        runs: Result<Vec<RunEntry>, String>,
        /// What words are looked for in of each run, in small letters.
        searched: Vec<String>,
        /// Why folders that look like runs cannot be read, and what was wrong with the index of all of them.
        broken: Vec<String>,
    },
    /// What [`Command::LoadResults`] asked for.
    ResultsLoaded {
        /// As it was given.
        run: RunId,
        /// What is in its folder now.
        results: Result<Box<RunResults>, String>,
    },
    /// What [`Command::LoadCurves`] asked for.
    CurvesLoaded {
        /// As it was given.
        run: RunId,
        /// Every task that has begun, with its epochs in order.
        curves: Result<BTreeMap<TaskId, Vec<EpochRecord>>, String>,
    },
    /// What [`Command::LoadOutline`] asked for.
    OutlineLoaded {
        /// As it was given.
        run: RunId,
        /// What is on disk now.
        outline: Result<Box<RunOutline>, String>,
    },
    /// What [`Command::Compare`] asked for.
    Compared(Result<Box<Comparison>, String>),
    /// What became of [`Command::DeleteRuns`]; a new list of the runs follows.
    RunsDeleted {
        /// Those that are gone.
        runs: Vec<RunId>,
        /// Why the others are not.
        problems: Vec<String>,
    },
    /// A run could not be annotated.
    AnnotateFailed {
        /// As it was given.
        run: RunId,
        /// Why, and the next step.
        message: String,
    },
    /// The named models, by name and version.
    ModelsListed {
        /// All of them.
        models: Result<Vec<ModelEntry>, String>,
        /// Why the change that was asked for could not be made.
        problem: Option<String>,
    },
}
