use tch::Tensor;

use super::head::{Head, affine};
use super::network::{Mode, Model, Weights};
use crate::spec::Activation;
use crate::torch::TorchError;

/// A multi-layer perceptron on the flattened window: affine, activation, dropout, layer by layer, then an affine head.
#[derive(Debug)]
pub(super) struct Mlp {
    layers: Vec<(Tensor, Tensor)>,
    head: Head,
    activation: Activation,
    dropout: f64,
}

impl Mlp {
    pub(super) fn new(
        weights: &mut Weights<'_>,
        layers: usize,
        activation: Activation,
        dropout: f64,
    ) -> Self {
        let layers = (0..layers).map(|_| weights.pair()).collect();
        Self { layers, head: Head::new(weights), activation, dropout }
    }
}

impl Model for Mlp {
    fn forward(&self, input: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        let mut values = input.f_flatten(1, -1)?;
        for layer in &self.layers {
            values = affine(&values, layer)?;
            values = match self.activation {
                Activation::Relu => values.f_relu()?,
                Activation::Gelu => values.f_gelu("none")?,
                Activation::Tanh => values.f_tanh()?,
            };
            values = mode.dropout(values, self.dropout)?;
        }
        self.head.forward(&values)
    }
}
