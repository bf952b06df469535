use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::export::torchscript::{TOLERANCE, windows};
use crate::models::Network;
use crate::torch::TorchError;

/// `example.json`: a small input and the network's own predictions for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Dimensions of `input`: batch, window, features.
    pub shape: Vec<i64>,
    /// Raw feature values, row-major.
    pub input: Vec<f32>,
    /// One prediction per sample.
    pub output: Vec<f32>,
    /// A loader is right when its largest absolute difference stays below this.
    pub tolerance: f64,
}

impl Example {
    pub(super) fn of(network: &Network) -> Result<Self, TorchError> {
        const BATCH: i64 = 3;
        let input: Tensor = windows(network, BATCH)?;
        Ok(Self {
            shape: input.size(),
            output: network.predict(&input)?.try_into()?,
            input: input.f_flatten(0, -1)?.try_into()?,
            tolerance: TOLERANCE,
        })
    }
}
