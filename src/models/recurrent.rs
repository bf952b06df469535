use tch::Tensor;

use super::head::Head;
use super::network::{Mode, Model, Weights};
use crate::torch::TorchError;

/// What a recurrent layer does at each step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell {
    /// As `torch.nn.LSTM`.
    Lstm,
    /// As `torch.nn.GRU`.
    Gru,
}

/// Stacked recurrent layers over the window; the head reads the last step of the last layer.
///
/// Layers are run one by one: libtorch's own dropout between layers would draw from the global generator.
#[derive(Debug)]
pub(super) struct Recurrent {
    cell: Cell,
    layers: Vec<Layer>,
    head: Head,
    dropout: f64,
}

#[derive(Debug)]
struct Layer {
    /// `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`.
    weights: [Tensor; 4],
    /// Zeros `[inputs, hidden]`, to make an initial state in the batch's own size.
    to_state: Tensor,
}

impl Recurrent {
    pub(super) fn new(
        cell: Cell,
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
        Ok(Self { cell, layers, head: Head::new(weights), dropout })
    }
}

impl Layer {
    /// `[batch, window, inputs]` to `[batch, window, hidden]`.
    fn forward(&self, cell: Cell, input: &Tensor) -> Result<Tensor, TorchError> {
        // A traced graph would hold a constant batch size if the state were made from `input.size()`; this product keeps it open.
        let state =
            input.f_select(1, 0)?.f_zeros_like()?.f_matmul(&self.to_state)?.f_unsqueeze(0)?;
        let weights = self.weights.each_ref();
        Ok(match cell {
            Cell::Lstm => {
                let state = [&state, &state];
                input.f_lstm(&state, &weights, true, 1, 0.0, false, false, true)?.0
            }
            Cell::Gru => input.f_gru(&state, &weights, true, 1, 0.0, false, false, true)?.0,
        })
    }
}

impl Model for Recurrent {
    fn forward(&self, input: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        let mut values = input.shallow_clone();
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                values = mode.dropout(values, self.dropout)?;
            }
            values = layer.forward(self.cell, &values)?;
        }
        let last = mode.dropout(values.f_select(1, -1)?, self.dropout)?;
        self.head.forward(&last)
    }
}
