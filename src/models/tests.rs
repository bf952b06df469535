use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::{BuildError, InputShape, Network, NetworkDesign, OutputUnit};
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
