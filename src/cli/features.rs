use serde::Serialize;

use anyhow::Context;

use super::args::{FeaturesArguments, FeaturesCommand};
use super::interrupt::cancel_when_interrupted;
use super::{Exit, Printer, experiment};
use crate::domain::UtcMillis;
use crate::domain::text::count;
use crate::spec::{FEATURES, FeatureGroup, FeatureKind, ParameterValue};
use crate::workbench::write_features;

/// `walkforge features …`.
pub(super) fn features(arguments: &FeaturesArguments, printer: &Printer) -> anyhow::Result<Exit> {
    if let Some(FeaturesCommand::List(arguments)) = &arguments.command {
        return list(&arguments.search, printer);
    }
    let out = arguments.out.as_deref().context(
        "there is no file to write the features to; give --out FILE.parquet or FILE.csv, or look features up with `walkforge features list`",
    )?;
    let spec = experiment::described(&arguments.experiment)?;
    let cancel = cancel_when_interrupted()?;
    match write_features(&spec, out, UtcMillis::now(), &cancel) {
        Ok(table) => {
            for warning in &table.warnings {
                printer.warning(warning);
            }
            printer.line(&format!("{}: {} rows", out.display(), count(table.rows)));
            Ok(Exit::Done)
        }
        Err(error) if error.is_cancelled() => Ok(Exit::Cancelled),
        Err(error) => Err(error.into()),
    }
}

/// `walkforge features list`: what an experiment's `features` can hold. Words narrow it down.
fn list(search: &[String], printer: &Printer) -> anyhow::Result<Exit> {
    let search = search.join(" ");
    let found: Vec<&FeatureKind> =
        FEATURES.iter().filter(|kind| kind.is_found_by(&search)).collect();
    anyhow::ensure!(
        !found.is_empty(),
        "no feature is called or described by `{search}`; `walkforge features list` shows them all"
    );
    if printer.is_json() {
        for kind in found {
            printer.json_line(&Line::of(kind));
        }
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|kind| {
            vec![
                kind.group.title().to_owned(),
                kind.default_feature().to_string(),
                kind.title.to_owned(),
                kind.unit.to_owned(),
                kind.lookback.to_owned(),
            ]
        })
        .collect();
    let header = ["group", "as written, with the usual parameters", "feature", "unit", "warm-up"];
    printer.table(&header, header.len(), &rows);
    printer.note("Formulas, limits and sources: --json, or docs/FEATURES.md.");
    Ok(Exit::Done)
}

/// A feature as `--json` tells it.
#[derive(Serialize)]
struct Line {
    name: &'static str,
    title: &'static str,
    group: FeatureGroup,
    formula: &'static str,
    unit: &'static str,
    source: &'static str,
    warm_up: &'static str,
    needs: &'static str,
    example: String,
    columns: Vec<String>,
    parameters: Vec<ParameterLine>,
}

#[derive(Serialize)]
struct ParameterLine {
    name: &'static str,
    help: &'static str,
    usual: String,
    least: Option<f64>,
    most: Option<f64>,
}

impl Line {
    fn of(kind: &FeatureKind) -> Self {
        let feature = kind.default_feature();
        let parameters = feature.parameters().into_iter().map(|parameter| {
            let (usual, limits) = match parameter.value {
                ParameterValue::Bars(bars, limits) => {
                    let (least, most) = limits.into_inner();
                    (bars.to_string(), Some((f64::from(least), f64::from(most))))
                }
                ParameterValue::Number(number, limits) => {
                    (number.to_string(), Some(limits.into_inner()))
                }
                ParameterValue::Timeframe(timeframe) => (timeframe.to_string(), None),
                ParameterValue::Feature(feature) => (feature.to_string(), None),
            };
            let (least, most) = limits.unzip();
            ParameterLine { name: parameter.name, help: parameter.help, usual, least, most }
        });
        Self {
            name: kind.name,
            title: kind.title,
            group: kind.group,
            formula: kind.formula,
            unit: kind.unit,
            source: kind.source,
            warm_up: kind.lookback,
            needs: kind.needs,
            example: feature.to_string(),
            columns: feature.columns(),
            parameters: parameters.collect(),
        }
    }
}
