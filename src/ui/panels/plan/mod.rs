//! What the experiment on the bench would do: tasks, memory, device, and the folds on a time axis.

mod cards;
mod digest;
mod memory;
mod variants;
mod warnings;

use egui::{Align, ComboBox, Layout, RichText, ScrollArea, Ui};
use std::borrow::Cow;

use self::digest::{Digest, plural};
use self::warnings::Warnings;
use crate::domain::text::{count, minute};
use crate::domain::{Plan, SeriesPlan};
use crate::spec::ValidationSpec;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::layout::PanelKind;
use crate::ui::plots::folds::{self, FOLD_ROW, FoldChart};
use crate::ui::state::{Level, Source, State};
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets::{self, Align as CellAlign, Cell, Column, Fitted, Messages, column};

/// Rows of folds shown at least, where there are as many.
const LEAST_FOLDS: f32 = 7.0;
/// What stands above and below the folds, in points: on a higher panel the folds get the rest.
const AROUND_FOLDS: f32 = 396.0;

/// What the experiment would do.
#[derive(Debug, Default)]
pub(in crate::ui) struct PlanPanel {
    /// Of the plan in view, or of the last one there was.
    digest: Option<Digest>,
    /// The series whose folds are shown, by its name: it stays chosen when the plan changes.
    series: Option<String>,
    warnings: Warnings,
    /// All decisions are listed, and all recommendations.
    found: (bool, bool),
}

impl PlanPanel {
    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let Some(plan) = &state.preview.plan else {
            ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| nothing(ui, state, self.digest.as_ref()));
            return;
        };
        let variants = state.preview.variants.as_ref();
        if self.digest.as_ref().is_none_or(|digest| !digest.is_of(plan, variants)) {
            self.digest = Some(Digest::new(plan, variants));
        }
        let Some(digest) = &self.digest else { return };
        let room = ui.available_height() - memory::height(&state.machine);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            head(ui, state, plan, &mut self.warnings, commands);
            cards::show(ui, digest, &state.machine, state.draft.spec().sweep.len());
            let fraction = state.draft.spec().resources.memory_fraction;
            memory::show(ui, digest, &state.machine, fraction);
            if let Some(sweep) = &digest.sweep {
                variants::show(ui, sweep);
            }
            found(ui, plan, &mut self.found);
            folds(ui, state, digest, &mut self.series, room);
            series_table(ui, &plan.series);
            self.warnings.show(ui, &plan.warnings);
        });
    }
}

/// Why there is no plan, and what makes one.
fn nothing(ui: &mut Ui, state: &State, last: Option<&Digest>) {
    if let Some(error) = &state.preview.error {
        widgets::problem(ui, error);
        ui.add_space(space::S);
        let palette = ui.palette();
        let hint = |ui: &mut Ui, text: String| {
            ui.add(egui::Label::new(RichText::new(text).color(palette.text_weak)).wrap());
        };
        hint(ui, "The plan appears here as soon as the experiment can be planned.".to_owned());
        if let Some(last) = last {
            let tasks = plural(last.plan.tasks.len(), "task", "tasks");
            let (name, shape) = (&last.plan.experiment, &last.shape);
            hint(ui, format!("The last plan that could be made: {name}, {tasks} ({shape})."));
        }
        return;
    }
    let issues = !state.draft.issues().is_empty();
    match (&state.source, state.start_waits_for()) {
        (Source::Failed { .. }, _) => {
            let next = "The data folder cannot be read; Data says why. The plan appears here once this is mended.";
            widgets::empty_state(ui, icons::CALENDAR_BLANK, "The plan waits", next);
        }
        (Source::Scanning { .. }, Some(waits)) if !issues => {
            let next = format!("The plan follows: {waits}.");
            widgets::empty_state(ui, icons::HOURGLASS_MEDIUM, "Reading the folder…", &next);
        }
        (_, Some(waits)) => {
            let next = format!("{waits}. The plan appears here once this is mended.");
            widgets::empty_state(ui, icons::CALENDAR_BLANK, "The plan waits", &next);
        }
        (_, None) => {
            let next = "Bars are read and time is cut into folds.";
            widgets::empty_state(ui, icons::HOURGLASS_MEDIUM, "Planning…", next);
        }
    }
}

/// Of a fixed height, so that nothing moves while the plan is made anew.
fn head(ui: &mut Ui, state: &State, plan: &Plan, warnings: &mut Warnings, commands: &mut Commands) {
    ui.horizontal(|ui| {
        let palette = ui.palette();
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let checks = widgets::button(ui, icons::SHIELD_CHECK, "Checks", true);
            let help = "Check for leaks before you start, and look at features and labels";
            if checks.on_hover_text(help).clicked() {
                commands.send(Command::ShowPanel(PanelKind::Checks));
            }
            warnings.hint(ui, &plan.warnings);
            if state.preview.pending {
                let text = format!("{}  updating…", icons::HOURGLASS_MEDIUM);
                let label = ui.label(RichText::new(text).small().color(palette.text_weak));
                widgets::name(&label, egui::Role::Label, "The plan is being updated");
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let title = RichText::new("What Start will do").family(strong_family());
                ui.label(title);
                let sweep = state.draft.spec().sweep.len();
                let name = match sweep {
                    1 => plan.experiment.clone(),
                    runs => format!("{}, {runs} runs", plan.experiment),
                };
                let name = RichText::new(name).color(palette.text_weak);
                ui.add(egui::Label::new(name).truncate());
            });
        });
    });
}

/// What was found out by trying, and what could be had for free.
fn found(ui: &mut Ui, plan: &Plan, (decisions, recommendations): &mut (bool, bool)) {
    let of = |texts: &[String], index: usize| {
        texts.get(index).cloned().map_or(Cow::default(), Cow::from)
    };
    let list = &plan.decisions;
    let text = |index: usize| of(list, index);
    let level = Level::Success;
    Messages { title: "Decided by trying", icon: None, level, count: list.len(), text }
        .show(ui, decisions);
    let list = &plan.recommendations;
    let text = |index: usize| of(list, index);
    let icon = Some(icons::LIGHTBULB);
    let level = Level::Info;
    Messages { title: "Recommended", icon, level, count: list.len(), text }
        .show(ui, recommendations);
}

fn folds(ui: &mut Ui, state: &State, digest: &Digest, chosen: &mut Option<String>, room: f32) {
    let wanted = |name: &str| chosen.as_deref() == Some(name);
    let found = digest.series.iter().position(|series| wanted(&series.name));
    let Some(series) = digest.series.get(found.unwrap_or(0)) else { return };
    ui.add_space(space::XS);
    ui.horizontal_wrapped(|ui| {
        let title = if digest.sweep.is_some() { "Folds of the first variant" } else { "Folds" };
        ui.label(RichText::new(title).family(strong_family()));
        if digest.series.len() > 1 {
            let label = ui.label(RichText::new("Series").color(ui.palette().text_weak));
            // A list that has grown would keep the height it had when it was first opened.
            let combo = ComboBox::from_id_salt(("series", digest.series.len()));
            let combo = combo.selected_text(series.name.as_str());
            let response = combo.width(150.0).truncate().show_ui(ui, |ui| {
                for other in &digest.series {
                    let is_shown = other.name == series.name;
                    if ui.selectable_label(is_shown, other.name.as_str()).clicked() {
                        *chosen = Some(other.name.clone());
                    }
                }
            });
            response.response.labelled_by(label.id);
        } else {
            ui.label(RichText::new(series.name.as_str()).color(ui.palette().text_weak));
        }
        ui.add_space(space::S);
        folds::legend(ui);
    });
    let spec = state.draft.spec();
    // The spans say when, not how they were asked for: only while the plan is the draft's own is that known.
    let is_current = !state.preview.pending;
    let lengths = if is_current { lengths(&spec.validation) } else { Vec::new() };
    FoldChart {
        plan: &digest.plan.tasks,
        rows: &series.tasks,
        lengths: &lengths,
        height: ((room - AROUND_FOLDS) / FOLD_ROW).floor().max(LEAST_FOLDS) * FOLD_ROW,
    }
    .show(ui);
}

/// How long train, validation and test were to be, where the scheme says it.
fn lengths(validation: &ValidationSpec) -> Vec<String> {
    match validation {
        ValidationSpec::WalkForward { anchored, train, validation, test, .. } => {
            let train = if *anchored { format!("{train} or more") } else { train.to_string() };
            vec![train, validation.to_string(), test.to_string()]
        }
        ValidationSpec::PurgedKFold { .. } | ValidationSpec::HoldOut { .. } => Vec::new(),
    }
}

const SERIES_COLUMNS: [Column; 5] = [
    column("Symbol", "The instrument", 120.0, CellAlign::Left),
    column("Timeframe", "Length of a bar", 80.0, CellAlign::Left),
    column("Bars", "Bars read", 80.0, CellAlign::Right),
    column("First bar (UTC)", "When the first bar opens", 140.0, CellAlign::Right),
    column("Last bar (UTC)", "When the last bar opens", 140.0, CellAlign::Right),
];

fn series_table(ui: &mut Ui, series: &[SeriesPlan]) {
    widgets::section(ui, "Data");
    let table = Fitted { id: "plan_series", columns: &SERIES_COLUMNS, rows: series.len(), most: 8 };
    table.show(ui, |_, row| {
        let Some(series) = series.get(row) else { return Vec::new() };
        vec![
            Cell::new(series.symbol.to_string()),
            Cell::new(series.timeframe.to_string()),
            Cell::new(count(series.bars)),
            Cell::new(minute(series.first_open)),
            Cell::new(minute(series.last_open)),
        ]
    });
}
