use std::sync::Arc;

use super::{DatasetError, Series, TaskData};
use crate::domain::{Device, FoldPlan, Symbol};
use crate::market::{Bars, synthetic_bars};
use crate::spec::{ExperimentSpec, SyntheticMarket, SyntheticSpec, load};
use crate::validation::{decision_axis, walk_forward};

const WINDOW: u32 = 5;

fn experiment() -> ExperimentSpec {
    let mut spec = load("mlp-return").unwrap();
    spec.window = WINDOW;
    spec.validation.train_bars = 200;
    spec.validation.validation_bars = 60;
    spec.validation.test_bars = 50;
    spec
}

fn bars(symbol: &str, count: u32) -> Bars {
    let market = SyntheticSpec { market: SyntheticMarket::Null, bars: count, seed: 1 };
    let symbol: Symbol = symbol.parse().unwrap();
    synthetic_bars(&market, &symbol, "1h".parse().unwrap()).unwrap().bars
}

fn series(spec: &ExperimentSpec, symbols: &[(&str, u32)]) -> Vec<Arc<Series>> {
    let prepare =
        |(symbol, count): &(&str, u32)| Series::prepare(&bars(symbol, *count), spec).unwrap();
    symbols.iter().map(prepare).map(Arc::new).collect()
}

fn first_fold(spec: &ExperimentSpec, series: &[Arc<Series>]) -> FoldPlan {
    let decisions: Vec<_> = series.iter().map(|series| series.decision()).collect();
    walk_forward(&decision_axis(&decisions), &spec.validation).unwrap()[0]
}

#[test]
fn a_gathered_window_is_the_rows_up_to_its_own_bar() {
    let spec = experiment();
    let series = series(&spec, &[("A", 400), ("B", 400)]);
    let fold = first_fold(&spec, &series);
    let data = TaskData::build(&series, &fold, WINDOW, Device::Cpu).unwrap();
    for test in data.test() {
        let windows = data.windows(&data.index(test.resident()).unwrap()).unwrap();
        let columns = test.series.matrix().cols();
        assert_eq!(windows.size(), [test.rows.len() as i64, i64::from(WINDOW), columns as i64]);
        let labels: Vec<f32> =
            data.labels(&data.index(test.resident()).unwrap()).unwrap().try_into().unwrap();
        for (sample, &row) in test.rows.iter().enumerate() {
            let gathered: Vec<f32> = windows.get(sample as i64).flatten(0, -1).try_into().unwrap();
            let rows = row as usize + 1 - WINDOW as usize..=row as usize;
            let expected: Vec<f32> =
                rows.flat_map(|row| test.series.matrix().row(row).to_vec()).collect();
            assert_eq!(gathered, expected, "{} row {row}", test.series.symbol());
            assert_eq!(labels[sample], test.series.labels().value[row as usize]);
        }
    }
}

#[test]
fn scaler_and_label_moments_are_those_of_the_train_rows_alone() {
    let spec = experiment();
    let series = series(&spec, &[("A", 400), ("B", 350)]);
    let fold = first_fold(&spec, &series);
    let data = TaskData::build(&series, &fold, WINDOW, Device::Cpu).unwrap();
    let train = data.index(data.train()).unwrap();
    let latest = data.windows(&train).unwrap().select(1, -1).to_kind(tch::Kind::Double);
    let mean: Vec<f64> = latest.mean_dim(0, false, None).try_into().unwrap();
    let scale: Vec<f64> = latest.std_dim(0, false, false).try_into().unwrap();
    for (column, (mean, scale)) in mean.iter().zip(&scale).enumerate() {
        assert!((data.scaler().mean()[column] - mean).abs() < 1e-9, "mean of column {column}");
        let expected = if *scale == 0.0 { 1.0 } else { *scale };
        assert!(
            (data.scaler().scale()[column] - expected).abs() < 1e-9,
            "scale of column {column}"
        );
    }
    let labels = data.labels(&train).unwrap().to_kind(tch::Kind::Double);
    assert!((data.label_moments().0 - labels.mean(None).double_value(&[])).abs() < 1e-12);
    assert!((data.label_moments().1 - labels.std(false).double_value(&[])).abs() < 1e-12);
}

#[test]
fn rows_counted_for_the_plan_are_the_rows_built() {
    let spec = experiment();
    let series = series(&spec, &[("A", 400)]);
    let fold = first_fold(&spec, &series);
    let rows = TaskData::build(&series, &fold, WINDOW, Device::Cpu).unwrap().rows();
    assert_eq!(rows, TaskData::count_rows(&series, &fold));
    // 48 bars of warm-up and a window of 5 cost the train section its start; the horizon of 1 costs one row at each later border.
    assert_eq!(
        (rows.train, rows.validation, rows.test, rows.purged),
        (200 - 47 - 4 - 1, 59, 50, 2)
    );
}

#[test]
fn the_latest_rows_are_scaled_and_keep_their_outcomes() {
    let spec = experiment();
    let series = series(&spec, &[("A", 400), ("B", 400)]);
    let fold = first_fold(&spec, &series);
    let data = TaskData::build(&series, &fold, WINDOW, Device::Cpu).unwrap();
    let test = &data.test()[1];
    let latest = data.latest(test.resident());
    let outcomes = test.rows.iter().map(|&row| test.series.labels().outcome[row as usize]);
    assert_eq!(latest.outcomes, outcomes.collect::<Vec<_>>());
    let mut first = test.series.matrix().row(test.rows[0] as usize).to_vec();
    data.scaler().transform(&mut first);
    assert_eq!(latest.features[..first.len()], first);
}

#[test]
fn a_section_without_rows_is_named() {
    let mut spec = experiment();
    spec.validation.train_bars = 40;
    let series = series(&spec, &[("A", 400)]);
    let fold = first_fold(&spec, &series);
    let error = TaskData::build(&series, &fold, WINDOW, Device::Cpu).unwrap_err();
    assert!(matches!(error, DatasetError::EmptySection { .. }));
    let text = error.to_string();
    assert!(
        text.contains("train section")
            && text.contains("of A")
            && text.contains("validation.train_bars"),
        "{text}"
    );
}
