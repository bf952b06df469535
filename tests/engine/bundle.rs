//! Bundles: scored in Python with one engine alone they say what `predict` says of the same raw bars, which is what the run said of its test rows.

#[path = "bundle/files.rs"]
mod files;
#[path = "bundle/market.rs"]
mod market;
#[path = "bundle/predict.rs"]
mod predict;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use walkforge::domain::{Cancel, RunOutcome, UtcMillis};
use walkforge::export::{Bundle, ExportWhat, export_run};
use walkforge::runs::RunFolder;
use walkforge::spec::ExperimentSpec;
use walkforge::workbench::{PredictOptions, Predictions};

use crate::require_python;
use crate::support::{run_to_end, spec};
use market::{Market, stored_predictions};

/// What every experiment here has in common: two symbols of a folder in one model, one short fold.
const COMMON: [&str; 9] = [
    r#"data.pooling="Pooled""#,
    "window=8",
    "validation.train=200",
    "validation.validation=60",
    "validation.test=60",
    "validation.max_folds=1",
    "training.max_epochs=2",
    "training.learning_rate=0.02",
    "resources.device=cpu",
];

const LABELS: [(&str, &str); 8] = [
    ("forward return", r#"{"ForwardReturn":{"horizon":2}}"#),
    ("scaled return", r#"{"ScaledReturn":{"horizon":2,"volatility_window":12}}"#),
    ("demeaned return", r#"{"DemeanedReturn":{"horizon":2,"minimum_symbols":2}}"#),
    ("ranked return", r#"{"RankedReturn":{"horizon":2,"minimum_symbols":2}}"#),
    ("direction", r#"{"Direction":{"horizon":2}}"#),
    (
        "three directions",
        r#"{"Direction":{"horizon":2,"dead_zone":{"TrainQuantile":0.3},"inside":"Flat"}}"#,
    ),
    (
        "barriers",
        r#"{"TripleBarrier":{"horizon":6,"profit_take":2.0,"stop_loss":1.5,"volatility_window":12}}"#,
    ),
    (
        "three barriers",
        r#"{"TripleBarrier":{"horizon":6,"profit_take":2.0,"stop_loss":1.5,"volatility_window":12,"timeout":"Class"}}"#,
    ),
];

const MODELS: [(&str, &str); 7] = [
    ("linear", r#""Linear""#),
    ("MLP", r#"{"Mlp":{"hidden":[16,8],"activation":"Gelu","dropout":0.1}}"#),
    ("LSTM", r#"{"Lstm":{"hidden":12,"layers":2,"dropout":0.1}}"#),
    ("GRU", r#"{"Gru":{"hidden":12,"layers":2,"dropout":0.1}}"#),
    ("TCN", r#"{"Tcn":{"channels":[13,8],"kernel_size":3,"dropout":0.1}}"#),
    (
        "causal Transformer",
        r#"{"Transformer":{"d_model":8,"heads":2,"layers":2,"feedforward":16,"dropout":0.1}}"#,
    ),
    (
        "patch Transformer",
        r#"{"Transformer":{"d_model":8,"heads":4,"layers":1,"feedforward":12,"dropout":0.0,"tokens":{"Patch":{"length":3,"stride":2}}}}"#,
    ),
];

/// An experiment on a folder of bars.
fn experiment(market: &Market, set: &[&str]) -> ExperimentSpec {
    let folder = serde_json::to_string(market.folder()).unwrap();
    let source = format!(r#"data.source={{"Folder":{folder}}}"#);
    let symbols = format!("data.symbols={}", serde_json::to_string(market.symbols()).unwrap());
    let mut all = vec![source.as_str(), symbols.as_str()];
    all.extend(COMMON);
    all.extend(set);
    spec("mlp-return", &all)
}

/// Trains and exports every finished task.
fn trained(spec: &ExperimentSpec, runs: &Path) -> (RunFolder, Vec<PathBuf>) {
    let (run, outcome) = run_to_end(spec, runs);
    assert_eq!(outcome, RunOutcome::Finished, "{:?}", run.failures());
    let to = run.path().join("export");
    let bundles = export_run(&run, &ExportWhat::All, &to, &Cancel::new()).unwrap();
    (run, bundles)
}

fn predicted(bundle: &Path, data: &Path) -> Predictions {
    predicted_at(bundle, data, UtcMillis::now())
}

fn predicted_at(bundle: &Path, data: &Path, now: UtcMillis) -> Predictions {
    let models = [Bundle::open(bundle).unwrap()];
    let options = PredictOptions::default();
    walkforge::workbench::predict(&models, data, &options, now, &Cancel::new()).unwrap()
}

/// Writes the features of every bar, and gives the number of rows.
fn write_features(spec: &ExperimentSpec, to: &Path) -> u64 {
    let now = UtcMillis::now();
    walkforge::workbench::write_features(spec, to, now, &Cancel::new()).unwrap().rows
}

fn python(interpreter: &Path, arguments: &[&str]) -> Output {
    Command::new(interpreter)
        .arg("-B")
        .args(arguments)
        .env("OMP_NUM_THREADS", "1")
        .output()
        .unwrap()
}

fn script(name: &str) -> String {
    format!("{}/tests/export/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// How far a file of predictions by `score.py` is from ours at most. Rows and their order are the same: both are by series, then time.
fn difference(file: &Path, ours: &Predictions) -> f64 {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("time,symbol,timeframe,prediction"));
    let lines: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), ours.time.len(), "{}", file.display());
    let mut worst = 0.0_f64;
    for (place, line) in lines.iter().enumerate() {
        assert_eq!(line[0], ours.time[place].to_string());
        assert_eq!(line[1], ours.symbol[place].as_str());
        assert_eq!(line[2], ours.timeframe[place].to_string());
        let difference = (line[3].parse::<f64>().unwrap() - ours.prediction[place]).abs();
        // A NaN must not be passed over.
        assert!(difference.is_finite(), "{}: row {place}", file.display());
        worst = worst.max(difference);
    }
    worst
}

#[test]
fn every_model_and_label_is_scored_by_either_engine_alone_as_by_predict() {
    let interpreter = require_python!();
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let (mut bundles, mut ours) = (Vec::new(), Vec::new());
    let mut from_stored = 0.0_f64;
    for (model_name, model) in MODELS {
        for (label_name, label) in LABELS {
            let set = [format!("model={model}"), format!("label={label}")];
            let spec = experiment(&market, &set.each_ref().map(String::as_str));
            let (run, mut exported) = trained(&spec, runs.path());
            let bundle = exported.remove(0);
            let predictions = predicted(&bundle, market.folder());
            let apart = stored_predictions(&run, 0).apart(&predictions);
            assert!(apart <= 1e-5, "{model_name}, {label_name}: {apart:e} from the run's own");
            from_stored = from_stored.max(apart);
            let spread = market::spread(&predictions.prediction);
            assert!(spread > 1e-5, "{model_name}, {label_name} says the same to everything");
            bundles.push((format!("{model_name}, {label_name}"), bundle));
            ours.push(predictions);
        }
    }
    // Features and windows are the same in all of them.
    let table = runs.path().join("features.csv");
    let spec = experiment(&market, &[]);
    let rows = write_features(&spec, &table);
    assert_eq!(rows, 2 * 420);

    println!("from the run's own test predictions: {from_stored:e}");
    let script = script("score_bundles.py");
    for engine in ["torch", "onnxruntime"] {
        let out = runs.path().join(engine);
        std::fs::create_dir(&out).unwrap();
        let mut arguments =
            vec![script.as_str(), engine, table.to_str().unwrap(), out.to_str().unwrap()];
        arguments.extend(bundles.iter().map(|(_, bundle)| bundle.to_str().unwrap()));
        let scored = python(&interpreter, &arguments);
        assert!(scored.status.success(), "{engine}: {}", String::from_utf8_lossy(&scored.stderr));
        let mut worst = [0.0_f64; 3];
        for (place, ((name, _), ours)) in bundles.iter().zip(&ours).enumerate() {
            for (batch, worst) in [1, 3, 257].into_iter().zip(&mut worst) {
                let difference = difference(&out.join(format!("{place}-{batch}.csv")), ours);
                assert!(difference <= 1e-5, "{name}, {engine}, batch {batch}: {difference:e}");
                *worst = worst.max(difference);
            }
        }
        println!("{engine}, {} bundles, batches of 1, 3, 257: {worst:?}", bundles.len());
    }
}
