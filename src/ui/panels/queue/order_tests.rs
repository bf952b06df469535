use super::*;
use crate::domain::{EpochRecord, Event, EventKind};
use crate::ui::testing::{progress, run_of};

const NOW: UtcMillis = UtcMillis(0);

fn tell(run: &mut RunView, place: usize, kind: EventKind) {
    let task = Some(run.tasks[place].id.clone());
    run.apply(Event { run: run.id.clone(), task, seq: 0, at: UtcMillis(0), kind });
}

fn loss(run: &mut RunView, place: usize, train_loss: f64) {
    let record = EpochRecord {
        epoch: 1,
        train_loss,
        validation_loss: None,
        monitor: None,
        learning_rate: 0.1,
        gradient_norm: 1.0,
        seconds: 1.0,
        is_best: true,
    };
    tell(run, place, EventKind::Epoch(record));
}

fn rows(run: &RunView, text: &str, only: Option<TaskState>, sort: Option<Sort>) -> Vec<usize> {
    let mut order = Order::default();
    let filter = Filter { text: text.to_owned(), only };
    assert_eq!(order.follow(run, (&filter, sort), (0.0, NOW)), Followed::OtherRun);
    for place in 0..run.tasks.len() {
        assert_eq!(order.has(place), order.shown().contains(&place));
        assert_eq!(order.row_of(place), order.shown().iter().position(|shown| *shown == place));
    }
    order.shown().to_vec()
}

/// Six tasks: one at work, one failed, the others wait.
fn run() -> RunView {
    let mut run = run_of(6);
    tell(&mut run, 3, EventKind::Started { device: Device::Cuda(1) });
    tell(&mut run, 4, EventKind::Failed { message: "Out of Memory on cuda:1".to_owned() });
    run
}

#[test]
fn what_runs_stands_first_and_each_word_must_occur_somewhere() {
    let run = run();
    let id = |place: usize| run.tasks[place].id.to_string();
    assert_eq!(rows(&run, "", None, None), [3, 4, 0, 1, 2, 5]);
    assert_eq!(rows(&run, "MEMORY", None, None), [4]);
    assert_eq!(rows(&run, "cuda:1", None, None), [3, 4], "the device and the failure");
    assert_eq!(rows(&run, "cuda:1 training", None, None), [3]);
    assert_eq!(rows(&run, "queued", None, None), [0, 1, 2, 5]);
    assert_eq!(rows(&run, &id(2).to_uppercase(), None, None), [2]);
    assert_eq!(rows(&run, "nowhere", None, None), [] as [usize; 0]);
    assert_eq!(rows(&run, "cuda:1", Some(TaskState::Failed), None), [4]);
}

#[test]
fn every_column_sorts_and_what_is_unknown_stands_last() {
    let mut run = run();
    loss(&mut run, 3, 0.5);
    loss(&mut run, 1, 0.25);
    loss(&mut run, 5, f64::NAN);
    let by = |column, descending| rows(&run, "", None, Some(Sort { column, descending }));
    assert_eq!(by(0, true), [5, 4, 3, 2, 1, 0]);
    assert_eq!(by(1, false), [3, 4, 0, 1, 2, 5]);
    assert_eq!(by(2, false), [3, 0, 1, 2, 4, 5]);
    assert_eq!(by(4, false), [1, 3, 0, 2, 4, 5]);
    assert_eq!(by(4, true), [3, 1, 0, 2, 4, 5]);
    for column in 0..crate::ui::panels::queue::cells::COLUMNS.len() {
        assert_eq!(by(column, false).len(), 6, "column {column}");
    }
}

#[test]
fn rows_are_made_anew_only_when_they_are_old_and_not_too_often() {
    let mut run = run();
    let (mut order, filter) = (Order::default(), Filter::default());
    let by_loss = Some(Sort { column: 4, descending: false });
    let mut follow = |run: &RunView, sort: Option<Sort>, seconds: f64| {
        order.follow(run, (&filter, sort), (seconds, NOW))
    };
    assert_eq!(follow(&run, None, 0.0), Followed::OtherRun);
    assert_eq!(follow(&run, None, 9.0), Followed::Same);
    tell(&mut run, 3, EventKind::Progress(progress()));
    assert_eq!(follow(&run, None, 9.0), Followed::Same, "no row moves by it");
    tell(&mut run, 0, EventKind::Started { device: Device::Cpu });
    assert_eq!(follow(&run, None, 9.0), Followed::Anew);

    assert_eq!(follow(&run, by_loss, 10.0), Followed::Anew);
    loss(&mut run, 3, 0.5);
    assert_eq!(follow(&run, by_loss, 10.25), Followed::Later(0.25));
    assert_eq!(follow(&run, by_loss, 10.5), Followed::Anew);
    assert_eq!(follow(&run, by_loss, 99.0), Followed::Same);

    let mut many = run_of(FEW + 1);
    assert_eq!(follow(&many, None, 100.0), Followed::Anew, "the sort is another one");
    tell(&mut many, 0, EventKind::Started { device: Device::Cpu });
    assert_eq!(follow(&many, None, 100.25), Followed::Later(0.25));
    assert_eq!(follow(&many, None, 100.5), Followed::Anew);
    let mut again = run_of(3);
    again.planned_at = UtcMillis(7);
    assert_eq!(follow(&again, None, 101.0), Followed::OtherRun, "it was taken up again");
}
