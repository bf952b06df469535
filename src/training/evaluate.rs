use tch::Tensor;

use super::TrainError;
use super::run::MOST_SHORTAGES;
use crate::dataset::TaskData;
use crate::domain::{Cancel, Device};
use crate::models::{Mode, Network};
use crate::torch::faults::{self, Place};
use crate::torch::{TorchError, empty_cache};

/// Samples in a forward pass that records no gradients.
pub const EVALUATION_BATCH: u32 = 4096;

/// How rows go through a network without gradients: so many at once, and fewer where memory is short.
#[derive(Debug)]
pub(super) struct Evaluation<'a> {
    pub(super) network: &'a Network,
    pub(super) data: &'a TaskData,
    pub(super) device: Device,
    pub(super) batch: i64,
    /// Times that memory was short.
    pub(super) shortages: u32,
}

impl<'a> Evaluation<'a> {
    pub(super) const fn new(network: &'a Network, data: &'a TaskData, device: Device) -> Self {
        Self { network, data, device, batch: EVALUATION_BATCH as i64, shortages: 0 }
    }

    /// The network's outputs for these rows, in f32, `[rows]` or `[rows, 3]`.
    pub(super) fn outputs(&mut self, rows: &Tensor, cancel: &Cancel) -> Result<Tensor, TrainError> {
        let _no_grad = tch::no_grad_guard();
        let count = rows.size1()?;
        let mut parts = Vec::new();
        let mut from = 0;
        while from < count {
            if cancel.is_cancelled() {
                return Err(TrainError::Cancelled { steps: 0 });
            }
            let size = self.batch.min(count - from);
            match self.part(&rows.f_narrow(0, from, size)?) {
                Ok(part) => {
                    parts.push(part);
                    from += size;
                }
                Err(error) if error.is_out_of_memory() => {
                    empty_cache(self.device);
                    self.shortages += 1;
                    if self.shortages >= MOST_SHORTAGES || size == 1 {
                        return Err(TrainError::out_of_memory("evaluating", &error));
                    }
                    self.batch = size / 2;
                }
                Err(error) => return Err(error.into()),
            }
        }
        match parts.as_slice() {
            [only] => Ok(only.shallow_clone()),
            _ => Ok(Tensor::f_cat(&parts, 0)?),
        }
    }

    fn part(&self, rows: &Tensor) -> Result<Tensor, TorchError> {
        faults::check(Place::Evaluation)?;
        self.network.forward(&self.data.windows(rows)?, &mut Mode::Evaluate)
    }

    /// Outputs in the unit of a prediction, on the host.
    pub(super) fn predictions(&self, outputs: &Tensor) -> Result<Vec<f64>, TorchError> {
        let values: Vec<f32> = self.network.in_unit(outputs)?.f_to(tch::Device::Cpu)?.try_into()?;
        Ok(values.into_iter().map(f64::from).collect())
    }
}

/// Predictions for rows of the task's resident matrix, in the output's unit and in the rows' order; and whether memory was short, so that they were
/// computed in smaller parts and may differ in the last bits.
///
/// # Errors
/// [`TrainError::Cancelled`], [`TrainError::OutOfMemory`] where not even single rows fit, or libtorch's own error.
pub fn predict(
    network: &Network,
    data: &TaskData,
    (rows, device): (&[i64], Device),
    cancel: &Cancel,
) -> Result<(Vec<f64>, bool), TrainError> {
    if rows.is_empty() {
        return Ok((Vec::new(), false));
    }
    let mut evaluation = Evaluation::new(network, data, device);
    let outputs = evaluation.outputs(&data.index(rows)?, cancel)?;
    Ok((evaluation.predictions(&outputs)?, evaluation.shortages > 0))
}
