use serde::{Deserialize, Serialize};

use crate::spec::{ScheduleSpec, TrainingSpec};

/// How the step size follows from the steps taken and the metric watched: plain numbers, so that a checkpoint holds all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Schedule {
    base: f64,
    kind: ScheduleSpec,
    lower_is_better: bool,
    steps_per_epoch: u64,
    total_steps: u64,
    plateau: Plateau,
}

/// `torch.optim.lr_scheduler.ReduceLROnPlateau` with `threshold = 0` and no cooldown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Plateau {
    reductions: i32,
    best: Option<f64>,
    bad_epochs: u32,
}

impl Schedule {
    pub(super) fn new(spec: &TrainingSpec, steps_per_epoch: u64) -> Self {
        let by_epochs = u64::from(spec.max_epochs).saturating_mul(steps_per_epoch);
        Self {
            base: spec.learning_rate,
            kind: spec.schedule,
            lower_is_better: spec.monitor.is_lower_better(),
            steps_per_epoch,
            total_steps: spec.max_steps.map_or(by_epochs, |most| most.min(by_epochs)),
            plateau: Plateau::default(),
        }
    }

    /// The step size of the step after `steps` others.
    pub(super) fn learning_rate(&self, steps: u64) -> f64 {
        match self.kind {
            ScheduleSpec::Constant => self.base,
            ScheduleSpec::Plateau { factor, .. } => {
                self.base * factor.powi(self.plateau.reductions)
            }
            ScheduleSpec::Cosine { warmup_epochs, final_share } => {
                let warmup = (warmup_epochs * self.steps_per_epoch as f64).round();
                let step = steps as f64;
                if step < warmup {
                    return self.base * (step + 1.0) / warmup;
                }
                let rest = (self.total_steps as f64 - warmup).max(1.0);
                let share = ((step - warmup) / rest).min(1.0);
                let cosine = 0.5 * (1.0 + (std::f64::consts::PI * share).cos());
                self.base * (final_share + (1.0 - final_share) * cosine)
            }
        }
    }

    /// An epoch ended with this value of the watched metric.
    pub(super) fn epoch_ended(&mut self, metric: Option<f64>) {
        let ScheduleSpec::Plateau { patience, .. } = self.kind else { return };
        let better = metric.is_some_and(|metric| {
            let best = self.plateau.best;
            best.is_none_or(|best| if self.lower_is_better { metric < best } else { metric > best })
        });
        if better {
            self.plateau.best = metric;
            self.plateau.bad_epochs = 0;
            return;
        }
        self.plateau.bad_epochs += 1;
        if self.plateau.bad_epochs > patience {
            self.plateau.reductions += 1;
            self.plateau.bad_epochs = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Monitor, load};

    fn schedule(kind: ScheduleSpec) -> Schedule {
        let spec = TrainingSpec {
            max_epochs: 4,
            learning_rate: 0.1,
            schedule: kind,
            ..load("mlp-return").unwrap().training
        };
        Schedule::new(&spec, 10)
    }

    #[test]
    fn cosine_rises_falls_and_ends_where_it_should() {
        let rates = schedule(ScheduleSpec::Cosine { warmup_epochs: 1.0, final_share: 0.1 });
        for (steps, share) in [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (25, 0.55), (40, 0.1)] {
            let rate = rates.learning_rate(steps);
            assert!((rate - 0.1 * share).abs() < 1e-12, "{steps}: {rate}");
        }
        let falling: Vec<f64> = (10..=45).map(|steps| rates.learning_rate(steps)).collect();
        assert!(falling.is_sorted_by(|a, b| a >= b), "{falling:?}");
        assert_eq!(schedule(ScheduleSpec::Constant).learning_rate(7), 0.1);
    }

    #[test]
    fn a_plateau_halves_the_rate_after_more_than_patience_epochs() {
        let mut rates = schedule(ScheduleSpec::Plateau { factor: 0.5, patience: 1 });
        let mut seen = Vec::new();
        for loss in [1.0, 0.9, 0.95, 0.95, 0.95, 0.8, 0.9, f64::NAN, 0.9] {
            rates.epoch_ended(Some(loss).filter(|loss| !loss.is_nan()));
            seen.push(rates.learning_rate(0) / 0.1);
        }
        assert_eq!(seen, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);
        let mut rising = schedule(ScheduleSpec::Plateau { factor: 0.5, patience: 0 });
        rising.lower_is_better = Monitor::Ic.is_lower_better();
        for metric in [0.1, 0.2, 0.3] {
            rising.epoch_ended(Some(metric));
        }
        assert_eq!(rising.learning_rate(0), 0.1, "a higher IC is no plateau");
    }
}
