//! A run belongs to one living process.

use walkforge::domain::{EventKind, RunId, RunOutcome};
use walkforge::runs::{
    RunFilter, RunIndex, RunStatus, StoreError, annotate_run, check_index, delete_run,
    register_model,
};

use crate::child::Other;
use crate::support::{create, end, entries, entry, epoch, id, interrupted, open, plan, train};

#[test]
fn a_second_process_neither_marks_nor_takes_a_living_run() {
    let root = tempfile::tempdir().unwrap();
    let mut other = Other::start(root.path(), "hold");
    let run = RunId::new(other.says().unwrap());
    let store = open(root.path());
    assert_eq!(entry(root.path(), &run).status, RunStatus::Running);
    let owned = StoreError::Owned { run: run.clone(), pid: other.pid() };
    assert_eq!(store.resume(&run).unwrap_err(), owned);
    assert_eq!(delete_run(root.path(), &run).unwrap_err(), owned);
    assert_eq!(store.release(&run).unwrap_err(), StoreError::NotOwned { run: run.clone() });
    let folder = RunIndex::open(root.path()).unwrap().find(run.as_str()).unwrap();
    assert_eq!(folder.results().unwrap().status, RunStatus::Running);

    let index = RunIndex::open(root.path()).unwrap();
    let before = index.generation().unwrap();
    assert_eq!(index.generation().unwrap(), before);
    other.kill();
    assert_ne!(index.generation().unwrap(), before, "its end is noticed without a word of it");
    assert_eq!(entry(root.path(), &run).status, RunStatus::Interrupted);
    let resumed = store.resume(&run).unwrap();
    assert_eq!(entry(root.path(), &run).status, RunStatus::Running);
    assert_eq!(resumed.manifest.owner.unwrap().pid, std::process::id());
}

/// A list of ten thousand runs is not made anew because one of them learns.
#[test]
fn measurements_change_no_list_and_all_that_is_listed_does() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let (run, folder, log) = create(&store);
    let task = &plan().tasks[0];
    log.record(Some(&task.id), EventKind::Started { device: task.device }).unwrap();
    let index = RunIndex::open(root.path()).unwrap();
    let generation = || {
        store.flush();
        index.generation().unwrap()
    };
    let mut last = generation();
    for number in 1..=3 {
        log.record(Some(&task.id), EventKind::Epoch(epoch(number))).unwrap();
        assert_eq!(generation(), last);
    }
    assert_eq!(index.curves(&run).unwrap()[&task.id].len(), 3, "they are written");
    let mut changes = |what: &str| {
        let now = generation();
        assert_ne!(std::mem::replace(&mut last, now), now, "{what}");
    };
    train(&folder, &log, task).unwrap();
    changes("a finished task");
    annotate_run(root.path(), &run, &["tag".to_owned()], "note").unwrap();
    changes("tags");
    annotate_run(root.path(), &run, &["gat".to_owned()], "note").unwrap();
    changes("tags as long as those before");
    register_model(root.path(), "model", &run, &task.id).unwrap();
    changes("a named model");
    create(&store);
    changes("another run");
    end(&folder, &log, RunOutcome::Finished).unwrap();
    changes("an end");
}

#[test]
fn of_two_processes_that_want_a_run_one_gets_it() {
    let root = tempfile::tempdir().unwrap();
    let run = id(&interrupted(root.path(), 1));
    for _ in 0..4 {
        let duty = format!("resume {run}");
        let mut both = [Other::start(root.path(), &duty), Other::start(root.path(), &duty)];
        for other in &mut both {
            assert_eq!(other.says().as_deref(), Some("ready"));
        }
        both.iter_mut().for_each(Other::go_on);
        let said: Vec<String> = both.iter_mut().map(|other| other.says().unwrap()).collect();
        let winners: Vec<usize> = (0..2).filter(|&at| said[at] == "got it").collect();
        assert_eq!(winners.len(), 1, "{said:?}");
        let winner = both[winners[0]].pid();
        let loser = &said[1 - winners[0]];
        assert!(loser.contains(&format!("is at work in process {winner}")), "{loser}");
        both.iter_mut().for_each(Other::kill);
    }
    assert_eq!(check_index(root.path()).unwrap(), [""; 0]);
}

#[test]
fn several_processes_write_and_read_at_once_and_see_each_other() {
    let root = tempfile::tempdir().unwrap();
    let mut others: Vec<Other> = (0..3).map(|_| Other::start(root.path(), "work")).collect();
    let index = RunIndex::open(root.path()).unwrap();
    let (mut generations, mut seen) = (std::collections::BTreeSet::new(), 0);
    let store = open(root.path());
    let (mine, _, log) = create(&store);
    for other in &mut others {
        while let Some(line) = other.says() {
            assert!(!line.starts_with("error"), "{line}");
            log.record(None, EventKind::Queued).unwrap();
            generations.insert(index.generation().unwrap());
            seen = seen.max(index.runs(&RunFilter::default()).unwrap().len());
        }
    }
    assert!(generations.len() > 1, "commits of others were not noticed");
    assert!(seen >= 2, "runs of others were not seen");
    let finished = entries(root.path())
        .into_iter()
        .filter(|entry| entry.status == RunStatus::Finished)
        .count();
    assert_eq!(finished, 3);
    assert_eq!(entry(root.path(), &mine).status, RunStatus::Running);
    assert_eq!(check_index(root.path()).unwrap(), [""; 0]);
}

#[test]
fn a_run_let_go_of_is_for_anybody() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let (run, folder, log) = create(&store);
    log.record(None, EventKind::Queued).unwrap();
    store.release(&run).unwrap();
    assert_eq!(entry(root.path(), &run).status, RunStatus::Interrupted);
    assert_eq!(folder.results().unwrap().status, RunStatus::Interrupted);
    assert!(log.record(None, EventKind::Queued).is_err(), "it is no longer ours");
    let mut other = Other::start(root.path(), &format!("resume {run}"));
    assert_eq!(other.says().as_deref(), Some("ready"));
    other.go_on();
    assert_eq!(other.says().as_deref(), Some("got it"));
    other.finish();
    assert_eq!(entry(root.path(), &run).status, RunStatus::Interrupted);
}

#[test]
fn many_make_a_store_at_once_and_look_at_it() {
    for _ in 0..10 {
        let root = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for worker in 0..8 {
                let (root, start) = (root.path(), &start);
                let work = move || {
                    start.wait();
                    if worker % 2 == 0 {
                        let store = open(root);
                        let (_, _, log) = create(&store);
                        log.record(None, EventKind::Queued).unwrap();
                    } else {
                        let index = RunIndex::open(root).unwrap();
                        index.runs(&RunFilter::default()).unwrap();
                    }
                };
                let name = format!("walkforge-test-{worker}");
                std::thread::Builder::new().name(name).spawn_scoped(scope, work).unwrap();
            }
        });
        assert_eq!(entries(root.path()).len(), 4);
        assert_eq!(check_index(root.path()).unwrap(), [""; 0]);
    }
}
