//! The thread that makes runs of what has been asked for and hands them to the scheduler.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::Update;
use super::contain::contain_panic;
use super::loaded::SeriesCache;
use super::mailbox::Mailbox;
use super::past::Past;
use super::planner::{PlanError, Prepared, plan_from};
use super::run::{Beginning, Machine, Run};
use super::scheduler::{AtWork, Duty, Scheduler, Work};
use super::starts::{Start, Starts, What};
use crate::domain::{Cancel, RunId, StoredTask, SweepId, SweepMember, Task, TaskId};
use crate::runs::{Manifest, RunFolder, RunLog, RunStore, StoreError, fresh_name};
use crate::spec::{DeviceChoice, ExperimentSpec};

/// Runs at work at once: enough for a small one to pass a large one, few enough that their data fit the memory.
const RUNS_AT_WORK: usize = 4;

/// What the runner and the workers share.
pub(super) struct Floor {
    pub(super) runs: PathBuf,
    pub(super) store: RunStore,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) starts: Starts,
    pub(super) scheduler: Scheduler,
    pub(super) machine: Arc<Machine>,
}

/// Why a run on disk cannot be taken up again.
#[derive(Debug, thiserror::Error)]
enum ResumeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(
        "{run}: {changed} of its {tasks} tasks would not be the same now ({example}): its data, or this program, changed since it began; start its spec.ron as a new run, which takes over what is still the same"
    )]
    Changed { run: RunId, changed: usize, tasks: usize, example: String },
}

impl Floor {
    /// Makes runs of what is asked for until nothing more can be.
    pub(super) fn run_all(self: &Arc<Self>) {
        let cache = SeriesCache::default();
        while let Some(start) = self.starts.next() {
            if let Err(message) = contain_panic(|| self.start(&start, &cache)) {
                self.refuse(&start, message);
            }
            if self.starts.is_empty() {
                cache.forget();
            }
        }
    }

    fn start(self: &Arc<Self>, start: &Start, cache: &SeriesCache) {
        match &start.what {
            What::Stop => return self.let_go(),
            What::Sweep(spec) => return self.spread(start, spec),
            What::New { .. } | What::Stored(_) => {}
        }
        if !self.scheduler.wait_for_fewer(RUNS_AT_WORK, &start.cancel) {
            return self.refuse(start, PlanError::Cancelled.to_string());
        }
        if let What::Stored(id) = &start.what {
            match self.scheduler.run(id) {
                // Asked for twice: the first time was enough.
                Some(run) if !run.is_over() => return run.pause.resume(),
                _ => self.scheduler.wait_until_gone(id, &start.cancel),
            }
        }
        let begun = match &start.what {
            What::New { spec, sweep } => self.begin(spec, sweep.as_ref(), &start.cancel, cache),
            What::Stored(run) => self.resume(run, &start.cancel, cache),
            What::Sweep(_) | What::Stop => return,
        };
        let run = match begun {
            Ok(run) => Arc::new(run),
            Err(message) => return self.refuse(start, message),
        };
        let work = {
            let floor = Arc::clone(self);
            move |duty| floor.work(duty)
        };
        match self.scheduler.add(Arc::clone(&run), work) {
            Ok(()) => {}
            Err(error) if error.started > 0 => run.warn(error.to_string()),
            Err(error) => return self.give_up(start, &run, error.to_string()),
        }
        // At work before it is told of: whoever hears of it can stop it.
        match run.announce() {
            Ok(()) => self.scheduler.open(&run.id),
            Err(error) => {
                self.scheduler.remove(&run.id);
                self.give_up(start, &run, error.to_string());
            }
        }
    }

    /// A run that could not begin: what was there of it before is as it was, what is new is nobody's.
    fn give_up(&self, start: &Start, run: &Run, message: String) {
        match &start.what {
            What::Stored(_) => self.give_back(&run.id),
            _ => self.release(&run.id),
        }
        self.refuse(start, message);
    }

    fn give_back(&self, run: &RunId) {
        if let Err(error) = self.store.give_back(run) {
            // It stays ours until this process ends, and is interrupted then.
            self.broken(run, &error);
        }
    }

    /// Makes an experiment of each variant.
    fn spread(&self, start: &Start, spec: &ExperimentSpec) {
        let variants = match spec.variants() {
            Ok(variants) => variants,
            Err(error) => return self.refuse(start, error.to_string()),
        };
        let sweep = SweepId::new(fresh_name(&spec.name));
        let count = variants.len() as u32;
        let all = variants.into_iter().zip(0..).map(|(variant, place)| What::New {
            spec: Box::new(variant.spec),
            sweep: Some(SweepMember {
                sweep: sweep.clone(),
                variant: place,
                variants: count,
                settings: variant.settings,
            }),
        });
        if !self.starts.replace(start, all.collect()) {
            self.refuse(start, PlanError::Cancelled.to_string());
        }
    }

    fn refuse(&self, start: &Start, message: String) {
        let cancelled = start.cancel.is_cancelled();
        self.mailbox.post(match &start.what {
            What::New { spec, .. } | What::Sweep(spec) => {
                Update::StartFailed { experiment: spec.name.clone(), message, cancelled }
            }
            What::Stored(run) => Update::ResumeFailed { run: run.clone(), message },
            What::Stop => Update::Stopped,
        });
    }

    fn begin(
        &self,
        spec: &ExperimentSpec,
        sweep: Option<&SweepMember>,
        cancel: &Cancel,
        cache: &SeriesCache,
    ) -> Result<Run, String> {
        let is_alone = self.scheduler.runs().is_empty();
        let mut prepared = plan_from(spec, cancel, cache).map_err(|error| error.to_string())?;
        let past = Past::of(&self.runs, &mut prepared);
        let (id, folder, log) = self
            .store
            .create(&prepared.spec, &prepared.plan, sweep)
            .map_err(|error| error.to_string())?;
        let reused = |task: &Task| Some((task.id.clone(), Some(task.reuse.clone()?)));
        let kept = prepared.plan.tasks.iter().filter_map(reused).collect();
        self.offer(&prepared, is_alone);
        let beginning = self.beginning((id.clone(), folder, log), prepared, cancel, kept, &past);
        Ok(Run::new(beginning, Arc::clone(&self.machine)))
    }

    /// Lets tasks use the run's devices. What was measured while others had memory says too little of what there is.
    fn offer(&self, prepared: &Prepared, is_alone: bool) {
        if is_alone {
            self.machine.pool.measured_alone(&prepared.pool);
        } else {
            self.machine.pool.offer(&prepared.pool);
        }
    }

    fn resume(&self, run: &RunId, cancel: &Cancel, cache: &SeriesCache) -> Result<Run, String> {
        let resume = || -> Result<Run, ResumeError> {
            let is_alone = self.scheduler.runs().is_empty();
            let stored = self.store.resume(run)?;
            let run = &stored.manifest.run;
            let planned = plan_again(&stored.spec, &stored.manifest, cancel, cache);
            let mut prepared = planned.inspect_err(|_| self.give_back(run))?;
            let past = Past::of(&self.runs, &mut prepared);
            let finished = |task: &TaskId| stored.finished.contains(task);
            let keep = |task: &Task| match &task.reuse {
                _ if finished(&task.id) => Some((task.id.clone(), None)),
                Some(from) if from.run != *run => Some((task.id.clone(), Some(from.clone()))),
                _ => None,
            };
            let kept = prepared.plan.tasks.iter().filter_map(keep).collect();
            self.offer(&prepared, is_alone);
            let place = (run.clone(), stored.folder, stored.log);
            let beginning = self.beginning(place, prepared, cancel, kept, &past);
            Ok(Run::new(beginning, Arc::clone(&self.machine)))
        };
        resume().map_err(|error| error.to_string())
    }

    fn beginning(
        &self,
        (id, folder, log): (RunId, RunFolder, RunLog),
        prepared: Prepared,
        cancel: &Cancel,
        kept: BTreeMap<TaskId, Option<StoredTask>>,
        past: &Past,
    ) -> Beginning {
        Beginning {
            id,
            folder,
            log,
            cancel: cancel.clone(),
            pause: self.scheduler.stop.child(),
            store: self.runs.clone(),
            kept,
            memory: past.memory(&prepared),
            prepared,
        }
    }

    fn release(&self, run: &RunId) {
        match self.store.release(run) {
            // It has ended meanwhile: there is nothing to let go.
            Ok(()) | Err(StoreError::NotOwned { .. }) => {}
            // It stays ours until this process ends, and is interrupted then.
            Err(error) => self.broken(run, &error),
        }
    }

    fn broken(&self, run: &RunId, error: &StoreError) {
        self.mailbox.post(Update::RunBroken { run: run.clone(), message: error.to_string() });
    }

    /// Waits until everything stands still, and lets runs go that have not ended.
    fn let_go(&self) {
        let standing = self.scheduler.take_standing();
        self.store.flush();
        for run in standing {
            self.release(&run.id);
        }
        self.scheduler.stop.resume();
        self.mailbox.post(Update::Stopped);
    }

    /// What a worker does until there is nothing more to do.
    fn work(&self, duty: Duty) {
        while let Some(work) = self.scheduler.next(duty) {
            match work {
                Work::Task(run, next) => {
                    run.work(next);
                    self.scheduler.done(run.id());
                }
                Work::Conclude(run) => self.conclude(&run),
            }
        }
    }

    fn conclude(&self, run: &Run) {
        let outcome = contain_panic(|| run.conclude().map_err(|error| error.to_string()));
        let outcome = outcome.unwrap_or_else(Err);
        self.store.flush();
        if outcome.is_err() {
            // Without an end on disk it is to be resumed, not to be called running.
            self.release(&run.id);
        }
        self.scheduler.remove(&run.id);
        let run = run.id.clone();
        self.mailbox.post(match outcome {
            Ok(outcome) => Update::RunDone { run, outcome },
            Err(message) => Update::RunBroken { run, message },
        });
    }
}

/// Plans a stored run as it was planned: on the devices it began on, and with the same tasks.
fn plan_again(
    spec: &ExperimentSpec,
    manifest: &Manifest,
    cancel: &Cancel,
    cache: &SeriesCache,
) -> Result<Prepared, ResumeError> {
    let mut again = spec.clone();
    if manifest.plan.devices.len() < 2 {
        // What was chosen then, whatever a trial would say now.
        again.resources.device = DeviceChoice::Only(manifest.plan.device);
    }
    // Bars that have come since are not the run's.
    let closes = manifest
        .plan
        .series
        .iter()
        .map(|series| series.last_open.plus_millis(series.timeframe.millis()));
    if let Some(last) = closes.max() {
        again.data.until = Some(again.data.until.map_or(last, |until| until.min(last)));
    }
    let mut prepared = plan_from(&again, cancel, cache)?;
    prepared.spec.resources.device = spec.resources.device;
    prepared.spec.data.until = spec.data.until;
    prepared.plan.spec = manifest.plan.spec;
    let now: BTreeMap<&TaskId, &Task> =
        prepared.plan.tasks.iter().map(|task| (&task.id, task)).collect();
    let differs = |then: &&Task| now.get(&then.id).is_none_or(|task| task.key != then.key);
    let changed: Vec<&Task> = manifest.plan.tasks.iter().filter(differs).collect();
    if let Some(example) = changed.first() {
        return Err(ResumeError::Changed {
            run: manifest.run.clone(),
            changed: changed.len(),
            tasks: manifest.plan.tasks.len(),
            example: example.id.to_string(),
        });
    }
    Ok(prepared)
}
