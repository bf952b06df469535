use super::graph::{Graph, Value};
use super::proto::AttributeProto;
use crate::models::sinusoidal_positions;
use crate::spec::Tokens;
use crate::torch::TorchError;

/// Sizes of an encoder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) width: u32,
    pub(super) heads: u32,
    pub(super) layers: u32,
    pub(super) tokens: Tokens,
}

/// What all layers share.
struct Shared {
    /// `[batch, tokens, 3, heads, width / heads]`.
    parts: Value,
    /// `[batch, tokens, width]`.
    joined: Value,
    /// By which queries are multiplied.
    scale: Value,
    /// `[tokens, tokens]`: 0 where a token may look, minus infinity where it may not.
    mask: Option<Value>,
}

/// The encoder and what its head reads: `[batch, window, features]` to `[batch, width]`.
pub(super) fn transformer(
    graph: &mut Graph<'_>,
    input: &Value,
    sizes: Sizes,
) -> Result<Value, TorchError> {
    let window = graph.network().design().input.window;
    let count = i64::from(sizes.tokens.count(window));
    let cut = match sizes.tokens {
        Tokens::Causal => input.clone(),
        Tokens::Patch { length, stride } => patches(graph, input, window, (length, stride)),
    };
    let projected = graph.affine_of_tokens(("input.weight", "input.bias"), &cut)?;
    let width = i64::from(sizes.width);
    let positions = sinusoidal_positions(count, width);
    let positions = graph.floats("positions", &[count, width], &positions);
    let mut tokens = graph.node("Add", &[&projected, &positions], Vec::new());
    let shared = Shared::new(graph, sizes, count);
    for layer in 0..sizes.layers {
        let name = |part: &str| format!("encoder.layers.{layer}.{part}");
        let normed = layer_norm(graph, &name("norm1"), &tokens)?;
        let seen = attend(graph, &name("self_attn"), &normed, &shared)?;
        tokens = graph.node("Add", &[&tokens, &seen], Vec::new());
        let normed = layer_norm(graph, &name("norm2"), &tokens)?;
        let wide = affine(graph, &name("linear1"), &normed)?;
        let wide = graph.gelu(&wide);
        let made = affine(graph, &name("linear2"), &wide)?;
        tokens = graph.node("Add", &[&tokens, &made], Vec::new());
    }
    let tokens = layer_norm(graph, "encoder.norm", &tokens)?;
    Ok(match sizes.tokens {
        Tokens::Causal => graph.pick(&tokens, 1, -1),
        Tokens::Patch { .. } => {
            let over_tokens =
                vec![AttributeProto::ints("axes", &[1]), AttributeProto::int("keepdims", 0)];
            graph.node("ReduceMean", &[&tokens], over_tokens)
        }
    })
}

/// `[batch, window, features]` to `[batch, patches, length · features]`, bar after bar, counted from the window's end.
fn patches(
    graph: &mut Graph<'_>,
    input: &Value,
    window: u32,
    (length, stride): (u32, u32),
) -> Value {
    let (window, length, stride) = (i64::from(window), i64::from(length), i64::from(stride));
    let left_out = (window - length) % stride;
    let count = (window - length) / stride + 1;
    let bars: Vec<i64> = (0..count)
        .flat_map(|patch| (0..length).map(move |bar| left_out + patch * stride + bar))
        .collect();
    let bars = graph.integers("patches.bars", &[count, length], &bars);
    let cut = graph.node("Gather", &[input, &bars], vec![AttributeProto::int("axis", 1)]);
    let flat = graph.integers("patches.flat", &[3], &[0, 0, -1]);
    graph.node("Reshape", &[&cut, &flat], Vec::new())
}

impl Shared {
    fn new(graph: &mut Graph<'_>, sizes: Sizes, tokens: i64) -> Self {
        let width = i64::from(sizes.width / sizes.heads);
        let parts = [0, 0, 3, i64::from(sizes.heads), width];
        let parts = graph.integers("attention.parts", &[5], &parts);
        let joined = graph.integers("attention.joined", &[3], &[0, 0, -1]);
        let scale = graph.number("attention.scale", (width as f64).sqrt().recip());
        let mask = matches!(sizes.tokens, Tokens::Causal).then(|| {
            let may_look = |from: i64, to: i64| if to > from { f32::NEG_INFINITY } else { 0.0 };
            let mask: Vec<f32> = (0..tokens)
                .flat_map(|from| (0..tokens).map(move |to| may_look(from, to)))
                .collect();
            graph.floats("attention.mask", &[tokens, tokens], &mask)
        });
        Self { parts, joined, scale, mask }
    }
}

/// Multi-head attention of the tokens among themselves.
fn attend(
    graph: &mut Graph<'_>,
    name: &str,
    tokens: &Value,
    shared: &Shared,
) -> Result<Value, TorchError> {
    let names = (format!("{name}.in_proj_weight"), format!("{name}.in_proj_bias"));
    let projected = graph.affine_of_tokens((&names.0, &names.1), tokens)?;
    let parts = graph.node("Reshape", &[&projected, &shared.parts], Vec::new());
    let by_head = vec![AttributeProto::ints("perm", &[2, 0, 3, 1, 4])];
    let parts = graph.node("Transpose", &[&parts], by_head);
    let [queries, keys, values] = [0, 1, 2].map(|part| graph.pick(&parts, 0, part));
    let queries = graph.node("Mul", &[&queries, &shared.scale], Vec::new());
    let turned = vec![AttributeProto::ints("perm", &[0, 1, 3, 2])];
    let keys = graph.node("Transpose", &[&keys], turned);
    let mut scores = graph.node("MatMul", &[&queries, &keys], Vec::new());
    if let Some(mask) = &shared.mask {
        scores = graph.node("Add", &[&scores, mask], Vec::new());
    }
    let shares = graph.node("Softmax", &[&scores], vec![AttributeProto::int("axis", -1)]);
    let seen = graph.node("MatMul", &[&shares, &values], Vec::new());
    let by_token = vec![AttributeProto::ints("perm", &[0, 2, 1, 3])];
    let seen = graph.node("Transpose", &[&seen], by_token);
    let seen = graph.node("Reshape", &[&seen, &shared.joined], Vec::new());
    affine(graph, &format!("{name}.out_proj"), &seen)
}

fn affine(graph: &mut Graph<'_>, layer: &str, input: &Value) -> Result<Value, TorchError> {
    graph.affine_of_tokens((&format!("{layer}.weight"), &format!("{layer}.bias")), input)
}

/// With PyTorch's default epsilon.
fn layer_norm(graph: &mut Graph<'_>, name: &str, input: &Value) -> Result<Value, TorchError> {
    let weight = graph.weight(&format!("{name}.weight"))?;
    let bias = graph.weight(&format!("{name}.bias"))?;
    let attributes = vec![AttributeProto::int("axis", -1), AttributeProto::float("epsilon", 1e-5)];
    Ok(graph.node("LayerNormalization", &[input, &weight, &bias], attributes))
}
