//! What is in a bundle, and that it notices when something in it is changed.

use std::path::Path;

use serde_json::Value;
use walkforge::domain::{Cancel, TaskId};
use walkforge::export::{
    Bundle, BundleError, ExportError, ExportWhat, FILES, FileHash, export_run,
};

use super::market::Market;
use super::{experiment, python, trained, write_features};
use crate::require_python;

const LINEAR: &str = r#"model="Linear""#;

fn manifest(bundle: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(bundle.join(FILES.manifest)).unwrap()).unwrap()
}

fn write_manifest(bundle: &Path, manifest: &Value) {
    std::fs::write(bundle.join(FILES.manifest), serde_json::to_vec(manifest).unwrap()).unwrap();
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
        assert_eq!(entry["bytes"], bytes.len());
        assert_eq!(entry["sha256"], FileHash::of(&bytes).sha256, "{name}");
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
    // FIPS 180-4.
    assert_eq!(
        FileHash::of(b"abc").sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
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
        // Whatever could predict is held to its hash by the program too.
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
    manifest["files"][FILES.example] = serde_json::to_value(FileHash::of(&text)).unwrap();
    write_manifest(bundle, &manifest);
    assert!(matches!(Bundle::open(bundle), Err(BundleError::AnotherModel { .. })));
    for engine in ["torch", "onnxruntime"] {
        let (code, said) = check(engine);
        assert!(code == Some(1) && said.contains("differs from example.json"), "{said}");
    }
}

/// What the program computes with beside the weights stands in the manifest, which nothing has a hash of.
#[test]
fn a_manifest_with_another_scaler_or_unit_is_noticed() {
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let (_, bundles) = trained(&experiment(&market, &[LINEAR]), runs.path());
    let bundle = &bundles[0];
    let whole = manifest(bundle);
    let refused = |changed: &Value| {
        write_manifest(bundle, changed);
        let error = Bundle::open(bundle).unwrap_err();
        assert!(matches!(error, BundleError::AnotherModel { .. }), "{error}");
        assert!(error.to_string().contains("manifest.json: describes another model"), "{error}");
    };
    for part in ["mean", "scale"] {
        let mut changed = whole.clone();
        let numbers = changed["design"]["scaler"][part].as_array_mut().unwrap();
        for number in numbers {
            *number = (number.as_f64().unwrap() * 1.5 + 0.001).into();
        }
        refused(&changed);
    }
    let mut changed = whole.clone();
    let unit = changed["design"]["output"]["return"]["std"].as_f64().unwrap();
    changed["design"]["output"]["return"]["std"] = (unit * 1.1).into();
    refused(&changed);

    // What only Python needs may be missing.
    write_manifest(bundle, &whole);
    for name in [FILES.torchscript, FILES.onnx, FILES.score, FILES.readme, FILES.experiment] {
        std::fs::remove_file(bundle.join(name)).unwrap();
    }
    assert!(!super::predicted(&bundle.join(FILES.weights), market.folder()).time.is_empty());
    std::fs::remove_file(bundle.join(FILES.example)).unwrap();
    let error = Bundle::open(bundle).unwrap_err().to_string();
    assert!(error.contains("example.json: cannot be read"), "{error}");
}

#[test]
fn a_run_whose_specification_was_edited_is_not_exported_as_if_it_were_not() {
    let market = Market::new(420);
    let runs = tempfile::tempdir().unwrap();
    let spec = experiment(&market, &[LINEAR]);
    let (run, _) = crate::support::run_to_end(&spec, runs.path());
    let text = std::fs::read_to_string(run.spec_path()).unwrap();
    let to = runs.path().join("to");
    for (before, after, said) in [
        ("period: 14", "period: 15", "its features are "),
        ("window: 8", "window: 9", "its window is 9, and was 8"),
    ] {
        assert!(text.contains(before), "{text}");
        std::fs::write(run.spec_path(), text.replacen(before, after, 1)).unwrap();
        let error = export_run(&run, &ExportWhat::All, &to, &Cancel::new()).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("spec.ron: is not what "), "{error}");
        assert!(error.contains(said) && error.contains("restore it from a copy"), "{error}");
        assert!(!to.exists());
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
    let _rows = write_features(&spec, &table);
    let text = std::fs::read_to_string(&table).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let first_whole = lines.iter().position(|line| line.ends_with(",true")).unwrap();
    let cut = |from: usize| [&lines[..1], &lines[from..]].concat().join("\n");
    // Where all windows stay whole by what the table says of itself.
    let hole = first_whole + 20;
    let without = [&lines[..hole], &lines[hole + 1..]].concat().join("\n");
    let with = |row: usize, line: &str| {
        let changed = [&lines[..row], &[line], &lines[row + 1..]].concat();
        changed.join("\n")
    };
    let cell = |row: usize, column: usize, text: &str| {
        let mut cells: Vec<&str> = lines[row].split(',').collect();
        cells[column] = text;
        with(row, &cells.join(","))
    };
    let score = bundles[0].join(FILES.score);
    let scored = |table: &Path| {
        python(
            &interpreter,
            &[score.to_str().unwrap(), table.to_str().unwrap(), "--engine", "onnxruntime"],
        )
    };
    let refused = |name: &str, table: &Path, message: &str| {
        let scored = scored(table);
        let said = String::from_utf8_lossy(&scored.stderr);
        assert_eq!(scored.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(message) && !said.contains("Traceback"), "{name}: {said}");
        assert!(said.starts_with("score.py: "), "{name}: {said}");
    };
    let short = &lines[3][..lines[3].rfind(',').unwrap()];
    let columns = lines[0].split(',').count();
    for (name, content, message) in [
        (
            "no column",
            text.replacen("rsi_14", "rsi_15", 1).into_bytes(),
            "has no column `rsi_14`".to_owned(),
        ),
        (
            "cut",
            cut(first_whole).into_bytes(),
            "only 1 whole rows lead up to it and the model wants 8".to_owned(),
        ),
        (
            "a row taken out",
            without.into_bytes(),
            format!("row {}: bar {hole} follows bar {}, so rows", hole + 1, hole - 2),
        ),
        (
            "backwards",
            [&lines[..1], &lines[2..3], &lines[1..2]].concat().join("\n").into_bytes(),
            "does not come after".to_owned(),
        ),
        (
            "other symbols",
            text.replace("SYN_", "OTHER_").into_bytes(),
            "no row of a series that the model is for".to_owned(),
        ),
        ("empty", Vec::new(), "is empty".to_owned()),
        (
            "short",
            with(3, short).into_bytes(),
            format!("row 4: has {} cells, and the header {columns}", columns - 1),
        ),
        (
            "no number",
            cell(3, 4, "x").into_bytes(),
            "row 4, column `log_return_1`: `x` is no number".to_owned(),
        ),
        (
            "no bar",
            cell(3, 3, "").into_bytes(),
            "row 4, column `bar`: `` is no whole number".to_owned(),
        ),
        ("Latin-1", [text.as_bytes(), b"\xe9"].concat(), "is not UTF-8".to_owned()),
    ] {
        std::fs::write(&table, content).unwrap();
        refused(name, &table, &message);
    }
    refused("missing", Path::new("none.csv"), "none.csv: cannot be read");
    let no_parquet = runs.path().join("ok.PARQUET");
    std::fs::write(&no_parquet, &text).unwrap();
    // Whether pyarrow is there or not.
    refused("no Parquet", &no_parquet, "arquet");

    // What spreadsheets add is no reason to refuse.
    std::fs::write(&table, &text).unwrap();
    let plain = scored(&table);
    assert!(plain.status.success(), "{}", String::from_utf8_lossy(&plain.stderr));
    std::fs::write(&table, format!("\u{feff}{text}\n{}\n", ",".repeat(columns - 1))).unwrap();
    assert_eq!(scored(&table), plain);
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
    let rows = write_features(&own, &table);
    assert_eq!(rows, 700, "of the one symbol that the model is for");
}
