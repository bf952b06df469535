use super::activations::stages;
use super::{InputShape, layout};
use crate::domain::Bytes;
use crate::spec::ModelSpec;

const F32: u64 = 4;

/// Values a model with so many outputs learns.
#[must_use]
pub fn parameter_count(model: &ModelSpec, input: InputShape, outputs: u32) -> u64 {
    layout(model, input, outputs).iter().map(super::ParameterShape::elements).sum()
}

/// Estimated peak of the tensors of one training task: the resident feature matrix and labels of `rows` rows, weights with both moments, best
/// weights kept, and the larger of two passes: a training batch, see [`estimate_training_pass`], or an evaluation batch (at most `rows`), see
/// [`estimate_evaluation_pass`]. `outputs` are the network's, 1 or 3.
///
/// An estimate from shapes alone, of what libtorch's kernels for the CPU hold; the context of a GPU and its libraries' own workspaces come on top.
#[must_use]
pub fn estimate_memory(
    model: &ModelSpec,
    (input, outputs): (InputShape, u32),
    rows: u64,
    batch_size: u32,
    evaluation_batch: u32,
) -> Bytes {
    /// Weights, first and second moment, best weights. Gradients belong to the pass.
    const COPIES_OF_WEIGHTS: u64 = 4;
    /// Labels, and the row index of an epoch in 64 bits.
    const COLUMNS_BESIDE_FEATURES: u64 = 3;
    let shape = (input, outputs);
    let resident = rows * (u64::from(input.features) + COLUMNS_BESIDE_FEATURES) * F32;
    let weights = parameter_count(model, input, outputs) * F32 * COPIES_OF_WEIGHTS;
    let samples = |batch: u32| u64::from(batch).min(rows);
    let training = estimate_training_pass(model, shape, samples(batch_size));
    let evaluation = estimate_evaluation_pass(model, shape, samples(evaluation_batch));
    Bytes(resident + weights + training.max(evaluation).0)
}

/// Estimated peak of what a forward and a backward pass over so many samples allocate, from gathering their windows to the weights' gradients: the
/// weights themselves are not among it.
///
/// Autograd keeps of each step what its derivative needs, until the backward pass comes by; there the gradients of its input and output stand
/// beside what the steps before it have kept, and those of the weights beside what the steps after it have found. The peak is the most of that
/// over all steps; what each of them keeps and needs is counted in `activations.rs`.
#[must_use]
pub fn estimate_training_pass(
    model: &ModelSpec,
    (input, outputs): (InputShape, u32),
    samples: u64,
) -> Bytes {
    let stages = stages(model, input, outputs);
    // Raw windows stay until the forward pass is over.
    let windows = input.flat().unsigned_abs();
    let (mut kept, mut constant) = (0, 0);
    let mut gradients: u64 = stages.iter().map(|stage| stage.weights).sum();
    let mut peak = 0;
    for stage in &stages {
        kept += stage.kept;
        constant += stage.constant;
        let forward = samples * (windows + kept + stage.forward) + constant;
        // Gradients of this stage's weights, and of those behind it, which the backward pass has come through before.
        let backward = samples * (kept + stage.backward) + constant + gradients;
        peak = peak.max(forward).max(backward);
        gradients -= stage.weights;
    }
    Bytes(peak * F32)
}

/// Estimated peak of what a forward pass over so many samples allocates that records no gradients: nothing is kept but what a step works on.
#[must_use]
pub fn estimate_evaluation_pass(
    model: &ModelSpec,
    (input, outputs): (InputShape, u32),
    samples: u64,
) -> Bytes {
    // Raw and scaled windows stay until it is over.
    let windows = 2 * input.flat().unsigned_abs();
    let most = stages(model, input, outputs).iter().map(|stage| stage.alone).max();
    Bytes(samples * (windows + most.unwrap_or(0)) * F32)
}
