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
    form.choice(
        ui,
        "Predicts",
        "label",
        "Returns are regressions, direction and triple barrier classifications; all are bought at the next open",
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
    let help =
        "Bars held, from the open after the decision; at most, where a barrier may end it before";
    form.integer(ui, "Horizon", "label.horizon", ("bars", help), horizon);
    match &mut spec.label {
        LabelSpec::ForwardReturn { .. } => {}
        LabelSpec::ScaledReturn { volatility_window, .. } => {
            volatility(ui, form, volatility_window);
        }
        LabelSpec::DemeanedReturn { minimum_symbols, .. }
        | LabelSpec::RankedReturn { minimum_symbols, .. } => {
            let help = "With fewer at a moment there is nothing to learn from it";
            let unit = ("symbols", help);
            form.integer(ui, "At least", "label.minimum_symbols", unit, minimum_symbols);
        }
        LabelSpec::Direction { dead_zone, inside, .. } => {
            self::dead_zone(ui, form, dead_zone);
            // Also where it stands in the way: what is wrong with a field is shown beside it.
            if *dead_zone != DeadZone::None || *inside != InsideDeadZone::LeaveOut {
                self::inside(ui, form, inside);
            }
        }
        LabelSpec::TripleBarrier { profit_take, stop_loss, volatility_window, timeout, .. } => {
            let unit = ("σ", "Distance of the upper barrier, in volatilities of one bar");
            form.real(ui, "Profit at", "label.profit_take", unit, profit_take);
            let unit = ("σ", "Distance of the lower barrier, in volatilities of one bar");
            form.real(ui, "Stop at", "label.stop_loss", unit, stop_loss);
            volatility(ui, form, volatility_window);
            form.choice(
                ui,
                "Time runs out",
                "label.timeout",
                "What is learnt where neither barrier was reached; tested is every row",
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

fn volatility(ui: &mut Ui, form: Form<'_>, window: &mut u32) {
    let help = "One-bar log returns behind the volatility, up to the decision";
    form.integer(ui, "Volatility", "label.volatility_window", ("bars", help), window);
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
    let help = "Returns too small to learn a direction from; tested is every row";
    form.choice(ui, "Dead zone", "label.dead_zone", help, &options, &mut kind);
    if kind != known {
        let begun = initial.into_iter().find(|zone| std::mem::discriminant(zone) == kind);
        *zone = begun.unwrap_or_default();
    }
    match zone {
        DeadZone::None => {}
        DeadZone::Bps(bps) => {
            let help = "Returns of no more than this, up or down";
            form.real(ui, "Up to", "label.dead_zone.Bps", ("bp", help), bps);
        }
        DeadZone::TrainQuantile(share) => {
            let help = "Of the absolute returns of each fold's train rows, from 0 to 1";
            form.real(ui, "Quantile", "label.dead_zone.TrainQuantile", ("", help), share);
        }
    }
}

fn inside(ui: &mut Ui, form: Form<'_>, inside: &mut InsideDeadZone) {
    form.choice(
        ui,
        "Inside it",
        "label.inside",
        "What train and validation rows in the dead zone teach: nothing, or that the price hardly moves, beside up and down",
        &[
            (InsideDeadZone::LeaveOut, "not learnt from".to_owned()),
            (InsideDeadZone::Flat, "a third class".to_owned()),
        ],
        inside,
    );
}

fn weights(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    let help = "Train rows whose labels overlap count less: average uniqueness (López de Prado 2018, §4.4)";
    form.choice(
        ui,
        "Row weights",
        "weights.uniqueness",
        help,
        &[(false, "all alike".to_owned()), (true, "by uniqueness".to_owned())],
        &mut spec.weights.uniqueness,
    );
    let help = "Weight of the oldest train row, where the newest has 1; below 0 the oldest count nothing (§4.7)";
    let value = &mut spec.weights.time_decay;
    form.optional_real(ui, "Time decay", "weights.time_decay", ("", help, "none"), 0.5, value);
}

/// Whose rows the scaler is fitted on.
pub(super) fn scaling(ui: &mut Ui, form: Form<'_>, scaling: &mut Scaling) {
    form.choice(
        ui,
        "Scaling",
        "scaling",
        "Mean and deviation of each feature come from a fold's train rows: those of all symbols that share a model, or each symbol's own",
        &[(Scaling::Global, "one for all".to_owned()), (Scaling::PerSymbol, "per symbol".to_owned())],
        scaling,
    );
}
