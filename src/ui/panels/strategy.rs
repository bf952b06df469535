mod label;
mod model;
mod validation;

use egui::{ComboBox, DragValue, Label, RichText, ScrollArea, Ui};

use super::data::send_if_changed;
use super::features;
use crate::domain::Device;
use crate::spec::{DeviceChoice, ExperimentSpec, PRESETS};
use crate::ui::commands::{Command, Commands};
use crate::ui::state::State;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets::{self, Form};

/// Everything but the data: features, label, validation, model, training, costs, resources.
#[derive(Debug)]
pub(in crate::ui) struct StrategyPanel;

impl StrategyPanel {
    pub(in crate::ui) fn show(ui: &mut Ui, state: &State, commands: &mut Commands) {
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
            model::show(ui, form, &mut spec.model);
            training(ui, form, &mut spec);
            costs(ui, form, &mut spec);
            resources(ui, form, &mut spec, state);
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

fn training(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    widgets::section(ui, "Training (AdamW)");
    let training = &mut spec.training;
    let help = "Passes over the train rows at most";
    form.integer(ui, "Max epochs", "training.max_epochs", ("", help), &mut training.max_epochs);
    let help = "Samples in a step";
    form.integer(ui, "Batch size", "training.batch_size", ("", help), &mut training.batch_size);
    let value = &mut training.learning_rate;
    form.real(ui, "Learning rate", "training.learning_rate", ("", "Step size"), value);
    let (help, value) = ("Decoupled weight decay", &mut training.weight_decay);
    form.real(ui, "Weight decay", "training.weight_decay", ("", help), value);
    form.optional_real(
        ui,
        "Gradient clip",
        "training.gradient_clip_val",
        ("", "Largest norm of the gradient; longer ones are shortened to it", "no limit"),
        1.0,
        &mut training.gradient_clip_val,
    );
    form.optional_integer(
        ui,
        "Patience",
        "training.patience",
        (
            "epochs",
            "Epochs without a better validation loss before training stops",
            "never stops early",
        ),
        4,
        &mut training.patience,
    );
    let help = "How much better the validation loss must be to count";
    form.real(ui, "Min delta", "training.min_delta", ("", help), &mut training.min_delta);
}

fn costs(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    widgets::section(ui, "Trading costs");
    let help = "Exchange or broker fee on every change of position, in basis points (1/10 000)";
    form.real(ui, "Fee", "costs.fee_bps", ("bp", help), &mut spec.costs.fee_bps);
    let help = "Half of the bid-ask spread, in basis points of the price";
    let value = &mut spec.costs.half_spread_bps;
    form.real(ui, "Half-spread", "costs.half_spread_bps", ("bp", help), value);
}

fn resources(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec, state: &State) {
    widgets::section(ui, "Resources");
    let resources = &mut spec.resources;
    let mut options = vec![
        (DeviceChoice::Auto, "auto: GPU if there is one".to_owned()),
        (DeviceChoice::Only(Device::Cpu), "cpu".to_owned()),
    ];
    if let Some(inventory) = &state.machine.inventory {
        let name = |card: &crate::devices::CudaInfo| card.reading.name.clone().unwrap_or_default();
        let cards = inventory.cuda.iter().map(|card| {
            (DeviceChoice::Only(card.device), format!("{} {}", card.device, name(card)))
        });
        options.extend(cards);
        if inventory.mps.available {
            options.push((DeviceChoice::Only(Device::Mps), "mps (Apple GPU)".to_owned()));
        }
    }
    if !options.iter().any(|(choice, _)| *choice == resources.device) {
        options.push((resources.device, resources.device.to_string()));
    }
    let help = "Where to compute; results on another kind of device differ in the last digits";
    form.choice(ui, "Device", "resources.device", help, &options, &mut resources.device);
    form.optional_integer(
        ui,
        "Workers",
        "resources.workers",
        ("", "Tasks that train at the same time; never changes a result", "what the cores allow"),
        2,
        &mut resources.workers,
    );
    let help = "Threads within a task; part of the result, sums are split by it";
    let value = &mut resources.threads_per_task;
    form.integer(ui, "Threads per task", "resources.threads_per_task", ("", help), value);
}
