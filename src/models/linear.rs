use tch::Tensor;

use super::network::{Mode, Model, Weights};
use crate::torch::TorchError;

/// One affine map of the flattened window.
#[derive(Debug)]
pub(super) struct Linear {
    head: (Tensor, Tensor),
}

impl Linear {
    pub(super) fn new(weights: &mut Weights<'_>) -> Self {
        Self { head: weights.pair() }
    }
}

impl Model for Linear {
    fn forward(&self, input: &Tensor, _mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        Ok(affine(&input.f_flatten(1, -1)?, &self.head)?.f_squeeze_dim(1)?)
    }
}

/// `input · weightᵀ + bias`.
pub(super) fn affine(
    input: &Tensor,
    (weight, bias): &(Tensor, Tensor),
) -> Result<Tensor, TorchError> {
    Ok(input.f_linear(weight, Some(bias))?)
}
