use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use crate::domain::Device;
use crate::features::Scaler;
use crate::models::{BuildError, InputShape, Mode, Network, NetworkDesign, OutputUnit};
use crate::spec::ExperimentSpec;
use crate::torch::{
    Autocast, Generator, Scaling, TorchError, set_threads_of_this_thread, synchronize,
};
use crate::training::{Batch, Loss, Optimizer, autocast_kind};

/// Steps before time is taken: the first ones allocate and choose kernels.
const WARM_UP: u32 = 3;
/// Time is taken for at least so long, and so many steps.
const LONG_ENOUGH: Duration = Duration::from_millis(120);
const ENOUGH_STEPS: u32 = 5;

/// Samples a second that a model of this shape learns from, by a short trial on made-up windows: what is compared when a device or a batch size is to
/// be chosen. Each trial is made once per process.
#[derive(Debug, Default)]
pub(super) struct Probe {
    known: Mutex<BTreeMap<Vec<u8>, f64>>,
}

/// One for the process: a preview and the run after it must come to the same answer.
pub(super) static PROBE: Probe = Probe { known: Mutex::new(BTreeMap::new()) };

impl Probe {
    /// Samples a second at this batch size on this device, with the experiment's threads per task. Takes about a fifth of a second where it is not
    /// known yet, and sets the calling thread's libtorch thread limit.
    ///
    /// # Errors
    /// When the device has no room for it, or fails.
    pub(super) fn samples_per_second(
        &self,
        spec: &ExperimentSpec,
        features: u32,
        (device, batch): (Device, u32),
    ) -> Result<f64, TorchError> {
        let key = serde_json::to_vec(&(
            (&spec.model, spec.window, features, spec.label.outputs()),
            (device, batch, spec.resources.threads_per_task, spec.training.precision),
        ))
        .expect("plain data with string keys serialises");
        if let Some(&known) = self.known.lock().get(&key) {
            return Ok(known);
        }
        let measured = measure(spec, features, (device, batch))?;
        self.known.lock().insert(key, measured);
        Ok(measured)
    }
}

fn measure(
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
    let loss = Loss::of((spec.label, crate::spec::LossSpec::Auto), (0.0, 1.0), &[]);

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
