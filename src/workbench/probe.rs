use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::Device;
use crate::spec::ExperimentSpec;
use crate::torch::TorchError;
use crate::training;

/// Samples a second that a model of this shape learns from, by a short trial on made-up windows: what is compared when a device or a batch size is to
/// be chosen. Each trial is made once per process.
#[derive(Debug, Default)]
pub(super) struct Probe {
    known: Mutex<BTreeMap<Vec<u8>, f64>>,
}

/// One for the process: a preview and the run after it must come to the same answer.
pub(super) static PROBE: Probe = Probe { known: Mutex::new(BTreeMap::new()) };

impl Probe {
    /// Samples a second at this batch size on this device, with the experiment's threads per task. Takes about a fifth of a second where it is not
    /// known yet, and sets the calling thread's libtorch thread limit.
    ///
    /// # Errors
    /// When the device has no room for it, or fails.
    pub(super) fn samples_per_second(
        &self,
        spec: &ExperimentSpec,
        features: u32,
        (device, batch): (Device, u32),
    ) -> Result<f64, TorchError> {
        let key = serde_json::to_vec(&(
            (&spec.model, spec.window, features, spec.label.outputs()),
            (device, batch, spec.resources.threads_per_task, spec.training.precision),
        ))
        .expect("plain data with string keys serialises");
        if let Some(&known) = self.known.lock().get(&key) {
            return Ok(known);
        }
        let measured = training::samples_per_second(spec, features, (device, batch))?;
        self.known.lock().insert(key, measured);
        Ok(measured)
    }
}
