use super::*;
use crate::ui::App;
use crate::ui::testing::{app, begin, end, entry, list, member};

fn told(app: &App) -> usize {
    app.state.journal.lines().iter().filter(|line| line.text.contains("runs of the sweep")).count()
}

#[test]
fn a_run_deleted_elsewhere_keeps_nobody_from_hearing_of_the_end_of_sweeps() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    for run in ["gone", "a", "b"] {
        begin(&mut app, run);
    }
    let with = |status| vec![member("a", 0, status), member("b", 1, status)];
    let mut all = with(RunStatus::Running);
    all.push(entry("gone", RunStatus::Running));
    list(&mut app, all);
    end(&mut app, "gone", RunOutcome::Finished);
    list(&mut app, with(RunStatus::Running));
    assert!(app.state.runs.iter().all(|run| run.id.as_str() != "gone"));
    end(&mut app, "a", RunOutcome::Finished);
    end(&mut app, "b", RunOutcome::Finished);
    for _ in 0..2 {
        list(&mut app, with(RunStatus::Finished));
    }
    assert_eq!(told(&app), 1);
}

#[test]
fn a_variant_that_is_resumed_is_told_of_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    begin(&mut app, "a");
    end(&mut app, "a", RunOutcome::Cancelled);
    let ended = |status| vec![member("a", 0, status), member("b", 1, RunStatus::Finished)];
    for _ in 0..3 {
        list(&mut app, ended(RunStatus::Cancelled));
    }
    assert_eq!(told(&app), 1);
    app.carry_out(&egui::Context::default(), Command::TakeUp(vec![RunId::new("a")]));
    list(&mut app, ended(RunStatus::Cancelled));
    assert_eq!(told(&app), 1, "it has not begun to go on");
    begin(&mut app, "a");
    list(&mut app, ended(RunStatus::Running));
    assert_eq!(told(&app), 1);
    end(&mut app, "a", RunOutcome::Finished);
    for _ in 0..2 {
        list(&mut app, ended(RunStatus::Finished));
    }
    assert_eq!(told(&app), 2);
}

#[test]
fn what_is_known_of_a_run_is_old_once_a_list_tells_another_thing() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    let run = RunId::new("r");
    let with = |finished| RunEntry { finished, ..entry("r", RunStatus::Running) };
    list(&mut app, vec![with(0)]);
    app.state.details.want(&run);
    list(&mut app, vec![with(0)]);
    assert!(!app.state.details.lacks(&run));
    list(&mut app, vec![with(1)]);
    assert!(app.state.details.lacks(&run));
}

#[test]
fn runs_are_deleted_once_however_often_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    let ctx = egui::Context::default();
    for _ in 0..2 {
        app.carry_out(&ctx, Command::Delete(vec![RunId::new("r")]));
    }
    assert_eq!(app.state.deleting.len(), 1);
    app.apply(Update::RunsDeleted { runs: vec![RunId::new("r")], problems: Vec::new() });
    assert!(app.state.deleting.is_empty());
}

#[test]
fn what_could_not_start_is_nobodys_next_run_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    app.state.launches.send(&crate::ui::testing::spec());
    assert!(app.state.launches.follow_next);
    let (experiment, message) = ("e".to_owned(), "no".to_owned());
    app.apply(Update::StartFailed { experiment, message, cancelled: false });
    assert!(!app.state.launches.follow_next);
}

#[test]
fn a_window_whose_runs_stand_still_needs_no_frames() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    begin(&mut app, "r");
    assert!(app.state.is_moving());
    let task = Some(app.state.runs[0].tasks[0].id.clone());
    for kind in
        [EventKind::Started { device: crate::domain::Device::Cpu }, EventKind::Paused { steps: 1 }]
    {
        let event =
            Event { run: RunId::new("r"), task: task.clone(), seq: 0, at: UtcMillis(0), kind };
        app.apply(Update::Event(Box::new(event)));
    }
    assert!(app.state.is_busy() && !app.state.is_moving());
}

#[test]
fn runs_that_have_long_been_over_are_let_go_of_and_those_at_work_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    begin(&mut app, "at-work");
    let mut listed = vec![entry("at-work", RunStatus::Running)];
    for number in 0..80 {
        let name = format!("run-{number}");
        begin(&mut app, &name);
        end(&mut app, &name, RunOutcome::Finished);
        listed.push(entry(&name, RunStatus::Finished));
        // Asked for before its end, and after.
        for _ in 0..2 {
            list(&mut app, listed.clone());
        }
    }
    begin(&mut app, "latest");
    let kept: Vec<&str> = app.state.runs.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(kept.len(), 60);
    assert_eq!((kept[0], kept[1], kept[59]), ("at-work", "run-22", "latest"));
}

#[test]
fn what_was_deleted_is_offered_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path());
    begin(&mut app, "r");
    end(&mut app, "r", RunOutcome::Failed);
    let offer = app.state.notices.front().map(|notice| notice.actions.clone());
    assert_eq!(offer, Some(vec![("Resume this run", Command::TakeUp(vec![RunId::new("r")]))]));
    app.apply(Update::RunsDeleted { runs: vec![RunId::new("r")], problems: Vec::new() });
    assert_eq!(app.state.notices.front(), None);
}
