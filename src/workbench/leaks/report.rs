use serde::Serialize;

use crate::domain::Timeframe;
use crate::domain::text::number;

/// What the leak check of an experiment found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeakReport {
    /// The experiment's name.
    pub experiment: String,
    /// Everything that was checked, in the order it was.
    pub checks: Vec<LeakCheck>,
    /// What shuffled folds would have made of the same experiment; `None` where that was not asked for.
    pub contrast: Option<Contrast>,
}

impl LeakReport {
    /// What leaks.
    pub fn leaks(&self) -> impl Iterator<Item = &LeakCheck> {
        self.checks.iter().filter(|check| check.culprit.is_some())
    }

    /// Whether nothing leaks.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.leaks().next().is_none()
    }
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeakCheck {
    /// What kind of thing it is.
    pub subject: Subject,
    /// Which one: a column, a label, a fold, a fitted statistic.
    pub name: String,
    /// What was done, with numbers: what passed rests on this.
    pub evidence: String,
    /// What leaks and where; `None` where nothing does.
    pub culprit: Option<String>,
}

/// What can leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A column of the feature matrix: its row t must depend on bars closed by then alone.
    Feature,
    /// The label: it must be known when its end time says.
    Label,
    /// The rows of a fold: no label may reach into a later section.
    Fold,
    /// What is learnt before training: it must depend on train rows alone.
    Fit,
}

impl Subject {
    /// Every one, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Feature, Self::Label, Self::Fold, Self::Fit];

    /// As a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Feature => "Features",
            Self::Label => "Label",
            Self::Fold => "Folds",
            Self::Fit => "Fitted on train rows",
        }
    }

    /// What is asked of it.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Feature => {
                "computed again without the bars that came later: is every earlier row the same?"
            }
            Self::Label => "computed again with other prices after its end time: is it the same?",
            Self::Fold => "does any label reach into a section that comes later?",
            Self::Fit => "fitted again after every other row was changed: is it the same?",
        }
    }
}

/// The same experiment on honest and on shuffled folds: what leakage would have made of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contrast {
    /// What is compared, in words.
    pub metric: &'static str,
    /// One entry for the model and each baseline.
    pub predictors: Vec<PredictorContrast>,
    /// Folds of the shuffled cross-validation.
    pub shuffled_folds: u32,
}

/// A predictor on honest and on shuffled folds, over the same test rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictorContrast {
    /// `model` or `ridge`.
    pub name: String,
    /// The bar length.
    pub timeframe: Timeframe,
    /// By the experiment's own folds.
    pub honest: Option<f64>,
    /// Student's t of it by Newey and West, where it is a mean over moments.
    pub honest_t: Option<f64>,
    /// By shuffled K-fold.
    pub shuffled: Option<f64>,
}

impl PredictorContrast {
    /// How many times as high shuffled folds would have put it; `None` where the honest one is not above 0.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let (honest, shuffled) = (self.honest?, self.shuffled?);
        (honest > 0.0).then(|| shuffled / honest)
    }

    /// What it means, in a sentence.
    #[must_use]
    pub fn verdict(&self) -> String {
        let shuffled = number(self.shuffled, 4);
        match (self.honest, self.shuffled, self.ratio()) {
            (_, _, Some(ratio)) if ratio >= 2.0 => format!(
                "shuffled folds would have shown {shuffled}, {ratio:.1} times as much: that is what leakage looks like"
            ),
            (Some(honest), Some(found), _) if found > honest + HARDLY => format!(
                "shuffled folds would have shown {shuffled} instead of {honest:.4}: the difference is leakage"
            ),
            (Some(_), Some(_), _) => format!(
                "shuffled folds would have shown {shuffled}: this predictor does not profit from leaked rows"
            ),
            _ => "too few rows to compare".to_owned(),
        }
    }
}

/// A difference between two correlations that says nothing.
const HARDLY: f64 = 0.002;

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(honest: Option<f64>, shuffled: Option<f64>) -> PredictorContrast {
        PredictorContrast {
            name: "model".to_owned(),
            timeframe: "1h".parse().unwrap(),
            honest,
            honest_t: None,
            shuffled,
        }
    }

    #[test]
    fn the_verdict_follows_from_the_numbers() {
        for (honest, shuffled, expected) in [
            (Some(0.0335), Some(0.106), "3.2 times as much"),
            (Some(-0.01), Some(0.05), "instead of -0.0100"),
            (Some(0.03), Some(0.04), "instead of 0.0300"),
            (Some(0.03), Some(0.03), "does not profit"),
            (None, Some(0.1), "too few rows"),
        ] {
            let verdict = contrast(honest, shuffled).verdict();
            assert!(verdict.contains(expected), "{verdict}");
        }
        assert_eq!(contrast(Some(-0.1), Some(0.2)).ratio(), None);
    }
}
