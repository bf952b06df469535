//! Another attempt at a task that failed, while its run goes on.

use walkforge::domain::{EventKind, RunId, RunOutcome, TaskId};
use walkforge::workbench::{Command, Update, Workbench};

use crate::support::wait_for;
use crate::told::experiment;

/// Waits for what happens to a task, and gives the run with it.
fn told(
    workbench: &Workbench,
    task: &TaskId,
    wanted: fn(&EventKind) -> bool,
) -> (RunId, EventKind) {
    wait_for(workbench, |update| match update {
        Update::Event(event) if event.task.as_ref() == Some(task) && wanted(&event.kind) => {
            Some((event.run, event.kind))
        }
        _ => None,
    })
}

#[test]
fn a_task_that_failed_is_tried_again_while_its_run_goes_on() {
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    // Two chains of folds; the other symbol's keeps the run going.
    let set = [
        r#"data.symbols=["SYN_A", "SYN_B"]"#,
        "training.warm_start=true",
        "training.max_epochs=1000000",
        "training.patience=null",
        "resources.workers=2",
    ];
    workbench.send(Command::Start(Box::new(experiment(&set))));
    let (first, second) = (TaskId::new("SYN_A-1h-fold00"), TaskId::new("SYN_A-1h-fold01"));
    let (run, _) = told(&workbench, &first, |kind| matches!(kind, EventKind::Started { .. }));
    let other = TaskId::new("SYN_B-1h-fold00");
    told(&workbench, &other, |kind| matches!(kind, EventKind::Progress(_)));
    workbench.send(Command::CancelTask(run.clone(), first.clone()));
    let is_failed = |kind: &EventKind| matches!(kind, EventKind::Failed { .. });
    let (_, failed) = told(&workbench, &second, is_failed);

    // The one that was cancelled is none of those that failed.
    workbench.send(Command::RetryTasks(run.clone(), vec![first.clone(), second.clone()]));
    // Both may be told at once.
    let again = std::cell::Cell::new(None);
    let failed_again = wait_for(&workbench, |update| match update {
        Update::Event(event) if event.task.as_ref() == Some(&second) => match event.kind {
            EventKind::Retrying { message, attempt } => {
                again.set(Some((message, attempt)));
                None
            }
            kind => Some(kind).filter(is_failed),
        },
        _ => None,
    });
    let (message, attempt) = again.take().expect("it was told before");
    assert!(message.contains(first.as_str()) && attempt == 2, "{attempt}: {message}");
    assert_eq!(failed_again, failed, "what it begins with is still not there");

    workbench.send(Command::Cancel(run));
    let outcome = wait_for(&workbench, |update| match update {
        Update::RunDone { outcome, .. } => Some(outcome),
        _ => None,
    });
    assert_eq!(outcome, RunOutcome::Cancelled);
}
