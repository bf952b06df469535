use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use crate::models::Parameter;
use crate::spec::{OptimizerSpec, TrainingSpec};
use crate::torch::{
    AdamSettings, Scaling, SgdSettings, TorchError, fused_adam, fused_adamw, fused_sgd,
};

/// An optimizer with `torch.optim`'s arithmetic and a state one can save and load.
#[derive(Debug)]
pub struct Optimizer {
    rule: OptimizerSpec,
    weight_decay: f64,
    parameters: Vec<Tensor>,
    names: Vec<String>,
    /// What the rule remembers of each parameter: name of the state as in PyTorch, and one tensor a parameter.
    memories: Vec<(&'static str, Vec<Tensor>)>,
    /// Steps taken, an f32 scalar on the device.
    step: Tensor,
}

impl Optimizer {
    /// An optimizer of these parameters that has not taken a step yet. Adam's eps is 1e-8.
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
        let memories = match spec.optimizer {
            OptimizerSpec::AdamW { .. } | OptimizerSpec::Adam { .. } => {
                vec![("exp_avg", zeros()?), ("exp_avg_sq", zeros()?)]
            }
            OptimizerSpec::Sgd { momentum, .. } if momentum > 0.0 => {
                vec![("momentum_buffer", zeros()?)]
            }
            OptimizerSpec::Sgd { .. } => Vec::new(),
        };
        let device = parameters.first().map_or(tch::Device::Cpu, |first| first.tensor.device());
        Ok(Self {
            rule: spec.optimizer,
            weight_decay: spec.weight_decay,
            parameters: parameters
                .iter()
                .map(|parameter| parameter.tensor.shallow_clone())
                .collect(),
            names: parameters.iter().map(|parameter| parameter.name.clone()).collect(),
            memories,
            step: Tensor::f_zeros([0_i64; 0], (Kind::Float, device))?,
        })
    }

    /// Updates the parameters in place by their gradients, given in the parameters' order. `scaling` says whether a
    /// step is to be passed over.
    ///
    /// # Errors
    /// When a gradient's shape is not its parameter's.
    pub fn step(
        &mut self,
        gradients: &[Tensor],
        learning_rate: f64,
        scaling: Scaling<'_>,
    ) -> Result<(), TorchError> {
        let _counted = self.step.f_add_scalar_(1.0)?;
        let (parameters, weight_decay) = (&self.parameters, self.weight_decay);
        match (self.rule, self.memories.as_slice()) {
            (
                OptimizerSpec::AdamW { betas } | OptimizerSpec::Adam { betas },
                [(_, first), (_, second)],
            ) => {
                let decoupled = matches!(self.rule, OptimizerSpec::AdamW { .. });
                let fused = if decoupled { fused_adamw } else { fused_adam };
                let settings = AdamSettings { learning_rate, betas, weight_decay, eps: 1e-8 };
                fused(parameters, gradients, first, second, &self.step, &settings, scaling)
            }
            (OptimizerSpec::Sgd { momentum, nesterov }, memories) => {
                let buffers = memories.first().map_or(&[][..], |(_, buffers)| buffers.as_slice());
                let settings = SgdSettings { learning_rate, momentum, weight_decay, nesterov };
                fused_sgd(parameters, gradients, buffers, &settings, scaling)
            }
            (OptimizerSpec::AdamW { .. } | OptimizerSpec::Adam { .. }, _) => {
                unreachable!("Adam is made with two moments")
            }
        }
    }

    /// Everything the next step depends on besides the parameters, by name: `step`, `NAME.exp_avg` and so on. Copies.
    ///
    /// # Errors
    /// When there is no room for the copies.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>, TorchError> {
        let mut state = BTreeMap::from([("step".to_owned(), copy(&self.step)?)]);
        for (memory, tensors) in &self.memories {
            for (name, tensor) in self.names.iter().zip(tensors) {
                state.insert(format!("{name}.{memory}"), copy(tensor)?);
            }
        }
        Ok(state)
    }

    /// Goes back to what [`Self::state`] gave.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape; the optimizer must then not be used any more.
    pub fn load_state(&mut self, state: &BTreeMap<String, Tensor>) -> Result<(), TorchError> {
        overwrite(&mut self.step, "step", state)?;
        for (memory, tensors) in &mut self.memories {
            for (name, tensor) in self.names.iter().zip(tensors) {
                overwrite(tensor, &format!("{name}.{memory}"), state)?;
            }
        }
        Ok(())
    }
}

/// Copies the stored tensor over one's own.
///
/// # Errors
/// When it is missing or has another shape: libtorch would broadcast it without a word.
pub(super) fn overwrite(
    own: &mut Tensor,
    name: &str,
    stored: &BTreeMap<String, Tensor>,
) -> Result<(), TorchError> {
    let _no_grad = tch::no_grad_guard();
    match stored.get(name) {
        Some(tensor) if tensor.size() == own.size() => Ok(own.f_copy_(tensor)?),
        Some(tensor) => Err(TorchError::Other(format!(
            "`{name}` of the stored state has shape {:?}, expected {:?}",
            tensor.size(),
            own.size()
        ))),
        None => Err(TorchError::Other(format!("the stored state has no `{name}`"))),
    }
}

/// A copy with storage of its own.
pub(super) fn copy(tensor: &Tensor) -> Result<Tensor, TorchError> {
    let tensor = tensor.f_detach()?;
    let mut copy = tensor.f_zeros_like()?;
    copy.f_copy_(&tensor)?;
    Ok(copy)
}
