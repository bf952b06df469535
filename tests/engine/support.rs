use std::path::Path;
use std::time::{Duration, Instant};

use walkforge::domain::{Cancel, EpochRecord, Progress, RunId, RunOutcome, Stage};
use walkforge::runs::{RunFolder, RunStore};
use walkforge::spec::{ExperimentSpec, apply, load};
use walkforge::torch::set_threads_of_this_thread;
use walkforge::training::Observer;
use walkforge::workbench::{
    Command, Prepared, TaskObserver, TaskOutput, Update, Workbench, plan, run_task,
};

/// A preset with some fields set, as on the command line.
pub fn spec(preset: &str, set: &[&str]) -> ExperimentSpec {
    let assignments: Vec<_> = set.iter().map(|text| text.parse().unwrap()).collect();
    apply(&load(preset).unwrap(), &assignments).unwrap()
}

pub fn prepare(spec: &ExperimentSpec) -> Prepared {
    plan(spec, &Cancel::new()).unwrap()
}

/// Runs one task of a plan on this thread.
pub fn run(prepared: &Prepared, task: usize) -> TaskOutput {
    set_threads_of_this_thread(prepared.plan.threads_per_task);
    let (task, series) = (&prepared.plan.tasks[task], &prepared.series[task]);
    run_task(task, &prepared.spec, series, &Cancel::new(), &mut Silent).unwrap()
}

/// Runs an experiment through the workbench to its end.
pub fn run_to_end(spec: &ExperimentSpec, runs: &Path) -> (RunFolder, RunOutcome) {
    let workbench = Workbench::open(runs, || {}).unwrap();
    workbench.send(Command::Start(Box::new(spec.clone())));
    let (run, outcome) = wait_for(&workbench, |update| match update {
        Update::RunDone { run, outcome } => Some((run, outcome)),
        _ => None,
    });
    (folder(runs, &run), outcome)
}

pub fn folder(runs: &Path, run: &RunId) -> RunFolder {
    RunStore::find(runs, run.as_str()).unwrap()
}

/// Waits for the update that `wanted` picks; fails at once when the run cannot go on.
pub fn wait_for<T>(workbench: &Workbench, wanted: impl Fn(Update) -> Option<T>) -> T {
    // Far beyond any honest run: only a hang reaches it.
    let until = Instant::now() + Duration::from_mins(10);
    while Instant::now() < until {
        for update in workbench.wait(Duration::from_secs(1)) {
            if let Update::StartFailed { message, .. } | Update::RunBroken { message, .. } = &update
            {
                panic!("{message}");
            }
            if let Some(found) = wanted(update) {
                return found;
            }
        }
    }
    panic!("nothing came of it in ten minutes");
}

/// Watches nothing.
pub struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: Progress) {}
    fn epoch(&mut self, _: EpochRecord) {}
}

impl TaskObserver for Silent {
    fn stage(&mut self, _: Stage) {}
}

/// The weights as bits, by name.
pub fn bits(output: &TaskOutput) -> Vec<(String, Vec<u32>)> {
    let values =
        |tensor: &tch::Tensor| Vec::<f32>::try_from(tensor.detach().flatten(0, -1)).unwrap();
    output
        .network
        .parameters()
        .iter()
        .map(|parameter| {
            let bits = values(&parameter.tensor).into_iter().map(f32::to_bits).collect();
            (parameter.name.clone(), bits)
        })
        .collect()
}
