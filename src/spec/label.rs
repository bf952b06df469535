use serde::{Deserialize, Serialize};

use super::validate::Check;

/// What the model is to predict at bar t. Filled no earlier than the open of bar t+1.
///
/// The *forward return* is `open[t+1+horizon] / open[t+1] - 1`. *Volatility* at t is the sample standard deviation of the last
/// `volatility_window` one-bar log returns of the close, up to bar t: known at the decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum LabelSpec {
    /// The forward return: a regression on the standardised label with the mean squared error.
    ForwardReturn {
        /// Bars held, at least 1.
        horizon: u32,
    },
    /// The forward return divided by volatility × √horizon, so that calm and wild times weigh alike: a regression.
    ScaledReturn {
        /// Bars held, at least 1.
        horizon: u32,
        /// Returns behind the volatility, at least 2.
        volatility_window: u32,
    },
    /// The forward return minus the mean of all symbols that decide at the same moment: which symbol does better, whatever the market does. A
    /// regression. A label ends when the last one behind its mean has ended.
    DemeanedReturn {
        /// Bars held, at least 1.
        horizon: u32,
        /// The fewest symbols that make a mean, at least 2; with fewer there is nothing to learn from that moment.
        #[serde(default = "ten")]
        minimum_symbols: u32,
    },
    /// Where the forward return ranks among all symbols that decide at the same moment: from -√3 for the lowest to √3 for the highest, so that its
    /// deviation is about 1, equal ones sharing a rank (Qlib's `CSRankNorm`, centred). A regression that outliers cannot pull. A label ends when the
    /// last one it is ranked among has ended.
    RankedReturn {
        /// Bars held, at least 1.
        horizon: u32,
        /// The fewest symbols that make a ranking, at least 2; with fewer there is nothing to learn from that moment.
        #[serde(default = "ten")]
        minimum_symbols: u32,
    },
    /// 1 where the forward return is above zero, else 0: a classification. With a class for returns too small to have a direction: 0 down, 1
    /// flat, 2 up.
    Direction {
        /// Bars held, at least 1.
        horizon: u32,
        /// Returns too small to learn a direction from.
        #[serde(default)]
        dead_zone: DeadZone,
        /// What those teach.
        #[serde(default)]
        inside: InsideDeadZone,
    },
    /// 1 where the price reaches the profit barrier before the stop barrier, else 0 (López de Prado 2018, §3.4): a classification. Barriers
    /// stand at so many times the volatility of one bar from the open of bar t+1, and are watched from that bar on. With a class for those that
    /// reach neither: 0 stop, 1 time ran out, 2 profit.
    TripleBarrier {
        /// Bars after which the position is closed at the next open, at least 1.
        horizon: u32,
        /// Distance of the upper barrier, a multiple of the volatility of one bar.
        profit_take: f64,
        /// Distance of the lower barrier, a multiple of the volatility of one bar.
        stop_loss: f64,
        /// Returns behind the volatility, at least 2.
        volatility_window: u32,
        /// What is learnt where neither barrier was reached.
        #[serde(default)]
        timeout: Timeout,
    },
}

/// Forward returns too small to learn a direction from. Test rows inside are predicted and scored all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum DeadZone {
    /// Every row is learnt from.
    #[default]
    None,
    /// Returns of no more than so many basis points, up or down.
    Bps(f64),
    /// Returns of no more than this quantile of the absolute returns of the fold's train rows, above 0 and below 1.
    TrainQuantile(f64),
}

/// What a row in the dead zone teaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InsideDeadZone {
    /// Nothing: two classes, and train and validation rows inside are left out.
    #[default]
    LeaveOut,
    /// That nothing much happened: a third class.
    Flat,
}

/// What a triple barrier teaches where time ran out before a barrier was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Timeout {
    /// The sign of the return until then.
    #[default]
    Sign,
    /// Nothing; test rows are predicted and scored all the same.
    LeaveOut,
    /// That it ran out: a third class.
    Class,
}

const fn ten() -> u32 {
    10
}

impl LabelSpec {
    /// Bars held at most.
    #[must_use]
    pub const fn horizon(self) -> u32 {
        match self {
            Self::ForwardReturn { horizon }
            | Self::ScaledReturn { horizon, .. }
            | Self::DemeanedReturn { horizon, .. }
            | Self::RankedReturn { horizon, .. }
            | Self::Direction { horizon, .. }
            | Self::TripleBarrier { horizon, .. } => horizon,
        }
    }

    /// The kind's name, as people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ForwardReturn { .. } => "forward return",
            Self::ScaledReturn { .. } => "scaled return",
            Self::DemeanedReturn { .. } => "demeaned return",
            Self::RankedReturn { .. } => "ranked return",
            Self::Direction { .. } => "direction",
            Self::TripleBarrier { .. } => "triple barrier",
        }
    }

    /// The fewest symbols at a moment, where the label compares symbols.
    #[must_use]
    pub const fn minimum_symbols(self) -> Option<u32> {
        match self {
            Self::DemeanedReturn { minimum_symbols, .. }
            | Self::RankedReturn { minimum_symbols, .. } => Some(minimum_symbols),
            _ => None,
        }
    }

    /// How many classes the model chooses among; `None` where it says how much. Two are no and yes; three are worse, neither and better, whose
    /// label values are 0, 1 and 2.
    #[must_use]
    pub const fn classes(self) -> Option<u32> {
        match self {
            Self::Direction { inside: InsideDeadZone::Flat, .. }
            | Self::TripleBarrier { timeout: Timeout::Class, .. } => Some(3),
            Self::Direction { .. } | Self::TripleBarrier { .. } => Some(2),
            _ => None,
        }
    }

    /// The classes' names, as people read them; a class's place is its label value. Empty where there are none.
    #[must_use]
    pub const fn class_names(self) -> &'static [&'static str] {
        match (self, self.classes()) {
            (Self::Direction { .. }, Some(3)) => &["down", "flat", "up"],
            (Self::Direction { .. }, _) => &["not up", "up"],
            (Self::TripleBarrier { .. }, Some(3)) => &["stop first", "neither", "profit first"],
            (Self::TripleBarrier { .. }, _) => &["stop first", "profit first"],
            _ => &[],
        }
    }

    /// Whether the model chooses among classes rather than saying how much.
    #[must_use]
    pub const fn is_classification(self) -> bool {
        self.classes().is_some()
    }

    /// Whether a fold's dead zone decides on the class of its rows.
    #[must_use]
    pub const fn has_flat_class(self) -> bool {
        matches!(self, Self::Direction { inside: InsideDeadZone::Flat, .. })
    }

    /// Whether the model says yes or no.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self.classes(), Some(2))
    }

    /// Numbers that a model for this label gives out for each sample: one, or a logit for each of three classes.
    #[must_use]
    pub const fn outputs(self) -> u32 {
        match self.classes() {
            Some(3) => 3,
            _ => 1,
        }
    }

    /// The prediction that says neither up nor down, in the unit of a prediction: of a barrier the probability at which profit and stop cancel
    /// each other; 0 where three classes are weighed against each other.
    #[must_use]
    pub const fn neutral(self) -> f64 {
        match self {
            Self::Direction { inside: InsideDeadZone::LeaveOut, .. } => 0.5,
            Self::TripleBarrier {
                profit_take,
                stop_loss,
                timeout: Timeout::Sign | Timeout::LeaveOut,
                ..
            } => stop_loss / (profit_take + stop_loss),
            _ => 0.0,
        }
    }

    /// Returns too small to have a direction.
    #[must_use]
    pub const fn dead_zone(self) -> DeadZone {
        match self {
            Self::Direction { dead_zone, .. } => dead_zone,
            _ => DeadZone::None,
        }
    }

    pub(super) fn check(self, check: &mut Check) {
        check.within("label.horizon", self.horizon());
        match self {
            Self::ForwardReturn { .. } => {}
            Self::ScaledReturn { volatility_window, .. } => {
                check.within("label.volatility_window", volatility_window);
            }
            Self::DemeanedReturn { minimum_symbols, .. }
            | Self::RankedReturn { minimum_symbols, .. } => {
                check.within("label.minimum_symbols", minimum_symbols);
            }
            Self::Direction { dead_zone, inside, .. } => match dead_zone {
                DeadZone::None => {
                    check.that(inside != InsideDeadZone::Flat, "label.inside", || {
                        "Flat needs a dead zone: nothing else says what is flat".to_owned()
                    });
                }
                DeadZone::Bps(bps) => {
                    check.within_as("label.dead_zone.Bps", "label.dead_zone", bps);
                }
                DeadZone::TrainQuantile(share) => {
                    check.within_as("label.dead_zone.TrainQuantile", "label.dead_zone", share);
                }
            },
            Self::TripleBarrier { profit_take, stop_loss, volatility_window, .. } => {
                check.within("label.profit_take", profit_take);
                check.within("label.stop_loss", stop_loss);
                check.within("label.volatility_window", volatility_window);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_written_before_there_were_three_classes_are_read_as_they_were_meant() {
        for (text, classes, neutral) in [
            ("ForwardReturn(horizon: 4)", None, 0.0),
            ("Direction(horizon: 4)", Some(2), 0.5),
            ("Direction(horizon: 4, dead_zone: Bps(5.0))", Some(2), 0.5),
            ("Direction(horizon: 4, dead_zone: Bps(5.0), inside: Flat)", Some(3), 0.0),
            (
                "TripleBarrier(horizon: 4, profit_take: 3.0, stop_loss: 1.0, volatility_window: 9)",
                Some(2),
                0.25,
            ),
            (
                "TripleBarrier(horizon: 4, profit_take: 3.0, stop_loss: 1.0, volatility_window: 9, timeout: LeaveOut)",
                Some(2),
                0.25,
            ),
            (
                "TripleBarrier(horizon: 4, profit_take: 3.0, stop_loss: 1.0, volatility_window: 9, timeout: Class)",
                Some(3),
                0.0,
            ),
        ] {
            let label: LabelSpec = ron::from_str(text).unwrap();
            assert_eq!((label.classes(), label.neutral()), (classes, neutral), "{text}");
            assert_eq!(label.is_binary(), classes == Some(2), "{text}");
            assert_eq!(label.outputs(), if classes == Some(3) { 3 } else { 1 }, "{text}");
            assert_eq!(label.is_classification(), classes.is_some(), "{text}");
            assert_eq!(label.class_names().len(), classes.unwrap_or(0) as usize, "{text}");
        }
    }
}
