use std::sync::Arc;

use parking_lot::Mutex;

use crate::dataset::Series;
use crate::devices::Request;
use crate::domain::{Bytes, ContentHash, Task};

/// What the tasks of a run take of a device's memory: estimated while none has finished, then corrected by what those that have finished really
/// took.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The largest measured share of the estimate so far. A run computes on one kind of device.
    measured: Mutex<Option<f64>>,
}

impl Memory {
    /// Begins with what tasks of earlier runs took of their estimates.
    pub(super) fn begin(share: Option<f64>) -> Self {
        Self { measured: Mutex::new(share) }
    }

    /// What to ask the pool for.
    pub(super) fn request(&self, task: &Task, series: &[Arc<Series>]) -> Request {
        let estimate = own(task);
        let share = *self.measured.lock();
        // A task may take a little more than the one before it: the last batches of a section differ.
        let bytes = share.map_or(estimate, |share| Bytes((estimate.0 as f64 * share * 1.1) as u64));
        let shared = (task.resident > Bytes(0)).then(|| (key(series), task.resident));
        Request { bytes, shared, ..Request::default() }
    }

    /// A task has finished and took so much besides the resident matrix.
    pub(super) fn learn(&self, task: &Task, peak: Option<Bytes>) {
        let (Some(peak), estimate) = (peak, own(task)) else { return };
        if estimate == Bytes(0) || peak == Bytes(0) {
            return;
        }
        let share = peak.0 as f64 / estimate.0 as f64;
        let mut measured = self.measured.lock();
        *measured = Some(measured.map_or(share, |most| most.max(share)));
    }
}

/// What is the task's alone.
const fn own(task: &Task) -> Bytes {
    Bytes(task.memory.0.saturating_sub(task.resident.0))
}

/// Equal for tasks that share one matrix on a device: by the very identity that [`crate::dataset::ResidentCache`] goes by.
fn key(series: &[Arc<Series>]) -> u64 {
    let addresses = series.iter().map(|series| Arc::as_ptr(series).addr().to_le_bytes());
    ContentHash::of(&addresses.flatten().collect::<Vec<u8>>()).to_u64()
}
