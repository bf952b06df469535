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

/// What a queue of these tasks gives out, with each task ended as `how` says; those that wait for nobody first.
fn walk(tasks: &[Task], how: impl Fn(&str) -> Ended) -> Vec<String> {
    let queue = TaskQueue::new(tasks, &flags(tasks, &Pause::default()));
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
            Next::Cancelled(index) => panic!("nobody cancelled {index}"),
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
    let queue = TaskQueue::new(&tasks, &flags);
    assert_eq!(queue.next(true), Some(Next::Run(0)));
    pause.pause();
    queue.put_back(0);
    assert_eq!(queue.next(true), None);
    flags[&tasks[1].id].cancel.cancel();
    assert_eq!(queue.next(true), Some(Next::Cancelled(1)));
    queue.ended(1, Ended::Cancelled);
    pause.resume();
    assert_eq!(queue.next(false), None, "nothing runs where nothing may");
    assert_eq!(queue.next(true), Some(Next::Run(0)), "it is taken up again");
}

#[test]
fn a_task_can_stand_still_alone() {
    let tasks = [task("a", &[]), task("b", &[])];
    let flags = flags(&tasks, &Pause::default());
    let queue = TaskQueue::new(&tasks, &flags);
    flags[&tasks[0].id].pause.pause();
    assert_eq!((queue.next(true), queue.next(true)), (Some(Next::Run(1)), None));
    flags[&tasks[0].id].pause.resume();
    assert_eq!(queue.next(true), Some(Next::Run(0)));
}
