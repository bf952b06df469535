//! `doctor`: what is wrong and what mends it.

use serde_json::Value;

use crate::program::{SMALL, Scratch, assert_snapshot};

/// The finding about a topic.
#[track_caller]
fn finding(report: &Value, topic: &str) -> Value {
    let findings = report["findings"].as_array().expect("there are findings");
    let found = findings.iter().find(|finding| finding["topic"] == topic);
    found.unwrap_or_else(|| panic!("nothing of {topic}: {report}")).clone()
}

#[test]
fn every_topic_is_looked_at_and_what_is_wrong_says_what_mends_it() {
    let scratch = Scratch::new();
    let done = scratch.run("doctor --json");
    let report = done.one_json();
    // What is wrong with this machine is not what is tested.
    let code = i32::from(report["health"] == "problem");
    let _done = done.exits(code);
    for finding in report["findings"].as_array().unwrap() {
        let is_sound = finding["health"] == "ok";
        assert_eq!(finding["mend"].is_null(), is_sound, "{finding}");
    }
    for topic in ["libtorch", "NVIDIA driver", "CUDA", "runs folder", "temporary files", "runs"] {
        let _looked_at = finding(&report, topic);
    }
    // Tests have no display.
    let display = finding(&report, "display");
    assert_eq!(display["health"], "warning");
    assert!(display["found"].as_str().unwrap().contains("neither DISPLAY nor WAYLAND_DISPLAY"));
    assert!(!scratch.path("runs").exists() && !scratch.path("cache").exists(), "it only looks");

    let people = scratch.run("doctor").exits(code);
    assert_eq!(people.err, "");
    assert_snapshot(
        "cli_doctor",
        &[("stdout", &people.out)],
        &[
            // What machine it is.
            (
                r"(?m)^(ok|warning|problem) +(libtorch|NVIDIA driver|CUDA|runs folder|cache|temporary files|memory|processors|limits) .*\n( +mend: .*\n)?",
                "[health] $2: [what there is]\n",
            ),
            (r"(?m)^(Nothing is|No problem|\d+ problem).*$", "[summary]"),
        ],
    );
}

#[test]
fn folders_that_cannot_be_used_are_problems() {
    let scratch = Scratch::new();
    scratch.write("file", "");
    let report = scratch.run("doctor --json --runs file/runs").exits(1).one_json();
    assert_eq!(report["health"], "problem");
    let runs = finding(&report, "runs folder");
    assert_eq!(runs["health"], "problem");
    assert!(runs["found"].as_str().unwrap().contains("file is a file"), "{runs}");
    assert!(runs["mend"].as_str().unwrap().contains("--runs DIR"), "{runs}");

    let tight = "export TMPDIR=$PWD/file WALKFORGE_CACHE=off; ulimit -n 100";
    let done = scratch.run_after(tight, "doctor").exits(1);
    for line in [
        "problem  temporary files",
        "mend: export TMPDIR=DIR",
        "warning  cache            switched off",
        "mend: ulimit -n 4096",
    ] {
        assert!(done.out.contains(line), "{line}: {done}");
    }
}

#[test]
fn a_display_where_nobody_answers_is_a_warning() {
    let scratch = Scratch::new();
    let done = scratch.run_after("export DISPLAY=:4711", "doctor --json").exits(0);
    let display = finding(&done.one_json(), "display");
    let found = display["found"].as_str().unwrap();
    assert!(found.contains("nobody answers at /tmp/.X11-unix/X4711"), "{display}");
    assert!(display["mend"].as_str().unwrap().contains("unset DISPLAY"), "{display}");
}

#[test]
fn runs_that_need_somebody_are_told() {
    let scratch = Scratch::new();
    let _done = scratch.run(&format!("train --json {SMALL}")).exits(0);
    let sound = finding(&scratch.run("doctor --json").exits(0).one_json(), "runs");
    assert_eq!(sound["found"], "1 runs, 0 running, 0 interrupted");

    let mut train = scratch.start(&format!("train --json {SMALL} --set seed=8 --set training.max_epochs=5000 --set training.patience=null"));
    let _epoch = train.wait_for_event("epoch");
    train.signal("KILL");
    let _killed = train.finish();
    let interrupted = finding(&scratch.run("doctor --json").exits(0).one_json(), "runs");
    assert_eq!(interrupted["found"], "2 runs, 0 running, 1 interrupted");
    assert!(interrupted["mend"].as_str().unwrap().contains("runs resume RUN"), "{interrupted}");

    let finished = scratch.run("runs list --status finished --json").exits(0).one_json();
    std::fs::remove_dir_all(scratch.path(finished["path"].as_str().unwrap())).unwrap();
    let problem = scratch.run("doctor --json").exits(1).one_json();
    let lost = finding(&problem, "runs");
    assert!(lost["found"].as_str().unwrap().contains("has lost its folder"), "{lost}");
    // What it says mends it.
    let mend = lost["mend"].as_str().unwrap();
    let command = mend.split(',').next().unwrap().strip_prefix("walkforge ").unwrap();
    let _listed = scratch.run(command).exits(0);
    let after = finding(&scratch.run("doctor --json").exits(0).one_json(), "runs");
    assert_eq!(after["found"], "1 runs, 0 running, 1 interrupted");
}
