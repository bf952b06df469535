use crossbeam_channel::bounded;

use super::super::testing::{create, plan, report};
use super::super::{Ending, RunFilter, RunIndex, RunLog, RunStatus, RunStore};
use super::*;
use crate::domain::{EpochRecord, Progress, RunOutcome, Stage};

fn store_and_told(root: &std::path::Path) -> (RunStore, Receiver<Event>) {
    let (tell, told) = bounded(4096);
    let store = RunStore::open(root, move |event| tell.send(event).expect("the test listens"));
    (store.unwrap(), told)
}

fn epoch(epoch: u32) -> EventKind {
    EventKind::Epoch(EpochRecord {
        epoch,
        train_loss: 0.5,
        validation_loss: None,
        monitor: Some(0.25),
        learning_rate: 1e-3,
        gradient_norm: f64::INFINITY,
        seconds: 0.125,
        is_best: epoch == 2,
    })
}

fn progress() -> EventKind {
    EventKind::Progress(Progress {
        epoch: 1,
        max_epochs: 2,
        batch: 1,
        batches: 2,
        samples_per_second: 1.0,
        times: None,
    })
}

#[test]
fn a_lifecycle_event_is_in_the_index_before_it_is_told() {
    let root = tempfile::tempdir().unwrap();
    let (tell, told) = bounded(16);
    let index = root.path().to_owned();
    let store = RunStore::open(root.path(), move |event: Event| {
        // At this very moment another connection sees it.
        let lines = RunIndex::open(&index).unwrap().log(&event.run).unwrap();
        tell.send(lines.iter().any(|line| line.seq == event.seq)).unwrap();
    })
    .unwrap();
    let (_, _, log) = create(&store);
    for _ in 0..3 {
        log.record(Some(&plan().tasks[0].id), EventKind::Queued).unwrap();
        assert!(told.recv().unwrap(), "told before it was there");
    }
}

#[test]
fn events_are_told_in_order_and_epochs_are_kept_while_progress_is_not() {
    let root = tempfile::tempdir().unwrap();
    let (store, told) = store_and_told(root.path());
    let (run, _, log) = create(&store);
    let task = plan().tasks[0].id.clone();
    log.record(Some(&task), EventKind::Queued).unwrap();
    for kind in [EventKind::Stage { stage: Stage::Training }, epoch(1), progress(), epoch(2)] {
        log.record(Some(&task), kind).unwrap();
    }
    store.flush();
    let seqs: Vec<u64> = told.try_iter().map(|event| event.seq).collect();
    assert_eq!(seqs, [0, 1, 2, 3, 4]);
    let index = RunIndex::open(root.path()).unwrap();
    let curves = index.curves(&run).unwrap();
    let found: Vec<EventKind> =
        curves[&task].iter().map(|record| EventKind::Epoch(*record)).collect();
    assert_eq!(found, [epoch(1), epoch(2)], "infinity and nothing stay what they are");
    let lines = index.log(&run).unwrap();
    let lines: Vec<_> =
        lines.iter().map(|l| (l.seq, l.kind.as_str(), l.message.as_deref())).collect();
    assert_eq!(lines, [(0, "queued", None), (1, "stage", Some("training"))]);
}

#[test]
fn an_attempt_that_begins_anew_forgets_the_epochs_of_the_one_before() {
    let root = tempfile::tempdir().unwrap();
    let (store, _told) = store_and_told(root.path());
    let (run, _, log) = create(&store);
    let task = plan().tasks[0].id.clone();
    for number in [1, 2, 3, 4, 2] {
        log.record(Some(&task), epoch(number)).unwrap();
    }
    store.flush();
    let curves = RunIndex::open(root.path()).unwrap().curves(&run).unwrap();
    let epochs: Vec<u32> = curves[&task].iter().map(|record| record.epoch).collect();
    assert_eq!(epochs, [1, 2]);
}

#[test]
fn many_at_once_are_each_durable_and_counted_without_gaps() {
    let root = tempfile::tempdir().unwrap();
    let (store, told) = store_and_told(root.path());
    let (run, _, log) = create(&store);
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let log: RunLog = log.clone();
            let work = move || {
                let task = plan().tasks[worker].id.clone();
                for number in 1..=20 {
                    log.record(Some(&task), epoch(number)).unwrap();
                    log.record(Some(&task), EventKind::Queued).unwrap();
                }
            };
            let name = format!("walkforge-test-{worker}");
            std::thread::Builder::new().name(name).spawn_scoped(scope, work).unwrap();
        }
    });
    store.flush();
    let seqs: Vec<u64> = told.try_iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (0..320).collect::<Vec<u64>>());
    let index = RunIndex::open(root.path()).unwrap();
    assert_eq!(index.log(&run).unwrap().len(), 160);
    assert!(index.curves(&run).unwrap().values().all(|curve| curve.len() == 20));
}

/// A trigger stands for a disk that cannot take a result.
#[test]
fn a_success_that_cannot_be_written_is_not_told_and_the_other_run_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let (store, told) = store_and_told(root.path());
    let (run, _, log) = create(&store);
    let (other, _, other_log) = create(&store);
    let break_it = format!(
        "CREATE TRIGGER t BEFORE INSERT ON log WHEN new.run = (SELECT id FROM runs WHERE name = '{run}')
         BEGIN SELECT raise(ABORT, 'the disk is tired'); END"
    );
    store.write(move |connection| Ok(connection.execute_batch(&break_it)?)).unwrap();
    let ended = || EventKind::RunEnded { outcome: RunOutcome::Finished, summary: Box::default() };
    let error = log.record(None, ended()).unwrap_err().to_string();
    assert!(
        error.contains("index.sqlite3: cannot be written") && error.contains("tired"),
        "{error}"
    );
    let first = told.recv().unwrap();
    assert!(
        matches!(first.kind, EventKind::RunEnded { outcome: RunOutcome::Failed, .. }),
        "{first:?}"
    );
    other_log.record(None, ended()).unwrap();
    let status = |run: &crate::domain::RunId| {
        let entries = RunIndex::open(root.path()).unwrap().runs(&RunFilter::default()).unwrap();
        entries.into_iter().find(|entry| entry.id == *run).unwrap().status
    };
    assert_eq!((status(&run), status(&other)), (RunStatus::Running, RunStatus::Finished));
    // Once it can be written, the run does not seem to go on for ever.
    store.write(|connection| Ok(connection.execute_batch("DROP TRIGGER t")?)).unwrap();
    store.flush();
    assert_eq!(status(&run), RunStatus::Finished, "as its folder says");
    assert!(log.record(None, EventKind::Queued).is_err(), "whoever records is told again");
}

#[test]
fn a_log_outlives_its_store_without_hanging() {
    let root = tempfile::tempdir().unwrap();
    let (store, _told) = store_and_told(root.path());
    let (_, _, log) = create(&store);
    drop(store);
    let error = log.record(None, EventKind::Queued).unwrap_err().to_string();
    assert!(error.contains("the writer has stopped"), "{error}");
}

/// Another program's transaction stands for a disk that is full, or away, for a while.
#[test]
fn an_index_that_cannot_be_written_for_a_moment_ends_no_run() {
    for passes in [true, false] {
        let root = tempfile::tempdir().unwrap();
        let somebody: Arc<parking_lot::Mutex<Option<Connection>>> = Arc::default();
        let pauses: Arc<parking_lot::Mutex<Vec<Duration>>> = Arc::default();
        let pause = {
            let (somebody, pauses) = (Arc::clone(&somebody), Arc::clone(&pauses));
            move |pause| {
                pauses.lock().push(pause);
                if passes && pauses.lock().len() == 2 {
                    drop(somebody.lock().take());
                }
            }
        };
        let store = RunStore::open_with(root.path(), |_| {}, pause).unwrap();
        let (run, _, log) = create(&store);
        store.write(|index| Ok(index.busy_timeout(Duration::ZERO)?)).unwrap();
        let other = Connection::open(root.path().join("index.sqlite3")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        *somebody.lock() = Some(other);
        let task = plan().tasks[0].id.clone();
        let recorded = log.record(Some(&task), EventKind::Queued);
        if passes {
            recorded.unwrap();
            assert_eq!(*pauses.lock(), PAUSES[..2]);
            assert_eq!(RunIndex::open(root.path()).unwrap().log(&run).unwrap().len(), 1);
            log.record(Some(&task), epoch(1)).unwrap();
        } else {
            let error = recorded.unwrap_err().to_string();
            assert!(error.contains("another process has been writing for too long"), "{error}");
            assert_eq!(*pauses.lock(), PAUSES, "not for ever");
        }
    }
}

#[test]
fn a_result_stays_one_whatever_becomes_of_its_run() {
    let root = tempfile::tempdir().unwrap();
    let (store, _told) = store_and_told(root.path());
    let (run, _, log) = create(&store);
    let task = plan().tasks[0].id.clone();
    let record = |kind: EventKind| log.record(Some(&task), kind).unwrap();
    let finished =
        || RunIndex::open(root.path()).unwrap().runs(&RunFilter::default()).unwrap()[0].finished;
    record(EventKind::Finished { report: Box::new(report()) });
    let lasting = [
        EventKind::Queued,
        EventKind::Cancelled,
        EventKind::Failed { message: "no device".to_owned() },
        EventKind::Paused { steps: 3 },
        EventKind::Retrying { message: "no memory".to_owned(), attempt: 2 },
    ];
    for kind in lasting {
        record(kind.clone());
        assert_eq!(finished(), 1, "{kind:?}");
        let endings = log.endings();
        assert_eq!(endings.len(), 1, "{kind:?}");
        assert_eq!((&endings[0].task, endings[0].ending), (&task, Ending::Finished), "{kind:?}");
    }
    // One whose result could not be kept is trained again.
    record(EventKind::Started { device: plan().device });
    record(EventKind::Cancelled);
    assert_eq!((finished(), log.endings()[0].ending), (0, Ending::Cancelled));
    drop(store);
    assert_eq!(RunIndex::open(root.path()).unwrap().failures(&run).unwrap(), []);
}

#[test]
fn a_curve_with_a_hole_is_made_whole_of_its_file_when_the_task_finishes() {
    let root = tempfile::tempdir().unwrap();
    let (store, _told) = store_and_told(root.path());
    let (run, folder, log) = create(&store);
    let history: Vec<EpochRecord> = (1..=4)
        .map(|number| match epoch(number) {
            EventKind::Epoch(record) => record,
            _ => unreachable!("it is one"),
        })
        .collect();
    let [trained, taken_over] = [&plan().tasks[0].id, &plan().tasks[1].id].map(Clone::clone);
    for task in [&trained, &taken_over] {
        let path = folder.create_task(task).unwrap();
        super::super::write_history(&path.join("history.parquet"), &history).unwrap();
    }
    // As after a process that was killed before it wrote epoch 2, and had written a checkpoint.
    for number in [1, 3, 4] {
        log.record(Some(&trained), epoch(number)).unwrap();
    }
    let four = || Box::new(crate::domain::TaskReport { epochs: 4, ..report() });
    log.record(Some(&trained), EventKind::Finished { report: four() }).unwrap();
    let from = Some(crate::domain::StoredTask { run: run.clone(), task: trained.clone() });
    log.record(Some(&taken_over), EventKind::Kept { report: four(), from }).unwrap();
    let curves = RunIndex::open(root.path()).unwrap().curves(&run).unwrap();
    for task in [trained, taken_over] {
        assert_eq!(format!("{:?}", curves[&task]), format!("{history:?}"), "{task}");
    }
}
