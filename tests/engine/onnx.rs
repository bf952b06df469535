//! ONNX files say in onnxruntime what the network says here: every family in every unit, with weights drawn at random.

use std::path::Path;
use std::process::Command;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tch::{Kind, Tensor};
use walkforge::domain::Device;
use walkforge::export::{OnnxTexts, onnx};
use walkforge::features::{FeatureMatrix, Scaler};
use walkforge::models::{InputShape, Network, NetworkDesign, OutputUnit};
use walkforge::spec::ModelSpec;

use crate::require_python;

const WINDOW: u32 = 9;
const FEATURES: u32 = 5;
const SAMPLES: i64 = 300;

/// Every family, with sizes that would show a mistaken dimension: none equals another, and some do not divide the window.
const MODELS: [(&str, &str); 16] = [
    ("linear", "Linear"),
    ("mlp-relu", "Mlp(hidden: [16, 7], activation: Relu, dropout: 0.1)"),
    ("mlp-gelu", "Mlp(hidden: [16, 7], activation: Gelu, dropout: 0.0)"),
    ("mlp-tanh", "Mlp(hidden: [11], activation: Tanh, dropout: 0.0)"),
    ("lstm-1", "Lstm(hidden: 12, layers: 1, dropout: 0.0)"),
    ("lstm-3", "Lstm(hidden: 12, layers: 3, dropout: 0.2)"),
    ("gru-1", "Gru(hidden: 13, layers: 1, dropout: 0.0)"),
    ("gru-3", "Gru(hidden: 13, layers: 3, dropout: 0.2)"),
    ("tcn-1", "Tcn(channels: [5], kernel_size: 2, dropout: 0.0)"),
    ("tcn-3", "Tcn(channels: [13, 8, 8], kernel_size: 3, dropout: 0.2)"),
    ("causal-1", "Transformer(d_model: 12, heads: 3, layers: 1, feedforward: 10, dropout: 0.0)"),
    ("causal-2", "Transformer(d_model: 8, heads: 2, layers: 2, feedforward: 16, dropout: 0.2)"),
    ("causal-odd", "Transformer(d_model: 7, heads: 1, layers: 1, feedforward: 9, dropout: 0.0)"),
    (
        "patch-overlapping",
        "Transformer(d_model: 8, heads: 4, layers: 2, feedforward: 6, dropout: 0.0, tokens: Patch(length: 4, stride: 2))",
    ),
    (
        "patch-apart",
        "Transformer(d_model: 6, heads: 2, layers: 1, feedforward: 8, dropout: 0.0, tokens: Patch(length: 2, stride: 2))",
    ),
    (
        "patch-whole",
        "Transformer(d_model: 6, heads: 3, layers: 1, feedforward: 8, dropout: 0.0, tokens: Patch(length: 9, stride: 9))",
    ),
];

const UNITS: [(&str, OutputUnit); 3] = [
    ("return", OutputUnit::Return { mean: -0.2, std: 0.7 }),
    ("probability", OutputUnit::Probability),
    ("three", OutputUnit::ThreeClass { up: 2.0, down: 1.5 }),
];

/// A scaler whose columns differ by orders of magnitude.
fn scaler() -> Scaler {
    let rows: Vec<u32> = (0..50).collect();
    let columns: Vec<Vec<f64>> = (0..FEATURES)
        .map(|column| {
            let unit = 10_f64.powi(column as i32 - 2);
            rows.iter().map(|row| unit * (f64::from(*row * (column + 3)).sin() + 1.5)).collect()
        })
        .collect();
    let names = (0..FEATURES).map(|column| format!("f{column}")).collect();
    Scaler::fit(&FeatureMatrix::from_columns(names, &columns, 0).unwrap(), &rows).unwrap()
}

fn network(model: &str, output: OutputUnit) -> Network {
    let model: ModelSpec = ron::from_str(model).unwrap();
    let input = InputShape { window: WINDOW, features: FEATURES };
    let design = NetworkDesign { model, input, scaler: scaler(), output };
    let network = Network::new(design, Device::Cpu, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
    // Livelier than fresh ones, which say nearly the same to everything, so that a mistake would be seen.
    tch::no_grad(|| {
        for parameter in network.parameters() {
            let _same = parameter.tensor.shallow_clone().g_mul_scalar_(2.0);
        }
    });
    network
}

/// Raw windows in the columns' own units.
fn windows(network: &Network) -> Tensor {
    let row = |values: &[f64]| Tensor::from_slice(values).to_kind(Kind::Float);
    let scaler = &network.design().scaler;
    let shape = [SAMPLES, i64::from(WINDOW), i64::from(FEATURES)];
    let cells: i64 = shape.iter().product();
    let wave = (Tensor::arange(cells, (Kind::Float, tch::Device::Cpu)) * 1.7).sin() * 2.0;
    wave.view(shape) * row(scaler.scale()) + row(scaler.mean())
}

fn write_f32(path: &Path, tensor: &Tensor) {
    let values: Vec<f32> = tensor.flatten(0, -1).try_into().unwrap();
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn onnxruntime_gives_the_networks_own_predictions() {
    let python = require_python!();
    let folder = tempfile::tempdir().unwrap();
    for (name, model) in MODELS {
        for (unit, output) in UNITS {
            let network = network(model, output);
            let texts = OnnxTexts {
                about: format!("{name} in {unit}"),
                metadata: vec![("features".to_owned(), "f0,f1".to_owned())],
                ..OnnxTexts::default()
            };
            let path = folder.path().join(format!("{name}.{unit}.onnx"));
            std::fs::write(&path, onnx(&network, texts).unwrap()).unwrap();
            let windows = windows(&network);
            write_f32(&path.with_extension("input.f32"), &windows);
            write_f32(&path.with_extension("expected.f32"), &network.predict(&windows).unwrap());
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/check_onnx.py");
    let checked = Command::new(&python).arg("-B").arg(script).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{said}");
    assert!(!said.contains("[W:onnxruntime"), "the runtime warns: {said}");
    let lines = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(lines.lines().count(), MODELS.len() * UNITS.len());
    let mut worst = 0.0_f64;
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let name = line["name"].as_str().unwrap();
        for batch in ["1", "3", "257"] {
            let difference = line["differences"][batch].as_f64().unwrap();
            // Of outputs far from 1, as those of a TCN here, f32 keeps fewer places behind the point.
            let difference = difference / line["largest"].as_f64().unwrap().max(1.0);
            assert!(difference <= 1e-5, "{name} at batch size {batch}: {difference:e}");
            worst = worst.max(difference);
        }
        assert!(line["spread"].as_f64().unwrap() > 1e-3, "{name} says the same to everything");
        assert_eq!((line["opset"].as_i64(), line["ir_version"].as_i64()), (Some(17), Some(8)));
        assert_eq!(
            line["input"],
            serde_json::json!(["features", "tensor(float)", ["batch", "9", "5"]])
        );
        assert_eq!(line["output"], serde_json::json!(["prediction", "tensor(float)", ["batch"]]));
        assert_eq!(line["metadata"]["features"], "f0,f1");
        assert!(line["doc"].as_str().unwrap().contains(" in "));
    }
    println!("largest difference of {} files: {worst:e}", lines.lines().count());
}
