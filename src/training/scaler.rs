use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use super::optimizer::{copy, overwrite};
use crate::domain::Device;
use crate::torch::{ScaleUpdate, TorchError, non_finite_check_and_unscale, update_scale};

/// Dynamic loss scaling (Micikevicius et al. 2018) with the constants of `torch.amp.GradScaler`: small gradients in half precision would be
/// rounded to nothing. All of it stays on the device, so that no step waits for it.
#[derive(Debug)]
pub(super) struct LossScaler {
    /// One f32.
    scale: Tensor,
    /// One i32: steps since the scale last changed.
    growth_tracker: Tensor,
}

impl LossScaler {
    const FIRST_SCALE: f64 = 65_536.0;

    pub(super) fn new(device: Device) -> Result<Self, TorchError> {
        let device = crate::torch::device(device);
        Ok(Self {
            scale: Tensor::f_full([1], Self::FIRST_SCALE, (Kind::Float, device))?,
            growth_tracker: Tensor::f_zeros([1], (Kind::Int, device))?,
        })
    }

    /// The loss times the scale.
    pub(super) fn scale(&self, loss: &Tensor) -> Result<Tensor, TorchError> {
        Ok(loss.f_mul(&self.scale.f_squeeze()?)?)
    }

    /// Divides the gradients of a scaled loss by the scale, in place, and tells where one of them left the numbers: one f32, 1 or 0.
    pub(super) fn unscale(&self, gradients: &[Tensor]) -> Result<Tensor, TorchError> {
        let found_inf = self.scale.f_zeros_like()?;
        non_finite_check_and_unscale(gradients, &found_inf, &self.scale.f_reciprocal()?)?;
        Ok(found_inf)
    }

    /// Shrinks the scale after a step that was passed over, lets it grow after many that were not.
    pub(super) fn update(&self, found_inf: &Tensor) -> Result<(), TorchError> {
        update_scale(&self.scale, &self.growth_tracker, found_inf, ScaleUpdate::default())
    }

    pub(super) fn state(&self) -> Result<BTreeMap<String, Tensor>, TorchError> {
        Ok(BTreeMap::from([
            ("scale".to_owned(), copy(&self.scale)?),
            ("growth_tracker".to_owned(), copy(&self.growth_tracker)?),
        ]))
    }

    pub(super) fn load_state(
        &mut self,
        state: &BTreeMap<String, Tensor>,
    ) -> Result<(), TorchError> {
        overwrite(&mut self.scale, "scale", state)?;
        overwrite(&mut self.growth_tracker, "growth_tracker", state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_loss_gives_the_gradient_of_the_loss() {
        let scaler = LossScaler::new(Device::Cpu).unwrap();
        let weight = Tensor::from_slice(&[2.0_f32]).set_requires_grad(true);
        let loss = (&weight * &weight).sum(Kind::Float);
        let scaled = scaler.scale(&loss).unwrap();
        let gradients = Tensor::run_backward(&[&scaled], &[&weight], false, false);
        let found_inf = scaler.unscale(&gradients).unwrap();
        assert_eq!((gradients[0].double_value(&[0]), found_inf.double_value(&[0])), (4.0, 0.0));

        let bad = [Tensor::from_slice(&[f32::INFINITY])];
        let found_inf = scaler.unscale(&bad).unwrap();
        assert_eq!(found_inf.double_value(&[0]), 1.0);
        scaler.update(&found_inf).unwrap();
        assert_eq!(scaler.scale.double_value(&[0]), LossScaler::FIRST_SCALE / 2.0);
        let mut again = LossScaler::new(Device::Cpu).unwrap();
        again.load_state(&scaler.state().unwrap()).unwrap();
        assert!(again.scale == scaler.scale);
    }
}
