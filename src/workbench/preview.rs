use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::contain::contain_panic;
use super::load::{FileStamp, Sources};
use super::mailbox::Mailbox;
use super::planner::{PlanError, check, divide};
use super::{Prepared, Update};
use crate::dataset::Series;
use crate::devices::Inventory;
use crate::domain::Cancel;
use crate::spec::{DataSpec, ExperimentSpec, FeatureSpec, LabelSpec, Pooling};

/// Where the newest wish for a plan waits for the planner thread: a newer one takes its place and cancels the one at work.
#[derive(Default)]
pub(super) struct PreviewSlot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Option<Request>,
    /// Of the request at work.
    at_work: Option<Cancel>,
    is_closed: bool,
}

struct Request {
    ticket: u64,
    spec: Box<ExperimentSpec>,
}

impl PreviewSlot {
    /// Asks for a plan instead of whatever was asked for before.
    pub(super) fn ask(&self, ticket: u64, spec: Box<ExperimentSpec>) {
        let mut state = self.state.lock();
        state.waiting = Some(Request { ticket, spec });
        state.give_up();
        self.changed.notify_one();
    }

    /// Ends [`Self::work`] as soon as what it does can be given up.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.waiting = None;
        state.is_closed = true;
        state.give_up();
        self.changed.notify_one();
    }

    /// Plans whatever is asked for, until the slot is closed. A plan that was given up is not told.
    pub(super) fn work(&self, mailbox: &Mailbox) {
        let mut planner = Planner::default();
        while let Some((Request { ticket, spec }, cancel)) = self.next() {
            let plan = match contain_panic(|| planner.plan(&spec, &cancel)) {
                Ok(plan) => plan.map(|prepared| Box::new(prepared.plan)).map_err(|e| e.to_string()),
                Err(message) => {
                    planner = Planner::default();
                    Err(message)
                }
            };
            // Posted outside the lock: whoever is woken may ask again at once. The ticket tells an answer that has just become stale.
            if !cancel.is_cancelled() {
                mailbox.post(Update::Previewed { ticket, plan });
            }
        }
    }

    fn next(&self) -> Option<(Request, Cancel)> {
        let mut state = self.state.lock();
        state.at_work = None;
        while state.waiting.is_none() && !state.is_closed {
            self.changed.wait(&mut state);
        }
        let request = state.waiting.take()?;
        let cancel = Cancel::new();
        state.at_work = Some(cancel.clone());
        Some((request, cancel))
    }
}

impl State {
    fn give_up(&self) {
        if let Some(cancel) = &self.at_work {
            cancel.cancel();
        }
    }
}

/// Plans like [`super::plan`], and remembers what is costly to find out: a change of the model or the folds reads no file again.
#[derive(Default)]
struct Planner {
    /// What there is to compute on does not change while the program runs.
    inventory: Option<Inventory>,
    /// At most one: the features, labels and times of every chosen series, about 4 bytes for each bar and feature and 45 more for each bar.
    /// For 62 symbols of 6,000 bars and 13 features that is 36 MB, kept beside what a run has loaded for itself.
    loaded: Option<Loaded>,
}

struct Loaded {
    key: LoadKey,
    series: Vec<Arc<Series>>,
}

/// Everything that decides the loaded series.
#[derive(PartialEq)]
struct LoadKey {
    data: DataSpec,
    features: Vec<FeatureSpec>,
    window: u32,
    label: LabelSpec,
    files: Vec<FileStamp>,
}

impl Planner {
    fn plan(&mut self, spec: &ExperimentSpec, cancel: &Cancel) -> Result<Prepared, PlanError> {
        spec.validate().map_err(crate::spec::SpecError::Invalid)?;
        let inventory = self.inventory.get_or_insert_with(Inventory::detect).clone();
        let device = check(spec, &inventory)?;
        let sources = Sources::find(spec)?;
        let series = self.series(spec, &sources, cancel)?;
        divide(spec, &series, sources.warnings, (device, inventory.cpu.cores), cancel)
    }

    fn series(
        &mut self,
        spec: &ExperimentSpec,
        sources: &Sources<'_>,
        cancel: &Cancel,
    ) -> Result<Vec<Arc<Series>>, PlanError> {
        // Looked at before the files are read: one that changes meanwhile is read again the next time.
        let key = sources.stamps().map(|files| LoadKey::new(spec, files));
        if let (Some(key), Some(loaded)) = (&key, &self.loaded)
            && *key == loaded.key
        {
            return Ok(loaded.series.clone());
        }
        // Before others are read, so that there are never two.
        self.loaded = None;
        let series = sources.read(spec, cancel)?;
        self.loaded = key.map(|key| Loaded { key, series: series.clone() });
        Ok(series)
    }
}

impl LoadKey {
    fn new(spec: &ExperimentSpec, files: Vec<FileStamp>) -> Self {
        // Which symbols share a model is decided later.
        let data = DataSpec { pooling: Pooling::default(), ..spec.data.clone() };
        Self {
            data,
            features: spec.features.clone(),
            window: spec.window,
            label: spec.label,
            files,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::path::Path;

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
    fn a_newer_request_takes_the_place_of_one_that_waits_and_cancels_the_one_at_work() {
        let slot = PreviewSlot::default();
        for ticket in [1, 2] {
            slot.ask(ticket, Box::new(small(&[])));
        }
        let (request, second) = slot.next().unwrap();
        assert_eq!((request.ticket, second.is_cancelled()), (2, false));
        slot.ask(3, Box::new(small(&[])));
        assert!(second.is_cancelled());
        let (request, third) = slot.next().unwrap();
        assert_eq!((request.ticket, third.is_cancelled()), (3, false));
        slot.ask(4, Box::new(small(&[])));
        slot.close();
        assert!(third.is_cancelled() && slot.next().is_none(), "nothing is begun after closing");
    }

    #[test]
    fn only_what_decides_the_series_reads_them_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("AAA-1h.csv");
        write_bars(&file, 1000);
        let mut planner = Planner::default();
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
        let mut planner = Planner::default();
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(matches!(planner.plan(&small(&[]), &cancel), Err(PlanError::Cancelled)));
        assert!(planner.loaded.is_none());
        assert!(planner.plan(&small(&[]), &Cancel::new()).is_ok());
        assert!(planner.loaded.is_some());
    }
}
