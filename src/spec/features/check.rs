use std::collections::BTreeSet;

use super::{FeatureSpec, ParameterValue};
use crate::spec::SpecIssue;

impl FeatureSpec {
    /// What is impossible about the parameters, each with the path of its field under `path`.
    #[must_use]
    pub fn problems(&self, path: &str) -> Vec<SpecIssue> {
        let mut issues = Vec::new();
        self.find_problems(path, &mut issues);
        issues
    }

    /// The feature inside, where there is one.
    #[must_use]
    pub fn inner(&self) -> Option<&Self> {
        self.parameters().into_iter().find_map(|parameter| match parameter.value {
            ParameterValue::Feature(feature) => Some(feature),
            _ => None,
        })
    }

    /// Whether it compares symbols, so that it needs all of them at once.
    #[must_use]
    pub const fn is_cross_sectional(&self) -> bool {
        matches!(self, Self::CrossRank { .. } | Self::CrossZScore { .. } | Self::CrossDemean { .. })
    }

    fn find_problems(&self, path: &str, issues: &mut Vec<SpecIssue>) {
        let mut fail = |field: String, message: String| issues.push(SpecIssue { field, message });
        let mut inner = None;
        for parameter in self.parameters() {
            let field = format!("{path}.{}", parameter.name);
            match parameter.value {
                ParameterValue::Bars(value, limits) if !limits.contains(&value) => {
                    let (least, most) = limits.into_inner();
                    fail(field, format!("{value} must lie between {least} and {most}"));
                }
                ParameterValue::Number(value, limits) if !limits.contains(&value) => {
                    let (least, most) = limits.into_inner();
                    fail(field, format!("{value} must lie between {least} and {most}"));
                }
                ParameterValue::Feature(feature) => inner = Some((field, feature)),
                _ => {}
            }
        }
        if !self.is_consistent() {
            fail(path.to_owned(), format!("{} is needed", self.kind().needs));
        }
        if let Some((field, feature)) = inner {
            if !self.takes(feature) {
                fail(
                    field.clone(),
                    format!(
                        "{} cannot stand inside {}; what compares symbols goes outside and a higher timeframe inside, each once, as in \
                         CrossRank(of: Higher(timeframe: \"4h\", of: Rsi(period: 14)))",
                        feature.kind().name,
                        self.kind().name
                    ),
                );
            }
            feature.find_problems(&field, issues);
        }
    }

    /// Whether that feature may stand inside this one.
    #[must_use]
    pub fn takes(&self, feature: &Self) -> bool {
        let is_higher = |feature: &Self| matches!(feature, Self::Higher { .. });
        !(feature.is_cross_sectional() || is_higher(self) && is_higher(feature))
    }
}

/// What is impossible about a list of features.
pub(in crate::spec) fn problems(features: &[FeatureSpec]) -> Vec<SpecIssue> {
    let mut issues: Vec<SpecIssue> = features
        .iter()
        .enumerate()
        .flat_map(|(index, feature)| feature.problems(&format!("features[{index}]")))
        .collect();
    let mut fail = |message| issues.push(SpecIssue { field: "features".to_owned(), message });
    if features.is_empty() {
        fail("at least one is needed".to_owned());
    }
    let mut seen = BTreeSet::new();
    let columns = features.iter().flat_map(FeatureSpec::columns);
    if let Some(repeated) = columns.into_iter().find(|column| !seen.insert(column.clone())) {
        fail(format!("the column {repeated} is made twice; leave one of the features out"));
    }
    issues
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_impossible_is_named_by_its_path() {
        for (written, field, message) in [
            ("Rsi(period: 1)", "f.period", "1 must lie between 2 and 100000"),
            ("Macd(fast: 26, slow: 26, signal: 9)", "f", "fast < slow is needed"),
            (
                "BollingerPosition(window: 20, deviations: 0.0)",
                "f.deviations",
                "0 must lie between 0.01 and 100",
            ),
            (
                "ReturnQuantile(window: 9, quantile: 1.5)",
                "f.quantile",
                "1.5 must lie between 0 and 1",
            ),
            ("CrossRank(of: Rsi(period: 0))", "f.of.period", "0 must lie"),
            (
                "CrossRank(of: CrossRank(of: TimeGap))",
                "f.of",
                "CrossRank cannot stand inside CrossRank",
            ),
            (
                "Higher(timeframe: \"4h\", of: CrossRank(of: TimeGap))",
                "f.of",
                "cannot stand inside Higher",
            ),
            (
                "Higher(timeframe: \"1d\", of: Higher(timeframe: \"4h\", of: TimeGap))",
                "f.of",
                "Higher cannot stand inside Higher",
            ),
        ] {
            let feature: FeatureSpec = ron::from_str(written).unwrap();
            let issues = feature.problems("f");
            assert_eq!(issues.len(), 1, "{written}: {issues:?}");
            assert_eq!(issues[0].field, field, "{written}");
            assert!(issues[0].message.contains(message), "{written}: {issues:?}");
        }
        let nested = "CrossRank(of: Higher(timeframe: \"4h\", of: Rsi(period: 14)))";
        let feature: FeatureSpec = ron::from_str(nested).unwrap();
        assert_eq!(feature.problems("f"), []);
        assert_eq!(feature.columns(), ["cross_rank_4h_rsi_14"]);
        assert_eq!(feature.lookback("1h".parse().unwrap()), 4 * (14 + 2));
    }

    #[test]
    fn a_column_is_made_once() {
        let features = [FeatureSpec::Alpha158, FeatureSpec::Alpha158Rolling { window: 20 }];
        let issues = problems(&features);
        assert!(issues[0].message.contains("the column ROC20 is made twice"), "{issues:?}");
    }
}
