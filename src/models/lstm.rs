use tch::Tensor;

use super::linear::affine;
use super::network::{Mode, Model, Weights};
use crate::torch::TorchError;

/// Stacked LSTM layers over the window; the head reads the last step of the last layer.
///
/// Layers are run one by one: libtorch's own dropout between layers would draw from the global generator.
#[derive(Debug)]
pub(super) struct Lstm {
    layers: Vec<Layer>,
    head: (Tensor, Tensor),
    dropout: f64,
}

#[derive(Debug)]
struct Layer {
    /// `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`.
    weights: [Tensor; 4],
    /// Zeros `[inputs, hidden]`, to make an initial state in the batch's own size.
    to_state: Tensor,
}

impl Lstm {
    pub(super) fn new(
        weights: &mut Weights<'_>,
        layers: u32,
        dropout: f64,
    ) -> Result<Self, TorchError> {
        let layers = (0..layers)
            .map(|_| {
                let (weight_ih, weight_hh) = weights.pair();
                let (bias_ih, bias_hh) = weights.pair();
                let size = (weight_ih.size()[1], weight_hh.size()[1]);
                let to_state =
                    Tensor::f_zeros([size.0, size.1], (weight_ih.kind(), weight_ih.device()))?;
                Ok(Layer { weights: [weight_ih, weight_hh, bias_ih, bias_hh], to_state })
            })
            .collect::<Result<_, TorchError>>()?;
        Ok(Self { layers, head: weights.pair(), dropout })
    }
}

impl Layer {
    /// `[batch, window, inputs]` to `[batch, window, hidden]`.
    fn forward(&self, input: &Tensor) -> Result<Tensor, TorchError> {
        // A traced graph would hold a constant batch size if the state were made from `input.size()`; this product keeps it open.
        let state =
            input.f_select(1, 0)?.f_zeros_like()?.f_matmul(&self.to_state)?.f_unsqueeze(0)?;
        let (output, _, _) = input.f_lstm(
            &[&state, &state],
            &self.weights.each_ref(),
            true,
            1,
            0.0,
            false,
            false,
            true,
        )?;
        Ok(output)
    }
}

impl Model for Lstm {
    fn forward(&self, input: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        let mut values = input.shallow_clone();
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                values = mode.dropout(values, self.dropout)?;
            }
            values = layer.forward(&values)?;
        }
        let last = mode.dropout(values.f_select(1, -1)?, self.dropout)?;
        Ok(affine(&last, &self.head)?.f_squeeze_dim(1)?)
    }
}
