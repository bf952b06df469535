use super::graph::{Graph, Value};
use super::proto::AttributeProto;
use crate::torch::TorchError;

/// A recurrent operator: the places of its gates among PyTorch's, which have another order.
pub(super) struct Cell {
    operator: &'static str,
    /// As PyTorch's names begin.
    name: &'static str,
    /// Of each gate of the operator, in its order, the place among PyTorch's.
    gates: &'static [usize],
    /// The operator's order, as it is named in its documentation.
    order: &'static str,
}

/// PyTorch: input, forget, cell, output. ONNX: input, output, forget, cell.
pub(super) const LSTM: Cell =
    Cell { operator: "LSTM", name: "lstm", gates: &[0, 3, 1, 2], order: "iofc" };

/// PyTorch: reset, update, new. ONNX: update, reset, hidden.
pub(super) const GRU: Cell = Cell { operator: "GRU", name: "gru", gates: &[1, 0, 2], order: "zrh" };

/// Stacked layers over the window `[batch, window, features]`; the last step of the last one, `[batch, hidden]`. The state begins as zeros, which
/// is what both say where it is not given.
pub(super) fn recurrent(
    graph: &mut Graph<'_>,
    input: &Value,
    cell: &Cell,
    (hidden, layers): (u32, u32),
) -> Result<Value, TorchError> {
    // Both operators want time first, and runtimes do without the attribute that would say otherwise.
    let by_step = vec![AttributeProto::ints("perm", &[1, 0, 2])];
    let mut values = graph.node("Transpose", &[input], by_step);
    // Only where a layer follows another: a constant that no node uses is warned of.
    let directions = (layers > 1).then(|| graph.integers("directions", &[1], &[1]));
    for layer in 0..layers {
        let is_last = layer + 1 == layers;
        let [weight_ih, weight_hh] =
            ["weight_ih", "weight_hh"].map(|name| cell.weight(graph, name, layer));
        let (weight_ih, weight_hh) = (weight_ih?, weight_hh?);
        let bias = cell.biases(graph, layer)?;
        let mut attributes = vec![AttributeProto::int("hidden_size", i64::from(hidden))];
        if cell.operator == "GRU" {
            // The reset gate acts on what the hidden weights made of the state, as in PyTorch and cuDNN.
            attributes.push(AttributeProto::int("linear_before_reset", 1));
        }
        // Every step `[window, 1, batch, hidden]`, or the last alone `[1, batch, hidden]`.
        let place = usize::from(is_last);
        let inputs = [&values, &weight_ih, &weight_hh, &bias];
        let made = graph.node_giving(cell.operator, &inputs, attributes, place);
        values = match &directions {
            Some(directions) if !is_last => graph.node("Squeeze", &[&made, directions], Vec::new()),
            _ => graph.pick(&made, 0, 0),
        };
    }
    Ok(values)
}

impl Cell {
    /// `[1, gates · hidden, inputs]`.
    fn weight(&self, graph: &mut Graph<'_>, name: &str, layer: u32) -> Result<Value, TorchError> {
        let name = format!("{}.{name}_l{layer}", self.name);
        let weight = graph.learnt(&name)?;
        let dims: Vec<i64> = std::iter::once(1).chain(weight.dims).collect();
        let values = self.in_order(&weight.values);
        Ok(graph.floats(&format!("{name}.{}", self.order), &dims, &values))
    }

    /// `[1, 2 · gates · hidden]`: those of the inputs, then those of the state.
    fn biases(&self, graph: &mut Graph<'_>, layer: u32) -> Result<Value, TorchError> {
        let mut values = Vec::new();
        for part in ["bias_ih", "bias_hh"] {
            let learnt = graph.learnt(&format!("{}.{part}_l{layer}", self.name))?;
            values.extend(self.in_order(&learnt.values));
        }
        let name = format!("{}.bias_l{layer}.{}", self.name, self.order);
        Ok(graph.floats(&name, &[1, values.len() as i64], &values))
    }

    fn in_order(&self, values: &[f32]) -> Vec<f32> {
        let gates: Vec<&[f32]> = values.chunks_exact(values.len() / self.gates.len()).collect();
        self.gates.iter().flat_map(|gate| gates[*gate].iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_put_into_the_operators_order() {
        assert_eq!(
            LSTM.in_order(&[1., 1., 2., 2., 3., 3., 4., 4.]),
            [1., 1., 4., 4., 2., 2., 3., 3.]
        );
        assert_eq!(GRU.in_order(&[1., 2., 3.]), [2., 1., 3.]);
    }
}
