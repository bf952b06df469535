//! A run is killed again and again, at moments nobody chooses, and ends as if nothing had happened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use walkforge::domain::RunId;
use walkforge::runs::{RunFolder, RunStore, check_index};

use crate::program::{Done, Scratch};

/// Twelve tasks, two at a time.
const TWELVE: &str = "--device cpu --workers 2 --set validation.train=1000 --set validation.validation=200 \
    --set validation.test=200 --set validation.max_folds=6 \
    --set training.patience=null --set resources.checkpoint_secs=1 --set model.dropout=0.2";

/// Of some seconds each, so that every task passes several checkpoints.
const LONG: &str = "--set training.batch_size=16 --set training.max_epochs=70";

/// Of a few hundred milliseconds each.
const SHORT: &str = "--set training.max_epochs=60";

/// Kills in one go of the suite; `WALKFORGE_KILLS=100` asks for more.
const KILLS: u32 = 10;

/// What the programs have told so far, all together.
#[derive(Default)]
struct Told {
    /// Tasks that a program said it had finished.
    finished: BTreeSet<String>,
    kept: BTreeSet<String>,
    /// Programs that were killed while a task was at work.
    in_the_middle: u32,
    /// Times a task began with another epoch than its first.
    went_on: u32,
}

impl Told {
    fn take(&mut self, done: &Done) {
        let (mut at_work, mut has_begun) = (BTreeSet::new(), BTreeSet::new());
        // The last line may be torn.
        let events = done.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for event in events {
            let Some(task) = event["task"].as_str().map(str::to_owned) else { continue };
            match event["kind"].as_str() {
                Some("started") => {
                    assert!(!self.finished.contains(&task), "{task} is trained again: {done}");
                    at_work.insert(task);
                }
                Some("finished") => {
                    at_work.remove(&task);
                    assert!(self.finished.insert(task), "finished twice: {done}");
                }
                Some("kept") => {
                    self.kept.insert(task);
                }
                Some("epoch") => {
                    let is_first = has_begun.insert(task);
                    self.went_on += u32::from(is_first && event["epoch"] != 1);
                }
                Some("failed" | "warning") => panic!("{event}: {done}"),
                _ => {}
            }
        }
        self.in_the_middle += u32::from(!at_work.is_empty());
    }
}

fn bytes(folder: &RunFolder) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for task in folder.manifest().expect("it has one").plan.tasks {
        for name in ["weights.safetensors", "predictions.parquet"] {
            let path = folder.task(&task.id).join(name);
            let read =
                std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            files.insert(format!("{}/{name}", task.id), read);
        }
    }
    files
}

/// The name of the only run there is, and how it stands.
fn the_run(scratch: &Scratch) -> Option<(String, String)> {
    let listed = scratch.run("runs list --json").exits(0).json();
    assert!(listed.len() <= 1, "{listed:?}");
    let text = |field: &str| Some(listed.first()?[field].as_str()?.to_owned());
    Some((text("id")?, text("status")?))
}

fn assert_sound(runs: &Path, when: &str) {
    if runs.exists() {
        let problems = check_index(runs).expect("the index can be read");
        assert!(problems.is_empty(), "{when}: {problems:?}");
    }
}

/// Numbers between 0 and 1 that look random and are the same every time.
fn draws() -> impl Iterator<Item = f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

#[test]
fn a_run_killed_at_any_moment_goes_on_and_ends_as_if_it_had_not_been() {
    let kills = std::env::var("WALKFORGE_KILLS").ok().and_then(|text| text.parse().ok());
    let kills: u32 = kills.unwrap_or(KILLS);
    let undisturbed = Scratch::new();
    let train = format!("train --json {TWELVE} {LONG}");
    let lines = undisturbed.run(&train).exits(0).out.lines().count();

    let mut draws = draws();
    let mut draw = move || draws.next().unwrap_or(0.5);
    let mut made = 0;
    let (mut told, mut in_the_middle, mut went_on, mut resumed) = (Told::default(), 0, 0, 0);
    while made < kills {
        // Each run is killed until it ends; then the next one begins.
        let scratch = Scratch::new();
        told = Told::default();
        let run = loop {
            let command = match the_run(&scratch) {
                // Its end may have been on disk before it could be told.
                Some((run, status)) if status == "finished" => break run,
                Some((run, _)) => {
                    resumed += 1;
                    format!("runs resume {run} --json")
                }
                None => train.clone(),
            };
            let mut program = scratch.start(&command);
            let is_to_die = made < kills;
            if is_to_die {
                // After some of what a whole run tells, and a moment that nobody chooses; now and then before anything is told.
                if draw() < 0.9 {
                    program.listen((draw() * 0.3 * lines as f64) as usize + 1);
                }
                std::thread::sleep(Duration::from_secs_f64(0.05 * draw()));
                program.signal("KILL");
            }
            let done = program.finish();
            told.take(&done);
            let has_ended = done.out.contains("\"run_ended\"");
            assert!(is_to_die || has_ended, "{done}");
            // One that had come to its end by itself was not killed.
            made += u32::from(is_to_die && !has_ended);
            assert_sound(&scratch.path("runs"), &format!("after kill {made}"));
            assert!(told.finished.len() <= 12, "{done}");
        };
        in_the_middle += told.in_the_middle;
        went_on += told.went_on;
        let all = |scratch: &Scratch, run: &str| {
            RunStore::find(&scratch.path("runs"), RunId::new(run).as_str()).unwrap()
        };
        let (other, _) = the_run(&undisturbed).expect("it ended");
        let (expected, found) = (all(&undisturbed, &other), all(&scratch, &run));
        assert!(bytes(&expected) == bytes(&found), "weights or predictions differ");
        let summary = |folder: &RunFolder| folder.outcome().unwrap().unwrap().summary;
        assert_eq!(summary(&expected), summary(&found));
        let listed = scratch.run("runs list --json").exits(0).one_json();
        assert_eq!((&listed["status"], &listed["finished"]), (&"finished".into(), &12.into()));
    }
    eprintln!(
        "{made} kills, {in_the_middle} of them while tasks were at work, {resumed} resumed, {went_on} tasks gone on from a checkpoint; \
         the last run kept {} tasks",
        told.kept.len()
    );
    assert!(resumed > 0 && in_the_middle > 0, "nothing was interrupted: choose longer tasks");
    assert!(went_on > 0, "every task began anew: choose tasks that pass more checkpoints");
}

/// Writes fail from some moment on; what is there stays whole, and with room again the run goes on.
#[test]
fn a_run_whose_disk_fills_up_says_so_and_is_resumed_when_there_is_room() {
    let undisturbed = Scratch::new();
    let train = format!("train --json {TWELVE} {SHORT}");
    let _done = undisturbed.run(&train).exits(0);
    let (expected, _) = the_run(&undisturbed).expect("it ended");
    let expected = RunStore::find(&undisturbed.path("runs"), &expected).unwrap();
    let mut in_the_middle = 0;
    for kib in (100..1300).step_by(150) {
        let scratch = Scratch::new();
        let limit = format!("trap '' XFSZ; ulimit -f {kib}");
        let done = scratch.run_after(&limit, &train);
        let told = format!("{}{}", done.out, done.err);
        assert_sound(&scratch.path("runs"), &format!("with {kib} KiB"));
        let listed = scratch.run("runs list --json").exits(0).json();
        if listed.first().is_none_or(|run| run["status"] != "finished") {
            assert!(
                told.contains("cannot be written") && told.contains("free disk space"),
                "{done}"
            );
        }
        let Some(run) = listed.first() else { continue };
        let finished = run["finished"].as_u64().expect("a number");
        if run["status"] == "finished" {
            continue;
        }
        in_the_middle += u32::from(finished > 0);
        let run = run["id"].as_str().expect("a name");
        let mut told = Told::default();
        told.take(&scratch.run(&format!("runs resume {run} --json")).exits(0));
        // What was whole on disk before its end could be recorded is kept, too.
        assert!(told.kept.len() as u64 >= finished, "what had finished is kept");
        let listed = scratch.run("runs list --json").exits(0).one_json();
        assert_eq!((&listed["status"], &listed["finished"]), (&"finished".into(), &12.into()));
        let found = RunStore::find(&scratch.path("runs"), run).expect("it is there");
        assert!(bytes(&expected) == bytes(&found), "with {kib} KiB weights or predictions differ");
    }
    assert!(in_the_middle > 0, "no limit stopped a run half-way");
}
