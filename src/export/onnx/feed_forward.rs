use super::graph::{Graph, Value};
use super::proto::AttributeProto;
use crate::spec::Activation;
use crate::torch::TorchError;

/// `[batch, window, features]` to `[batch, window · features]`, bar after bar.
pub(super) fn flat(graph: &mut Graph<'_>, input: &Value) -> Value {
    graph.node("Flatten", &[input], vec![AttributeProto::int("axis", 1)])
}

/// The hidden layers of a multi-layer perceptron.
pub(super) fn mlp(
    graph: &mut Graph<'_>,
    input: &Value,
    (layers, activation): (usize, Activation),
) -> Result<Value, TorchError> {
    let mut values = flat(graph, input);
    for layer in 0..layers {
        let affine = graph.affine(&format!("layers.{layer}"), &values)?;
        values = match activation {
            Activation::Relu => graph.node("Relu", &[&affine], Vec::new()),
            Activation::Tanh => graph.node("Tanh", &[&affine], Vec::new()),
            Activation::Gelu => graph.gelu(&affine),
        };
    }
    Ok(values)
}
