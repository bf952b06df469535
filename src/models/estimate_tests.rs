//! The estimate against what libtorch really allocates.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::{
    InputShape, Mode, Network, NetworkDesign, OutputUnit, estimate_evaluation_pass,
    estimate_memory, estimate_training_pass, parameter_count,
};
use crate::domain::{Bytes, Device};
use crate::features::Scaler;
use crate::spec::{Activation, ModelSpec, Tokens};
use crate::torch::{Generator, MemoryMeter};

/// How far the estimate may be off.
const TOLERANCE: f64 = 0.2;

fn network(model: &ModelSpec, input: InputShape) -> Network {
    let columns = input.features as usize;
    let scaler = serde_json::json!({ "mean": vec![0.0; columns], "scale": vec![1.0; columns] });
    let design = NetworkDesign {
        model: model.clone(),
        input,
        scaler: serde_json::from_value::<Scaler>(scaler).unwrap(),
        output: OutputUnit::Return { mean: 0.0, std: 1.0 },
    };
    Network::new(design, Device::Cpu, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
}

/// As `TaskData::windows` gathers them.
fn gather(matrix: &Tensor, rows: &Tensor, input: InputShape) -> Tensor {
    let (window, features) = (i64::from(input.window), i64::from(input.features));
    let window = Tensor::arange_start(1 - window, 1, (Kind::Int64, tch::Device::Cpu));
    let bars = rows.unsqueeze(1) + window;
    let (samples, window) = bars.size2().unwrap();
    matrix.index_select(0, &bars.flatten(0, 1)).view([samples, window, features])
}

/// The peaks of a training pass and of an evaluation pass.
fn measured(model: &ModelSpec, input: InputShape, batch: i64) -> (Bytes, Bytes) {
    let network = network(model, input);
    let matrix = Tensor::zeros([1000, i64::from(input.features)], tch::kind::FLOAT_CPU);
    let rows = Tensor::arange_start(100, 100 + batch, (Kind::Int64, tch::Device::Cpu));
    let targets = Tensor::zeros([batch], tch::kind::FLOAT_CPU);
    let weights: Vec<Tensor> =
        network.parameters().iter().map(|parameter| parameter.tensor.shallow_clone()).collect();
    let mut generator = Generator::new(Device::Cpu, 1).unwrap();

    let meter = MemoryMeter::start();
    let outputs = {
        let windows = gather(&matrix, &rows, input);
        network.forward(&windows, &mut Mode::Learn(&mut generator)).unwrap()
    };
    let loss = outputs.mse_loss(&targets, tch::Reduction::Mean);
    let gradients = Tensor::run_backward(&[&loss], &weights, false, false);
    let training = meter.peak(Device::Cpu);
    drop((outputs, loss, gradients, meter));

    let meter = MemoryMeter::start();
    let _no_grad = tch::no_grad_guard();
    drop(network.forward(&gather(&matrix, &rows, input), &mut Mode::Evaluate).unwrap());
    (training, meter.peak(Device::Cpu))
}

fn tcn(channels: &[u32], kernel_size: u32, dropout: f64) -> ModelSpec {
    ModelSpec::Tcn { channels: channels.to_vec(), kernel_size, dropout }
}

fn transformer(
    [d_model, heads, layers, feedforward]: [u32; 4],
    tokens: Tokens,
    dropout: f64,
) -> ModelSpec {
    ModelSpec::Transformer { d_model, heads, layers, feedforward, dropout, tokens }
}

/// Every family in several shapes, with dropout and without.
fn models() -> Vec<ModelSpec> {
    let mlp = |hidden: &[u32], activation, dropout| ModelSpec::Mlp {
        hidden: hidden.to_vec(),
        activation,
        dropout,
    };
    let patches = |length, stride| Tokens::Patch { length, stride };
    let mut models = vec![ModelSpec::Linear];
    for dropout in [0.0, 0.1] {
        models.extend([
            mlp(&[64, 32], Activation::Relu, dropout),
            mlp(&[48], Activation::Gelu, dropout),
            mlp(&[256, 256, 64], Activation::Tanh, dropout),
            ModelSpec::Lstm { hidden: 32, layers: 1, dropout },
            ModelSpec::Lstm { hidden: 20, layers: 2, dropout },
            ModelSpec::Lstm { hidden: 64, layers: 1, dropout },
            ModelSpec::Gru { hidden: 32, layers: 1, dropout },
            ModelSpec::Gru { hidden: 20, layers: 3, dropout },
            ModelSpec::Gru { hidden: 64, layers: 1, dropout },
            tcn(&[24], 3, dropout),
            tcn(&[12, 12, 8], 2, dropout),
            tcn(&[32, 32], 5, dropout),
            transformer([32, 4, 2, 64], Tokens::Causal, dropout),
            transformer([16, 1, 1, 128], Tokens::Causal, dropout),
            transformer([32, 2, 2, 64], patches(8, 4), dropout),
            transformer([24, 4, 1, 24], patches(4, 4), dropout),
        ]);
    }
    models
}

#[test]
fn the_estimate_is_near_the_measured_peak_for_every_model() {
    crate::torch::set_threads_of_this_thread(1);
    let mut worst = (0.0_f64, String::new());
    for model in models() {
        for (batch, window, features) in [(64, 16, 6), (512, 16, 12), (64, 64, 12), (512, 64, 6)] {
            let input = InputShape { window, features };
            let shape = (input, 1);
            let samples = batch as u64;
            let (training, evaluation) = measured(&model, input, batch);
            for (pass, estimate, peak) in [
                ("training", estimate_training_pass(&model, shape, samples), training),
                ("evaluation", estimate_evaluation_pass(&model, shape, samples), evaluation),
            ] {
                let off = estimate.0 as f64 / peak.0 as f64 - 1.0;
                let case = format!(
                    "{pass} of {model:?}, {batch} windows of {window} × {features}: estimated {estimate}, measured {peak}, {:+.1} %",
                    100.0 * off
                );
                if off.abs() > worst.0 {
                    worst = (off.abs(), case);
                }
            }
        }
    }
    println!("worst: {}", worst.1);
    assert!(worst.0 <= TOLERANCE, "{}", worst.1);
}

#[test]
fn counts_agree_with_pytorch() {
    const INPUT: InputShape = InputShape { window: 8, features: 5 };
    // sum(p.numel() for p in torch.nn.Linear(40, 1).parameters()) and so on.
    let mlp = ModelSpec::Mlp { hidden: vec![64, 32], activation: Activation::Relu, dropout: 0.1 };
    let lstm = ModelSpec::Lstm { hidden: 16, layers: 2, dropout: 0.0 };
    for (model, count, three) in [
        (ModelSpec::Linear, 41, 123),
        (mlp, 4737, 4737 + 66),
        (lstm, 1472 + 2176 + 17, 1472 + 2176 + 51),
    ] {
        assert_eq!(parameter_count(&model, INPUT, 1), count, "{model:?}");
        assert_eq!(parameter_count(&model, INPUT, 3), three, "{model:?}");
    }
}

#[test]
fn memory_grows_with_rows_batch_and_width() {
    const SHAPE: (InputShape, u32) = (InputShape { window: 8, features: 5 }, 1);
    for model in models() {
        let base = estimate_memory(&model, SHAPE, 1000, 64, 1);
        assert!(estimate_memory(&model, SHAPE, 2000, 64, 1) > base);
        assert!(estimate_memory(&model, SHAPE, 1000, 128, 1) > base);
        let (wider, outputs) = (InputShape { features: 9, ..SHAPE.0 }, SHAPE.1);
        assert!(estimate_memory(&model, (wider, outputs), 1000, 64, 1) > base);
        // The evaluation pass counts where it is the larger one, and never more rows than there are.
        assert!(estimate_memory(&model, SHAPE, 1000, 64, 1000) > base);
        assert_eq!(
            estimate_memory(&model, SHAPE, 1000, 64, 1000),
            estimate_memory(&model, SHAPE, 1000, 64, 9000)
        );
    }
}
