//! What stands in front of the panels until it is answered.

mod about;
mod delete;
mod help;
mod name;
mod notes;
mod palette;
mod path;
mod presets;
mod quit;
mod ron;

use egui::{Id, ScrollArea, Ui};

pub(super) use self::name::Naming;
pub(super) use self::notes::Notes;
pub(super) use self::palette::Palette;
pub(super) use self::ron::RonText;
use super::closing::Quitting;
use super::commands::{Command, Commands, Purpose};
use super::dialogs::Dialogs;
use super::state::State;
use crate::domain::RunId;

/// Room around a box for its own margin and for what is behind it, in points.
const AROUND: f32 = 64.0;

/// What stands in front of the panels until it is answered.
#[derive(Debug)]
pub(super) enum Modal {
    /// A path is wanted; it can always be typed.
    Path { purpose: Purpose, text: String, focused: bool },
    /// Something runs and the window was asked to close.
    Quit,
    /// Shortcuts, and where things are.
    Help,
    /// What there is to begin from.
    Presets,
    /// The experiment as the text of a file.
    Ron(RonText),
    /// Versions and licence.
    About,
    /// Everything that can be done, to be found by a few letters.
    Palette(Palette),
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
            Self::About => "modal about",
            Self::Palette(_) => "modal palette",
            Self::Delete(_) => "modal delete",
            Self::Notes(_) => "modal notes",
            Self::Name(_) => "modal name",
            Self::Remove(..) => "modal remove",
        }
    }

    /// How wide its content is, in points.
    const fn width(&self) -> f32 {
        match self {
            Self::Presets | Self::Ron(_) => 720.0,
            Self::Help => 700.0,
            Self::Palette(_) => 560.0,
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
    let width = modal.width().min(ctx.content_rect().width() - AROUND);
    let modal_box = egui::Modal::new(Id::unique(modal.id())).frame(egui::Frame::window(&style));
    let response = modal_box.show(ctx, |ui| {
        ui.set_width(width);
        // As much as a small screen has room for; the rest is scrolled to.
        let height = ui.ctx().content_rect().height() - AROUND;
        let area = ScrollArea::vertical().max_height(height).min_scrolled_height(height);
        area.show(ui, |ui| match modal {
            Modal::Path { purpose, text, focused } => {
                path::show(ui, state, purpose, (text, focused), dialogs, commands);
            }
            Modal::Quit => quit::show(ui, state, quitting, commands),
            Modal::Help => help::show(ui, state, commands),
            Modal::About => about::show(ui, state, commands),
            Modal::Palette(palette) => palette.show(ui, state, commands),
            Modal::Presets => presets::show(ui, state, commands),
            Modal::Ron(ron) => ron.show(ui, state, commands),
            Modal::Delete(runs) => delete::runs(ui, state, runs, commands),
            Modal::Notes(notes) => notes.show(ui, state, commands),
            Modal::Name(naming) => naming.show(ui, state, commands),
            Modal::Remove(name, version) => delete::name(ui, name, *version, commands),
        });
    });
    if response.should_close() && quitting.is_none() {
        commands.send(Command::CloseModal);
    }
}

/// The answers, from the right.
fn buttons(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let size = egui::vec2(ui.available_width(), ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, egui::Layout::right_to_left(egui::Align::Center), add);
}
