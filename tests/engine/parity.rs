//! Our training beside PyTorch's: from the same weights and batches, the same losses and the same weights (`tests/parity/train.py`).

#[path = "parity/cases.rs"]
mod cases;
#[path = "parity/python.rs"]
mod python;

use std::fmt;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;
use walkforge::dataset::TaskData;
use walkforge::domain::{Cancel, Device};
use walkforge::models::{InputShape, Network, NetworkDesign, OutputUnit};
use walkforge::spec::{ExperimentSpec, ScheduleSpec};
use walkforge::torch::set_threads_of_this_thread;
use walkforge::training::{Learner, TaskSeeds, train};

use crate::require_python;
use crate::support::{Silent, prepare, spec};
use cases::{COMMON, STEP_CASES, TRAIN_CASES};
use python::{Python, Request};

/// Steps of the optimizer in every comparison.
const STEPS: usize = 200;
/// How far a loss may be from PyTorch's, relatively, and a weight tensor by its norm.
const TOLERANCE: f64 = 1e-4;

/// A task on one symbol of a synthetic market, and a network with its initial weights.
struct Task {
    spec: ExperimentSpec,
    data: TaskData,
    seeds: TaskSeeds,
    network: Network,
}

impl Task {
    fn new(set: &[&str]) -> Self {
        let all: Vec<&str> = COMMON.iter().chain(set).copied().collect();
        let prepared = prepare(&spec("mlp-return", &all));
        let (task, spec) = (&prepared.plan.tasks[0], prepared.spec);
        let data = TaskData::build(&prepared.series[0], &task.fold, &spec, Device::Cpu).unwrap();
        let seeds = TaskSeeds::new(task.seed);
        let features = data.scaler().mean().len() as u32;
        let design = NetworkDesign {
            model: spec.model.clone(),
            input: InputShape { window: spec.window, features },
            scaler: data.network_scaler(),
            output: OutputUnit::of(spec.label, data.label_moments()),
        };
        let network = Network::new(design, Device::Cpu, &mut seeds.weights()).unwrap();
        Self { spec, data, seeds, network }
    }

    /// Rows of one optimizer step.
    fn step_rows(&self) -> usize {
        let training = &self.spec.training;
        (training.batch_size * training.accumulate_grad_batches) as usize
    }
}

/// How far two numbers are apart, relatively.
fn apart(ours: f64, theirs: f64) -> f64 {
    (ours - theirs).abs() / theirs.abs().max(1e-12)
}

/// The largest ‖Δw‖/‖w‖ of any tensor, with its name.
fn weights_apart(network: &Network, theirs: &[Tensor]) -> (f64, String) {
    let far = network.parameters().iter().zip(theirs).map(|(ours, theirs)| {
        let norm = |tensor: &Tensor| tensor.norm().double_value(&[]);
        let [ours_compared, theirs] =
            [&ours.tensor.detach(), theirs].map(|tensor| with_an_effect(&ours.name, tensor));
        let off = norm(&(ours_compared - &theirs)) / norm(&theirs).max(1e-12);
        (off, ours.name.clone())
    });
    far.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
}

/// The part of a tensor that the loss depends on: all of it but for the biases of an attention's keys. Those add the same to every score of a
/// query, which a softmax does not see, so their gradient is nothing but rounding, and Adam makes whole steps of it.
fn with_an_effect(name: &str, tensor: &Tensor) -> Tensor {
    if !name.ends_with("self_attn.in_proj_bias") {
        return tensor.shallow_clone();
    }
    let parts = tensor.chunk(3, 0);
    let [queries, _keys, values] = &parts[..] else { panic!("three parts of {name}") };
    Tensor::cat(&[queries, values], 0)
}

/// What came of one comparison: the largest difference of each kind.
struct Compared {
    name: String,
    loss: f64,
    norm: f64,
    weights: (f64, String),
}

impl Compared {
    fn worst(&self) -> f64 {
        // Also a NaN counts as far away, which `f64::max` would pass over.
        [self.loss, self.norm, self.weights.0].into_iter().max_by(f64::total_cmp).unwrap()
    }

    fn is_near(&self) -> bool {
        self.worst() <= TOLERANCE
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, loss, norm, weights: (weights, tensor) } = self;
        write!(
            f,
            "{name}: loss {loss:.1e}, gradient norm {norm:.1e}, weights {weights:.1e} ({tensor})"
        )
    }
}

/// Step by step, on batches drawn at random.
fn compare_steps(python: &mut Python, name: &str, set: &[&str], spoil: f64) -> Compared {
    let task = Task::new(set);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let train = task.data.train();
    let rows: Vec<i64> =
        (0..STEPS * task.step_rows()).map(|_| train[random.random_range(0..train.len())]).collect();
    let mut request = Request::new(&task, vec![rows.clone()], &[], python.folder());
    request.training.learning_rate *= spoil;
    let (answer, theirs) = python.ask(&request);

    let mut learner =
        Learner::new(&task.network, &task.data, &task.spec, (task.seeds, Device::Cpu)).unwrap();
    let (mut loss, mut norm) = (0.0_f64, 0.0_f64);
    for (step, rows) in rows.chunks(task.step_rows()).enumerate() {
        let outcome = learner.step(&task.data.index(rows).unwrap()).unwrap();
        let expected = &answer.steps[step];
        loss = farther(loss, apart(outcome.loss.double_value(&[]), expected.loss));
        norm = farther(norm, apart(outcome.gradient_norm.double_value(&[]), expected.norm));
    }
    assert_eq!(answer.steps.len(), STEPS);
    Compared { name: name.to_owned(), loss, norm, weights: weights_apart(&task.network, &theirs) }
}

/// A whole training: the order of the rows, schedules, validation and the best weights too.
fn compare_training(python: &mut Python, name: &str, set: &[&str]) -> Compared {
    let task = Task::new(set);
    let epochs = orders(&task);
    let request = Request::new(&task, epochs, task.data.validation(), python.folder());
    let (answer, theirs) = python.ask(&request);
    assert!(answer.steps.len() >= STEPS, "{name}: {} steps", answer.steps.len());

    let device = (task.seeds, Device::Cpu);
    let cancel = Cancel::new();
    let trained =
        train(&task.network, &task.data, &task.spec, device, &cancel, &mut Silent).unwrap();
    assert_eq!(trained.steps as usize, answer.steps.len(), "{name}");
    assert_eq!(trained.history.len(), answer.epochs.len(), "{name}");
    let (mut loss, mut norm) = (0.0_f64, 0.0_f64);
    for (ours, theirs) in trained.history.iter().zip(&answer.epochs) {
        loss = farther(loss, apart(ours.train_loss, theirs.train_loss));
        let validation = (ours.validation_loss.unwrap(), theirs.validation_loss.unwrap());
        loss = farther(loss, apart(validation.0, validation.1));
        let rate = apart(ours.learning_rate, theirs.learning_rate);
        assert!(
            rate < 1e-6,
            "{name}, epoch {}: learning rate {} and not {}",
            ours.epoch,
            ours.learning_rate,
            theirs.learning_rate
        );
    }
    let rates = || trained.history.iter().map(|record| record.learning_rate);
    let constant = task.spec.training.schedule == ScheduleSpec::Constant;
    assert_eq!(rates().all(|rate| rate == task.spec.training.learning_rate), constant, "{name}");
    let mean = answer.steps.chunks(answer.steps.len() / answer.epochs.len());
    for (ours, steps) in trained.history.iter().zip(mean) {
        let theirs = steps.iter().map(|step| step.norm).sum::<f64>() / steps.len() as f64;
        norm = farther(norm, apart(ours.gradient_norm, theirs));
    }
    Compared { name: name.to_owned(), loss, norm, weights: weights_apart(&task.network, &theirs) }
}

/// The larger one; a NaN is larger than any number.
fn farther(a: f64, b: f64) -> f64 {
    if a.total_cmp(&b).is_lt() || b.is_nan() { b } else { a }
}

/// The rows of every epoch in the order that training takes them.
fn orders(task: &Task) -> Vec<Vec<i64>> {
    let epochs = 1..=task.spec.training.max_epochs;
    let shuffled = epochs.map(|epoch| {
        let mut rows = task.data.train().to_vec();
        rows.shuffle(&mut task.seeds.order(epoch));
        rows
    });
    shuffled.collect()
}

#[test]
fn two_hundred_steps_and_whole_trainings_are_those_of_pytorch() {
    let interpreter = require_python!();
    set_threads_of_this_thread(1);
    let mut python = Python::start(&interpreter);
    // Something that is one percent off must be seen, or the rest shows nothing.
    let spoilt = compare_steps(&mut python, "a longer step", STEP_CASES[0].1, 1.01);
    assert!(spoilt.worst() > 10.0 * TOLERANCE, "a longer step went unnoticed");

    let mut far = Vec::new();
    for (name, set) in STEP_CASES {
        far.push(compare_steps(&mut python, name, set, 1.0));
        println!("{}", far[far.len() - 1]);
    }
    for (name, set) in TRAIN_CASES {
        far.push(compare_training(&mut python, name, set));
        println!("{}", far[far.len() - 1]);
    }
    far.retain(|compared| !compared.is_near());
    let far: Vec<&str> = far.iter().map(|compared| compared.name.as_str()).collect();
    assert!(far.is_empty(), "further than {TOLERANCE:e} from PyTorch: {far:?}");
}
