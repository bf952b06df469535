//! Networks as ONNX, written node by node: raw feature windows in, predictions out, scaler and output unit inside.

mod feed_forward;
mod graph;
mod proto;
mod recurrent;
mod tcn;
mod transformer;

use prost::Message;

use graph::{Graph, Size, Value, tensor};
use proto::{AttributeProto, ModelProto, OperatorSetIdProto, StringStringEntryProto};

use crate::models::{Network, OutputUnit};
use crate::spec::ModelSpec;
use crate::torch::TorchError;

/// The name of the graph's input.
pub const ONNX_INPUT: &str = "features";
/// The name of the graph's output.
pub const ONNX_OUTPUT: &str = "prediction";

/// Layer normalisation came with operator set 17, in ONNX 1.12 of June 2022; nothing here needs a later one, so that older runtimes read it too.
const OPERATOR_SET: i64 = 17;
/// That of ONNX 1.12.
const IR_VERSION: i64 = 8;

/// What an ONNX file says about itself besides its graph.
#[derive(Debug, Clone, Default)]
pub struct OnnxTexts {
    /// What the model is.
    pub about: String,
    /// What goes in.
    pub input: String,
    /// What comes out.
    pub output: String,
    /// More, by name.
    pub metadata: Vec<(String, String)>,
}

/// The network as the bytes of an ONNX file: `features` f32 `[batch, window, features]` to `prediction` f32 `[batch]`, any batch size. It computes
/// what [`Network::predict`] does.
///
/// # Errors
/// When libtorch cannot give the weights.
pub fn onnx(network: &Network, texts: OnnxTexts) -> Result<Vec<u8>, TorchError> {
    let design = network.design();
    let (window, columns) = (i64::from(design.input.window), i64::from(design.input.features));
    let sizes = [Size::Any("batch"), Size::Of(window), Size::Of(columns)];
    let (input, input_info) = tensor(ONNX_INPUT, &sizes, &texts.input);
    let (_, output_info) = tensor(ONNX_OUTPUT, &[Size::Any("batch")], &texts.output);
    let mut graph = Graph::new(network);
    let scaled = scale(&mut graph, &input);
    let read = match &design.model {
        ModelSpec::Linear => feed_forward::flat(&mut graph, &scaled),
        ModelSpec::Mlp { hidden, activation, .. } => {
            feed_forward::mlp(&mut graph, &scaled, (hidden.len(), *activation))?
        }
        &ModelSpec::Lstm { hidden, layers, .. } => {
            recurrent::recurrent(&mut graph, &scaled, &recurrent::LSTM, (hidden, layers))?
        }
        &ModelSpec::Gru { hidden, layers, .. } => {
            recurrent::recurrent(&mut graph, &scaled, &recurrent::GRU, (hidden, layers))?
        }
        ModelSpec::Tcn { channels, .. } => tcn::tcn(&mut graph, &scaled, (columns, channels))?,
        &ModelSpec::Transformer { d_model, heads, layers, tokens, .. } => {
            let sizes = transformer::Sizes { width: d_model, heads, layers, tokens };
            transformer::transformer(&mut graph, &scaled, sizes)?
        }
    };
    let outputs = graph.affine("head", &read)?;
    let prediction = in_unit(&mut graph, &outputs);
    let graph = graph.finish(input_info, &prediction, output_info);
    let metadata_props = texts
        .metadata
        .into_iter()
        .map(|(key, value)| StringStringEntryProto { key: Some(key), value: Some(value) });
    let model = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("walkforge".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(texts.about),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: Some(String::new()),
            version: Some(OPERATOR_SET),
        }],
        metadata_props: metadata_props.collect(),
    };
    Ok(model.encode_to_vec())
}

/// `(value - mean) / scale` of each column.
fn scale(graph: &mut Graph<'_>, input: &Value) -> Value {
    let scaler = &graph.network().design().scaler;
    let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<_>>();
    let (mean, scale) = (narrow(scaler.mean()), narrow(scaler.scale()));
    let columns = [mean.len() as i64];
    let mean = graph.floats("scaler.mean", &columns, &mean);
    let scale = graph.floats("scaler.scale", &columns, &scale);
    let centred = graph.node("Sub", &[input, &mean], Vec::new());
    graph.node("Div", &[&centred, &scale], Vec::new())
}

/// The head's outputs `[batch, outputs]` as predictions `[batch]`.
fn in_unit(graph: &mut Graph<'_>, outputs: &Value) -> Value {
    let unit = graph.network().design().output;
    if let OutputUnit::ThreeClass { up, down } = unit {
        let shares = graph.node("Softmax", &[outputs], vec![AttributeProto::int("axis", -1)]);
        let (better, worse) = (graph.pick(&shares, 1, 2), graph.pick(&shares, 1, 0));
        let (up, down) = (graph.number("output.up", up), graph.number("output.down", down));
        let gain = graph.node("Mul", &[&better, &up], Vec::new());
        let loss = graph.node("Mul", &[&worse, &down], Vec::new());
        return graph.node("Sub", &[&gain, &loss], Vec::new());
    }
    let only = graph.pick(outputs, 1, 0);
    if let OutputUnit::Return { mean, std } = unit {
        let (std, mean) = (graph.number("output.std", std), graph.number("output.mean", mean));
        let scaled = graph.node("Mul", &[&only, &std], Vec::new());
        graph.node("Add", &[&scaled, &mean], Vec::new())
    } else {
        graph.node("Sigmoid", &[&only], Vec::new())
    }
}
