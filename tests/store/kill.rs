//! A process that is killed at any moment loses nothing that it has told.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use walkforge::domain::RunOutcome;
use walkforge::runs::{RunFilter, RunIndex, RunStatus, check_index};

use crate::child::Other;
use crate::support::{entries, open, plan};

/// What the processes have said, one after another.
#[derive(Default)]
struct Told {
    finished: BTreeSet<String>,
    last_seq: Option<u64>,
    has_ended: bool,
}

impl Told {
    fn note(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["told", seq, kind, task] => {
                let seq = seq.parse().unwrap();
                assert!(
                    self.last_seq.is_none_or(|last| last < seq),
                    "{line} after {:?}",
                    self.last_seq
                );
                self.last_seq = Some(seq);
                if *kind == "finished" {
                    assert!(self.finished.insert((*task).to_owned()), "{task} was trained twice");
                }
                self.has_ended |= *kind == "ended";
            }
            ["kept", kept @ ..] => {
                let kept: BTreeSet<String> = kept.iter().map(|task| (*task).to_owned()).collect();
                assert!(
                    kept.is_superset(&self.finished),
                    "{kept:?} lacks some of {:?}",
                    self.finished
                );
                // One whose files were there before it could be told is kept too, and need not be told again.
                self.finished.extend(kept.into_iter().filter(|task| !task.is_empty()));
            }
            _ => panic!("{line}"),
        }
    }
}

/// Also takes note of an end that was on disk before it could be told.
fn assert_nothing_is_lost(root: &Path, told: &mut Told) {
    // The next start notices what happened.
    drop(open(root));
    assert_eq!(check_index(root).unwrap(), [""; 0]);
    let entries = entries(root);
    let Some(entry) = entries.first() else { return };
    assert_eq!(entries.len(), 1);
    assert!(entry.finished >= told.finished.len() as u64, "{entry:?} and {:?}", told.finished);
    let expected = if told.has_ended { RunStatus::Finished } else { entry.status };
    assert_eq!(entry.status, expected);
    assert_ne!(entry.status, RunStatus::Running);
    let index = RunIndex::open(root).unwrap();
    let curves = index.curves(&entry.id).unwrap();
    for task in &told.finished {
        assert_eq!(curves[&walkforge::domain::TaskId::new(task.as_str())].len(), 2, "{task}");
    }
    told.has_ended |= entry.status == RunStatus::Finished;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_told_is_there_after_every_kill(
        // After so many lines, and then so many microseconds.
        kills in prop::collection::vec((0_usize..12, 0_u64..20_000), 1..5)
    ) {
        let root = tempfile::tempdir().unwrap();
        let mut told = Told::default();
        for (lines, micros) in kills {
            let mut other = Other::start(root.path(), "work");
            for _ in 0..lines {
                let Some(line) = other.says() else { break };
                told.note(&line);
            }
            std::thread::sleep(std::time::Duration::from_micros(micros));
            other.kill();
            // What it had said before it died.
            while let Some(line) = other.says() {
                told.note(&line);
            }
            assert_nothing_is_lost(root.path(), &mut told);
            if told.has_ended {
                break;
            }
        }
        if !told.has_ended {
            let mut other = Other::start(root.path(), "work");
            while let Some(line) = other.says() {
                told.note(&line);
            }
            prop_assert!(told.has_ended);
            assert_nothing_is_lost(root.path(), &mut told);
        }
        // The last of them may have been on disk without having been told.
        prop_assert_eq!(entries(root.path())[0].finished, plan().tasks.len() as u64);
    }
}

/// Between the last file of a task and its row, and between `outcome.json` and its row: what is on disk counts.
#[test]
fn what_was_on_disk_before_it_could_be_told_counts() {
    let root = tempfile::tempdir().unwrap();
    let mut other = Other::start(root.path(), "hold");
    let run = other.says().unwrap();
    let folder = RunIndex::open(root.path()).unwrap().find(&run).unwrap();
    crate::support::write_result(&folder, &plan().tasks[3]).unwrap();
    other.kill();
    let store = open(root.path());
    let entry = entries(root.path()).remove(0);
    assert_eq!((entry.status, entry.finished), (RunStatus::Interrupted, 1));
    let resumed = store.resume(&entry.id).unwrap();
    assert_eq!(resumed.finished, [plan().tasks[3].id.clone()]);
    store.release(&entry.id).unwrap();
    drop(store);

    let mut other = Other::start(root.path(), &format!("resume {run}"));
    assert_eq!(other.says().as_deref(), Some("ready"));
    other.go_on();
    assert_eq!(other.says().as_deref(), Some("got it"));
    let outcome = walkforge::runs::Outcome {
        ended: walkforge::domain::UtcMillis::now(),
        outcome: RunOutcome::Cancelled,
        summary: walkforge::domain::RunSummary::default(),
        tasks: Vec::new(),
    };
    folder.write_outcome(&outcome).unwrap();
    other.kill();
    drop(open(root.path()));
    let filter = RunFilter { status: Some(RunStatus::Cancelled), ..RunFilter::default() };
    let found = RunIndex::open(root.path()).unwrap().runs(&filter).unwrap();
    assert_eq!((found.len(), found[0].ended), (1, Some(outcome.ended)));
}
