mod resume;

use std::time::{Duration, Instant};

use tch::Tensor;

use super::early_stopping::EarlyStopping;
use super::evaluate::Evaluation;
use super::order::{EpochOrder, Order};
use super::schedule::Schedule;
use super::sums::Sums;
use super::{Checkpoints, Divergence, Learner, Loss, Observer, Position, Signals};
use super::{StepOutcome, TrainError, Trained, Trainer, monitor};
use crate::domain::{Determinism, Device, EpochRecord, Progress, StepTimes};
use crate::spec::Monitor;
use crate::torch::empty_cache;

/// Times a task may run short of memory before it is given up.
pub(super) const MOST_SHORTAGES: u32 = 3;
/// Shortest time between two progress reports.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// An epoch whose mean loss is so many times that of the first one has not learnt but exploded.
const EXPLODED: f64 = 1e3;

/// One training at work, from the first step or from a checkpoint to the last.
pub(super) struct Run<'a> {
    trainer: &'a Trainer<'a>,
    signals: &'a Signals,
    learner: Learner<'a>,
    evaluation: Evaluation<'a>,
    order: Order,
    /// Validation rows in the order they are evaluated, here and on the device.
    validation: (Vec<i64>, Tensor),
    at: Position,
    sums: Sums,
    best_weights: Option<Vec<Tensor>>,
    /// When this process began, or went on with, the training and the epoch.
    began: Instant,
    epoch_began: Instant,
    last_progress: Option<Instant>,
    /// Epoch and step of the checkpoint there is.
    kept: Option<(u32, u32)>,
    /// Whether this pause was asked for and no checkpoint could be kept: it is not tried again at every step.
    pause_refused: bool,
}

/// Why the batches of an epoch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EpochEnd {
    AllSeen,
    /// A limit on steps or time.
    Limit,
}

impl<'a> Run<'a> {
    pub(super) fn new(trainer: &'a Trainer<'a>, signals: &'a Signals) -> Result<Self, TrainError> {
        let Trainer { network, data, spec, seeds, device } = *trainer;
        let training = &spec.training;
        let learner = Learner::new(network, data, spec, (seeds, device))?;
        let step = training.batch_size as usize * training.accumulate_grad_batches as usize;
        let mut validation = data.validation().to_vec();
        let order = if learner.loss() == Loss::NegativeIc {
            let moments = data.moments(&validation);
            let mut places: Vec<usize> = (0..validation.len()).collect();
            places.sort_by_key(|&place| moments[place]);
            validation = places.into_iter().map(|place| validation[place]).collect();
            Order::of_moments(data, step)
        } else {
            Order::of_rows(data, step)
        };
        if order.is_empty() {
            return Err(TrainError::NothingToCompare);
        }
        let steps_per_epoch = u64::from(order.epoch(seeds, 1).steps());
        let at = Position {
            epoch: 1,
            step: 0,
            steps: 0,
            samples: 0,
            seconds: 0.0,
            epoch_seconds: 0.0,
            history: Vec::new(),
            stopping: EarlyStopping::new(
                training.patience,
                training.min_delta,
                training.monitor.is_lower_better(),
            ),
            schedule: Schedule::new(training, steps_per_epoch),
            micro_batch: learner.micro_batch(),
            shortages: 0,
            not_repeatable: None,
        };
        let index = data.index(&validation)?;
        Ok(Self {
            trainer,
            signals,
            learner,
            evaluation: Evaluation::new(network, data, device),
            order,
            validation: (validation, index),
            at,
            sums: Sums::new(device)?,
            best_weights: None,
            began: Instant::now(),
            epoch_began: Instant::now(),
            last_progress: None,
            kept: None,
            pause_refused: false,
        })
    }

    /// Epoch after epoch; whether patience ran out.
    pub(super) fn epochs(
        &mut self,
        checkpoints: &mut dyn Checkpoints,
        observer: &mut dyn Observer,
    ) -> Result<bool, TrainError> {
        let training = &self.trainer.spec.training;
        while self.at.epoch <= training.max_epochs {
            self.epoch_began = Instant::now();
            let order = self.order.epoch(self.trainer.seeds, self.at.epoch);
            let rows = self.trainer.data.index(&order.rows)?;
            let end = self.batches((&order, &rows), checkpoints, observer)?;
            let record = self.end_epoch(&order, observer)?;
            self.at.history.push(record);
            observer.epoch(record);
            if self.at.stopping.should_stop() && !self.validation.0.is_empty() {
                return Ok(self.at.epoch < training.max_epochs);
            }
            if end == EpochEnd::Limit {
                return Ok(false);
            }
            self.at.epoch += 1;
            self.at.step = 0;
            self.at.epoch_seconds = 0.0;
            self.sums.clear()?;
        }
        Ok(false)
    }

    /// The optimizer steps of an epoch that are not done yet.
    fn batches(
        &mut self,
        (order, rows): (&EpochOrder, &Tensor),
        checkpoints: &mut dyn Checkpoints,
        observer: &mut dyn Observer,
    ) -> Result<EpochEnd, TrainError> {
        while self.at.step < order.steps() {
            if self.signals.cancel.is_cancelled() {
                return Err(TrainError::Cancelled { steps: self.at.steps });
            }
            self.keep_checkpoint(checkpoints, observer)?;
            let (from, count) = order.step(self.at.step);
            let rows = rows.f_narrow(0, from, count)?;
            self.learner.set_learning_rate(self.at.schedule.learning_rate(self.at.steps));
            let outcome = self.step(&rows, observer)?;
            self.sums.add(&outcome, count)?;
            self.at.step += 1;
            self.at.steps += 1;
            self.at.samples += count.unsigned_abs();
            if let Some(first) = self.sums.look(self.at.step)? {
                return Err(self.diverged(Some((first, self.at.step)), order.steps()));
            }
            self.report(order.steps(), observer);
            if self.is_at_limit() {
                return Ok(EpochEnd::Limit);
            }
        }
        Ok(EpochEnd::AllSeen)
    }

    /// One step; where memory is short, again with half as many samples at once.
    fn step(
        &mut self,
        rows: &Tensor,
        observer: &mut dyn Observer,
    ) -> Result<StepOutcome, TrainError> {
        loop {
            let error = match self.learner.step(rows) {
                Ok(outcome) => return Ok(outcome),
                Err(error) if error.is_out_of_memory() => error,
                Err(error) => return Err(error.into()),
            };
            empty_cache(self.trainer.device);
            self.at.shortages += 1;
            let at_once = self.learner.micro_batch().min(rows.size1()?);
            if !self.learner.loss().is_sum_over_samples() {
                return Err(TrainError::OutOfMemory {
                    doing: "training",
                    message: error.to_string(),
                    advice: "this loss compares the rows of a moment and cannot be computed in parts: lower training.batch_size, or let fewer tasks run at once (resources.workers)",
                });
            }
            if self.at.shortages >= MOST_SHORTAGES || at_once <= 1 {
                return Err(TrainError::out_of_memory("training", &error));
            }
            let half = (at_once + 1) / 2;
            self.learner.set_micro_batch(half);
            self.at.micro_batch = half;
            self.at.not_repeatable.get_or_insert_with(|| {
                "memory was short, so batches were computed in parts".to_owned()
            });
            observer.warning(format!(
                "memory was short at {at_once} samples at once ({error}): each optimizer step now goes through the network in parts of {half}, \
                 with the same loss; the result is no longer repeatable bit for bit. Lower training.batch_size to make it so"
            ));
        }
    }

    /// Validates, keeps the best weights, and says how the epoch was.
    fn end_epoch(
        &mut self,
        order: &EpochOrder,
        observer: &mut dyn Observer,
    ) -> Result<EpochRecord, TrainError> {
        let epoch = self.at.epoch;
        let (from, count) = order.step(self.at.step - 1);
        let (train_loss, gradient_norm) = self.sums.means(from + count, self.at.step)?;
        for (what, value) in [("training loss", train_loss), ("gradient norm", gradient_norm)] {
            if !value.is_finite() {
                return Err(self.diverged_at(
                    (what, value),
                    Some((1, self.at.step)),
                    order.steps(),
                ));
            }
        }
        let first = self.at.history.first().map_or(train_loss, |first| first.train_loss);
        if first > 0.0 && train_loss > EXPLODED * first {
            let at = ("training loss", train_loss);
            return Err(self.diverged_at(at, Some((1, self.at.step)), order.steps()));
        }
        let (validation_loss, watched) = self.validate(observer)?;
        let monitor = self.trainer.spec.training.monitor;
        let metric = if monitor == Monitor::Loss { validation_loss } else { watched };
        let is_best = if self.validation.0.is_empty() {
            true
        } else {
            self.at.stopping.improved(epoch, metric)
        };
        if is_best {
            self.best_weights = Some(self.learner.weights()?);
        }
        // Where nothing is validated on, a plateau is one of the training loss.
        let plateau = if self.validation.0.is_empty() { Some(train_loss) } else { metric };
        self.at.schedule.epoch_ended(plateau);
        Ok(EpochRecord {
            epoch,
            train_loss,
            validation_loss,
            monitor: watched,
            learning_rate: self.learner.learning_rate(),
            gradient_norm,
            seconds: self.at.epoch_seconds + self.epoch_began.elapsed().as_secs_f64(),
            is_best,
        })
    }

    /// Loss and watched metric of the validation rows; neither where there are none.
    fn validate(
        &mut self,
        observer: &mut dyn Observer,
    ) -> Result<(Option<f64>, Option<f64>), TrainError> {
        let (rows, index) = &self.validation;
        if rows.is_empty() {
            return Ok((None, None));
        }
        let before = self.evaluation.shortages;
        let outputs = self
            .evaluation
            .outputs(index, &self.signals.cancel)
            .map_err(|error| self.with_steps(error))?;
        if self.evaluation.shortages > before {
            self.at.not_repeatable.get_or_insert_with(|| {
                "memory was short, so rows were evaluated in smaller parts".to_owned()
            });
            observer.warning(format!(
                "memory was short while validating: {} rows now go through the network at once",
                self.evaluation.batch
            ));
        }
        let loss = self.learner.validation_loss(index, &outputs)?;
        if !loss.is_finite() {
            return Err(self.diverged_at(("validation loss", loss), None, 0));
        }
        let Trainer { data, spec, .. } = *self.trainer;
        let monitor = spec.training.monitor;
        let metric = if monitor == Monitor::Loss {
            None
        } else {
            let predictions = self.evaluation.predictions(&outputs)?;
            monitor::measure(monitor, &predictions, (data, rows), spec.label)
        };
        Ok((Some(loss), metric))
    }

    /// Whether a limit on steps or time says that this was the last batch.
    fn is_at_limit(&mut self) -> bool {
        let training = &self.trainer.spec.training;
        if training.max_steps.is_some_and(|most| self.at.steps >= most) {
            return true;
        }
        let Some(minutes) = training.max_minutes else { return false };
        let over = self.at.seconds + self.began.elapsed().as_secs_f64() >= minutes * 60.0;
        if over {
            self.at.not_repeatable.get_or_insert_with(|| {
                format!("training.max_minutes = {minutes} ended it, by the clock")
            });
        }
        over
    }

    fn report(&mut self, batches: u32, observer: &mut dyn Observer) {
        if self.last_progress.is_some_and(|last| last.elapsed() < PROGRESS_INTERVAL) {
            return;
        }
        self.last_progress = Some(Instant::now());
        let seconds = self.at.seconds + self.began.elapsed().as_secs_f64();
        observer.progress(Progress {
            epoch: self.at.epoch,
            max_epochs: self.trainer.spec.training.max_epochs,
            batch: self.at.step,
            batches,
            samples_per_second: self.at.samples as f64 / seconds.max(1e-9),
            times: Some(StepTimes {
                total: self.began.elapsed().as_secs_f64(),
                ..self.learner.times()
            }),
        });
    }

    fn diverged(&self, batches: Option<(u32, u32)>, of: u32) -> TrainError {
        self.diverged_at(("training loss", self.sums.last_loss()), batches, of)
    }

    fn diverged_at(
        &self,
        (what, value): (&'static str, f64),
        batches: Option<(u32, u32)>,
        of: u32,
    ) -> TrainError {
        TrainError::Diverged(Box::new(Divergence {
            epoch: self.at.epoch,
            batches,
            of,
            what,
            value,
            learning_rate: self.learner.learning_rate(),
            last_good: self.at.history.last().map(|record| (record.epoch, record.train_loss)),
            checkpoint: self.kept,
        }))
    }

    fn with_steps(&self, error: TrainError) -> TrainError {
        match error {
            TrainError::Cancelled { .. } => TrainError::Cancelled { steps: self.at.steps },
            other => other,
        }
    }

    pub(super) fn conclude(
        mut self,
        stopped_early: bool,
        observer: &mut dyn Observer,
    ) -> Result<Trained, TrainError> {
        let last =
            *self.at.history.last().expect("max_epochs >= 1, and every epoch leaves a record");
        let best_epoch = self.at.stopping.best_epoch();
        if best_epoch.is_none() && !self.validation.0.is_empty() {
            observer.warning(format!(
                "the {} of the validation rows could not be computed in any epoch, so the last epoch's weights were kept; choose another training.monitor",
                self.trainer.spec.training.monitor.name()
            ));
            self.best_weights = None;
        }
        let best = best_epoch.map_or(last, |epoch| self.at.history[epoch as usize - 1]);
        if let Some(weights) = self.best_weights.take() {
            self.learner.set_weights(&weights)?;
        }
        let on_cpu = self.trainer.device == Device::Cpu;
        let because = self.at.not_repeatable.or_else(|| {
            (!on_cpu).then(|| "a GPU may take sums in another order each time".to_owned())
        });
        Ok(Trained {
            best,
            stopped_early,
            steps: self.at.steps,
            earlier_seconds: self.at.seconds,
            history: self.at.history,
            determinism: because
                .map_or(Determinism::BitForBit, |because| Determinism::No { because }),
        })
    }
}
