//! What stands in front of the panels until it is answered.

mod delete;
mod name;
mod notes;
mod path;
mod presets;
mod quit;
mod ron;

use egui::{Id, Ui};

pub(super) use self::name::Naming;
pub(super) use self::notes::Notes;
pub(super) use self::ron::RonText;
use super::actions::Action;
use super::closing::Quitting;
use super::commands::{Command, Commands, Purpose};
use super::dialogs::Dialogs;
use super::state::State;
use super::theme::space;
use crate::domain::RunId;

/// What stands in front of the panels until it is answered.
#[derive(Debug)]
pub(super) enum Modal {
    /// A path is wanted; it can always be typed.
    Path { purpose: Purpose, text: String, focused: bool },
    /// Something runs and the window was asked to close.
    Quit,
    /// Shortcuts and versions.
    Help,
    /// What there is to begin from.
    Presets,
    /// The experiment as the text of a file.
    Ron(RonText),
    /// May these runs be deleted?
    Delete(Vec<RunId>),
    /// Tags and notes of something.
    Notes(Notes),
    /// What is a trained model to be called?
    Name(Naming),
    /// May this named model lose its name?
    Remove(String, u32),
}

impl Modal {
    pub(super) const fn path(purpose: Purpose, text: String) -> Self {
        Self::Path { purpose, text, focused: false }
    }

    /// One for each kind: a box keeps the size it had.
    const fn id(&self) -> &'static str {
        match self {
            Self::Path { purpose: Purpose::Data, .. } => "modal data",
            Self::Path { purpose: Purpose::Open, .. } => "modal open",
            Self::Path { purpose: Purpose::Save, .. } => "modal save",
            Self::Path { purpose: Purpose::Export(..), .. } => "modal export",
            Self::Path { purpose: Purpose::Curves(_), .. } => "modal curves",
            Self::Path { purpose: Purpose::Picture, .. } => "modal picture",
            Self::Quit => "modal quit",
            Self::Help => "modal help",
            Self::Presets => "modal presets",
            Self::Ron(_) => "modal ron",
            Self::Delete(_) => "modal delete",
            Self::Notes(_) => "modal notes",
            Self::Name(_) => "modal name",
            Self::Remove(..) => "modal remove",
        }
    }

    /// In points.
    const fn width(&self) -> f32 {
        match self {
            Self::Presets | Self::Ron(_) => 720.0,
            _ => 460.0,
        }
    }
}

pub(super) fn show(
    ctx: &egui::Context,
    modal: &mut Modal,
    state: &State,
    quitting: Option<Quitting>,
    dialogs: &Dialogs,
    commands: &mut Commands,
) {
    let style = ctx.style_of(ctx.theme());
    let modal_box = egui::Modal::new(Id::unique(modal.id())).frame(egui::Frame::window(&style));
    let response = modal_box.show(ctx, |ui| {
        ui.set_width(modal.width());
        match modal {
            Modal::Path { purpose, text, focused } => {
                path::show(ui, state, purpose, (text, focused), dialogs, commands);
            }
            Modal::Quit => quit::show(ui, state, quitting, commands),
            Modal::Help => help(ui, state, commands),
            Modal::Presets => presets::show(ui, state, commands),
            Modal::Ron(ron) => ron.show(ui, state, commands),
            Modal::Delete(runs) => delete::runs(ui, state, runs, commands),
            Modal::Notes(notes) => notes.show(ui, state, commands),
            Modal::Name(naming) => naming.show(ui, state, commands),
            Modal::Remove(name, version) => delete::name(ui, name, *version, commands),
        }
    });
    if response.should_close() && quitting.is_none() {
        commands.send(Command::CloseModal);
    }
}

/// What is found where no shortcut leads.
const HINTS: [(&str, &str); 3] = [
    (
        "Sweeps",
        "Vary a field at the end of Strategy: each variant becomes a run, and Compare puts them in one table.",
    ),
    (
        "Runs",
        "keeps every run: one that was interrupted or cancelled, or that failed, goes on with Resume.",
    ),
    (
        "Models",
        "keeps trained models that were given a name, and compares them with the champion of that name.",
    ),
];

fn help(ui: &mut Ui, state: &State, commands: &mut Commands) {
    ui.heading("Walkforge");
    let libtorch = state.machine.inventory.as_ref().map(|found| found.libtorch.clone());
    let libtorch = libtorch.map_or_else(String::new, |version| format!(", libtorch {version}"));
    ui.weak(format!("Version {}{libtorch}", env!("CARGO_PKG_VERSION")));
    ui.weak(format!("Runs are written to {}", state.runs_folder.display()));
    ui.add_space(space::M);
    egui::Grid::new("shortcuts").num_columns(3).spacing([space::L, 6.0]).show(ui, |ui| {
        for action in Action::ALL {
            ui.monospace(action.keys(ui.ctx()));
            ui.strong(action.name().trim_end_matches('…'));
            ui.label(action.help());
            ui.end_row();
        }
    });
    ui.add_space(space::M);
    for (title, text) in HINTS {
        ui.horizontal_wrapped(|ui| {
            ui.strong(title);
            ui.label(text);
        });
    }
    ui.add_space(space::M);
    buttons(ui, |ui| {
        if ui.button("Close").clicked() {
            commands.send(Command::CloseModal);
        }
    });
}

/// The answers, from the right.
fn buttons(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let size = egui::vec2(ui.available_width(), ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, egui::Layout::right_to_left(egui::Align::Center), add);
}
