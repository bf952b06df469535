use serde::{Deserialize, Serialize};

use super::validate::Check;

/// Widest layer taken.
pub(super) const MAX_UNITS: u32 = 65_536;
/// Most layers or blocks taken.
pub(super) const MAX_LAYERS: u32 = 64;

/// The network, from a window of scaled features to one output, or one for each of three classes.
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
    /// Gated recurrent units (Cho et al. 2014, as `torch.nn.GRU`): an LSTM's shorter sibling. The head reads the last step.
    Gru {
        /// Units.
        hidden: u32,
        /// Stacked layers, at least 1.
        layers: u32,
        /// Share of outputs dropped between layers and before the head while learning, 0 to below 1.
        dropout: f64,
    },
    /// A temporal convolutional network (Bai, Kolter & Koltun 2018): residual blocks of two causal convolutions each, weight-normalised, which see
    /// twice as far back from block to block. The head reads the last step.
    Tcn {
        /// Width of each block; at least one. Block i, from 0, reads steps 2^i bars apart, which must lie within the window.
        channels: Vec<u32>,
        /// Steps that a convolution reads, at least 2 and no more than the window has bars.
        kernel_size: u32,
        /// Share of activations dropped after each convolution while learning, 0 to below 1.
        dropout: f64,
    },
    /// A Transformer encoder (Vaswani et al. 2017) with the layer norm first, GELU and sinusoidal positions.
    Transformer {
        /// Width of a token, a multiple of `heads`.
        d_model: u32,
        /// Attention heads.
        heads: u32,
        /// Stacked encoder layers, at least 1.
        layers: u32,
        /// Units of the hidden layer that follows each attention.
        feedforward: u32,
        /// Share dropped while learning, of the tokens, of each attention and of each sub-layer's output, 0 to below 1.
        dropout: f64,
        /// What a token is.
        #[serde(default)]
        tokens: Tokens,
    },
}

/// What a Transformer's attention looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Tokens {
    /// Every bar is a token that sees itself and those before; the head reads the last.
    #[default]
    Causal,
    /// A token is a patch of bars (Nie et al. 2023), and sees all others; the head reads their mean. Patches are counted from the window's end, so
    /// the last one ends with the bar decided on; bars at the beginning that fill no patch are not seen.
    Patch {
        /// Bars of a patch, from 1 to the window's.
        length: u32,
        /// Bars from one patch to the next, from 1 to `length`.
        stride: u32,
    },
}

impl Tokens {
    /// How many tokens a window of so many bars has; 0 where not even one patch fits.
    #[must_use]
    pub const fn count(self, window: u32) -> u32 {
        match self {
            Self::Causal => window,
            Self::Patch { length, stride } if length <= window && stride > 0 => {
                (window - length) / stride + 1
            }
            Self::Patch { .. } => 0,
        }
    }

    /// Bars of one token.
    #[must_use]
    pub const fn bars(self) -> u32 {
        match self {
            Self::Causal => 1,
            Self::Patch { length, .. } => length,
        }
    }
}

impl ModelSpec {
    /// The family's name, as users say it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Mlp { .. } => "MLP",
            Self::Lstm { .. } => "LSTM",
            Self::Gru { .. } => "GRU",
            Self::Tcn { .. } => "TCN",
            Self::Transformer { .. } => "Transformer",
        }
    }

    /// The share dropped while learning; 0 where there is nothing to drop.
    #[must_use]
    pub const fn dropout(&self) -> f64 {
        match self {
            Self::Linear => 0.0,
            Self::Mlp { dropout, .. }
            | Self::Lstm { dropout, .. }
            | Self::Gru { dropout, .. }
            | Self::Tcn { dropout, .. }
            | Self::Transformer { dropout, .. } => *dropout,
        }
    }

    pub(super) fn check(&self, check: &mut Check, window: u32) {
        match self {
            Self::Linear => {}
            Self::Mlp { hidden, .. } => {
                check.that(!hidden.is_empty(), "model.hidden", || {
                    "needs at least one layer; for none choose Linear".to_owned()
                });
                for (index, units) in hidden.iter().enumerate() {
                    check.within(&format!("model.hidden[{index}]"), *units);
                }
            }
            Self::Lstm { hidden, layers, .. } | Self::Gru { hidden, layers, .. } => {
                check.within("model.hidden", *hidden);
                check.within("model.layers", *layers);
            }
            Self::Tcn { channels, kernel_size, .. } => {
                check_tcn(check, (channels, *kernel_size), window);
            }
            &Self::Transformer { d_model, heads, layers, feedforward, tokens, .. } => {
                check.within("model.d_model", d_model);
                check.within("model.heads", heads);
                check.that(heads == 0 || d_model.is_multiple_of(heads), "model.heads", || {
                    format!("{heads} heads must share d_model = {d_model} without a remainder")
                });
                check.within("model.layers", layers);
                check.within("model.feedforward", feedforward);
                if let Tokens::Patch { length, stride } = tokens {
                    check.that((1..=window).contains(&length), "model.tokens.length", || {
                        format!("{length} must lie between 1 and the window's {window} bars")
                    });
                    check.that((1..=length).contains(&stride), "model.tokens.stride", || {
                        format!("{stride} must lie between 1 and the patch's {length} bars, or bars between patches are not seen")
                    });
                }
            }
        }
        check.within("model.dropout", self.dropout());
    }
}

fn check_tcn(check: &mut Check, (channels, kernel_size): (&[u32], u32), window: u32) {
    check.that(!channels.is_empty(), "model.channels", || "needs at least one block".to_owned());
    for (index, units) in channels.iter().enumerate() {
        check.within(&format!("model.channels[{index}]"), *units);
    }
    // Beyond, a block reads nothing but zeros before the window, and its memory grows without end.
    let reach = 1_u64 << channels.len().saturating_sub(1).min(40);
    check.that(reach < u64::from(window.max(2)), "model.channels", || {
        format!(
            "block {} reads steps {reach} bars apart, and the window has {window}; choose fewer blocks or a longer window",
            channels.len()
        )
    });
    check.that((2..=window.max(2)).contains(&kernel_size), "model.kernel_size", || {
        format!("{kernel_size} must lie between 2 and the window's {window} bars")
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_counted_and_never_reach_beyond_the_window() {
        for (window, length, stride, count) in
            [(16, 4, 4, 4), (16, 4, 2, 7), (9, 4, 2, 3), (9, 9, 1, 1), (9, 10, 1, 0), (9, 4, 0, 0)]
        {
            assert_eq!(Tokens::Patch { length, stride }.count(window), count, "{window} {length}");
        }
        assert_eq!(Tokens::Causal.count(9), 9);
    }
}
