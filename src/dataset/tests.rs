use std::sync::Arc;

use super::{DatasetError, Resident, ResidentCache, Series, TaskCut, TaskData, prepare};
use crate::domain::{Bytes, Cancel, Device, FoldPlan, Length, Symbol};
use crate::market::{Bars, synthetic_bars};
use crate::spec::{
    DeadZone, ExperimentSpec, InsideDeadZone, LabelSpec, Scaling, SyntheticMarket, SyntheticSpec,
    ValidationSpec, WeightSpec, load,
};
use crate::validation::{Reach, Sections, decision_axis, folds};

const WINDOW: u32 = 5;

fn experiment() -> ExperimentSpec {
    let mut spec = load("mlp-return").unwrap();
    spec.window = WINDOW;
    spec.validation = walking(200);
    spec
}

fn walking(train: u32) -> ValidationSpec {
    ValidationSpec::WalkForward {
        anchored: false,
        train: Length::Bars(train),
        validation: Length::Bars(60),
        test: Length::Bars(50),
        step: None,
        embargo: Length::Bars(0),
        max_folds: None,
    }
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
    let reach = Reach { horizon: spec.label.horizon(), back: 48 + WINDOW };
    folds(&decision_axis(&decisions), &spec.validation, reach).unwrap().swap_remove(0)
}

#[test]
fn a_gathered_window_is_the_rows_up_to_its_own_bar() {
    let spec = experiment();
    let series = series(&spec, &[("A", 400), ("B", 400)]);
    let fold = first_fold(&spec, &series);
    let data = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap();
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
    let data = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap();
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
    let rows = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap().rows();
    assert_eq!(rows, TaskCut::of(&series, &fold, spec.label).rows());
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
    let data = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap();
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
    spec.validation = walking(40);
    let series = series(&spec, &[("A", 400)]);
    let fold = first_fold(&spec, &series);
    let error = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap_err();
    assert!(matches!(error, DatasetError::EmptySection { .. }));
    let text = error.to_string();
    assert!(
        text.contains("train section") && text.contains("of A") && text.contains("`validation`"),
        "{text}"
    );
}

#[test]
fn memory_is_the_matrix_whatever_the_window_and_the_folds_share_it() {
    let spec = experiment();
    let series = series(&spec, &[("A", 400), ("B", 350)]);
    let fold = first_fold(&spec, &series);
    let columns = series[0].matrix().cols() as u64;
    let cache = ResidentCache::default();
    let build = |window| {
        let spec = ExperimentSpec { window, ..spec.clone() };
        let cut = TaskCut::of(&series, &fold, spec.label);
        let resident = cache.get(&series, Device::Cpu).unwrap();
        TaskData::build_from(&series, &cut, &spec, resident).unwrap()
    };
    let (narrow, wide) = (build(1), build(64));
    for data in [&narrow, &wide] {
        assert_eq!(data.resident().bytes(), Bytes(750 * (columns + 1) * 4));
        assert_eq!(data.resident().bytes(), Resident::bytes_of(750, columns as u32));
    }
    assert_eq!(narrow.resident().address(), wide.resident().address(), "one copy for both");
    let other = cache.get(&series[..1], Device::Cpu).unwrap();
    assert_ne!(other.address(), narrow.resident().address());
    assert_eq!(other.bytes(), Bytes(400 * (columns + 1) * 4));
    let again = cache.get(&series, Device::Cpu).unwrap();
    assert_eq!(again.address(), narrow.resident().address(), "others do not drive it out");
    drop((narrow, wide, again));
    cache.free_unused();
    assert_eq!(cache.count(), 1, "only what is used stays");
    drop(other);
    cache.free_unused();
    assert_eq!(cache.count(), 0);
}

#[test]
fn a_dead_zone_is_learnt_from_train_rows_and_spares_the_test_rows() {
    let inside = InsideDeadZone::LeaveOut;
    let direction = |dead_zone| LabelSpec::Direction { horizon: 1, dead_zone, inside };
    let mut spec = ExperimentSpec { label: direction(DeadZone::None), ..experiment() };
    let series = series(&spec, &[("A", 400), ("B", 400)]);
    let fold = first_fold(&spec, &series);
    let whole = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap();
    spec.label = direction(DeadZone::TrainQuantile(0.25));
    let part = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap();
    let outcomes = |data: &TaskData, rows: &[i64]| -> Vec<f64> {
        data.latest(rows).outcomes.iter().map(|outcome| outcome.abs()).collect()
    };
    let mut sorted = outcomes(&whole, whole.train());
    sorted.sort_by(f64::total_cmp);
    let place = 0.25 * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place as usize], sorted[place as usize + 1]);
    let expected = below + (above - below) * place.fract();
    let threshold = part.dead_zone().unwrap();
    assert!((threshold - expected).abs() < 1e-15, "{threshold} and {expected}");
    assert!(outcomes(&part, part.train()).iter().all(|outcome| *outcome > threshold));
    assert!(outcomes(&part, part.validation()).iter().all(|outcome| *outcome > threshold));
    assert_eq!(part.rows().test, whole.rows().test);
    let (before, after) = (whole.rows(), part.rows());
    let left_out = before.train + before.validation - after.train - after.validation;
    assert_eq!(after.inside_dead_zone, left_out);
    assert!(after.train < before.train && after.validation < before.validation);
}

/// A direction in three classes, a fifth of the train rows flat.
fn three_classes() -> ExperimentSpec {
    let (dead_zone, inside) = (DeadZone::TrainQuantile(0.2), InsideDeadZone::Flat);
    let label = LabelSpec::Direction { horizon: 1, dead_zone, inside };
    ExperimentSpec { label, ..experiment() }
}

#[test]
fn the_dead_zone_may_be_a_class_and_then_nothing_is_left_out() {
    let spec = three_classes();
    let series = series(&spec, &[("A", 400), ("B", 400)]);
    let fold = first_fold(&spec, &series);
    let data = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap();
    let plain = LabelSpec::ForwardReturn { horizon: 1 };
    assert_eq!(data.rows(), TaskCut::of(&series, &fold, plain).rows(), "every row is kept");
    let threshold = data.dead_zone().unwrap();
    let test: Vec<i64> = data.test().iter().flat_map(|test| test.resident().to_vec()).collect();
    for rows in [data.train(), data.validation(), &test] {
        let latest = data.latest(rows);
        let gathered: Vec<f32> =
            data.labels(&data.index(rows).unwrap()).unwrap().try_into().unwrap();
        for ((label, gathered), outcome) in latest.labels.iter().zip(gathered).zip(&latest.outcomes)
        {
            let class = match outcome {
                outcome if outcome.abs() <= threshold => 1.0,
                outcome if *outcome > 0.0 => 2.0,
                _ => 0.0,
            };
            assert_eq!((*label, f64::from(gathered)), (class, class), "{outcome}");
        }
    }
    let labels = data.latest(data.train()).labels;
    let share = |class: f64| {
        labels.iter().filter(|label| **label == class).count() as f64 / labels.len() as f64
    };
    assert!((share(1.0) - 0.2).abs() < 0.01, "a fifth is flat: {}", share(1.0));
    assert!(share(0.0) > 0.3 && share(2.0) > 0.3 && share(0.0) + share(2.0) > 0.79);
}

#[test]
fn what_is_flat_follows_from_the_train_rows_alone() {
    let spec = three_classes();
    let series = series(&spec, &[("A", 400), ("B", 400)]);
    let fold = first_fold(&spec, &series);
    let cut = TaskCut::of(&series, &fold, spec.label);
    let others_changed = |keep: fn(&Sections) -> &[u32]| -> Vec<Arc<Series>> {
        let parts = series.iter().zip(&cut.sections);
        parts.map(|(series, rows)| Arc::new(series.with_other_rows_changed(keep(rows)))).collect()
    };
    let build =
        |series: &[Arc<Series>]| TaskData::build(series, &fold, &spec, Device::Cpu).unwrap();
    let (data, changed) = (build(&series), build(&others_changed(|rows| &rows.train)));
    assert_eq!(changed.dead_zone(), data.dead_zone());
    assert_eq!(changed.latest(data.train()).labels, data.latest(data.train()).labels);
    assert_ne!(changed.latest(data.validation()).labels, data.latest(data.validation()).labels);
    // And it does follow from them.
    assert_ne!(build(&others_changed(|rows| &rows.validation)).dead_zone(), data.dead_zone());
}

#[test]
fn weights_are_those_of_the_train_rows_and_follow_them_into_the_batch() {
    let mut spec = experiment();
    spec.label = LabelSpec::ForwardReturn { horizon: 8 };
    spec.weights = WeightSpec { uniqueness: true, time_decay: Some(0.5) };
    let series = series(&spec, &[("A", 400), ("B", 350)]);
    let fold = first_fold(&spec, &series);
    let data = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap();
    let cut = TaskCut::of(&series, &fold, spec.label);
    let expected = cut.train_weights(&series, spec.weights).unwrap().concat();
    let rows: Vec<i64> = data.train().iter().rev().copied().collect();
    let weights = data.weights(&data.index(&rows).unwrap()).unwrap().unwrap();
    let weights: Vec<f32> = weights.try_into().unwrap();
    let expected: Vec<f32> = expected.iter().rev().map(|weight| *weight as f32).collect();
    assert_eq!(weights, expected);
    let mean = weights.iter().map(|weight| f64::from(*weight)).sum::<f64>() / weights.len() as f64;
    assert!((mean - 1.0).abs() < 1e-6, "{mean}");
    assert!(weights.windows(2).any(|pair| pair[0] != pair[1]));
    spec.weights = WeightSpec::default();
    let data = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap();
    assert!(data.weights(&data.index(&rows).unwrap()).unwrap().is_none());
}

#[test]
fn each_series_is_scaled_by_its_own_train_rows_or_as_all_for_want_of_them() {
    let spec = ExperimentSpec { scaling: Scaling::PerSymbol, ..experiment() };
    let series = series(&spec, &[("A", 400), ("B", 400), ("C", 400)]);
    let fold = first_fold(&spec, &series);
    let mut cut = TaskCut::of(&series, &fold, spec.label);
    cut.sections[2].train.clear();
    let resident = Resident::new(&series, Device::Cpu).unwrap();
    let data = TaskData::build_from(&series, &cut, &spec, resident).unwrap();
    let own = data.series_scalers();
    assert_eq!(own.iter().map(|own| own.is_global).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(own[2].scaler, *data.scaler());
    for (position, test) in data.test().iter().enumerate() {
        let scaler = &own[position].scaler;
        if position < 2 {
            let train = &cut.sections[position].train;
            assert_eq!(*scaler, crate::features::Scaler::fit(test.series.matrix(), train).unwrap());
            assert_ne!(scaler, data.scaler());
        }
        let rows = data.index(&test.resident()[..7]).unwrap();
        let raw = data.raw_windows(&rows).unwrap();
        let row = |values: &[f64]| {
            let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            tch::Tensor::from_slice(&values)
        };
        // As a network does it with a scaler of its own: the same bits.
        let expected = (raw - row(scaler.mean())) / row(scaler.scale());
        assert_eq!(data.windows(&rows).unwrap(), expected, "{}", test.series.symbol());
        let latest = data.latest(test.resident());
        let mut first = test.series.matrix().row(test.rows[0] as usize).to_vec();
        scaler.transform(&mut first);
        assert_eq!(latest.features[..first.len()], first);
    }
    assert_eq!(data.network_scaler().scale(), vec![1.0; data.scaler().scale().len()]);
}

#[test]
fn any_rows_can_be_trained_on() {
    let spec = experiment();
    let series = series(&spec, &[("A", 400)]);
    let every = |step: usize, first: u32| (first..300).step_by(step).collect::<Vec<u32>>();
    let sections = Sections {
        train: every(3, 100),
        validation: every(3, 101),
        test: every(3, 102),
        purged: 0,
    };
    let cut = TaskCut::of_sections(&series, vec![sections.clone()], spec.label);
    let resident = Resident::new(&series, Device::Cpu).unwrap();
    let data = TaskData::build_from(&series, &cut, &spec, resident).unwrap();
    assert_eq!(data.train(), sections.train.iter().map(|row| i64::from(*row)).collect::<Vec<_>>());
    assert_eq!(data.test()[0].rows, sections.test);
}

#[test]
fn a_panel_is_prepared_as_its_symbols_are() {
    let spec = experiment();
    let panel = [bars("A", 400), bars("B", 300), bars("C", 350)];
    let prepared = prepare(&panel, &spec, &Cancel::new()).unwrap();
    for (series, bars) in prepared.iter().zip(&panel) {
        let alone = Series::prepare(bars, &spec).unwrap();
        assert_eq!(series.symbol(), bars.symbol());
        let bits = |series: &Series| -> Vec<u32> {
            series.matrix().as_slice().iter().map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(series), bits(&alone));
        assert_eq!(series.usable(), alone.usable());
    }
    let demeaned = LabelSpec::DemeanedReturn { horizon: 1, minimum_symbols: 3 };
    let spec = ExperimentSpec { label: demeaned, ..spec };
    let prepared = prepare(&panel, &spec, &Cancel::new()).unwrap();
    let at = |series: &Series, row: usize| f64::from(series.labels().value[row]);
    let sum: f64 = prepared.iter().map(|series| at(series, 200)).sum();
    assert!(sum.abs() < 1e-6 && at(&prepared[0], 200) != 0.0, "{sum}");
    // Beyond the end of B there are two.
    assert!(at(&prepared[0], 330).is_nan());
    assert!(prepared[0].usable().scorable[330] && !prepared[0].usable().learnable[330]);
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(prepare(&panel, &spec, &cancel).is_err());
}
