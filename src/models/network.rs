use std::collections::BTreeMap;
use std::fmt;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{InputShape, layout};
use super::{linear::Linear, lstm::Lstm, mlp::Mlp};
use crate::domain::Device;
use crate::features::Scaler;
use crate::spec::ModelSpec;
use crate::torch::{Generator, TorchError};

/// A network's core: from scaled windows `[batch, window, features]` to one value per sample `[batch]`.
pub trait Model: fmt::Debug + Send {
    /// Computes the outputs in the loss's own space: standardised label or logit.
    ///
    /// # Errors
    /// When libtorch refuses, above all for want of memory.
    fn forward(&self, input: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, TorchError>;
}

/// Whether a forward pass learns, with dropout drawn from the task's own generator, or only evaluates.
#[derive(Debug)]
pub enum Mode<'a> {
    /// Without dropout.
    Evaluate,
    /// With dropout.
    Learn(&'a mut Generator),
}

impl Mode<'_> {
    pub(super) fn dropout(
        &mut self,
        values: Tensor,
        probability: f64,
    ) -> Result<Tensor, TorchError> {
        match self {
            Self::Learn(generator) if probability > 0.0 => {
                let mask = generator.dropout_mask(&values, 1.0 - probability)?;
                Ok(values.f_mul(&mask)?)
            }
            _ => Ok(values),
        }
    }
}

/// From the loss's space to what the user reads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputUnit {
    /// A standardised label becomes a label, a return or a multiple of the volatility: `output · std + mean`, both of the train labels.
    Return {
        /// Mean of the train labels.
        mean: f64,
        /// Population standard deviation of the train labels.
        std: f64,
    },
    /// A logit becomes the probability that the label is 1: that the price rises, or reaches the profit barrier first.
    Probability,
}

/// Everything besides the weights that makes a network: enough to build it again from a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkDesign {
    /// The family and its sizes.
    pub model: ModelSpec,
    /// What it sees of one sample.
    pub input: InputShape,
    /// Fitted on the train rows; applied to every feature before the model.
    pub scaler: Scaler,
    /// The unit of a prediction.
    pub output: OutputUnit,
}

/// A learnt tensor and its name.
#[derive(Debug)]
pub struct Parameter {
    /// The name PyTorch would give it.
    pub name: String,
    /// Its values, f32.
    pub tensor: Tensor,
}

/// Why a network could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// libtorch refused.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The stored weights are not this model's.
    #[error("the weights do not fit the model: {0}; the file belongs to another run or is damaged")]
    Weights(String),
}

impl From<tch::TchError> for BuildError {
    fn from(error: tch::TchError) -> Self {
        Self::Torch(error.into())
    }
}

/// A model between its scaler and its output's unit: raw feature windows in, predictions out.
#[derive(Debug)]
pub struct Network {
    design: NetworkDesign,
    parameters: Vec<Parameter>,
    model: Box<dyn Model>,
    /// `[features]` each.
    scaler: (Tensor, Tensor),
}

impl Network {
    /// A new network with PyTorch's default initial weights, drawn from the given generator alone.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(
        design: NetworkDesign,
        device: Device,
        random: &mut impl RngExt,
    ) -> Result<Self, BuildError> {
        let parameters = layout(&design.model, design.input)
            .into_iter()
            .map(|parameter| {
                let values: Vec<f32> = (0..parameter.elements())
                    .map(|_| ((2.0 * random.random::<f64>() - 1.0) * parameter.bound) as f32)
                    .collect();
                let tensor = Tensor::f_from_slice(&values)?
                    .f_reshape(&parameter.shape)?
                    .f_to_device(crate::torch::device(device))?
                    .f_set_requires_grad(true)?;
                Ok(Parameter { name: parameter.name, tensor })
            })
            .collect::<Result<_, TorchError>>()?;
        Self::assemble(design, device, parameters)
    }

    /// A network with stored weights that learns no more.
    ///
    /// # Errors
    /// [`BuildError::Weights`] when a tensor is missing, unknown or of another shape.
    pub fn from_weights(
        design: NetworkDesign,
        device: Device,
        mut weights: BTreeMap<String, Tensor>,
    ) -> Result<Self, BuildError> {
        let parameters = layout(&design.model, design.input)
            .into_iter()
            .map(|parameter| {
                let tensor = weights.remove(&parameter.name).ok_or_else(|| {
                    BuildError::Weights(format!("`{}` is missing", parameter.name))
                })?;
                if tensor.size() != parameter.shape {
                    return Err(BuildError::Weights(format!(
                        "`{}` has shape {:?}, expected {:?}",
                        parameter.name,
                        tensor.size(),
                        parameter.shape
                    )));
                }
                let tensor = tensor.f_to(crate::torch::device(device))?.f_to_kind(Kind::Float)?;
                Ok(Parameter { name: parameter.name, tensor })
            })
            .collect::<Result<_, _>>()?;
        if let Some(unknown) = weights.keys().next() {
            return Err(BuildError::Weights(format!("`{unknown}` is not part of it")));
        }
        Self::assemble(design, device, parameters)
    }

    fn assemble(
        design: NetworkDesign,
        device: Device,
        parameters: Vec<Parameter>,
    ) -> Result<Self, BuildError> {
        let mut weights = Weights { parameters: parameters.iter() };
        let model: Box<dyn Model> = match &design.model {
            ModelSpec::Linear => Box::new(Linear::new(&mut weights)),
            ModelSpec::Mlp { hidden, activation, dropout } => {
                Box::new(Mlp::new(&mut weights, hidden.len(), *activation, *dropout))
            }
            &ModelSpec::Lstm { layers, dropout, .. } => {
                Box::new(Lstm::new(&mut weights, layers, dropout)?)
            }
        };
        let on_device = |values: &[f64]| {
            let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            Tensor::f_from_slice(&values)?.f_to_device(crate::torch::device(device))
        };
        let scaler = (on_device(design.scaler.mean())?, on_device(design.scaler.scale())?);
        Ok(Self { design, parameters, model, scaler })
    }

    /// What it is besides its weights.
    #[must_use]
    pub const fn design(&self) -> &NetworkDesign {
        &self.design
    }

    /// Its weights, in layout order.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Outputs in the loss's space for raw windows `[batch, window, features]`.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn forward(&self, windows: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        let scaled = windows.f_sub(&self.scaler.0)?.f_div(&self.scaler.1)?;
        self.model.forward(&scaled, mode)
    }

    /// Predictions `[batch]` in the output's unit for raw windows `[batch, window, features]`, without recording gradients.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn predict(&self, windows: &Tensor) -> Result<Tensor, TorchError> {
        let _no_grad = tch::no_grad_guard();
        let output = self.forward(windows, &mut Mode::Evaluate)?;
        match self.design.output {
            OutputUnit::Return { mean, std } => Ok(output.f_mul_scalar(std)?.f_add_scalar(mean)?),
            OutputUnit::Probability => Ok(output.f_sigmoid()?),
        }
    }
}

/// Hands a model's tensors out in layout order.
pub(super) struct Weights<'a> {
    parameters: std::slice::Iter<'a, Parameter>,
}

impl Weights<'_> {
    pub(super) fn pair(&mut self) -> (Tensor, Tensor) {
        let mut next = || {
            let parameter =
                self.parameters.next().expect("layout() lists every tensor of the model");
            parameter.tensor.shallow_clone()
        };
        (next(), next())
    }
}
