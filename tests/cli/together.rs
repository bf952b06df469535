//! Several programs on one runs folder: a window's engine in this process, the command line in others.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use walkforge::domain::RunOutcome;
use walkforge::runs::{RunEntry, RunStatus, check_index};
use walkforge::spec::{apply, load};
use walkforge::workbench::{Command, Update, Workbench};

use crate::program::{SMALL, Scratch};

/// Runs that each side trains, one after another or side by side as it likes.
const EACH: usize = 6;

fn lock_trouble(text: &str) -> bool {
    text.contains("locked") || text.contains("busy")
}

#[test]
fn a_window_and_command_lines_work_on_one_folder_and_see_each_others_runs() {
    let scratch = Scratch::new();
    let runs = scratch.path("runs");
    let window = Workbench::open(&runs, || {}).expect("the folder can be written");
    window.send(Command::ListRuns);
    let set = SMALL.split_whitespace().filter(|word| word.contains('='));
    let set: Vec<_> = set.map(|text| text.parse().expect("an assignment")).collect();
    let mut spec = apply(&load("mlp-return").expect("it is there"), &set).expect("it fits");
    spec.resources.reuse = false;
    for _ in 0..EACH {
        window.send(Command::Start(Box::new(spec.clone())));
    }
    let train = format!("train --json {SMALL} --set resources.reuse=false");
    let programs: Vec<_> = (0..EACH).map(|_| scratch.start(&train)).collect();

    let (mut ended, mut listed): (_, Vec<RunEntry>) = (0, Vec::new());
    let mut listings = 0;
    let both_are_there = |listed: &[RunEntry]| {
        listed.len() == 2 * EACH && listed.iter().all(|run| run.status == RunStatus::Finished)
    };
    let mut finish = Some(programs);
    let until = Instant::now() + Duration::from_mins(5);
    while Instant::now() < until {
        for update in window.wait(Duration::from_secs(1)) {
            match update {
                Update::RunDone { outcome, .. } => {
                    assert_eq!(outcome, RunOutcome::Finished);
                    ended += 1;
                }
                Update::RunsListed { runs, broken, .. } => {
                    assert!(broken.is_empty(), "{broken:?}");
                    listed = runs.expect("the list can be read");
                    listings += 1;
                }
                Update::StartFailed { message, .. } | Update::RunBroken { message, .. } => {
                    panic!("{message}");
                }
                _ => {}
            }
        }
        if ended == EACH {
            // The others are waited for once this side has nothing more to do.
            for program in finish.take().into_iter().flatten() {
                let done = program.finish().exits(0);
                assert!(!lock_trouble(&done.err) && !lock_trouble(&done.out), "{done}");
            }
        }
        if ended == EACH && both_are_there(&listed) {
            break;
        }
    }
    assert!(both_are_there(&listed), "told again after others changed them: {listed:?}");
    assert!(listings > 1, "asked once, told whenever it changes");
    let by_command = scratch.run("runs list --json").exits(0).json();
    let theirs: BTreeSet<&str> = by_command.iter().filter_map(|run| run["id"].as_str()).collect();
    let ours: BTreeSet<&str> = listed.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(theirs, ours);
    assert_eq!(check_index(&runs).expect("it can be read"), [""; 0]);
}

#[test]
fn a_living_run_is_left_to_whoever_has_it() {
    let scratch = Scratch::new();
    let endless = format!(
        "train --json {SMALL} --set training.max_epochs=1000000 --set training.patience=null"
    );
    let mut train = scratch.start(&endless);
    let planned = train.wait_for_event("planned");
    let run = planned["run"].as_str().expect("it has a name").to_owned();
    let _progress = train.wait_for_event("progress");
    for (command, piece) in [("resume", "process"), ("delete --yes", "process")] {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let refused = scratch.run(&format!("runs {verb} {run} {rest}"));
        assert!(refused.err.contains(&run) && refused.err.contains(piece), "{refused}");
    }
    // A second engine opens the folder, as a second window would: the run stays the first one's.
    let second = Workbench::open(&scratch.path("runs"), || {}).expect("the folder can be written");
    drop(second);
    let listed = scratch.run("runs list --json").exits(0).one_json();
    assert_eq!(listed["status"], "running");
    let _progress = train.wait_for_event("progress");
    train.signal("KILL");
    let _killed = train.finish();
    let listed = scratch.run("runs list --json").exits(0).one_json();
    assert_eq!(listed["status"], "interrupted");
    let _gone = scratch.run(&format!("runs delete {run} --yes")).exits(0);
    assert!(scratch.run("runs list --json").exits(0).json().is_empty());
}
