use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::{Batch, Loss, Optimizer, autocast_kind};
use crate::domain::Device;
use crate::features::Scaler;
use crate::models::{BuildError, InputShape, Mode, Network, NetworkDesign, OutputUnit};
use crate::spec::{ExperimentSpec, LossSpec};
use crate::torch::{
    Autocast, Generator, Scaling, TorchError, set_threads_of_this_thread, synchronize,
};

/// Steps before time is taken: the first ones allocate and choose kernels.
const WARM_UP: u32 = 3;
/// Time is taken for at least so long, and so many steps.
const LONG_ENOUGH: Duration = Duration::from_millis(120);
const ENOUGH_STEPS: u32 = 5;

/// Samples a second that the experiment's model learns from at this batch size, by a short trial on made-up windows; with the experiment's precision
/// and threads per task. Takes about a fifth of a second and sets the calling thread's libtorch thread limit.
///
/// # Errors
/// When the device has no room for it, has no such arithmetic, or fails.
pub fn samples_per_second(
    spec: &ExperimentSpec,
    features: u32,
    (device, batch): (Device, u32),
) -> Result<f64, TorchError> {
    set_threads_of_this_thread(spec.resources.threads_per_task);
    let output = OutputUnit::of(spec.label, (0.0, 1.0));
    let design = NetworkDesign {
        model: spec.model.clone(),
        input: InputShape { window: spec.window, features },
        scaler: Scaler::identity(features as usize),
        output,
    };
    let network = Network::new(design, device, &mut ChaCha8Rng::seed_from_u64(1)).map_err(
        |error| match error {
            BuildError::Torch(error) => error,
            BuildError::Weights(message) => TorchError::Other(message),
        },
    )?;
    let parameters: Vec<Tensor> =
        network.parameters().iter().map(|parameter| parameter.tensor.shallow_clone()).collect();
    let mut optimizer = Optimizer::new(network.parameters(), &spec.training)?;
    let mut dropout = Generator::new(device, 1)?;
    let place = (Kind::Float, crate::torch::device(device));
    let shape = [i64::from(batch), i64::from(spec.window), i64::from(features)];
    // Waves instead of random numbers: the same for every trial, and of about a scaled feature's size.
    let windows = Tensor::f_arange(shape.iter().product::<i64>(), place)?.f_sin()?.f_view(shape)?;
    let labels = Tensor::f_zeros([i64::from(batch)], place)?;
    let loss = Loss::of((spec.label, LossSpec::Auto), (0.0, 1.0), &[]);

    let mut step = || -> Result<(), TorchError> {
        let outputs = {
            let lower = autocast_kind(spec.training.precision);
            let _lower_precision =
                lower.map(|kind| Autocast::enter(device, Some(kind))).transpose()?;
            network.forward(&windows, &mut Mode::Learn(&mut dropout))?.f_to_kind(Kind::Float)?
        };
        let loss = loss.mean(&outputs, &Batch::of(&labels))?;
        let gradients = Tensor::f_run_backward(&[&loss], &parameters, false, false)?;
        optimizer.step(&gradients, spec.training.learning_rate, Scaling::default())
    };
    for _ in 0..WARM_UP {
        step()?;
    }
    synchronize(device)?;
    let began = Instant::now();
    let mut steps = 0;
    while steps < ENOUGH_STEPS || began.elapsed() < LONG_ENOUGH {
        step()?;
        steps += 1;
        if steps % ENOUGH_STEPS == 0 {
            synchronize(device)?;
        }
    }
    synchronize(device)?;
    Ok(f64::from(steps) * f64::from(batch) / began.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Assignment, apply, load};

    #[test]
    fn every_kind_of_model_and_label_can_be_tried() {
        for set in [
            r#"model="Linear""#,
            r#"label={"Direction":{"horizon":2}}"#,
            r#"training.optimizer={"Sgd":{"momentum":0.9}}"#,
            r#"training.precision="Bf16""#,
        ] {
            let set: Assignment = set.parse().unwrap();
            let spec = apply(&load("mlp-return").unwrap(), &[set]).unwrap();
            let rate = samples_per_second(&spec, 5, (Device::Cpu, 32)).unwrap();
            assert!(rate.is_finite() && rate > 0.0, "{rate}");
        }
    }
}
