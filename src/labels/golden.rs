//! Labels against pandas and NumPy (`tests/golden/make_labels.py`).

use serde::Deserialize;

use super::{causal_volatility, compute, compute_panel};
use crate::domain::UtcMillis;
use crate::market::{BarColumns, Bars};
use crate::spec::LabelSpec;

#[derive(Deserialize)]
struct Golden {
    volatility_window: u32,
    symbols: Vec<Series>,
    horizons: Vec<Horizon>,
}

#[derive(Deserialize)]
struct Series {
    open: Vec<f64>,
    close: Vec<f64>,
    volatility: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Horizon {
    horizon: u32,
    symbols: Vec<Values>,
}

#[derive(Deserialize)]
struct Values {
    forward: Vec<Option<f64>>,
    scaled: Vec<Option<f64>>,
    demeaned: Vec<Option<f64>>,
}

fn golden() -> Golden {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/labels.json"));
    serde_json::from_str(text).unwrap()
}

fn bars(name: usize, series: &Series) -> Bars {
    let count = series.open.len();
    let extreme = |pick: fn(f64, f64) -> f64| {
        series.open.iter().zip(&series.close).map(|(open, close)| pick(*open, *close)).collect()
    };
    let columns = BarColumns {
        open_time: (0..).take(count).map(|hour: i64| UtcMillis(hour * 3_600_000)).collect(),
        open: series.open.clone(),
        high: extreme(f64::max),
        low: extreme(f64::min),
        close: series.close.clone(),
        volume: vec![1.0; count],
    };
    Bars::new(format!("S{name}").parse().unwrap(), "1h".parse().unwrap(), columns).unwrap()
}

/// `relative`: to the larger of the number and 1e-3.
fn assert_near(ours: impl Iterator<Item = f64>, theirs: &[Option<f64>], relative: f64, what: &str) {
    let ours: Vec<f64> = ours.collect();
    assert_eq!(ours.len(), theirs.len());
    for (t, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
        match theirs {
            Some(theirs) => {
                let off = (ours - theirs).abs() / theirs.abs().max(1e-3);
                assert!(off <= relative, "{what}, row {t}: {ours} and {theirs}");
            }
            None => assert!(ours.is_nan(), "{what}, row {t}: {ours}"),
        }
    }
}

#[test]
fn labels_agree_with_pandas() {
    /// Labels are stored in f32.
    const STORED: f64 = 1e-6;
    let golden = golden();
    let panel: Vec<Bars> =
        golden.symbols.iter().enumerate().map(|(name, series)| bars(name, series)).collect();
    for (bars, series) in panel.iter().zip(&golden.symbols) {
        let volatility = causal_volatility(bars.close(), golden.volatility_window as usize);
        assert_near(volatility.into_iter(), &series.volatility, 1e-10, "volatility");
    }
    let panel: Vec<&Bars> = panel.iter().collect();
    for Horizon { horizon, symbols } in golden.horizons {
        let volatility_window = golden.volatility_window;
        let demeaned =
            compute_panel(LabelSpec::DemeanedReturn { horizon, minimum_symbols: 3 }, &panel);
        for ((bars, theirs), demeaned) in panel.iter().zip(&symbols).zip(demeaned) {
            let forward = compute(LabelSpec::ForwardReturn { horizon }, bars);
            let what = format!("horizon {horizon}, forward return");
            assert_near(forward.outcome.into_iter(), &theirs.forward, 1e-13, &what);
            let scaled = compute(LabelSpec::ScaledReturn { horizon, volatility_window }, bars);
            let values = |values: Vec<f32>| values.into_iter().map(f64::from);
            let what = format!("horizon {horizon}, scaled return");
            assert_near(values(scaled.value), &theirs.scaled, STORED, &what);
            let what = format!("horizon {horizon}, demeaned return");
            assert_near(values(demeaned.value), &theirs.demeaned, STORED, &what);
        }
    }
}
