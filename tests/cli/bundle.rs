//! Exported models as the README has it: raw bars to features to `score.py`, which says what `predict` says; and exports that do not come to their end.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::market::csv_with;
use crate::program::{SMALL, Scratch};
use crate::{require_python, skip};

/// A symbol's bars, which move otherwise than another's.
fn bars(symbol: usize) -> String {
    csv_with(600, |lines| {
        for (row, line) in lines.iter_mut().enumerate().skip(1) {
            let sway = 1.0 + 0.002 * (((row * (symbol + 3)) % 7) as f64 - 3.0);
            for (column, factor) in [(2, 1.1), (3, 0.9), (4, sway)] {
                let value: f64 = line[column].parse().expect("prices are numbers");
                line[column] = format!("{:.4}", value * factor);
            }
        }
    })
}

fn symbols(count: usize) -> String {
    let names = ('A'..='Z').take(count).map(|letter| format!("\"SYN_{letter}\""));
    format!("data.symbols=[{}]", names.collect::<Vec<_>>().join(","))
}

/// Trains in one task and exports it; gives the bundles.
fn exported(scratch: &Scratch, name: &str, more: &str) -> Vec<String> {
    let small = "--device cpu --set validation.train=200 --set validation.validation=60 \
        --set validation.test=60 --set validation.max_folds=1 --set training.max_epochs=2";
    let train = format!("train --json {small} --runs {name}-runs {more}");
    let done = scratch.run(&train).exits(0);
    let run = done.json()[0]["run"].as_str().expect("events name the run").to_owned();
    let export = format!("export {run} --to {name} --runs {name}-runs");
    scratch.run(&export).exits(0).out.lines().map(str::to_owned).collect()
}

/// Predictions by series and time.
fn read(file: &Path) -> BTreeMap<String, f64> {
    let text = fs::read_to_string(file).expect("it was written");
    let lines = text.lines().skip(1).map(|line| {
        let (key, prediction) = line.rsplit_once(',').expect("it has four columns");
        (key.to_owned(), prediction.parse().expect("a prediction is a number"))
    });
    lines.collect()
}

/// The chain of commands of the README, with a table of this format, for models that need more than their own series, or less than they learnt from.
fn features_and_score_py_say_what_predict_says(python: &Path, format: &str) {
    let scratch = Scratch::new();
    // More than any model here is for.
    for (number, letter) in ('A'..='L').enumerate() {
        scratch.write(&format!("data/SYN_{letter}-1h.csv"), bars(number));
    }
    let pooled = "--set data.pooling=Pooled";
    let compared = r#"--set features=[{"LogReturn":{"lag":1}},{"CrossDemean":{"of":{"LogReturn":{"lag":2}}}}]"#;
    let (two, ten) = (symbols(2), symbols(10));
    let cases = [
        // On the built-in market, whose symbols are forgotten as soon as an experiment is given a folder.
        ("own", format!("{pooled} --set {two} --set scaling=PerSymbol"), 2),
        ("compared", format!("{pooled} --set {ten} {compared}"), 1),
        (
            "lengths",
            "--data data --symbols SYN_A,SYN_B --timeframes 1h,2h --set data.pooling=PooledTimeframes"
                .to_owned(),
            1,
        ),
    ];
    for (name, more, models) in cases {
        let bundles = exported(&scratch, name, &more);
        assert_eq!(bundles.len(), models, "{name}");
        for bundle in bundles {
            let features = format!("features --preset {bundle}/experiment.ron --data data");
            let table = format!("{name}.{format}");
            let _rows = scratch.run(&format!("{features} --out {table}")).exits(0);
            let _done =
                scratch.run(&format!("predict {bundle} --data data --out ours.csv")).exits(0);
            for engine in ["torch", "onnxruntime"] {
                let scored = Command::new(python)
                    .args(["-B", &format!("{bundle}/score.py"), &table])
                    .args(["--engine", engine, "--out", "theirs.csv"])
                    .current_dir(scratch.path("."))
                    .output()
                    .expect("Python starts");
                let said = String::from_utf8_lossy(&scored.stderr);
                assert!(scored.status.success(), "{bundle}: {said}");
                let (ours, theirs) =
                    (read(&scratch.path("ours.csv")), read(&scratch.path("theirs.csv")));
                assert!(ours.len() > 500 && ours.keys().eq(theirs.keys()), "{bundle}");
                for (key, ours) in &ours {
                    let apart = (ours - theirs[key]).abs();
                    assert!(apart <= 1e-5, "{bundle}, {engine}, {key}: {apart:e}");
                }
                let values = ours.values().map(|value| value.to_bits());
                let distinct: std::collections::BTreeSet<u64> = values.collect();
                assert!(distinct.len() > 100, "{bundle} says the same to everything");
            }
        }
    }
}

#[test]
fn a_csv_of_features_scored_in_python_says_what_predict_says() {
    features_and_score_py_say_what_predict_says(&require_python!(), "csv");
}

#[test]
fn a_parquet_of_features_scored_in_python_says_what_predict_says() {
    let python = require_python!();
    let asked = Command::new(&python).args(["-c", "import pyarrow"]).output();
    if !asked.expect("Python starts").status.success() {
        skip!("pyarrow is not in .venv");
    }
    features_and_score_py_say_what_predict_says(&python, "parquet");
}

/// Every file below a folder with its content.
fn state(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            found.insert(path.clone(), Vec::new());
            found.extend(state(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).expect("it can be read"));
        }
    }
    found
}

/// Gives a task weights that are as good as before and much larger: safetensors has room for notes.
fn pad(task: &Path, bytes: usize) {
    // As versions wrote it that did not know the hash of the weights.
    let metadata = task.join("metadata.json");
    let text = fs::read(&metadata).expect("the task has finished");
    let mut value: serde_json::Value = serde_json::from_slice(&text).expect("it is JSON");
    let _hash = value.as_object_mut().expect("it is an object").remove("weights_hash");
    fs::write(&metadata, value.to_string()).expect("the run can be written");

    let weights = task.join("weights.safetensors");
    let whole = fs::read(&weights).expect("the task has weights");
    let (length, rest) = whole.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("it is eight bytes")) as usize;
    let (header, tensors) = rest.split_at(length);
    let mut header: serde_json::Value = serde_json::from_slice(header).expect("the header is JSON");
    header["__metadata__"]["notes"] = "x".repeat(bytes).into();
    let header = serde_json::to_vec(&header).expect("it is JSON");
    let length = (header.len() as u64).to_le_bytes();
    fs::write(weights, [&length[..], &header, tensors].concat()).expect("the run can be written");
}

fn trained(scratch: &Scratch) -> String {
    let done = scratch.run(&format!("train --json {SMALL} --workers 2")).exits(0);
    done.json()[0]["run"].as_str().expect("events name the run").to_owned()
}

/// A limit on the size of files stands for a full disk: it is met at the third of four models.
#[test]
fn a_disk_that_fills_up_halfway_leaves_the_earlier_export_as_it_was() {
    let scratch = Scratch::new();
    let run = trained(&scratch);
    let _done = scratch.run(&format!("export {run} --to out")).exits(0);
    // Otherwise the new ones would be the same bytes.
    for entry in fs::read_dir(scratch.path("out")).expect("it was exported") {
        fs::write(entry.expect("it is there").path().join("README.md"), "an earlier one")
            .expect("the temporary folder can be written");
    }
    let earlier = state(&scratch.path("out"));
    assert_eq!(earlier.len(), 4 * (1 + 8));
    pad(&scratch.path(&format!("runs/{run}/tasks/SYN_B-1h-fold00")), 5 << 20);
    let limit = "trap '' XFSZ; ulimit -f 4000";
    let _full = scratch
        .run_after(limit, &format!("export {run} --to out"))
        .refuses(&["SYN_B-1h-fold00/weights.safetensors: cannot be written", "free disk space"]);
    assert_eq!(state(&scratch.path("out")), earlier);
    // Nor is half of an export left where there was none.
    let _full = scratch.run_after(limit, &format!("export {run} --to new/place")).exits(2);
    assert!(!scratch.path("new").exists());

    let _done = scratch.run(&format!("export {run} --to out")).exits(0);
    let now = state(&scratch.path("out"));
    assert!(now.keys().eq(earlier.keys()), "all of it and nothing else");
    let replaced = now
        .iter()
        .filter(|(path, content)| path.ends_with("README.md") && earlier[*path] != **content);
    assert_eq!(replaced.count(), 4);
}

#[test]
fn what_a_killed_export_leaves_behind_is_swept_away_by_the_next() {
    let scratch = Scratch::new();
    let run = trained(&scratch);
    let export = scratch.start(&format!("export {run} --to out"));
    let begun =
        || fs::read_dir(scratch.path("out")).is_ok_and(|mut entries| entries.next().is_some());
    let asked = std::time::Instant::now();
    while !begun() {
        assert!(asked.elapsed().as_secs() < 60, "nothing is exported");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    export.signal("KILL");
    let _killed = export.finish();
    let _done = scratch.run(&format!("export {run} --to out")).exits(0);
    assert_eq!(state(&scratch.path("out")).len(), 4 * (1 + 8));
}
