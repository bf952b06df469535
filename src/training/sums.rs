use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use super::StepOutcome;
use super::optimizer::overwrite;
use crate::domain::Device;
use crate::torch::TorchError;

/// Steps after which a GPU is asked whether the loss is still a number: each question waits for it.
const LOOK_EVERY: u32 = 64;

/// The losses and gradient norms of an epoch, added up: on the host where the numbers are there at once, else on the device, which is then not
/// waited for.
#[derive(Debug)]
pub(super) enum Sums {
    Host {
        loss: f64,
        norm: f64,
        /// Of the last step.
        last: f64,
    },
    Device {
        /// f64, `[loss, norm]`.
        sums: Tensor,
        /// Steps up to which all was well.
        well_until: u32,
    },
}

impl Sums {
    pub(super) fn new(device: Device) -> Result<Self, TorchError> {
        Ok(match device {
            Device::Cuda(_) => Self::Device {
                sums: Tensor::f_zeros([2], (Kind::Double, crate::torch::device(device)))?,
                well_until: 0,
            },
            // Metal has no f64.
            Device::Cpu | Device::Mps => Self::Host { loss: 0.0, norm: 0.0, last: 0.0 },
        })
    }

    /// A step's mean loss over so many samples, and its gradient's norm.
    pub(super) fn add(&mut self, outcome: &StepOutcome, samples: i64) -> Result<(), TorchError> {
        match self {
            Self::Host { loss, norm, last } => {
                *last = outcome.loss.f_double_value(&[])?;
                *loss += *last * samples as f64;
                *norm += outcome.gradient_norm.f_double_value(&[])?;
            }
            Self::Device { sums, .. } => {
                let loss = outcome.loss.f_to_kind(Kind::Double)?.f_mul_scalar(samples as f64)?;
                let norm = outcome.gradient_norm.f_to_kind(Kind::Double)?;
                let _same = sums.f_add_(&Tensor::f_stack(&[&loss, &norm], 0)?)?;
            }
        }
        Ok(())
    }

    /// Where the loss has left the numbers by this step, counted from 1: the first step of the epoch that it can have been.
    pub(super) fn look(&mut self, step: u32) -> Result<Option<u32>, TorchError> {
        match self {
            Self::Host { last, .. } => Ok((!last.is_finite()).then_some(step)),
            Self::Device { sums, well_until } => {
                if step < *well_until + LOOK_EVERY {
                    return Ok(None);
                }
                if !sums.f_double_value(&[0])?.is_finite() {
                    return Ok(Some(*well_until + 1));
                }
                *well_until = step;
                Ok(None)
            }
        }
    }

    /// The last step's loss; of a device, the sum that is no number.
    pub(super) fn last_loss(&self) -> f64 {
        match self {
            Self::Host { last, .. } => *last,
            Self::Device { sums, .. } => sums.f_double_value(&[0]).unwrap_or(f64::NAN),
        }
    }

    /// Mean loss over samples and mean norm over steps.
    pub(super) fn means(&self, samples: i64, steps: u32) -> Result<(f64, f64), TorchError> {
        let (loss, norm) = match self {
            Self::Host { loss, norm, .. } => (*loss, *norm),
            Self::Device { sums, .. } => (sums.f_double_value(&[0])?, sums.f_double_value(&[1])?),
        };
        Ok((loss / samples as f64, norm / f64::from(steps)))
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) -> Result<(), TorchError> {
        match self {
            Self::Host { loss, norm, last } => (*loss, *norm, *last) = (0.0, 0.0, 0.0),
            Self::Device { sums, well_until } => {
                let _same = sums.f_zero_()?;
                *well_until = 0;
            }
        }
        Ok(())
    }

    /// Both sums, f64 `[2]`.
    pub(super) fn state(&self) -> Result<Tensor, TorchError> {
        Ok(match self {
            Self::Host { loss, norm, .. } => Tensor::f_from_slice(&[*loss, *norm])?,
            Self::Device { sums, .. } => sums.f_to(tch::Device::Cpu)?,
        })
    }

    /// Goes back to `sums` of a checkpoint.
    pub(super) fn load_state(
        &mut self,
        tensors: &BTreeMap<String, Tensor>,
    ) -> Result<(), TorchError> {
        let mut stored = Tensor::f_zeros([2], (Kind::Double, tch::Device::Cpu))?;
        overwrite(&mut stored, "sums", tensors)?;
        match self {
            Self::Host { loss, norm, .. } => {
                (*loss, *norm) = (stored.f_double_value(&[0])?, stored.f_double_value(&[1])?);
            }
            Self::Device { sums, well_until } => {
                sums.f_copy_(&stored)?;
                *well_until = 0;
            }
        }
        Ok(())
    }
}
