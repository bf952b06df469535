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
use crate::domain::{Cancel, UtcMillis};
use crate::spec::{DataSpec, ExperimentSpec, FeatureSpec, LabelSpec, Pooling};

/// A plan that somebody asked for.
pub(super) struct PreviewRequest {
    /// The asker's own count.
    pub(super) ticket: u64,
    pub(super) spec: Box<ExperimentSpec>,
}

/// Plans whatever is asked for, until the slot is closed. A plan that was given up is not told.
pub(super) fn preview_all(
    slot: &LatestSlot<PreviewRequest>,
    (cache, runs): (&SeriesCache, &Path),
    mailbox: &Mailbox,
) {
    let mut planner = Planner { inventory: None, cache };
    while let Some((PreviewRequest { ticket, spec }, cancel)) = slot.next() {
        let plan = contain_panic(|| {
            let mut prepared = planner.plan(&spec, &cancel).map_err(|error| error.to_string())?;
            Past::of(runs, &mut prepared);
            Ok(Box::new(prepared.plan))
        });
        let plan = plan.flatten();
        // Posted outside the lock: whoever is woken may ask again at once. The ticket tells an answer that has just become stale.
        if !cancel.is_cancelled() {
            mailbox.post(Update::Previewed { ticket, plan });
        }
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
    use crate::spec::{Assignment, DataSource, apply, load};

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
}
