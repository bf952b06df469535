use egui::Ui;

use crate::spec::{OptimizerSpec, ScheduleSpec, TrainingSpec};
use crate::ui::widgets::{self, Form};

/// The optimizer, and what nobody uses it without.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, optimizer: &mut OptimizerSpec) {
    let mut name = optimizer.name();
    let help = "AdamW: Adam with weight decay apart from the gradient. Adam: weight decay is part of the gradient. SGD: plain steps, with momentum";
    let options = ["AdamW", "Adam", "SGD"].map(|name| (name, name.to_owned()));
    form.choice(ui, "Optimizer", "training.optimizer", help, &options, &mut name);
    if name != optimizer.name() {
        *optimizer = begin(name, *optimizer);
    }
    if let OptimizerSpec::Sgd { momentum, nesterov } = optimizer {
        let help = "Share of the last step that is taken again, from 0 to below 1";
        form.real(ui, "Momentum", "training.optimizer.momentum", ("", help), momentum);
        let help = "Nesterov's momentum: the gradient is taken where the momentum leads";
        let why_not = (*momentum <= 0.0).then_some("needs momentum");
        form.toggle(ui, "Nesterov", "training.optimizer.nesterov", (help, why_not), nesterov);
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
    let help = "How the learning rate changes. Cosine: up over the warm-up, then down along half a cosine to the last epoch. Plateau: lower \
                whenever validation has not become better for a while";
    form.choice(ui, "Schedule", "training.schedule", help, &options, &mut chosen);
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
            let help = "Epochs, and parts of them, in which the learning rate rises from nothing";
            let path = "training.schedule.warmup_epochs";
            form.real(ui, "Warm-up", path, ("epochs", help), warmup_epochs);
            let help = "What is left of the learning rate at the end, from 0 to 1";
            form.real(ui, "Final share", "training.schedule.final_share", ("", help), final_share);
        }
        ScheduleSpec::Plateau { factor, patience: wait } => {
            let help = "What the learning rate is multiplied by, above 0 and below 1";
            form.real(ui, "Factor", "training.schedule.factor", ("×", help), factor);
            let help = "More epochs than this without a better validation, and the learning rate is lowered";
            form.integer(ui, "Wait", "training.schedule.patience", ("epochs", help), wait);
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
    let value = &mut training.weight_decay;
    form.real(ui, "Weight decay", "training.weight_decay", ("", help), value);
    form.optional_real(
        ui,
        "Gradient clip",
        "training.gradient_clip_val",
        ("", "Largest norm of the gradient; longer ones are shortened to it", "no limit"),
        1.0,
        &mut training.gradient_clip_val,
    );
    if let OptimizerSpec::AdamW { betas } | OptimizerSpec::Adam { betas } = &mut training.optimizer
    {
        let help = "How much of the mean gradient is kept at each step, from 0 to below 1";
        form.real(ui, "Beta 1", "training.optimizer.betas.0", ("", help), &mut betas.0);
        let help = "How much of the mean squared gradient is kept at each step, from 0 to below 1";
        form.real(ui, "Beta 2", "training.optimizer.betas", ("", help), &mut betas.1);
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
