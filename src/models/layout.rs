use serde::{Deserialize, Serialize};

use crate::spec::ModelSpec;

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
    /// Initial values are uniform in `[-bound, bound)`, PyTorch's default for this kind of layer.
    pub bound: f64,
}

impl ParameterShape {
    /// Values in it.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.shape.iter().map(|size| size.unsigned_abs()).product()
    }
}

/// Every learnt tensor of a model, in the order it is drawn and stored.
#[must_use]
pub fn layout(model: &ModelSpec, input: InputShape) -> Vec<ParameterShape> {
    match model {
        ModelSpec::Linear => affine("head", input.flat(), 1).into(),
        ModelSpec::Mlp { hidden, .. } => {
            let mut shapes = Vec::with_capacity(2 * hidden.len() + 2);
            let mut from = input.flat();
            for (index, &units) in hidden.iter().enumerate() {
                shapes.extend(affine(&format!("layers.{index}"), from, i64::from(units)));
                from = i64::from(units);
            }
            shapes.extend(affine("head", from, 1));
            shapes
        }
        &ModelSpec::Lstm { hidden, layers, .. } => {
            let units = i64::from(hidden);
            let bound = f64::from(hidden).sqrt().recip();
            let mut shapes = Vec::with_capacity(4 * layers as usize + 2);
            for layer in 0..layers {
                let from = if layer == 0 { i64::from(input.features) } else { units };
                for (name, shape) in [
                    ("weight_ih", vec![4 * units, from]),
                    ("weight_hh", vec![4 * units, units]),
                    ("bias_ih", vec![4 * units]),
                    ("bias_hh", vec![4 * units]),
                ] {
                    shapes.push(ParameterShape {
                        name: format!("lstm.{name}_l{layer}"),
                        shape,
                        bound,
                    });
                }
            }
            shapes.extend(affine("head", units, 1));
            shapes
        }
    }
}

/// Weight and bias of `torch.nn.Linear`, both uniform within `1/√from`.
fn affine(name: &str, from: i64, to: i64) -> [ParameterShape; 2] {
    let bound = (from as f64).sqrt().recip();
    [("weight", vec![to, from]), ("bias", vec![to])].map(|(part, shape)| ParameterShape {
        name: format!("{name}.{part}"),
        shape,
        bound,
    })
}
