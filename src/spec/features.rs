//! What features there are: one table ([`FEATURES`]) from which the specification, its checks, column names, lookbacks, the window's picker,
//! `walkforge features list` and `docs/FEATURES.md` follow.

use std::fmt;

use serde::Serialize;

mod check;
#[cfg(test)]
mod document;
mod macros;
mod parameter;
mod table;

pub(super) use check::problems;
pub use parameter::{Parameter, ParameterMut, ParameterValue, ParameterValueMut};
pub use table::{ALPHA158_WINDOWS, FEATURES, FeatureSpec};

/// What is known of every feature of a kind.
#[derive(Debug)]
pub struct FeatureKind {
    /// As it is written in a specification.
    pub name: &'static str,
    /// As people call it.
    pub title: &'static str,
    /// Where the picker shows it.
    pub group: FeatureGroup,
    /// What is computed.
    pub formula: &'static str,
    /// Unit or range of the values.
    pub unit: &'static str,
    /// Where the formula is from: a paper, or the name in TA-Lib, pandas or Qlib. Empty for plain arithmetic.
    pub source: &'static str,
    /// Rows of warm-up in words of the parameters.
    pub lookback: &'static str,
    /// What the parameters must fulfil together; empty for nothing.
    pub needs: &'static str,
    default: fn() -> FeatureSpec,
}

impl FeatureKind {
    /// The feature with the usual parameters.
    #[must_use]
    pub fn default_feature(&self) -> FeatureSpec {
        (self.default)()
    }

    /// Whether every word of a search occurs in what is known about the kind, in whatever case.
    #[must_use]
    pub fn is_found_by(&self, search: &str) -> bool {
        let texts = [self.name, self.title, self.group.title(), self.formula, self.source];
        let text = texts.join("\n").to_lowercase();
        search.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}

/// The groups of features, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureGroup {
    /// Change of the price.
    Returns,
    /// Where the price is heading.
    Trend,
    /// How fast, and whether too fast.
    Momentum,
    /// How much the price moves.
    Volatility,
    /// What is traded.
    Volume,
    /// Where the price stands in its own past.
    Position,
    /// Statistics of the last returns.
    Statistics,
    /// The date and the hour.
    Calendar,
    /// Opening hours and gaps.
    Session,
    /// Against the other symbols.
    CrossSection,
    /// Longer bars.
    HigherTimeframe,
    /// Qlib's set.
    Alpha158,
}

impl fmt::Display for FeatureSpec {
    /// As it is written in an experiment: `Rsi(period: 14)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = |parameter: Parameter<'_>| {
            let value = match parameter.value {
                ParameterValue::Bars(bars, _) => bars.to_string(),
                ParameterValue::Number(number, _) => number.to_string(),
                ParameterValue::Timeframe(timeframe) => format!("\"{timeframe}\""),
                ParameterValue::Feature(feature) => feature.to_string(),
            };
            format!("{}: {value}", parameter.name)
        };
        let parameters: Vec<String> = self.parameters().into_iter().map(written).collect();
        f.write_str(self.kind().name)?;
        if parameters.is_empty() { Ok(()) } else { write!(f, "({})", parameters.join(", ")) }
    }
}

impl FeatureGroup {
    /// Every group.
    pub const ALL: [Self; 12] = [
        Self::Returns,
        Self::Trend,
        Self::Momentum,
        Self::Volatility,
        Self::Volume,
        Self::Position,
        Self::Statistics,
        Self::Calendar,
        Self::Session,
        Self::CrossSection,
        Self::HigherTimeframe,
        Self::Alpha158,
    ];

    /// As people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Returns => "Returns",
            Self::Trend => "Trend",
            Self::Momentum => "Momentum",
            Self::Volatility => "Volatility",
            Self::Volume => "Volume",
            Self::Position => "Price position",
            Self::Statistics => "Statistics",
            Self::Calendar => "Calendar",
            Self::Session => "Session",
            Self::CrossSection => "Cross-section",
            Self::HigherTimeframe => "Higher timeframe",
            Self::Alpha158 => "Alpha158",
        }
    }
}
