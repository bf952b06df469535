use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::TaskId;
use crate::workbench::task_queue::{Ended, TaskFlags};

/// A run of so many tasks that do nothing.
#[derive(Debug)]
struct Dummy {
    id: RunId,
    workers: u32,
    threads: u32,
    priority: Priority,
    queue: TaskQueue,
}

impl AtWork for Dummy {
    fn id(&self) -> &RunId {
        &self.id
    }
    fn workers(&self) -> u32 {
        self.workers
    }
    fn at_once(&self) -> u32 {
        self.workers
    }
    fn threads_per_task(&self) -> u32 {
        self.threads
    }
    fn priority(&self) -> Priority {
        self.priority
    }
    fn is_paused(&self) -> bool {
        false
    }
    fn queue(&self) -> &TaskQueue {
        &self.queue
    }
}

fn run(name: &str, tasks: usize, (workers, threads): (u32, u32), priority: Priority) -> Arc<Dummy> {
    let tasks: Vec<_> = (0..tasks)
        .map(|n| crate::workbench::task_queue::tests::task(&n.to_string(), &[]))
        .collect();
    let own = || TaskFlags { cancel: Cancel::new(), pause: Pause::default() };
    let flags: BTreeMap<TaskId, TaskFlags> =
        tasks.iter().map(|task| (task.id.clone(), own())).collect();
    let queue = TaskQueue::new(&tasks, &flags, &BTreeSet::new(), None);
    Arc::new(Dummy { id: RunId::new(name), workers, threads, priority, queue })
}

/// A scheduler whose workers do nothing, so that the test hands everything out itself.
fn scheduler(runs: &[Arc<Dummy>]) -> Scheduler<Dummy> {
    let scheduler = Scheduler::default();
    for run in runs {
        put(&scheduler, run);
    }
    scheduler
}

fn put(scheduler: &Scheduler<Dummy>, run: &Arc<Dummy>) {
    scheduler.add(Arc::clone(run), |_| {}).unwrap();
    assert!(scheduler.run(&run.id).is_some(), "it can be stopped");
    scheduler.open(&run.id);
}

/// Hands out what there is now: the runs whose tasks it is of.
fn hand_out(scheduler: &Scheduler<Dummy>) -> Vec<String> {
    let mut given = Vec::new();
    loop {
        let work = scheduler.book.lock().choose(!scheduler.stop.is_paused());
        match work {
            Some(Work::Task(run, Next::Run(_))) => given.push(run.id.to_string()),
            None => return given,
            other => panic!("{other:?}"),
        }
    }
}

/// A worker has finished a task of the run.
fn finish(scheduler: &Scheduler<Dummy>, run: &Dummy, task: usize) {
    run.queue.ended(task, Ended::Finished);
    scheduler.done(&run.id);
}

#[test]
fn runs_of_the_same_priority_take_turns() {
    let (large, small) =
        (run("large", 9, (2, 1), Priority::Normal), run("small", 2, (2, 1), Priority::Normal));
    let scheduler = scheduler(&[Arc::clone(&large)]);
    assert_eq!(hand_out(&scheduler), ["large", "large"]);
    put(&scheduler, &small);
    assert!(hand_out(&scheduler).is_empty(), "no more at once than the run that asked for most");
    finish(&scheduler, &large, 0);
    assert_eq!(hand_out(&scheduler), ["small"], "it has nothing at work yet");
    finish(&scheduler, &large, 1);
    assert_eq!(hand_out(&scheduler), ["large"]);
    finish(&scheduler, &small, 0);
    assert_eq!(hand_out(&scheduler), ["small"]);
}

#[test]
fn a_higher_priority_comes_first_and_a_lower_one_gets_what_is_left() {
    let (low, high) =
        (run("low", 9, (3, 1), Priority::Low), run("high", 2, (2, 1), Priority::High));
    let scheduler = scheduler(&[low, Arc::clone(&high)]);
    assert_eq!(hand_out(&scheduler), ["high", "high", "low"]);
    finish(&scheduler, &high, 0);
    assert_eq!(hand_out(&scheduler), ["low"], "the other has given out all it has");
}

#[test]
fn threads_are_counted_not_tasks() {
    let (wide, narrow) =
        (run("wide", 4, (1, 4), Priority::High), run("narrow", 9, (4, 1), Priority::Normal));
    let scheduler = scheduler(&[Arc::clone(&wide), narrow]);
    assert_eq!(hand_out(&scheduler), ["wide"], "its four threads fill the machine");
    wide.queue.put_back(0);
    scheduler.done(&wide.id);
    scheduler.stop.pause();
    assert!(hand_out(&scheduler).is_empty(), "everything is to stop");
    scheduler.stop.resume();
    assert_eq!(hand_out(&scheduler), ["wide"]);
}

#[test]
fn a_run_of_many_threads_gets_them_although_another_could_use_each_that_becomes_free() {
    let narrow = run("narrow", 9, (4, 1), Priority::Normal);
    let wide = run("wide", 1, (1, 4), Priority::Normal);
    let scheduler = scheduler(&[Arc::clone(&narrow)]);
    assert_eq!(hand_out(&scheduler).len(), 4);
    put(&scheduler, &wide);
    for task in 0..4 {
        assert!(hand_out(&scheduler).is_empty(), "it waits for {} more", 4 - task);
        finish(&scheduler, &narrow, task);
    }
    assert_eq!(hand_out(&scheduler), ["wide"]);
    finish(&scheduler, &wide, 0);
    scheduler.remove(&wide.id);
    assert_eq!(hand_out(&scheduler).len(), 4);
}

#[test]
fn what_stands_still_is_taken_out_once_nothing_is_left_to_be_done() {
    let only = run("only", 2, (1, 1), Priority::Normal);
    let scheduler = scheduler(&[Arc::clone(&only)]);
    assert_eq!(hand_out(&scheduler), ["only"]);
    scheduler.stop.pause();
    only.queue.put_back(0);
    scheduler.done(&only.id);
    assert_eq!(scheduler.take_standing().len(), 1);
    assert!(scheduler.runs().is_empty());
}

#[test]
fn a_run_that_has_not_been_told_of_is_not_begun() {
    let only = run("only", 1, (1, 1), Priority::Normal);
    let scheduler = Scheduler::default();
    scheduler.add(Arc::clone(&only), |_| {}).unwrap();
    assert!(hand_out(&scheduler).is_empty());
    scheduler.open(&only.id);
    assert_eq!(hand_out(&scheduler), ["only"]);
}

#[test]
fn a_run_is_concluded_once_and_then_gone() {
    let only = run("only", 1, (1, 1), Priority::Normal);
    let scheduler = scheduler(&[Arc::clone(&only)]);
    assert_eq!(hand_out(&scheduler), ["only"]);
    only.queue.ended(0, Ended::Failed);
    let next = || scheduler.book.lock().choose(true);
    assert!(next().is_none(), "its worker is not done with it yet");
    scheduler.done(&only.id);
    assert!(matches!(next(), Some(Work::Conclude(run)) if run.id == only.id));
    assert!(next().is_none());
    scheduler.remove(&only.id);
    scheduler.close();
    assert!(scheduler.next(Duty::Anything).is_none());
}
