mod label;
mod loss;
mod model;
mod optimizer;
mod origin;
mod resources;
mod sweep;
mod training;
mod validation;

use std::cell::RefCell;

use egui::{DragValue, ScrollArea, Ui};
use serde::{Deserialize, Serialize};

use super::data::send_if_changed;
use super::features;
use crate::spec::{Difference, ExperimentSpec};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::State;
use crate::ui::theme::space;
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
    /// What was changed since the experiment began is listed.
    differences: bool,
}

impl StrategyPanel {
    pub(in crate::ui) fn new(view: StrategyView) -> Self {
        Self { view, more: training::More::default(), sweep: sweep::SweepEditor::default() }
    }

    /// What was being typed belongs to an experiment that has left the bench.
    pub(in crate::ui) fn forget_typing(&mut self) {
        self.sweep = sweep::SweepEditor::default();
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let draft = &state.draft;
        let mut spec = draft.spec().clone();
        let undone: RefCell<Vec<Difference>> = RefCell::default();
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let form = Form::with_undo(draft, &undone);
            let open = &mut self.view.differences;
            origin::show(ui, form, draft, (open, &undone), commands);
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
        let undone = undone.into_inner();
        if undone.is_empty() {
            send_if_changed(draft, spec, commands);
        } else {
            commands.edit(draft.with_spec(spec).without(&undone));
        }
    }
}

fn identity(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    form.of("name").show(ui, |ui| {
        ui.add(egui::TextEdit::singleline(&mut spec.name).desired_width(f32::INFINITY));
    });
    form.of("seed").show(ui, |ui| {
        widgets::number(ui, DragValue::new(&mut spec.seed).speed(0.1));
    });
}

/// The same from a terminal, and as a file.
fn command(ui: &mut Ui, commands: &mut Commands) {
    ui.add_space(space::S);
    ui.horizontal_wrapped(|ui| {
        let copy = widgets::button(ui, icons::TERMINAL_WINDOW, "Copy as command line", true);
        let help = "`walkforge train …` with everything set here, sweep included, for a terminal";
        if copy.on_hover_text(help).clicked() {
            commands.send(Command::CopyCommandLine);
        }
        let show = widgets::button(ui, icons::NOTE_PENCIL, "Show as RON", true);
        let help = "The whole experiment as the text that Save writes into a file";
        if show.on_hover_text(help).clicked() {
            commands.send(Command::ShowRon);
        }
    });
}

fn costs(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    widgets::section(ui, "Trading costs");
    form.of("costs.fee_bps").real(ui, &mut spec.costs.fee_bps);
    form.of("costs.half_spread_bps").real(ui, &mut spec.costs.half_spread_bps);
}
