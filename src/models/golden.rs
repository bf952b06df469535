//! Every network against `torch.nn` (`tests/golden/make_torch.py` and `make_models.py`), and where dropout gets its randomness.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tch::Tensor;

use super::{
    Initial, InputShape, Mode, Network, NetworkDesign, OutputUnit, layout, parameter_count,
};
use crate::domain::Device;
use crate::features::Scaler;
use crate::spec::ModelSpec;
use crate::torch::Generator;

/// Largest difference from PyTorch's numbers, which are near 1.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    networks: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    model: ModelSpec,
    window: u32,
    features: u32,
    output: OutputUnit,
    scaler: Scaler,
    weights: BTreeMap<String, Values>,
    initial: Vec<Filled>,
    parameter_count: u64,
    windows: Values,
    outputs: Values,
    predictions: Values,
}

/// A tensor as `tests/golden/torch.json` holds it.
#[derive(Deserialize)]
pub(crate) struct Values {
    shape: Vec<i64>,
    values: Vec<f32>,
}

/// How PyTorch fills a tensor: one of the three.
#[derive(Deserialize)]
struct Filled {
    name: String,
    shape: Vec<i64>,
    bound: Option<f64>,
    constant: Option<f64>,
    #[serde(default)]
    norms_of_next: bool,
}

impl Filled {
    fn is(&self, ours: Initial) -> bool {
        match ours {
            Initial::Uniform { bound } => {
                self.bound.is_some_and(|theirs| (bound / theirs - 1.0).abs() < 1e-12)
            }
            Initial::Constant(value) => self.constant == Some(value),
            Initial::NormsOfNext => self.norms_of_next,
        }
    }
}

impl Values {
    pub(crate) fn tensor(&self) -> Tensor {
        Tensor::from_slice(&self.values).reshape(&self.shape)
    }
}

impl Case {
    const fn input(&self) -> InputShape {
        InputShape { window: self.window, features: self.features }
    }

    fn design(&self) -> NetworkDesign {
        NetworkDesign {
            model: self.model.clone(),
            input: self.input(),
            scaler: self.scaler.clone(),
            output: self.output,
        }
    }

    fn network(&self) -> Network {
        let weights =
            self.weights.iter().map(|(name, values)| (name.clone(), values.tensor())).collect();
        Network::from_weights(self.design(), Device::Cpu, weights).unwrap()
    }
}

fn cases() -> Vec<Case> {
    let texts = [
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/torch.json")),
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/models.json")),
    ];
    texts.iter().flat_map(|text| serde_json::from_str::<Golden>(text).unwrap().networks).collect()
}

/// The cases that have a hidden layer, all with dropout.
fn cases_with_dropout() -> impl Iterator<Item = Case> {
    cases().into_iter().filter(|case| case.model != ModelSpec::Linear)
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[])
}

fn learn(network: &Network, windows: &Tensor, seed: u64) -> Tensor {
    let mut generator = Generator::new(Device::Cpu, seed).unwrap();
    network.forward(windows, &mut Mode::Learn(&mut generator)).unwrap()
}

#[test]
fn predictions_are_those_of_torch_nn() {
    for case in cases() {
        let (network, windows) = (case.network(), case.windows.tensor());
        let outputs = network.forward(&windows, &mut Mode::Evaluate).unwrap();
        for (what, ours, theirs) in [
            ("outputs", outputs, &case.outputs),
            ("predictions", network.predict(&windows).unwrap(), &case.predictions),
        ] {
            let off = largest_difference(&ours, &theirs.tensor());
            assert!(off <= TOLERANCE, "{}: {what} differ by {off:e}", case.name);
        }
    }
}

#[test]
fn a_sample_is_predicted_alone_as_in_a_batch() {
    for case in cases() {
        let (network, windows) = (case.network(), case.windows.tensor());
        let alone: Vec<Tensor> = (0..windows.size()[0])
            .map(|sample| network.predict(&windows.narrow(0, sample, 1)).unwrap())
            .collect();
        let off = largest_difference(&Tensor::cat(&alone, 0), &case.predictions.tensor());
        assert!(off <= TOLERANCE, "{}: {off:e}", case.name);
    }
}

#[test]
fn every_family_is_among_the_cases() {
    let mut names: Vec<&str> = cases().iter().map(|case| case.model.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names, ["GRU", "LSTM", "MLP", "TCN", "Transformer", "linear"]);
}

#[test]
fn tensors_are_named_shaped_and_filled_as_in_torch_nn() {
    for case in cases() {
        let outputs = case.output.outputs();
        let ours = layout(&case.model, case.input(), outputs);
        assert_eq!(ours.len(), case.initial.len(), "{}", case.name);
        for (ours, theirs) in ours.iter().zip(&case.initial) {
            assert_eq!((&ours.name, &ours.shape), (&theirs.name, &theirs.shape), "{}", case.name);
            assert!(theirs.is(ours.initial), "{}: {:?}", ours.name, ours.initial);
        }
        assert_eq!(parameter_count(&case.model, case.input(), outputs), case.parameter_count);
    }
}

#[test]
fn initial_weights_fill_their_bounds_evenly() {
    for case in cases() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        // Drawn so often that the statistics say something even of a bias of one value.
        let mut shares = BTreeMap::<String, Vec<f64>>::new();
        for _ in 0..300 {
            let network = Network::new(case.design(), Device::Cpu, &mut random).unwrap();
            let parameters = network.parameters();
            for (index, initial) in case.initial.iter().enumerate() {
                let tensor = &parameters[index].tensor;
                assert_eq!(tensor.size(), initial.shape);
                assert!(tensor.requires_grad());
                if let Some(bound) = initial.bound {
                    let values = Vec::<f32>::try_from(tensor.detach().flatten(0, -1)).unwrap();
                    let share = values.into_iter().map(|value| f64::from(value) / bound);
                    shares.entry(initial.name.clone()).or_default().extend(share);
                } else {
                    let expected = match initial.constant {
                        Some(value) => tensor.full_like(value),
                        None => norms_by_torch(&parameters[index + 1].tensor),
                    };
                    assert!(largest_difference(tensor, &expected) <= 1e-6, "{}", initial.name);
                }
            }
        }
        for (name, shares) in shares {
            let count = shares.len() as f64;
            let mean = shares.iter().sum::<f64>() / count;
            let square = shares.iter().map(|share| share * share).sum::<f64>() / count;
            let largest = shares.iter().fold(0.0_f64, |most, share| most.max(share.abs()));
            // Of uniform shares in -1 to 1: mean 0 ± √(1/3n), mean square 1/3 ± √(4/45n); five deviations.
            assert!(mean.abs() < 5.0 / (3.0 * count).sqrt(), "{name}: mean {mean}");
            assert!((square - 1.0 / 3.0).abs() < 5.0 * (4.0 / 45.0 / count).sqrt(), "{name}");
            assert!((0.95..=1.0 + 1e-6).contains(&largest), "{name}: largest {largest}");
        }
    }
}

/// The norms that a weight normalisation begins with, as PyTorch's own function computes them.
fn norms_by_torch(direction: &Tensor) -> Tensor {
    Tensor::norm_except_dim(direction, 2, 0)
}

#[test]
fn dropout_is_off_in_evaluation_and_follows_from_its_generator_in_learning() {
    for case in cases_with_dropout() {
        let (network, windows) = (case.network(), case.windows.tensor());
        let evaluate = || network.forward(&windows, &mut Mode::Evaluate).unwrap();
        let first = evaluate();
        let learnt = learn(&network, &windows, 1);
        assert!(learnt != first, "{}: no dropout in learning", case.name);
        assert!(learnt == learn(&network, &windows, 1), "{}: same generator", case.name);
        assert!(learnt != learn(&network, &windows, 2), "{}: other generator", case.name);
        assert!(first == evaluate(), "{}: evaluation remembers", case.name);
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "shows that the shared generator is left alone")]
fn dropout_leaves_the_shared_generator_alone() {
    for case in cases_with_dropout() {
        let (network, windows) = (case.network(), case.windows.tensor());
        let next_draw_after = |work: &dyn Fn()| {
            tch::manual_seed(11);
            work();
            Tensor::rand([8], (tch::Kind::Float, tch::Device::Cpu))
        };
        let untouched = || {
            let without = next_draw_after(&|| {});
            let with = next_draw_after(&|| {
                let output = learn(&network, &windows, 1);
                output.sum(tch::Kind::Float).requires_grad_(true).backward();
            });
            with == without
        };
        // Another test may draw from it in between; a draw of dropout's own would show every time.
        assert!((0..50).any(|_| untouched()), "{}", case.name);
    }
}
