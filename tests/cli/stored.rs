//! Runs on disk: `runs list`, `runs show`, `export`, and what becomes of them when files are damaged.

use std::fs;

use serde_json::Value;

use crate::program::{SMALL, Scratch, assert_snapshot};

/// Trains a small run of this name, and returns what `runs` calls it.
fn train(scratch: &Scratch, name: &str) -> String {
    let done = scratch.run(&format!("train --json {SMALL} --workers 2 --set name={name}")).exits(0);
    done.json()[0]["run"].as_str().expect("events name the run").to_owned()
}

fn ids(entries: &[Value]) -> Vec<&str> {
    entries.iter().filter_map(|entry| entry["id"].as_str()).collect()
}

#[test]
fn a_folder_without_runs_has_none() {
    let scratch = Scratch::new();
    let done = scratch.run("runs list").exits(0);
    assert_eq!(done.out, "There are no runs in runs; `walkforge train` makes one.\n");
    assert_eq!(scratch.run("runs list --json").exits(0).out, "");
    assert!(!scratch.path("runs").exists(), "looking creates nothing");
    scratch.write("file", "");
    let _error = scratch.run("runs list --runs file").refuses(&["file: cannot be read"]);
}

#[test]
fn runs_are_listed_newest_first_and_shown_by_the_start_of_their_name() {
    let scratch = Scratch::new();
    let [alpha, beta] = ["alpha", "beta"].map(|name| train(&scratch, name));
    let listed = scratch.run("runs list --json").exits(0).json();
    // Both may be of the same second, so their names are no order.
    let mut newest_first = listed.clone();
    newest_first
        .sort_by_key(|entry| std::cmp::Reverse(entry["created"].as_str().map(str::to_owned)));
    assert_eq!(listed, newest_first);
    assert_eq!(ids(&listed), [beta.as_str(), alpha.as_str()]);
    for entry in &listed {
        assert_eq!((&entry["status"], &entry["tasks"]), (&"finished".into(), &4.into()));
    }

    // The last letters are random: without them the name still fits one run only.
    let start = &alpha[..alpha.len() - 4];
    let shown = scratch.run(&format!("runs show {start} --json")).exits(0).one_json();
    assert_eq!((&shown["id"], &shown["status"]), (&alpha.as_str().into(), &"finished".into()));
    let tasks = shown["tasks"].as_array().unwrap();
    assert_eq!(
        ids(tasks),
        ["SYN_A-1h-fold00", "SYN_A-1h-fold01", "SYN_B-1h-fold00", "SYN_B-1h-fold01"]
    );
    assert!(tasks.iter().all(|task| task["report"]["epochs"] == 2), "{shown}");
    assert_eq!(shown["outcome"]["summary"]["series"].as_array().unwrap().len(), 2);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys(&shown),
        ["id", "manifest", "notes", "outcome", "status", "sweep", "tags", "tasks"],
        "no equity"
    );
    assert_eq!(keys(&tasks[0]), ["failure", "id", "report"]);
    assert!(scratch.path("runs").join(&alpha).join("equity.parquet").is_file());

    let _unknown = scratch
        .run("runs show nothing")
        .refuses(&["`nothing`", "see `walkforge runs list --runs runs`"]);
    let _ambiguous = scratch.run("runs show 20").refuses(&[
        "`20` begins more than one run",
        &alpha,
        "give more",
    ]);

    let list = scratch.run("runs list").exits(0);
    let show = scratch.run(&format!("runs show {alpha}")).exits(0);
    assert_eq!((list.err.as_str(), show.err.as_str()), ("", ""));
    assert_snapshot(
        "cli_runs",
        &[("list", &list.out), ("show", &show.out)],
        &[
            (r"\d{8}-\d{6}-(alpha|beta)-[0-9a-f]{4}", "[$1's name]"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d", "[minute]"),
            // What was learnt depends on the processor, and so does the width of the columns.
            (r"(fold0\d) .*", "$1  [best epoch and metrics]"),
            (r"(model +\d+) .*", "$1  [the model's metrics]"),
            (r"(4/4) .*", "$1  [the model's metrics]"),
            (r"\n {20,}", "\n    "),
            (r" {2,}", "  "),
        ],
    );
}

#[test]
fn a_damaged_run_does_not_hide_the_others() {
    let scratch = Scratch::new();
    let [alpha, beta] = ["alpha", "beta"].map(|name| train(&scratch, name));
    for (file, content) in [("manifest.json", "{\"schema\": 1,"), ("outcome.json", "")] {
        let path = scratch.path("runs").join(&alpha).join(file);
        let sound = fs::read(&path).unwrap();
        assert_eq!(scratch.run("runs list").exits(0).err, "");
        fs::write(&path, content).unwrap();
        let place = format!("runs/{alpha}/{file}: is damaged");
        // What a list says of it is in the index.
        let listed = scratch.run("runs list --json").exits(0).json();
        assert_eq!(ids(&listed), [beta.as_str(), alpha.as_str()]);
        let _error = scratch.run(&format!("runs show {alpha}")).refuses(&[&place]);
        // Without the index the folder is all there is.
        fs::remove_file(scratch.path("runs/index.sqlite3")).unwrap();
        for json in ["", " --json"] {
            let listed = scratch.run(&format!("runs list{json}")).exits(0);
            assert!(listed.out.contains(&beta) && !listed.out.contains(&alpha), "{listed}");
            listed.says(&["warning: ", &place, "restore it from a copy"]);
        }
        let _error = scratch.run(&format!("runs show {alpha}")).refuses(&[&place]);
        fs::write(&path, sound).unwrap();
        fs::remove_file(scratch.path("runs/index.sqlite3")).unwrap();
    }
}

#[test]
fn damaged_equity_is_told_by_whoever_reads_it() {
    let scratch = Scratch::new();
    let alpha = train(&scratch, "alpha");
    let path = scratch.path("runs").join(&alpha).join("equity.parquet");
    let sound = fs::read(&path).unwrap();
    fs::write(&path, &sound[..sound.len() - 1]).unwrap();
    assert_eq!(scratch.run("runs list").exits(0).err, "", "it is not read for a list");
    let place = format!("runs/{alpha}/equity.parquet: is damaged");
    let _error = scratch.run(&format!("runs show {alpha}")).refuses(&[&place]);
    fs::remove_file(&path).unwrap();
    let shown = scratch.run(&format!("runs show {alpha}")).exits(0);
    assert!(shown.out.contains("Out of sample"), "older runs have none: {shown}");
}

#[test]
fn runs_are_found_by_words_status_and_number() {
    let scratch = Scratch::new();
    let [alpha, beta] = ["alpha", "beta"].map(|name| train(&scratch, name));
    let _done = scratch.run(&format!("runs tag {alpha} --tags gold,old --notes Spring")).exits(0);
    let found = |filter: &str| {
        let listed = scratch.run(&format!("runs list --json {filter}")).exits(0).json();
        ids(&listed).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("--filter SPRING"), [alpha.as_str()]);
    assert_eq!(found("--filter gold"), [alpha.as_str()]);
    assert_eq!(found("--limit 1"), [beta.as_str()]);
    assert_eq!(found("--status finished").len(), 2);
    assert!(found("--status failed").is_empty() && found("--sweep none").is_empty());
    let none = scratch.run("runs list --filter nothing").exits(0).out;
    assert_eq!(none, "No run in runs fits; `walkforge runs list` shows all of them.\n");
    let _error =
        scratch.run("runs list --status done").refuses(&["running, interrupted, finished"]);

    let shown = scratch.run(&format!("runs show {alpha}")).exits(0).out;
    assert!(shown.contains("\nTags: gold, old\nNotes: Spring\n"), "{shown}");
    let listed = scratch.run("runs list").exits(0).out;
    assert!(listed.lines().next().unwrap().contains("tags"), "{listed}");
    // What is not given stays; an empty text removes.
    let _done = scratch.run_after("true", &format!("runs annotate {alpha} --tags=")).exits(0);
    let shown = scratch.run(&format!("runs show {alpha} --json")).exits(0).one_json();
    assert_eq!((&shown["tags"], &shown["notes"]), (&serde_json::json!([]), &"Spring".into()));
    let _error = scratch.run(&format!("runs annotate {alpha}")).refuses(&["--tags"]);
    let _error = scratch.run("runs annotate nothing --tags a").refuses(&["`nothing`"]);
}

#[test]
fn runs_are_deleted_when_somebody_says_so() {
    let scratch = Scratch::new();
    let [alpha, beta] = ["alpha", "beta"].map(|name| train(&scratch, name));
    let question = format!("Delete {alpha} with all files?");
    let _asks = scratch.run(&format!("runs delete {alpha}")).refuses(&[&question, "say --yes"]);
    let unknown = scratch.run(&format!("runs delete {alpha} nothing --yes"));
    let _error = unknown.refuses(&["there is no run `nothing`"]);
    assert_eq!(scratch.run_folders().len(), 2, "all or nothing");
    let done = scratch.run(&format!("runs delete {alpha} {alpha} --yes")).exits(0);
    assert_eq!(done.out, format!("{alpha} deleted\n"));
    assert_eq!(ids(&scratch.run("runs list --json").exits(0).json()), [beta.as_str()]);
    assert!(!scratch.path("runs").join(&alpha).exists());
    // Its name is free again in every sense: nothing is left to resume or to show.
    for command in ["show", "resume", "export --to out"] {
        let _gone = scratch.run(&format!("runs {command} {alpha}")).refuses(&["there is no run"]);
    }
}

#[test]
fn export_writes_every_model_with_its_weights_and_manifest() {
    let scratch = Scratch::new();
    let run = train(&scratch, "alpha");
    let done = scratch.run(&format!("export {run} --to models/mine")).exits(0);
    let folders: Vec<&str> = done.out.lines().collect();
    assert_eq!(
        folders,
        [
            "models/mine/SYN_A-1h-fold00",
            "models/mine/SYN_A-1h-fold01",
            "models/mine/SYN_B-1h-fold00",
            "models/mine/SYN_B-1h-fold01"
        ]
    );
    for folder in folders {
        let folder = scratch.path(folder);
        let task = folder.file_name().unwrap();
        let stored = scratch.path("runs").join(&run).join("tasks").join(task);
        let read = |name: &str| fs::read(folder.join(name)).unwrap();
        assert!(read("model.pt").starts_with(b"PK"), "TorchScript is a zip archive");
        assert_eq!(
            read("weights.safetensors"),
            fs::read(stored.join("weights.safetensors")).unwrap()
        );
        let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
        assert!(manifest.is_object());
        let mut names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(
            names,
            [
                "README.md",
                "example.json",
                "experiment.ron",
                "manifest.json",
                "model.onnx",
                "model.pt",
                "score.py",
                "weights.safetensors"
            ],
            "nothing else is left behind"
        );
    }
    let one = scratch.run(&format!("runs export {run} --to one --task SYN_B-1h-fold01")).exits(0);
    assert_eq!(one.out, "one/SYN_B-1h-fold01\n");
    // Again to the same place: files are replaced.
    assert_eq!(scratch.run(&format!("export {run} --to models/mine")).exits(0).out, done.out);
}

#[test]
fn exports_that_cannot_be_made() {
    let scratch = Scratch::new();
    let run = train(&scratch, "alpha");
    scratch.write("file", "");
    for (arguments, expected) in [
        ("export nothing --to out".to_owned(), &["`nothing` in runs", "walkforge runs list"][..]),
        (
            format!("export {run} --to out --runs nowhere"),
            &["in nowhere", "walkforge runs list --runs nowhere"],
        ),
        (
            format!("export {run} --to out --task SYN_C-1h-fold00"),
            &["no finished task `SYN_C-1h-fold00`", "it has SYN_A-1h-fold00, "],
        ),
        (format!("export {run} --to out --refit"), &["no finished refit", "training.refit = true"]),
        (
            format!("export {run} --to file/out"),
            &["file/out", "cannot be written", "check the path"],
        ),
    ] {
        let _error = scratch.run(&arguments).refuses(expected);
        assert!(!scratch.path("out").exists(), "nothing exported, nothing made");
    }

    let task = scratch.path("runs").join(&run).join("tasks/SYN_B-1h-fold00");
    let weights = task.join("weights.safetensors");
    let sound = fs::read(&weights).unwrap();
    let place = format!("runs/{run}/tasks/SYN_B-1h-fold00/");
    for damaged in [&sound[..sound.len() / 2], b"not weights at all"] {
        fs::write(&weights, damaged).unwrap();
        let _error = scratch.run(&format!("export {run} --to out")).refuses(&[
            &place,
            "weights.safetensors: is damaged",
            "restore it from a copy",
        ]);
        // Two tasks come before it, and were whole.
        assert!(!scratch.path("out").exists(), "nothing half exported");
    }
    fs::remove_file(&weights).unwrap();
    let _error = scratch
        .run(&format!("export {run} --to out"))
        .refuses(&[&place, "weights.safetensors: cannot be read"]);
    // Weights of another network are sound in themselves.
    let other = train(&scratch, "beta --preset linear-return");
    let foreign = format!("runs/{other}/tasks/SYN_B-1h-fold00/weights.safetensors");
    fs::copy(scratch.path(&foreign), &weights).unwrap();
    let _error = scratch.run(&format!("export {run} --to out")).refuses(&["SYN_B-1h-fold00"]);
    assert!(!scratch.path("out").exists(), "nothing half exported");
}
