//! `AdamW` with clipping and the losses against `torch.optim` and `torch.nn` (`tests/golden/make_torch.py`).

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tch::Tensor;

use super::{Batch, Loss, Moments, Optimizer};
use crate::domain::Device;
use crate::features::Scaler;
use crate::models::golden::Values;
use crate::models::{InputShape, Mode, Network, NetworkDesign, OutputUnit};
use crate::spec::{DeadZone, InsideDeadZone, LabelSpec, LossSpec, ModelSpec, TrainingSpec};
use crate::torch::{Scaling, clip_grad_norm};

const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    losses: Vec<LossCase>,
    adamw: AdamWCase,
    weighted_adamw: AdamWCase,
}

#[derive(Deserialize)]
struct LossCase {
    name: String,
    label_mean: f64,
    label_std: f64,
    outputs: Values,
    labels: Values,
    weights: Option<Values>,
    loss: f64,
    gradient: Values,
}

#[derive(Deserialize)]
struct AdamWCase {
    model: ModelSpec,
    window: u32,
    features: u32,
    steps: usize,
    learning_rate: f64,
    weight_decay: f64,
    gradient_clip_val: f64,
    windows: Values,
    targets: Values,
    weights: Option<Values>,
    before: BTreeMap<String, Values>,
    after: BTreeMap<String, Values>,
    exp_avg: BTreeMap<String, Values>,
    exp_avg_sq: BTreeMap<String, Values>,
    losses: Vec<f64>,
    norms: Vec<f64>,
}

fn golden() -> Golden {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/torch.json"));
    serde_json::from_str(text).unwrap()
}

fn assert_near(ours: &Tensor, theirs: &Tensor, what: &str) {
    assert_eq!(ours.size(), theirs.size(), "{what}");
    let off = (ours - theirs).abs().max().double_value(&[]);
    assert!(off <= TOLERANCE, "{what}: differs by {off:e}");
}

#[test]
fn losses_and_their_gradients_are_those_of_torch_nn() {
    for case in golden().losses {
        let label = match case.name.as_str() {
            "mse" => LabelSpec::ForwardReturn { horizon: 1 },
            "bce" => LabelSpec::Direction {
                horizon: 1,
                dead_zone: DeadZone::None,
                inside: InsideDeadZone::LeaveOut,
            },
            name => panic!("unknown loss {name}"),
        };
        let outputs = case.outputs.tensor().set_requires_grad(true);
        let loss = Loss::of((label, LossSpec::Auto), (case.label_mean, case.label_std), &[]);
        let weights = case.weights.as_ref().map(Values::tensor);
        let labels = case.labels.tensor();
        let batch = Batch { labels: &labels, weights: weights.as_ref(), moments: None };
        let value = loss.mean(&outputs, &batch).unwrap();
        value.backward();
        let off = (value.double_value(&[]) / case.loss - 1.0).abs();
        assert!(off <= TOLERANCE, "{}: differs by {off:e}", case.name);
        assert_near(&outputs.grad(), &case.gradient.tensor(), &case.name);
    }
}

/// A network that learns with `AdamW` as the training loop does, on one batch that never changes.
struct Learner<'a> {
    case: &'a AdamWCase,
    network: Network,
    optimizer: Optimizer,
}

impl<'a> Learner<'a> {
    fn new(case: &'a AdamWCase) -> Self {
        let columns = case.features as usize;
        let scaler = serde_json::json!({ "mean": vec![0.0; columns], "scale": vec![1.0; columns] });
        let design = NetworkDesign {
            model: case.model.clone(),
            input: InputShape { window: case.window, features: case.features },
            scaler: serde_json::from_value::<Scaler>(scaler).unwrap(),
            output: OutputUnit::Return { mean: 0.0, std: 1.0 },
        };
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let network = Network::new(design, Device::Cpu, &mut random).unwrap();
        let training = TrainingSpec {
            learning_rate: case.learning_rate,
            weight_decay: case.weight_decay,
            gradient_clip_val: Some(case.gradient_clip_val),
            ..crate::spec::load("mlp-return").unwrap().training
        };
        let optimizer = Optimizer::new(network.parameters(), &training).unwrap();
        let learner = Self { case, network, optimizer };
        let before = case.before.iter().map(|(name, values)| (name.clone(), values.tensor()));
        learner.set_weights(&before.collect());
        learner
    }

    /// One step; the loss and the norm of the gradient before it.
    fn step(&mut self) -> (f64, f64) {
        let weights: Vec<Tensor> =
            self.network.parameters().iter().map(|p| p.tensor.shallow_clone()).collect();
        let outputs =
            self.network.forward(&self.case.windows.tensor(), &mut Mode::Evaluate).unwrap();
        // The golden targets are standardised already.
        let loss = Loss::Mse(Moments { mean: 0.0, std: 1.0 });
        let of_rows = self.case.weights.as_ref().map(Values::tensor);
        let targets = self.case.targets.tensor();
        let batch = Batch { labels: &targets, weights: of_rows.as_ref(), moments: None };
        let loss = loss.mean(&outputs, &batch).unwrap();
        let gradients = Tensor::run_backward(&[&loss], &weights, false, false);
        let norm = clip_grad_norm(&gradients, Some(self.case.gradient_clip_val)).unwrap();
        self.optimizer.step(&gradients, self.case.learning_rate, Scaling::default()).unwrap();
        (loss.double_value(&[]), norm.double_value(&[]))
    }

    fn set_weights(&self, weights: &BTreeMap<String, Tensor>) {
        let _no_grad = tch::no_grad_guard();
        for parameter in self.network.parameters() {
            parameter.tensor.shallow_clone().copy_(&weights[&parameter.name]);
        }
    }

    fn weights(&self) -> BTreeMap<String, Tensor> {
        self.network
            .parameters()
            .iter()
            .map(|parameter| (parameter.name.clone(), parameter.tensor.detach().copy()))
            .collect()
    }
}

#[test]
fn adamw_with_clipping_walks_as_torch_optim_does() {
    let golden = golden();
    walks_as_torch_optim(&golden.adamw);
    assert!(golden.weighted_adamw.weights.is_some());
    walks_as_torch_optim(&golden.weighted_adamw);
}

fn walks_as_torch_optim(case: &AdamWCase) {
    let mut learner = Learner::new(case);
    for step in 0..case.steps {
        let (loss, norm) = learner.step();
        assert!((loss - case.losses[step]).abs() <= TOLERANCE, "step {step}: loss {loss}");
        assert!((norm - case.norms[step]).abs() <= TOLERANCE, "step {step}: norm {norm}");
    }
    let (weights, state) = (learner.weights(), learner.optimizer.state().unwrap());
    assert_eq!(state["step"].double_value(&[]), case.steps as f64);
    for (name, after) in &case.after {
        assert_near(&weights[name], &after.tensor(), name);
        for (moment, theirs) in [("exp_avg", &case.exp_avg), ("exp_avg_sq", &case.exp_avg_sq)] {
            let key = format!("{name}.{moment}");
            assert_near(&state[&key], &theirs[name].tensor(), &key);
        }
    }
    assert_eq!((weights.len(), state.len()), (case.after.len(), 1 + 2 * case.after.len()));
}

#[test]
fn adamw_goes_on_from_a_stored_state_bit_by_bit() {
    let case = golden().adamw;
    let mut whole = Learner::new(&case);
    let mut resumed = Learner::new(&case);
    // Steps of its own first: loading must overwrite all of it.
    for _ in 0..3 {
        resumed.step();
    }
    for _ in 0..12 {
        whole.step();
    }
    let stored = whole.optimizer.state().unwrap();
    resumed.set_weights(&whole.weights());
    resumed.optimizer.load_state(&stored).unwrap();
    for step in 12..case.steps {
        let moved = stored["step"].double_value(&[]);
        assert_eq!(moved, 12.0, "a stored state is a copy");
        assert_eq!(whole.step(), resumed.step(), "step {step}");
    }
    assert!(whole.weights() == resumed.weights());
    assert!(whole.optimizer.state().unwrap() == resumed.optimizer.state().unwrap());
}

#[test]
fn a_state_of_another_model_is_refused() {
    let case = golden().adamw;
    let mut learner = Learner::new(&case);
    let mut state = learner.optimizer.state().unwrap();
    state.remove("head.bias.exp_avg_sq");
    let error = learner.optimizer.load_state(&state).unwrap_err().to_string();
    assert!(error.contains("head.bias.exp_avg_sq"), "{error}");
    state.insert("head.bias.exp_avg_sq".to_owned(), Tensor::zeros([2], tch::kind::FLOAT_CPU));
    assert!(learner.optimizer.load_state(&state).is_err());
    let mut state = learner.optimizer.state().unwrap();
    // libtorch's own copy would broadcast this one.
    state.insert("layers.0.bias.exp_avg_sq".to_owned(), Tensor::zeros([1], tch::kind::FLOAT_CPU));
    let error = learner.optimizer.load_state(&state).unwrap_err().to_string();
    assert!(error.contains("layers.0.bias.exp_avg_sq") && error.contains("shape"), "{error}");
}
