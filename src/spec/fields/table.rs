use super::{Field, Range};
use crate::spec::model::{MAX_LAYERS, MAX_UNITS};
use crate::spec::validate::MAX_BARS_BACK;

const UNITS: Range = Range::from_to(1.0, MAX_UNITS as f64);
const LAYERS: Range = Range::from_to(1.0, MAX_LAYERS as f64);
const BARS_BACK: Range = Range::from_to(1.0, MAX_BARS_BACK as f64);
const VOLATILITY: Range = Range::from_to(2.0, MAX_BARS_BACK as f64);
const EMBARGO: &str =
    "Left out between sections. The purge of overlapping labels comes on top by itself";

/// Every field that a form shows or a check bounds, in the order of the specification. Features have a table of their own.
pub const FIELDS: &[Field] = &[
    Field::new("name", "Name", "Part of the run's name and folder"),
    Field::new(
        "seed",
        "Seed",
        "Every random choice follows from it: initial weights, batch order, dropout",
    ),
    Field::new("data.source.bars", "Length", "Bars of each symbol of the built-in market")
        .unit("bars")
        .range(Range::from_to(100.0, 10_000_000.0)),
    Field::new(
        "data.source.market.ic",
        "Signal IC",
        "Correlation of the best possible prediction with the next return",
    )
    .range(Range { least: std::ops::Bound::Excluded(-1.0), most: std::ops::Bound::Excluded(1.0) }),
    Field::new("data.source.seed", "Market seed", "Another seed, another market"),
    Field::new("window", "Window", "Bars the model sees, the last one is the bar decided on")
        .unit("bars")
        .range(BARS_BACK),
    Field::new(
        "scaling",
        "Scaling",
        "Mean and deviation of each feature come from a fold's train rows: those of all symbols that share a model, or each symbol's own",
    ),
    Field::new(
        "label",
        "Predicts",
        "Returns are regressions, direction and triple barrier classifications; all are bought at the next open",
    ),
    Field::new(
        "label.horizon",
        "Horizon",
        "Bars held, from the open after the decision; at most, where a barrier may end it before",
    )
    .unit("bars")
    .range(BARS_BACK),
    Field::new(
        "label.volatility_window",
        "Volatility",
        "One-bar log returns behind the volatility, up to the decision",
    )
    .unit("bars")
    .range(VOLATILITY),
    Field::new(
        "label.minimum_symbols",
        "At least",
        "With fewer at a moment there is nothing to learn from it",
    )
    .unit("symbols")
    .range(Range::from_to(2.0, 100_000.0)),
    Field::new(
        "label.dead_zone",
        "Dead zone",
        "Returns too small to learn a direction from; tested is every row",
    ),
    Field::new("label.dead_zone.Bps", "Up to", "Returns of no more than this, up or down")
        .unit("bp")
        .range(Range::POSITIVE),
    Field::new(
        "label.dead_zone.TrainQuantile",
        "Quantile",
        "Of the absolute returns of each fold's train rows",
    )
    .range(Range::INSIDE_ONE),
    Field::new(
        "label.inside",
        "Inside it",
        "What train and validation rows in the dead zone teach: nothing, or that the price hardly moves, beside up and down",
    ),
    Field::new(
        "label.profit_take",
        "Profit at",
        "Distance of the upper barrier, in volatilities of one bar",
    )
    .unit("σ")
    .range(Range::POSITIVE),
    Field::new(
        "label.stop_loss",
        "Stop at",
        "Distance of the lower barrier, in volatilities of one bar",
    )
    .unit("σ")
    .range(Range::POSITIVE),
    Field::new(
        "label.timeout",
        "Time runs out",
        "What is learnt where neither barrier was reached; tested is every row",
    ),
    Field::new(
        "weights.uniqueness",
        "Row weights",
        "Train rows whose labels overlap count less: average uniqueness (López de Prado 2018, §4.4)",
    ),
    Field::new(
        "weights.time_decay",
        "Time decay",
        "Weight of the oldest train row, where the newest has 1; below 0 the oldest count nothing (§4.7)",
    )
    .range(Range::above_to(-1.0, 1.0)),
    Field::new(
        "validation",
        "Scheme",
        "Rolling and anchored walk-forward learn from the past alone. K-fold also learns from what follows the test section: for comparison, not for a claim of what could have been earned",
    ),
    Field::new("validation.anchored", "Scheme", "Whether the train section keeps its start and grows"),
    Field::new("validation.train", "Train", "What the model learns from in each fold"),
    Field::new("validation.validation", "Validation", "What early stopping and model choice see"),
    Field::new("validation.test", "Test", "Seen once, at the end of each fold"),
    Field::new("validation.step", "Step", "From one fold to the next; never below the test section"),
    Field::new("validation.embargo", "Embargo", EMBARGO),
    Field::new("validation.max_folds", "Folds at most", "Only the latest so many")
        .range(Range::at_least(1.0)),
    Field::new("validation.folds", "Folds", "Equal parts, each tested once")
        .range(Range::from_to(2.0, 1000.0)),
    Field::new("validation.validation_from", "Validation from", "Everything before is learnt from (UTC)"),
    Field::new("validation.test_from", "Test from", "From here on everything is tested (UTC)"),
    Field::new(
        "model",
        "Model",
        "Linear: one affine map of the window. MLP: hidden layers on the flattened window. LSTM and GRU: read the window bar by bar. TCN: convolutions that see further back from block to block. Transformer: attention among bars, or among patches of them",
    ),
    Field::new("model.hidden", "Units", "Width of the hidden state").range(UNITS),
    Field::new("model.hidden[]", "Layer", "Units of the hidden layer").unit("units").range(UNITS),
    Field::new("model.activation", "Activation", "The non-linearity between layers"),
    Field::new(
        "model.layers",
        "Layers",
        "Stacked one on another: each reads what the one below it makes of every bar",
    )
    .range(LAYERS),
    Field::new(
        "model.channels[]",
        "Block",
        "Units of the block; each block reads steps twice as far apart as the one before",
    )
    .unit("units")
    .range(UNITS),
    Field::new(
        "model.kernel_size",
        "Kernel",
        "Steps that a convolution reads at once, the last of them its own; no more than the window has",
    )
    .unit("steps")
    .range(Range::at_least(2.0)),
    Field::new("model.d_model", "Width", "Width of a token; the heads share it")
        .unit("units")
        .range(UNITS),
    Field::new("model.heads", "Heads", "Attentions side by side; their number divides the width")
        .range(UNITS),
    Field::new("model.feedforward", "Feed-forward", "Hidden units of the network after each attention")
        .unit("units")
        .range(UNITS),
    Field::new(
        "model.tokens",
        "Tokens",
        "What attends to what: every bar to those before it, or patches of bars to each other. Patches are counted from the end of the window",
    ),
    Field::new("model.tokens.length", "Patch", "Bars of a patch; no more than the window has")
        .unit("bars")
        .range(Range::at_least(1.0)),
    Field::new(
        "model.tokens.stride",
        "Stride",
        "Bars from one patch to the next; fewer than a patch has, and they overlap",
    )
    .unit("bars")
    .range(Range::at_least(1.0)),
    Field::new("model.dropout", "Dropout", "Share of activations dropped while learning")
        .range(Range::BELOW_ONE),
    Field::new(
        "training.optimizer",
        "Optimizer",
        "AdamW: Adam with weight decay apart from the gradient. Adam: weight decay is part of the gradient. SGD: plain steps, with momentum",
    ),
    Field::new("training.optimizer.momentum", "Momentum", "Share of the last step that is taken again")
        .range(Range::BELOW_ONE),
    Field::new(
        "training.optimizer.nesterov",
        "Nesterov",
        "Nesterov's momentum: the gradient is taken where the momentum leads",
    ),
    Field::new("training.optimizer.betas[]", "Beta", "How much of a mean is kept at each step")
        .range(Range::BELOW_ONE),
    Field::new("training.learning_rate", "Learning rate", "Step size, before the schedule")
        .range(Range::POSITIVE),
    Field::new(
        "training.schedule",
        "Schedule",
        "How the learning rate changes. Cosine: up over the warm-up, then down along half a cosine to the last epoch. Plateau: lower whenever validation has not become better for a while",
    ),
    Field::new(
        "training.schedule.warmup_epochs",
        "Warm-up",
        "Epochs, and parts of them, in which the learning rate rises from nothing; fewer than max epochs",
    )
    .unit("epochs")
    .range(Range::NOT_NEGATIVE),
    Field::new(
        "training.schedule.final_share",
        "Final share",
        "What is left of the learning rate at the end",
    )
    .range(Range::SHARE),
    Field::new("training.schedule.factor", "Factor", "What the learning rate is multiplied by")
        .unit("×")
        .range(Range::INSIDE_ONE),
    Field::new(
        "training.schedule.patience",
        "Wait",
        "More epochs than this without a better validation, and the learning rate is lowered",
    )
    .unit("epochs"),
    Field::new("training.batch_size", "Batch size", "Samples of which each gradient is the mean")
        .range(Range::from_to(1.0, 10_000_000.0)),
    Field::new("training.max_epochs", "Max epochs", "Passes over the train rows at most")
        .range(Range::from_to(1.0, 1_000_000.0)),
    Field::new(
        "training.patience",
        "Patience",
        "Epochs without a better validation before training stops",
    )
    .unit("epochs")
    .range(Range::at_least(1.0)),
    Field::new("training.weight_decay", "Weight decay", "How strongly weights are pulled to 0")
        .range(Range::NOT_NEGATIVE),
    Field::new(
        "training.gradient_clip_val",
        "Gradient clip",
        "Largest norm of the gradient; longer ones are shortened to it",
    )
    .range(Range::POSITIVE),
    Field::new(
        "training.find_batch_size",
        "Find a larger batch",
        "While planning, try larger batches by doubling and take the one that learns most samples a second and fits the memory. The plan says what was found",
    ),
    Field::new(
        "training.accumulate_grad_batches",
        "Accumulate",
        "Batches whose gradients make one optimizer step together",
    )
    .unit("batches")
    .range(Range::from_to(1.0, 100_000.0)),
    Field::new(
        "training.loss",
        "Loss",
        "What is minimised. Huber: outliers pull less. Balanced: a rare class counts as much as a frequent one. Negative IC: order the symbols of a moment, however large their returns",
    ),
    Field::new(
        "training.loss.delta",
        "Linear beyond",
        "Where the loss turns from quadratic to linear, in standard deviations of the label",
    )
    .unit("σ")
    .range(Range::POSITIVE),
    Field::new(
        "training.monitor",
        "Watch",
        "What is measured on the validation rows after each epoch, and says whose weights are kept, when to stop and when the plateau schedule lowers the rate",
    ),
    Field::new("training.min_delta", "Min delta", "How much better what is watched must be to count")
        .range(Range::NOT_NEGATIVE),
    Field::new("training.max_steps", "Max steps", "Optimizer steps at most, over all epochs")
        .unit("steps")
        .range(Range::at_least(1.0)),
    Field::new(
        "training.max_minutes",
        "Max minutes",
        "Minutes of training of each task at most, by the clock: what was learnt by then is kept, and the result is no longer repeatable",
    )
    .unit("min")
    .range(Range::POSITIVE),
    Field::new(
        "training.precision",
        "Precision",
        "Arithmetic of the forward and backward pass; weights stay f32. tf32: matrix products with 10 bits of mantissa. bf16: half the memory, 7 bits. f16: half the memory, with dynamic loss scaling",
    ),
    Field::new(
        "training.warm_start",
        "Warm start",
        "Begin each fold with the best weights of the fold before it, which then has to finish first",
    ),
    Field::new(
        "training.refit",
        "Refit on all",
        "After the last fold train once more on all rows, for as many epochs as the folds' best ones in the median: the model to export",
    ),
    Field::new(
        "costs.fee_bps",
        "Fee",
        "Exchange or broker fee on every change of position, in basis points (1/10 000)",
    )
    .unit("bp")
    .range(Range::NOT_NEGATIVE),
    Field::new(
        "costs.half_spread_bps",
        "Half-spread",
        "Half of the bid-ask spread, in basis points of the price",
    )
    .unit("bp")
    .range(Range::NOT_NEGATIVE),
    Field::new(
        "resources.device",
        "Device",
        "Where to compute; results on another kind of device differ in the last digits",
    ),
    Field::new(
        "resources.workers",
        "Workers",
        "Tasks that train at the same time; never changes a result",
    )
    .range(Range::from_to(1.0, 256.0)),
    Field::new(
        "resources.threads_per_task",
        "Threads per task",
        "Threads within a task; part of the result, sums are split by it",
    )
    .range(Range::from_to(1.0, 1024.0)),
    Field::new(
        "resources.memory_fraction",
        "Memory at most",
        "The most of each device's memory that tasks may take, of what other programs leave free; never changes a result",
    )
    .range(Range::above_to(0.0, 1.0)),
    Field::new(
        "resources.checkpoint_secs",
        "Checkpoints",
        "Seconds between two checkpoints of a task on disk: weights, optimizer, schedule, data order and random numbers; never changes a result",
    )
    .unit("s"),
    Field::new(
        "resources.reuse",
        "Reuse results",
        "Take over what an earlier run has trained with the very same data, settings and seed, instead of training it again",
    ),
];
