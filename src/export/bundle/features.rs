use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::spec::{FeatureSpec, ParameterValue};

/// One column of the model's input, and everything there is to say about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BundleFeature {
    /// The column, as in `log_return_4`.
    pub name: String,
    /// The feature as an experiment writes it, as in `LogReturn(lag: 4)`. Some features have several columns.
    pub feature: String,
    /// Its kind, as in `LogReturn`.
    pub kind: String,
    /// As people call the kind.
    pub title: String,
    /// What is computed.
    pub formula: String,
    /// Unit or range of the values.
    pub unit: String,
    /// Where the formula is from; empty for plain arithmetic.
    pub source: String,
    /// Rows of warm-up in words of the parameters.
    pub warm_up: String,
    /// Its parameters by name: numbers, a bar length, or the feature inside as an experiment writes it.
    pub parameters: BTreeMap<String, serde_json::Value>,
}

/// Every column in the order of the model's input.
pub(super) fn bundle_features(features: &[FeatureSpec]) -> Vec<BundleFeature> {
    let columns_of = |feature: &FeatureSpec| -> Vec<BundleFeature> {
        let kind = feature.kind();
        let parameters = feature.parameters().into_iter().map(|parameter| {
            let value = match parameter.value {
                ParameterValue::Bars(bars, _) => bars.into(),
                ParameterValue::Number(number, _) => number.into(),
                ParameterValue::Timeframe(timeframe) => timeframe.to_string().into(),
                ParameterValue::Feature(inner) => inner.to_string().into(),
            };
            (parameter.name.to_owned(), value)
        });
        let parameters: BTreeMap<String, serde_json::Value> = parameters.collect();
        let describe = |name: String| BundleFeature {
            name,
            feature: feature.to_string(),
            kind: kind.name.to_owned(),
            title: kind.title.to_owned(),
            formula: kind.formula.to_owned(),
            unit: kind.unit.to_owned(),
            source: kind.source.to_owned(),
            warm_up: kind.lookback.to_owned(),
            parameters: parameters.clone(),
        };
        feature.columns().into_iter().map(describe).collect()
    };
    features.iter().flat_map(columns_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_tells_its_feature_and_parameters() {
        let features: Vec<FeatureSpec> =
            ron::from_str("[Rsi(period: 14), TimeOfDay, CrossRank(of: LogReturn(lag: 4))]")
                .unwrap();
        let described = bundle_features(&features);
        let names: Vec<&str> = described.iter().map(|column| column.name.as_str()).collect();
        let expected: Vec<String> = features.iter().flat_map(FeatureSpec::columns).collect();
        assert_eq!(names, expected);
        assert!(names.len() > features.len(), "the time of day has two columns");
        assert_eq!(described[0].parameters["period"], 14);
        assert_eq!(described[0].feature, "Rsi(period: 14)");
        let last = described.last().unwrap();
        assert_eq!(last.parameters["of"], "LogReturn(lag: 4)");
        assert!(described.iter().all(|column| !column.formula.is_empty()));
    }
}
