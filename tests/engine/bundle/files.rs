//! What is in a bundle, and that it notices when something in it is changed.

use std::path::Path;

use serde_json::Value;
use walkforge::domain::{Cancel, ContentHash, TaskId};
use walkforge::export::{Bundle, BundleError, ExportError, ExportWhat, FILES, export_run};

use super::market::Market;
use super::{experiment, python, script, trained};
use crate::require_python;

const LINEAR: &str = r#"model="Linear""#;

fn manifest(bundle: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(bundle.join(FILES.manifest)).unwrap()).unwrap()
}

#[test]
fn a_bundle_tells_everything_about_itself_and_nothing_about_the_machine() {
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let spec = experiment(&market, &[LINEAR]);
    let (run, bundles) = trained(&spec, runs.path());
    let bundle = &bundles[0];
    let mut names: Vec<String> = std::fs::read_dir(bundle)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut expected = FILES.all().map(str::to_owned);
    expected.sort();
    assert_eq!(names, expected);

    let manifest = manifest(bundle);
    assert_eq!((&manifest["schema"], &manifest["window"]), (&2.into(), &8.into()));
    let files = manifest["files"].as_object().unwrap();
    assert_eq!(files.len(), FILES.all().len() - 1, "every file but the manifest");
    for (name, entry) in files {
        let bytes = std::fs::read(bundle.join(name)).unwrap();
        assert_eq!(entry["blake3"], ContentHash::of(&bytes).to_string(), "{name}");
        assert_eq!(entry["bytes"], bytes.len());
    }
    let columns = &run.manifest().unwrap().plan.features;
    let features = manifest["features"].as_array().unwrap();
    assert_eq!(features.len(), columns.len());
    for (feature, column) in features.iter().zip(columns) {
        assert_eq!(feature["name"], column.as_str());
        assert!(!feature["formula"].as_str().unwrap().is_empty());
    }
    assert_eq!(features[4]["parameters"]["lag"], 24);
    let stored = run.metadata(&run.manifest().unwrap().plan.tasks[0].id).unwrap().unwrap();
    assert_eq!(manifest["metrics"], serde_json::to_value(&stored.report).unwrap());
    assert_eq!(manifest["periods"]["test"], serde_json::to_value(stored.task.fold.test).unwrap());
    assert_eq!(manifest["lineage"]["task"]["key"], stored.task.key.to_string());
    assert_eq!(manifest["lineage"]["data"][1]["data"], market.bars()[1].content_hash().to_string());
    assert_eq!(manifest["experiment"]["seed"], spec.seed);
    // Nothing of where the data, the runs or the user are.
    let here = [market.folder(), runs.path()].map(|path| path.display().to_string());
    for name in FILES.all() {
        let text = String::from_utf8_lossy(&std::fs::read(bundle.join(name)).unwrap()).into_owned();
        assert!(here.iter().all(|folder| !text.contains(folder)), "{name} names a folder");
    }
    let readme = std::fs::read_to_string(bundle.join(FILES.readme)).unwrap();
    for wanted in
        ["torch.jit.load", "onnxruntime.InferenceSession", "walkforge predict", "`rsi_14`"]
    {
        assert!(readme.contains(wanted), "{wanted} in {readme}");
    }
}

#[test]
fn whatever_is_changed_is_noticed_and_named() {
    let interpreter = require_python!();
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let (_, bundles) = trained(&experiment(&market, &[LINEAR]), runs.path());
    let bundle = &bundles[0];
    let score = bundle.join(FILES.score);
    let check = |engine: &str| {
        let check = python(&interpreter, &[score.to_str().unwrap(), "--check", "--engine", engine]);
        (check.status.code(), String::from_utf8_lossy(&check.stderr).into_owned())
    };
    for engine in ["torch", "onnxruntime"] {
        let (code, said) = check(engine);
        assert!(code == Some(0) && said.contains("7 files are whole"), "{said}");
    }
    for name in FILES.all().into_iter().filter(|name| ![FILES.manifest, FILES.score].contains(name))
    {
        let path = bundle.join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        let (code, said) = check("onnxruntime");
        assert!(code == Some(1) && said.contains(name), "{name}: {said}");
        // What computes, and what is computed with, is held to its hash by the program too.
        let opened = Bundle::open(bundle);
        if [FILES.readme, FILES.experiment].contains(&name) {
            opened.unwrap();
        } else {
            let Err(BundleError::Changed { path }) = opened else {
                panic!("{name} went unnoticed")
            };
            assert_eq!(path, bundle.join(name));
        }
        std::fs::write(&path, &whole).unwrap();
    }
    // The hashes are right and the model is another: the example tells.
    let example = bundle.join(FILES.example);
    let mut other: Value = serde_json::from_slice(&std::fs::read(&example).unwrap()).unwrap();
    other["output"][0] = (other["output"][0].as_f64().unwrap() + 0.001).into();
    let text = serde_json::to_vec(&other).unwrap();
    std::fs::write(&example, &text).unwrap();
    let mut manifest = manifest(bundle);
    let hash = walkforge::export::FileHash::of(&text);
    manifest["files"][FILES.example] = serde_json::to_value(hash).unwrap();
    std::fs::write(bundle.join(FILES.manifest), serde_json::to_vec(&manifest).unwrap()).unwrap();
    for engine in ["torch", "onnxruntime"] {
        let (code, said) = check(engine);
        assert!(code == Some(1) && said.contains("differs from example.json"), "{said}");
    }
}

#[test]
fn python_finds_the_feature_order_inside_the_module() {
    let interpreter = require_python!();
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let (run, bundles) = trained(&experiment(&market, &[LINEAR]), runs.path());
    let read = "import sys, torch\ninside = {'features.json': ''}\ntorch.jit.load(sys.argv[1], _extra_files=inside)\nprint(inside['features.json'].decode())";
    let module = bundles[0].join(FILES.torchscript);
    let told = python(&interpreter, &["-c", read, module.to_str().unwrap()]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let inside: Value = serde_json::from_slice(&told.stdout).unwrap();
    let features = serde_json::to_value(run.manifest().unwrap().plan.features).unwrap();
    assert_eq!((&inside["features"], &inside["window"]), (&features, &8.into()));
}

#[test]
fn a_table_that_does_not_fit_is_refused_with_the_row_and_the_next_step() {
    let interpreter = require_python!();
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let spec = experiment(&market, &[LINEAR]);
    let (_, bundles) = trained(&spec, runs.path());
    let table = runs.path().join("features.csv");
    walkforge::workbench::write_features(&spec, &table, &Cancel::new()).unwrap();
    let text = std::fs::read_to_string(&table).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let first_whole = lines.iter().position(|line| line.ends_with(",true")).unwrap();
    let cut = |from: usize| [&lines[..1], &lines[from..]].concat().join("\n");
    let score = bundles[0].join(FILES.score);
    for (name, content, message) in [
        ("no column", text.replacen("rsi_14", "rsi_15", 1), "has no column `rsi_14`"),
        ("cut", cut(first_whole), "only 1 whole rows lead up to it and the model wants 8"),
        (
            "backwards",
            [&lines[..1], &lines[2..3], &lines[1..2]].concat().join("\n"),
            "does not come after",
        ),
        (
            "other symbols",
            text.replace("SYN_", "OTHER_"),
            "no row of a series that the model is for",
        ),
        ("empty", String::new(), "is empty"),
    ] {
        std::fs::write(&table, content).unwrap();
        let arguments =
            [score.to_str().unwrap(), table.to_str().unwrap(), "--engine", "onnxruntime"];
        let scored = python(&interpreter, &arguments);
        let said = String::from_utf8_lossy(&scored.stderr);
        assert_eq!(scored.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(message) && !said.contains("Traceback"), "{name}: {said}");
    }
    let missing =
        python(&interpreter, &[score.to_str().unwrap(), "none.csv", "--engine", "onnxruntime"]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("none.csv: cannot be read"));
    assert!(Path::new(&script("score_bundles.py")).exists());
}

#[test]
fn one_task_or_the_refit_is_exported_and_what_is_not_there_is_said() {
    let market = Market::new(700);
    let runs = tempfile::tempdir().unwrap();
    let folds = [
        LINEAR,
        "validation.max_folds=2",
        r#"data.pooling="PerSymbol""#,
        r#"data.symbols=["SYN_A"]"#,
    ];
    let (run, bundles) = trained(&experiment(&market, &folds), runs.path());
    assert_eq!(bundles.len(), 2);
    let to = runs.path().join("some");
    let export = |what: ExportWhat| export_run(&run, &what, &to, &Cancel::new());
    let one = export(ExportWhat::Task(TaskId::new("SYN_A-1h-fold01"))).unwrap();
    assert_eq!(one, [to.join("SYN_A-1h-fold01")]);
    let error = export(ExportWhat::Refit).unwrap_err();
    assert!(matches!(error, ExportError::NoRefit { .. }), "{error}");
    assert!(error.to_string().contains("training.refit = true"), "{error}");
    let error = export(ExportWhat::Task(TaskId::new("fold07"))).unwrap_err().to_string();
    assert!(
        error.contains("`fold07`") && error.contains("SYN_A-1h-fold00, SYN_A-1h-fold01"),
        "{error}"
    );

    let with_refit = [&folds[..], &["training.refit=true"]].concat();
    let (run, _) = trained(&experiment(&market, &with_refit), runs.path());
    let to = runs.path().join("refit");
    let refit = export_run(&run, &ExportWhat::Refit, &to, &Cancel::new()).unwrap();
    assert_eq!(refit, [to.join("SYN_A-1h-refit")]);
    let manifest = manifest(&refit[0]);
    assert!(manifest["periods"]["test"].is_null() && !manifest["periods"]["train"][0].is_null());
    // And it predicts; its experiment makes the table for score.py.
    let predictions = super::predicted(&refit[0], market.folder());
    assert!(predictions.time.len() > 600);
    let mut own = walkforge::spec::read(&refit[0].join(FILES.experiment)).unwrap();
    own.data.source = walkforge::spec::DataSource::Folder(market.folder().to_owned());
    let table = runs.path().join("features.csv");
    let rows = walkforge::workbench::write_features(&own, &table, &Cancel::new()).unwrap();
    assert_eq!(rows, 700, "of the one symbol that the model is for");
}
