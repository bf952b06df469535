use super::run::Run;
use super::{Checkpoints, NoCheckpoints, TaskSeeds, TrainError};
use crate::dataset::TaskData;
use crate::domain::{Cancel, Determinism, Device, EpochRecord, Pause, Progress};
use crate::models::Network;
use crate::spec::ExperimentSpec;

/// Who watches training. Called on the training thread: must return at once.
pub trait Observer {
    /// About ten times a second.
    fn progress(&mut self, progress: Progress);
    /// After every epoch.
    fn epoch(&mut self, record: EpochRecord);
    /// Something the user should know; training goes on.
    fn warning(&mut self, _message: String) {}
}

/// What training leaves besides the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// One record per epoch.
    pub history: Vec<EpochRecord>,
    /// The record of the epoch whose weights were kept.
    pub best: EpochRecord,
    /// Whether patience ran out before `max_epochs`.
    pub stopped_early: bool,
    /// Optimizer steps.
    pub steps: u64,
    /// Seconds spent training before the checkpoint that this training went on from; 0 where it went on from none.
    pub earlier_seconds: f64,
    /// Whether the same training gives the same bits again.
    pub determinism: Determinism,
}

/// One training to be done. The result depends on these alone: not on other tasks, the observer or the clock, unless the specification limits
/// the time or memory runs short.
#[derive(Debug, Clone, Copy)]
pub struct Trainer<'a> {
    /// What learns; its weights are changed in place.
    pub network: &'a Network,
    /// What it learns from.
    pub data: &'a TaskData,
    /// How.
    pub spec: &'a ExperimentSpec,
    /// Everything random.
    pub seeds: TaskSeeds,
    /// Where.
    pub device: Device,
}

/// What may end or interrupt training from outside.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// Give up.
    pub cancel: Cancel,
    /// Keep a checkpoint and give the device back.
    pub pause: Pause,
}

/// Trains without checkpoints: see [`Trainer::run`].
///
/// # Errors
/// As [`Trainer::run`].
pub fn train(
    network: &Network,
    data: &TaskData,
    spec: &ExperimentSpec,
    (seeds, device): (TaskSeeds, Device),
    cancel: &Cancel,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    let signals = Signals { cancel: cancel.clone(), pause: Pause::default() };
    let trainer = Trainer { network, data, spec, seeds, device };
    trainer.run(&signals, &mut NoCheckpoints, observer)
}

impl Trainer<'_> {
    /// Trains the network on the task's train rows and leaves it with the weights of the best epoch: the last one whose watched metric was better
    /// than every best before it by more than `min_delta`; without validation rows, of the last epoch. Goes on from the newest checkpoint where
    /// there is one, and then gives the same bits as if it had never stopped.
    ///
    /// # Errors
    /// [`TrainError`]; the network's weights are then of no use.
    pub fn run(
        &self,
        signals: &Signals,
        checkpoints: &mut dyn Checkpoints,
        observer: &mut dyn Observer,
    ) -> Result<Trained, TrainError> {
        let mut run = Run::new(self, signals)?;
        if let Some(checkpoint) = checkpoints.newest() {
            run.go_on_from(&checkpoint)
                .map_err(|error| TrainError::Checkpoint(error.to_string()))?;
        }
        let stopped_early = run.epochs(checkpoints, observer)?;
        run.conclude(stopped_early, observer)
    }
}
