use super::*;
use crate::domain::{Device, EpochRecord, Progress, StoredTask, TaskReport};
use crate::spec::{apply, load};
use crate::ui::testing::{progress, report, run_of};

fn run() -> RunView {
    let one_fold = "validation.max_folds=1".parse().unwrap();
    let spec = apply(&load("linear-return").unwrap(), &[one_fold]).unwrap();
    let plan = crate::workbench::plan(&spec, &crate::domain::Cancel::new()).unwrap().plan;
    RunView::new(RunId::new("r"), plan, UtcMillis(0))
}

fn event(run: &RunView, task: usize, seconds: i64, kind: EventKind) -> Event {
    let task = Some(run.tasks[task].id.clone());
    Event { run: run.id.clone(), task, seq: 0, at: UtcMillis(1000 * seconds), kind }
}

#[test]
fn time_left_follows_the_share_done_and_is_unknown_before() {
    let mut run = run();
    assert_eq!(run.tasks.len(), 2, "two symbols");
    let started = event(&run, 0, 10, EventKind::Started { device: Device::Cpu });
    run.apply(started);
    assert_eq!(run.tasks[0].seconds_left(UtcMillis(20_000)), None);
    let progress = Progress {
        epoch: 3,
        max_epochs: 8,
        batch: 0,
        batches: 5,
        samples_per_second: 1.0,
        times: None,
    };
    let progress = event(&run, 0, 12, EventKind::Progress(progress));
    run.apply(progress);
    // A quarter took ten seconds.
    assert_eq!(run.tasks[0].seconds_left(UtcMillis(20_000)), Some(30.0));
    assert_eq!(run.share(), 0.125);
    // The task needs 40 seconds in all, and so does the one that waits at most.
    let left = run.time_left(UtcMillis(20_000));
    assert!(matches!(left, Some(TimeLeft::AtMost(most)) if most >= 40.0), "{left:?}");
}

#[test]
fn a_task_keeps_its_best_epoch_and_its_failure() {
    let mut run = run();
    for (epoch, loss, is_best) in [(1, 0.9, true), (2, 0.8, true), (3, 0.85, false)] {
        let record = EpochRecord {
            epoch,
            train_loss: loss,
            validation_loss: Some(loss),
            monitor: None,
            learning_rate: 0.1,
            gradient_norm: 1.0,
            seconds: 1.0,
            is_best,
        };
        let record = event(&run, 1, 0, EventKind::Epoch(record));
        run.apply(record);
    }
    assert_eq!(run.tasks[1].best.unwrap().epoch, 2);
    assert_eq!(run.tasks[1].curves.validation_loss.points().len(), 3);
    let failed = event(&run, 1, 0, EventKind::Failed { message: "why".to_owned() });
    run.apply(failed);
    assert_eq!((run.count(TaskState::Failed), run.ended()), (1, 1));
    assert_eq!(run.tasks[1].failure.as_deref(), Some("why"));
}

#[test]
fn stored_epochs_stand_before_those_that_are_told() {
    let mut run = run();
    let record = |epoch: u32, loss: f64| EpochRecord {
        epoch,
        train_loss: loss,
        validation_loss: Some(loss),
        monitor: None,
        learning_rate: 0.1,
        gradient_norm: 1.0,
        seconds: 1.0,
        is_best: epoch == 2,
    };
    // It goes on from the checkpoint after epoch 2, although epoch 3 had been trained as well.
    let told = event(&run, 0, 9, EventKind::Epoch(record(3, 0.5)));
    run.apply(told);
    let stored = vec![record(1, 0.9), record(2, 0.8), record(3, 0.7)];
    let curves = run.tasks.iter().map(|task| (task.id.clone(), stored.clone())).collect();
    run.remember(&curves);
    let losses = |task: &TaskView| -> Vec<(f64, f64)> {
        task.curves.validation_loss.points().iter().map(|point| (point.x, point.y)).collect()
    };
    assert_eq!(losses(&run.tasks[0]), [(1.0, 0.9), (2.0, 0.8), (3.0, 0.5)]);
    assert_eq!(run.tasks[0].best.unwrap().epoch, 2);
    assert_eq!(losses(&run.tasks[1]), [(1.0, 0.9), (2.0, 0.8), (3.0, 0.7)]);
    // A second attempt begins anew.
    let told = event(&run, 1, 9, EventKind::Epoch(record(1, 0.4)));
    run.apply(told);
    assert_eq!(losses(&run.tasks[1]), [(1.0, 0.4)]);
}

#[test]
fn what_is_paused_takes_no_time_and_keeps_its_pace() {
    let mut run = run();
    let tell = |run: &mut RunView, seconds: i64, kind: EventKind| {
        let event = event(run, 0, seconds, kind);
        run.apply(event);
    };
    let progress = Progress {
        epoch: 3,
        max_epochs: 8,
        batch: 0,
        batches: 5,
        samples_per_second: 1.0,
        times: None,
    };
    tell(&mut run, 10, EventKind::Started { device: Device::Cpu });
    tell(&mut run, 19, EventKind::Progress(progress));
    run.pausing = true;
    assert!(!run.is_paused(), "a task is still at work");
    tell(&mut run, 20, EventKind::Paused { steps: 10 });
    assert!(run.is_paused());
    assert_eq!((run.count(TaskState::Paused), run.ended()), (1, 0));
    assert_eq!(run.share(), 0.125, "what was done stays done");
    let later = UtcMillis(500_000);
    assert_eq!((run.tasks[0].seconds_left(later), run.time_left(later)), (None, None));
    assert_eq!(run.elapsed_seconds(later), 20.0);

    run.pausing = false;
    tell(&mut run, 520, EventKind::Started { device: Device::Cpu });
    assert!(!run.is_paused());
    // A quarter took ten seconds before the pause and ten after it.
    let now = UtcMillis(530_000);
    assert_eq!(run.tasks[0].seconds_left(now), Some(60.0));
    assert_eq!(run.elapsed_seconds(now), 30.0);
}

#[test]
fn a_task_that_is_taken_up_again_is_timed_by_what_it_does_now() {
    let mut run = run();
    let record = |epoch: u32| EpochRecord {
        epoch,
        train_loss: 1.0,
        validation_loss: None,
        monitor: None,
        learning_rate: 0.1,
        gradient_norm: 1.0,
        seconds: 100.0,
        is_best: false,
    };
    let stored = BTreeMap::from([(run.tasks[0].id.clone(), (1..=4).map(record).collect())]);
    run.remember(&stored);
    let started = event(&run, 0, 0, EventKind::Started { device: Device::Cpu });
    run.apply(started);
    let at = |run: &mut RunView, epoch, batch, seconds: i64| {
        let told = Progress { epoch, batch, ..progress() };
        let told = event(run, 0, seconds, EventKind::Progress(told));
        run.apply(told);
        run.tasks[0].seconds_left(UtcMillis(1000 * seconds))
    };
    // Four of eight epochs were learnt before; nobody knows yet how long one takes here.
    assert_eq!(at(&mut run, 5, 0, 1), None);
    let told = event(&run, 0, 100, EventKind::Epoch(record(5)));
    run.apply(told);
    assert_eq!(at(&mut run, 6, 0, 100), Some(300.0), "three more epochs of 100 seconds");
}

#[test]
fn a_task_says_which_one_it_waits_for_until_that_has_ended() {
    let mut run = run();
    let mut plan = Plan::clone(&run.plan);
    plan.tasks[1].after = vec![plan.tasks[0].id.clone()];
    run.plan = Arc::new(plan);
    let waits = |run: &RunView, index| run.waits_for(index).map(|task| task.id.clone());
    assert_eq!((waits(&run, 0), waits(&run, 1)), (None, Some(run.tasks[0].id.clone())));
    let failed = event(&run, 0, 1, EventKind::Failed { message: String::new() });
    run.apply(failed);
    assert_eq!(waits(&run, 1), None);
}

#[test]
fn the_curve_of_a_refit_is_its_train_loss() {
    let mut run = run();
    let record = EpochRecord {
        epoch: 1,
        train_loss: 0.9,
        validation_loss: None,
        monitor: None,
        learning_rate: 0.1,
        gradient_norm: 1.0,
        seconds: 1.0,
        is_best: true,
    };
    assert!(run.tasks[0].curves.is_empty());
    let record = event(&run, 0, 1, EventKind::Epoch(record));
    run.apply(record);
    let curves = &run.tasks[0].curves;
    assert!(!curves.is_empty() && curves.validation_loss.points().is_empty());
    assert_eq!(curves.learning_rate.at(1.0), Some(0.1));
    assert_eq!(curves.monitor.at(1.0), None);
}

/// What the tally of a run says, and what going through all of its tasks says.
fn assert_tally(run: &RunView) {
    for state in TaskState::ALL {
        let naive = run.tasks.iter().filter(|task| task.state == state).count();
        assert_eq!(run.count(state), naive, "{state:?}");
    }
    let ended = run.tasks.iter().filter(|task| !task.state.is_open()).count();
    assert_eq!(run.ended(), ended);
    let begun = |task: &&TaskView| match task.state {
        TaskState::Running => true,
        TaskState::Paused => task.progress.is_some(),
        _ => false,
    };
    let under_way: Vec<&TaskId> = run.tasks.iter().filter(begun).map(|task| &task.id).collect();
    assert_eq!(run.under_way().map(|task| &task.id).collect::<Vec<_>>(), under_way);
    let shares = run.tasks.iter().filter(begun).filter_map(|task| task.progress);
    let done = ended as f64 + shares.map(|progress| progress.share()).sum::<f64>();
    assert!((run.share() - done / run.tasks.len() as f64).abs() < 1e-9);
    let waits = run
        .tasks
        .iter()
        .zip(&run.plan.tasks)
        .filter(|(task, planned)| task.state == TaskState::Queued && planned.reuse.is_none());
    assert_eq!(run.tally.to_train(), waits.count());
    assert!(run.tally.took().is_sorted());
}

proptest::proptest! {
    /// Whatever is told, in whatever order: an event of another attempt, or one that comes twice.
    #[test]
    fn what_is_counted_as_events_come_is_what_is_there(
        told in proptest::collection::vec((0_usize..7, 0_usize..9, 1.0_f64..50.0), 0..120),
    ) {
        let mut run = run_of(7);
        let mut plan = Plan::clone(&run.plan);
        plan.tasks[2].reuse = Some(StoredTask { run: RunId::new("s"), task: TaskId::new("t") });
        run = RunView::new(run.id, plan, UtcMillis(0));
        let mut trained = 0;
        for (second, (place, what, seconds)) in told.into_iter().enumerate() {
            let report = || Box::new(TaskReport { seconds, ..report() });
            let kind = match what {
                0 => EventKind::Started { device: Device::Cpu },
                1 => EventKind::Progress(progress()),
                2 => EventKind::Finished { report: report() },
                3 => EventKind::Failed { message: String::new() },
                4 => EventKind::Cancelled,
                5 => EventKind::Paused { steps: 1 },
                6 => EventKind::Retrying { message: String::new(), attempt: 2 },
                7 => EventKind::Kept { report: report(), from: None },
                _ => EventKind::Stage { stage: crate::domain::Stage::Saving },
            };
            trained += usize::from(what == 2);
            let before = (run.changes, run.tasks[place].state);
            let told = event(&run, place, second as i64, kind);
            run.apply(told);
            assert_tally(&run);
            assert!(run.changes.values > before.0.values);
            if run.tasks[place].state != before.1 {
                assert!(run.changes.standings > before.0.standings);
            }
        }
        assert_eq!(run.tally.took().len(), trained, "what is taken over took no time");
    }
}
