//! A task of a preset on one synthetic symbol, ready to be trained again and again.

#![allow(dead_code, reason = "no bench uses every helper, so `expect` would fail in some")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use walkforge::dataset::TaskData;
use walkforge::domain::{Cancel, Device, EpochRecord, Progress, Stage};
use walkforge::models::{InputShape, Network, NetworkDesign, OutputUnit};
use walkforge::spec::{ExperimentSpec, ModelSpec, apply, load};
use walkforge::training::{Observer, TaskSeeds, TrainError, Trained, train};
use walkforge::workbench::{TaskObserver, plan};

/// What is trained and on what.
pub struct Bench {
    pub spec: ExperimentSpec,
    data: TaskData,
    seeds: TaskSeeds,
}

/// What a peer needs to know to do the same work on numbers of its own.
#[derive(Debug, Clone, Serialize)]
pub struct Work {
    pub model: ModelSpec,
    pub window: u32,
    pub features: usize,
    /// Whether the label is a class.
    pub is_binary: bool,
    pub batch_size: u32,
    pub train_rows: u64,
    pub validation_rows: u64,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub gradient_clip_val: Option<f64>,
    pub epochs: u32,
}

/// A preset with these fields set, on one symbol and the CPU, without early stopping.
pub fn spec_of(preset: &str, set: &[String]) -> Result<ExperimentSpec> {
    let common = [
        r#"data.symbols=["SYN_A"]"#.to_owned(),
        "training.patience=null".to_owned(),
        "resources.device=cpu".to_owned(),
        "resources.threads_per_task=1".to_owned(),
    ];
    let set: Vec<_> = common
        .iter()
        .chain(set)
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map_err(anyhow::Error::msg)?;
    Ok(apply(&load(preset)?, &set)?)
}

impl Bench {
    /// One fold of so many train and validation rows.
    pub fn new(preset: &str, model: &str, (train, validation): (u32, u32)) -> Result<Self> {
        let set = [
            format!("model={model}"),
            format!("data.source.bars={}", train + validation + 700),
            format!("validation.train={train}"),
            format!("validation.validation={validation}"),
            "validation.test=60".to_owned(),
            "validation.max_folds=1".to_owned(),
        ];
        let prepared = plan(&spec_of(preset, &set)?, &Cancel::new())?;
        let task = prepared.plan.tasks.first().context("one fold fits")?;
        let spec = prepared.spec;
        let data = TaskData::build(&prepared.series[0], &task.fold, &spec, task.device)?;
        Ok(Self { spec, data, seeds: TaskSeeds::new(task.seed) })
    }

    /// Trains a new network for so many epochs, or until it is cancelled.
    pub fn train_until(
        &self,
        epochs: u32,
        cancel: &Cancel,
    ) -> Result<(Trained, Duration), TrainError> {
        let mut spec = self.spec.clone();
        spec.training.max_epochs = epochs;
        let design = NetworkDesign {
            model: spec.model.clone(),
            input: InputShape { window: spec.window, features: self.features() as u32 },
            scaler: self.data.network_scaler(),
            output: OutputUnit::of(spec.label, self.data.label_moments()),
        };
        let network = Network::new(design, Device::Cpu, &mut ChaCha8Rng::seed_from_u64(1))
            .expect("a small network fits");
        let device = (self.seeds, Device::Cpu);
        let began = Instant::now();
        let trained = train(&network, &self.data, &spec, device, cancel, &mut Silent)?;
        Ok((trained, began.elapsed()))
    }

    /// Trains a new network for so many epochs.
    pub fn train(&self, epochs: u32) -> Result<(Trained, Duration)> {
        Ok(self.train_until(epochs, &Cancel::new())?)
    }

    /// Optimizer steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.data.rows().train.div_ceil(u64::from(self.spec.training.batch_size))
    }

    /// The same work for a peer.
    pub fn work(&self, epochs: u32) -> Work {
        let rows = self.data.rows();
        work_of(&self.spec, self.features(), (rows.train, rows.validation), epochs)
    }

    fn features(&self) -> usize {
        self.data.scaler().mean().len()
    }
}

/// Work on so many train and validation rows.
pub fn work_of(
    spec: &ExperimentSpec,
    features: usize,
    (train_rows, validation_rows): (u64, u64),
    epochs: u32,
) -> Work {
    let training = &spec.training;
    Work {
        model: spec.model.clone(),
        window: spec.window,
        features,
        is_binary: spec.label.is_binary(),
        batch_size: training.batch_size,
        train_rows,
        validation_rows,
        learning_rate: training.learning_rate,
        weight_decay: training.weight_decay,
        gradient_clip_val: training.gradient_clip_val,
        epochs,
    }
}

/// Watches nothing.
pub struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: Progress) {}
    fn epoch(&mut self, _: EpochRecord) {}
}

impl TaskObserver for Silent {
    fn stage(&mut self, _: Stage) {}
}
