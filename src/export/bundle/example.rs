use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::export::torchscript::{TOLERANCE, windows};
use crate::models::Network;
use crate::torch::TorchError;

/// Rounding on another processor is far below this share of the largest prediction.
const SMALLEST_SHARE: f64 = 0.01;

/// `example.json`: a small input and the network's own predictions for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Dimensions of `input`: batch, window, features.
    pub shape: Vec<i64>,
    /// Raw feature values, row-major.
    pub input: Vec<f32>,
    /// One prediction per sample.
    pub output: Vec<f32>,
    /// A loader is right when no prediction differs by more than this; of one beyond 1, by more than this share of it.
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

    /// By how much a network differs from what the model said, where that is more than it may be.
    pub(super) fn contradicts(&self, network: &Network) -> Result<Option<f64>, TorchError> {
        let input = Tensor::f_from_slice(&self.input)?.f_view(self.shape.as_slice())?;
        let found: Vec<f32> = network.predict(&input)?.try_into()?;
        if found.len() != self.output.len() {
            return Ok(Some(f64::INFINITY));
        }
        let largest =
            self.output.iter().fold(0.0_f64, |most, value| most.max(f64::from(value.abs())));
        let pairs = found.iter().zip(&self.output);
        let apart = pairs.map(|(ours, theirs)| (f64::from(*ours) - f64::from(*theirs)).abs());
        // The largest in the total order, so that a NaN is found.
        let worst = apart.max_by(f64::total_cmp).unwrap_or_default();
        // Returns of a bar are so small that another scaler would hide below the tolerance itself.
        let allowed = (self.tolerance * largest.max(1.0)).min(largest * SMALLEST_SHARE);
        // Written so that a NaN is a contradiction too.
        Ok(if worst <= allowed { None } else { Some(worst) })
    }
}
