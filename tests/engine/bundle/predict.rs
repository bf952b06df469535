//! From raw bars to predictions: as the run itself, up to the last bar, and only what the model is for.

use std::path::Path;

use walkforge::domain::{Cancel, Symbol, UtcMillis};
use walkforge::export::{Bundle, models_of};
use walkforge::workbench::{PredictError, PredictOptions, Predictions, predict};

use super::market::{Market, stored_predictions};
use super::{experiment, predicted, predicted_at, trained, write_features};
use crate::require_data;

const MLP: &str = r#"model={"Mlp":{"hidden":[16,8],"activation":"Relu","dropout":0.1}}"#;

fn of(symbols: &[&str]) -> PredictOptions {
    let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    PredictOptions { symbols, ..PredictOptions::default() }
}

fn asked(bundle: &Path, data: &Path, symbols: &[&str]) -> Result<Predictions, PredictError> {
    asked_of(&[Bundle::open(bundle)?], data, &of(symbols))
}

fn asked_of(
    models: &[Bundle],
    data: &Path,
    options: &PredictOptions,
) -> Result<Predictions, PredictError> {
    predict(models, data, options, UtcMillis::now(), &Cancel::new())
}

#[test]
fn the_last_bar_is_predicted_and_newer_bars_change_nothing_before_them() {
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let spec = experiment(&market, &[MLP, r#"data.until="2024-01-17""#]);
    let (run, bundles) = trained(&spec, runs.path());
    let before = predicted(&bundles[0], market.folder());
    assert!(stored_predictions(&run, 0).apart(&before) <= 1e-6);
    let last = |predictions: &Predictions| *predictions.time.last().unwrap();
    let closes = |market: &Market| market.bars()[1].close_time(market.bars()[1].len() - 1);
    assert_eq!(last(&before), closes(&market), "beyond data.until, and without a label");

    let market = market.grown(430);
    let after = predicted(&bundles[0], market.folder());
    assert_eq!(last(&after), closes(&market));
    assert_eq!(after.time.len(), before.time.len() + 2 * 10);
    assert!(stored_predictions(&run, 0).apart(&after) <= 1e-6);
}

#[test]
fn symbols_that_features_compare_are_read_though_only_one_is_wanted() {
    // The fewest that are compared.
    let market = Market::of(10, 420);
    let runs = tempfile::tempdir().unwrap();
    let features = r#"features=[{"LogReturn":{"lag":1}},{"CrossDemean":{"of":{"LogReturn":{"lag":2}}}},{"Higher":{"timeframe":"4h","of":{"Rsi":{"period":6}}}}]"#;
    let (run, bundles) = trained(&experiment(&market, &[MLP, features]), runs.path());
    let all = predicted(&bundles[0], market.folder());
    assert!(stored_predictions(&run, 0).apart(&all) <= 1e-6);
    let one = asked(&bundles[0], market.folder(), &["SYN_B"]).unwrap();
    let wanted: Symbol = "SYN_B".parse().unwrap();
    assert!(one.symbol.iter().all(|symbol| *symbol == wanted));
    assert!(stored_predictions(&run, 0).of(&wanted).apart(&one) <= 1e-6);

    // Without the other there is nothing to compare with, and nothing is made up.
    std::fs::remove_file(market.folder().join("SYN_A-1h.csv")).unwrap();
    let error = asked(&bundles[0], market.folder(), &["SYN_B"]).unwrap_err().to_string();
    assert!(error.contains("SYN_A"), "{error}");
}

#[test]
fn a_series_with_its_own_scaler_is_predicted_by_its_own_bundle_alone() {
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let (run, bundles) =
        trained(&experiment(&market, &[MLP, r#"scaling="PerSymbol""#]), runs.path());
    assert_eq!(bundles.len(), 2);
    for (bundle, symbol) in bundles.iter().zip(market.symbols()) {
        let predictions = predicted(bundle, market.folder());
        let symbol: Symbol = symbol.parse().unwrap();
        assert!(predictions.symbol.iter().all(|of| *of == symbol));
        assert!(stored_predictions(&run, 0).of(&symbol).apart(&predictions) <= 1e-6);
    }
    let error = asked(&bundles[0], market.folder(), &["SYN_B"]).unwrap_err();
    assert!(matches!(error, PredictError::OtherSeries { .. }), "{error}");
    assert!(error.to_string().contains("SYN_A 1h alone") && error.to_string().contains("SYN_B"));
    let twice = asked(&bundles[0], market.folder(), &["SYN_A", "SYN_A"]).unwrap();
    assert_eq!(twice, predicted(&bundles[0], market.folder()));

    // Without an export the models of the task are asked together.
    let task = &run.manifest().unwrap().plan.tasks[0].id;
    let models = models_of(&run, task).unwrap();
    assert_eq!(models.len(), 2);
    let all = asked_of(&models, market.folder(), &PredictOptions::default()).unwrap();
    assert!(stored_predictions(&run, 0).apart(&all) <= 1e-6);
    let parts = bundles.iter().flat_map(|bundle| predicted(bundle, market.folder()).prediction);
    assert!(all.prediction.iter().copied().eq(parts), "the same bits as after an export");
    assert_eq!(asked_of(&models, market.folder(), &of(&["SYN_A"])).unwrap(), twice);
    let error = asked_of(&models, market.folder(), &of(&["SYN_A", "SYN_C"])).unwrap_err();
    assert!(
        error.to_string().contains("SYN_A 1h, SYN_B 1h alone")
            && error.to_string().contains("for SYN_C 1h"),
        "{error}"
    );
}

#[test]
fn a_bar_that_is_still_forming_is_not_predicted() {
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let spec = experiment(&market, &[MLP]);
    let (_, bundles) = trained(&spec, runs.path());
    let bars = &market.bars()[0];
    let closes = bars.close_time(bars.len() - 1);
    let at = |now: i64| predicted_at(&bundles[0], market.folder(), UtcMillis(closes.0 + now));
    let all = at(0);
    assert_eq!((all.time.last(), all.warnings.as_slice()), (Some(&closes), &[][..]));
    let before = at(-1);
    assert_eq!(before.time.len(), all.time.len() - 2, "one of each symbol");
    assert!(before.time.iter().all(|time| *time < closes));
    let told = |symbol: &str| {
        format!(
            "{symbol} 1h: the bar that closes at {closes} is still forming; nothing is predicted there"
        )
    };
    assert_eq!(before.warnings, ["SYN_A", "SYN_B"].map(told));

    // The same for whoever scores a table.
    let table = runs.path().join("features.csv");
    let now = UtcMillis(closes.0 - 1);
    let written = walkforge::workbench::write_features(&spec, &table, now, &Cancel::new()).unwrap();
    assert_eq!((written.rows, &written.warnings), (840, &before.warnings));
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.trim_end().ends_with(",false"));
    assert_eq!(text.matches(",true\n").count(), before.time.len());
}

#[test]
fn what_the_model_has_never_seen_is_predicted_with_a_warning() {
    let market = Market::of(3, 700);
    let runs = tempfile::tempdir().unwrap();
    let two = [MLP, r#"data.symbols=["SYN_A","SYN_B"]"#];
    let (_, bundles) = trained(&experiment(&market, &two), runs.path());
    let model = [Bundle::open(&bundles[0]).unwrap()];
    let known = asked_of(&model, market.folder(), &of(&["SYN_B"])).unwrap();
    assert_eq!(known.warnings, [""; 0]);
    let options = PredictOptions {
        symbols: vec!["SYN_C".parse().unwrap()],
        timeframes: vec!["2h".parse().unwrap()],
    };
    let strange = asked_of(&model, market.folder(), &options).unwrap();
    assert_eq!(
        strange.warnings,
        [
            "the model was not trained on SYN_C, 2h, only on SYN_A, SYN_B at 1h: what it says there was never tested"
        ]
    );
    assert!(strange.time.len() > 200);
}

#[test]
fn several_timeframes_are_predicted_each_from_its_own_bars() {
    let market = Market::new(700);
    let runs = tempfile::tempdir().unwrap();
    let both = [MLP, r#"data.timeframes=["1h","2h"]"#, r#"data.pooling="PooledTimeframes""#];
    let (run, bundles) = trained(&experiment(&market, &both), runs.path());
    let stored = stored_predictions(&run, 0);
    assert_eq!(stored.timeframes().into_iter().collect::<Vec<_>>(), ["1h", "2h"]);
    assert!(stored.apart(&predicted(&bundles[0], market.folder())) <= 1e-6);
    let options =
        PredictOptions { timeframes: vec!["2h".parse().unwrap()], ..PredictOptions::default() };
    let model = [Bundle::open(&bundles[0]).unwrap()];
    let one = asked_of(&model, market.folder(), &options).unwrap();
    assert!(one.timeframe.iter().all(|timeframe| timeframe.to_string() == "2h"));
}

#[test]
fn on_a_real_market_that_closes_predictions_are_the_runs_own() {
    let folder = require_data!("fx");
    let runs = tempfile::tempdir().unwrap();
    let source = serde_json::to_string(&folder).unwrap();
    let source = format!(r#"data.source={{"Folder":{source}}}"#);
    let features = r#"features=[{"LogReturn":{"lag":1}},"TimeGap",{"Higher":{"timeframe":"4h","of":{"Rsi":{"period":6}}}}]"#;
    let spec = crate::support::spec(
        "mlp-return",
        &[
            &source,
            r#"data.symbols=["AUDUSD"]"#,
            r#"data.timeframes=["1h"]"#,
            features,
            "window=30",
            "validation.max_folds=1",
            "training.max_epochs=1",
            "resources.device=cpu",
        ],
    );
    let (run, bundles) = trained(&spec, runs.path());
    let predictions = predicted(&bundles[0], &folder);
    let apart = stored_predictions(&run, 0).apart(&predictions);
    assert!(apart <= 1e-6, "{apart:e}");
    // Windows reach over weekends, and not over bars that are missing.
    let bars = run.manifest().unwrap().plan.series[0].bars as usize;
    assert!(predictions.time.len() > bars / 2 && predictions.time.len() < bars - 30);
}

#[test]
fn what_cannot_be_predicted_says_why() {
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let (_, bundles) = trained(&experiment(&market, &[MLP]), runs.path());
    let bundle = &bundles[0];
    let said = |error: Result<Predictions, PredictError>| error.unwrap_err().to_string();

    let nowhere = said(asked(market.folder(), market.folder(), &[]));
    assert!(nowhere.contains("is no exported model"), "{nowhere}");
    let unknown = said(asked(bundle, market.folder(), &["SYN_C"]));
    assert!(unknown.contains("SYN_C") && unknown.contains("SYN_A"), "{unknown}");
    let few = Market::new(30);
    let few = said(asked(bundle, few.folder(), &[]));
    assert!(few.contains("SYN_A 1h") && few.contains("whole window of 8 bars"), "{few}");
    let cancel = Cancel::new();
    cancel.cancel();
    let (model, all) = ([Bundle::open(bundle).unwrap()], PredictOptions::default());
    let stopped = predict(&model, market.folder(), &all, UtcMillis::now(), &cancel).unwrap_err();
    assert!(stopped.is_cancelled(), "{stopped}");

    let manifest = bundle.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replacen("\"schema\": 2", "\"schema\": 1", 1)).unwrap();
    let older = said(asked(bundle, market.folder(), &[]));
    assert!(older.contains("has format 1") && older.contains("export the model again"), "{older}");
    let format =
        Predictions::default().write(&runs.path().join("out.xlsx")).unwrap_err().to_string();
    assert!(format.contains(".parquet or .csv"), "{format}");
}

#[test]
fn a_table_of_features_marks_the_rows_that_training_would_use() {
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let spec = experiment(&market, &[]);
    let csv = runs.path().join("features.csv");
    let parquet = runs.path().join("features.parquet");
    for file in [&csv, &parquet] {
        assert_eq!(write_features(&spec, file), 840);
    }
    let text = std::fs::read_to_string(&csv).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let prepared = crate::support::prepare(&spec);
    let columns = &prepared.plan.features;
    assert_eq!(header[..4], ["time", "symbol", "timeframe", "bar"]);
    assert!(header[4..header.len() - 1].iter().eq(columns.iter()));
    assert_eq!(header.last(), Some(&"window_complete"));
    let mut rows = text.lines().skip(1);
    for series in &prepared.series[0] {
        for row in 0..series.matrix().rows() {
            let cells: Vec<&str> = rows.next().unwrap().split(',').collect();
            assert_eq!(cells[0], series.decision()[row].to_string());
            assert_eq!(cells[1], series.symbol().as_str());
            assert_eq!(cells[3], row.to_string());
            for (cell, value) in cells[4..].iter().zip(series.matrix().row(row)) {
                let read = if cell.is_empty() { f32::NAN } else { cell.parse().unwrap() };
                assert_eq!(read.to_bits(), value.to_bits(), "row {row}");
            }
            // Rows without an outcome are complete too; nothing else differs.
            let complete = cells.last() == Some(&"true");
            let has_outcome = !series.labels().outcome[row].is_nan();
            assert_eq!(complete && has_outcome, series.usable().scorable[row], "row {row}");
        }
    }
    assert_eq!(rows.next(), None);
    assert!(text.trim_end().ends_with(",true"), "the last bar has no outcome and can be predicted");
}
