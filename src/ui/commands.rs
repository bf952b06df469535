use std::path::PathBuf;

use super::actions::Action;
use super::layout::PanelKind;
use super::state::Draft;
use crate::domain::{Priority, RunId, SweepId, TaskId};
use crate::export::ExportWhat;
use crate::workbench::{LookAt, MarketSeries, ModelChange};

/// What a panel can ask for. Carried out by [`super::app`] after the frame is drawn, in the order sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Command {
    /// One of the actions that have a button, a shortcut or both.
    Do(Action),
    /// Put a preset that comes with the program on the bench.
    UsePreset(&'static str),
    /// Show the presets and what each is good for.
    ChoosePreset,
    /// Put a draft that was replaced on the bench again.
    PutBack(Box<Draft>),
    /// Make every field what it was when the draft began.
    TakeBackAll,
    /// Show the experiment as the text of a file.
    ShowRon,
    /// Take bars from the built-in market.
    UseSynthetic,
    /// Take bars from a folder.
    UseFolder(PathBuf),
    /// Something about market data.
    Data(DataCommand),
    /// List the folder again.
    Rescan,
    /// Let the system's dialog choose a path.
    Browse(Purpose),
    /// Ask for a path; this is in the field at first.
    AskForPath(Purpose, String),
    /// A path was chosen.
    Chosen(Purpose, PathBuf),
    /// Stop one run.
    CancelRun(RunId),
    /// Let a run's tasks write checkpoints and give their devices back.
    PauseRun(RunId),
    /// Let a paused run go on.
    ResumeRun(RunId),
    /// Stop tasks of a run; the others go on.
    CancelTasks(RunId, Vec<TaskId>),
    /// Let tasks of a run write checkpoints and give their devices back, or let them go on.
    HoldTasks(RunId, Vec<TaskId>, bool),
    /// Let tasks of a run that failed be tried again while it goes on.
    RetryTasks(RunId, Vec<TaskId>),
    /// Whose tasks come first.
    Prioritise(RunId, Priority),
    /// Give up experiments that wait or are being planned.
    CancelWaiting(Vec<u64>),
    /// Let experiments that wait come before or after others.
    PrioritiseWaiting(Vec<u64>, Priority),
    /// Take runs on disk up again: finished tasks are kept.
    TakeUp(Vec<RunId>),
    /// Read what of runs is drawn beside others, unless it is known.
    NeedOutlines(Vec<RunId>),
    /// Give a run the next colour.
    TurnColor(RunId),
    /// Put runs side by side.
    Compare(Vec<RunId>),
    /// Put all runs of a sweep side by side.
    CompareSweep(SweepId),
    /// Ask whether runs may be deleted.
    AskToDelete(Vec<RunId>),
    /// Delete runs with all their files: somebody said yes.
    Delete(Vec<RunId>),
    /// Open the tags and notes of a run or a named model.
    EditNotes(Noted),
    /// Keep tags and notes.
    Annotate(Noted, Vec<String>, String),
    /// Ask what a trained model is to be called; without a task, which one of the run's.
    AskForName(RunId, Option<TaskId>),
    /// Change the named models.
    ChangeModels(ModelChange),
    /// Ask whether a named model may lose its name.
    AskToRemove(String, u32),
    /// Ask which of a run's models to export, and where to.
    AskToExport(RunId, ExportWhat),
    /// Read what is known of a run's tasks, unless it is known.
    Need(RunId),
    /// Put the command that trains the experiment on the bench from a terminal on the clipboard.
    CopyCommandLine,
    /// Show the runs that were interrupted.
    ShowInterrupted,
    /// Show a run of this session in Queue and Training.
    ShowRun(RunId),
    /// Highlight a task, or none.
    SelectTask(Option<TaskId>),
    /// Show a stored run in Results.
    LookAt(RunId),
    /// Stop the leak check.
    StopCheck,
    /// Show what the leak check found.
    ShowChecks,
    /// Look at a column of the draft's features.
    Look(LookAt),
    /// Bring a panel to the front.
    ShowPanel(PanelKind),
    /// Put every panel back to where it was at first.
    ResetLayout,
    /// Choose dark, light, or what the system says.
    SetTheme(egui::ThemePreference),
    /// Make everything larger or smaller.
    Zoom(Zoom),
    /// Put a text on the clipboard.
    Copy(String),
    /// The notice was read.
    DismissNotice,
    /// Close what stands in front of the panels.
    CloseModal,
    /// Stop what runs, wait until it is safe on disk, and close the window.
    StopAndQuit,
    /// Let what runs write checkpoints and stop, and close the window: it can be resumed.
    CheckpointAndQuit,
    /// Close the window although something that was told to stop has not.
    CloseAnyway,
}

/// What can be asked about market data.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DataCommand {
    /// Read these series for the list, the most urgent first.
    Survey(Vec<MarketSeries>),
    /// Look at a series by itself, in front.
    Show(MarketSeries),
    /// Read again what there is to see of a series.
    Examine(MarketSeries),
    /// Try how a market file would be read with another `walkforge.ron`.
    TryImport { file: PathBuf, text: String },
    /// Write a folder's `walkforge.ron`, in which this stood `before`.
    SaveOverrides { folder: PathBuf, before: Option<String>, text: String },
    /// Find out which of the recent folders are still there.
    LookForFolders,
    /// Offer a recent folder no longer.
    ForgetFolder(PathBuf),
}

/// How the size of everything changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zoom {
    /// A tenth larger.
    In,
    /// A tenth smaller.
    Out,
    /// As the system has it.
    Reset,
}

/// What a path is wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The folder with market files.
    Data,
    /// An experiment to open.
    Open,
    /// Where to save the experiment.
    Save,
    /// Where to write a run's models, and which of them.
    Export(RunId, ExportWhat),
    /// Where to write the curves of a run's tasks.
    Curves(RunId),
    /// Where to write the training charts as a picture.
    Picture,
}

/// What has tags and notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Noted {
    /// A run.
    Run(RunId),
    /// A named model and its version.
    Model(String, u32),
}

/// What the panels ask for in one frame.
#[derive(Debug, Default)]
pub(super) struct Commands {
    /// Edited copies of the draft, to be merged before any command is carried out: whoever types a number and presses Start means the number.
    pub(super) edits: Vec<Draft>,
    /// In the order sent.
    pub(super) commands: Vec<Command>,
}

impl Commands {
    pub(super) fn send(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Hands back a copy of the draft with changes.
    pub(super) fn edit(&mut self, draft: Draft) {
        self.edits.push(draft);
    }
}
