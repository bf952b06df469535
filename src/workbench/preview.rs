use std::collections::BTreeMap;
use std::path::Path;

use super::contain::contain_panic;
use super::latest::LatestSlot;
use super::load::{FileStamp, Sources};
use super::loaded::SeriesCache;
use super::mailbox::Mailbox;
use super::past::Past;
use super::planner::{PlanError, plan_on};
use super::{Prepared, Update};
use crate::devices::Inventory;
use crate::domain::{Bytes, Cancel, Footprint, Plan, RunId, Setting, UtcMillis};
use crate::spec::{DataSpec, ExperimentSpec, FeatureSpec, LabelSpec, Pooling, Variant};

/// A plan that somebody asked for.
pub(super) struct PreviewRequest {
    /// The asker's own count.
    pub(super) ticket: u64,
    pub(super) spec: Box<ExperimentSpec>,
}

/// So many variants of a sweep are planned for a look at them; the others are only listed. A few milliseconds each where they share their data.
pub const MOST_PLANNED: usize = 64;

/// One run of a sweep before it is started.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedVariant {
    /// What it sets, axis by axis, and last the seed where there are several.
    pub settings: Vec<Setting>,
    /// What its plan adds up to; `None` of those beyond [`MOST_PLANNED`].
    pub totals: Option<PlanTotals>,
}

/// What the tasks of a plan, or of several, add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanTotals {
    /// All tasks.
    pub tasks: usize,
    /// Tasks whose result is there already, by the run that has it.
    pub reused: BTreeMap<RunId, usize>,
    /// Memory of the tasks that train at a time; of several plans the most that one takes.
    pub memory: Footprint,
    /// What the files of the tasks that are trained will take.
    pub disk: Bytes,
    /// How long training takes at most, as far as earlier runs tell: with as many at a time as the plan has workers, and of several plans one
    /// after another. In milliseconds.
    pub millis: u64,
    /// Tasks that are trained and whose time is known.
    pub known: usize,
}

impl PlanTotals {
    /// Of one plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let trained = plan.tasks.iter().filter(|task| task.reuse.is_none());
        let known: Vec<u64> = trained.clone().filter_map(|task| task.expected_ms).collect();
        let longest = known.iter().copied().max().unwrap_or_default();
        let sum: u64 = known.iter().sum();
        let mut reused = BTreeMap::new();
        for from in plan.tasks.iter().filter_map(|task| task.reuse.as_ref()) {
            *reused.entry(from.run.clone()).or_default() += 1;
        }
        Self {
            tasks: plan.tasks.len(),
            reused,
            memory: plan.footprint(),
            disk: trained.map(|task| task.disk).fold(Bytes::default(), Bytes::saturating_add),
            // However many workers there are, the longest task takes its time.
            millis: sum.div_ceil(u64::from(plan.workers.max(1))).max(longest),
            known: known.len(),
        }
    }

    /// Tasks that are taken over.
    #[must_use]
    pub fn taken_over(&self) -> usize {
        self.reused.values().sum()
    }

    /// Tasks that are trained.
    #[must_use]
    pub fn trained(&self) -> usize {
        self.tasks - self.taken_over()
    }

    /// With another plan's beside them.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.tasks += other.tasks;
        for (run, tasks) in &other.reused {
            *self.reused.entry(run.clone()).or_default() += tasks;
        }
        self.memory = self.memory.max(other.memory);
        self.disk = self.disk.saturating_add(other.disk);
        self.millis = self.millis.saturating_add(other.millis);
        self.known += other.known;
        self
    }
}

/// Plans whatever is asked for, until the slot is closed. A plan that was given up is not told.
pub(super) fn preview_all(
    slot: &LatestSlot<PreviewRequest>,
    (cache, runs): (&SeriesCache, &Path),
    mailbox: &Mailbox,
) {
    let mut planner = Planner { inventory: None, cache };
    while let Some((PreviewRequest { ticket, spec }, cancel)) = slot.next() {
        // Posted outside the lock: whoever is woken may ask again at once. The ticket tells an answer that has just become stale.
        let tell = |update| {
            if !cancel.is_cancelled() {
                mailbox.post(update);
            }
        };
        let plan = contain_panic(|| planner.plan_beside(runs, &spec, &cancel));
        let plan = plan.unwrap_or_else(Err);
        let first = plan.as_ref().ok().map(PlanTotals::of);
        tell(Update::Previewed { ticket, plan: plan.map(Box::new) });
        let Some(first) = first.filter(|_| !spec.sweep.is_empty()) else { continue };
        let variants = contain_panic(|| planner.variants(runs, &spec, first, &cancel));
        let variants = variants.unwrap_or_else(Err);
        tell(Update::VariantsPlanned { ticket, variants });
    }
}

/// Plans like [`super::plan`], and remembers what is costly to find out: a change of the model or the folds reads no file again.
struct Planner<'a> {
    /// What there is to compute on does not change while the program runs.
    inventory: Option<Inventory>,
    cache: &'a SeriesCache,
}

/// Everything that decides the loaded series.
#[derive(PartialEq)]
pub(super) struct LoadKey {
    data: DataSpec,
    features: Vec<FeatureSpec>,
    window: u32,
    label: LabelSpec,
    files: Vec<FileStamp>,
    ends: Vec<Option<UtcMillis>>,
}

impl Planner<'_> {
    fn plan(&mut self, spec: &ExperimentSpec, cancel: &Cancel) -> Result<Prepared, PlanError> {
        spec.validate().map_err(crate::spec::SpecError::Invalid)?;
        let inventory = self.inventory.get_or_insert_with(Inventory::detect).clone();
        plan_on(spec, &inventory, cancel, self.cache)
    }

    /// The same with what the runs of a folder tell.
    fn plan_beside(
        &mut self,
        runs: &Path,
        spec: &ExperimentSpec,
        cancel: &Cancel,
    ) -> Result<Plan, String> {
        let mut prepared = self.plan(spec, cancel).map_err(|error| error.to_string())?;
        Past::of(runs, &mut prepared);
        Ok(prepared.plan)
    }

    /// Every variant of a sweep, of which the first has been planned.
    fn variants(
        &mut self,
        runs: &Path,
        spec: &ExperimentSpec,
        first: PlanTotals,
        cancel: &Cancel,
    ) -> Result<Vec<PlannedVariant>, String> {
        let variants = spec.variants().map_err(|error| error.to_string())?;
        let mut first = Some(first);
        let mut planned = Vec::with_capacity(variants.len());
        for (place, Variant { settings, spec }) in variants.into_iter().enumerate() {
            let totals = match first.take() {
                Some(first) => Some(first),
                None if place < MOST_PLANNED => {
                    let plan = self.plan_beside(runs, &spec, cancel).map_err(|error| {
                        let settings: Vec<String> =
                            settings.iter().map(ToString::to_string).collect();
                        format!("variant {}: {error}", settings.join(" "))
                    })?;
                    Some(PlanTotals::of(&plan))
                }
                None => None,
            };
            planned.push(PlannedVariant { settings, totals });
        }
        Ok(planned)
    }
}

impl LoadKey {
    /// Of the files as they are now; `None` where the system does not tell how they are.
    pub(super) fn new(spec: &ExperimentSpec, sources: &Sources<'_>) -> Option<Self> {
        // Which symbols share a model is decided later.
        let data = DataSpec { pooling: Pooling::default(), ..spec.data.clone() };
        Some(Self {
            data,
            features: spec.features.clone(),
            window: spec.window,
            label: spec.label,
            files: sources.stamps()?,
            ends: sources.ends(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::domain::{StoredTask, TaskId};
    use crate::spec::{Assignment, DataSource, SweepAxis, SweepSpec, apply, load};

    fn small(set: &[(&str, u32)]) -> ExperimentSpec {
        let sections = ["train", "validation", "test"]
            .map(|section| (format!("validation.{section}"), 100_u32));
        let sections = sections.iter().map(|(path, bars)| (path.as_str(), *bars));
        let assignments: Vec<Assignment> = sections
            .chain(set.iter().copied())
            .map(|(path, value)| Assignment::new(path, value))
            .collect();
        apply(&load("linear-return").unwrap(), &assignments).unwrap()
    }

    fn of_folder(folder: &Path, set: &[(&str, u32)]) -> ExperimentSpec {
        let mut spec = small(set);
        spec.data.source = DataSource::Folder(folder.to_owned());
        spec.data.symbols.clear();
        spec
    }

    fn write_bars(path: &Path, bars: usize) {
        let mut text = "date,open,high,low,close,volume\n".to_owned();
        for bar in 0..bars {
            let price = 100.0 + (bar as f64 * 0.7).sin();
            let (high, low) = (price + 1.0, price - 1.0);
            writeln!(text, "{},{price},{high},{low},{price},{bar}", 1_704_067_200 + bar * 3600)
                .unwrap();
        }
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn only_what_decides_the_series_reads_them_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("AAA-1h.csv");
        write_bars(&file, 1000);
        let cache = SeriesCache::default();
        let mut planner = Planner { inventory: None, cache: &cache };
        let mut plan = |set: &[(&str, u32)]| {
            let spec = of_folder(folder.path(), set);
            let planned = planner.plan(&spec, &Cancel::new()).unwrap();
            let fresh = super::super::plan(&spec, &Cancel::new()).unwrap();
            assert_eq!(planned.plan, fresh.plan, "what is remembered changes no plan");
            Arc::clone(&planned.series[0][0])
        };
        let first = plan(&[]);
        for kept in [
            ("validation.test", 110),
            ("training.max_epochs", 3),
            ("resources.threads_per_task", 2),
            ("seed", 9),
        ] {
            assert!(Arc::ptr_eq(&first, &plan(&[kept])), "{kept:?} does not change the series");
        }
        for changed in [("window", 3), ("label.horizon", 5), ("features[0].lag", 7)] {
            assert!(!Arc::ptr_eq(&first, &plan(&[changed])), "{changed:?} changes the series");
        }
        let before = plan(&[]);
        write_bars(&file, 1010);
        let after = plan(&[]);
        assert_eq!((before.matrix().rows(), after.matrix().rows()), (1000, 1010));
        write_bars(&folder.path().join("BBB-1h.csv"), 1000);
        assert!(!Arc::ptr_eq(&after, &plan(&[])), "another file joined");
    }

    #[test]
    fn a_plan_that_was_given_up_leaves_nothing_half_read_behind() {
        let cache = SeriesCache::default();
        let mut planner = Planner { inventory: None, cache: &cache };
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(matches!(planner.plan(&small(&[]), &cancel), Err(PlanError::Cancelled)));
        assert!(cache.is_empty());
        assert!(planner.plan(&small(&[]), &Cancel::new()).is_ok());
        assert!(!cache.is_empty());
    }

    #[test]
    fn every_variant_is_planned_by_itself_up_to_a_number_of_them() {
        let runs = tempfile::tempdir().unwrap();
        let cache = SeriesCache::default();
        let mut planner = Planner { inventory: None, cache: &cache };
        let mut variants = |values: std::ops::Range<u32>| {
            let axis = SweepAxis {
                path: "validation.max_folds".to_owned(),
                values: values.map(|value| value.to_string()).collect(),
            };
            let spec = ExperimentSpec {
                sweep: SweepSpec { axes: vec![axis], ..SweepSpec::default() },
                ..small(&[])
            };
            let first = planner.plan_beside(runs.path(), &spec, &Cancel::new()).unwrap();
            planner.variants(runs.path(), &spec, PlanTotals::of(&first), &Cancel::new()).unwrap()
        };
        let tasks: Vec<usize> =
            variants(1..4).iter().map(|one| one.totals.as_ref().unwrap().tasks).collect();
        assert_eq!(tasks, [2, 4, 6], "two symbols, and the folds that the variant asks for");
        let many = variants(1..100);
        assert_eq!(many.len(), 99, "all are listed");
        assert_eq!(many.iter().filter(|one| one.totals.is_some()).count(), MOST_PLANNED);
        assert_eq!(many[98].settings[0].value, "99");
    }

    #[test]
    fn variants_that_nobody_waits_for_are_given_up_between_two_plans() {
        let runs = tempfile::tempdir().unwrap();
        let cache = SeriesCache::default();
        let mut planner = Planner { inventory: None, cache: &cache };
        let sweep = SweepSpec { seeds: vec![1, 2], ..SweepSpec::default() };
        let spec = ExperimentSpec { sweep, ..small(&[]) };
        let cancel = Cancel::new();
        let first = planner.plan_beside(runs.path(), &spec, &cancel).unwrap();
        cancel.cancel();
        let given_up = planner.variants(runs.path(), &spec, PlanTotals::of(&first), &cancel);
        assert_eq!(given_up.unwrap_err(), "variant seed=2: cancelled");
    }

    #[test]
    fn totals_are_of_what_is_trained_and_time_is_shared_by_workers() {
        let mut plan = super::super::plan(&small(&[]), &Cancel::new()).unwrap().plan;
        let task = plan.tasks[0].clone();
        let from = StoredTask { run: RunId::new("earlier"), task: TaskId::new("t") };
        plan.workers = 2;
        plan.tasks = vec![task; 4];
        for (task, (millis, reuse)) in plan.tasks.iter_mut().zip([
            (Some(4_000), None),
            (None, None),
            (Some(1_000), None),
            (Some(9_000), Some(from.clone())),
        ]) {
            (task.expected_ms, task.reuse, task.disk) = (millis, reuse, Bytes(10));
        }
        let totals = PlanTotals::of(&plan);
        assert_eq!((totals.tasks, totals.trained(), totals.known), (4, 3, 2));
        assert_eq!((totals.millis, totals.disk), (4_000, Bytes(30)), "the longest takes its time");
        assert_eq!(totals.reused, BTreeMap::from([(from.run.clone(), 1)]));
        let both = totals.clone().and(&totals);
        assert_eq!((both.tasks, both.trained(), both.known, both.millis), (8, 6, 4, 8_000));
        assert_eq!((both.disk, both.memory), (Bytes(60), totals.memory));
        assert_eq!(both.reused, BTreeMap::from([(from.run, 2)]));
    }
}
