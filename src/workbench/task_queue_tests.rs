use super::*;
use crate::domain::{
    Bytes, ContentHash, Device, Embargo, FoldIndex, FoldPlan, TimeSpan, UtcMillis,
};

/// A fold that waits for these.
pub(crate) fn task(name: &str, after: &[&str]) -> Task {
    task_of(name, after, TaskRole::Fold)
}

fn task_of(name: &str, after: &[&str], role: TaskRole) -> Task {
    let span = TimeSpan { start: UtcMillis(0), end: UtcMillis(1) };
    Task {
        id: TaskId::new(name.to_owned()),
        key: ContentHash::of(name.as_bytes()),
        symbols: Vec::new(),
        timeframes: Vec::new(),
        fold: FoldPlan {
            index: FoldIndex(0),
            train: vec![span],
            validation: span,
            test: span,
            embargo: Embargo::default(),
        },
        gaps: Vec::new(),
        seed: 1,
        device: Device::Cpu,
        parameters: 1,
        memory: Bytes(1),
        resident: Bytes(0),
        role,
        train_rows: 0,
        shape: None,
        disk: Bytes::default(),
        expected_ms: None,
        reuse: None,
        after: after.iter().map(|name| TaskId::new((*name).to_owned())).collect(),
    }
}

fn flags(tasks: &[Task], run: &Pause) -> BTreeMap<TaskId, TaskFlags> {
    let flags = || TaskFlags { cancel: Cancel::new(), pause: run.child() };
    tasks.iter().map(|task| (task.id.clone(), flags())).collect()
}

/// Of a run that keeps nothing.
fn queue(tasks: &[Task], flags: &BTreeMap<TaskId, TaskFlags>) -> TaskQueue {
    TaskQueue::new(tasks, flags, &BTreeSet::new(), None)
}

/// What a queue of these tasks gives out, with each task ended as `how` says; those that wait for nobody first.
fn walk(tasks: &[Task], how: impl Fn(&str) -> Ended) -> Vec<String> {
    let queue = queue(tasks, &flags(tasks, &Pause::default()));
    let mut seen = Vec::new();
    while let Some(next) = queue.next(true) {
        let (index, ended) = match next {
            Next::Run(index) => {
                let name = tasks[index].id.as_str();
                seen.push(name.to_owned());
                (index, how(name))
            }
            Next::Impossible(index, why) => {
                seen.push(format!("{}: {why}", tasks[index].id.as_str()));
                (index, Ended::Failed)
            }
            other => panic!("nobody asked for {other:?}"),
        };
        assert!(!queue.is_over());
        queue.ended(index, ended);
    }
    assert!(queue.is_over());
    seen
}

#[test]
fn a_chain_runs_in_order_and_breaks_where_a_link_fails() {
    let tasks = [task("a0", &[]), task("a1", &["a0"]), task("b0", &[]), task("a2", &["a1"])];
    assert_eq!(walk(&tasks, |_| Ended::Finished), ["a0", "a1", "b0", "a2"]);
    let seen = walk(&tasks, |name| if name == "a1" { Ended::Failed } else { Ended::Finished });
    assert_eq!(seen[..3], ["a0", "a1", "b0"]);
    assert!(seen[3].starts_with("a2: it begins with the weights of a1"), "{seen:?}");
}

#[test]
fn a_refit_waits_for_all_folds_and_needs_one_of_them() {
    let tasks = [task_of("refit", &["a", "b"], TaskRole::Refit), task("a", &[]), task("b", &[])];
    let one = |name: &str| if name == "a" { Ended::Finished } else { Ended::Cancelled };
    assert_eq!(walk(&tasks, one), ["a", "b", "refit"]);
    let seen = walk(&tasks, |_| Ended::Failed);
    assert!(seen[2].starts_with("refit: the refit trains for the median"), "{seen:?}");
}

#[test]
fn while_it_stands_still_only_the_cancelled_move() {
    let tasks = [task("a", &[]), task("b", &[])];
    let pause = Pause::default();
    let flags = flags(&tasks, &pause);
    let queue = queue(&tasks, &flags);
    assert_eq!(queue.next(true), Some(Next::Run(0)));
    pause.pause();
    queue.put_back(0);
    assert_eq!(queue.next(true), None);
    flags[&tasks[1].id].cancel.cancel();
    assert_eq!(queue.next(true), Some(Next::Cancelled(vec![1])));
    queue.ended(1, Ended::Cancelled);
    pause.resume();
    assert_eq!(queue.next(false), None, "nothing runs where nothing may");
    assert_eq!(queue.next(true), Some(Next::Run(0)), "it is taken up again");
}

#[test]
fn a_task_can_stand_still_alone() {
    let tasks = [task("a", &[]), task("b", &[])];
    let flags = flags(&tasks, &Pause::default());
    let queue = queue(&tasks, &flags);
    flags[&tasks[0].id].pause.pause();
    assert_eq!((queue.next(true), queue.next(true)), (Some(Next::Run(1)), None));
    flags[&tasks[0].id].pause.resume();
    assert_eq!(queue.next(true), Some(Next::Run(0)));
}

#[test]
fn what_was_cancelled_is_given_out_at_once_but_for_what_is_kept() {
    let tasks = ["a", "b", "c", "d"].map(|name| task(name, &[]));
    let flags = flags(&tasks, &Pause::default());
    let kept = BTreeSet::from([&tasks[1].id]);
    let queue = TaskQueue::new(&tasks, &flags, &kept, None);
    assert_eq!(queue.next(true), Some(Next::Run(0)));
    for flags in flags.values() {
        flags.cancel.cancel();
    }
    // Not the one at work, which sees its flag itself.
    assert_eq!(queue.next(false), Some(Next::Run(1)), "it has finished and stays so");
    assert_eq!(queue.next(false), Some(Next::Cancelled(vec![2, 3])));
    assert_eq!(queue.next(false), None);
}

#[test]
fn a_task_waits_while_another_run_trains_the_same() {
    let tasks = [task("a", &[]), task("b", &[])];
    let flags = flags(&tasks, &Pause::default());
    let twins = Arc::new(Twins::default());
    let run = || TaskQueue::new(&tasks, &flags, &BTreeSet::new(), Some(Arc::clone(&twins)));
    let (first, second) = (run(), run());
    let trains_again = queue(&tasks, &flags);
    assert_eq!(first.next(true), Some(Next::Run(0)));
    assert_eq!(second.next(true), Some(Next::Run(1)), "not the one that is at work");
    assert_eq!((first.next(true), second.next(true)), (None, None));
    assert_eq!(trains_again.next(true), Some(Next::Run(0)));
    trains_again.ended(0, Ended::Finished);
    assert_eq!(second.next(true), None, "somebody else's end is not the twin's");
    first.ended(0, Ended::Finished);
    assert_eq!(second.next(true), Some(Next::Run(0)), "to take its result over");
    second.put_back(1);
    assert_eq!(first.next(true), Some(Next::Run(1)), "it does not wait for one that stands still");
}

#[test]
fn what_failed_is_tried_again_on_demand_while_the_run_goes_on() {
    let tasks = [task("a", &[]), task("b", &["a"]), task("c", &[])];
    let flags = flags(&tasks, &Pause::default());
    let queue = queue(&tasks, &flags);
    assert_eq!(queue.next(true), Some(Next::Run(0)));
    let ask_again = |names: &[&str]| {
        queue.ask_again(&names.iter().map(|name| TaskId::new(*name)).collect());
    };
    ask_again(&["a"]);
    queue.ended(0, Ended::Failed);
    assert!(matches!(queue.next(true), Some(Next::Impossible(1, _))), "nobody had asked in time");
    queue.ended(1, Ended::Failed);
    assert_eq!(queue.next(true), Some(Next::Run(2)));

    ask_again(&["a", "b", "c"]);
    assert!(queue.has_next(false), "it needs no device");
    assert_eq!(queue.next(false), Some(Next::Again(vec![0, 1])), "the third is at work");
    queue.ended(2, Ended::Finished);
    assert_eq!(queue.next(true), None, "both are being put back");
    assert!(!queue.is_over());
    queue.put_back(0);
    queue.put_back(1);
    assert_eq!((queue.next(true), queue.next(true)), (Some(Next::Run(0)), None));
    queue.ended(0, Ended::Finished);
    assert_eq!(queue.next(true), Some(Next::Run(1)));
    queue.ended(1, Ended::Failed);
    assert!(queue.is_over() && queue.has_ended(Ended::Failed));

    ask_again(&["b"]);
    assert!(queue.is_over(), "its end may be being written");
}

/// Whoever is told of a failure may answer before the worker that told it has gone on.
#[test]
fn what_is_asked_for_while_its_failure_is_told_is_tried_again() {
    let tasks = [task("a", &[]), task("b", &["a"])];
    let flags = flags(&tasks, &Pause::default());
    let queue = queue(&tasks, &flags);
    assert_eq!(queue.next(true), Some(Next::Run(0)));
    queue.failing(0);
    queue.ask_again(&BTreeSet::from([tasks[0].id.clone(), tasks[1].id.clone()]));
    assert!(queue.next(true).is_none() && !queue.is_over(), "it is still being told");
    queue.ended(0, Ended::Failed);
    assert_eq!(queue.next(true), Some(Next::Again(vec![0])), "and the second never began");
    queue.put_back(0);
    assert_eq!(queue.next(true), Some(Next::Run(0)));

    // Once more, and nobody asks: what was asked for once is not asked for ever.
    queue.failing(0);
    queue.ended(0, Ended::Failed);
    assert!(matches!(queue.next(true), Some(Next::Impossible(1, _))));
}

#[test]
fn what_failed_and_was_cancelled_stays_as_it_is() {
    let tasks = [task("a", &[]), task("b", &[])];
    let flags = flags(&tasks, &Pause::default());
    let queue = queue(&tasks, &flags);
    assert_eq!(queue.next(true), Some(Next::Run(0)));
    flags[&tasks[0].id].cancel.cancel();
    queue.ended(0, Ended::Failed);
    queue.ask_again(&BTreeSet::from([tasks[0].id.clone()]));
    assert_eq!(queue.next(true), Some(Next::Run(1)), "it would only be cancelled");
    assert!(queue.has_ended(Ended::Failed));
}
