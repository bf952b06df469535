//! The formulas against TA-Lib, pandas and scikit-learn (`tests/golden/make_features.py`), and the bars that this room's tests share.

use std::collections::BTreeMap;

use approx::assert_relative_eq;
use serde::Deserialize;

use super::compute::columns_of;
use super::{FeatureMatrix, Scaler, compute, compute_panel};
use crate::domain::UtcMillis;
use crate::market::{BarColumns, Bars};
use crate::spec::{FEATURES, FeatureGroup, FeatureKind, FeatureSpec};

const HOUR_MILLIS: i64 = 3_600_000;

/// Every kind of feature there is, with the usual parameters.
pub(super) fn every_feature() -> Vec<FeatureSpec> {
    FEATURES.iter().map(FeatureKind::default_feature).collect()
}

/// Hourly bars from `[open, high, low, close, volume]`.
pub(super) fn bars_of(rows: &[[f64; 5]]) -> Bars {
    let column = |column: usize| rows.iter().map(|row| row[column]).collect();
    let columns = BarColumns {
        open_time: (0..).take(rows.len()).map(|hour: i64| UtcMillis(hour * HOUR_MILLIS)).collect(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: column(4),
    };
    hourly(columns)
}

/// Hourly bars that open at these hours since 1970, at a constant price.
pub(super) fn bars_at_hours(hours: &[i64]) -> Bars {
    let constant = || vec![1.0; hours.len()];
    let columns = BarColumns {
        open_time: hours.iter().map(|hour| UtcMillis(hour * HOUR_MILLIS)).collect(),
        open: constant(),
        high: constant(),
        low: constant(),
        close: constant(),
        volume: constant(),
    };
    hourly(columns)
}

/// That many bars of a price that moves up and down.
pub(super) fn hourly_bars(count: u32) -> Bars {
    let price = |t: f64| 100.0 + 5.0 * (t * 0.7).sin() + 0.1 * t;
    let rows: Vec<[f64; 5]> = (0..count)
        .map(|t| {
            let (open, close) = (price(f64::from(t)), price(f64::from(t) + 1.0));
            let volume = 1000.0 + 400.0 * (f64::from(t) * 1.3).cos();
            [open, open.max(close) + 0.5, open.min(close) - 0.25, close, volume]
        })
        .collect();
    bars_of(&rows)
}

/// Hourly bars of these columns.
pub(super) fn hourly(columns: BarColumns) -> Bars {
    let symbol = "TEST".parse().unwrap();
    Bars::new(symbol, "1h".parse().unwrap(), columns).unwrap()
}

#[derive(Deserialize)]
struct Golden {
    walk: Series,
    quiet: Series,
    edge: Series,
    panel: Vec<Series>,
    scaler: ScalerCase,
}

/// Bars, and one entry per column of features; null where there is none.
#[derive(Deserialize)]
struct Series {
    open_time: Vec<i64>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
    expected: BTreeMap<String, Vec<Option<f64>>>,
}

#[derive(Deserialize)]
struct ScalerCase {
    columns: Vec<Vec<f64>>,
    rows: Vec<u32>,
    mean: Vec<f64>,
    scale: Vec<f64>,
    first_row: Vec<f64>,
}

fn golden() -> Golden {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/features.json"));
    serde_json::from_str(text).unwrap()
}

impl Series {
    fn bars(&self) -> Bars {
        hourly(BarColumns {
            open_time: self.open_time.iter().copied().map(UtcMillis).collect(),
            open: self.open.clone(),
            high: self.high.clone(),
            low: self.low.clone(),
            close: self.close.clone(),
            volume: self.volume.clone(),
        })
    }

    /// Every column of these features equals its golden column to 1e-9 of the value, or of the column's mean size where the value is smaller.
    fn check(&self, specs: &[FeatureSpec]) {
        let bars = self.bars();
        let mut disagreements = Vec::new();
        for spec in specs {
            for (name, ours) in spec.columns().iter().zip(columns_of(spec, &bars).unwrap()) {
                disagreements.extend(self.disagreements(name, &ours));
            }
        }
        assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
    }

    fn disagreements(&self, name: &str, ours: &[f64]) -> Vec<String> {
        let theirs =
            self.expected.get(name).unwrap_or_else(|| panic!("{name} has no golden numbers"));
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let known = theirs.iter().flatten();
        let size = known.clone().map(|value| value.abs()).sum::<f64>() / known.count() as f64;
        let disagreements =
            ours.iter().zip(theirs).enumerate().filter_map(|(t, (ours, theirs))| {
                let agree = theirs.map_or(ours.is_nan(), |theirs| {
                    (ours - theirs).abs() <= 1e-9 * theirs.abs().max(size)
                });
                (!agree).then(|| format!("{name}[{t}]: {ours}, they say {theirs:?}"))
            });
        disagreements.collect()
    }
}

/// Features whose numbers are no other library's: tested beside their code, or with golden numbers of their own.
fn has_golden_numbers(spec: &FeatureSpec) -> bool {
    !spec.is_cross_sectional()
        && spec.kind().group != FeatureGroup::Alpha158
        && !matches!(spec, FeatureSpec::TimeSinceSessionOpen | FeatureSpec::TimeToSessionClose)
}

#[test]
fn the_formulas_agree_with_talib_and_pandas() {
    let walk = golden().walk;
    let features: Vec<FeatureSpec> =
        every_feature().into_iter().filter(has_golden_numbers).collect();
    walk.check(&features);
    walk.check(&[
        FeatureSpec::LogReturn { lag: 24 },
        FeatureSpec::RealizedVolatility { window: 5 },
        FeatureSpec::Rsi { period: 2 },
        FeatureSpec::Atr { period: 2 },
    ]);
}

#[test]
fn prices_that_stand_still_and_bars_without_volume_agree_too() {
    let features: Vec<FeatureSpec> =
        every_feature().into_iter().filter(has_golden_numbers).collect();
    golden().edge.check(&features);
}

#[test]
fn a_market_that_moves_once_agrees_too() {
    golden().quiet.check(&[
        FeatureSpec::RealizedVolatility { window: 5 },
        FeatureSpec::Rsi { period: 5 },
        FeatureSpec::Atr { period: 5 },
    ]);
}

#[test]
fn symbols_are_compared_as_pandas_compares_them() {
    let series = golden().panel;
    let bars: Vec<Bars> = series.iter().map(Series::bars).collect();
    let panel: Vec<&Bars> = bars.iter().collect();
    let of = || Box::new(FeatureSpec::LogReturn { lag: 4 });
    let specs = [
        FeatureSpec::CrossRank { of: of() },
        FeatureSpec::CrossZScore { of: of() },
        FeatureSpec::CrossDemean { of: of() },
    ];
    let matrices = compute_panel(&specs, &panel).unwrap();
    for (series, matrix) in series.iter().zip(matrices) {
        for (column, name) in matrix.names().iter().enumerate() {
            for (t, (ours, theirs)) in matrix.column(column).zip(&series.expected[name]).enumerate()
            {
                let theirs = theirs.unwrap_or(f64::NAN) as f32;
                let agree = (ours - theirs).abs() <= 1e-6 * theirs.abs().max(1e-3);
                assert!(agree || ours.is_nan() && theirs.is_nan(), "{name}[{t}]: {ours}, {theirs}");
            }
        }
    }
}

#[test]
fn the_matrix_holds_the_same_numbers_in_f32() {
    let series = golden().walk;
    let spec = FeatureSpec::Rsi { period: 14 };
    let matrix = compute(&[spec], &series.bars()).unwrap();
    for (stored, theirs) in matrix.column(0).zip(&series.expected["rsi_14"]).skip(14) {
        assert_relative_eq!(f64::from(stored), theirs.unwrap(), max_relative = 1e-7);
    }
}

#[test]
fn the_scaler_agrees_with_scikit_learn() {
    let case = golden().scaler;
    let names = (0..case.columns.len()).map(|column| format!("c{column}")).collect();
    let matrix = FeatureMatrix::from_columns(names, &case.columns, 0).unwrap();
    let scaler = Scaler::fit(&matrix, &case.rows).unwrap();
    let mut row = matrix.row(case.rows[0] as usize).to_vec();
    scaler.transform(&mut row);
    let row: Vec<f64> = row.into_iter().map(f64::from).collect();
    assert_relative_eq!(scaler.mean(), &case.mean[..], max_relative = 1e-12);
    assert_relative_eq!(scaler.scale(), &case.scale[..], max_relative = 1e-12);
    assert_relative_eq!(&row[..], &case.first_row[..], max_relative = 1e-6, epsilon = 1e-9);
}
