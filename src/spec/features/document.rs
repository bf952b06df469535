//! `docs/FEATURES.md`, written from the table.

use std::fmt::Write;

use super::{FEATURES, FeatureGroup, FeatureKind, ParameterValue};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FEATURES.md");

const HEAD: &str = "\
# Features

What `features` of an experiment can list. This file is written from the table in `src/spec/features/table.rs`:

```sh
UPDATE_FEATURES=1 cargo test --lib spec::features::document
```

Row t of any feature depends on bars that closed at or before bar t's close. *Warm-up* counts the bars before bar t that row t needs, in words
of the parameters (`base` is the length of the bars); earlier rows are never learnt from. Prices enter as ratios, so that symbols can be pooled. `volume` is in
the file's unit. What is not defined is missing, never 0. Every feature can stand inside `CrossRank`, `CrossZScore`, `CrossDemean` and `Higher`, as in
`CrossRank(of: Higher(timeframe: \"4h\", of: Rsi(period: 14)))`.
";

fn document() -> String {
    let mut text = HEAD.to_owned();
    for group in FeatureGroup::ALL {
        write!(
            text,
            "\n## {}\n\n| feature | formula | unit | warm-up | parameters | source |\n| --- | --- | --- | --- | --- | --- |\n",
            group.title()
        )
        .unwrap();
        for kind in FEATURES.iter().filter(|kind| kind.group == group) {
            text.push_str(&row(kind));
        }
    }
    text
}

fn row(kind: &FeatureKind) -> String {
    let feature = kind.default_feature();
    let parameters = feature.parameters().into_iter().map(|parameter| {
        let limits = match parameter.value {
            ParameterValue::Bars(_, limits) => format!(" ({} to {})", limits.start(), limits.end()),
            ParameterValue::Number(_, limits) => {
                format!(" ({} to {})", limits.start(), limits.end())
            }
            ParameterValue::Timeframe(_) | ParameterValue::Feature(_) => String::new(),
        };
        format!("`{}`: {}{limits}", parameter.name, parameter.help.trim_end_matches('.'))
    });
    let mut parameters = parameters.collect::<Vec<_>>().join("; ");
    if !kind.needs.is_empty() {
        write!(parameters, "; `{}`", kind.needs).unwrap();
    }
    // A bar within a cell would end it.
    let cells = [kind.formula, kind.unit, kind.lookback, &parameters, kind.source]
        .map(|cell| cell.replace('|', "\\|"));
    let [formula, unit, lookback, parameters, source] = cells;
    format!(
        "| **{}** `{feature}` | {formula} | {unit} | {lookback} | {parameters} | {source} |\n",
        kind.title
    )
}

#[test]
fn the_document_says_what_the_table_says() {
    let text = document();
    if std::env::var_os("UPDATE_FEATURES").is_some() {
        std::fs::write(PATH, &text).unwrap();
    }
    let found = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(found == text, "docs/FEATURES.md is stale; write it anew with UPDATE_FEATURES=1");
}

#[test]
fn every_feature_is_described_and_found() {
    for kind in FEATURES {
        let feature = kind.default_feature();
        assert_eq!(feature.kind().name, kind.name);
        assert_eq!(feature.problems("features[0]"), [], "{feature}");
        assert!(!kind.formula.is_empty() && !kind.unit.is_empty() && !kind.lookback.is_empty());
        assert!(kind.is_found_by(&kind.name.to_uppercase()));
        let written = feature.to_string();
        assert_eq!(ron::from_str::<super::FeatureSpec>(&written).unwrap(), feature, "{written}");
    }
    let found = |search: &str| FEATURES.iter().filter(|kind| kind.is_found_by(search)).count();
    assert!(found("wilder index") >= 2 && found("donchian") >= 1);
    assert_eq!(found("no such feature"), 0);
    let groups = FEATURES.iter().map(|kind| kind.group);
    assert!(groups.is_sorted(), "the table is in the order of the groups");
}
