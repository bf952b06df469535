use serde::{Deserialize, Serialize};

use super::validate::Check;
use super::{ExperimentSpec, Pooling, ValidationSpec};

/// How a model learns, with early stopping on a validation metric and the best weights kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// Passes over the train rows at most.
    pub max_epochs: u32,
    /// Optimizer steps at most. Absent: as many as the epochs have.
    #[serde(default)]
    pub max_steps: Option<u64>,
    /// Minutes of training at most, by the clock: what was learnt by then is kept, and the result is no longer repeatable. Absent: no limit.
    #[serde(default)]
    pub max_minutes: Option<f64>,
    /// Samples in a batch.
    pub batch_size: u32,
    /// Try larger batches than `batch_size` while planning, by doubling, and take the one that learns most samples a second and fits the
    /// memory. What was found is written into the plan.
    #[serde(default)]
    pub find_batch_size: bool,
    /// Batches whose gradients make one optimizer step together, as in Lightning.
    #[serde(default = "one")]
    pub accumulate_grad_batches: u32,
    /// The optimizer.
    #[serde(default)]
    pub optimizer: OptimizerSpec,
    /// Step size, before the schedule.
    pub learning_rate: f64,
    /// How the step size changes.
    #[serde(default)]
    pub schedule: ScheduleSpec,
    /// Weight decay: decoupled with `AdamW`, added to the gradient with `Adam` and `Sgd`.
    #[serde(default)]
    pub weight_decay: f64,
    /// Largest norm of the gradient; longer ones are shortened to it. Absent: no limit.
    #[serde(default)]
    pub gradient_clip_val: Option<f64>,
    /// What is minimised.
    #[serde(default)]
    pub loss: LossSpec,
    /// What says which epoch is the best one, measured on the validation rows.
    #[serde(default)]
    pub monitor: Monitor,
    /// Epochs without a better `monitor` before training stops. Absent: never stops early.
    #[serde(default)]
    pub patience: Option<u32>,
    /// How much better `monitor` must be to count.
    #[serde(default)]
    pub min_delta: f64,
    /// The arithmetic of the forward and backward pass; weights stay f32.
    #[serde(default)]
    pub precision: Precision,
    /// Begin each fold with the best weights of the fold before it, which then has to finish first. Walk-forward only.
    #[serde(default)]
    pub warm_start: bool,
    /// After the last fold, train once more on all rows, for the median of the folds' best epochs: the model to export. Walk-forward only.
    #[serde(default)]
    pub refit: bool,
}

/// The optimizer, with `torch.optim`'s arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum OptimizerSpec {
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    AdamW {
        /// Decay of the first and the second moment.
        #[serde(default = "betas")]
        betas: (f64, f64),
    },
    /// Adam (Kingma & Ba 2015); weight decay is added to the gradient.
    Adam {
        /// Decay of the first and the second moment.
        #[serde(default = "betas")]
        betas: (f64, f64),
    },
    /// Stochastic gradient descent; weight decay is added to the gradient.
    Sgd {
        /// 0 for none.
        #[serde(default)]
        momentum: f64,
        /// Nesterov's momentum.
        #[serde(default)]
        nesterov: bool,
    },
}

impl Default for OptimizerSpec {
    fn default() -> Self {
        Self::AdamW { betas: betas() }
    }
}

impl OptimizerSpec {
    /// Its name, as users say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdamW { .. } => "AdamW",
            Self::Adam { .. } => "Adam",
            Self::Sgd { .. } => "SGD",
        }
    }
}

/// How the step size changes while learning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ScheduleSpec {
    /// Not at all.
    #[default]
    Constant,
    /// Up from nothing over the first `warmup_epochs`, then down along a half cosine to `final_share` of it at the last epoch there can be
    /// (Loshchilov & Hutter 2017, without restarts). Changes at every step.
    Cosine {
        /// Epochs, and parts of them, of the linear way up; less than `max_epochs`.
        #[serde(default)]
        warmup_epochs: f64,
        /// What is left at the end, 0 to 1.
        #[serde(default)]
        final_share: f64,
    },
    /// Multiplied by `factor` whenever `monitor` has not become better for more than `patience` epochs (`ReduceLROnPlateau`).
    Plateau {
        /// Above 0 and below 1.
        factor: f64,
        /// Epochs to wait.
        patience: u32,
    },
}

/// What is minimised. Targets of regressions are standardised by the train labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum LossSpec {
    /// Mean squared error for returns, cross-entropy for classes.
    #[default]
    Auto,
    /// Quadratic near zero and linear beyond `delta` standard deviations (Huber 1964): outliers pull less. Returns only.
    Huber {
        /// Where it turns linear, in standard deviations of the label.
        delta: f64,
    },
    /// Cross-entropy with every class counting alike, however rare: a row weighs rows / (classes × rows of its class) among the train rows
    /// (scikit-learn's `balanced`). Classes only.
    BalancedCrossEntropy,
    /// Minus the correlation of prediction and label across the symbols of a moment, averaged over the moments of the batch, which are never
    /// torn apart. Pooled returns only.
    NegativeIc,
}

/// A metric of the validation rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Monitor {
    /// What is minimised; lower is better.
    #[default]
    Loss,
    /// Correlation of prediction and return over each symbol's rows, averaged over symbols.
    Ic,
    /// The same on ranks.
    RankIc,
    /// Share of rows whose direction was right.
    HitRate,
    /// Correlation across the symbols of a moment, averaged over moments. Pooled only.
    CrossSectionIc,
    /// The same on ranks.
    CrossSectionRankIc,
}

impl Monitor {
    /// Every one there is.
    pub const ALL: [Self; 6] = [
        Self::Loss,
        Self::Ic,
        Self::RankIc,
        Self::HitRate,
        Self::CrossSectionIc,
        Self::CrossSectionRankIc,
    ];

    /// As people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Ic => "IC",
            Self::RankIc => "rank IC",
            Self::HitRate => "hit rate",
            Self::CrossSectionIc => "cross-section IC",
            Self::CrossSectionRankIc => "cross-section rank IC",
        }
    }

    /// Whether a lower value is the better one.
    #[must_use]
    pub const fn is_lower_better(self) -> bool {
        matches!(self, Self::Loss)
    }
}

/// The arithmetic of forward and backward passes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bits throughout: repeatable, and the same everywhere.
    #[default]
    F32,
    /// Matrix products of CUDA cards from Ampere on round their factors to 10 bits of mantissa.
    Tf32,
    /// Matrix products in `bfloat16`: half the memory, 7 bits of mantissa, the range of f32.
    Bf16,
    /// Matrix products in half precision with dynamic loss scaling. GPUs only.
    F16,
}

impl Precision {
    /// As people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }
}

const fn betas() -> (f64, f64) {
    (0.9, 0.999)
}

const fn one() -> u32 {
    1
}

impl TrainingSpec {
    /// What can be said without the data and the machine.
    pub(super) fn check(&self, check: &mut Check, spec: &ExperimentSpec) {
        check.within("training.max_epochs", self.max_epochs);
        check.within_or_absent("training.max_steps", self.max_steps.map(|steps| steps as f64));
        check.within_or_absent("training.max_minutes", self.max_minutes);
        check.within("training.batch_size", self.batch_size);
        check.within("training.accumulate_grad_batches", self.accumulate_grad_batches);
        check.within("training.learning_rate", self.learning_rate);
        check.within("training.weight_decay", self.weight_decay);
        check.within("training.min_delta", self.min_delta);
        check.within_or_absent("training.gradient_clip_val", self.gradient_clip_val);
        check.within_or_absent("training.patience", self.patience);
        self.check_optimizer(check);
        self.check_schedule(check);
        self.check_loss(check, spec);
        let cross_section =
            matches!(self.monitor, Monitor::CrossSectionIc | Monitor::CrossSectionRankIc);
        check.that(
            !cross_section || spec.data.pooling != Pooling::PerSymbol,
            "training.monitor",
            || "a metric across symbols needs data.pooling = Pooled".to_owned(),
        );
        let walks = matches!(spec.validation, ValidationSpec::WalkForward { .. });
        check.that(walks || !self.warm_start, "training.warm_start", || {
            "only walk-forward folds follow one another: elsewhere a fold before has learnt from what this one is tested on".to_owned()
        });
        check.that(walks || !self.refit, "training.refit", || {
            "needs validation = WalkForward, whose folds say for how long to train".to_owned()
        });
    }

    fn check_optimizer(&self, check: &mut Check) {
        match self.optimizer {
            OptimizerSpec::AdamW { betas } | OptimizerSpec::Adam { betas } => {
                check.within("training.optimizer.betas[0]", betas.0);
                check.within("training.optimizer.betas[1]", betas.1);
            }
            OptimizerSpec::Sgd { momentum, nesterov } => {
                check.within("training.optimizer.momentum", momentum);
                check.that(!nesterov || momentum > 0.0, "training.optimizer.nesterov", || {
                    "needs a momentum above 0".to_owned()
                });
            }
        }
    }

    fn check_schedule(&self, check: &mut Check) {
        match self.schedule {
            ScheduleSpec::Constant => {}
            ScheduleSpec::Cosine { warmup_epochs, final_share } => {
                // How much is too much depends on the epochs, which the table cannot know.
                let fits = (0.0..f64::from(self.max_epochs)).contains(&warmup_epochs);
                check.that(fits, "training.schedule.warmup_epochs", || {
                    format!(
                        "{warmup_epochs} must be at least 0 and below max_epochs = {}",
                        self.max_epochs
                    )
                });
                check.within("training.schedule.final_share", final_share);
            }
            ScheduleSpec::Plateau { factor, patience: _ } => {
                check.within("training.schedule.factor", factor);
            }
        }
    }

    fn check_loss(&self, check: &mut Check, spec: &ExperimentSpec) {
        let classes = spec.label.is_classification();
        match self.loss {
            LossSpec::Auto => {}
            LossSpec::Huber { delta } => {
                check.within("training.loss.delta", delta);
                check.that(!classes, "training.loss", || {
                    "Huber is a loss of returns; for classes choose Auto or BalancedCrossEntropy"
                        .to_owned()
                });
            }
            LossSpec::BalancedCrossEntropy => check.that(classes, "training.loss", || {
                "a return has no classes; choose Auto, Huber or NegativeIc".to_owned()
            }),
            LossSpec::NegativeIc => {
                check.that(!classes, "training.loss", || {
                    "the correlation is taken with a return; for classes choose Auto".to_owned()
                });
                check.that(spec.data.pooling == Pooling::Pooled, "training.loss", || {
                    "NegativeIc compares symbols at a moment and needs data.pooling = Pooled"
                        .to_owned()
                });
                check.that(self.accumulate_grad_batches == 1, "training.loss", || {
                    "NegativeIc is no sum over samples; use a larger batch_size instead of accumulate_grad_batches".to_owned()
                });
            }
        }
    }
}
