use tch::{Kind, Tensor};

use super::head::{Head, affine};
use super::network::{Mode, Model, Weights};
use crate::spec::Tokens;
use crate::torch::TorchError;

/// A Transformer encoder over bars or patches of bars: `torch.nn.TransformerEncoderLayer(norm_first=True, activation="gelu")` layer by layer, and a
/// layer norm after the last.
///
/// Attention is written out: libtorch's fused one draws its dropout from the global generator.
#[derive(Debug)]
pub(super) struct Transformer {
    tokens: Tokens,
    input: (Tensor, Tensor),
    /// `[tokens, d_model]`.
    positions: Tensor,
    /// `[tokens, tokens]`: 0 where a token may look, minus infinity where it may not.
    mask: Option<Tensor>,
    layers: Vec<Layer>,
    norm: LayerNorm,
    head: Head,
    heads: i64,
    dropout: f64,
}

#[derive(Debug)]
struct Layer {
    /// To queries, keys and values, one above the other.
    project_in: (Tensor, Tensor),
    project_out: (Tensor, Tensor),
    widen: (Tensor, Tensor),
    narrow: (Tensor, Tensor),
    norms: [LayerNorm; 2],
}

#[derive(Debug)]
struct LayerNorm(Tensor, Tensor);

impl LayerNorm {
    /// PyTorch's default.
    const EPSILON: f64 = 1e-5;

    fn new(weights: &mut Weights<'_>) -> Self {
        let (weight, bias) = weights.pair();
        Self(weight, bias)
    }

    fn forward(&self, values: &Tensor) -> Result<Tensor, TorchError> {
        let width = self.0.size();
        Ok(values.f_layer_norm(width, Some(&self.0), Some(&self.1), Self::EPSILON, false)?)
    }
}

impl Transformer {
    pub(super) fn new(
        weights: &mut Weights<'_>,
        (tokens, window): (Tokens, u32),
        (heads, layers): (u32, u32),
        dropout: f64,
    ) -> Result<Self, TorchError> {
        let input = weights.pair();
        let layers = (0..layers).map(|_| Layer::new(weights)).collect();
        let norm = LayerNorm::new(weights);
        let count = i64::from(tokens.count(window));
        let device = input.0.device();
        let positions = positions(count, input.0.size()[0])?.f_to(device)?;
        let mask = match tokens {
            Tokens::Causal => {
                let all = Tensor::f_full([count, count], f64::NEG_INFINITY, (Kind::Float, device))?;
                Some(all.f_triu(1)?)
            }
            Tokens::Patch { .. } => None,
        };
        let head = Head::new(weights);
        let heads = i64::from(heads);
        Ok(Self { tokens, input, positions, mask, layers, norm, head, heads, dropout })
    }

    /// What the encoder makes of every token: `[batch, window, features]` to `[batch, tokens, d_model]`.
    fn steps(&self, input: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        let tokens = match self.tokens {
            Tokens::Causal => input.shallow_clone(),
            Tokens::Patch { length, stride } => {
                patches(input, i64::from(length), i64::from(stride))?
            }
        };
        let tokens = affine(&tokens, &self.input)?.f_add(&self.positions)?;
        let mut tokens = mode.dropout(tokens, self.dropout)?;
        for layer in &self.layers {
            let seen = layer.attend(&layer.norms[0].forward(&tokens)?, self, mode)?;
            tokens = tokens.f_add(&mode.dropout(seen, self.dropout)?)?;
            let made = layer.feed_forward(&layer.norms[1].forward(&tokens)?, self, mode)?;
            tokens = tokens.f_add(&mode.dropout(made, self.dropout)?)?;
        }
        self.norm.forward(&tokens)
    }
}

impl Layer {
    /// In the order of PyTorch's `state_dict`.
    fn new(weights: &mut Weights<'_>) -> Self {
        Self {
            project_in: weights.pair(),
            project_out: weights.pair(),
            widen: weights.pair(),
            narrow: weights.pair(),
            norms: [LayerNorm::new(weights), LayerNorm::new(weights)],
        }
    }

    /// Multi-head attention of the tokens among themselves.
    fn attend(
        &self,
        tokens: &Tensor,
        of: &Transformer,
        mode: &mut Mode<'_>,
    ) -> Result<Tensor, TorchError> {
        // [batch, tokens, 3·d_model] to three of [batch, heads, tokens, d_model / heads]; −1 keeps a traced graph open for any batch size.
        let projected = affine(tokens, &self.project_in)?;
        let parts = projected.f_unflatten(2, [3, of.heads, -1])?.f_permute([2, 0, 3, 1, 4])?;
        let [queries, keys, values] = [0, 1, 2].map(|part| parts.f_select(0, part));
        let (queries, keys, values) = (queries?, keys?, values?);
        let width = *values.size().last().expect("five dimensions less one") as f64;
        let queries = queries.f_mul_scalar(width.sqrt().recip())?;
        let shares = {
            let mut scores = queries.f_matmul(&keys.f_transpose(-2, -1)?)?;
            if let Some(mask) = &of.mask {
                scores = scores.f_add(mask)?;
            }
            // Scores are the largest tensor of all, and not needed any more.
            scores.f_softmax(-1, Kind::Float)?
        };
        let shares = mode.dropout(shares, of.dropout)?;
        let seen = shares.f_matmul(&values)?.f_transpose(1, 2)?.f_flatten(2, 3)?;
        affine(&seen, &self.project_out)
    }

    fn feed_forward(
        &self,
        tokens: &Tensor,
        of: &Transformer,
        mode: &mut Mode<'_>,
    ) -> Result<Tensor, TorchError> {
        let hidden = affine(tokens, &self.widen)?.f_gelu("none")?;
        affine(&mode.dropout(hidden, of.dropout)?, &self.narrow)
    }
}

impl Model for Transformer {
    fn forward(&self, input: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        let tokens = self.steps(input, mode)?;
        let read = match self.tokens {
            Tokens::Causal => tokens.f_select(1, -1)?,
            Tokens::Patch { .. } => tokens.f_mean_dim(1, false, None)?,
        };
        self.head.forward(&read)
    }
}

/// `[batch, window, features]` to `[batch, patches, length · features]`, bar after bar. Counted from the end: bars too few for a patch are left
/// out at the beginning.
fn patches(input: &Tensor, length: i64, stride: i64) -> Result<Tensor, TorchError> {
    let left_out = (input.size3()?.1 - length).rem_euclid(stride);
    let counted = input.f_slice(1, left_out, None, 1)?;
    // [batch, patches, features, length] to bars before features, as a window is flattened.
    Ok(counted.f_unfold(1, length, stride)?.f_transpose(2, 3)?.f_flatten(2, 3)?)
}

/// Sines and cosines of falling frequency (Vaswani et al. 2017, §3.5), `[tokens, d_model]`: they have nothing to learn.
fn positions(tokens: i64, width: i64) -> Result<Tensor, TorchError> {
    Ok(Tensor::f_from_slice(&sinusoidal_positions(tokens, width))?.f_view([tokens, width])?)
}

/// What a Transformer adds to its tokens, row-major `[tokens, d_model]`: sines and cosines of falling frequency (Vaswani et al. 2017, §3.5).
#[must_use]
pub fn sinusoidal_positions(tokens: i64, width: i64) -> Vec<f32> {
    let value = |token: i64, column: i64| {
        let frequency = 1e4_f64.powf(-((column / 2 * 2) as f64) / width as f64);
        let angle = token as f64 * frequency;
        (if column % 2 == 0 { angle.sin() } else { angle.cos() }) as f32
    };
    (0..tokens).flat_map(|token| (0..width).map(move |column| value(token, column))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::causality::{assert_no_step_sees_a_later_one, bars_the_last_step_sees};
    use super::*;
    use crate::spec::ModelSpec;

    fn spec(tokens: Tokens) -> ModelSpec {
        ModelSpec::Transformer {
            d_model: 6,
            heads: 2,
            layers: 2,
            feedforward: 8,
            dropout: 0.0,
            tokens,
        }
    }

    fn steps(weights: &mut Weights<'_>, input: &Tensor, tokens: Tokens, window: u32) -> Tensor {
        let transformer = Transformer::new(weights, (tokens, window), (2, 2), 0.0).unwrap();
        transformer.steps(input, &mut Mode::Evaluate).unwrap()
    }

    #[test]
    fn no_bar_sees_a_later_one_and_the_last_sees_all() {
        let causal = spec(Tokens::Causal);
        let all =
            |weights: &mut Weights<'_>, input: &Tensor| steps(weights, input, Tokens::Causal, 10);
        assert_no_step_sees_a_later_one(&causal, 10, 3, all);
        assert_eq!(bars_the_last_step_sees(&causal, 10, 3, all), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn patches_end_with_the_last_bar_and_leave_out_what_fills_none_at_the_beginning() {
        let bars = Tensor::arange(18, (Kind::Float, tch::Device::Cpu)).view([1, 9, 2]);
        let made = patches(&bars, 4, 2).unwrap();
        assert_eq!(made.size(), [1, 3, 8]);
        let values: Vec<f32> = made.flatten(0, -1).try_into().unwrap();
        let of = |first: i16| (first..first + 8).map(f32::from);
        assert_eq!(values, of(2).chain(of(6)).chain(of(10)).collect::<Vec<_>>());

        let tokens = Tokens::Patch { length: 4, stride: 2 };
        let seen = bars_the_last_step_sees(&spec(tokens), 9, 2, |weights, input| {
            steps(weights, input, tokens, 9)
        });
        assert_eq!(seen, (1..9).collect::<Vec<_>>(), "every patch sees all of them");
    }

    #[test]
    fn positions_are_those_of_the_paper() {
        let table = positions(5, 4).unwrap();
        let at = |token, column| table.double_value(&[token, column]);
        assert!((at(3, 0) - 3.0_f64.sin()).abs() < 1e-7 && (at(3, 1) - 3.0_f64.cos()).abs() < 1e-7);
        assert!((at(4, 2) - 0.04_f64.sin()).abs() < 1e-7 && (at(0, 3) - 1.0).abs() < 1e-7);
    }
}
