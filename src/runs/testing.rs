//! What the room's own tests begin with.

use std::path::Path;

use super::{Manifest, RunFolder, RunLog, RunStore, TaskMetadata};
use crate::domain::{Plan, RunId, TaskReport};
use crate::spec::{DEFAULT_PRESET, ExperimentSpec, load};

/// A plan of two symbols and five folds.
pub(super) fn plan() -> Plan {
    let manifest =
        include_str!("../../tests/pictures/runs/20260115-093000-mlp-return-5eed/manifest.json");
    serde_json::from_str::<Manifest>(manifest).unwrap().plan
}

/// What a finished task reports.
pub(super) fn report() -> TaskReport {
    let metadata = include_str!(
        "../../tests/pictures/runs/20260115-093000-mlp-return-5eed/tasks/SYN_A-1h-fold00/metadata.json"
    );
    serde_json::from_str::<TaskMetadata>(metadata).unwrap().report
}

pub(super) fn spec() -> ExperimentSpec {
    load(DEFAULT_PRESET).unwrap()
}

/// A new run that this process owns.
pub(super) fn create(store: &RunStore) -> (RunId, RunFolder, RunLog) {
    store.create(&spec(), &plan(), None).unwrap()
}

/// A new run that nobody owns.
pub(super) fn created_and_released(root: &Path) -> RunFolder {
    let store = RunStore::open(root, |_| {}).unwrap();
    let (run, folder, _) = create(&store);
    store.release(&run).unwrap();
    folder
}
