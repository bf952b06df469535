use tch::Tensor;

use super::head::Head;
use super::network::{Mode, Model, Weights};
use crate::torch::TorchError;

/// One affine map of the flattened window.
#[derive(Debug)]
pub(super) struct Linear {
    head: Head,
}

impl Linear {
    pub(super) fn new(weights: &mut Weights<'_>) -> Self {
        Self { head: Head::new(weights) }
    }
}

impl Model for Linear {
    fn forward(&self, input: &Tensor, _mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        self.head.forward(&input.f_flatten(1, -1)?)
    }
}
