use std::sync::Arc;

use parking_lot::Mutex;
use tch::{Kind, Tensor};

use super::Series;
use crate::domain::{Bytes, Device};
use crate::torch::TorchError;

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
}

impl Resident {
    /// Copies the series to the device, one by one: at no time are there two copies of all of them.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(series: &[Arc<Series>], device: Device) -> Result<Self, TorchError> {
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
        Ok(Self { matrix, labels, offsets, device })
    }

    /// What it takes on the device: one row of features and one label for each bar, whatever the window.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        Bytes(4 * (self.matrix.numel() + self.labels.numel()) as u64)
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
        }
    }
}

/// Keeps the last [`Resident`] that was asked for, so that the folds of a task's series share one copy on the device. Whoever trains on an
/// older one keeps it alive.
#[derive(Debug, Default)]
pub struct ResidentCache {
    last: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    series: Vec<Arc<Series>>,
    device: Device,
    resident: Resident,
}

impl ResidentCache {
    /// The series on the device; copied only where the last call was for others. Callers wait for each other, so that none copies in vain.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn get(&self, series: &[Arc<Series>], device: Device) -> Result<Resident, TorchError> {
        let mut last = self.last.lock();
        if let Some(kept) = last.as_ref().filter(|kept| kept.is_of(series, device)) {
            return Ok(kept.resident.share());
        }
        // Before the new one is made, so that there are never two.
        *last = None;
        let resident = Resident::new(series, device)?;
        let shared = resident.share();
        *last = Some(Kept { series: series.to_vec(), device, resident });
        Ok(shared)
    }
}

impl Kept {
    fn is_of(&self, series: &[Arc<Series>], device: Device) -> bool {
        self.device == device
            && self.series.len() == series.len()
            && self.series.iter().zip(series).all(|(kept, series)| Arc::ptr_eq(kept, series))
    }
}
