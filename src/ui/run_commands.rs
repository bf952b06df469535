//! What panels and dialogs ask for of runs, tasks and named models.

use super::app::App;
use super::commands::{Command, Noted, Purpose};
use super::layout::{self, PanelKind};
use super::modals::{Modal, Naming, Notes};
use super::state::{Level, Standing};
use crate::domain::{RunId, TaskId};
use crate::export::ExportWhat;
use crate::runs::Comparison;
use crate::workbench::{self, ModelChange};

impl App {
    /// Does what concerns runs; everything else is carried out before it comes here.
    pub(super) fn carry_out_for_runs(&mut self, command: Command) {
        match command {
            Command::CancelRun(id) => {
                if let Some(run) = self.state.runs.iter_mut().find(|run| run.id == id) {
                    run.stopping = !run.is_over();
                }
                self.engine.send(workbench::Command::Cancel(id));
            }
            Command::PauseRun(id) => self.hold(id, true),
            Command::ResumeRun(id) => self.hold(id, false),
            Command::CancelTasks(id, tasks) => self.cancel_tasks(&id, tasks),
            Command::HoldTasks(id, tasks, pause) => self.hold_tasks(&id, tasks, pause),
            Command::RetryTasks(id, tasks) => {
                self.engine.send(workbench::Command::RetryTasks(id, tasks));
            }
            Command::Prioritise(id, priority) => {
                if let Some(run) = self.state.runs.iter_mut().find(|run| run.id == id) {
                    run.priority = priority;
                }
                self.engine.send(workbench::Command::Prioritise(id, priority));
            }
            Command::CancelWaiting(numbers) => {
                self.engine.send(workbench::Command::CancelWaiting(numbers));
            }
            Command::PrioritiseWaiting(numbers, priority) => {
                self.engine.send(workbench::Command::PrioritiseWaiting(numbers, priority));
            }
            Command::TakeUp(runs) => self.take_up(runs),
            Command::NeedOutlines(runs) => self.need_outlines(runs),
            Command::TurnColor(run) => self.state.run_colors.turn(run),
            Command::Compare(runs) => self.compare(runs),
            Command::CompareSweep(sweep) => {
                let runs = self.state.results.of_sweep(&sweep);
                self.compare(runs.into_iter().map(|entry| entry.id.clone()).collect());
            }
            Command::AskToDelete(runs) => self.modal = Some(Modal::Delete(runs)),
            Command::Delete(runs) => {
                self.modal = None;
                if !runs.iter().any(|run| self.state.is_being_deleted(run)) {
                    self.state.deleting.push_back(runs.clone());
                    self.engine.send(workbench::Command::DeleteRuns(runs));
                }
            }
            Command::EditNotes(noted) => self.edit_notes(noted),
            Command::Annotate(noted, tags, notes) => self.annotate(noted, tags, notes),
            Command::AskForName(run, task) => {
                self.need(&run);
                let name = self.state.results.entry(&run);
                let name = name.map_or_else(String::new, |entry| entry.experiment.clone());
                self.modal = Some(Modal::Name(Naming::new(run, task, name)));
            }
            Command::AskToRemove(name, version) => self.modal = Some(Modal::Remove(name, version)),
            Command::ChangeModels(change) => {
                self.modal = None;
                if let ModelChange::Register { .. } = change {
                    layout::show(&mut self.layout, PanelKind::Models);
                }
                self.engine.send(workbench::Command::ChangeModels(change));
            }
            Command::AskToExport(run, what) => self.ask_to_export(run, what),
            Command::Need(run) => self.need(&run),
            Command::ShowInterrupted => {
                self.panels.runs.show_only(Standing::Interrupted);
                layout::show(&mut self.layout, PanelKind::Runs);
            }
            // Carried out before it comes here. Named one by one: a new command is not to be forgotten.
            Command::Do(_)
            | Command::UsePreset(_)
            | Command::ChoosePreset
            | Command::PutBack(_)
            | Command::TakeBackAll
            | Command::ShowRon
            | Command::UseSynthetic
            | Command::UseFolder(_)
            | Command::Data(_)
            | Command::Rescan
            | Command::Browse(_)
            | Command::AskForPath(..)
            | Command::Chosen(..)
            | Command::CopyCommandLine
            | Command::ShowRun(_)
            | Command::SelectTask(_)
            | Command::LookAt(_)
            | Command::StopCheck
            | Command::ShowChecks
            | Command::Look(_)
            | Command::ShowPanel(_)
            | Command::ResetLayout
            | Command::SetTheme(_)
            | Command::Zoom(_)
            | Command::Copy(_)
            | Command::DismissNotice
            | Command::CloseModal
            | Command::StopAndQuit
            | Command::CheckpointAndQuit
            | Command::CloseAnyway => {}
        }
    }

    /// Asks for what is drawn of runs, unless it has been asked for.
    fn need_outlines(&mut self, runs: Vec<RunId>) {
        for run in runs {
            if self.state.compared.want_outline(&run) {
                self.engine.send(workbench::Command::LoadOutline(run));
            }
        }
    }

    /// Pauses a run, or lets it go on.
    pub(super) fn hold(&mut self, id: RunId, pause: bool) {
        let run = self.state.runs.iter_mut().find(|run| run.id == id && !run.is_over());
        let Some(run) = run.filter(|run| run.pausing != pause && !run.stopping) else { return };
        run.pausing = pause;
        run.changes.standings += 1;
        let text = if pause {
            "asked to pause: each task stops at a checkpoint and gives its device back"
        } else {
            "goes on from its checkpoints"
        };
        let text = format!("{}: {text}", run.plan.experiment);
        self.state.journal.add(self.state.now, Level::Info, text);
        let command = if pause { workbench::Command::Pause } else { workbench::Command::Resume };
        self.engine.send(command(id));
    }

    fn cancel_tasks(&mut self, id: &RunId, tasks: Vec<TaskId>) {
        if let Some(run) = self.state.runs.iter_mut().find(|run| run.id == *id) {
            run.ask_to_stop(&tasks);
        }
        for task in tasks {
            self.engine.send(workbench::Command::CancelTask(id.clone(), task));
        }
    }

    fn hold_tasks(&mut self, id: &RunId, tasks: Vec<TaskId>, pause: bool) {
        if let Some(run) = self.state.runs.iter_mut().find(|run| run.id == *id) {
            run.ask_to_pause(&tasks, pause);
        }
        let command =
            if pause { workbench::Command::PauseTask } else { workbench::Command::ResumeTask };
        for task in tasks {
            self.engine.send(command(id.clone(), task));
        }
    }

    /// Takes runs on disk up again.
    fn take_up(&mut self, runs: Vec<RunId>) {
        if runs.is_empty() {
            return;
        }
        self.state.launches.follow_next = true;
        self.state.shown_run = None;
        self.state.selected_task = None;
        self.withdraw(|offer| {
            matches!(offer, Command::TakeUp(offered) if offered.iter().all(|run| runs.contains(run)))
        });
        for run in runs {
            self.note(Level::Info, format!("{run}: asked to go on"));
            self.state.resuming.insert(run.clone());
            self.engine.send(workbench::Command::Resume(run));
        }
        layout::show(&mut self.layout, PanelKind::Training);
    }

    fn compare(&mut self, runs: Vec<RunId>) {
        self.state.compared.ask(runs.clone());
        self.engine.send(workbench::Command::Compare(runs));
        layout::show(&mut self.layout, PanelKind::Compare);
    }

    /// Takes what was asked for by [`Self::compare`]; the runs are given different colours.
    pub(super) fn runs_compared(&mut self, comparison: Result<Box<Comparison>, String>) {
        if let Ok(comparison) = &comparison {
            let runs: Vec<RunId> = comparison.runs.iter().map(|run| run.id.clone()).collect();
            self.state.run_colors.tell_apart(&runs);
        }
        self.state.compared.take(comparison);
    }

    fn edit_notes(&mut self, noted: Noted) {
        let found = match &noted {
            Noted::Run(run) => self.state.results.entry(run).map(|run| (&run.tags, &run.notes)),
            Noted::Model(name, version) => {
                self.state.models.find(name, *version).map(|model| (&model.tags, &model.notes))
            }
        };
        if let Some((tags, notes)) = found {
            let (tags, notes) = (tags.join(", "), notes.clone());
            self.modal = Some(Modal::Notes(Notes::new(noted, tags, notes)));
        }
    }

    fn annotate(&mut self, noted: Noted, tags: Vec<String>, notes: String) {
        self.modal = None;
        match noted {
            Noted::Run(run) => {
                self.engine.send(workbench::Command::AnnotateRun { run, tags, notes });
            }
            Noted::Model(name, version) => {
                let change = ModelChange::Annotate { name, version, tags, notes };
                self.engine.send(workbench::Command::ChangeModels(change));
            }
        }
    }

    pub(super) fn ask_to_export(&mut self, run: RunId, what: ExportWhat) {
        if self.state.exporting {
            self.tell(Level::Info, "An export is being written already.".to_owned());
            return;
        }
        self.need(&run);
        let folder = format!("exports/{run}");
        self.modal = Some(Modal::path(Purpose::Export(run, what), folder));
    }

    /// Reads what is known of a run's tasks, unless it is known or under way.
    fn need(&mut self, run: &RunId) {
        if self.state.details.want(run) {
            self.engine.send(workbench::Command::LoadResults(run.clone()));
        }
    }

    /// Asks for the list of runs, unless that is under way.
    pub(super) fn list_runs(&mut self) {
        if self.state.results.want_list() {
            self.engine.send(workbench::Command::ListRuns);
        }
    }
}
