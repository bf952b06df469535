use egui::{Label, RichText, ScrollArea, Ui};

use super::buttons;
use crate::domain::RunId;
use crate::domain::text::{count, minute};
use crate::runs::RunEntry;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::State;
use crate::ui::theme::{ROW_HEIGHT, Themed, space};
use crate::ui::widgets;
use crate::workbench::ModelChange;

/// Asks whether runs may be deleted, and says what goes with them.
pub(super) fn runs(ui: &mut Ui, state: &State, runs: &[RunId], commands: &mut Commands) {
    let entries: Vec<&RunEntry> = runs.iter().filter_map(|run| state.results.entry(run)).collect();
    let title = match entries.len() {
        1 => "Delete this run?".to_owned(),
        several => format!("Delete {several} runs?"),
    };
    ui.heading(title);
    ui.add_space(space::XS);
    let height = ROW_HEIGHT * entries.len().min(6) as f32;
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show_rows(
        ui,
        ROW_HEIGHT - ui.spacing().item_spacing.y,
        entries.len(),
        |ui, shown| {
            for entry in &entries[shown] {
                let RunEntry { experiment, finished, tasks, .. } = entry;
                let started = minute(entry.created);
                let text =
                    format!("{experiment} · {started} · {finished} of {tasks} tasks finished");
                ui.add(Label::new(RichText::new(text).color(ui.palette().text_weak)).truncate());
            }
        },
    );
    ui.add_space(space::XS);
    let models: u64 = entries.iter().map(|entry| entry.finished).sum();
    let models = match models {
        0 => "Nothing has been trained to the end in them".to_owned(),
        1 => "1 trained model is lost".to_owned(),
        several => format!("{} trained models are lost", count(several)),
    };
    let text = format!(
        "{models}, and with that all curves, predictions, checkpoints, tags and notes. Models that were exported stay. There is no way back."
    );
    ui.add(Label::new(text).wrap());
    let named: Vec<String> =
        runs.iter().flat_map(|run| state.models.of_run(run)).map(ToString::to_string).collect();
    if !named.is_empty() {
        ui.add_space(space::S);
        let text = format!(
            "{} comes from here: remove that name in Models first, or leave its run out.",
            named.join(", ")
        );
        widgets::problem(ui, &text);
    }
    ui.add_space(space::M);
    buttons(ui, |ui| {
        let enabled = named.is_empty() && !entries.is_empty();
        let delete = match entries.len() {
            1 => "Delete the run".to_owned(),
            several => format!("Delete {several} runs"),
        };
        if widgets::button(ui, icons::TRASH, &delete, enabled).clicked() {
            commands.send(Command::Delete(runs.to_vec()));
        }
        if widgets::primary_button(ui, "", "Keep", true).clicked() {
            commands.send(Command::CloseModal);
        }
    });
}

/// Asks whether a model may lose its name.
pub(super) fn name(ui: &mut Ui, name: &str, version: u32, commands: &mut Commands) {
    ui.heading(format!("Remove {name}@{version} from the list?"));
    ui.add_space(space::XS);
    let text = "The name, its stage, tags and notes are lost. The trained model stays in its run.";
    ui.add(Label::new(text).wrap());
    ui.add_space(space::M);
    buttons(ui, |ui| {
        if widgets::button(ui, icons::TRASH, "Remove the name", true).clicked() {
            let change = ModelChange::Remove { name: name.to_owned(), version };
            commands.send(Command::ChangeModels(change));
        }
        if widgets::primary_button(ui, "", "Keep", true).clicked() {
            commands.send(Command::CloseModal);
        }
    });
}
