use std::path::PathBuf;

use egui::{ComboBox, RichText, Ui};

use super::buttons;
use crate::domain::TaskRole;
use crate::export::ExportWhat;
use crate::runs::TaskResult;
use crate::ui::commands::{Command, Commands, Purpose};
use crate::ui::dialogs::Dialogs;
use crate::ui::icons;
use crate::ui::state::{Detail, State};
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;

/// Asks for a path, and of an export which models it is for.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    purpose: &mut Purpose,
    (text, focused): (&mut String, &mut bool),
    dialogs: &Dialogs,
    commands: &mut Commands,
) {
    let (title, hint, label, done) = match purpose {
        Purpose::Data => (
            "Open a data folder",
            "One with a file for each symbol and timeframe, such as BTC_USDT-1h.feather.",
            "Folder",
            "Open",
        ),
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
        Purpose::Export(..) => (
            "Export trained models",
            "A folder for each model: TorchScript and ONNX with the scaler inside, safetensors, a manifest, and a script that scores.",
            "Folder",
            "Export",
        ),
        Purpose::Curves(_) => (
            "Export training curves",
            "A row for each epoch of each task: losses, watched metric, learning rate, gradient norm, seconds. The name ends with .csv or .parquet.",
            "File",
            "Export",
        ),
        Purpose::Picture => (
            "Export the training charts",
            "A PNG file of the charts as they stand in the window; one that exists is replaced.",
            "File",
            "Export",
        ),
    };
    ui.heading(title);
    if let Purpose::Export(run, _) | Purpose::Curves(run) = purpose {
        ui.weak(format!("Run {run}"));
    }
    ui.add_space(space::XS);
    ui.label(RichText::new(hint).color(ui.palette().text_weak));
    ui.add_space(space::S);
    let mut ready = !text.trim().is_empty();
    if let Purpose::Export(run, what) = purpose {
        if state.details.lacks(run) {
            commands.send(Command::Need(run.clone()));
        }
        ready &= which(ui, state.details.get(run), what);
        ui.add_space(space::S);
    }
    let mut submitted = false;
    ui.horizontal(|ui| {
        let name = ui.label(label);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let browse = widgets::button(ui, icons::FOLDER_OPEN, "Browse…", !dialogs.is_open());
            if browse.clicked() {
                commands.send(Command::Browse(purpose.clone()));
            }
            // Named, so that it keeps the focus when the choice of models above it has been read.
            let field = egui::TextEdit::singleline(text).id(egui::Id::unique("path_of_dialog"));
            let field = field.desired_width(f32::INFINITY);
            let field = ui.add(field).labelled_by(name.id);
            if !std::mem::replace(focused, true) {
                field.request_focus();
            }
            submitted = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        });
    });
    ui.add_space(space::M);
    buttons(ui, |ui| {
        if (widgets::primary_button(ui, "", done, ready).clicked() || submitted) && ready {
            commands.send(Command::Chosen(purpose.clone(), PathBuf::from(text.trim())));
        }
        if ui.button("Close").clicked() {
            commands.send(Command::CloseModal);
        }
    });
}

/// Which of a run's models are exported. Whether there are any of that kind.
fn which(ui: &mut Ui, detail: Option<&Detail>, what: &mut ExportWhat) -> bool {
    let detail = match detail {
        Some(Detail::Ready(detail)) => detail,
        Some(Detail::Failed(message)) => {
            widgets::problem(ui, message);
            return false;
        }
        Some(Detail::Loading) | None => {
            ui.weak("Reading which models there are…");
            return false;
        }
    };
    let finished: Vec<&TaskResult> = detail.finished().collect();
    let is_refit = |task: &&&TaskResult| task.task.role == TaskRole::Refit;
    let refits = finished.iter().filter(is_refit).count();
    let all = format!("All finished models ({})", finished.len());
    ui.radio_value(what, ExportWhat::All, all);
    ui.add_enabled_ui(refits > 0, |ui| {
        let text = if refits > 0 {
            format!("Refits on all rows only ({refits})")
        } else {
            "Refits on all rows only: this run has none".to_owned()
        };
        ui.radio_value(what, ExportWhat::Refit, text);
    });
    ui.horizontal(|ui| {
        let is_one = matches!(what, ExportWhat::Task(_));
        if ui
            .add_enabled(!finished.is_empty(), egui::RadioButton::new(is_one, "One model"))
            .clicked()
            && !is_one
            && let Some(first) = finished.first()
        {
            *what = ExportWhat::Task(first.task.id.clone());
        }
        if let ExportWhat::Task(chosen) = what {
            let combo = ComboBox::from_id_salt("export_task").selected_text(chosen.as_str());
            let combo = combo.width(ui.available_width()).truncate().show_ui(ui, |ui| {
                for task in &finished {
                    let id = &task.task.id;
                    ui.selectable_value(chosen, id.clone(), id.as_str());
                }
            });
            widgets::name(&combo.response, egui::Role::ComboBox, "Model to export");
        }
    });
    match what {
        ExportWhat::All => !finished.is_empty(),
        ExportWhat::Refit => refits > 0,
        ExportWhat::Task(id) => finished.iter().any(|task| task.task.id == *id),
    }
}
