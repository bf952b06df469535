//! The formulas against TA-Lib, pandas and scikit-learn (`tests/golden/make_features.py`), and the bars that this room's tests share.

use std::collections::BTreeMap;

use approx::assert_relative_eq;
use serde::Deserialize;

use super::compute::columns_of;
use super::{FeatureMatrix, Scaler, compute};
use crate::domain::UtcMillis;
use crate::market::{BarColumns, Bars};
use crate::spec::FeatureSpec;

const HOUR_MILLIS: i64 = 3_600_000;

/// Every kind of feature, short enough for small tests.
pub(super) const ALL: [FeatureSpec; 8] = [
    FeatureSpec::LogReturn { lag: 3 },
    FeatureSpec::RealizedVolatility { window: 5 },
    FeatureSpec::Rsi { period: 4 },
    FeatureSpec::Atr { period: 6 },
    FeatureSpec::VolumeZScore { window: 7 },
    FeatureSpec::RangePosition { window: 4 },
    FeatureSpec::TimeOfDay,
    FeatureSpec::TimeGap,
];

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

fn hourly(columns: BarColumns) -> Bars {
    let symbol = "TEST".parse().unwrap();
    Bars::new(symbol, "1h".parse().unwrap(), columns).unwrap()
}

#[derive(Deserialize)]
struct Golden {
    walk: Series,
    quiet: Series,
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

    /// Every column of these features equals its golden column to 1e-9, relative or absolute.
    fn check(&self, specs: &[FeatureSpec]) {
        let bars = self.bars();
        for spec in specs {
            for (name, ours) in spec.columns().iter().zip(columns_of(spec, &bars).unwrap()) {
                let theirs = &self.expected[name];
                assert_eq!(ours.len(), theirs.len(), "{name}");
                for (t, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                    let Some(theirs) = *theirs else {
                        assert!(ours.is_nan(), "{name}[{t}]: {ours}, they have none");
                        continue;
                    };
                    let off = (ours - theirs).abs();
                    assert!(
                        off <= 1e-9 * theirs.abs().max(1.0),
                        "{name}[{t}]: {ours}, they say {theirs}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_formulas_agree_with_talib_and_pandas() {
    golden().walk.check(&[
        FeatureSpec::LogReturn { lag: 1 },
        FeatureSpec::LogReturn { lag: 24 },
        FeatureSpec::RealizedVolatility { window: 24 },
        FeatureSpec::Rsi { period: 14 },
        FeatureSpec::Rsi { period: 2 },
        FeatureSpec::Atr { period: 14 },
        FeatureSpec::Atr { period: 2 },
        FeatureSpec::VolumeZScore { window: 48 },
        FeatureSpec::RangePosition { window: 24 },
        FeatureSpec::TimeOfDay,
        FeatureSpec::TimeGap,
    ]);
}

#[test]
fn a_market_that_stands_still_agrees_too() {
    golden().quiet.check(&[
        FeatureSpec::RealizedVolatility { window: 5 },
        FeatureSpec::Rsi { period: 5 },
        FeatureSpec::Atr { period: 5 },
    ]);
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
