use serde::{Deserialize, Serialize};

use crate::spec::{ModelSpec, Tokens};

/// What a model sees of one sample: `window` bars of `features` columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputShape {
    /// Bars.
    pub window: u32,
    /// Columns of the feature matrix.
    pub features: u32,
}

impl InputShape {
    /// Values in one sample.
    #[must_use]
    pub fn flat(self) -> i64 {
        i64::from(self.window) * i64::from(self.features)
    }
}

/// One learnt tensor before it exists: enough to count it and to draw it.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterShape {
    /// The name PyTorch would give it, as in `lstm.weight_ih_l0`.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<i64>,
    /// PyTorch's default for this tensor of this kind of layer.
    pub initial: Initial,
}

/// How the initial values of a tensor come about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// Half the width.
        bound: f64,
    },
    /// All the same.
    Constant(f64),
    /// The norm of each slice along the first dimension of the tensor that follows in the layout: the magnitude of a weight normalisation.
    NormsOfNext,
}

impl ParameterShape {
    /// Values in it.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.shape.iter().map(|size| size.unsigned_abs()).product()
    }

    fn new(name: String, shape: Vec<i64>, initial: Initial) -> Self {
        Self { name, shape, initial }
    }
}

/// Every learnt tensor of a model with so many outputs (1, or 3 for three classes), in the order it is drawn and stored: that of PyTorch's
/// `state_dict`.
#[must_use]
pub fn layout(model: &ModelSpec, input: InputShape, outputs: u32) -> Vec<ParameterShape> {
    let mut shapes = Vec::new();
    let to_head = match model {
        ModelSpec::Linear => input.flat(),
        ModelSpec::Mlp { hidden, .. } => mlp(&mut shapes, input, hidden),
        &ModelSpec::Lstm { hidden, layers, .. } => {
            recurrent(&mut shapes, ("lstm", 4), input, (hidden, layers))
        }
        &ModelSpec::Gru { hidden, layers, .. } => {
            recurrent(&mut shapes, ("gru", 3), input, (hidden, layers))
        }
        ModelSpec::Tcn { channels, kernel_size, .. } => {
            tcn(&mut shapes, input, (channels, *kernel_size))
        }
        &ModelSpec::Transformer { d_model, layers, feedforward, tokens, .. } => {
            transformer(&mut shapes, input, tokens, (d_model, feedforward, layers))
        }
    };
    shapes.extend(affine("head", to_head, i64::from(outputs)));
    shapes
}

/// Adds the hidden layers and returns the width that the head reads, as the others below.
fn mlp(shapes: &mut Vec<ParameterShape>, input: InputShape, hidden: &[u32]) -> i64 {
    let mut from = input.flat();
    for (index, &units) in hidden.iter().enumerate() {
        shapes.extend(affine(&format!("layers.{index}"), from, i64::from(units)));
        from = i64::from(units);
    }
    from
}

/// The layers of a cell with so many gates, uniform within `1/√units`.
fn recurrent(
    shapes: &mut Vec<ParameterShape>,
    (cell, gates): (&str, i64),
    input: InputShape,
    (hidden, layers): (u32, u32),
) -> i64 {
    let units = i64::from(hidden);
    let initial = Initial::Uniform { bound: f64::from(hidden).sqrt().recip() };
    for layer in 0..layers {
        let from = if layer == 0 { i64::from(input.features) } else { units };
        for (name, shape) in [
            ("weight_ih", vec![gates * units, from]),
            ("weight_hh", vec![gates * units, units]),
            ("bias_ih", vec![gates * units]),
            ("bias_hh", vec![gates * units]),
        ] {
            let name = format!("{cell}.{name}_l{layer}");
            shapes.push(ParameterShape::new(name, shape, initial));
        }
    }
    units
}

/// Blocks of two weight-normalised convolutions, and a 1×1 convolution beside them where the width changes.
fn tcn(
    shapes: &mut Vec<ParameterShape>,
    input: InputShape,
    (channels, kernel_size): (&[u32], u32),
) -> i64 {
    let mut from = i64::from(input.features);
    for (index, &units) in channels.iter().enumerate() {
        let (to, kernel) = (i64::from(units), i64::from(kernel_size));
        for (part, from) in [("conv1", from), ("conv2", to)] {
            let name = format!("blocks.{index}.{part}");
            let uniform = Initial::Uniform { bound: ((from * kernel) as f64).sqrt().recip() };
            let weight = format!("{name}.parametrizations.weight");
            shapes.extend([
                ParameterShape::new(format!("{name}.bias"), vec![to], uniform),
                ParameterShape::new(
                    format!("{weight}.original0"),
                    vec![to, 1, 1],
                    Initial::NormsOfNext,
                ),
                ParameterShape::new(format!("{weight}.original1"), vec![to, from, kernel], uniform),
            ]);
        }
        if from != to {
            let [mut weight, bias] = affine(&format!("blocks.{index}.downsample"), from, to);
            weight.shape.push(1);
            shapes.extend([weight, bias]);
        }
        from = to;
    }
    from
}

/// The projection of tokens, encoder layers and the last layer norm.
fn transformer(
    shapes: &mut Vec<ParameterShape>,
    input: InputShape,
    tokens: Tokens,
    (d_model, feedforward, layers): (u32, u32, u32),
) -> i64 {
    let (width, wide) = (i64::from(d_model), i64::from(feedforward));
    shapes.extend(affine("input", i64::from(input.features) * i64::from(tokens.bars()), width));
    let zeros = Initial::Constant(0.0);
    for layer in 0..layers {
        let name = |part: &str| format!("encoder.layers.{layer}.{part}");
        // Glorot & Bengio 2010 for the three projections as one matrix: √(6 / (width + 3 width)).
        let xavier = Initial::Uniform { bound: (1.5 / width as f64).sqrt() };
        let attention = |part: &str| name(&format!("self_attn.{part}"));
        let [out_weight, mut out_bias] = affine(&attention("out_proj"), width, width);
        out_bias.initial = zeros;
        shapes.extend([
            ParameterShape::new(attention("in_proj_weight"), vec![3 * width, width], xavier),
            ParameterShape::new(attention("in_proj_bias"), vec![3 * width], zeros),
            out_weight,
            out_bias,
        ]);
        shapes.extend(affine(&name("linear1"), width, wide));
        shapes.extend(affine(&name("linear2"), wide, width));
        shapes.extend(layer_norm(&name("norm1"), width));
        shapes.extend(layer_norm(&name("norm2"), width));
    }
    shapes.extend(layer_norm("encoder.norm", width));
    width
}

/// Weight and bias of `torch.nn.Linear`, both uniform within `1/√from`.
fn affine(name: &str, from: i64, to: i64) -> [ParameterShape; 2] {
    let initial = Initial::Uniform { bound: (from as f64).sqrt().recip() };
    [("weight", vec![to, from]), ("bias", vec![to])]
        .map(|(part, shape)| ParameterShape::new(format!("{name}.{part}"), shape, initial))
}

/// Weight and bias of `torch.nn.LayerNorm`: ones and zeros.
fn layer_norm(name: &str, width: i64) -> [ParameterShape; 2] {
    [("weight", 1.0), ("bias", 0.0)].map(|(part, value)| {
        ParameterShape::new(format!("{name}.{part}"), vec![width], Initial::Constant(value))
    })
}
