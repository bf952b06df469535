use egui::Ui;

use crate::spec::{DeadZone, ExperimentSpec, InsideDeadZone, LabelSpec, Scaling, Timeout};
use crate::ui::widgets::{self, Form};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ForwardReturn,
    ScaledReturn,
    DemeanedReturn,
    RankedReturn,
    Direction,
    TripleBarrier,
}

impl Kind {
    const fn of(label: LabelSpec) -> Self {
        match label {
            LabelSpec::ForwardReturn { .. } => Self::ForwardReturn,
            LabelSpec::ScaledReturn { .. } => Self::ScaledReturn,
            LabelSpec::DemeanedReturn { .. } => Self::DemeanedReturn,
            LabelSpec::RankedReturn { .. } => Self::RankedReturn,
            LabelSpec::Direction { .. } => Self::Direction,
            LabelSpec::TripleBarrier { .. } => Self::TripleBarrier,
        }
    }

    /// The label to begin with when this kind is chosen.
    const fn begin(self, horizon: u32) -> LabelSpec {
        match self {
            Self::ForwardReturn => LabelSpec::ForwardReturn { horizon },
            Self::ScaledReturn => LabelSpec::ScaledReturn { horizon, volatility_window: 24 },
            Self::DemeanedReturn => LabelSpec::DemeanedReturn { horizon, minimum_symbols: 10 },
            Self::RankedReturn => LabelSpec::RankedReturn { horizon, minimum_symbols: 10 },
            Self::Direction => LabelSpec::Direction {
                horizon,
                dead_zone: DeadZone::None,
                inside: InsideDeadZone::LeaveOut,
            },
            Self::TripleBarrier => LabelSpec::TripleBarrier {
                horizon,
                profit_take: 2.0,
                stop_loss: 2.0,
                volatility_window: 24,
                timeout: Timeout::Sign,
            },
        }
    }
}

/// What is predicted, and how train rows count.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    widgets::section(ui, "Label");
    let known = Kind::of(spec.label);
    let mut kind = known;
    form.of("label").choice(
        ui,
        &[
            (Kind::ForwardReturn, "forward return".to_owned()),
            (Kind::ScaledReturn, "return / volatility".to_owned()),
            (Kind::DemeanedReturn, "return − mean of symbols".to_owned()),
            (Kind::RankedReturn, "rank among symbols".to_owned()),
            (Kind::Direction, "direction".to_owned()),
            (Kind::TripleBarrier, "triple barrier".to_owned()),
        ],
        &mut kind,
    );
    if kind != known {
        spec.label = kind.begin(spec.label.horizon());
    }
    let (LabelSpec::ForwardReturn { horizon }
    | LabelSpec::ScaledReturn { horizon, .. }
    | LabelSpec::DemeanedReturn { horizon, .. }
    | LabelSpec::RankedReturn { horizon, .. }
    | LabelSpec::Direction { horizon, .. }
    | LabelSpec::TripleBarrier { horizon, .. }) = &mut spec.label;
    form.of("label.horizon").integer(ui, horizon);
    match &mut spec.label {
        LabelSpec::ForwardReturn { .. } => {}
        LabelSpec::ScaledReturn { volatility_window, .. } => {
            form.of("label.volatility_window").integer(ui, volatility_window);
        }
        LabelSpec::DemeanedReturn { minimum_symbols, .. }
        | LabelSpec::RankedReturn { minimum_symbols, .. } => {
            form.of("label.minimum_symbols").integer(ui, minimum_symbols);
        }
        LabelSpec::Direction { dead_zone, inside, .. } => {
            self::dead_zone(ui, form, dead_zone);
            // Also where it stands in the way: what is wrong with a field is shown beside it.
            if *dead_zone != DeadZone::None || *inside != InsideDeadZone::LeaveOut {
                self::inside(ui, form, inside);
            }
        }
        LabelSpec::TripleBarrier { profit_take, stop_loss, volatility_window, timeout, .. } => {
            form.of("label.profit_take").real(ui, profit_take);
            form.of("label.stop_loss").real(ui, stop_loss);
            form.of("label.volatility_window").integer(ui, volatility_window);
            form.of("label.timeout").choice(
                ui,
                &[
                    (Timeout::Sign, "sign of the return".to_owned()),
                    (Timeout::LeaveOut, "not learnt from".to_owned()),
                    (Timeout::Class, "a third class".to_owned()),
                ],
                timeout,
            );
        }
    }
    weights(ui, form, spec);
}

fn dead_zone(ui: &mut Ui, form: Form<'_>, zone: &mut DeadZone) {
    let known = std::mem::discriminant(zone);
    let mut kind = known;
    let initial = [DeadZone::None, DeadZone::Bps(5.0), DeadZone::TrainQuantile(0.2)];
    let options: Vec<_> = initial
        .iter()
        .zip(["none", "basis points", "quantile of train"])
        .map(|(zone, name)| (std::mem::discriminant(zone), name.to_owned()))
        .collect();
    form.of("label.dead_zone").choice(ui, &options, &mut kind);
    if kind != known {
        let begun = initial.into_iter().find(|zone| std::mem::discriminant(zone) == kind);
        *zone = begun.unwrap_or_default();
    }
    match zone {
        DeadZone::None => {}
        DeadZone::Bps(bps) => form.of("label.dead_zone.Bps").real(ui, bps),
        DeadZone::TrainQuantile(share) => form.of("label.dead_zone.TrainQuantile").real(ui, share),
    }
}

fn inside(ui: &mut Ui, form: Form<'_>, inside: &mut InsideDeadZone) {
    form.of("label.inside").choice(
        ui,
        &[
            (InsideDeadZone::LeaveOut, "not learnt from".to_owned()),
            (InsideDeadZone::Flat, "a third class".to_owned()),
        ],
        inside,
    );
}

fn weights(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    form.of("weights.uniqueness").choice(
        ui,
        &[(false, "all alike".to_owned()), (true, "by uniqueness".to_owned())],
        &mut spec.weights.uniqueness,
    );
    let value = &mut spec.weights.time_decay;
    form.of("weights.time_decay").optional_real(ui, ("none", 0.5), value);
}

/// Whose rows the scaler is fitted on.
pub(super) fn scaling(ui: &mut Ui, form: Form<'_>, scaling: &mut Scaling) {
    form.of("scaling").choice(
        ui,
        &[
            (Scaling::Global, "one for all".to_owned()),
            (Scaling::PerSymbol, "per symbol".to_owned()),
        ],
        scaling,
    );
}
