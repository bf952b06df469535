//! What is compared. `model.dropout` is 0 throughout: PyTorch draws its masks otherwise.

/// One symbol, some 640 train rows: twenty batches of 32 an epoch, the last one short.
pub const COMMON: [&str; 11] = [
    r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":1200,"seed":5}}"#,
    r#"data.symbols=["SYN_A"]"#,
    "window=8",
    "validation.train=640",
    "validation.validation=200",
    "validation.test=100",
    "validation.max_folds=1",
    "training.batch_size=32",
    "training.max_epochs=10",
    "training.patience=null",
    "resources.device=cpu",
];

/// A name and what is set for it.
pub type Case = (&'static str, &'static [&'static str]);

const LINEAR: &str = "model=Linear";
const MLP: &str = r#"model={"Mlp":{"hidden":[24,12],"activation":"Relu","dropout":0.0}}"#;
const GELU: &str = r#"model={"Mlp":{"hidden":[16],"activation":"Gelu","dropout":0.0}}"#;
const LSTM: &str = r#"model={"Lstm":{"hidden":12,"layers":2,"dropout":0.0}}"#;
const GRU: &str = r#"model={"Gru":{"hidden":12,"layers":1,"dropout":0.0}}"#;
/// Its second block is as wide as its first, so that one has a convolution beside it and one has not.
const TCN: &str = r#"model={"Tcn":{"channels":[8,8],"kernel_size":3,"dropout":0.0}}"#;
const CAUSAL: &str = r#"model={"Transformer":{"d_model":12,"heads":3,"layers":2,"feedforward":20,"dropout":0.0,"tokens":"Causal"}}"#;
/// The first of the eight bars fills no patch.
const PATCH: &str = r#"model={"Transformer":{"d_model":8,"heads":2,"layers":1,"feedforward":16,"dropout":0.0,"tokens":{"Patch":{"length":3,"stride":2}}}}"#;

const ADAMW: &str = r#"training.optimizer={"AdamW":{"betas":[0.9,0.999]}}"#;
const ADAM: &str = r#"training.optimizer={"Adam":{"betas":[0.8,0.99]}}"#;
const MOMENTUM: &str = r#"training.optimizer={"Sgd":{"momentum":0.9,"nesterov":false}}"#;
const NESTEROV: &str = r#"training.optimizer={"Sgd":{"momentum":0.9,"nesterov":true}}"#;
const PLAIN: &str = r#"training.optimizer={"Sgd":{"momentum":0.0,"nesterov":false}}"#;

const DIRECTION: &str = r#"label={"Direction":{"horizon":2}}"#;
const THREE: &str =
    r#"label={"Direction":{"horizon":2,"dead_zone":{"TrainQuantile":0.2},"inside":"Flat"}}"#;
const HUBER: &str = r#"training.loss={"Huber":{"delta":0.7}}"#;
const BALANCED: &str = "training.loss=BalancedCrossEntropy";
/// Longer than many a gradient and shorter than others.
const CLIP: &str = "training.gradient_clip_val=0.5";
const NO_CLIP: &str = "training.gradient_clip_val=null";
const RATE: &str = "training.learning_rate=0.01";
const DECAY: &str = "training.weight_decay=0.1";

/// Step by step through `Learner`: every model with every optimizer, and every loss.
pub const STEP_CASES: &[Case] = &[
    ("linear, AdamW", &[LINEAR, ADAMW, NO_CLIP, DECAY]),
    ("linear, Adam, Huber", &[LINEAR, ADAM, CLIP, HUBER]),
    ("linear, SGD, direction", &[LINEAR, PLAIN, CLIP, RATE, DECAY, DIRECTION]),
    ("MLP, AdamW, clipped", &[MLP, ADAMW, CLIP, DECAY]),
    ("MLP, Adam, direction", &[MLP, ADAM, NO_CLIP, DIRECTION]),
    ("MLP, SGD with momentum, Huber", &[MLP, MOMENTUM, CLIP, RATE, DECAY, HUBER]),
    ("MLP with GELU, Nesterov", &[GELU, NESTEROV, NO_CLIP, RATE, DECAY]),
    ("MLP, AdamW, accumulated", &[MLP, ADAMW, CLIP, "training.accumulate_grad_batches=3"]),
    ("MLP, AdamW, weighted rows", &[MLP, ADAMW, CLIP, "weights.time_decay=0.5"]),
    ("MLP, Adam, balanced classes", &[MLP, ADAM, CLIP, DIRECTION, BALANCED]),
    ("LSTM, AdamW", &[LSTM, ADAMW, CLIP, DECAY]),
    ("LSTM, Adam, direction", &[LSTM, ADAM, CLIP, DIRECTION]),
    ("LSTM, Nesterov, Huber", &[LSTM, NESTEROV, NO_CLIP, RATE, HUBER]),
    ("GRU, AdamW, three classes", &[GRU, ADAMW, CLIP, DECAY, THREE]),
    ("GRU, Adam", &[GRU, ADAM, NO_CLIP]),
    ("GRU, SGD with momentum", &[GRU, MOMENTUM, CLIP, RATE]),
    ("TCN, AdamW", &[TCN, ADAMW, CLIP, DECAY]),
    ("TCN, Adam, balanced three classes", &[TCN, ADAM, CLIP, THREE, BALANCED]),
    ("TCN, Nesterov, direction", &[TCN, NESTEROV, CLIP, RATE, DIRECTION]),
    ("causal Transformer, AdamW", &[CAUSAL, ADAMW, CLIP, DECAY]),
    ("causal Transformer, Adam, three classes", &[CAUSAL, ADAM, CLIP, THREE]),
    ("causal Transformer, Nesterov", &[CAUSAL, NESTEROV, CLIP, RATE]),
    ("patch Transformer, AdamW, direction", &[PATCH, ADAMW, CLIP, DIRECTION]),
    ("patch Transformer, Adam, Huber", &[PATCH, ADAM, CLIP, HUBER]),
    ("patch Transformer, SGD", &[PATCH, PLAIN, CLIP, RATE]),
];

/// Whole trainings through `train`: schedules, validation, the best epoch's weights.
pub const TRAIN_CASES: &[Case] = &[
    ("MLP, constant", &[MLP, ADAMW, CLIP]),
    (
        "MLP, cosine with warm-up, accumulated",
        &[
            MLP,
            ADAM,
            CLIP,
            RATE,
            "training.batch_size=16",
            "training.accumulate_grad_batches=3",
            "training.max_epochs=15",
            r#"training.schedule={"Cosine":{"warmup_epochs":1.5,"final_share":0.1}}"#,
        ],
    ),
    (
        "MLP, SGD, plateau",
        &[
            MLP,
            NESTEROV,
            CLIP,
            "training.learning_rate=0.05",
            "training.max_epochs=12",
            r#"training.schedule={"Plateau":{"factor":0.3,"patience":0}}"#,
        ],
    ),
    (
        "LSTM, cosine",
        &[
            LSTM,
            ADAMW,
            NO_CLIP,
            DIRECTION,
            r#"training.schedule={"Cosine":{"warmup_epochs":0.0,"final_share":0.0}}"#,
        ],
    ),
];
