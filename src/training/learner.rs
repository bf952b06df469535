use std::collections::BTreeMap;
use std::time::Instant;

use tch::{Kind, Tensor};

use super::optimizer::{copy, overwrite};
use super::scaler::LossScaler;
use super::{Batch, Loss, Optimizer, TaskSeeds};
use crate::dataset::TaskData;
use crate::domain::{Device, StepTimes};
use crate::models::{Mode, Network};
use crate::spec::{ExperimentSpec, LossSpec, Precision};
use crate::torch::faults::{self, Place};
use crate::torch::{Autocast, Generator, Scaling, TorchError, clip_grad_norm};

/// A network with what it takes to make it learn: optimizer, loss, precision, dropout. It takes steps and knows nothing of epochs.
#[derive(Debug)]
pub struct Learner<'a> {
    network: &'a Network,
    data: &'a TaskData,
    loss: Loss,
    parameters: Vec<Tensor>,
    optimizer: Optimizer,
    dropout: Generator,
    device: Device,
    /// What matrix products are computed in, where not in f32.
    autocast: Option<Kind>,
    scaler: Option<LossScaler>,
    learning_rate: f64,
    gradient_clip_val: Option<f64>,
    /// Samples that go through the network at once.
    micro_batch: i64,
    /// `[resident rows]`, i64: when each row is decided; only where the loss compares the rows of a moment.
    moments: Option<Tensor>,
    times: StepTimes,
}

/// What one optimizer step leaves, on the device.
#[derive(Debug)]
pub struct StepOutcome {
    /// The mean loss of the step's samples before it; a scalar.
    pub loss: Tensor,
    /// The norm of the gradient before it was clipped; a scalar, 0 where the step was passed over because a half-precision gradient left its
    /// range.
    pub gradient_norm: Tensor,
}

/// A batch on the device.
struct Gathered {
    windows: Tensor,
    labels: Tensor,
    weights: Option<Tensor>,
    moments: Option<Tensor>,
}

impl Gathered {
    const fn batch(&self) -> Batch<'_> {
        Batch {
            labels: &self.labels,
            weights: self.weights.as_ref(),
            moments: self.moments.as_ref(),
        }
    }
}

impl<'a> Learner<'a> {
    /// A learner that has not taken a step yet. Nothing is random but dropout, which follows from the seeds.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn new(
        network: &'a Network,
        data: &'a TaskData,
        spec: &ExperimentSpec,
        (seeds, device): (TaskSeeds, Device),
    ) -> Result<Self, TorchError> {
        let training = &spec.training;
        let labels = if training.loss == LossSpec::BalancedCrossEntropy {
            data.label_values(data.train())?
        } else {
            Vec::new()
        };
        let loss = Loss::of((spec.label, training.loss), data.label_moments(), &labels);
        let moments = if loss == Loss::NegativeIc { Some(moments(data)?) } else { None };
        let scaler = match training.precision {
            Precision::F16 => Some(LossScaler::new(device)?),
            _ => None,
        };
        Ok(Self {
            network,
            data,
            loss,
            parameters: network
                .parameters()
                .iter()
                .map(|parameter| parameter.tensor.shallow_clone())
                .collect(),
            optimizer: Optimizer::new(network.parameters(), training)?,
            dropout: seeds.dropout(device)?,
            device,
            autocast: autocast_kind(training.precision),
            scaler,
            learning_rate: training.learning_rate,
            gradient_clip_val: training.gradient_clip_val,
            micro_batch: i64::from(training.batch_size),
            moments,
            times: StepTimes::default(),
        })
    }

    /// Where the time of the steps went; their total is the asker's.
    #[must_use]
    pub const fn times(&self) -> StepTimes {
        self.times
    }

    /// The step size of the next steps.
    pub const fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// The step size.
    #[must_use]
    pub const fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// The loss.
    #[must_use]
    pub const fn loss(&self) -> Loss {
        self.loss
    }

    pub(super) const fn micro_batch(&self) -> i64 {
        self.micro_batch
    }

    pub(super) const fn set_micro_batch(&mut self, samples: i64) {
        self.micro_batch = samples;
    }

    /// One optimizer step on these rows of the task's resident matrix, an index tensor on the device. More rows than fit into a batch go through
    /// the network in several, whose gradients add up to that of the mean over all rows.
    ///
    /// # Errors
    /// When libtorch refuses; out of memory leaves weights and optimizer as they were.
    pub fn step(&mut self, rows: &Tensor) -> Result<StepOutcome, TorchError> {
        let count = rows.size1()?;
        let (loss, gradients) = if count <= self.micro_batch || !self.loss.is_sum_over_samples() {
            let loss = self.forward(rows)?;
            let gradients = self.backward(&loss)?;
            (loss.f_detach()?, gradients)
        } else {
            self.accumulate(rows, count)?
        };
        let began = Instant::now();
        let gradient_norm = match &self.scaler {
            None => {
                let norm = clip_grad_norm(&gradients, self.gradient_clip_val)?;
                self.optimizer.step(&gradients, self.learning_rate, Scaling::default())?;
                norm
            }
            Some(scaler) => {
                let found_inf = scaler.unscale(&gradients)?;
                let norm = clip_grad_norm(&gradients, self.gradient_clip_val)?;
                let scaling = Scaling { grad_scale: None, found_inf: Some(&found_inf) };
                self.optimizer.step(&gradients, self.learning_rate, scaling)?;
                scaler.update(&found_inf)?;
                let passed_over = found_inf.f_squeeze()?.f_gt(0.0)?;
                norm.f_masked_fill(&passed_over, 0.0)?
            }
        };
        self.times.optimizer += began.elapsed().as_secs_f64();
        Ok(StepOutcome { loss, gradient_norm })
    }

    /// Gradients of the mean over all rows, gathered batch by batch.
    fn accumulate(
        &mut self,
        rows: &Tensor,
        count: i64,
    ) -> Result<(Tensor, Vec<Tensor>), TorchError> {
        let mut total = Tensor::f_zeros([0_i64; 0], (Kind::Float, rows.device()))?;
        let mut sums: Vec<Tensor> = Vec::new();
        let mut from = 0;
        while from < count {
            let size = self.micro_batch.min(count - from);
            let part = rows.f_narrow(0, from, size)?;
            let loss = self.part_of_mean(&part, count)?;
            let gradients = self.backward(&loss)?;
            let _same = total.f_add_(&loss.f_detach()?)?;
            if sums.is_empty() {
                sums = gradients;
            } else {
                for (sum, gradient) in sums.iter_mut().zip(&gradients) {
                    let _same = sum.f_add_(gradient)?;
                }
            }
            from += size;
        }
        Ok((total, sums))
    }

    /// What these rows contribute to the mean over `count` rows.
    fn part_of_mean(&mut self, rows: &Tensor, count: i64) -> Result<Tensor, TorchError> {
        let gathered = self.gather(rows)?;
        let began = Instant::now();
        let outputs = self.outputs(&gathered.windows)?;
        let loss = self.loss.sum(&outputs, &gathered.batch())?.f_div_scalar(count as f64)?;
        self.times.forward += began.elapsed().as_secs_f64();
        Ok(loss)
    }

    fn forward(&mut self, rows: &Tensor) -> Result<Tensor, TorchError> {
        let mut gathered = self.gather(rows)?;
        let began = Instant::now();
        gathered.moments = self.moments_of(rows)?;
        let outputs = self.outputs(&gathered.windows)?;
        let loss = self.loss.mean(&outputs, &gathered.batch())?;
        self.times.forward += began.elapsed().as_secs_f64();
        Ok(loss)
    }

    /// Everything of these rows that the loss needs, but for their moments.
    fn gather(&mut self, rows: &Tensor) -> Result<Gathered, TorchError> {
        faults::check(Place::Step)?;
        let began = Instant::now();
        let windows = self.data.windows(rows)?;
        let (labels, weights) = (self.data.labels(rows)?, self.data.weights(rows)?);
        self.times.data += began.elapsed().as_secs_f64();
        Ok(Gathered { windows, labels, weights, moments: None })
    }

    /// Outputs in f32, whatever they were computed in.
    fn outputs(&mut self, windows: &Tensor) -> Result<Tensor, TorchError> {
        let mut mode = Mode::Learn(&mut self.dropout);
        let Some(kind) = self.autocast else { return self.network.forward(windows, &mut mode) };
        let outputs = {
            let _lower_precision = Autocast::enter(self.device, Some(kind))?;
            self.network.forward(windows, &mut mode)?
        };
        Ok(outputs.f_to_kind(Kind::Float)?)
    }

    fn backward(&mut self, loss: &Tensor) -> Result<Vec<Tensor>, TorchError> {
        let began = Instant::now();
        let scaled = self.scaler.as_ref().map(|scaler| scaler.scale(loss)).transpose()?;
        let loss = scaled.as_ref().unwrap_or(loss);
        let gradients = Tensor::f_run_backward(&[loss], &self.parameters, false, false)?;
        self.times.backward += began.elapsed().as_secs_f64();
        Ok(gradients)
    }

    fn moments_of(&self, rows: &Tensor) -> Result<Option<Tensor>, TorchError> {
        Ok(self.moments.as_ref().map(|moments| moments.f_index_select(0, rows)).transpose()?)
    }

    /// The loss of outputs for these rows, without gradients and without the weights of samples, as validation wants it.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub fn validation_loss(&self, rows: &Tensor, outputs: &Tensor) -> Result<f64, TorchError> {
        let _no_grad = tch::no_grad_guard();
        let (labels, moments) = (self.data.labels(rows)?, self.moments_of(rows)?);
        let batch = Batch { labels: &labels, weights: None, moments: moments.as_ref() };
        Ok(self.loss.mean(outputs, &batch)?.f_double_value(&[])?)
    }

    /// Copies of the weights, in the network's order.
    pub(super) fn weights(&self) -> Result<Vec<Tensor>, TorchError> {
        self.parameters.iter().map(copy).collect()
    }

    pub(super) fn set_weights(&mut self, weights: &[Tensor]) -> Result<(), TorchError> {
        let _no_grad = tch::no_grad_guard();
        for (parameter, stored) in self.parameters.iter_mut().zip(weights) {
            parameter.f_copy_(stored)?;
        }
        Ok(())
    }

    /// Everything the next step depends on: `weights.NAME`, `optimizer.…`, `dropout`, `scaler.…`. Copies.
    pub(super) fn state(&mut self) -> Result<BTreeMap<String, Tensor>, TorchError> {
        let mut state = BTreeMap::from([("dropout".to_owned(), self.dropout.state()?)]);
        for (parameter, tensor) in self.network.parameters().iter().zip(&self.parameters) {
            state.insert(format!("weights.{}", parameter.name), copy(tensor)?);
        }
        for (name, tensor) in self.optimizer.state()? {
            state.insert(format!("optimizer.{name}"), tensor);
        }
        if let Some(scaler) = &self.scaler {
            for (name, tensor) in scaler.state()? {
                state.insert(format!("scaler.{name}"), tensor);
            }
        }
        Ok(state)
    }

    /// Goes back to what [`Self::state`] gave.
    pub(super) fn load_state(
        &mut self,
        state: &BTreeMap<String, Tensor>,
    ) -> Result<(), TorchError> {
        for (parameter, tensor) in self.network.parameters().iter().zip(&mut self.parameters) {
            overwrite(tensor, &format!("weights.{}", parameter.name), state)?;
        }
        self.optimizer.load_state(&below(state, "optimizer."))?;
        if let Some(scaler) = &mut self.scaler {
            scaler.load_state(&below(state, "scaler."))?;
        }
        let dropout = state
            .get("dropout")
            .ok_or_else(|| TorchError::Other("the stored state has no `dropout`".to_owned()))?;
        self.dropout.set_state(dropout)
    }
}

/// What matrix products are computed in, where not in f32. Tf32 is none: it is a setting of the process, which whoever starts the task has made.
#[must_use]
pub const fn autocast_kind(precision: Precision) -> Option<Kind> {
    match precision {
        Precision::F32 | Precision::Tf32 => None,
        Precision::Bf16 => Some(Kind::BFloat16),
        Precision::F16 => Some(Kind::Half),
    }
}

/// The tensors whose names begin so, without that beginning.
pub(super) fn below(state: &BTreeMap<String, Tensor>, prefix: &str) -> BTreeMap<String, Tensor> {
    let inside = |(name, tensor): (&String, &Tensor)| {
        Some((name.strip_prefix(prefix)?.to_owned(), tensor.shallow_clone()))
    };
    state.iter().filter_map(inside).collect()
}

/// When each row of the resident matrix is decided, for train and validation rows; 0 elsewhere.
fn moments(data: &TaskData) -> Result<Tensor, TorchError> {
    let rows = data.resident().offsets().last().copied().unwrap_or(0);
    let mut moments = vec![0_i64; rows as usize];
    for section in [data.train(), data.validation()] {
        for (&row, at) in section.iter().zip(data.moments(section)) {
            moments[row as usize] = at.0;
        }
    }
    data.index(&moments)
}
