use std::collections::BTreeSet;

use egui::{Align, Layout, Ui};

use crate::domain::RunId;
use crate::export::ExportWhat;
use crate::runs::RunEntry;
use crate::ui::commands::{Command, Commands, Noted};
use crate::ui::icons;
use crate::ui::state::{Standing, State};
use crate::ui::widgets;

/// What can be done with the chosen runs. What cannot says why.
pub(super) fn show(ui: &mut Ui, state: &State, chosen: &[&RunEntry], commands: &mut Commands) {
    // Found out once a frame: there may be ten thousand.
    let known = Known {
        standings: state.standings(chosen.iter().copied()),
        going: state.deleting.iter().flatten().collect(),
    };
    ui.horizontal(|ui| {
        results(ui, chosen, commands);
        resume(ui, state, (chosen, &known), commands);
        compare(ui, chosen, commands);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            delete(ui, (chosen, &known), commands);
            for_one(ui, state, chosen, commands);
        });
    });
}

/// How the chosen runs stand.
struct Known<'a> {
    /// In the order of the runs.
    standings: Vec<Standing>,
    /// Runs, chosen or not, that are being deleted.
    going: BTreeSet<&'a RunId>,
}

fn results(ui: &mut Ui, chosen: &[&RunEntry], commands: &mut Commands) {
    let only = only(chosen);
    let button = widgets::button(ui, icons::CHART_BAR, "Results", only.is_some());
    let button = button.on_disabled_hover_text("Select one run.");
    widgets::name(&button, egui::Role::Button, "Results of the selected run");
    if let (true, Some(entry)) = (button.clicked(), only) {
        commands.send(Command::LookAt(entry.id.clone()));
    }
}

fn resume(
    ui: &mut Ui,
    state: &State,
    (chosen, known): (&[&RunEntry], &Known<'_>),
    commands: &mut Commands,
) {
    let can = |(entry, standing): &(&&RunEntry, &Standing)| {
        standing.can_resume()
            && !state.resuming.contains(&entry.id)
            && !known.going.contains(&entry.id)
    };
    let resumable = || chosen.iter().zip(&known.standings).filter(can);
    let button = widgets::button(ui, icons::PLAY, "Resume", resumable().next().is_some());
    let button = button
        .on_hover_text("Finished tasks are kept, the others go on from their checkpoints or begin")
        .on_disabled_hover_text("Select a run that was interrupted or cancelled, or that failed.");
    widgets::name(&button, egui::Role::Button, "Resume the selected runs");
    if button.clicked() {
        let runs: Vec<RunId> = resumable().map(|(entry, _)| entry.id.clone()).collect();
        commands.send(Command::TakeUp(runs));
    }
}

fn compare(ui: &mut Ui, chosen: &[&RunEntry], commands: &mut Commands) {
    let sweep = only(chosen).and_then(|entry| entry.sweep.as_ref());
    let text = if sweep.is_some() { "Compare its sweep" } else { "Compare" };
    let enabled = chosen.len() > 1 || sweep.is_some();
    let button = widgets::button(ui, icons::SCALES, text, enabled);
    let button = button.on_disabled_hover_text("Select at least two runs, or one run of a sweep.");
    let name = if sweep.is_some() { text } else { "Compare the selected runs" };
    widgets::name(&button, egui::Role::Button, name);
    if button.clicked() {
        commands.send(match sweep {
            Some(member) => Command::CompareSweep(member.sweep.clone()),
            // Oldest first.
            None => Command::Compare(chosen.iter().rev().map(|entry| entry.id.clone()).collect()),
        });
    }
}

/// What is done with one run at a time.
fn for_one(ui: &mut Ui, state: &State, chosen: &[&RunEntry], commands: &mut Commands) {
    let only = only(chosen);
    let trained = only.filter(|entry| entry.finished > 0);
    let none_trained = "Select one run that has finished a task.";
    let exportable = trained.filter(|_| !state.exporting);
    let why_not = if state.exporting { "An export is at work." } else { none_trained };
    let export = widgets::icon_action(
        ui,
        icons::EXPORT,
        "Export models of the selected run",
        exportable.is_some(),
    );
    if let (true, Some(entry)) = (export.on_disabled_hover_text(why_not).clicked(), exportable) {
        commands.send(Command::AskToExport(entry.id.clone(), ExportWhat::All));
    }
    let name =
        widgets::icon_action(ui, icons::TAG, "Name a model of the selected run", trained.is_some());
    if let (true, Some(entry)) = (name.on_disabled_hover_text(none_trained).clicked(), trained) {
        commands.send(Command::AskForName(entry.id.clone(), None));
    }
    let notes = widgets::icon_action(
        ui,
        icons::NOTE_PENCIL,
        "Tags and notes of the selected run",
        only.is_some(),
    );
    let notes = notes.on_disabled_hover_text("Select one run.");
    if let (true, Some(entry)) = (notes.clicked(), only) {
        commands.send(Command::EditNotes(Noted::Run(entry.id.clone())));
    }
}

fn delete(ui: &mut Ui, (chosen, known): (&[&RunEntry], &Known<'_>), commands: &mut Commands) {
    let is_elsewhere = known.standings.contains(&Standing::Elsewhere);
    let is_alive = known.standings.iter().any(|standing| standing.is_alive());
    let is_going = chosen.iter().any(|entry| known.going.contains(&entry.id));
    let enabled = !chosen.is_empty() && !is_alive && !is_going;
    let why_not = match (chosen.is_empty(), is_elsewhere) {
        (true, _) => "Select the runs to delete.",
        _ if is_going => "A selected run is being deleted.",
        (_, true) => {
            "Another program works on a selected run: it can be deleted once it has ended."
        }
        _ => "A selected run is still running: cancel it first.",
    };
    let button = widgets::icon_action(ui, icons::TRASH, "Delete the selected runs…", enabled);
    if button.on_disabled_hover_text(why_not).clicked() {
        let runs = chosen.iter().map(|entry| entry.id.clone()).collect();
        commands.send(Command::AskToDelete(runs));
    }
}

fn only<'a>(chosen: &[&'a RunEntry]) -> Option<&'a RunEntry> {
    match chosen {
        [only] => Some(only),
        _ => None,
    }
}
