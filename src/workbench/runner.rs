//! The thread that makes runs of what has been asked for and hands them to the scheduler.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::Update;
use super::contain::contain_panic;
use super::loaded::SeriesCache;
use super::mailbox::Mailbox;
use super::past::Past;
use super::planner::{PlanError, Prepared, plan_from, plan_series};
use super::run::{Beginning, Machine, Run};
use super::scheduler::{AtWork, Duty, Scheduler, Work};
use super::starts::{Start, Starts, What};
use crate::domain::{
    Cancel, ContentHash, Plan, RunId, StoredTask, SweepId, SweepMember, Task, TaskId,
};
use crate::runs::{Manifest, RunFolder, RunLog, RunStore, StoreError, fresh_name};
use crate::spec::{DeviceChoice, ExperimentSpec};

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
        while let Some(start) = self.starts.next(|start| self.has_room(start)) {
            if let Err(message) = contain_panic(|| self.start(&start, &cache)) {
                self.refuse(&start, message);
            }
            if self.starts.is_empty() {
                cache.forget();
            }
        }
    }

    fn start(self: &Arc<Self>, start: &Start, cache: &SeriesCache) {
        if start.cancel.is_cancelled() {
            return self.refuse(start, PlanError::Cancelled.to_string());
        }
        let begun = match &start.what {
            What::Stop => return self.let_go(),
            What::Sweep(spec) => return self.spread(start, spec),
            What::New { spec, sweep } => self.begin(spec, sweep.as_ref(), &start.cancel, cache),
            What::Stored(id) => {
                match self.scheduler.run(id) {
                    // Asked for twice: the first time was enough.
                    Some(run) if !run.is_over() => return run.pause.resume(),
                    _ => self.scheduler.wait_until_gone(id, &start.cancel),
                }
                self.resume(id, &start.cancel, cache)
            }
        };
        if let Err(message) = begun.and_then(|(run, claim)| self.put_to_work(start, run, claim)) {
            self.refuse(start, message);
        }
    }

    fn put_to_work(
        self: &Arc<Self>,
        start: &Start,
        run: Run,
        claim: Claim<'_>,
    ) -> Result<(), String> {
        let run = Arc::new(run);
        run.prioritise(start.priority);
        let work = {
            let floor = Arc::clone(self);
            move |duty| floor.work(duty)
        };
        // At work before it is told of: whoever hears of it can stop it.
        match self.starts.hand_over(|| self.scheduler.add(Arc::clone(&run), work)) {
            Err(error) if error.started == 0 => return Err(error.to_string()),
            Err(error) => run.warn(error.to_string()),
            Ok(()) => {}
        }
        run.announce().map_err(|error| error.to_string())?;
        claim.settle();
        self.scheduler.open(&run.id);
        Ok(())
    }

    /// Whether what waits would find a place now.
    fn has_room(&self, start: &Start) -> bool {
        let is_there = |run| self.scheduler.run(run).is_some();
        match &start.what {
            // One that is at work already, or ending, takes no other place.
            What::Stored(run) if is_there(run) => true,
            _ => self.scheduler.has_room(start.priority),
        }
    }

    fn give_back(&self, run: &RunId) {
        match self.store.give_back(run) {
            Ok(()) | Err(StoreError::NotOwned { .. }) => {}
            // It stays ours until this process ends, and is interrupted then.
            Err(error) => self.broken(run, &error),
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
    ) -> Result<(Run, Claim<'_>), String> {
        let is_alone = self.scheduler.runs().is_empty();
        let mut prepared = plan_from(spec, cancel, cache).map_err(|error| error.to_string())?;
        let past = Past::of(&self.runs, &mut prepared);
        if cancel.is_cancelled() {
            return Err(PlanError::Cancelled.to_string());
        }
        let (id, folder, log) = self
            .store
            .create(&prepared.spec, &prepared.plan, sweep)
            .map_err(|error| error.to_string())?;
        let claim = Claim { floor: self, run: id.clone(), is_new: true, is_settled: false };
        let reused = |task: &Task| Some((task.id.clone(), Some(task.reuse.clone()?)));
        let kept = prepared.plan.tasks.iter().filter_map(reused).collect();
        self.offer(&prepared, is_alone);
        let beginning = self.beginning((id, folder, log), prepared, cancel, kept, &past);
        Ok((Run::new(beginning, Arc::clone(&self.machine)), claim))
    }

    /// Lets tasks use the run's devices. What was measured while others had memory says too little of what there is.
    fn offer(&self, prepared: &Prepared, is_alone: bool) {
        if is_alone {
            self.machine.pool.measured_alone(&prepared.pool);
        } else {
            self.machine.pool.offer(&prepared.pool);
        }
    }

    fn resume(
        &self,
        run: &RunId,
        cancel: &Cancel,
        cache: &SeriesCache,
    ) -> Result<(Run, Claim<'_>), String> {
        let resume = || -> Result<(Run, Claim<'_>), ResumeError> {
            let is_alone = self.scheduler.runs().is_empty();
            let stored = self.store.resume(run)?;
            let run = &stored.manifest.run;
            let claim = Claim { floor: self, run: run.clone(), is_new: false, is_settled: false };
            let mut prepared = plan_again(&stored.spec, &stored.manifest, cancel, cache)?;
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
            Ok((Run::new(beginning, Arc::clone(&self.machine)), claim))
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

/// A run that is this process's and not at work yet. Dropped before it is, whatever the reason, a panic too, it is nobody's: what was there of it
/// before is as it was.
struct Claim<'a> {
    floor: &'a Floor,
    run: RunId,
    is_new: bool,
    is_settled: bool,
}

impl Claim<'_> {
    fn settle(mut self) {
        self.is_settled = true;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        self.floor.scheduler.remove(&self.run);
        if self.is_new {
            self.floor.release(&self.run);
        } else {
            self.floor.give_back(&self.run);
        }
    }
}

/// Plans a stored run as it was planned: on the devices it began on, with the same bars and so the same tasks.
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
    let mut prepared = plan_series(&again, &manifest.plan.series, cancel, cache)?;
    prepared.spec.resources.device = spec.resources.device;
    prepared.plan.spec = manifest.plan.spec;
    let keys = |plan: &Plan| -> BTreeMap<TaskId, ContentHash> {
        plan.tasks.iter().map(|task| (task.id.clone(), task.key)).collect()
    };
    let (then, now) = (keys(&manifest.plan), keys(&prepared.plan));
    // In either of them, and not the same in both.
    let differs = |task: &&TaskId| then.get(*task) != now.get(*task);
    let changed: BTreeSet<&TaskId> = then.keys().chain(now.keys()).filter(differs).collect();
    if let Some(example) = changed.first() {
        return Err(ResumeError::Changed {
            run: manifest.run.clone(),
            changed: changed.len(),
            tasks: then.len(),
            example: example.to_string(),
        });
    }
    Ok(prepared)
}
