use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use egui_tiles::Tree;

use super::closing::Quitting;
use super::commands::{Command, Commands};
use super::dialogs::{Answer, Dialogs};
use super::frame_meter::FrameMeter;
use super::layout::{self, PanelKind};
use super::modals::Modal;
use super::panels::Panels;
use super::picture::PictureRequest;
use super::settings::Settings;
use super::state::{
    Checks, Compared, Details, Draft, Examined, Journal, Launches, Level, Looks, Machine, Models,
    Notices, Preview, Results, Source, State, Surveys,
};
use super::theme::{self, Themed, space};
use super::tiling::Tiling;
use super::toasts::Toasts;
use super::{drop_hint, keys, modals, top_bar};
use crate::devices::{Inventory, MachineReading, Telemetry};
use crate::domain::UtcMillis;
use crate::spec::{DEFAULT_PRESET, DataSource, ExperimentSpec, load};
use crate::workbench::{self, LeakReport, Update, Workbench};

/// Time between two frames while something happens: 30 a second are enough for a curve.
const FRAME: Duration = Duration::from_millis(33);
/// The same where the processor draws the window: each frame costs it some 150 ms, which training needs more.
const COSTLY_FRAME: Duration = Duration::from_millis(500);
/// Time between two frames while something trains and nothing is told, so that clocks go on.
const TICK: Duration = Duration::from_millis(500);
/// Time between two readings of the machine.
const READING: Duration = Duration::from_secs(1);

/// How to begin.
#[derive(Debug)]
pub struct Options {
    /// Where runs are written.
    pub runs: PathBuf,
    /// The experiment to put on the bench; without it the one left there, or the default one.
    pub spec: Option<ExperimentSpec>,
    /// What the window remembers, or why that could not be read.
    pub settings: Result<Settings, String>,
    /// Whether to watch the machine's devices.
    pub telemetry: bool,
    /// Whether the processor draws the window, because there is no graphics device.
    pub software_rendered: bool,
}

/// The workbench's window.
pub struct App {
    pub(super) engine: Workbench,
    telemetry: Option<Telemetry>,
    pub(super) state: State,
    pub(super) panels: Panels,
    pub(super) layout: Tree<PanelKind>,
    pub(super) theme: egui::ThemePreference,
    pub(super) dialogs: Dialogs,
    pub(super) modal: Option<Modal>,
    pub(super) toasts: Toasts,
    /// Somebody asked to quit: what the window waits for before it closes.
    pub(super) quitting: Option<Quitting>,
    pub(super) frames: FrameMeter,
    pub(super) picture: PictureRequest,
    /// What the keys pressed in the last frame ask for, to be carried out in this one.
    pressed: Option<Command>,
    /// How much larger than usual everything is drawn.
    zoom: f32,
    /// Raised from outside, as by Ctrl-C in the terminal that started the program.
    interrupted: Arc<AtomicBool>,
    /// What this frame took before anything was drawn.
    thought: Duration,
    /// The draft that source and preview belong to.
    pub(super) followed: Option<Draft>,
    /// Stands in for the system's clock.
    clock: Option<UtcMillis>,
}

impl App {
    /// Opens the runs folder, starts the engine, and sets fonts and styles.
    ///
    /// # Errors
    /// Why the runs folder cannot be used, and the next step.
    ///
    /// # Panics
    /// Never: the default preset is part of the program and tested.
    pub fn new(ctx: &egui::Context, options: Options) -> Result<Self, String> {
        theme::install(ctx);
        let wake = {
            let ctx = ctx.clone();
            let frame = if options.software_rendered { COSTLY_FRAME } else { FRAME };
            move || ctx.request_repaint_after(frame)
        };
        let engine =
            Workbench::open(&options.runs, wake.clone()).map_err(|error| error.to_string())?;
        let now = UtcMillis::now();
        let mut journal = Journal::default();
        let settings = options.settings.unwrap_or_else(|reason| {
            let text = format!(
                "the window's settings could not be read ({reason}); it begins with its defaults"
            );
            journal.add(now, Level::Warning, text);
            Settings::default()
        });
        let zoom = settings.zoom_factor();
        ctx.set_zoom_factor(zoom);
        if options.software_rendered {
            let text = "no graphics device: the processor draws the window, at two frames a second while something happens";
            journal.add(now, Level::Info, text);
        }
        let mut machine = Machine::default();
        let telemetry =
            options.telemetry.then(|| Telemetry::start(READING, options.runs.clone(), wake));
        let telemetry = match telemetry {
            Some(Ok(telemetry)) => Some(telemetry),
            Some(Err(error)) => {
                machine.no_telemetry_because = Some(error.to_string());
                None
            }
            None => None,
        };
        let draft = match (options.spec, settings.draft) {
            (Some(spec), _) => Draft::new(spec),
            (None, Some(stored)) => Draft::restore(stored),
            (None, None) => Draft::new(load(DEFAULT_PRESET).expect("the default preset is valid")),
        };
        engine.send(workbench::Command::ListModels);
        let mut app = Self {
            engine,
            telemetry,
            state: State {
                now,
                runs_folder: options.runs,
                draft,
                experiments: settings.experiments,
                source: Source::Synthetic,
                recents: settings.recents,
                surveys: Surveys::default(),
                examined: Examined::default(),
                preview: Preview::default(),
                runs: Vec::new(),
                shown_run: None,
                selected_task: None,
                followed: None,
                launches: Launches::default(),
                resuming: BTreeSet::new(),
                deleting: VecDeque::new(),
                exporting: false,
                results: Results::default(),
                details: Details::default(),
                compared: Compared::default(),
                run_colors: settings.run_colors,
                models: Models::default(),
                checks: Checks::default(),
                looks: Looks::default(),
                machine,
                journal,
                notices: Notices::default(),
            },
            panels: Panels::new(&settings.panels),
            layout: layout::restore(settings.layout),
            theme: settings.theme,
            dialogs: Dialogs::default(),
            modal: None,
            toasts: Toasts::default(),
            quitting: None,
            frames: FrameMeter::default(),
            picture: PictureRequest::default(),
            pressed: None,
            zoom,
            interrupted: Arc::default(),
            thought: Duration::ZERO,
            followed: None,
            clock: None,
        };
        app.list_runs();
        Ok(app)
    }

    /// The same with time standing still: pictures of it do not change from day to day.
    #[must_use]
    pub const fn at(mut self, moment: UtcMillis) -> Self {
        self.clock = Some(moment);
        self
    }

    /// Shows a machine and its readings, as the telemetry would.
    pub fn observe(&mut self, inventory: Inventory, readings: Vec<MachineReading>) {
        self.state.machine.inventory = Some(Arc::new(inventory));
        for reading in readings {
            self.state.machine.add(reading);
        }
    }

    /// Shows a report, as the leak check would.
    pub fn show_report(&mut self, report: LeakReport) {
        let ticket = self.state.checks.begin(self.state.draft.spec(), report.contrast.is_some());
        let report = Ok(Box::new(report));
        self.apply(Update::LeaksChecked { ticket, report, cancelled: false });
    }

    /// What to remember.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            theme: self.theme,
            zoom: self.zoom,
            draft: Some(self.state.draft.store()),
            experiments: self.state.experiments.clone(),
            layout: Some(self.layout.clone()),
            panels: self.panels.views(),
            recents: self.state.recents.clone(),
            run_colors: self.state.run_colors.clone(),
        }
    }

    /// A flag that makes the window write checkpoints of what runs and close, as its own Checkpoint and quit does. Whoever raises it asks for a
    /// frame.
    #[must_use]
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    /// Takes what has happened since the last frame.
    fn advance(&mut self, ctx: &egui::Context) {
        self.state.now = self.clock.unwrap_or_else(UtcMillis::now);
        if ctx.options(|options| options.theme_preference) != self.theme {
            ctx.set_theme(self.theme);
        }
        for update in self.engine.drain() {
            self.apply(update);
        }
        if let Some(telemetry) = &self.telemetry {
            if self.state.machine.inventory.is_none() {
                self.state.machine.inventory = telemetry.inventory();
            }
            for reading in telemetry.drain() {
                self.state.machine.add(reading);
            }
        }
        match self.dialogs.poll(ctx) {
            Some(Answer::Path(purpose, path)) => {
                self.carry_out(ctx, Command::Chosen(purpose, path));
            }
            Some(Answer::NoDialog) => {
                let text = "The system offers no file dialog (no portal, no zenity): type the path instead.";
                self.tell(Level::Warning, text.to_owned());
            }
            Some(Answer::Dismissed) | None => {}
        }
        if self.interrupted.swap(false, Ordering::Relaxed) {
            self.carry_out(ctx, Command::CheckpointAndQuit);
        }
        self.follow_draft();
        // Whoever waits for the window to close is told when that takes too long.
        if self.state.is_moving() || self.quitting.is_some() {
            ctx.request_repaint_after(TICK);
        }
        self.zoom = ctx.zoom_factor();
        self.mind_picture(ctx);
        self.mind_closing(ctx);
    }

    /// Keeps source and preview in step with the draft.
    fn follow_draft(&mut self) {
        if self.followed.as_ref() == Some(&self.state.draft) {
            return;
        }
        let draft = self.state.draft.clone();
        let data = &draft.spec().data;
        let other_source =
            self.followed.as_ref().is_none_or(|before| before.spec().data.source != data.source);
        self.state.surveys.follow(&data.source, &data.quality);
        if other_source {
            self.state.surveys.forget();
            self.state.source = match &data.source {
                DataSource::Synthetic(_) => Source::Synthetic,
                DataSource::Folder(folder) => {
                    self.engine.send(workbench::Command::Scan(folder.clone()));
                    Source::Scanning { folder: folder.clone() }
                }
            };
            self.state.preview.withdraw();
        }
        self.state.checks.follow(draft.spec());
        self.followed = Some(draft);
        self.ask_for_preview();
    }

    /// Asks what the draft would do, where it can be asked.
    pub(super) fn ask_for_preview(&mut self) {
        let can = self.state.draft.issues().is_empty()
            && matches!(self.state.source, Source::Synthetic | Source::Ready(_));
        if !can {
            self.state.preview.withdraw();
            return;
        }
        let ticket = self.state.preview.ask();
        let spec = Box::new(self.state.draft.spec().clone());
        self.engine.send(workbench::Command::Preview { ticket, spec });
    }

    /// Draws everything; what was asked for is carried out after.
    fn draw(&mut self, ui: &mut egui::Ui) {
        self.take_dropped(ui.ctx());
        let mut commands = Commands::default();
        keys::give_up_focus_on_press(ui.ctx());
        if let Some(command) = self.pressed.take() {
            commands.send(command);
        }
        if self.modal.is_none() {
            self.pressed = keys::shortcut(ui.ctx());
        }
        let palette = ui.palette();
        let bar = egui::Frame::new()
            .fill(palette.surface)
            .inner_margin(egui::Margin::symmetric(space::M as i8, space::S as i8));
        egui::Panel::top("top_bar").frame(bar).show_separator_line(true).show(ui, |ui| {
            top_bar::bar(ui, &self.state, self.theme, &mut commands);
        });
        if self.state.notices.front().is_some() {
            egui::Panel::top("notice").frame(bar.fill(palette.raised)).show(ui, |ui| {
                top_bar::notice(ui, &self.state.notices, &mut commands);
            });
        }
        // Told anew where it is drawn.
        self.panels.training.charts = None;
        let background = egui::Frame::new()
            .fill(palette.background)
            .inner_margin(egui::Margin::same(space::XS as i8));
        egui::CentralPanel::default().frame(background).show(ui, |ui| {
            let mut behavior =
                Tiling { state: &self.state, panels: &mut self.panels, commands: &mut commands };
            self.layout.ui(&mut behavior, ui);
        });
        drop_hint::show(ui.ctx());
        self.toasts.show(ui.ctx(), self.state.now, &mut commands);
        if let Some(modal) = &mut self.modal {
            modals::show(ui.ctx(), modal, &self.state, self.quitting, &self.dialogs, &mut commands);
        }
        let ctx = ui.ctx().clone();
        let Commands { edits, commands } = commands;
        if !edits.is_empty() {
            let base = self.state.draft.clone();
            for edited in &edits {
                self.state.draft = self.state.draft.merged(&base, edited);
            }
            ctx.request_repaint();
        }
        for command in commands {
            self.carry_out(&ctx, command);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let began = Instant::now();
        self.advance(ctx);
        self.thought = began.elapsed();
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let began = Instant::now();
        self.draw(ui);
        // A real window knows what its last frame took in all; without one, what is drawn here is all there is.
        let whole = frame.info().cpu_usage.map(Duration::from_secs_f32);
        if self.clock.is_none() {
            self.frames.add(whole.unwrap_or_default().max(self.thought + began.elapsed()));
        }
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        storage.set_string(super::window::SETTINGS_KEY, self.settings().to_text());
    }

    fn persist_egui_memory(&self) -> bool {
        // What is remembered is chosen, not whatever egui happens to hold.
        false
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("state", &self.state).finish_non_exhaustive()
    }
}
