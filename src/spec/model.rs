use serde::{Deserialize, Serialize};

/// The network, from a window of scaled features to one output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ModelSpec {
    /// One affine map of the flattened window.
    Linear,
    /// A multi-layer perceptron on the flattened window.
    Mlp {
        /// Units of each hidden layer; at least one layer.
        hidden: Vec<u32>,
        /// Between the layers.
        activation: Activation,
        /// Share of activations dropped after each hidden layer while learning, 0 to below 1.
        dropout: f64,
    },
    /// Long short-term memory (Hochreiter & Schmidhuber 1997, as `torch.nn.LSTM`); the head reads the last step.
    Lstm {
        /// Units.
        hidden: u32,
        /// Stacked layers, at least 1.
        layers: u32,
        /// Share of outputs dropped between layers and before the head while learning, 0 to below 1.
        dropout: f64,
    },
}

impl ModelSpec {
    /// The family's name, as users say it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Mlp { .. } => "MLP",
            Self::Lstm { .. } => "LSTM",
        }
    }
}

/// The non-linearity between layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// `max(0, x)`.
    #[default]
    Relu,
    /// `x Φ(x)` (Hendrycks & Gimpel 2016), exact form.
    Gelu,
    /// `tanh(x)`.
    Tanh,
}
