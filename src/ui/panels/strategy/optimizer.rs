use egui::Ui;

use crate::spec::{OptimizerSpec, ScheduleSpec, TrainingSpec};
use crate::ui::widgets::{self, Form};

/// The optimizer, and what nobody uses it without.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, optimizer: &mut OptimizerSpec) {
    let mut name = optimizer.name();
    let options = ["AdamW", "Adam", "SGD"].map(|name| (name, name.to_owned()));
    form.of("training.optimizer").choice(ui, &options, &mut name);
    if name != optimizer.name() {
        *optimizer = begin(name, *optimizer);
    }
    if let OptimizerSpec::Sgd { momentum, nesterov } = optimizer {
        form.of("training.optimizer.momentum").real(ui, momentum);
        let why_not = (*momentum <= 0.0).then_some("needs momentum");
        form.of("training.optimizer.nesterov").toggle(ui, why_not, nesterov);
    }
}

/// The optimizer of this name; between Adam and AdamW the betas stay.
fn begin(name: &str, known: OptimizerSpec) -> OptimizerSpec {
    let betas = match known {
        OptimizerSpec::AdamW { betas } | OptimizerSpec::Adam { betas } => betas,
        OptimizerSpec::Sgd { .. } => (0.9, 0.999),
    };
    match name {
        "SGD" => OptimizerSpec::Sgd { momentum: 0.9, nesterov: false },
        "Adam" => OptimizerSpec::Adam { betas },
        _ => OptimizerSpec::AdamW { betas },
    }
}

/// How the learning rate changes.
pub(super) fn schedule(ui: &mut Ui, form: Form<'_>, training: &mut TrainingSpec) {
    let known = name(training.schedule);
    let mut chosen = known;
    let options = ["constant", "cosine", "plateau"].map(|name| (name, name.to_owned()));
    form.of("training.schedule").choice(ui, &options, &mut chosen);
    if chosen != known {
        training.schedule = match chosen {
            // A warm-up must end before the training does.
            "cosine" if training.max_epochs > 1 => {
                ScheduleSpec::Cosine { warmup_epochs: 1.0, final_share: 0.0 }
            }
            "cosine" => ScheduleSpec::Cosine { warmup_epochs: 0.0, final_share: 0.0 },
            "plateau" => ScheduleSpec::Plateau { factor: 0.5, patience: 2 },
            _ => ScheduleSpec::Constant,
        };
    }
    let patience = training.patience;
    match &mut training.schedule {
        ScheduleSpec::Constant => {}
        ScheduleSpec::Cosine { warmup_epochs, final_share } => {
            form.of("training.schedule.warmup_epochs").real(ui, warmup_epochs);
            form.of("training.schedule.final_share").real(ui, final_share);
        }
        ScheduleSpec::Plateau { factor, patience: wait } => {
            form.of("training.schedule.factor").real(ui, factor);
            form.of("training.schedule.patience").integer(ui, wait);
            if stops_first(*wait, patience) {
                widgets::hint(
                    ui,
                    "Training stops early before the rate is ever lowered: wait less, or raise the patience.",
                );
            }
        }
    }
}

const fn name(schedule: ScheduleSpec) -> &'static str {
    match schedule {
        ScheduleSpec::Constant => "constant",
        ScheduleSpec::Cosine { .. } => "cosine",
        ScheduleSpec::Plateau { .. } => "plateau",
    }
}

/// Whether early stopping ends training before a plateau has lasted long enough. The rate is lowered after one bad epoch more than `wait`.
fn stops_first(wait: u32, patience: Option<u32>) -> bool {
    patience.is_some_and(|patience| wait.saturating_add(1) >= patience)
}

/// What holds the weights back.
pub(super) fn regularisation(ui: &mut Ui, form: Form<'_>, training: &mut TrainingSpec) {
    let help = if matches!(training.optimizer, OptimizerSpec::AdamW { .. }) {
        "Share of each weight taken away a step, times the learning rate"
    } else {
        "Added to the gradient, times the weight"
    };
    form.of("training.weight_decay").help(help).real(ui, &mut training.weight_decay);
    let value = &mut training.gradient_clip_val;
    form.of("training.gradient_clip_val").optional_real(ui, ("no limit", 1.0), value);
    if let OptimizerSpec::AdamW { betas } | OptimizerSpec::Adam { betas } = &mut training.optimizer
    {
        let help = "How much of the mean gradient is kept at each step";
        let row = form.of("training.optimizer.betas[0]").called("Beta 1");
        row.help(help).real(ui, &mut betas.0);
        let help = "How much of the mean squared gradient is kept at each step";
        let row = form.of("training.optimizer.betas[1]").called("Beta 2");
        row.help(help).real(ui, &mut betas.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn betas_stay_from_adam_to_adam_and_sgd_begins_with_momentum() {
        let adam = OptimizerSpec::Adam { betas: (0.8, 0.99) };
        assert_eq!(begin("AdamW", adam), OptimizerSpec::AdamW { betas: (0.8, 0.99) });
        let sgd = begin("SGD", adam);
        assert_eq!(sgd, OptimizerSpec::Sgd { momentum: 0.9, nesterov: false });
        assert_eq!(begin("Adam", sgd), OptimizerSpec::Adam { betas: (0.9, 0.999) });
    }

    #[test]
    fn a_plateau_that_early_stopping_never_reaches_is_noticed() {
        for (wait, patience, expected) in
            [(2, Some(4), false), (3, Some(4), true), (4, Some(4), true), (9, None, false)]
        {
            assert_eq!(stops_first(wait, patience), expected, "{wait} {patience:?}");
        }
    }
}
