//! A small task to train, whoever watches it, and checkpoints in memory.

use std::sync::Arc;

use tch::Tensor;

use crate::dataset::{Series, TaskData};
use crate::domain::{Cancel, Device, EpochRecord, FoldPlan, Length, Progress};
use crate::market::synthetic_bars;
use crate::models::{InputShape, Network, NetworkDesign, OutputUnit};
use crate::spec::{
    Assignment, ExperimentSpec, SyntheticMarket, SyntheticSpec, ValidationSpec, apply, load,
};
use crate::torch::set_threads_of_this_thread;
use crate::training::{
    Checkpoint, Checkpoints, Observer, Signals, TaskSeeds, TrainError, Trained, Trainer, train,
};
use crate::validation::{Reach, decision_axis, folds};

/// A small experiment on a market with a signal; 300 train rows a symbol, dropout on.
fn experiment(set: &[&str]) -> ExperimentSpec {
    let common = [
        "window=3",
        r#"model={"Mlp":{"hidden":[12],"activation":"Tanh","dropout":0.3}}"#,
        "training.max_epochs=3",
        "training.batch_size=64",
        "training.patience=null",
    ];
    let assignments: Vec<Assignment> =
        common.iter().chain(set).map(|text| text.parse().unwrap()).collect();
    let mut spec = apply(&load("mlp-return").unwrap(), &assignments).unwrap();
    spec.validation = ValidationSpec::WalkForward {
        anchored: false,
        train: Length::Bars(300),
        validation: Length::Bars(100),
        test: Length::Bars(50),
        step: None,
        embargo: Length::Bars(0),
        max_folds: None,
    };
    spec
}

/// Data and fold of so many symbols.
pub(super) struct Fixture {
    pub(super) spec: ExperimentSpec,
    pub(super) data: TaskData,
}

impl Fixture {
    pub(super) fn new(set: &[&str], symbols: usize) -> Self {
        Self::with_fold(set, symbols, |fold| fold)
    }

    pub(super) fn with_fold(
        set: &[&str],
        symbols: usize,
        change: impl Fn(FoldPlan) -> FoldPlan,
    ) -> Self {
        set_threads_of_this_thread(1);
        let spec = experiment(set);
        let market =
            SyntheticSpec { market: SyntheticMarket::Planted { ic: 0.3 }, bars: 700, seed: 3 };
        let series: Vec<Arc<Series>> = (0..symbols)
            .map(|symbol| {
                let symbol = format!("S{symbol}").parse().unwrap();
                let bars = synthetic_bars(&market, &symbol, "1h".parse().unwrap()).unwrap().bars;
                Arc::new(Series::prepare(&bars, &spec).unwrap())
            })
            .collect();
        let decisions: Vec<_> = series.iter().map(|series| series.decision()).collect();
        let reach = Reach { horizon: spec.label.horizon(), back: 51 };
        let fold = folds(&decision_axis(&decisions), &spec.validation, reach).unwrap();
        let fold = change(fold.into_iter().next().unwrap());
        let data = TaskData::build(&series, &fold, &spec, Device::Cpu).unwrap();
        Self { spec, data }
    }

    pub(super) fn network(&self) -> Network {
        let design = NetworkDesign {
            model: self.spec.model.clone(),
            input: InputShape {
                window: self.spec.window,
                features: self.data.scaler().mean().len() as u32,
            },
            scaler: self.data.network_scaler(),
            output: OutputUnit::of(self.spec.label, self.data.label_moments()),
        };
        Network::new(design, Device::Cpu, &mut SEEDS.weights()).unwrap()
    }

    /// Trains to the end without interruption.
    pub(super) fn train(&self, observer: &mut Watcher) -> Result<(Network, Trained), TrainError> {
        let network = self.network();
        let cancel = Cancel::new();
        let trained =
            train(&network, &self.data, &self.spec, (SEEDS, Device::Cpu), &cancel, observer)?;
        Ok((network, trained))
    }

    pub(super) fn trained(&self) -> (Vec<Vec<u32>>, Trained) {
        let (network, trained) = self.train(&mut Watcher::default()).unwrap();
        (bits(&network), trained)
    }

    pub(super) fn fails(&self) -> (TrainError, Watcher) {
        let mut watcher = Watcher::default();
        (self.train(&mut watcher).unwrap_err(), watcher)
    }
}

pub(super) const SEEDS: TaskSeeds = TaskSeeds::new(77);

pub(super) fn bits(network: &Network) -> Vec<Vec<u32>> {
    let of = |tensor: &Tensor| {
        let values: Vec<f32> = tensor.detach().flatten(0, -1).try_into().unwrap();
        values.into_iter().map(f32::to_bits).collect()
    };
    network.parameters().iter().map(|parameter| of(&parameter.tensor)).collect()
}

/// A history without the time it took.
pub(super) fn timeless(trained: &Trained) -> Vec<EpochRecord> {
    trained.history.iter().map(|record| EpochRecord { seconds: 0.0, ..*record }).collect()
}

#[derive(Default)]
pub(super) struct Watcher {
    pub(super) epochs: usize,
    pub(super) warnings: Vec<String>,
}

impl Observer for Watcher {
    fn progress(&mut self, _: Progress) {}

    fn epoch(&mut self, _: EpochRecord) {
        self.epochs += 1;
    }

    fn warning(&mut self, message: String) {
        self.warnings.push(message);
    }
}

/// Keeps the newest checkpoint in memory, and asks for one and a pause before the steps it is told.
#[derive(Default)]
pub(super) struct InMemory {
    pub(super) kept: Option<Checkpoint>,
    pub(super) full: bool,
    /// Optimizer steps between two checkpoints; 0 for none.
    pub(super) every: u32,
    pub(super) since: u32,
}

impl Checkpoints for InMemory {
    fn is_due(&mut self) -> bool {
        self.since += 1;
        if self.every == 0 || self.since < self.every {
            return false;
        }
        self.since = 0;
        true
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), String> {
        if self.full {
            return Err("the disk is full".to_owned());
        }
        let copy = |tensor: &Tensor| crate::training::optimizer::copy(tensor).unwrap();
        self.kept = Some(Checkpoint {
            // As a file holds it.
            position: serde_json::from_str(&serde_json::to_string(&checkpoint.position).unwrap())
                .unwrap(),
            tensors: checkpoint.tensors.iter().map(|(name, t)| (name.clone(), copy(t))).collect(),
        });
        Ok(())
    }

    fn newest(&mut self) -> Option<Checkpoint> {
        self.kept.take()
    }
}

/// Trains, interrupted before every so many steps: each time with a new network and nothing left in memory but the checkpoint. How often it began,
/// too.
pub(super) fn interrupted(fixture: &Fixture, every: u32) -> (Vec<Vec<u32>>, Trained, usize) {
    let mut keeper = InMemory { every, ..InMemory::default() };
    for began in 1.. {
        let network = fixture.network();
        if began > 1 {
            // Other weights than the first time: all of them must come from the checkpoint.
            let _no_grad = tch::no_grad_guard();
            for parameter in network.parameters() {
                let _same = parameter.tensor.shallow_clone().fill_(0.5);
            }
        }
        let signals = Signals::default();
        let trainer = Trainer {
            network: &network,
            data: &fixture.data,
            spec: &fixture.spec,
            seeds: SEEDS,
            device: Device::Cpu,
        };
        let mut pausing = PauseWhenDue { keeper: &mut keeper, signals: &signals };
        match trainer.run(&signals, &mut pausing, &mut Watcher::default()) {
            Ok(trained) => return (bits(&network), trained, began),
            Err(TrainError::Paused { steps }) => assert!(steps > 0),
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("the counter has no end")
}

/// Asks for a pause where a checkpoint is due.
struct PauseWhenDue<'a> {
    keeper: &'a mut InMemory,
    signals: &'a Signals,
}

impl Checkpoints for PauseWhenDue<'_> {
    fn is_due(&mut self) -> bool {
        if self.keeper.is_due() {
            self.signals.pause.pause();
        }
        false
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), String> {
        self.keeper.keep(checkpoint)
    }

    fn newest(&mut self) -> Option<Checkpoint> {
        self.keeper.newest()
    }
}
