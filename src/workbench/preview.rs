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
