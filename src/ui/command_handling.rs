use std::path::PathBuf;

use super::actions::Action;
use super::app::App;
use super::commands::{Command, Purpose, Zoom};
use super::frame_meter::FrameMeter;
use super::keys;
use super::layout::{self, PanelKind};
use super::modals::{Modal, Palette, RonText};
use super::state::{Draft, Level, RunView};
use crate::domain::RunId;
use crate::export::ExportWhat;
use crate::spec::{DEFAULT_PRESET, DataSource, ExperimentSpec, command_line_beside, load};
use crate::workbench::{self, LookAt};

impl App {
    /// Does what a panel, a shortcut or a dialog asked for.
    pub(super) fn carry_out(&mut self, ctx: &egui::Context, command: Command) {
        match command {
            Command::Do(action) => self.act(ctx, action),
            Command::UsePreset(name) => self.use_preset(name),
            Command::ChoosePreset => self.modal = Some(Modal::Presets),
            Command::PutBack(draft) => self.put_back(*draft),
            Command::TakeBackAll => self.take_back_all(),
            Command::ShowRon => self.modal = Some(Modal::Ron(RonText::default())),
            Command::UseSynthetic => self.use_synthetic(),
            Command::UseFolder(folder) => self.use_folder(home_expanded(folder)),
            Command::Data(of_data) => self.carry_out_for_data(of_data),
            Command::Rescan => self.followed = None,
            Command::Browse(purpose) => self.dialogs.open(purpose),
            Command::Chosen(purpose, path) => self.use_path(ctx, purpose, home_expanded(path)),
            Command::AskForPath(purpose, path) => self.modal = Some(Modal::path(purpose, path)),
            Command::ShowRun(id) => {
                self.state.shown_run = Some(id);
                self.state.selected_task = None;
            }
            Command::SelectTask(task) => self.state.selected_task = task,
            Command::LookAt(id) => {
                self.state.results.chosen = true;
                self.look_at(id);
                layout::show(&mut self.layout, PanelKind::Results);
            }
            Command::StopCheck => {
                self.state.checks.stop();
                self.engine.send(workbench::Command::StopCheck);
            }
            Command::ShowChecks => {
                self.panels.checks.show_leaks();
                layout::show(&mut self.layout, PanelKind::Checks);
            }
            Command::Look(at) => self.look_closely(at),
            Command::ShowPanel(kind) => layout::show(&mut self.layout, kind),
            Command::ResetLayout => self.layout = layout::default_layout(),
            Command::SetTheme(theme) => self.theme = theme,
            Command::Zoom(Zoom::In) => egui::gui_zoom::zoom_in(ctx),
            Command::Zoom(Zoom::Out) => egui::gui_zoom::zoom_out(ctx),
            Command::Zoom(Zoom::Reset) => ctx.set_zoom_factor(1.0),
            Command::Copy(text) => ctx.copy_text(text),
            Command::DismissNotice => self.state.notices.dismiss(),
            Command::CloseModal => self.modal = None,
            Command::CopyCommandLine => {
                let line = command_line_beside(self.state.draft.spec(), &self.state.runs_folder);
                let (level, text) = if line.is_some() {
                    let text = "The command that trains this experiment from a terminal is on the clipboard.";
                    (Level::Success, text)
                } else {
                    let text = "No command line says this experiment: the data folder's path is no Unicode. Save it as a file and train that: walkforge train --preset FILE";
                    (Level::Error, text)
                };
                if let Some(line) = line {
                    ctx.copy_text(line);
                }
                self.tell(level, text.to_owned());
            }
            Command::StopAndQuit => self.stop_and_quit(),
            Command::CheckpointAndQuit => self.checkpoint_and_quit(),
            Command::CloseAnyway => self.close_anyway(),
            of_runs => self.carry_out_for_runs(of_runs),
        }
        ctx.request_repaint();
    }

    fn act(&mut self, ctx: &egui::Context, action: Action) {
        match action {
            Action::Start => self.start(),
            Action::CheckLeaks => self.check_leaks(),
            Action::Pause => {
                let pause = !self.state.is_held();
                let runs: Vec<RunId> =
                    self.state.pausable_runs().map(|run| run.id.clone()).collect();
                if runs.is_empty() {
                    self.tell(Level::Info, "There is nothing to pause: no run trains.".to_owned());
                }
                for run in runs {
                    self.hold(run, pause);
                }
            }
            Action::Cancel => self.stop_everything(),
            Action::Open => self.modal = Some(Modal::path(Purpose::Open, String::new())),
            Action::Save => {
                let file = format!("{}.ron", self.state.draft.spec().name.replace(' ', "-"));
                self.modal = Some(Modal::path(Purpose::Save, file));
            }
            Action::Export if self.state.exporting => {
                self.tell(Level::Info, "An export is being written already.".to_owned());
            }
            Action::Export => {
                if let Some(run) = self.exportable() {
                    self.ask_to_export(run, ExportWhat::All);
                } else {
                    let text = "There is no trained model to export yet: press Start first.";
                    self.tell(Level::Info, text.to_owned());
                }
            }
            Action::Palette => self.modal = Some(Modal::Palette(Palette::default())),
            Action::Find => {
                if !keys::find(ctx) {
                    let text = "There is nothing to search in what is in view.";
                    self.tell(Level::Info, text.to_owned());
                }
            }
            Action::Help => self.modal = Some(Modal::Help),
            Action::About => self.modal = Some(Modal::About),
            Action::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
        }
    }

    fn start(&mut self) {
        if let Some(reason) = self.state.start_waits_for() {
            self.tell(Level::Warning, format!("Start waits: {reason}"));
            return;
        }
        let spec = Box::new(self.state.draft.spec().clone());
        if !self.state.is_busy() {
            self.frames = FrameMeter::default();
        }
        self.state.launches.send(&spec);
        self.state.results.chosen = false;
        self.state.shown_run = None;
        self.state.selected_task = None;
        self.state.notices.keep_offers();
        let text = format!("{}: sent to the engine", spec.name);
        self.state.journal.add(self.state.now, Level::Info, text);
        self.engine.send(workbench::Command::Start(spec));
        layout::show(&mut self.layout, PanelKind::Training);
    }

    fn check_leaks(&mut self) {
        if let Some(reason) = self.state.start_waits_for() {
            self.tell(Level::Warning, format!("The leak check waits: {reason}"));
            return;
        }
        if self.state.checks.running.is_some() {
            self.tell(Level::Info, "A leak check is at work already.".to_owned());
            return;
        }
        let contrast = self.panels.checks.contrast;
        let spec = Box::new(self.state.draft.spec().clone());
        let ticket = self.state.checks.begin(&spec, contrast);
        let text = format!("{}: checking for leaks", spec.name);
        self.state.journal.add(self.state.now, Level::Info, text);
        self.state.notices.keep_offers();
        self.withdraw(|offer| *offer == Command::ShowChecks);
        self.engine.send(workbench::Command::CheckLeaks { ticket, spec, contrast });
        self.panels.checks.show_leaks();
        layout::show(&mut self.layout, PanelKind::Checks);
    }

    /// Looks at a column of what the plan in view was made from, which is the draft.
    fn look_closely(&mut self, at: LookAt) {
        let Some(plan) = &self.state.preview.plan else { return };
        let ticket = self.state.looks.ask(plan, at.clone());
        let spec = Box::new(self.state.draft.spec().clone());
        self.engine.send(workbench::Command::Look { ticket, spec, at });
    }

    pub(super) fn stop_everything(&mut self) {
        self.state.checks.stop();
        for run in &mut self.state.runs {
            run.stopping |= !run.is_over();
        }
        self.engine.send(workbench::Command::CancelAll);
    }

    /// Begins anew from a preset. What was changed on the bench can be had back.
    fn use_preset(&mut self, name: &str) {
        self.modal = None;
        let spec = match load(name) {
            Ok(spec) => spec,
            Err(error) => return self.tell(Level::Error, error.to_string()),
        };
        let before = self.state.draft.clone();
        self.put_on_bench(spec);
        if before.spec() != before.origin().spec() && before.spec() != self.state.draft.spec() {
            let text = format!("{name} has replaced {} on the bench.", before.spec().name);
            let actions = vec![("Bring it back", Command::PutBack(Box::new(before)))];
            self.offer(Level::Info, text, actions);
        }
    }

    /// Makes every field what it was when the draft began. The changes can be had back.
    fn take_back_all(&mut self) {
        let before = self.state.draft.clone();
        let changes = match before.differences().len() {
            0 => return,
            1 => "1 change was".to_owned(),
            several => format!("{several} changes were"),
        };
        self.state.draft = before.without(before.differences());
        let text = format!("{changes} taken back: all is as {} has it.", before.origin().name());
        let actions = vec![("Bring them back", Command::PutBack(Box::new(before)))];
        self.offer(Level::Info, text, actions);
    }

    fn put_back(&mut self, draft: Draft) {
        self.put_on_bench(draft.spec().clone());
        self.state.draft = draft;
    }

    pub(super) fn put_on_bench(&mut self, spec: ExperimentSpec) {
        self.state.draft = Draft::new(spec);
        self.state.notices.keep_offers();
        self.panels.data.forget_typing();
        self.panels.strategy.forget_typing();
        // Its folder may be the one that is listed already: what is ticked must be looked up again.
        self.followed = None;
    }

    pub(super) fn use_folder(&mut self, folder: PathBuf) {
        if self.state.draft.spec().data.source == DataSource::Folder(folder.clone()) {
            // The same folder again: its files may have changed.
            self.followed = None;
        } else {
            self.state.draft = self.state.draft.with_source(DataSource::Folder(folder));
        }
    }

    fn use_synthetic(&mut self) {
        if let DataSource::Folder(_) = self.state.draft.spec().data.source {
            let preset = load(DEFAULT_PRESET).expect("the default preset is valid");
            self.state.draft = self.state.draft.with_source(preset.data.source);
        }
    }

    fn use_path(&mut self, ctx: &egui::Context, purpose: Purpose, path: PathBuf) {
        if self.quitting.is_some() {
            return;
        }
        self.modal = None;
        match purpose {
            Purpose::Data => self.carry_out(ctx, Command::UseFolder(path)),
            Purpose::Open => self.engine.send(workbench::Command::OpenExperiment(path)),
            Purpose::Save => {
                let spec = Box::new(self.state.draft.spec().clone());
                self.engine.send(workbench::Command::SaveExperiment { spec, to: path });
            }
            Purpose::Export(run, what) => {
                self.state.exporting = true;
                let run = run.to_string();
                self.engine.send(workbench::Command::Export { run, what, to: path });
            }
            Purpose::Curves(run) => {
                self.engine.send(workbench::Command::SaveCurves { run, to: path });
            }
            Purpose::Picture => self.picture.ask(path),
        }
    }

    pub(super) fn look_at(&mut self, run: RunId) {
        self.state.results.wanted = Some(run.clone());
        self.state.results.error = None;
        self.engine.send(workbench::Command::LoadResults(run));
    }

    /// Whether Results is in view with this run.
    pub(super) fn is_looked_at(&self, run: &RunId) -> bool {
        layout::is_in_front(&self.layout, PanelKind::Results)
            && self.state.results.wanted.as_ref() == Some(run)
    }

    /// The run whose models Export writes: the one Results shows, else the latest of this session with a finished task.
    fn exportable(&self) -> Option<RunId> {
        let results = &self.state.results;
        let loaded = results.loaded.as_ref();
        let shown = loaded
            .filter(|loaded| results.wanted.as_ref() == Some(&loaded.run))
            .filter(|loaded| loaded.tasks.iter().any(|task| task.report.is_some()));
        let trained = |run: &&RunView| run.tasks.iter().any(|task| task.report.is_some());
        shown
            .map(|results| results.run.clone())
            .or_else(|| self.state.runs.iter().rev().find(trained).map(|run| run.id.clone()))
    }
}

/// `~/data` as the shell would read it.
fn home_expanded(path: PathBuf) -> PathBuf {
    match path.strip_prefix("~") {
        Ok(rest) => std::env::home_dir().map_or_else(|| path.clone(), |home| home.join(rest)),
        Err(_absolute_or_relative) => path,
    }
}
