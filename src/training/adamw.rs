use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use crate::models::Parameter;
use crate::spec::TrainingSpec;
use crate::torch::{AdamWSettings, Scaling, TorchError, fused_adamw};

/// `AdamW` (Loshchilov & Hutter 2019) with `torch.optim.AdamW`'s arithmetic and a state one can save and load.
#[derive(Debug)]
pub struct AdamW {
    settings: AdamWSettings,
    parameters: Vec<Tensor>,
    names: Vec<String>,
    first_moments: Vec<Tensor>,
    second_moments: Vec<Tensor>,
    /// Steps taken, an f32 scalar on the device.
    step: Tensor,
}

impl AdamW {
    /// An optimizer of these parameters that has not taken a step yet. Betas 0.9 and 0.999, eps 1e-8.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(parameters: &[Parameter], spec: &TrainingSpec) -> Result<Self, TorchError> {
        let zeros = || -> Result<Vec<Tensor>, TorchError> {
            Ok(parameters
                .iter()
                .map(|parameter| parameter.tensor.detach().f_zeros_like())
                .collect::<Result<_, _>>()?)
        };
        let device = parameters.first().map_or(tch::Device::Cpu, |first| first.tensor.device());
        Ok(Self {
            settings: AdamWSettings {
                learning_rate: spec.learning_rate,
                betas: (0.9, 0.999),
                weight_decay: spec.weight_decay,
                eps: 1e-8,
            },
            parameters: parameters
                .iter()
                .map(|parameter| parameter.tensor.shallow_clone())
                .collect(),
            names: parameters.iter().map(|parameter| parameter.name.clone()).collect(),
            first_moments: zeros()?,
            second_moments: zeros()?,
            step: Tensor::f_zeros([0_i64; 0], (Kind::Float, device))?,
        })
    }

    /// The step size.
    #[must_use]
    pub const fn learning_rate(&self) -> f64 {
        self.settings.learning_rate
    }

    /// Updates the parameters in place by their gradients, given in the parameters' order.
    ///
    /// # Errors
    /// When a gradient's shape is not its parameter's.
    pub fn step(&mut self, gradients: &[Tensor]) -> Result<(), TorchError> {
        let _counted = self.step.f_add_scalar_(1.0)?;
        fused_adamw(
            &self.parameters,
            gradients,
            &self.first_moments,
            &self.second_moments,
            &self.step,
            &self.settings,
            Scaling::default(),
        )
    }

    /// Everything the next step depends on besides the parameters, by name: `step`, `NAME.exp_avg`, `NAME.exp_avg_sq`. Copies.
    ///
    /// # Errors
    /// When there is no room for the copies.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>, TorchError> {
        let mut state = BTreeMap::from([("step".to_owned(), copy(&self.step)?)]);
        for (index, name) in self.names.iter().enumerate() {
            state.insert(format!("{name}.exp_avg"), copy(&self.first_moments[index])?);
            state.insert(format!("{name}.exp_avg_sq"), copy(&self.second_moments[index])?);
        }
        Ok(state)
    }

    /// Goes back to what [`Self::state`] gave.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape; the optimizer must then not be used any more.
    pub fn load_state(&mut self, state: &BTreeMap<String, Tensor>) -> Result<(), TorchError> {
        // A tensor of another shape would be broadcast without a word.
        let stored = |name: String, own: &Tensor| match state.get(&name) {
            Some(tensor) if tensor.size() == own.size() => Ok(tensor),
            Some(tensor) => Err(TorchError::Other(format!(
                "`{name}` of the optimizer state has shape {:?}, expected {:?}",
                tensor.size(),
                own.size()
            ))),
            None => Err(TorchError::Other(format!("the optimizer state has no `{name}`"))),
        };
        let step = stored("step".to_owned(), &self.step)?;
        self.step.f_copy_(step)?;
        for (index, name) in self.names.iter().enumerate() {
            let first = stored(format!("{name}.exp_avg"), &self.first_moments[index])?;
            self.first_moments[index].f_copy_(first)?;
            let second = stored(format!("{name}.exp_avg_sq"), &self.second_moments[index])?;
            self.second_moments[index].f_copy_(second)?;
        }
        Ok(())
    }
}

/// A copy with storage of its own.
pub(super) fn copy(tensor: &Tensor) -> Result<Tensor, TorchError> {
    let mut copy = tensor.f_zeros_like()?;
    copy.f_copy_(tensor)?;
    Ok(copy)
}
