use std::path::PathBuf;

use egui::{Id, RichText};

use super::actions::Action;
use super::commands::{Command, Commands, Purpose};
use super::dialogs::Dialogs;
use super::icons;
use super::state::{State, TaskState};
use super::theme::{Themed, space};
use super::widgets;

/// What stands in front of the panels until it is answered.
#[derive(Debug)]
pub(super) enum Modal {
    /// A path is wanted; it can always be typed.
    Path { purpose: Purpose, text: String, focused: bool },
    /// Something runs and the window was asked to close.
    Quit,
    /// Shortcuts and versions.
    Help,
}

impl Modal {
    pub(super) const fn path(purpose: Purpose, text: String) -> Self {
        Self::Path { purpose, text, focused: false }
    }
}

pub(super) fn show(
    ctx: &egui::Context,
    modal: &mut Modal,
    state: &State,
    quitting: bool,
    dialogs: &Dialogs,
    commands: &mut Commands,
) {
    let style = ctx.style_of(ctx.theme());
    // One id for each kind: a box keeps the size it had.
    let id = match modal {
        Modal::Path { purpose: Purpose::Data, .. } => "modal data",
        Modal::Path { purpose: Purpose::Open, .. } => "modal open",
        Modal::Path { purpose: Purpose::Save, .. } => "modal save",
        Modal::Path { purpose: Purpose::Export(_), .. } => "modal export",
        Modal::Quit => "modal quit",
        Modal::Help => "modal help",
    };
    let modal_box = egui::Modal::new(Id::unique(id)).frame(egui::Frame::window(&style));
    let response = modal_box.show(ctx, |ui| {
        ui.set_width(460.0);
        match modal {
            Modal::Path { purpose, text, focused } => {
                path(ui, purpose, text, focused, dialogs, commands);
            }
            Modal::Quit => quit(ui, state, quitting, commands),
            Modal::Help => help(ui, state, commands),
        }
    });
    if response.should_close() && !quitting {
        commands.send(Command::CloseModal);
    }
}

fn path(
    ui: &mut egui::Ui,
    purpose: &Purpose,
    text: &mut String,
    focused: &mut bool,
    dialogs: &Dialogs,
    commands: &mut Commands,
) {
    let (title, hint, label, done) = match purpose {
        Purpose::Data => ("Open a data folder", "", "Folder", "Open"),
        Purpose::Open => (
            "Open an experiment",
            "A RON file: one you saved, or the spec.ron of any run's folder.",
            "File",
            "Open",
        ),
        Purpose::Save => (
            "Save this experiment",
            "A RON file; one that exists is replaced. `walkforge train --preset FILE` trains the same from a terminal.",
            "File",
            "Save",
        ),
        Purpose::Export(_) => (
            "Export trained models",
            "A folder for each task: TorchScript with the scaler inside, safetensors, and a manifest.",
            "Folder",
            "Export",
        ),
    };
    ui.heading(title);
    if let Purpose::Export(run) = purpose {
        ui.weak(format!("Run {run}"));
    }
    ui.add_space(space::XS);
    ui.label(RichText::new(hint).color(ui.palette().text_weak));
    ui.add_space(space::S);
    let mut submitted = false;
    ui.horizontal(|ui| {
        let name = ui.label(label);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let browse = widgets::button(ui, icons::FOLDER_OPEN, "Browse…", !dialogs.is_open());
            if browse.clicked() {
                commands.send(Command::Browse(purpose.clone()));
            }
            let field = egui::TextEdit::singleline(text).desired_width(f32::INFINITY);
            let field = ui.add(field).labelled_by(name.id);
            if !std::mem::replace(focused, true) {
                field.request_focus();
            }
            submitted = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        });
    });
    ui.add_space(space::M);
    buttons(ui, |ui| {
        let ready = !text.trim().is_empty();
        if (widgets::primary_button(ui, "", done, ready).clicked() || submitted) && ready {
            commands.send(Command::Chosen(purpose.clone(), PathBuf::from(text.trim())));
        }
        if ui.button("Close").clicked() {
            commands.send(Command::CloseModal);
        }
    });
}

fn quit(ui: &mut egui::Ui, state: &State, quitting: bool, commands: &mut Commands) {
    if quitting {
        ui.heading("Stopping…");
        ui.label("The window closes when everything is safe on disk.");
        return;
    }
    ui.heading("Stop and quit?");
    ui.add_space(space::XS);
    let count = |wanted: TaskState| {
        let open = state.runs.iter().filter(|run| !run.is_over());
        open.map(|run| run.count(wanted)).sum::<usize>()
    };
    let (finished, running) = (count(TaskState::Finished), count(TaskState::Running));
    let waiting = count(TaskState::Queued);
    let paused = match count(TaskState::Paused) {
        0 => String::new(),
        paused => format!(" Paused tasks are not kept either: {paused}."),
    };
    ui.label(format!(
        "Finished tasks stay on disk and can be exported: {finished}. Tasks at work are stopped within a batch and not kept: \
         {running}.{paused} Not begun: {waiting}. To train those, start the experiment again."
    ));
    if state.waiting > 0 {
        ui.label(format!(
            "{} experiments that wait or are being planned are dropped.",
            state.waiting
        ));
    }
    if state.exporting {
        ui.label("An export is being written; it stops after the model at work.");
    }
    ui.add_space(space::M);
    buttons(ui, |ui| {
        if widgets::primary_button(ui, icons::PLAY, "Stay and go on training", true).clicked() {
            commands.send(Command::CloseModal);
        }
        if widgets::button(ui, icons::STOP, "Stop and quit", true).clicked() {
            commands.send(Command::StopAndQuit);
        }
    });
}

fn help(ui: &mut egui::Ui, state: &State, commands: &mut Commands) {
    ui.heading("Walkforge");
    let libtorch = state.machine.inventory.as_ref().map(|found| found.libtorch.clone());
    let libtorch = libtorch.map_or_else(String::new, |version| format!(", libtorch {version}"));
    ui.weak(format!("Version {}{libtorch}", env!("CARGO_PKG_VERSION")));
    ui.weak(format!("Runs are written to {}", state.runs_folder.display()));
    ui.add_space(space::M);
    egui::Grid::new("shortcuts").num_columns(3).spacing([space::L, 6.0]).show(ui, |ui| {
        for action in Action::ALL {
            ui.monospace(ui.ctx().format_shortcut(&action.shortcut()));
            ui.strong(action.name().trim_end_matches('…'));
            ui.label(action.help());
            ui.end_row();
        }
    });
    ui.add_space(space::M);
    buttons(ui, |ui| {
        if ui.button("Close").clicked() {
            commands.send(Command::CloseModal);
        }
    });
}

/// The answers, from the right.
fn buttons(ui: &mut egui::Ui, add: impl FnOnce(&mut egui::Ui)) {
    let size = egui::vec2(ui.available_width(), ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, egui::Layout::right_to_left(egui::Align::Center), add);
}
