use std::path::Path;

use crossbeam_channel::{Receiver, bounded};

use super::*;
use crate::domain::{Event, RunOutcome};
use crate::runs::RunStore;
use crate::spec::{Assignment, apply, load};
use crate::torch::faults::{Place, Plan};
use crate::workbench::plan;

const CARD_SHORT: &str = "CUDA out of memory. Tried to allocate 8.00 GiB.";
const CARD_GONE: &str = "CUDA error: an illegal memory access was encountered";

/// A run of one symbol's folds, at work on nobody's thread but the test's.
fn begin(runs: &Path) -> (RunStore, Run, Receiver<Event>) {
    let set = [
        r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":900,"seed":5}}"#,
        r#"data.symbols=["SYN_A"]"#,
        "validation.train=300",
        "validation.validation=100",
        "validation.test=100",
        "training.max_epochs=1",
        "resources.device=cpu",
    ];
    let set: Vec<Assignment> = set.iter().map(|text| text.parse().unwrap()).collect();
    let spec = apply(&load("mlp-return").unwrap(), &set).unwrap();
    let prepared = plan(&spec, &Cancel::new()).unwrap();
    let (tell, told) = bounded(1024);
    let store = RunStore::open(runs, move |event| tell.send(event).unwrap()).unwrap();
    let (id, folder, log) = store.create(&prepared.spec, &prepared.plan, None).unwrap();
    let beginning = Beginning {
        id,
        prepared,
        folder,
        log,
        cancel: Cancel::new(),
        pause: Pause::default(),
        store: runs.to_owned(),
        kept: BTreeMap::new(),
        memory: Memory::default(),
    };
    let machine = Machine {
        pool: DevicePool::new(Vec::new()),
        resident: ResidentCache::default(),
        twins: Arc::default(),
    };
    machine.pool.measured_alone(&beginning.prepared.pool);
    let run = Run::new(beginning, Arc::new(machine));
    run.announce().unwrap();
    (store, run, told)
}

/// Does the next thing there is to do, and gives what was told of the task's end.
fn step(store: &RunStore, run: &Run, told: &Receiver<Event>) -> EventKind {
    let next = run.queue.next(true).expect("there is something to do");
    run.work(next);
    store.flush();
    let is_end = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::Finished { .. }
                | EventKind::Failed { .. }
                | EventKind::Retrying { .. }
                | EventKind::Cancelled
        )
    };
    told.try_iter().map(|event| event.kind).filter(is_end).last().expect("it ended somehow")
}

#[test]
fn a_task_that_runs_out_of_memory_is_tried_again_and_in_the_end_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, run, told) = begin(folder.path());
    let first = run.prepared.plan.tasks[0].id.clone();
    {
        // Each attempt tries three times itself.
        let _short = Plan::new(&[(Place::Resident, 0, CARD_SHORT); 3]);
        let kind = step(&store, &run, &told);
        let EventKind::Retrying { message, attempt: 2 } = kind else { panic!("{kind:?}") };
        assert!(message.contains("tried again with more room"), "{message}");
    }
    assert!(matches!(step(&store, &run, &told), EventKind::Finished { .. }), "there is room again");
    assert!(run.folder.metadata(&first).unwrap().is_some());
    let _short = Plan::new(&[(Place::Network, 0, CARD_SHORT); 9]);
    assert!(matches!(step(&store, &run, &told), EventKind::Retrying { attempt: 2, .. }));
    assert!(matches!(step(&store, &run, &told), EventKind::Retrying { attempt: 3, .. }));
    let kind = step(&store, &run, &told);
    assert!(matches!(kind, EventKind::Failed { .. }), "{kind:?}");
    assert!(matches!(step(&store, &run, &told), EventKind::Finished { .. }), "the next task");
}

#[test]
fn a_task_whose_only_device_is_lost_says_so_and_so_do_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (store, run, told) = begin(folder.path());
    let _lost = Plan::new(&[(Place::Step, 0, CARD_GONE)]);
    let kind = step(&store, &run, &told);
    let EventKind::Retrying { message, .. } = kind else { panic!("{kind:?}") };
    assert!(message.contains("elsewhere than on cpu"), "{message}");
    for _ in 0..run.prepared.plan.tasks.len() {
        let kind = step(&store, &run, &told);
        let EventKind::Failed { message } = kind else { panic!("{kind:?}") };
        assert!(message.contains("no device is left") && message.contains("illegal"), "{message}");
    }
    assert!(run.queue.is_over());
    assert_eq!(run.conclude().unwrap(), RunOutcome::Failed);
}

#[test]
fn what_was_said_to_be_finished_and_is_not_is_trained_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut run, told) = begin(folder.path());
    let first = run.prepared.plan.tasks[0].id.clone();
    run.kept.insert(first.clone(), None);
    assert!(matches!(step(&store, &run, &told), EventKind::Finished { .. }));
    // Now it is there.
    run.queue.put_back(0);
    let next = run.queue.next(true).unwrap();
    run.work(next);
    store.flush();
    let kept =
        told.try_iter().any(|event| matches!(event.kind, EventKind::Kept { from: None, .. }));
    assert!(kept, "{first}");
}

#[test]
fn a_task_that_failed_for_good_finishes_where_somebody_asks_for_another_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let (store, run, told) = begin(folder.path());
    let tasks = &run.prepared.plan.tasks;
    let first = tasks[0].id.clone();
    {
        let _short = Plan::new(&[(Place::Network, 0, CARD_SHORT); 9]);
        for attempt in [2, 3] {
            let kind = step(&store, &run, &told);
            assert!(matches!(kind, EventKind::Retrying { attempt: a, .. } if a == attempt));
        }
        assert!(matches!(step(&store, &run, &told), EventKind::Failed { .. }));
    }
    assert!(run.queue.has_ended(Ended::Failed));
    run.retry(&BTreeSet::from([first.clone(), tasks[1].id.clone()]));
    let kind = step(&store, &run, &told);
    let EventKind::Retrying { message, attempt: 4 } = kind else { panic!("{kind:?}") };
    let why = message.strip_suffix("; somebody asked for another attempt");
    assert!(why.is_some_and(|why| !why.is_empty()), "{message}");
    for _ in tasks {
        assert!(matches!(step(&store, &run, &told), EventKind::Finished { .. }));
    }
    assert!(run.queue.is_over() && run.folder.metadata(&first).unwrap().is_some());
    assert_eq!(run.conclude().unwrap(), RunOutcome::Finished);
    let endings = run.log.endings();
    assert_eq!(endings.len(), tasks.len());
    assert!(endings.iter().all(|ended| ended.ending == crate::runs::Ending::Finished));
}
