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

/// What a command says to type next, without the program's name.
#[track_caller]
fn told_to_type(done: &Done, start: &str) -> String {
    let line = done.err.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or_else(|| panic!("nobody says `{start}`: {done}")).to_owned()
}

/// The same with sixteen tasks, for tests that train them to their end.
fn shorter() -> String {
    format!("{LONG} --set validation.max_folds=8")
}

#[test]
fn a_signal_lets_tasks_write_checkpoints_and_the_run_goes_on_where_it_stood() {
    for signal in ["INT", "TERM"] {
        let scratch = Scratch::new();
        let mut train = scratch.start(&format!("train {}", shorter()));
        let _finished = train.wait_for_event("finished");
        let epoch = train.wait_for_event("epoch");
        let asked = std::time::Instant::now();
        train.signal(signal);
        let done = train.finish().exits(130);
        assert!(asked.elapsed().as_secs() < 5, "{:?}", asked.elapsed());

        let events = done.json();
        let (finished, paused) = (ended(&events, "finished"), ended(&events, "paused"));
        assert!(ended(&events, "cancelled").is_empty(), "{signal}");
        // The task that was training has not gone on to its end, unless that was near.
        assert!(paused.len() <= 1 && finished.len() < 16, "{paused:?}");
        let of_epoch = epoch["task"].as_str().unwrap().to_owned();
        assert!(paused.contains(&of_epoch) || finished.contains(&of_epoch), "{of_epoch}");
        let entry = listed(&scratch);
        assert_eq!(entry["status"], "interrupted");
        assert_eq!(entry["finished"], finished.len());

        let id = entry["id"].as_str().unwrap();
        let resumed = scratch.run(&format!("runs resume {id} --json")).exits(0);
        let again = resumed.json();
        let kept = ended(&again, "kept");
        assert_eq!(kept, finished, "what was finished is kept");
        assert!(ended(&again, "finished").iter().all(|task| !finished.contains(task)));
        assert_eq!(kept.len() + ended(&again, "finished").len(), 16);
        assert_eq!(run_ended(&resumed)["outcome"], "finished");
        assert_eq!(listed(&scratch)["status"], "finished");
        let _nothing_left = scratch
            .run(&format!("runs resume {id}"))
            .refuses(&["has finished: there is nothing to resume"]);
    }
}

#[test]
fn a_second_signal_cancels_and_what_is_finished_is_kept() {
    let scratch = Scratch::new();
    let mut train = scratch.start(&format!("train {LONG}"));
    let _finished = train.wait_for_event("finished");
    train.signal("INT");
    train.signal("INT");
    let done = train.finish().exits(130);
    let entry = listed(&scratch);
    // Whether the second one came before all was at rest is chance.
    assert!(entry["status"] == "interrupted" || entry["status"] == "cancelled", "{entry}");
    let finished = ended(&done.json(), "finished");
    assert_eq!(entry["finished"], finished.len());
    let run = scratch.only_run();
    for task in &finished {
        assert!(run.join("tasks").join(task).join("metadata.json").is_file(), "{task}");
    }
}

#[test]
fn people_are_told_how_to_go_on() {
    let scratch = Scratch::new();
    let mut train =
        scratch.start(&format!("train {} --runs my-runs", shorter()).replace("--json ", ""));
    train.wait_for_note("[1/16]");
    train.signal("INT");
    let done = train.finish().exits(130);
    done.says(&["Stopping: every task writes a checkpoint. Ctrl-C again stops at once"]);
    let command = told_to_type(&done, "Go on: walkforge ");
    assert!(
        command.starts_with("runs resume ") && command.ends_with(" --runs my-runs"),
        "{command}"
    );
    let id = command.split(' ').nth(2).unwrap();
    let shown = scratch.run(&format!("runs show {id} --runs my-runs")).exits(0).out;
    assert!(
        shown.contains(
            "Interrupted: it was asked to stop, after checkpoints; go on with walkforge runs resume"
        ),
        "{shown}"
    );
    let list = scratch.run("runs list --runs my-runs").exits(0);
    list.says(&["walkforge runs resume RUN --runs my-runs"]);
    let resumed = scratch.run(&command).exits(0);
    resumed.says(&["kept, had finished: ", "Next: walkforge export "]);
    assert!(resumed.out.starts_with("Out of sample, test sections stitched"), "{resumed}");
}

#[test]
fn a_stopped_sweep_says_what_was_not_started() {
    let scratch = Scratch::new();
    let sweep = "--sweep seed=1,2,3,4,5,6,7,8,9";
    let mut train = scratch.start(&format!("train {LONG} {sweep}").replace("--json ", ""));
    train.wait_for_note("[1/100]");
    train.signal("INT");
    let done = train.finish().exits(130);
    assert!(done.err.contains("Go on: walkforge runs resume "), "{done}");
    done.says(&["runs were not started; the same command trains them"]);
}

#[test]
fn a_run_that_another_process_has_is_left_alone() {
    let scratch = Scratch::new();
    let mut train = scratch.start(&format!("train {LONG}"));
    let _epoch = train.wait_for_event("epoch");
    let entry = listed(&scratch);
    let id = entry["id"].as_str().unwrap();
    let _owned = scratch.run(&format!("runs resume {id}")).refuses(&["is at work in process"]);
    scratch.run(&format!("runs delete {id} --yes")).exits(2).says(&["is at work in process"]);
    let shown = scratch.run(&format!("runs show {id}")).exits(0).out;
    assert!(shown.contains("\nAt work: in process "), "{shown}");
    train.signal("KILL");
    let _killed = train.finish();
    let shown = scratch.run(&format!("runs show {id}")).exits(0).out;
    assert!(shown.contains("Interrupted: its process ") && shown.contains(" is gone"), "{shown}");
    for (arguments, expected) in [
        ("runs resume nothing", "there is no run `nothing` in runs"),
        ("runs resume nothing --runs nowhere", "in nowhere"),
    ] {
        let _error = scratch.run(arguments).refuses(&[expected]);
    }
    assert!(!scratch.path("nowhere").exists());
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
    done.says(&["Stopping: every task writes a checkpoint", "Go on: walkforge runs resume "]);
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
        (8, "--json", 2, "index.sqlite3"),
        // Enough for the index, not for the weights of so many hidden units.
        (2000, "--json --set model.hidden=[2048,512]", 1, "weights.safetensors"),
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
