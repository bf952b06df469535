use serde::{Deserialize, Serialize};

use super::scores::help;
use crate::domain::TaskReport;
use crate::domain::text::{number, percent};

/// A figure of a fold that the heat map can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Metric {
    Ic,
    #[default]
    RankIc,
    HitRate,
    NetReturn,
    Sharpe,
    MaxDrawdown,
    ValidationLoss,
}

/// Which value a scale of colours begins at, in both directions.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Middle {
    At(f64),
    /// The mean of what is shown: no value by itself is good or bad.
    Mean,
}

impl Metric {
    pub(super) const ALL: [Self; 7] = [
        Self::Ic,
        Self::RankIc,
        Self::HitRate,
        Self::NetReturn,
        Self::Sharpe,
        Self::MaxDrawdown,
        Self::ValidationLoss,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ic => "IC",
            Self::RankIc => "Rank IC",
            Self::HitRate => "Hit rate",
            Self::NetReturn => "Net return",
            Self::Sharpe => "Sharpe",
            Self::MaxDrawdown => "Max drawdown",
            Self::ValidationLoss => "Validation loss",
        }
    }

    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Ic => help::IC,
            Self::RankIc => help::RANK_IC,
            Self::HitRate => help::HIT_RATE,
            Self::NetReturn => help::NET_RETURN,
            Self::Sharpe => help::SHARPE,
            Self::MaxDrawdown => help::MAX_DRAWDOWN,
            Self::ValidationLoss => "Validation loss of the best epoch",
        }
    }

    pub(super) fn of(self, report: &TaskReport) -> Option<f64> {
        let score = &report.model;
        let value = match self {
            Self::Ic => score.ic_ts,
            Self::RankIc => score.rank_ic_ts,
            Self::HitRate => score.hit_rate,
            Self::NetReturn => score.total_return,
            Self::Sharpe => score.sharpe,
            Self::MaxDrawdown => score.max_drawdown,
            Self::ValidationLoss => report.validation_loss,
        };
        value.filter(|value| value.is_finite())
    }

    pub(super) fn text(self, value: Option<f64>) -> String {
        match self {
            Self::Ic | Self::RankIc => number(value, 4),
            Self::HitRate | Self::NetReturn | Self::MaxDrawdown => percent(value),
            Self::Sharpe => number(value, 2),
            Self::ValidationLoss => number(value, 5),
        }
    }

    /// As short as it still tells cells apart, for a cell.
    pub(super) fn short_text(self, value: f64) -> String {
        match self {
            Self::Ic | Self::RankIc | Self::ValidationLoss => number(Some(value), 3),
            Self::HitRate | Self::NetReturn | Self::MaxDrawdown => {
                format!("{:.1}", 100.0 * value)
            }
            Self::Sharpe => number(Some(value), 2),
        }
    }

    const fn more_is_better(self) -> bool {
        !matches!(self, Self::MaxDrawdown | Self::ValidationLoss)
    }

    const fn middle(self) -> Middle {
        match self {
            Self::Ic | Self::RankIc | Self::NetReturn | Self::Sharpe => Middle::At(0.0),
            Self::HitRate => Middle::At(0.5),
            Self::MaxDrawdown | Self::ValidationLoss => Middle::Mean,
        }
    }

    /// The values of the scale's ends and middle for what is shown: the worst, the middle, the best; the ends are equally far from the middle.
    /// `None` where nothing is.
    pub(super) fn scale(self, values: impl Iterator<Item = f64> + Clone) -> Option<Scale> {
        let count = values.clone().count();
        if count == 0 {
            return None;
        }
        let middle = match self.middle() {
            Middle::At(middle) => middle,
            Middle::Mean => values.clone().sum::<f64>() / count as f64,
        };
        let reach = values.map(|value| (value - middle).abs()).fold(0.0, f64::max);
        let reach = if self.more_is_better() { reach } else { -reach };
        Some(Scale { middle, reach })
    }
}

/// Which values have which colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) middle: f64,
    /// From the middle to the best; negative where less is better.
    pub(super) reach: f64,
}

impl Scale {
    /// From -1, the worst, to 1, the best.
    pub(super) fn place(self, value: f64) -> f32 {
        if self.reach == 0.0 { 0.0 } else { ((value - self.middle) / self.reach) as f32 }
    }

    pub(super) fn worst(self) -> f64 {
        self.middle - self.reach
    }

    pub(super) fn best(self) -> f64 {
        self.middle + self.reach
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_begin_where_a_figure_says_nothing_and_reach_equally_far() {
        let scale = |metric: Metric, values: &[f64]| metric.scale(values.iter().copied());
        let found = scale(Metric::RankIc, &[-0.01, 0.04]).unwrap();
        assert_eq!((found.worst(), found.middle, found.best()), (-0.04, 0.0, 0.04));
        assert_eq!((found.place(0.04), found.place(-0.01)), (1.0, -0.25));
        let found = scale(Metric::MaxDrawdown, &[0.25, 0.75]).unwrap();
        assert_eq!((found.worst(), found.middle, found.best()), (0.75, 0.5, 0.25));
        assert_eq!((found.place(0.25), found.place(0.75)), (1.0, -1.0));
        let found = scale(Metric::HitRate, &[0.5]).unwrap();
        assert_eq!(found.place(0.5), 0.0, "nothing tells worse from better");
        assert_eq!(scale(Metric::Ic, &[]), None);
    }
}
