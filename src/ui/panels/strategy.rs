mod label;
mod loss;
mod model;
mod optimizer;
mod resources;
mod sweep;
mod training;
mod validation;

use egui::{ComboBox, DragValue, Label, RichText, ScrollArea, Ui};
use serde::{Deserialize, Serialize};

use super::data::send_if_changed;
use super::features;
use crate::spec::{ExperimentSpec, PRESETS};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::State;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets::{self, Form};

/// Everything but the data: features, label, validation, model, training, costs, resources.
#[derive(Debug)]
pub(in crate::ui) struct StrategyPanel {
    pub(in crate::ui) view: StrategyView,
    more: training::More,
    sweep: sweep::SweepEditor,
}

/// How the form is shown; survives a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct StrategyView {
    /// The training's less usual fields are shown.
    more_training: bool,
}

impl StrategyPanel {
    pub(in crate::ui) fn new(view: StrategyView) -> Self {
        Self { view, more: training::More::default(), sweep: sweep::SweepEditor::default() }
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let draft = &state.draft;
        let mut spec = draft.spec().clone();
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let form = Form::new(draft);
            preset(ui, form, &spec, commands);
            identity(ui, form, &mut spec);
            features::show(ui, form, &mut spec);
            label::scaling(ui, form, &mut spec.scaling);
            label::show(ui, form, &mut spec);
            validation::show(ui, form, &mut spec);
            let window = spec.window;
            model::show(ui, form, &mut spec.model, window);
            let open = &mut self.view.more_training;
            training::show(ui, form, &mut spec, (open, &mut self.more), state);
            costs(ui, form, &mut spec);
            resources::show(ui, form, &mut spec.resources, state);
            self.sweep.show(ui, form, &mut spec);
            command(ui, commands);
            ui.add_space(space::L);
        });
        send_if_changed(draft, spec, commands);
    }
}

fn preset(ui: &mut Ui, form: Form<'_>, spec: &ExperimentSpec, commands: &mut Commands) {
    form.row(
        ui,
        "Preset",
        "preset",
        "Begin anew from an experiment that comes with the program",
        |ui| {
            let known = PRESETS.iter().find(|preset| preset.name == spec.name);
            let shown = known.map_or("your own", |preset| preset.name);
            let combo = ComboBox::from_id_salt("preset").selected_text(shown);
            combo.width(ui.available_width()).truncate().show_ui(ui, |ui| {
                for preset in PRESETS {
                    if ui.selectable_label(preset.name == spec.name, preset.name).clicked() {
                        commands.send(Command::UsePreset(preset.name));
                    }
                }
            });
        },
    );
    if !spec.notes.is_empty() {
        let notes = RichText::new(&spec.notes).small().color(ui.palette().text_weak);
        ui.add(Label::new(notes).wrap());
    }
}

fn identity(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    form.row(ui, "Name", "name", "Part of the run's name and folder", |ui| {
        ui.add(egui::TextEdit::singleline(&mut spec.name).desired_width(f32::INFINITY));
    });
    let help = "Every random choice follows from it: initial weights, batch order, dropout";
    form.row(ui, "Seed", "seed", help, |ui| {
        widgets::number(ui, DragValue::new(&mut spec.seed).speed(0.1));
    });
}

/// The same from a terminal.
fn command(ui: &mut Ui, commands: &mut Commands) {
    ui.add_space(space::S);
    let copy = widgets::button(ui, icons::TERMINAL_WINDOW, "Copy as command line", true);
    let help = "`walkforge train …` with everything set here, sweep included, for a terminal";
    if copy.on_hover_text(help).clicked() {
        commands.send(Command::CopyCommandLine);
    }
}

fn costs(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    widgets::section(ui, "Trading costs");
    let help = "Exchange or broker fee on every change of position, in basis points (1/10 000)";
    form.real(ui, "Fee", "costs.fee_bps", ("bp", help), &mut spec.costs.fee_bps);
    let help = "Half of the bid-ask spread, in basis points of the price";
    let value = &mut spec.costs.half_spread_bps;
    form.real(ui, "Half-spread", "costs.half_spread_bps", ("bp", help), value);
}
