use egui::Ui;

use crate::spec::{ExperimentSpec, LossSpec, Monitor, Pooling};
use crate::ui::widgets::{Form, Offered};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Auto,
    Huber,
    BalancedCrossEntropy,
    NegativeIc,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Auto, Self::Huber, Self::BalancedCrossEntropy, Self::NegativeIc];

    const fn of(loss: LossSpec) -> Self {
        match loss {
            LossSpec::Auto => Self::Auto,
            LossSpec::Huber { .. } => Self::Huber,
            LossSpec::BalancedCrossEntropy => Self::BalancedCrossEntropy,
            LossSpec::NegativeIc => Self::NegativeIc,
        }
    }

    /// The loss to begin with when this kind is chosen.
    const fn begin(self) -> LossSpec {
        match self {
            Self::Auto => LossSpec::Auto,
            Self::Huber => LossSpec::Huber { delta: 1.0 },
            Self::BalancedCrossEntropy => LossSpec::BalancedCrossEntropy,
            Self::NegativeIc => LossSpec::NegativeIc,
        }
    }

    const fn name(self, classes: bool) -> &'static str {
        match self {
            Self::Auto if classes => "cross-entropy",
            Self::Auto => "mean squared error",
            Self::Huber => "Huber",
            Self::BalancedCrossEntropy => "balanced cross-entropy",
            Self::NegativeIc => "negative IC",
        }
    }

    /// Why it cannot be used with this label and pooling, in a few words.
    fn why_not(self, spec: &ExperimentSpec) -> Option<&'static str> {
        let classes = spec.label.is_classification();
        match self {
            Self::Auto => None,
            Self::Huber => classes.then_some("returns only"),
            Self::BalancedCrossEntropy => (!classes).then_some("classes only"),
            Self::NegativeIc if classes => Some("returns only"),
            Self::NegativeIc if spec.data.pooling != Pooling::Pooled => Some("pooled symbols only"),
            Self::NegativeIc => {
                (spec.training.accumulate_grad_batches != 1).then_some("without accumulation")
            }
        }
    }
}

/// What is minimised.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    let known = Kind::of(spec.training.loss);
    let mut kind = known;
    let classes = spec.label.is_classification();
    let options = Kind::ALL.map(|kind| Offered::new(kind, kind.name(classes), kind.why_not(spec)));
    form.of("training.loss").offer(ui, &options, &mut kind);
    if kind != known {
        spec.training.loss = kind.begin();
    }
    if let LossSpec::Huber { delta } = &mut spec.training.loss {
        form.of("training.loss.delta").real(ui, delta);
    }
}

/// What says which epoch is the best one.
pub(super) fn monitor(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    let pooled = spec.data.pooling != Pooling::PerSymbol;
    let options = Monitor::ALL.map(|monitor| {
        let across = matches!(monitor, Monitor::CrossSectionIc | Monitor::CrossSectionRankIc);
        let but = (across && !pooled).then_some("pooled only");
        Offered::new(monitor, monitor.name(), but)
    });
    form.of("training.monitor").offer(ui, &options, &mut spec.training.monitor);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{apply, load};

    /// What is offered must pass the specification's own check, and what is not must fail it.
    #[test]
    fn the_losses_offered_are_those_that_can_be_trained() {
        let labels =
            [r#"label={"ForwardReturn":{"horizon":4}}"#, r#"label={"Direction":{"horizon":4}}"#];
        let mut offered = 0;
        for label in labels {
            for pooling in ["PerSymbol", "Pooled"] {
                for accumulate in [1, 2] {
                    let set = [
                        label.to_owned(),
                        format!("data.pooling={pooling}"),
                        format!("training.accumulate_grad_batches={accumulate}"),
                    ];
                    let set: Vec<_> = set.iter().map(|one| one.parse().unwrap()).collect();
                    let spec = apply(&load("mlp-return").unwrap(), &set).unwrap();
                    for kind in Kind::ALL {
                        let mut chosen = spec.clone();
                        chosen.training.loss = kind.begin();
                        let fits = kind.why_not(&spec).is_none();
                        assert_eq!(chosen.validate().is_ok(), fits, "{set:?} {kind:?}");
                        offered += usize::from(fits);
                    }
                }
            }
        }
        assert_eq!(offered, 17, "each of both labels and poolings, with and without accumulation");
    }
}
