use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::loaded::SeriesCache;
use super::memory::Memory;
use super::planner::{PlanError, Prepared, plan_from};
use crate::domain::{Cancel, ContentHash, Plan, Task};
use crate::runs::{MeasuredCost, RunIndex};
use crate::spec::ExperimentSpec;

/// What earlier runs say of tasks like those that are planned.
#[derive(Debug, Default)]
pub(super) struct Past {
    costs: Costs,
}

/// Plans experiments beside the runs of a folder, one after another: what was read for one serves the next.
pub struct Planning {
    runs: PathBuf,
    cache: SeriesCache,
}

impl Planning {
    /// Nothing is read yet, and the folder need not be there.
    #[must_use]
    pub fn beside(runs: &Path) -> Self {
        Self { runs: runs.to_owned(), cache: SeriesCache::default() }
    }

    /// What would be done, how long it takes and what is reused, as far as the runs tell.
    ///
    /// # Errors
    /// [`PlanError`], as [`super::plan`].
    pub fn plan(&self, spec: &ExperimentSpec, cancel: &Cancel) -> Result<Plan, PlanError> {
        let mut prepared = plan_from(spec, cancel, &self.cache)?;
        Past::of(&self.runs, &mut prepared);
        Ok(prepared.plan)
    }
}

impl Past {
    /// Looks up what is known of the planned tasks, and writes into the plan how long they will take and which need not be trained again.
    ///
    /// A store that cannot be read says nothing: the plan holds without it, and whoever writes to the store will say what is wrong.
    pub(super) fn of(runs: &Path, prepared: &mut Prepared) -> Self {
        let (spec, plan) = (&prepared.spec, &mut prepared.plan);
        Self::of_plan(runs, spec, plan).unwrap_or_default()
    }

    fn of_plan(runs: &Path, spec: &ExperimentSpec, plan: &mut Plan) -> Option<Self> {
        let index = RunIndex::open(runs).ok()?;
        let shapes: BTreeSet<ContentHash> =
            plan.tasks.iter().filter_map(|task| task.shape).collect();
        let costs = index.costs(&shapes.into_iter().collect::<Vec<_>>()).ok()?;
        let costs: Costs =
            costs.into_iter().map(|cost| ((cost.shape, cost.device.clone()), cost)).collect();
        for task in &mut plan.tasks {
            task.expected_ms = cost_of(&costs, task).map(|cost| expected_ms(task, spec, cost));
        }
        if spec.resources.reuse {
            let keys: Vec<ContentHash> = plan.tasks.iter().map(|task| task.key).collect();
            let finished = index.finished(&keys).ok()?;
            for task in &mut plan.tasks {
                task.reuse = finished.get(&task.key).cloned();
            }
        }
        Some(Self { costs })
    }

    /// What the run's tasks will take of a device's memory, as far as earlier ones tell.
    pub(super) fn memory(&self, prepared: &Prepared) -> Memory {
        let tasks = prepared.plan.tasks.iter();
        let known = tasks.filter_map(|task| cost_of(&self.costs, task)?.peak_share);
        Memory::begin(known.reduce(f64::max))
    }
}

type Costs = BTreeMap<(ContentHash, String), MeasuredCost>;

fn cost_of<'a>(costs: &'a Costs, task: &Task) -> Option<&'a MeasuredCost> {
    costs.get(&(task.shape?, task.device.class().to_owned()))
}

/// At most: early stopping may end it sooner. A refit trains for as many epochs as its folds needed, which is not known yet.
fn expected_ms(task: &Task, spec: &ExperimentSpec, cost: &MeasuredCost) -> u64 {
    let epochs = f64::from(spec.training.max_epochs);
    let seconds = epochs * task.train_rows as f64 * cost.seconds_per_sample;
    (seconds * 1000.0).ceil() as u64
}
