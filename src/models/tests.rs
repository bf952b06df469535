use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::{BuildError, InputShape, Mode, Network, NetworkDesign, OutputUnit};
use crate::domain::Device;
use crate::features::{FeatureMatrix, Scaler};
use crate::spec::ModelSpec;

fn design() -> NetworkDesign {
    let columns = [vec![1.0, 2.0, 3.0], vec![4.0, 4.0, 7.0]];
    let names = ["a", "b"].map(str::to_owned).to_vec();
    let matrix = FeatureMatrix::from_columns(names, &columns, 0).unwrap();
    NetworkDesign {
        model: ModelSpec::Lstm { hidden: 3, layers: 2, dropout: 0.5 },
        input: InputShape { window: 4, features: 2 },
        scaler: Scaler::fit(&matrix, &[0, 1, 2]).unwrap(),
        output: OutputUnit::Probability,
    }
}

fn weights(network: &Network) -> BTreeMap<String, Tensor> {
    let named = |parameter: &super::Parameter| (parameter.name.clone(), parameter.tensor.detach());
    network.parameters().iter().map(named).collect()
}

#[test]
fn a_network_comes_back_from_its_weights() {
    let network = Network::new(design(), Device::Cpu, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    let again = Network::from_weights(design(), Device::Cpu, weights(&network)).unwrap();
    let windows = Tensor::from_slice(&[0.5_f32; 40]).reshape([5, 4, 2]);
    assert_eq!(network.predict(&windows).unwrap(), again.predict(&windows).unwrap());
}

#[test]
fn weights_of_another_model_are_refused_by_name() {
    let network = Network::new(design(), Device::Cpu, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    let change = |change: fn(&mut BTreeMap<String, Tensor>)| {
        let mut weights = weights(&network);
        change(&mut weights);
        match Network::from_weights(design(), Device::Cpu, weights) {
            Err(BuildError::Weights(message)) => message,
            other => panic!("{other:?}"),
        }
    };
    let missing = change(|weights| drop(weights.remove("lstm.bias_hh_l1")));
    assert!(missing.contains("`lstm.bias_hh_l1` is missing"), "{missing}");
    let shape = change(|weights| {
        drop(weights.insert("head.bias".to_owned(), Tensor::from_slice(&[1.0_f32; 2])));
    });
    assert!(shape.contains("`head.bias` has shape [2], expected [1]"), "{shape}");
    let unknown =
        change(|weights| drop(weights.insert("extra".to_owned(), Tensor::from_slice(&[1.0_f32]))));
    assert!(unknown.contains("`extra` is not part of it"), "{unknown}");
}

#[test]
fn a_design_stored_before_there_were_three_classes_is_read() {
    let text = r#"{"model":{"Lstm":{"hidden":3,"layers":2,"dropout":0.5}},"input":{"window":4,"features":2},
        "scaler":{"mean":[2.0,5.0],"scale":[1.0,1.0]},"output":"probability"}"#;
    let design: NetworkDesign = serde_json::from_str(text).unwrap();
    assert_eq!((design.output, design.output.outputs()), (OutputUnit::Probability, 1));
    let text = r#"{"return":{"mean":0.5,"std":2.0}}"#;
    let output: OutputUnit = serde_json::from_str(text).unwrap();
    assert_eq!(output, OutputUnit::Return { mean: 0.5, std: 2.0 });
}

#[test]
fn three_classes_are_weighed_by_what_they_are_worth() {
    let unit = |text: &str| OutputUnit::of(ron::from_str(text).unwrap(), (0.5, 2.0));
    let flat = "Direction(horizon: 1, dead_zone: Bps(5.0), inside: Flat)";
    assert_eq!(unit(flat), OutputUnit::ThreeClass { up: 1.0, down: 1.0 });
    let barriers =
        "TripleBarrier(horizon: 4, profit_take: 3.0, stop_loss: 2.0, volatility_window: 9";
    let worth = OutputUnit::ThreeClass { up: 3.0, down: 2.0 };
    assert_eq!(unit(&format!("{barriers}, timeout: Class)")), worth);
    assert_eq!(unit(&format!("{barriers})")), OutputUnit::Probability);
    assert_eq!(unit("Direction(horizon: 1)"), OutputUnit::Probability);
    assert_eq!(unit("ForwardReturn(horizon: 1)"), OutputUnit::Return { mean: 0.5, std: 2.0 });

    let design = NetworkDesign { output: worth, ..design() };
    let network = Network::new(design, Device::Cpu, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    let windows = Tensor::from_slice(&[0.5_f32; 40]).reshape([5, 4, 2]);
    let logits = network.forward(&windows, &mut Mode::Evaluate).unwrap();
    assert_eq!(logits.size(), [5, 3]);
    assert_eq!(network.predict(&windows).unwrap().size(), [5]);
    // What is certain is worth what it is worth.
    let _no_grad = tch::no_grad_guard();
    let bias = &network.parameters().last().unwrap().tensor;
    for (class, expected) in [(0, -2.0), (1, 0.0), (2, 3.0)] {
        let mut logits = [0.0_f32; 3];
        logits[class] = 40.0;
        bias.shallow_clone().copy_(&Tensor::from_slice(&logits));
        let predicted = network.predict(&windows).unwrap().double_value(&[0]);
        assert!((predicted - expected).abs() < 1e-6, "{class}: {predicted}");
    }
}
