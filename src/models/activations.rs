//! What each step of a network holds in memory, for `estimate.rs`. Read beside the model it speaks of: a tensor that lives longer there counts
//! longer here. `the_estimate_is_near_the_measured_peak_for_every_model` holds both together.

use super::InputShape;
use super::recurrent::Cell;
use crate::spec::{Activation, ModelSpec, Tokens};

/// A step of the forward pass, in values of 32 bits per sample.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stage {
    /// Kept until its backward pass.
    pub(super) kept: u64,
    /// The most that its forward pass holds beside what is kept.
    pub(super) forward: u64,
    /// The most that its backward pass holds beside what the stages up to it have kept: gradients.
    pub(super) backward: u64,
    /// The most that it holds where nothing is kept: input, output and what is between.
    pub(super) alone: u64,
    /// Values it learns; not per sample.
    pub(super) weights: u64,
    /// Kept whatever the number of samples.
    pub(super) constant: u64,
}

/// Every step from gathering the windows to the head, in order.
pub(super) fn stages(model: &ModelSpec, input: InputShape, outputs: u32) -> Vec<Stage> {
    let flat = input.flat().unsigned_abs();
    let dropped = model.dropout() > 0.0;
    // The window less the mean, before it is divided by the deviation.
    let mut stages = vec![Stage { forward: flat, alone: flat, ..Stage::default() }];
    // Whether a derivative needs the scaled windows themselves; they stay until the forward pass is over in any case.
    let keeps_windows = match model {
        ModelSpec::Tcn { channels, .. } => channels.first() != Some(&input.features),
        ModelSpec::Transformer { tokens, .. } => *tokens == Tokens::Causal,
        _ => true,
    };
    if keeps_windows {
        stages[0].kept = flat;
    }
    let head = match model {
        ModelSpec::Linear => Read { units: flat, kept: 0 },
        ModelSpec::Mlp { hidden, activation, .. } => {
            mlp(&mut stages, flat, hidden, (*activation, dropped))
        }
        &ModelSpec::Lstm { hidden, layers, .. } => {
            recurrent(&mut stages, input, (Cell::Lstm, hidden, layers), dropped)
        }
        &ModelSpec::Gru { hidden, layers, .. } => {
            recurrent(&mut stages, input, (Cell::Gru, hidden, layers), dropped)
        }
        ModelSpec::Tcn { channels, kernel_size, .. } => {
            tcn(&mut stages, input, (channels, u64::from(*kernel_size)), dropped)
        }
        &ModelSpec::Transformer { d_model, heads, layers, feedforward, tokens, .. } => {
            let sizes = Sizes {
                tokens: u64::from(tokens.count(input.window)),
                width: u64::from(d_model),
                heads: u64::from(heads),
                wide: u64::from(feedforward),
                dropped,
            };
            transformer(&mut stages, input, (tokens, layers), sizes)
        }
    };
    if !keeps_windows {
        for stage in &mut stages {
            stage.forward += flat;
        }
    }
    let outputs = u64::from(outputs);
    stages.push(Stage {
        kept: head.kept + outputs,
        forward: outputs,
        // Gradients of the output and of its input, at every step where the input is one step of them.
        backward: 2 * outputs + head.units,
        alone: head.units + outputs,
        weights: affine(head.units, outputs),
        constant: 0,
    });
    stages
}

/// What the head reads.
struct Read {
    units: u64,
    /// What is kept for that and not counted yet.
    kept: u64,
}

const fn affine(from: u64, to: u64) -> u64 {
    (from + 1) * to
}

const fn when(holds: bool, value: u64) -> u64 {
    if holds { value } else { 0 }
}

fn mlp(
    stages: &mut Vec<Stage>,
    flat: u64,
    hidden: &[u32],
    (activation, dropped): (Activation, bool),
) -> Read {
    let mut from = flat;
    // Whether the layer's input is kept by what made it.
    let mut is_kept = true;
    for (index, &units) in hidden.iter().enumerate() {
        let to = u64::from(units);
        stages.push(Stage {
            kept: when(!is_kept, from),
            forward: to,
            backward: to + when(index > 0, from),
            alone: when(index > 0, from) + to,
            weights: affine(from, to),
            constant: 0,
        });
        // ReLU and tanh keep their result, GELU its input; dropout its mask.
        let is_own_result = activation != Activation::Gelu;
        stages.push(Stage {
            kept: to + when(dropped, to),
            forward: to + when(dropped && !is_own_result, to),
            backward: 2 * to,
            alone: 2 * to,
            weights: 0,
            constant: 0,
        });
        is_kept = is_own_result && !dropped;
        from = to;
    }
    Read { units: from, kept: when(!is_kept, from) }
}

fn recurrent(
    stages: &mut Vec<Stage>,
    input: InputShape,
    (cell, hidden, layers): (Cell, u32, u32),
    dropped: bool,
) -> Read {
    let (steps, units) = (u64::from(input.window), u64::from(hidden));
    let output = steps * units;
    // Whether the layer keeps its output for itself. If not, whatever reads it does: the head too, whose input is a view of all steps.
    let keeps_output = matches!(cell, Cell::Lstm);
    for index in 0..layers {
        let is_first = index == 0;
        let from = if is_first { u64::from(input.features) } else { units };
        if !is_first && dropped {
            // The mask between the layers.
            stages.push(Stage {
                kept: output,
                forward: 2 * output,
                backward: 2 * output,
                ..Stage::default()
            });
        }
        let mut stage = match cell {
            Cell::Lstm => lstm(steps, from, units),
            Cell::Gru => gru(steps, from, units, is_first),
        };
        stage.kept += when(!is_first && (dropped || !keeps_output), output);
        stages.push(stage);
    }
    Read { units, kept: if dropped { 2 * units } else { when(!keeps_output, output) } }
}

/// oneDNN's layer: a workspace of gates, states and cells at every step, its widths rounded up to 16, and the output.
fn lstm(steps: u64, from: u64, units: u64) -> Stage {
    let rounded = units.next_multiple_of(16);
    Stage {
        kept: steps * (9 * units + 7 * rounded) + 7 * units + 6 * rounded,
        forward: steps * from + 7 * units,
        backward: steps * (6 * units + from) + 8 * units,
        alone: steps * (3 * units + 2 * rounded + from) + 6 * (units + rounded),
        weights: 4 * units * (from + units + 2),
        constant: 0,
    }
}

/// Step by step: three gates' products, update and reset among them, what reset leaves of the state before it is overwritten, the new state before
/// and after it is mixed in, and their difference.
fn gru(steps: u64, from: u64, units: u64, is_first: bool) -> Stage {
    let output = steps * units;
    Stage {
        kept: 7 * output,
        // The input's part in the gates at every step, the steps as one tensor, and a step's own.
        forward: 3 * output + output + 5 * units,
        backward: output + 3 * units,
        alone: when(!is_first, steps * from) + 5 * output + units,
        weights: 3 * units * (from + units + 2),
        constant: 0,
    }
}

fn tcn(
    stages: &mut Vec<Stage>,
    input: InputShape,
    (channels, kernel): (&[u32], u64),
    dropped: bool,
) -> Read {
    let steps = u64::from(input.window);
    let mut from = u64::from(input.features);
    for (index, &units) in channels.iter().enumerate() {
        let to = u64::from(units);
        let (made, given) = (steps * to, steps * from);
        let padded = steps + ((kernel - 1) << index);
        let is_first = index == 0;
        // The gradient that goes around both convolutions; the first block's input has none, and what goes through its 1×1 convolution ends there.
        let beside = when(!is_first || from == to, made);
        for (number, from) in [(0, from), (1, to)] {
            let is_input = is_first && number == 0;
            // oneDNN reads a copy in blocks of 16 channels.
            let blocked = padded * from.next_multiple_of(16);
            let back = steps * from + padded * from;
            let input = when(!(is_first && number == 0), given) + when(number == 1, made);
            stages.push(Stage {
                kept: padded * from,
                forward: made + blocked,
                backward: beside + made + blocked + when(!is_input, back),
                alone: input + padded * from + made + blocked,
                weights: to * from * kernel + 2 * to,
                // The normalised weight and the norms; while their gradient is found, that of the former.
                constant: 2 * to * from * kernel + to,
            });
            // ReLU keeps its result, dropout its mask.
            stages.push(Stage {
                kept: made + when(dropped, made),
                forward: made,
                backward: beside + 2 * made,
                alone: input + 2 * made,
                weights: 0,
                constant: 0,
            });
        }
        // The sum, and the 1×1 convolution's output beside it; the ReLU of it is kept.
        let downsampled = from != to;
        stages.push(Stage {
            kept: made,
            forward: made + when(downsampled, made) + when(dropped, made),
            backward: 2 * made,
            alone: when(!is_first, given) + when(downsampled, made) + 3 * made,
            weights: when(downsampled, affine(from, to)),
            constant: 0,
        });
        from = to;
    }
    Read { units: from, kept: 0 }
}

/// What a Transformer's stages have in common, in tokens and units.
#[derive(Clone, Copy)]
struct Sizes {
    tokens: u64,
    width: u64,
    heads: u64,
    wide: u64,
    dropped: bool,
}

fn transformer(
    stages: &mut Vec<Stage>,
    input: InputShape,
    (tokens, layers): (Tokens, u32),
    sizes: Sizes,
) -> Read {
    let Sizes { tokens: count, width, dropped, .. } = sizes;
    let all = count * width;
    let bars = u64::from(input.features) * u64::from(tokens.bars());
    let patched = when(tokens != Tokens::Causal, count * bars);
    stages.push(Stage {
        // Patches are copies; dropout keeps its mask.
        kept: patched + when(dropped, all),
        forward: 2 * all,
        backward: 2 * all,
        alone: patched + 2 * all,
        weights: affine(bars, width),
        constant: 0,
    });
    for _ in 0..layers {
        stages.extend(attention(sizes));
        stages.extend(feed_forward(sizes));
    }
    // Mean and deviation of each token beside it, and where the head reads the last token, a view of all that the norm gives out.
    let is_view = tokens == Tokens::Causal;
    stages.push(Stage {
        kept: all + 2 * count,
        forward: all,
        backward: 3 * all,
        alone: 2 * all,
        weights: 2 * width,
        constant: 0,
    });
    Read { units: width, kept: if is_view { all } else { width } }
}

/// Layer norm, projections, scores, shares, what is seen, and its projection. Beside all of them stands the gradient that goes around them.
fn attention(Sizes { tokens, width, heads, dropped, .. }: Sizes) -> [Stage; 4] {
    let (all, pairs) = (tokens * width, heads * tokens * tokens);
    [
        Stage {
            // The tokens, their means and deviations, and the norm's output.
            kept: 2 * all + 2 * tokens,
            forward: 3 * all,
            backward: all + 3 * all + all,
            alone: 5 * all,
            weights: 2 * width + affine(width, 3 * width),
            constant: 0,
        },
        Stage {
            // Queries and keys in the order that the product wants, and the softmax's result; dropout keeps its mask.
            kept: 2 * all + pairs + when(dropped, pairs),
            // The three projections as one, the scaled queries, the scores before.
            forward: 4 * all + pairs,
            // The gradients of the values, and of the shares before and after the softmax.
            backward: all + all + 2 * pairs,
            alone: 6 * all + (2 * pairs).max(2 * all + pairs),
            weights: 0,
            constant: 0,
        },
        Stage {
            // The values in that order, and the shares that dropout left.
            kept: all + when(dropped, pairs),
            // The three projections, queries and keys as views of them, and what is seen in two orders.
            forward: 4 * all + all,
            backward: all + all + pairs,
            alone: 2 * all + 4 * all + pairs + 2 * all,
            weights: 0,
            constant: 0,
        },
        Stage {
            kept: all + when(dropped, all),
            forward: 2 * all,
            backward: all + 2 * all,
            alone: 4 * all,
            weights: affine(width, width),
            constant: 0,
        },
    ]
}

/// Layer norm, the wider layer, GELU and the way back.
fn feed_forward(Sizes { tokens, width, wide, dropped, .. }: Sizes) -> [Stage; 3] {
    let (all, hidden) = (tokens * width, tokens * wide);
    [
        Stage {
            kept: 2 * all + 2 * tokens,
            forward: hidden,
            backward: all + hidden + all,
            alone: 2 * all + hidden,
            weights: 2 * width + affine(width, wide),
            constant: 0,
        },
        Stage {
            // GELU keeps its input, dropout its mask.
            kept: hidden + when(dropped, hidden),
            forward: hidden + when(dropped, hidden),
            backward: all + 2 * hidden,
            alone: 2 * all + 2 * hidden,
            weights: 0,
            constant: 0,
        },
        Stage {
            kept: hidden + when(dropped, all),
            forward: 2 * all,
            backward: 2 * all + hidden,
            alone: 3 * all + hidden,
            weights: affine(wide, width),
            constant: 0,
        },
    ]
}
