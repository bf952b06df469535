//! Every label, scheme of validation, pooling and scaling through the whole engine.

use std::collections::BTreeMap;

use arrow::array::{Array, Float64Array, StringArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use walkforge::dataset::{Series, TaskCut, TaskData};
use walkforge::domain::{Cancel, Device, RunOutcome, UtcMillis};
use walkforge::export::{ExportManifest, ExportWhat, FILES, export_run};
use walkforge::features::lookback;
use walkforge::models::Network;
use walkforge::runs::{RunFolder, read_weights};
use walkforge::spec::ExperimentSpec;
use walkforge::validation::{RowTimes, Sections, overlaps};
use walkforge::workbench::Prepared;

use crate::support::{prepare, run_to_end, spec};

const WALK_FORWARD: &str =
    r#"validation={"WalkForward":{"train":900,"validation":200,"test":300,"max_folds":2}}"#;
const ANCHORED: &str = r#"validation={"WalkForward":{"anchored":true,"train":"40d","validation":"10d","test":"10d","max_folds":2}}"#;
const K_FOLD: &str = r#"validation={"PurgedKFold":{"folds":4,"validation":0.1}}"#;
const HOLD_OUT: &str = r#"validation={"HoldOut":{"validation_from":"2015-02-15","test_from":"2015-03-10","embargo":2}}"#;

const FORWARD: &str = r#"label={"ForwardReturn":{"horizon":4}}"#;
const SCALED: &str = r#"label={"ScaledReturn":{"horizon":4,"volatility_window":24}}"#;
const DEMEANED: &str = r#"label={"DemeanedReturn":{"horizon":4,"minimum_symbols":2}}"#;
const DEAD_ZONE: &str = r#"label={"Direction":{"horizon":4,"dead_zone":{"TrainQuantile":0.2}}}"#;
const BARRIER: &str = r#"label={"TripleBarrier":{"horizon":24,"profit_take":2.0,"stop_loss":1.0,"volatility_window":24,"timeout":"LeaveOut"}}"#;

const POOLED: &str = "data.pooling=Pooled";
const TIMEFRAMES: [&str; 2] = [r#"data.timeframes=["1h","4h"]"#, "data.pooling=PooledTimeframes"];

/// Two symbols of 2,200 bars and a linear model that trains in a moment.
fn experiment(set: &[&str]) -> ExperimentSpec {
    let common = [
        r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":2200,"seed":5}}"#,
        r#"data.symbols=["SYN_A","SYN_B"]"#,
        "training.max_epochs=2",
        "resources.device=cpu",
    ];
    let all: Vec<&str> = common.iter().chain(set).copied().collect();
    spec("linear-return", &all)
}

fn every_kind() -> Vec<Vec<&'static str>> {
    vec![
        vec![WALK_FORWARD, SCALED, "weights.uniqueness=true"],
        vec![WALK_FORWARD, BARRIER, POOLED, r#"scaling="PerSymbol""#, "weights.time_decay=0.2"],
        vec![ANCHORED, DEAD_ZONE],
        vec![ANCHORED, DEMEANED, POOLED],
        vec![K_FOLD, BARRIER],
        vec![K_FOLD, DEMEANED, POOLED, "weights.uniqueness=true"],
        vec![K_FOLD, FORWARD, TIMEFRAMES[0], TIMEFRAMES[1], r#"scaling="PerSymbol""#],
        vec![HOLD_OUT, DEAD_ZONE, POOLED],
        vec![HOLD_OUT, FORWARD],
    ]
}

/// One column of a task's predictions.
fn column<T>(
    run: &RunFolder,
    task: usize,
    read: impl Fn(&arrow::array::RecordBatch) -> Vec<T>,
) -> Vec<T> {
    let id = &run.manifest().unwrap().plan.tasks[task].id;
    let file = std::fs::File::open(run.task(id).join("predictions.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.flat_map(|batch| read(&batch.unwrap())).collect()
}

fn texts(run: &RunFolder, task: usize, name: &str) -> Vec<String> {
    column(run, task, |batch| {
        let column = batch.column_by_name(name).unwrap().as_any().downcast_ref::<StringArray>();
        column.unwrap().iter().map(|text| text.unwrap().to_owned()).collect()
    })
}

fn predictions(run: &RunFolder, task: usize) -> Vec<f32> {
    column(run, task, |batch| {
        let column = batch.column_by_name("prediction").unwrap();
        let column = column.as_any().downcast_ref::<Float64Array>().unwrap();
        column.values().iter().map(|value| *value as f32).collect()
    })
}

#[test]
fn every_kind_runs_to_its_end_and_tests_what_it_planned() {
    for set in every_kind() {
        let runs = tempfile::tempdir().unwrap();
        let (run, outcome) = run_to_end(&experiment(&set), runs.path());
        assert_eq!(outcome, RunOutcome::Finished, "{set:?}");
        let results = run.results().unwrap();
        assert!(!results.tasks.is_empty());
        for (index, task) in results.tasks.iter().enumerate() {
            let report = task.report.as_ref().unwrap();
            let rows = report.rows;
            assert!(rows.train > 0 && rows.validation > 0 && rows.test > 0, "{set:?}: {rows:?}");
            // Where the test section comes first, the plan itself already waits for the longest label.
            let waits = task.task.fold.test.start < task.task.fold.validation.start;
            assert!(rows.purged > 0 || waits, "labels reach over every border: {set:?}");
            assert_eq!(rows.inside_dead_zone > 0, set.contains(&DEAD_ZONE), "{set:?}");
            let found = predictions(&run, index);
            assert_eq!(found.len() as u64, rows.test, "{set:?}");
            assert!(found.iter().all(|value| value.is_finite()), "{set:?}");
            let metadata = run.metadata(&task.task.id).unwrap().unwrap();
            assert_eq!(metadata.dead_zone.is_some(), set.contains(&DEAD_ZONE));
            let own = set.contains(&r#"scaling="PerSymbol""#);
            assert_eq!(metadata.series_scalers.is_empty(), !own, "{set:?}");
        }
    }
}

#[test]
fn pooled_timeframes_are_one_task_and_told_apart_in_its_predictions() {
    let runs = tempfile::tempdir().unwrap();
    let (run, _) =
        run_to_end(&experiment(&[HOLD_OUT, FORWARD, TIMEFRAMES[0], TIMEFRAMES[1]]), runs.path());
    let tasks = run.manifest().unwrap().plan.tasks;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].id.as_str(), "pooled2-1h+4h-fold00");
    assert_eq!((tasks[0].timeframe_text().as_str(), tasks[0].symbols.len()), ("1h+4h", 2));
    let mut rows: BTreeMap<(String, String), usize> = BTreeMap::new();
    for key in texts(&run, 0, "timeframe").into_iter().zip(texts(&run, 0, "symbol")) {
        *rows.entry(key).or_default() += 1;
    }
    assert_eq!(rows.len(), 4, "{rows:?}");
    let summary = run.results().unwrap().summary.unwrap();
    assert_eq!(summary.series.len(), 4);
}

/// The rows of a task's series, as the contract is held against them.
fn row_times(series: &[std::sync::Arc<Series>]) -> Vec<RowTimes<'_>> {
    series.iter().map(|series| series.row_times()).collect()
}

/// Bars before its own that a row's features reach.
fn back(prepared: &Prepared, task: usize) -> u32 {
    let spec = &prepared.spec;
    let lookbacks =
        prepared.series[task].iter().map(|series| lookback(&spec.features, series.timeframe()));
    lookbacks.max().unwrap() as u32 + spec.window - 1
}

#[test]
fn no_row_that_learns_overlaps_one_that_is_judged_by() {
    for set in every_kind() {
        let prepared = prepare(&experiment(&set));
        for (index, task) in prepared.plan.tasks.iter().enumerate() {
            let series = &prepared.series[index];
            let cut = TaskCut::of(series, &task.fold, prepared.spec.label);
            let found = overlaps(&row_times(series), &cut.sections, back(&prepared, index));
            assert!(found.is_empty(), "{set:?}, {}: {:?}", task.id, found.first());
        }
    }
}

#[test]
fn shuffled_rows_overlap_and_can_be_trained_on_all_the_same() {
    let prepared = prepare(&experiment(&[K_FOLD, FORWARD]));
    let series = &prepared.series[0];
    let rows: Vec<u32> = (0..)
        .zip(&series[0].usable().learnable)
        .filter(|(_, usable)| **usable)
        .map(|(row, _)| row)
        .collect();
    let every =
        |rest: usize| rows.iter().copied().filter(|row| *row as usize % 3 == rest).collect();
    let sections = Sections { train: every(0), validation: every(1), test: every(2), purged: 0 };
    let cut = TaskCut::of_sections(series, vec![sections], prepared.spec.label);
    let found = overlaps(&row_times(series), &cut.sections, 0);
    assert!(found.len() > rows.len() / 2, "{} of {}", found.len(), rows.len());
    let resident = walkforge::dataset::Resident::new(series, Device::Cpu).unwrap();
    let data = TaskData::build_from(series, &cut, &prepared.spec, resident).unwrap();
    assert_eq!(data.rows().train as usize, cut.sections[0].train.len());
}

#[test]
fn purged_k_fold_tests_every_moment_once() {
    let prepared = prepare(&experiment(&[K_FOLD, BARRIER]));
    let mut tested: BTreeMap<(String, UtcMillis), usize> = BTreeMap::new();
    for (task, series) in prepared.plan.tasks.iter().zip(&prepared.series) {
        let cut = TaskCut::of(series, &task.fold, prepared.spec.label);
        for row in &cut.sections[0].test {
            let at = series[0].decision()[*row as usize];
            *tested.entry((series[0].symbol().to_string(), at)).or_default() += 1;
        }
    }
    assert!(tested.values().all(|times| *times == 1));
    let scorable: usize = [0, 4]
        .map(|task| prepared.series[task][0].usable().scorable.iter().filter(|row| **row).count())
        .iter()
        .sum();
    assert_eq!(tested.len(), scorable, "four folds of each of two symbols");
}

#[test]
fn a_model_exported_for_a_symbol_says_what_the_run_stored_bit_for_bit() {
    for model in
        [r#"model="Linear""#, r#"model={"Mlp":{"hidden":[8],"activation":"Relu","dropout":0.2}}"#]
    {
        let set = [
            WALK_FORWARD,
            FORWARD,
            POOLED,
            r#"scaling="PerSymbol""#,
            "validation.max_folds=1",
            model,
        ];
        let spec = experiment(&set);
        let runs = tempfile::tempdir().unwrap();
        let (run, outcome) = run_to_end(&spec, runs.path());
        assert_eq!(outcome, RunOutcome::Finished);
        let exported =
            export_run(&run, &ExportWhat::All, &runs.path().join("export"), &Cancel::new())
                .unwrap();
        let names: Vec<_> =
            exported.iter().map(|folder| folder.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["pooled2-1h-fold00-SYN_A-1h", "pooled2-1h-fold00-SYN_B-1h"]);

        let prepared = prepare(&spec);
        let data =
            TaskData::build(&prepared.series[0], &prepared.plan.tasks[0].fold, &spec, Device::Cpu)
                .unwrap();
        let (stored, symbols) = (predictions(&run, 0), texts(&run, 0, "symbol"));
        let mut scalers = Vec::new();
        for (folder, test) in exported.iter().zip(data.test()) {
            let text = std::fs::read_to_string(folder.join(FILES.manifest)).unwrap();
            let manifest: ExportManifest = serde_json::from_str(&text).unwrap();
            let symbol = test.series.symbol();
            assert_eq!(manifest.series.as_ref().unwrap().symbol, *symbol);
            scalers.push(manifest.design.scaler.clone());
            let weights = read_weights(&folder.join(FILES.weights)).unwrap();
            let network = Network::from_weights(manifest.design, Device::Cpu, weights).unwrap();
            let raw = data.raw_windows(&data.index(test.resident()).unwrap()).unwrap();
            let ours: Vec<f32> = network.predict(&raw).unwrap().try_into().unwrap();
            let theirs: Vec<f32> = stored
                .iter()
                .zip(&symbols)
                .filter(|(_, of)| of.as_str() == symbol.as_str())
                .map(|(value, _)| *value)
                .collect();
            assert_eq!(ours, theirs, "{model}, {symbol}");
            let module = tch::CModule::load(folder.join(FILES.torchscript)).unwrap();
            let traced = module.forward_ts(&[&raw]).unwrap();
            let traced: Vec<f32> = traced.try_into().unwrap();
            let off = traced.iter().zip(&ours).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off <= 1e-6, "{model}, {symbol}: {off}");
        }
        assert_ne!(scalers[0], scalers[1], "each symbol has its own scaler");
    }
}
