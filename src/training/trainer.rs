use std::time::{Duration, Instant};

use rand::seq::SliceRandom;
use tch::{Kind, Tensor};

use super::adamw::copy;
use super::early_stopping::EarlyStopping;
use super::{AdamW, Loss, TaskSeeds};
use crate::dataset::TaskData;
use crate::domain::{Cancel, Device, EpochRecord, Progress};
use crate::models::{Mode, Network, OutputUnit};
use crate::spec::{ExperimentSpec, LabelSpec};
use crate::torch::{TorchError, clip_grad_norm};

/// Samples in a forward pass that records no gradients.
pub const EVALUATION_BATCH: u32 = 4096;
/// Shortest time between two progress reports.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Who watches training. Called on the training thread: must return at once.
pub trait Observer {
    /// About ten times a second.
    fn progress(&mut self, progress: Progress);
    /// After every epoch.
    fn epoch(&mut self, record: EpochRecord);
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
}

/// Why training ended without a model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Somebody asked to stop.
    #[error("cancelled after {steps} steps")]
    Cancelled {
        /// Optimizer steps taken before; 0 where nothing was learning.
        steps: u64,
    },
    /// The loss left the numbers.
    #[error(
        "epoch {epoch}: the {which} loss is {loss}: training diverged; lower training.learning_rate, set \
             training.gradient_clip_val, or look for extreme values in the data (`walkforge data inspect`)"
    )]
    Diverged {
        /// When.
        epoch: u32,
        /// `training` or `validation`.
        which: &'static str,
        /// NaN or infinite.
        loss: f64,
    },
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] TorchError),
}

impl From<tch::TchError> for TrainError {
    fn from(error: tch::TchError) -> Self {
        Self::Torch(error.into())
    }
}

/// The unit in which a network trained for this label predicts.
#[must_use]
pub const fn output_unit(label: LabelSpec, moments: (f64, f64)) -> OutputUnit {
    OutputUnit::of(label, moments)
}

/// Trains the network on the task's train rows and leaves it with the weights of the best epoch: the last one whose validation loss was
/// lower than every best before it by more than `min_delta`.
///
/// The result depends on the arguments alone: not on other tasks, the observer or the clock.
///
/// # Errors
/// [`TrainError`]; the network's weights are then of no use.
pub fn train(
    network: &Network,
    data: &TaskData,
    spec: &ExperimentSpec,
    (seeds, device): (TaskSeeds, Device),
    cancel: &Cancel,
    observer: &mut dyn Observer,
) -> Result<Trained, TrainError> {
    let training = &spec.training;
    let loss = Loss::of(spec.label, data.label_moments());
    let mut loop_ = Loop {
        network,
        data,
        loss,
        parameters: network
            .parameters()
            .iter()
            .map(|parameter| parameter.tensor.shallow_clone())
            .collect(),
        optimizer: AdamW::new(network.parameters(), training)?,
        dropout: seeds.dropout(device)?,
        cancel,
        batch_size: i64::from(training.batch_size),
        gradient_clip_val: training.gradient_clip_val,
        max_epochs: training.max_epochs,
        started: Instant::now(),
        last_progress: None,
        samples: 0,
        steps: 0,
    };
    let mut order = seeds.order();
    let mut rows = data.train().to_vec();
    let validation = data.index(data.validation())?;
    let mut stopping = EarlyStopping::new(training.patience, training.min_delta);
    let mut best_weights = loop_.copy_weights()?;
    let mut history: Vec<EpochRecord> = Vec::new();

    for epoch in 1..=training.max_epochs {
        let began = Instant::now();
        rows.shuffle(&mut order);
        let (train_loss, gradient_norm) = loop_.epoch(epoch, &data.index(&rows)?, observer)?;
        finite(epoch, "training", train_loss)?;
        let validation_loss = loop_.evaluate(&validation)?;
        finite(epoch, "validation", validation_loss)?;
        let is_best = stopping.improved(epoch, validation_loss);
        if is_best {
            best_weights = loop_.copy_weights()?;
        }
        let record = EpochRecord {
            epoch,
            train_loss,
            validation_loss: Some(validation_loss),
            monitor: None,
            learning_rate: loop_.optimizer.learning_rate(),
            gradient_norm,
            seconds: began.elapsed().as_secs_f64(),
            is_best,
        };
        history.push(record);
        observer.epoch(record);
        if stopping.should_stop() {
            break;
        }
    }
    loop_.restore_weights(&best_weights)?;
    let best_epoch =
        stopping.best_epoch().expect("max_epochs >= 1 and the first finite loss is the best");
    Ok(Trained {
        best: history[best_epoch as usize - 1],
        stopped_early: history.len() < training.max_epochs as usize,
        steps: loop_.steps,
        history,
    })
}

fn finite(epoch: u32, which: &'static str, loss: f64) -> Result<(), TrainError> {
    if loss.is_finite() { Ok(()) } else { Err(TrainError::Diverged { epoch, which, loss }) }
}

struct Loop<'a> {
    network: &'a Network,
    data: &'a TaskData,
    loss: Loss,
    parameters: Vec<Tensor>,
    optimizer: AdamW,
    dropout: crate::torch::Generator,
    cancel: &'a Cancel,
    batch_size: i64,
    gradient_clip_val: Option<f64>,
    max_epochs: u32,
    started: Instant,
    last_progress: Option<Instant>,
    samples: u64,
    steps: u64,
}

impl Loop<'_> {
    /// One pass over the rows; the mean loss and the mean gradient norm. Sums stay on the device until the end of the epoch, so that a GPU
    /// is never waited for in between.
    fn epoch(
        &mut self,
        epoch: u32,
        rows: &Tensor,
        observer: &mut dyn Observer,
    ) -> Result<(f64, f64), TrainError> {
        let count = rows.size1()?;
        let batches = (count + self.batch_size - 1) / self.batch_size;
        let mut loss_sum = Tensor::f_zeros([0_i64; 0], (Kind::Double, rows.device()))?;
        let mut norm_sum = loss_sum.f_zeros_like()?;
        for batch in 0..batches {
            if self.cancel.is_cancelled() {
                return Err(TrainError::Cancelled { steps: self.steps });
            }
            let size = self.batch_size.min(count - batch * self.batch_size);
            let rows = rows.f_narrow(0, batch * self.batch_size, size)?;
            let outputs = self
                .network
                .forward(&self.data.windows(&rows)?, &mut Mode::Learn(&mut self.dropout))?;
            let (labels, weights) = (self.data.labels(&rows)?, self.data.weights(&rows)?);
            let loss = self.loss.mean(&outputs, &labels, weights.as_ref())?;
            let gradients = Tensor::f_run_backward(&[&loss], &self.parameters, false, false)?;
            let norm = clip_grad_norm(&gradients, self.gradient_clip_val)?;
            self.optimizer.step(&gradients)?;

            let weighted = loss.f_detach()?.f_to_kind(Kind::Double)?.f_mul_scalar(size as f64)?;
            let _same = loss_sum.f_add_(&weighted)?;
            let _same = norm_sum.f_add_(&norm.f_to_kind(Kind::Double)?)?;
            self.steps += 1;
            self.samples += size.unsigned_abs();
            self.report(epoch, batch + 1, batches, observer);
        }
        Ok((
            loss_sum.f_double_value(&[])? / count as f64,
            norm_sum.f_double_value(&[])? / batches as f64,
        ))
    }

    fn report(&mut self, epoch: u32, batch: i64, batches: i64, observer: &mut dyn Observer) {
        if self.last_progress.is_some_and(|last| last.elapsed() < PROGRESS_INTERVAL) {
            return;
        }
        self.last_progress = Some(Instant::now());
        let count = |batches| u32::try_from(batches).unwrap_or(u32::MAX);
        observer.progress(Progress {
            epoch,
            max_epochs: self.max_epochs,
            batch: count(batch),
            batches: count(batches),
            samples_per_second: self.samples as f64
                / self.started.elapsed().as_secs_f64().max(1e-9),
        });
    }

    fn evaluate(&self, rows: &Tensor) -> Result<f64, TrainError> {
        let _no_grad = tch::no_grad_guard();
        let count = rows.size1()?;
        let mut sum = 0.0;
        let mut start = 0;
        while start < count {
            if self.cancel.is_cancelled() {
                return Err(TrainError::Cancelled { steps: self.steps });
            }
            let size = i64::from(EVALUATION_BATCH).min(count - start);
            let rows = rows.f_narrow(0, start, size)?;
            let outputs = self.network.forward(&self.data.windows(&rows)?, &mut Mode::Evaluate)?;
            let loss = self.loss.mean(&outputs, &self.data.labels(&rows)?, None)?;
            sum += loss.f_double_value(&[])? * size as f64;
            start += size;
        }
        Ok(sum / count as f64)
    }

    fn copy_weights(&self) -> Result<Vec<Tensor>, TorchError> {
        self.parameters.iter().map(|parameter| copy(&parameter.f_detach()?)).collect()
    }

    fn restore_weights(&mut self, weights: &[Tensor]) -> Result<(), TorchError> {
        let _no_grad = tch::no_grad_guard();
        for (parameter, stored) in self.parameters.iter_mut().zip(weights) {
            parameter.f_copy_(stored)?;
        }
        Ok(())
    }
}

/// Predictions for rows of the task's resident matrix, in the output's unit and in the rows' order.
///
/// # Errors
/// [`TrainError::Cancelled`], or libtorch's own error.
pub fn predict(
    network: &Network,
    data: &TaskData,
    rows: &[i64],
    cancel: &Cancel,
) -> Result<Vec<f64>, TrainError> {
    let mut predictions = Vec::with_capacity(rows.len());
    for rows in rows.chunks(EVALUATION_BATCH as usize) {
        if cancel.is_cancelled() {
            return Err(TrainError::Cancelled { steps: 0 });
        }
        let batch = network.predict(&data.windows(&data.index(rows)?)?)?;
        let values: Vec<f32> = batch.f_to(tch::Device::Cpu)?.try_into()?;
        predictions.extend(values.into_iter().map(f64::from));
    }
    Ok(predictions)
}
