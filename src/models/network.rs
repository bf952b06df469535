use std::collections::BTreeMap;
use std::fmt;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::recurrent::{Cell, Recurrent};
use super::{Initial, InputShape, ParameterShape, layout};
use super::{linear::Linear, mlp::Mlp, tcn::Tcn, transformer::Transformer};
use crate::domain::Device;
use crate::features::Scaler;
use crate::spec::{LabelSpec, ModelSpec};
use crate::torch::faults::{self, Place};
use crate::torch::{Generator, TorchError};

/// A network's core: from scaled windows `[batch, window, features]` to one value per sample `[batch]`, or to one per class `[batch, 3]`.
pub trait Model: fmt::Debug + Send {
    /// Computes the outputs in the loss's own space: standardised label or logits.
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
    /// The logits of worse (0), neither (1) and better (2) become what is to be expected: `P(2) · up − P(0) · down`.
    ThreeClass {
        /// What the better outcome is worth: 1 for a direction, the profit barrier's distance in volatilities for a barrier.
        up: f64,
        /// What the worse outcome costs, likewise.
        down: f64,
    },
}

impl OutputUnit {
    /// The unit in which a network trained for this label predicts; `moments` are mean and standard deviation of the train labels.
    #[must_use]
    pub const fn of(label: LabelSpec, moments: (f64, f64)) -> Self {
        match (label.classes(), label) {
            (Some(3), LabelSpec::TripleBarrier { profit_take, stop_loss, .. }) => {
                Self::ThreeClass { up: profit_take, down: stop_loss }
            }
            (Some(3), _) => Self::ThreeClass { up: 1.0, down: 1.0 },
            (Some(_), _) => Self::Probability,
            (None, _) => Self::Return { mean: moments.0, std: moments.1 },
        }
    }

    /// Numbers that the network's core gives out for each sample.
    #[must_use]
    pub const fn outputs(self) -> u32 {
        match self {
            Self::Return { .. } | Self::Probability => 1,
            Self::ThreeClass { .. } => 3,
        }
    }
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

/// A network's weights by the names PyTorch would give them.
pub type NamedWeights = BTreeMap<String, Tensor>;

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
        faults::check(Place::Network)?;
        let shapes = layout(&design.model, design.input, design.output.outputs());
        let parameters = draw(shapes, device, random)?;
        Self::assemble(design, device, parameters)
    }

    /// A network with stored weights that learns no more.
    ///
    /// # Errors
    /// [`BuildError::Weights`] when a tensor is missing, unknown or of another shape.
    pub fn from_weights(
        design: NetworkDesign,
        device: Device,
        mut weights: NamedWeights,
    ) -> Result<Self, BuildError> {
        let parameters = layout(&design.model, design.input, design.output.outputs())
            .into_iter()
            .map(|parameter| {
                let tensor = weights.remove(&parameter.name).ok_or_else(|| {
                    BuildError::Weights(format!("`{}` is missing", parameter.name))
                })?;
                check_shape(&parameter.name, &tensor, &parameter.shape)?;
                let tensor = tensor.f_to(crate::torch::device(device))?.f_to_kind(Kind::Float)?;
                Ok(Parameter { name: parameter.name, tensor })
            })
            .collect::<Result<_, BuildError>>()?;
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
        let mut weights = Weights::new(&parameters);
        let model: Box<dyn Model> = match &design.model {
            ModelSpec::Linear => Box::new(Linear::new(&mut weights)),
            ModelSpec::Mlp { hidden, activation, dropout } => {
                Box::new(Mlp::new(&mut weights, hidden.len(), *activation, *dropout))
            }
            &ModelSpec::Lstm { layers, dropout, .. } => {
                Box::new(Recurrent::new(Cell::Lstm, &mut weights, layers, dropout)?)
            }
            &ModelSpec::Gru { layers, dropout, .. } => {
                Box::new(Recurrent::new(Cell::Gru, &mut weights, layers, dropout)?)
            }
            ModelSpec::Tcn { channels, dropout, .. } => {
                let sizes = (design.input.features, channels.as_slice());
                Box::new(Tcn::new(&mut weights, sizes, *dropout))
            }
            &ModelSpec::Transformer { heads, layers, dropout, tokens, .. } => {
                let tokens = (tokens, design.input.window);
                Box::new(Transformer::new(&mut weights, tokens, (heads, layers), dropout)?)
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

    /// Takes over the weights of a network of the same design.
    ///
    /// # Errors
    /// [`BuildError::Weights`] when one is missing or has another shape; some may then have been taken over already.
    pub fn load_weights(&self, weights: &NamedWeights) -> Result<(), BuildError> {
        let _no_grad = tch::no_grad_guard();
        for parameter in &self.parameters {
            let stored = weights
                .get(&parameter.name)
                .ok_or_else(|| BuildError::Weights(format!("`{}` is missing", parameter.name)))?;
            check_shape(&parameter.name, stored, &parameter.tensor.size())?;
            parameter.tensor.shallow_clone().f_copy_(stored)?;
        }
        Ok(())
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
        self.in_unit(&self.forward(windows, &mut Mode::Evaluate)?)
    }

    /// Outputs of [`Self::forward`] as predictions `[batch]` in the output's unit.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn in_unit(&self, output: &Tensor) -> Result<Tensor, TorchError> {
        match self.design.output {
            OutputUnit::Return { mean, std } => Ok(output.f_mul_scalar(std)?.f_add_scalar(mean)?),
            OutputUnit::Probability => Ok(output.f_sigmoid()?),
            OutputUnit::ThreeClass { up, down } => {
                let shares = output.f_softmax(-1, Kind::Float)?;
                let better = shares.f_select(1, 2)?.f_mul_scalar(up)?;
                Ok(better.f_sub(&shares.f_select(1, 0)?.f_mul_scalar(down)?)?)
            }
        }
    }
}

fn check_shape(name: &str, stored: &Tensor, expected: &[i64]) -> Result<(), BuildError> {
    if stored.size() == expected {
        return Ok(());
    }
    let found = stored.size();
    Err(BuildError::Weights(format!("`{name}` has shape {found:?}, expected {expected:?}")))
}

/// Hands a model's tensors out in layout order.
pub(super) struct Weights<'a> {
    parameters: std::slice::Iter<'a, Parameter>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(parameters: &'a [Parameter]) -> Self {
        Self { parameters: parameters.iter() }
    }

    pub(super) fn one(&mut self) -> Tensor {
        let parameter = self.parameters.next().expect("layout() lists every tensor of the model");
        parameter.tensor.shallow_clone()
    }

    pub(super) fn pair(&mut self) -> (Tensor, Tensor) {
        (self.one(), self.one())
    }
}

/// Draws the initial weights in layout order, from the given generator alone; they require gradients.
pub(super) fn draw(
    shapes: Vec<ParameterShape>,
    device: Device,
    random: &mut impl RngExt,
) -> Result<Vec<Parameter>, TorchError> {
    let mut drawn: Vec<Vec<f32>> = shapes
        .iter()
        .map(|parameter| {
            let mut value = || match parameter.initial {
                Initial::Uniform { bound } => ((2.0 * random.random::<f64>() - 1.0) * bound) as f32,
                Initial::Constant(value) => value as f32,
                Initial::NormsOfNext => 0.0,
            };
            (0..parameter.elements()).map(|_| value()).collect()
        })
        .collect();
    for index in 0..shapes.len() {
        if shapes[index].initial == Initial::NormsOfNext {
            let count = shapes[index].elements() as usize;
            drawn[index] = norms(&drawn[index + 1], count);
        }
    }
    shapes
        .into_iter()
        .zip(drawn)
        .map(|(parameter, values)| {
            let tensor = Tensor::f_from_slice(&values)?
                .f_reshape(&parameter.shape)?
                .f_to_device(crate::torch::device(device))?
                .f_set_requires_grad(true)?;
            Ok(Parameter { name: parameter.name, tensor })
        })
        .collect()
}

/// The Euclidean norms of so many equally long slices.
fn norms(values: &[f32], slices: usize) -> Vec<f32> {
    let norm = |slice: &[f32]| {
        slice.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt() as f32
    };
    values.chunks_exact(values.len() / slices).map(norm).collect()
}
