use std::sync::Arc;

use parking_lot::Mutex;
use tch::{Kind, Tensor};

use super::Series;
use crate::domain::{Bytes, Device};
use crate::torch::TorchError;
use crate::torch::faults::{self, Place};

/// The unscaled features and the labels of some series, one after another in one matrix on a device. Copies of this share the memory.
#[derive(Debug)]
pub struct Resident {
    /// `[rows, features]`, f32, unscaled.
    pub(super) matrix: Tensor,
    /// `[rows]`, f32, as the label defines them; NaN where there is none.
    pub(super) labels: Tensor,
    /// Where each series' rows begin, and where the last ones end.
    pub(super) offsets: Vec<i64>,
    pub(super) device: tch::Device,
    /// One for each handle to the memory.
    handles: Arc<()>,
}

impl Resident {
    /// Copies the series to the device, one by one: at no time are there two copies of all of them.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(series: &[Arc<Series>], device: Device) -> Result<Self, TorchError> {
        faults::check(Place::Resident)?;
        let device = crate::torch::device(device);
        let mut offsets = vec![0_i64];
        for series in series {
            offsets.push(offsets[offsets.len() - 1] + series.matrix().rows() as i64);
        }
        let rows = offsets[series.len()];
        let features = series.first().map_or(0, |series| series.matrix().cols() as i64);
        let matrix = Tensor::f_empty([rows, features], (Kind::Float, device))?;
        let labels = Tensor::f_empty([rows], (Kind::Float, device))?;
        for (series, &first) in series.iter().zip(&offsets) {
            let count = series.matrix().rows() as i64;
            let values = Tensor::f_from_slice(series.matrix().as_slice())?;
            matrix.f_narrow(0, first, count)?.f_copy_(&values.f_view([count, features])?)?;
            let values = Tensor::f_from_slice(&series.labels().value)?;
            labels.f_narrow(0, first, count)?.f_copy_(&values)?;
        }
        Ok(Self { matrix, labels, offsets, device, handles: Arc::default() })
    }

    /// What it takes on the device: one row of features and one label for each bar, whatever the window.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        Bytes(4 * (self.matrix.numel() + self.labels.numel()) as u64)
    }

    /// What one of so many rows and features would take.
    #[must_use]
    pub const fn bytes_of(rows: u64, features: u32) -> Bytes {
        Bytes(4 * rows * (features as u64 + 1))
    }

    /// Where each series' rows begin, and where the last ones end.
    #[must_use]
    pub fn offsets(&self) -> &[i64] {
        &self.offsets
    }

    /// Where the features lie: equal for those that share them.
    #[must_use]
    pub fn address(&self) -> usize {
        self.matrix.data_ptr().addr()
    }

    /// The same memory under another handle.
    #[must_use]
    pub fn share(&self) -> Self {
        Self {
            matrix: self.matrix.shallow_clone(),
            labels: self.labels.shallow_clone(),
            offsets: self.offsets.clone(),
            device: self.device,
            handles: Arc::clone(&self.handles),
        }
    }
}

/// What lies on the devices for the tasks at work, so that tasks on the same series share one copy on each device.
#[derive(Debug, Default)]
pub struct ResidentCache {
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    series: Vec<Arc<Series>>,
    device: Device,
    resident: Resident,
}

impl ResidentCache {
    /// The series on the device; copied only where no other task has them there. Callers wait for each other, so that none copies in vain.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn get(&self, series: &[Arc<Series>], device: Device) -> Result<Resident, TorchError> {
        let mut kept = self.kept.lock();
        // Before a new one is made, so that nothing lies there that nobody uses.
        kept.retain(Kept::is_in_use);
        if let Some(kept) = kept.iter().find(|kept| kept.is_of(series, device)) {
            return Ok(kept.resident.share());
        }
        let resident = Resident::new(series, device)?;
        let shared = resident.share();
        kept.push(Kept { series: series.to_vec(), device, resident });
        Ok(shared)
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.kept.lock().len()
    }

    /// Frees what no task uses any more.
    pub fn free_unused(&self) {
        self.kept.lock().retain(Kept::is_in_use);
    }
}

impl Kept {
    /// Whether there is a handle besides the cache's own.
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.resident.handles) > 1
    }

    fn is_of(&self, series: &[Arc<Series>], device: Device) -> bool {
        self.device == device
            && self.series.len() == series.len()
            && self.series.iter().zip(series).all(|(kept, series)| Arc::ptr_eq(kept, series))
    }
}
