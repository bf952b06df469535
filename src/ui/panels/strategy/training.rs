use std::sync::LazyLock;

use egui::{DragValue, RichText, Ui};

use super::{loss, optimizer};
use crate::devices::precision_refusal;
use crate::domain::Device;
use crate::spec::{
    DEFAULT_PRESET, DeviceChoice, ExperimentSpec, OptimizerSpec, PRESETS, Precision, TrainingSpec,
    ValidationSpec, load,
};
use crate::ui::icons;
use crate::ui::state::State;
use crate::ui::theme::Themed;
use crate::ui::widgets::{self, Form};

/// Fields that stand under "More", by their paths.
const MORE_FIELDS: [&str; 15] = [
    "training.weight_decay",
    "training.gradient_clip_val",
    "training.accumulate_grad_batches",
    "training.optimizer.betas[0]",
    "training.optimizer.betas[1]",
    "training.loss",
    "training.loss.delta",
    "training.max_steps",
    "training.max_minutes",
    "training.monitor",
    "training.min_delta",
    "training.precision",
    "training.warm_start",
    "training.refit",
    "training.find_batch_size",
];

/// What there was to see under "More" in the last frame: something new opens it, and whoever closes it then is left alone.
#[derive(Debug, Default)]
pub(super) struct More {
    seen: Vec<&'static str>,
}

impl More {
    fn opens(&mut self, now: Vec<&'static str>) -> bool {
        let is_new = now.iter().any(|name| !self.seen.contains(name));
        self.seen = now;
        is_new
    }
}

/// How the model learns: what everybody sets, and the rest on demand.
pub(super) fn show(
    ui: &mut Ui,
    form: Form<'_>,
    spec: &mut ExperimentSpec,
    (open, more): (&mut bool, &mut More),
    state: &State,
) {
    widgets::section(ui, "Training");
    let training = &mut spec.training;
    optimizer::show(ui, form, &mut training.optimizer);
    form.of("training.learning_rate").real(ui, &mut training.learning_rate);
    optimizer::schedule(ui, form, training);
    form.of("training.batch_size").integer(ui, &mut training.batch_size);
    form.of("training.max_epochs").integer(ui, &mut training.max_epochs);
    let watched = training.monitor.name();
    let help = format!("Epochs without a better validation {watched} before training stops");
    let row = form.of("training.patience").help(&help);
    row.optional_integer(ui, ("never stops early", 4), &mut training.patience);
    // Another name makes no other experiment of it.
    let changed = changed(training, usual(state.draft.origin().name()));
    let wrong = MORE_FIELDS.into_iter().filter(|field| form.is_wrong(field));
    let wrong: Vec<&'static str> = wrong.collect();
    let notes = changed.iter().copied().chain(wrong.iter().copied()).collect();
    *open |= more.opens(notes);
    head(ui, open, &changed, wrong.len());
    if *open {
        fields(ui, form, spec, state);
    }
}

/// Opens and closes the rest, and says what hides in it.
fn head(ui: &mut Ui, open: &mut bool, changed: &[&str], wrong: usize) {
    ui.horizontal(|ui| {
        let palette = ui.palette();
        let icon = if *open { icons::CARET_DOWN } else { icons::CARET_RIGHT };
        let button = egui::Button::new(format!("{icon}  More")).frame(false);
        let button = ui.add(button);
        widgets::name(&button, egui::Role::DisclosureTriangle, "More training options");
        if button.clicked() {
            *open = !*open;
        }
        if *open {
            return;
        }
        let (text, color) = match (wrong, changed) {
            (0, []) => ("loss, limits, precision, refit…".to_owned(), palette.text_weak),
            (0, some) => (format!("changed: {}", some.join(", ")), palette.text_weak),
            (1, _) => (format!("{}  a field needs a look", icons::WARNING), palette.error),
            (several, _) => {
                (format!("{}  {several} fields need a look", icons::WARNING), palette.error)
            }
        };
        ui.add(egui::Label::new(RichText::new(text).small().color(color)).truncate());
    });
}

fn fields(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec, state: &State) {
    optimizer::regularisation(ui, form, &mut spec.training);
    batches(ui, form, &mut spec.training);
    loss::show(ui, form, spec);
    loss::monitor(ui, form, spec);
    let training = &mut spec.training;
    form.of("training.min_delta").real(ui, &mut training.min_delta);
    limits(ui, form, training);
    precision(ui, form, spec, state);
    let walks = matches!(spec.validation, ValidationSpec::WalkForward { .. });
    let why_not = (!walks).then_some("walk-forward only");
    form.of("training.warm_start").toggle(ui, why_not, &mut spec.training.warm_start);
    form.of("training.refit").toggle(ui, why_not, &mut spec.training.refit);
}

fn batches(ui: &mut Ui, form: Form<'_>, training: &mut TrainingSpec) {
    form.of("training.find_batch_size").toggle(ui, None, &mut training.find_batch_size);
    let value = &mut training.accumulate_grad_batches;
    form.of("training.accumulate_grad_batches").integer(ui, value);
}

fn limits(ui: &mut Ui, form: Form<'_>, training: &mut TrainingSpec) {
    let row = form.of("training.max_steps");
    row.optional(ui, ("no limit", 10_000), &mut training.max_steps, |ui, steps, label| {
        let speed = (*steps as f64 * 0.01).max(0.1);
        let unit = if *steps == 1 { " step" } else { " steps" };
        widgets::number(ui, DragValue::new(steps).speed(speed).suffix(unit)).labelled_by(label);
    });
    let value = &mut training.max_minutes;
    form.of("training.max_minutes").optional_real(ui, ("no limit", 10.0), value);
}

/// All of them can be chosen; what the device cannot compute says so.
fn precision(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec, state: &State) {
    let inventory = state.machine.inventory.as_deref();
    let device = device(spec.resources.device, state);
    let refusal = |precision| precision_refusal(precision, device?, inventory?);
    let all = [Precision::F32, Precision::Tf32, Precision::Bf16, Precision::F16];
    let options = all.map(|precision| {
        let but = refusal(precision).and(device).map(|device| format!(" (not on {device})"));
        (precision, format!("{}{}", precision.name(), but.unwrap_or_default()))
    });
    let value = &mut spec.training.precision;
    form.of("training.precision").choice(ui, &options, value);
    if let Some(refusal) = refusal(*value) {
        widgets::hint(ui, &refusal);
    }
}

/// Where the next run will compute, as far as that is known: what was asked for, else what the plan says, else what alone there is.
fn device(choice: DeviceChoice, state: &State) -> Option<Device> {
    let planned = || state.preview.plan.as_ref().map(|plan| plan.device);
    let inventory = state.machine.inventory.as_ref();
    let only_cpu = inventory.filter(|found| found.cuda.is_empty() && !found.mps.available);
    match choice {
        DeviceChoice::Only(device) => Some(device),
        DeviceChoice::Auto => planned().or(only_cpu.map(|_| Device::Cpu)),
    }
}

/// How the preset of this name trains, else the first one: what counts as nothing special.
fn usual(name: &str) -> &'static TrainingSpec {
    static USUAL: LazyLock<Vec<(&str, TrainingSpec)>> = LazyLock::new(|| {
        let read =
            |preset: &'static str| (preset, load(preset).expect("presets are tested").training);
        let others = PRESETS.iter().map(|preset| preset.name);
        std::iter::once(DEFAULT_PRESET).chain(others).map(read).collect()
    });
    let found = USUAL.iter().find(|(preset, _)| *preset == name);
    &found.unwrap_or(&USUAL[0]).1
}

/// What under "More" is not as usual, in words.
fn changed(now: &TrainingSpec, usual: &TrainingSpec) -> Vec<&'static str> {
    let betas = |training: &TrainingSpec| match training.optimizer {
        OptimizerSpec::AdamW { betas } | OptimizerSpec::Adam { betas } => betas,
        OptimizerSpec::Sgd { .. } => (0.9, 0.999),
    };
    let all = [
        (now.weight_decay != usual.weight_decay, "weight decay"),
        (now.gradient_clip_val != usual.gradient_clip_val, "gradient clip"),
        (betas(now) != betas(usual), "betas"),
        (now.find_batch_size != usual.find_batch_size, "find a larger batch"),
        (now.accumulate_grad_batches != usual.accumulate_grad_batches, "accumulation"),
        (now.loss != usual.loss, "loss"),
        (now.monitor != usual.monitor, "watch"),
        (now.min_delta != usual.min_delta, "min delta"),
        (now.max_steps != usual.max_steps, "max steps"),
        (now.max_minutes != usual.max_minutes, "max minutes"),
        (now.precision != usual.precision, "precision"),
        (now.warm_start != usual.warm_start, "warm start"),
        (now.refit != usual.refit, "refit"),
    ];
    all.into_iter().filter(|(is_changed, _)| *is_changed).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::apply;

    #[test]
    fn the_rest_opens_for_what_is_new_and_stays_closed_when_it_was_closed() {
        let mut more = More::default();
        assert!(!more.opens(Vec::new()));
        assert!(more.opens(vec!["loss"]));
        assert!(!more.opens(vec!["loss"]), "nothing new");
        assert!(more.opens(vec!["loss", "training.loss"]), "now it is wrong as well");
        assert!(!more.opens(Vec::new()));
        assert!(more.opens(vec!["loss"]), "another experiment");
    }

    #[test]
    fn every_preset_is_as_usual_and_every_field_of_the_rest_is_noticed() {
        for preset in PRESETS {
            let spec = load(preset.name).unwrap();
            assert_eq!(changed(&spec.training, usual(&spec.name)), [""; 0], "{}", preset.name);
        }
        let spec = load(DEFAULT_PRESET).unwrap();
        for (set, name) in [
            ("training.weight_decay=0.5", "weight decay"),
            ("training.gradient_clip_val=null", "gradient clip"),
            (r#"training.optimizer={"Adam":{"betas":[0.8,0.9]}}"#, "betas"),
            ("training.find_batch_size=true", "find a larger batch"),
            ("training.accumulate_grad_batches=2", "accumulation"),
            (r#"training.loss={"Huber":{"delta":1.0}}"#, "loss"),
            (r#"training.monitor="Ic""#, "watch"),
            ("training.min_delta=0.1", "min delta"),
            ("training.max_steps=5", "max steps"),
            ("training.max_minutes=5.0", "max minutes"),
            (r#"training.precision="Bf16""#, "precision"),
            ("training.warm_start=true", "warm start"),
            ("training.refit=true", "refit"),
        ] {
            let other = apply(&spec, &[set.parse().unwrap()]).unwrap();
            assert_eq!(changed(&other.training, usual("mine")), [name]);
        }
    }
}
