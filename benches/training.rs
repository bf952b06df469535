//! Seconds per optimizer step of the real training loop, beside the same loop in PyTorch (`peers/train_step.py`), one thread each.

mod peers;

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use walkforge::dataset::TaskData;
use walkforge::domain::{Cancel, Device, EpochRecord, Progress};
use walkforge::models::{InputShape, Network, NetworkDesign, OutputUnit};
use walkforge::spec::{ExperimentSpec, ModelSpec, apply, load};
use walkforge::torch::set_threads_of_this_thread;
use walkforge::training::{Observer, TaskSeeds, Trained, train};
use walkforge::workbench::plan;

use peers::{Peer, is_comparing, is_measuring, medians, report};

/// Preset, its changes, and epochs of one measurement (about a second).
const CASES: [(&str, &str, u32); 2] = [
    ("mlp-return", r#"model={"Mlp":{"hidden":[64,32],"activation":"Relu","dropout":0.1}}"#, 100),
    ("lstm-direction", r#"model={"Lstm":{"hidden":64,"layers":1,"dropout":0.1}}"#, 3),
];

/// A task of a preset, ready to be trained again and again.
struct Bench {
    spec: ExperimentSpec,
    data: TaskData,
    seeds: TaskSeeds,
}

/// What the peer needs to know to do the same work.
#[derive(Serialize)]
struct Request<'a> {
    model: &'a ModelSpec,
    window: u32,
    features: usize,
    batch_size: u32,
    train_rows: usize,
    validation_rows: usize,
    learning_rate: f64,
    weight_decay: f64,
    gradient_clip_val: Option<f64>,
    epochs: u32,
}

#[derive(Deserialize)]
struct Answer {
    steps: u64,
    seconds: f64,
}

impl Bench {
    fn new(preset: &str, model: &str) -> Result<Self> {
        let (train, validation, bars) =
            if is_measuring() { (3000, 500, 4200) } else { (200, 60, 400) };
        let set = [
            model.to_owned(),
            format!("data.source.bars={bars}"),
            r#"data.symbols=["SYN_A"]"#.to_owned(),
            format!("validation.train={train}"),
            format!("validation.validation={validation}"),
            "validation.test=60".to_owned(),
            "validation.max_folds=1".to_owned(),
            "training.patience=null".to_owned(),
            "resources.device=cpu".to_owned(),
        ];
        let set: Vec<_> = set
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()
            .map_err(anyhow::Error::msg)?;
        let prepared = plan(&apply(&load(preset)?, &set)?, &Cancel::new())?;
        let task = prepared.plan.tasks.first().context("one fold fits")?;
        let spec = prepared.spec;
        let data = TaskData::build(&prepared.series[0], &task.fold, &spec, task.device)?;
        Ok(Self { spec, data, seeds: TaskSeeds::new(task.seed) })
    }

    /// Trains a new network for so many epochs.
    fn train(&self, epochs: u32) -> Result<(Trained, Duration)> {
        let mut spec = self.spec.clone();
        spec.training.max_epochs = epochs;
        let design = NetworkDesign {
            model: spec.model.clone(),
            input: InputShape { window: spec.window, features: self.features() as u32 },
            scaler: self.data.scaler().clone(),
            output: OutputUnit::of(spec.label, self.data.label_moments()),
        };
        let network = Network::new(design, Device::Cpu, &mut ChaCha8Rng::seed_from_u64(1))?;
        let device = (self.seeds, Device::Cpu);
        let began = Instant::now();
        let trained = train(&network, &self.data, &spec, device, &Cancel::new(), &mut Silent)?;
        Ok((trained, began.elapsed()))
    }

    fn features(&self) -> usize {
        self.data.scaler().mean().len()
    }

    fn steps_per_epoch(&self) -> u64 {
        self.data.rows().train.div_ceil(u64::from(self.spec.training.batch_size))
    }

    fn request(&self, epochs: u32) -> Request<'_> {
        let training = &self.spec.training;
        Request {
            model: &self.spec.model,
            window: self.spec.window,
            features: self.features(),
            batch_size: training.batch_size,
            train_rows: self.data.train().len(),
            validation_rows: self.data.validation().len(),
            learning_rate: training.learning_rate,
            weight_decay: training.weight_decay,
            gradient_clip_val: training.gradient_clip_val,
            epochs,
        }
    }
}

/// Watches nothing.
struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: Progress) {}
    fn epoch(&mut self, _: EpochRecord) {}
}

fn compare(bench: &Bench, epochs: u32) -> Result<()> {
    let mut peer = Peer::start("train_step.py")?;
    let [(ours, theirs)] = medians(
        || {
            let (trained, elapsed) = bench.train(epochs)?;
            Ok([elapsed.as_secs_f64() / trained.steps as f64])
        },
        || {
            let answer: Answer = peer.ask(&bench.request(epochs))?;
            Ok([answer.seconds / answer.steps as f64])
        },
    )?;
    let millis = |seconds: f64| format!("{:.3} ms/step", seconds * 1e3);
    let what = format!("training {}", bench.spec.model.name());
    report(&what, "PyTorch", (millis(ours), millis(theirs)), theirs / ours);
    Ok(())
}

fn main() -> Result<()> {
    set_threads_of_this_thread(1);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("training");
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(5));
    for (preset, model, epochs) in CASES {
        let bench = Bench::new(preset, model)?;
        // One iteration is one epoch, with its validation pass; one element is one optimizer step.
        group.throughput(Throughput::Elements(bench.steps_per_epoch()));
        let chosen = Cell::new(false);
        group.bench_function(BenchmarkId::new("epoch", bench.spec.model.name()), |bencher| {
            chosen.set(true);
            bencher.iter_custom(|epochs| {
                let epochs = u32::try_from(epochs).unwrap_or(u32::MAX);
                bench.train(epochs).expect("the synthetic market can be learnt").1
            });
        });
        if chosen.get() && is_comparing() {
            compare(&bench, epochs)?;
        }
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}
