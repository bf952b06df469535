use tch::Tensor;

use super::head::Head;
use super::network::{Mode, Model, Weights};
use crate::torch::TorchError;

/// A temporal convolutional network (Bai, Kolter & Koltun 2018): residual blocks of two causal convolutions each; the head reads the last step.
///
/// As in the paper's own code, but for the initial weights: those are what `torch.nn.Conv1d` draws, where the authors' draw from N(0, 0.01²). The
/// magnitudes of the weight normalisation (Salimans & Kingma 2016) begin as the norms of what was drawn.
#[derive(Debug)]
pub(super) struct Tcn {
    blocks: Vec<Block>,
    head: Head,
    dropout: f64,
}

/// `relu(convolved twice + input)`.
#[derive(Debug)]
struct Block {
    convolutions: [Convolution; 2],
    /// 1×1, where the block is not as wide as its input.
    downsample: Option<(Tensor, Tensor)>,
}

/// A dilated convolution that sees its own step and those before.
#[derive(Debug)]
struct Convolution {
    bias: Tensor,
    /// `[to, 1, 1]`: the norm of each output's weights.
    magnitude: Tensor,
    /// `[to, from, kernel]`: their direction.
    direction: Tensor,
    dilation: i64,
}

impl Tcn {
    pub(super) fn new(
        weights: &mut Weights<'_>,
        (features, channels): (u32, &[u32]),
        dropout: f64,
    ) -> Self {
        let mut from = features;
        let mut block = |(index, &to): (usize, &u32)| {
            let dilation = 1 << index;
            let block = Block {
                convolutions: [
                    Convolution::new(weights, dilation),
                    Convolution::new(weights, dilation),
                ],
                downsample: (from != to).then(|| weights.pair()),
            };
            from = to;
            block
        };
        let blocks = channels.iter().enumerate().map(&mut block).collect();
        Self { blocks, head: Head::new(weights), dropout }
    }

    /// What the last block makes of every step: `[batch, window, features]` to `[batch, channels, window]`.
    fn steps(&self, input: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        let mut values = input.f_transpose(1, 2)?;
        for block in &self.blocks {
            values = block.forward(&values, self.dropout, mode)?;
        }
        Ok(values)
    }
}

impl Block {
    fn forward(
        &self,
        input: &Tensor,
        dropout: f64,
        mode: &mut Mode<'_>,
    ) -> Result<Tensor, TorchError> {
        let mut values = input.shallow_clone();
        for convolution in &self.convolutions {
            values = mode.dropout(convolution.forward(&values)?.f_relu()?, dropout)?;
        }
        let beside = match &self.downsample {
            Some((weight, bias)) => input.f_conv1d(weight, Some(bias), 1, 0, 1, 1)?,
            None => input.shallow_clone(),
        };
        Ok(values.f_add(&beside)?.f_relu()?)
    }
}

impl Convolution {
    fn new(weights: &mut Weights<'_>, dilation: i64) -> Self {
        let bias = weights.one();
        let (magnitude, direction) = weights.pair();
        Self { bias, magnitude, direction, dilation }
    }

    fn forward(&self, input: &Tensor) -> Result<Tensor, TorchError> {
        let weight = Tensor::f_internal_weight_norm(&self.direction, &self.magnitude, 0)?;
        // Zeros before the first step and none after the last: no step ever sees a later one.
        let before = (weight.size3()?.2 - 1) * self.dilation;
        let padded = input.f_constant_pad_nd([before, 0])?;
        Ok(padded.f_conv1d(&weight, Some(&self.bias), 1, 0, self.dilation, 1)?)
    }
}

impl Model for Tcn {
    fn forward(&self, input: &Tensor, mode: &mut Mode<'_>) -> Result<Tensor, TorchError> {
        self.head.forward(&self.steps(input, mode)?.f_select(2, -1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::causality::assert_no_step_sees_a_later_one;
    use super::*;
    use crate::spec::ModelSpec;

    #[test]
    fn no_step_sees_a_later_one() {
        let channels = vec![5, 4, 4];
        let model = ModelSpec::Tcn { channels: channels.clone(), kernel_size: 3, dropout: 0.0 };
        assert_no_step_sees_a_later_one(&model, 12, 3, |weights, input| {
            let tcn = Tcn::new(weights, (3, &channels), 0.0);
            tcn.steps(input, &mut Mode::Evaluate).unwrap().transpose(1, 2)
        });
    }

    #[test]
    fn the_last_step_sees_as_far_back_as_its_blocks_reach_and_no_further() {
        // 1 + 2·(kernel − 1)·(1 + 2 + 4) = 15 steps.
        let channels = vec![4, 4, 4];
        let model = ModelSpec::Tcn { channels: channels.clone(), kernel_size: 2, dropout: 0.0 };
        let seen =
            super::super::causality::bars_the_last_step_sees(&model, 20, 3, |weights, input| {
                let tcn = Tcn::new(weights, (3, &channels), 0.0);
                tcn.steps(input, &mut Mode::Evaluate).unwrap().transpose(1, 2)
            });
        assert_eq!(seen, (5..20).collect::<Vec<_>>());
    }
}
