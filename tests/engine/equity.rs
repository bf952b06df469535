//! Equity curves: what the scores say, row by row, on disk and back.

use walkforge::domain::{BaselineScore, EquityCurve, EventKind, RunOutcome, Score, SeriesSummary};
use walkforge::runs::{RunFolder, RunResults, RunStatus, StoreError};
use walkforge::spec::ExperimentSpec;
use walkforge::workbench::{Command, Update, Workbench};

use crate::support::{folder, run_to_end, spec, wait_for};

const SECTIONS: [&str; 4] = [
    "validation.train=500",
    "validation.validation=100",
    "validation.test=100",
    "resources.device=cpu",
];

fn small(set: &[&str]) -> ExperimentSpec {
    let common = ["validation.max_folds=3", "training.max_epochs=1"];
    let all = SECTIONS.iter().chain(&common).chain(set);
    spec("linear-return", &all.copied().collect::<Vec<_>>())
}

/// The model's score and the baselines', by name.
fn scores(series: &SeriesSummary) -> Vec<(&str, Score)> {
    let baselines =
        series.baselines.iter().map(|BaselineScore { name, score }| (name.as_str(), *score));
    std::iter::once(("model", series.model)).chain(baselines).collect()
}

/// Checks every symbol's curve against its stitched score, and that nothing is missing or added.
fn assert_curves_are_those_of_the_scores(results: &RunResults) {
    let summary = results.summary.as_ref().unwrap();
    let of_symbols: Vec<&EquityCurve> =
        results.equity.iter().filter(|curve| curve.symbol.is_some()).collect();
    assert_eq!(of_symbols.len(), summary.series.len());
    for (curve, series) in of_symbols.into_iter().zip(&summary.series) {
        assert_eq!(
            (curve.symbol.as_ref(), curve.timeframe),
            (Some(&series.symbol), series.timeframe)
        );
        assert_eq!(curve.times.len() as u64, series.model.rows);
        assert!(curve.times.is_sorted_by(|earlier, later| earlier < later));
        let scores = scores(series);
        assert_eq!(curve.predictors.len(), scores.len());
        for (predictor, (name, score)) in curve.predictors.iter().zip(scores) {
            assert_eq!(
                (predictor.name.as_str(), predictor.equity.len()),
                (name, curve.times.len())
            );
            let (last, total) = (predictor.equity.last().unwrap(), score.total_return.unwrap());
            assert!((last - (1.0 + total)).abs() <= 1e-12, "{name}: {last} and {total}");
            let lowest = predictor.equity.iter().copied().fold(1.0, f64::min);
            assert!(1.0 - lowest <= score.max_drawdown.unwrap() + 1e-12, "{name}: {lowest}");
        }
    }
}

fn portfolios(results: &RunResults) -> Vec<&EquityCurve> {
    results.equity.iter().filter(|curve| curve.symbol.is_none()).collect()
}

#[test]
fn the_last_equity_is_the_stitched_return_of_every_predictor() {
    for pooling in ["data.pooling=PerSymbol", "data.pooling=Pooled"] {
        let runs = tempfile::tempdir().unwrap();
        let spec = small(&[pooling, r#"data.timeframes=["1h","4h"]"#]);
        let (run, outcome) = run_to_end(&spec, runs.path());
        assert_eq!(outcome, RunOutcome::Finished);
        let results = run.results().unwrap();
        assert_curves_are_those_of_the_scores(&results);
        let portfolios = portfolios(&results);
        let timeframes: Vec<String> =
            portfolios.iter().map(|curve| curve.timeframe.to_string()).collect();
        assert_eq!(timeframes, ["1h", "4h"], "one for each timeframe");
        for portfolio in portfolios {
            let parts: Vec<&EquityCurve> = results
                .equity
                .iter()
                .filter(|curve| curve.symbol.is_some() && curve.timeframe == portfolio.timeframe)
                .collect();
            assert_eq!(parts.len(), 2);
            for (index, predictor) in portfolio.predictors.iter().enumerate() {
                // Both symbols have the same rows: the first step is the mean of theirs.
                assert!(parts.iter().all(|part| part.times == portfolio.times));
                assert!(parts.iter().all(|part| part.predictors[index].name == predictor.name));
                let mean = f64::midpoint(
                    parts[0].predictors[index].equity[0],
                    parts[1].predictors[index].equity[0],
                );
                assert!((predictor.equity[0] - mean).abs() <= 1e-12);
                assert_eq!(predictor.equity.len(), portfolio.times.len());
            }
        }
    }
}

#[test]
fn one_symbol_has_no_portfolio() {
    let runs = tempfile::tempdir().unwrap();
    let (run, _) = run_to_end(&small(&[r#"data.symbols=["SYN_A"]"#]), runs.path());
    let results = run.results().unwrap();
    assert_curves_are_those_of_the_scores(&results);
    assert!(portfolios(&results).is_empty());
}

#[test]
fn a_cancelled_run_has_the_curves_of_its_finished_folds() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    let set = ["training.max_epochs=200", "training.patience=null", "resources.workers=1"];
    let all = SECTIONS.iter().chain(&set).copied().collect::<Vec<_>>();
    workbench.send(Command::Start(Box::new(spec("linear-return", &all))));
    let run = wait_for(&workbench, |update| match update {
        Update::Event(event) if matches!(event.kind, EventKind::Finished { .. }) => Some(event.run),
        _ => None,
    });
    workbench.send(Command::Cancel(run.clone()));
    let outcome = wait_for(&workbench, |update| match update {
        Update::RunDone { outcome, .. } => Some(outcome),
        _ => None,
    });
    assert_eq!(outcome, RunOutcome::Cancelled);
    let results = folder(runs.path(), &run).results().unwrap();
    assert_eq!(results.status, RunStatus::Cancelled);
    assert!(!results.equity.is_empty(), "a fold had finished");
    assert_curves_are_those_of_the_scores(&results);
    let finished = results.tasks.iter().filter_map(|task| task.report.as_ref());
    let rows: u64 = finished.map(|report| report.model.rows).sum();
    let points: usize = results.equity.iter().map(|curve| curve.times.len()).sum();
    assert_eq!(points as u64, rows, "of one symbol, so there is no portfolio beside it");
}

fn equity_file(run: &RunFolder) -> std::path::PathBuf {
    run.path().join("equity.parquet")
}

#[test]
fn a_run_without_curves_is_whole_and_one_with_damaged_ones_is_not() {
    let runs = tempfile::tempdir().unwrap();
    let (run, _) = run_to_end(&small(&[]), runs.path());
    let sound = std::fs::read(equity_file(&run)).unwrap();
    for damaged in [&sound[..sound.len() / 2], b"not a table", b""] {
        std::fs::write(equity_file(&run), damaged).unwrap();
        let error = run.results().unwrap_err();
        assert!(
            matches!(&error, StoreError::Damaged { path, .. } if *path == equity_file(&run)),
            "{error}"
        );
    }
    std::fs::remove_file(equity_file(&run)).unwrap();
    let results = run.results().unwrap();
    assert!(results.equity.is_empty() && results.summary.is_some());
}

#[test]
fn a_run_in_which_nothing_finished_has_no_curves() {
    let runs = tempfile::tempdir().unwrap();
    let diverging = small(&["training.learning_rate=1e30", "training.gradient_clip_val=null"]);
    let (run, outcome) = run_to_end(&diverging, runs.path());
    assert_eq!(outcome, RunOutcome::Failed);
    assert!(!equity_file(&run).exists());
    let results = run.results().unwrap();
    assert!(results.equity.is_empty());
    assert!(results.tasks.iter().all(|task| task.failure.is_some() && task.report.is_none()));
}
