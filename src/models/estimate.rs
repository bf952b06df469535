use super::{InputShape, layout};
use crate::domain::Bytes;
use crate::spec::ModelSpec;

/// Values a model learns.
#[must_use]
pub fn parameter_count(model: &ModelSpec, input: InputShape, outputs: u32) -> u64 {
    layout(model, input, outputs).iter().map(super::ParameterShape::elements).sum()
}

/// Estimated peak of the tensors of one training task: the resident feature matrix and labels of `rows` rows, weights with gradients and both
/// moments, best weights kept, and the larger of two passes: a training batch with its activations and their gradients, or an evaluation
/// batch (at most `rows`) with its activations alone.
///
/// An estimate from shapes alone; libtorch's own workspaces and its context on a GPU come on top.
#[must_use]
pub fn estimate_memory(
    model: &ModelSpec,
    (input, outputs): (InputShape, u32),
    rows: u64,
    batch_size: u32,
    evaluation_batch: u32,
) -> Bytes {
    const F32: u64 = 4;
    /// Weights, gradients, first and second moment, best weights.
    const COPIES_OF_WEIGHTS: u64 = 5;
    /// Gathered window, its index, the scaled window.
    const COPIES_OF_INPUT: u64 = 4;
    /// Labels, and the row index of an epoch in 64 bits.
    const COLUMNS_BESIDE_FEATURES: u64 = 3;
    let resident = rows * (u64::from(input.features) + COLUMNS_BESIDE_FEATURES) * F32;
    let weights = parameter_count(model, input, outputs) * F32 * COPIES_OF_WEIGHTS;
    let sample = input.flat().unsigned_abs() * F32 * COPIES_OF_INPUT;
    let kept = activations(model, input) * F32;
    let training = u64::from(batch_size).min(rows) * (sample + 2 * kept);
    let evaluation = u64::from(evaluation_batch).min(rows) * (sample + kept);
    Bytes(resident + weights + training.max(evaluation))
}

/// Values kept for the backward pass, per sample.
fn activations(model: &ModelSpec, input: InputShape) -> u64 {
    match model {
        // Affine output, activation, dropout mask.
        ModelSpec::Mlp { hidden, .. } => hidden.iter().map(|units| 3 * u64::from(*units)).sum(),
        // Four gates before and after their non-linearity, cell, tanh of the cell, output, at every step.
        &ModelSpec::Lstm { hidden, layers, .. } => {
            11 * u64::from(hidden) * u64::from(layers) * u64::from(input.window)
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Activation;

    const INPUT: InputShape = InputShape { window: 8, features: 5 };

    #[test]
    fn counts_agree_with_pytorch() {
        // sum(p.numel() for p in torch.nn.Linear(40, 1).parameters()) and so on.
        let mlp =
            ModelSpec::Mlp { hidden: vec![64, 32], activation: Activation::Relu, dropout: 0.1 };
        let lstm = ModelSpec::Lstm { hidden: 16, layers: 2, dropout: 0.0 };
        for (model, count) in [(ModelSpec::Linear, 41), (mlp, 4737), (lstm, 1472 + 2176 + 17)] {
            assert_eq!(parameter_count(&model, INPUT, 1), count, "{model:?}");
        }
    }

    #[test]
    fn memory_grows_with_rows_batch_and_width() {
        let small = ModelSpec::Lstm { hidden: 16, layers: 1, dropout: 0.0 };
        let wide = ModelSpec::Lstm { hidden: 32, layers: 1, dropout: 0.0 };
        let base = estimate_memory(&small, (INPUT, 1), 1000, 64, 1);
        assert!(estimate_memory(&small, (INPUT, 1), 2000, 64, 1) > base);
        assert!(estimate_memory(&small, (INPUT, 1), 1000, 128, 1) > base);
        assert!(estimate_memory(&wide, (INPUT, 1), 1000, 64, 1) > base);
        // The evaluation pass counts where it is the larger one, and never more rows than there are.
        assert!(estimate_memory(&small, (INPUT, 1), 1000, 64, 500) > base);
        assert_eq!(
            estimate_memory(&small, (INPUT, 1), 1000, 64, 1000),
            estimate_memory(&small, (INPUT, 1), 1000, 64, 9000)
        );
    }
}
