use tch::Tensor;

use super::network::Weights;
use crate::torch::TorchError;

/// The last affine map: from what the network made of a window to one output, or a logit for each of three classes.
#[derive(Debug)]
pub(super) struct Head {
    affine: (Tensor, Tensor),
}

impl Head {
    pub(super) fn new(weights: &mut Weights<'_>) -> Self {
        Self { affine: weights.pair() }
    }

    /// `[batch, units]` to `[batch]`, or to `[batch, classes]`.
    pub(super) fn forward(&self, values: &Tensor) -> Result<Tensor, TorchError> {
        let outputs = affine(values, &self.affine)?;
        // Leaves a dimension alone that is not 1.
        Ok(outputs.f_squeeze_dim(1)?)
    }
}

/// `input · weightᵀ + bias`.
pub(super) fn affine(
    input: &Tensor,
    (weight, bias): &(Tensor, Tensor),
) -> Result<Tensor, TorchError> {
    Ok(input.f_linear(weight, Some(bias))?)
}
