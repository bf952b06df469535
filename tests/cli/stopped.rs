//! Runs that do not end as planned: stopped, killed, failed, out of disk, or with nobody to read what they print.

use serde_json::Value;

use crate::program::{Done, SMALL, Scratch};

/// Many tasks, one after another, each of a few hundred milliseconds: after the first there is plenty left to stop.
const LONG: &str = "--json --preset linear-return --device cpu --workers 1 --set validation.train=500 \
    --set validation.validation=100 --set validation.test=100 --set validation.max_folds=50 \
    --set training.max_epochs=200 --set training.patience=null";

fn ended(events: &[Value], kind: &str) -> Vec<String> {
    let of_kind = events.iter().filter(|event| event["kind"] == kind);
    of_kind.filter_map(|event| event["task"].as_str().map(str::to_owned)).collect()
}

/// The only line of `runs list`.
#[track_caller]
fn listed(scratch: &Scratch) -> Value {
    scratch.run("runs list --json").exits(0).one_json()
}

#[track_caller]
fn run_ended(done: &Done) -> Value {
    let last = done.json().pop().expect("something was told");
    assert_eq!(last["kind"], "run_ended", "{done}");
    last
}

#[test]
fn a_signal_stops_within_a_batch_and_keeps_what_is_finished() {
    for signal in ["INT", "TERM"] {
        let scratch = Scratch::new();
        let mut train = scratch.start(&format!("train {LONG}"));
        let _finished = train.wait_for_event("finished");
        let epoch = train.wait_for_event("epoch");
        train.signal(signal);
        let done = train.finish().exits(130);

        let events = done.json();
        let (finished, cancelled) = (ended(&events, "finished"), ended(&events, "cancelled"));
        assert_eq!(finished.len() + cancelled.len(), ended(&events, "queued").len(), "{done}");
        assert!(!finished.is_empty() && cancelled.len() > finished.len(), "{finished:?}");
        // The task that was training has not gone on to its end.
        let stopped = &cancelled[0];
        assert_eq!(epoch["task"], stopped.as_str(), "{done}");
        let of_stopped = events.iter().filter(|event| event["task"] == stopped.as_str());
        let epochs = of_stopped.filter(|event| event["kind"] == "epoch").count();
        assert!((1..200).contains(&epochs), "{epochs} epochs");

        let last = run_ended(&done);
        assert_eq!(last["outcome"], "cancelled");
        let folds = last["summary"]["series"].as_array().unwrap().iter();
        let folds: u64 = folds.filter_map(|series| series["folds"].as_u64()).sum();
        assert_eq!(folds, finished.len() as u64, "the summary is of the finished tasks: {last}");

        let run = scratch.only_run();
        for task in &finished {
            assert!(run.join("tasks").join(task).join("metadata.json").is_file(), "{task}");
        }
        let entry = listed(&scratch);
        assert_eq!(entry["status"], "cancelled");
        assert_eq!(entry["finished"], finished.len());
    }
}

#[test]
fn without_a_command_the_default_experiment_trains_until_it_is_interrupted() {
    let scratch = Scratch::new();
    let mut program = scratch.start("");
    program.wait_for_note(
        "Training the default experiment in the terminal instead; `walkforge --help`",
    );
    program.wait_for_note("[1/34]");
    program.signal("INT");
    let done = program.finish().exits(130);
    // Tests have no display.
    assert!(done.err.starts_with("No window: "), "{done}");
    done.says(&["Stopping; what is finished is kept", ": cancelled"]);
    assert!(done.out.starts_with("Out of sample, test sections stitched"), "{done}");
}

#[test]
fn a_killed_run_is_shown_as_interrupted_and_keeps_what_is_finished() {
    let scratch = Scratch::new();
    let mut train = scratch.start(&format!("train {LONG}"));
    let _finished = train.wait_for_event("finished");
    let _epoch = train.wait_for_event("epoch");
    assert_eq!(listed(&scratch)["status"], "running");
    train.signal("KILL");
    let done = train.finish();
    assert_ne!(done.json().last().unwrap()["kind"], "run_ended", "it was killed in the middle");

    let entry = listed(&scratch);
    let (finished, tasks) = (entry["finished"].as_u64().unwrap(), entry["tasks"].as_u64().unwrap());
    assert_eq!(entry["status"], "interrupted");
    assert!((1..tasks).contains(&finished), "{entry}");
    let id = entry["id"].as_str().unwrap();
    let shown = scratch.run(&format!("runs show {id} --json")).exits(0).one_json();
    assert_eq!((&shown["status"], &shown["outcome"]), (&"interrupted".into(), &Value::Null));
    let exported = scratch.run(&format!("export {id} --to out")).exits(0);
    assert_eq!(exported.out.lines().count() as u64, finished);
}

#[test]
fn a_run_whose_training_diverges_exits_with_1() {
    let scratch = Scratch::new();
    let done =
        scratch.run(&format!("train --json {SMALL} --set training.learning_rate=1e30")).exits(1);
    let failed = ended(&done.json(), "failed");
    assert_eq!(failed.len(), 4, "{done}");
    for event in done.json().iter().filter(|event| event["kind"] == "failed") {
        let message = event["message"].as_str().unwrap();
        assert!(message.contains("training diverged"), "{message}");
        assert!(message.contains("lower training.learning_rate"), "{message}");
    }
    let last = run_ended(&done);
    assert_eq!(
        (&last["outcome"], &last["summary"]["series"]),
        (&"failed".into(), &Value::Array(vec![]))
    );

    let entry = listed(&scratch);
    assert_eq!((&entry["status"], &entry["finished"]), (&"failed".into(), &0.into()));
    let id = entry["id"].as_str().unwrap();
    let shown = scratch.run(&format!("runs show {id}")).exits(0);
    assert!(
        shown.out.contains("SYN_A-1h-fold00 failed: training diverged in epoch 1, batch "),
        "{shown}"
    );
    let _nothing =
        scratch.run(&format!("export {id} --to out")).refuses(&["no finished task", "runs show"]);
}

/// One task cannot be saved, because a file stands where its folder belongs. The others are told and kept.
#[test]
fn one_failed_task_leaves_the_others_alone() {
    let scratch = Scratch::new();
    let mut train = scratch.start(&format!("train {LONG} --set validation.max_folds=3"));
    let planned = train.wait_for_event("planned");
    let tasks = planned["plan"]["tasks"].as_array().unwrap();
    let unlucky = tasks.last().unwrap()["id"].as_str().unwrap();
    // It is the last of six, so it is far from being saved.
    scratch.write(&format!("runs/{}/tasks/{unlucky}", planned["run"].as_str().unwrap()), "");
    let done = train.finish().exits(1);
    let events = done.json();
    assert_eq!(ended(&events, "failed"), [unlucky]);
    assert_eq!(ended(&events, "finished").len(), 5, "{done}");
    let failed = events.iter().find(|event| event["kind"] == "failed").unwrap();
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains(&format!("tasks/{unlucky}: cannot be written")), "{message}");
    let last = run_ended(&done);
    assert_eq!(last["outcome"], "failed");
    assert_eq!(last["summary"]["series"].as_array().unwrap().len(), 2, "{last}");
    let entry = listed(&scratch);
    assert_eq!((&entry["status"], &entry["finished"]), (&"failed".into(), &5.into()));
}

/// A folder stands where the equity belongs. Everything else is written, and the run does not count as sound.
#[test]
fn a_run_whose_equity_cannot_be_written_says_so_and_keeps_the_rest() {
    let scratch = Scratch::new();
    let mut train = scratch.start(&format!("train {LONG} --set validation.max_folds=1"));
    let planned = train.wait_for_event("planned");
    scratch.write(&format!("runs/{}/equity.parquet/x", planned["run"].as_str().unwrap()), "");
    let done = train.finish().exits(1);
    done.says(&["equity.parquet: cannot be written", "the free disk space"]);
    assert_eq!(run_ended(&done)["outcome"], "failed");
    let stored = std::fs::read(scratch.only_run().join("outcome.json")).unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    assert_eq!(stored["outcome"], "failed");
    assert_eq!(stored["summary"]["series"].as_array().unwrap().len(), 2);
    let entry = listed(&scratch);
    assert_eq!((&entry["status"], &entry["finished"]), (&"failed".into(), &2.into()));
}

/// A limit on the size of files stands for a full disk, which root could not be given otherwise.
#[test]
fn a_full_disk_is_told_by_the_file_that_could_not_be_written() {
    for (kib, arguments, code, file) in [
        (1, "--json", 2, "spec.ron"),
        // Enough for the manifest, not for the weights of 256 hidden units.
        (24, "--json --set model.hidden=[256]", 1, "weights.safetensors"),
        (8, "--set training.max_epochs=40 --set training.patience=null", 1, "events.jsonl"),
    ] {
        let scratch = Scratch::new();
        // Without the trap the limit would kill the program instead of failing the write.
        let limit = format!("trap '' XFSZ; ulimit -f {kib}");
        let done = scratch.run_after(&limit, &format!("train {SMALL} {arguments}")).exits(code);
        let told = if file == "weights.safetensors" { &done.out } else { &done.err };
        for piece in [&format!("{file}: cannot be written"), "the free disk space", "--runs"] {
            assert!(told.contains(piece), "{kib} KiB: no `{piece}`: {done}");
        }
        assert!(code != 2 || done.out.is_empty(), "{done}");
    }
}

#[test]
fn a_reader_who_goes_away_is_no_reason_to_fail() {
    let scratch = Scratch::new();
    for arguments in ["plan --device cpu", "runs list"] {
        let mut program = scratch.start(arguments);
        program.close_stdout();
        assert_eq!(program.finish().exits(0).err, "", "{arguments}");
    }
    let mut train = scratch.start(&format!("train --json {SMALL}"));
    let _planned = train.wait_for_event("planned");
    train.close_stdout();
    assert_eq!(train.finish().exits(0).err, "");
    assert_eq!(listed(&scratch)["status"], "finished");
}
