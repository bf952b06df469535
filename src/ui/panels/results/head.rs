use egui::{Align, ComboBox, Layout, RichText, Ui};

use super::View;
use crate::domain::text::minute;
use crate::domain::{Determinism, RunId};
use crate::runs::RunEntry;
use crate::ui::actions::Action;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::layout::PanelKind;
use crate::ui::state::{RunView, Standing, State};
use crate::ui::theme::Themed;
use crate::ui::widgets;

/// The list of runs is not drawn wider.
const MOST_WIDTH: f32 = 380.0;

/// Stored runs that the list names; the panel of all runs has the others.
const MOST: usize = 40;

/// Which run is shown, how it stands, and its models' way out. `live` names the run of this session to show while it trains.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    view: View<'_>,
    live: &mut Option<RunId>,
    commands: &mut Commands,
) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            export(ui, state, view, commands);
            name_model(ui, view, commands);
            if let Some(status) = status(state, view) {
                let (icon, color) = widgets::standing(status, ui.palette());
                ui.label(RichText::new(format!("{icon}  {}", status.word())).color(color));
            }
            widgets::determinism(ui, &determinism(view));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let label = ui.label(RichText::new("Run").color(ui.palette().text_weak));
                let chosen = chosen(state, view);
                // A list that has grown would keep the height it had when it was first opened.
                let entries = state.results.stored.len() + state.runs.len();
                let combo = ComboBox::from_id_salt(("results_run", entries)).truncate();
                let combo = combo.width(ui.available_width().min(MOST_WIDTH));
                let combo = combo.selected_text(chosen.unwrap_or("Choose a run".to_owned()));
                let combo = combo.show_ui(ui, |ui| list(ui, state, view, live, commands));
                combo.response.labelled_by(label.id);
            });
        });
    });
}

/// The runs that train, then those on disk, newest first.
fn list(
    ui: &mut Ui,
    state: &State,
    view: View<'_>,
    live: &mut Option<RunId>,
    commands: &mut Commands,
) {
    let training = || state.runs.iter().rev().filter(|run| !run.is_over());
    let shown = view.run();
    for run in training() {
        let word = if run.is_paused() { "paused" } else { "running" };
        let text = format!("{} · {word}", live_name(run));
        let label = ui.selectable_label(shown == Some(&run.id), text);
        if label.on_hover_text(run.id.as_str()).clicked() {
            *live = Some(run.id.clone());
        }
    }
    let stored = &state.results.stored;
    for entry in stored.iter().take(MOST) {
        if training().any(|run| run.id == entry.id) {
            continue;
        }
        let label = ui.selectable_label(shown == Some(&entry.id), entry_name(entry));
        if label.on_hover_text(entry.id.as_str()).clicked() {
            *live = None;
            commands.send(Command::LookAt(entry.id.clone()));
        }
    }
    if stored.len() > MOST {
        let more = format!("{} more in Runs", stored.len() - MOST);
        if ui.selectable_label(false, more).clicked() {
            commands.send(Command::ShowPanel(PanelKind::Runs));
        }
    }
}

fn export(ui: &mut Ui, state: &State, view: View<'_>, commands: &mut Commands) {
    let has_model = match view {
        View::Stored(results, is_wanted) => {
            is_wanted && results.tasks.iter().any(|task| task.report.is_some())
        }
        _ => false,
    };
    let action = Action::Export;
    let enabled = has_model && !state.exporting;
    let button = widgets::button(ui, action.icon(), action.name(), enabled);
    let why_not = if state.exporting {
        "An export is at work."
    } else {
        "There is no finished model in view: models can be exported once their run has ended."
    };
    let button = button.on_hover_text(action.tooltip(ui.ctx()));
    if button.on_disabled_hover_text(why_not).clicked() {
        commands.send(Command::Do(action));
    }
}

/// The way of a finished model into the list of named ones.
fn name_model(ui: &mut Ui, view: View<'_>, commands: &mut Commands) {
    let View::Stored(results, true) = view else { return };
    if results.tasks.iter().all(|task| task.report.is_none()) {
        return;
    }
    let button = widgets::icon_button(ui, icons::TAG, "Name a model…");
    if button
        .on_hover_text("Give one of this run's models a name, to find and compare it in Models")
        .clicked()
    {
        commands.send(Command::AskForName(results.run.clone(), None));
    }
}

/// The run in view, in a few words.
fn chosen(state: &State, view: View<'_>) -> Option<String> {
    if let View::Live(run) = view {
        return Some(live_name(run));
    }
    let id = view.run().or(state.results.wanted.as_ref())?;
    let entry = state.results.stored.iter().find(|entry| entry.id == *id);
    Some(entry.map_or_else(|| id.to_string(), short_name))
}

fn live_name(run: &RunView) -> String {
    let started = minute(run.planned_at);
    format!("{} · {started} · {}/{}", run.plan.experiment, run.ended(), run.tasks.len())
}

fn short_name(entry: &RunEntry) -> String {
    let started = minute(entry.created);
    format!("{} · {started} · {}/{}", entry.experiment, entry.finished, entry.tasks)
}

fn entry_name(entry: &RunEntry) -> String {
    let RunEntry { experiment, finished, tasks, .. } = entry;
    let started = minute(entry.created);
    format!("{experiment} · {started} · {} · {finished}/{tasks}", entry.status.word())
}

fn status(state: &State, view: View<'_>) -> Option<Standing> {
    match view {
        View::Live(run) if run.is_paused() => Some(Standing::Paused),
        View::Live(_) => Some(Standing::Running),
        _ => {
            let wanted = state.results.wanted.as_ref()?;
            state.results.entry(wanted).map(|entry| state.standing(entry))
        }
    }
}

/// How repeatable what has finished of the run in view is.
fn determinism(view: View<'_>) -> Determinism {
    match view {
        View::Live(run) => run.determinism(),
        View::Stored(results, _) => {
            let reports = results.tasks.iter().filter_map(|task| task.report.as_ref());
            Determinism::of_all(reports.map(|report| &report.determinism))
        }
        View::Nothing | View::Loading | View::Problem(_) => Determinism::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ContentHash, Device};

    #[test]
    fn a_run_on_disk_says_what_when_and_how_far() {
        let entry = RunEntry {
            id: RunId::new("20261122-071500-mlp-return-beef"),
            experiment: "mlp-return".to_owned(),
            created: "2026-11-22T07:15:40Z".parse().unwrap(),
            status: crate::runs::RunStatus::Cancelled,
            tasks: 34,
            finished: 30,
            failed: 0,
            spec: ContentHash::of(b"spec"),
            ended: None,
            device: Device::Cpu,
            sweep: None,
            score: None,
            tags: Vec::new(),
            notes: String::new(),
            path: std::path::PathBuf::new(),
        };
        assert_eq!(entry_name(&entry), "mlp-return · 2026-11-22 07:15 · cancelled · 30/34");
        assert_eq!(short_name(&entry), "mlp-return · 2026-11-22 07:15 · 30/34");
    }
}
