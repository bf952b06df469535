use tch::Tensor;

use super::graph::{Graph, Value};
use super::proto::AttributeProto;
use crate::torch::TorchError;

/// The residual blocks of a temporal convolutional network and the last step of what they make of the window: `[batch, window, features]` to
/// `[batch, channels]`.
pub(super) fn tcn(
    graph: &mut Graph<'_>,
    input: &Value,
    (features, channels): (i64, &[u32]),
) -> Result<Value, TorchError> {
    let columns_first = vec![AttributeProto::ints("perm", &[0, 2, 1])];
    let mut values = graph.node("Transpose", &[input], columns_first);
    let mut from = features;
    for (index, &units) in channels.iter().enumerate() {
        let block = format!("blocks.{index}");
        let mut made = values.clone();
        for part in ["conv1", "conv2"] {
            made = convolution(graph, &format!("{block}.{part}"), &made, 1 << index)?;
            made = graph.node("Relu", &[&made], Vec::new());
        }
        let beside = if from == i64::from(units) {
            values
        } else {
            let weight = graph.weight(&format!("{block}.downsample.weight"))?;
            let bias = graph.weight(&format!("{block}.downsample.bias"))?;
            graph.node("Conv", &[&values, &weight, &bias], Vec::new())
        };
        let sum = graph.node("Add", &[&made, &beside], Vec::new());
        values = graph.node("Relu", &[&sum], Vec::new());
        from = i64::from(units);
    }
    Ok(graph.pick(&values, 2, -1))
}

/// A dilated convolution after zeros before the first step and none after the last. Its weight normalisation is done here, once and for all.
fn convolution(
    graph: &mut Graph<'_>,
    name: &str,
    input: &Value,
    dilation: i64,
) -> Result<Value, TorchError> {
    let part = |place: u32| format!("{name}.parametrizations.weight.original{place}");
    let (magnitude, direction) = (graph.learnt(&part(0))?, graph.learnt(&part(1))?);
    let dims = direction.dims;
    let magnitude = Tensor::f_from_slice(&magnitude.values)?.f_view(magnitude.dims.as_slice())?;
    let direction = Tensor::f_from_slice(&direction.values)?.f_view(dims.as_slice())?;
    let weight = Tensor::f_internal_weight_norm(&direction, &magnitude, 0)?;
    let values: Vec<f32> = weight.f_contiguous()?.f_flatten(0, -1)?.try_into()?;
    // The name that the weight has in PyTorch once its normalisation is removed.
    let weight = graph.floats(&format!("{name}.weight"), &dims, &values);
    let bias = graph.weight(&format!("{name}.bias"))?;
    let kernel = dims[2];
    let attributes = vec![
        AttributeProto::ints("dilations", &[dilation]),
        AttributeProto::ints("kernel_shape", &[kernel]),
        AttributeProto::ints("pads", &[(kernel - 1) * dilation, 0]),
    ];
    Ok(graph.node("Conv", &[input, &weight, &bias], attributes))
}
