use std::fmt;
use std::sync::Arc;

use tch::{Kind, Tensor};

use super::scaling::SeriesScalers;
use super::{Fitted, Resident, Series, SeriesScaler, TaskCut};
use crate::domain::{Device, FoldPlan, Symbol, TaskRows};
use crate::features::{Scaler, ScalerError};
use crate::labels::class_in_fold;
use crate::spec::ExperimentSpec;
use crate::torch::TorchError;

/// A part of a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Learnt from.
    Train,
    /// Seen by early stopping.
    Validation,
    /// Seen once.
    Test,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// Why a task has no data to work on.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A section has no usable row left.
    #[error(
        "the {section} section has no usable row of {symbols}; warm-up, broken windows, the purge and the dead zone took them all: \
             lower `window` or feature lookbacks, or make the {section} section longer (`validation`)"
    )]
    EmptySection {
        /// Which part.
        section: Section,
        /// Whose rows.
        symbols: String,
    },
    /// The scaler found a value it cannot use.
    #[error(transparent)]
    Scaler(#[from] ScalerError),
    /// libtorch refused.
    #[error(transparent)]
    Torch(#[from] TorchError),
}

impl From<tch::TchError> for DatasetError {
    fn from(error: tch::TchError) -> Self {
        Self::Torch(error.into())
    }
}

/// The test rows of one series.
#[derive(Debug, Clone)]
pub struct TestRows {
    /// Whose.
    pub series: Arc<Series>,
    /// Rows of the series, in time order.
    pub rows: Vec<u32>,
    /// The same rows in the task's resident matrix.
    resident: Vec<i64>,
}

impl TestRows {
    /// The rows' places in the task's resident matrix, for [`TaskData::windows`].
    #[must_use]
    pub fn resident(&self) -> &[i64] {
        &self.resident
    }
}

/// Everything one task needs: the unscaled matrix of its series on its device, which it shares with other folds, and which rows belong where.
#[derive(Debug)]
pub struct TaskData {
    resident: Resident,
    /// `[window]`: `-(window - 1) ..= 0`.
    window: Tensor,
    /// Rows of the resident matrix.
    train: Vec<i64>,
    validation: Vec<i64>,
    test: Vec<TestRows>,
    rows: TaskRows,
    dead_zone: Option<f64>,
    /// `[rows]`, f32, where the fold itself decides on a row's class: inside the dead zone or not. Else those of the resident.
    own_labels: Option<Tensor>,
    /// Of all series together.
    scaler: Scaler,
    /// Where each series has its own.
    own_scalers: Option<SeriesScalers>,
    label_moments: (f64, f64),
    /// `[rows]`, f32: those of train rows are filled in.
    weights: Option<Tensor>,
}

impl TaskData {
    /// Cuts the fold out of the series and builds its data: see [`TaskCut::of`] and [`Self::build_from`].
    ///
    /// # Errors
    /// As [`Self::build_from`].
    pub fn build(
        series: &[Arc<Series>],
        fold: &FoldPlan,
        spec: &ExperimentSpec,
        device: Device,
    ) -> Result<Self, DatasetError> {
        let cut = TaskCut::of(series, fold, spec.label);
        Self::build_from(series, &cut, spec, Resident::new(series, device)?)
    }

    /// Fits scaler, the label's moments and weights on train rows alone. `resident` holds the same series, in the same order.
    ///
    /// # Errors
    /// [`DatasetError::EmptySection`] when nothing is left to learn from or to test on; libtorch's own when the device has no room.
    pub fn build_from(
        series: &[Arc<Series>],
        cut: &TaskCut,
        spec: &ExperimentSpec,
        resident: Resident,
    ) -> Result<Self, DatasetError> {
        let rows = cut.rows();
        check_not_empty(series, rows, cut.only_train)?;
        let fitted = Fitted::of(series, cut, spec)?;
        let own_scalers = if fitted.own_scalers.is_empty() {
            None
        } else {
            Some(SeriesScalers::new(fitted.own_scalers, &resident.offsets, resident.device)?)
        };
        let place = |part: usize, rows: &[u32]| -> Vec<i64> {
            rows.iter().map(|&row| i64::from(row) + resident.offsets[part]).collect()
        };
        let (mut train, mut validation) = (Vec::new(), Vec::new());
        let mut test = Vec::with_capacity(series.len());
        for (part, (series, sections)) in series.iter().zip(&cut.sections).enumerate() {
            train.extend(place(part, &sections.train));
            validation.extend(place(part, &sections.validation));
            test.push(TestRows {
                series: Arc::clone(series),
                rows: sections.test.clone(),
                resident: place(part, &sections.test),
            });
        }
        let weights = fitted
            .weights
            .map(|weights| {
                let weights: Vec<f32> =
                    weights.into_iter().flatten().map(|weight| weight as f32).collect();
                let rows = Tensor::f_from_slice(&train)?.f_to(resident.device)?;
                let weights = Tensor::f_from_slice(&weights)?.f_to(resident.device)?;
                resident.labels.f_zeros_like()?.f_index_copy(0, &rows, &weights)
            })
            .transpose()?;
        let own_labels = if spec.label.has_flat_class() {
            let labels: Vec<f32> =
                series.iter().flat_map(|series| cut.labels(series, spec.label)).collect();
            Some(Tensor::f_from_slice(&labels)?.f_to(resident.device)?)
        } else {
            None
        };
        let window = i64::from(spec.window);
        let kind = (Kind::Int64, resident.device);
        Ok(Self {
            window: Tensor::f_arange_start(1 - window, 1, kind)?,
            train,
            validation,
            test,
            rows,
            dead_zone: fitted.dead_zone,
            own_labels,
            scaler: fitted.scaler,
            own_scalers,
            label_moments: fitted.label_moments,
            weights,
            resident,
        })
    }

    /// Rows by section.
    #[must_use]
    pub const fn rows(&self) -> TaskRows {
        self.rows
    }

    /// Fitted on the train rows of all series together.
    #[must_use]
    pub const fn scaler(&self) -> &Scaler {
        &self.scaler
    }

    /// Each series' own scaler, in their order; empty where all share one.
    #[must_use]
    pub fn series_scalers(&self) -> &[SeriesScaler] {
        self.own_scalers.as_ref().map_or(&[], |own| own.scalers.as_slice())
    }

    /// What the network has to do to what [`Self::windows`] gives it: scale it, or, where each series has its own scaler, leave it as it is.
    #[must_use]
    pub fn network_scaler(&self) -> Scaler {
        match self.own_scalers {
            Some(_) => Scaler::identity(self.scaler.mean().len()),
            None => self.scaler.clone(),
        }
    }

    /// The absolute outcome up to which train and validation rows were left out, or are a class of their own; `None` where the label has no dead
    /// zone.
    #[must_use]
    pub const fn dead_zone(&self) -> Option<f64> {
        self.dead_zone
    }

    /// Mean and population standard deviation of the train labels; the latter is 1 where the label never changes.
    #[must_use]
    pub const fn label_moments(&self) -> (f64, f64) {
        self.label_moments
    }

    /// Train rows of the resident matrix.
    #[must_use]
    pub fn train(&self) -> &[i64] {
        &self.train
    }

    /// Validation rows of the resident matrix.
    #[must_use]
    pub fn validation(&self) -> &[i64] {
        &self.validation
    }

    /// Test rows, one entry per series.
    #[must_use]
    pub fn test(&self) -> &[TestRows] {
        &self.test
    }

    /// The rows' own bars, scaled, their outcomes and labels: what a baseline without a window learns from.
    #[must_use]
    pub fn latest(&self, rows: &[i64]) -> LatestRows {
        let mut latest = LatestRows::default();
        for &row in rows {
            let part = self.resident.offsets.partition_point(|&offset| offset <= row) - 1;
            let series = &self.test[part].series;
            let local = (row - self.resident.offsets[part]) as usize;
            let scaler = self.series_scalers().get(part).map_or(&self.scaler, |own| &own.scaler);
            let from = latest.features.len();
            latest.features.extend_from_slice(series.matrix().row(local));
            scaler.transform(&mut latest.features[from..]);
            latest.outcomes.push(series.labels().outcome[local]);
            let dead_zone = self.dead_zone.filter(|_| self.own_labels.is_some());
            let (label, outcome) = (series.labels().value[local], series.labels().outcome[local]);
            latest.labels.push(f64::from(class_in_fold(label, outcome, dead_zone)));
        }
        latest
    }

    /// Row numbers as an index tensor on the device.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn index(&self, rows: &[i64]) -> Result<Tensor, TorchError> {
        Ok(Tensor::f_from_slice(rows)?.f_to(self.resident.device)?)
    }

    /// Gathers the windows `[rows, window, features]` that end at these rows of the resident matrix, as the network takes them: raw, or scaled
    /// where each series has its own scaler. Scaled or not, they are made for these rows and forgotten after them.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn windows(&self, rows: &Tensor) -> Result<Tensor, TorchError> {
        let windows = self.raw_windows(rows)?;
        match &self.own_scalers {
            Some(own) => own.scale(&windows, rows),
            None => Ok(windows),
        }
    }

    /// Gathers the unscaled windows `[rows, window, features]` that end at these rows of the resident matrix.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn raw_windows(&self, rows: &Tensor) -> Result<Tensor, TorchError> {
        let matrix = &self.resident.matrix;
        let bars = rows.f_unsqueeze(1)?.f_add(&self.window)?;
        let (samples, window) = bars.size2()?;
        let features = matrix.size2()?.1;
        Ok(matrix.f_index_select(0, &bars.f_flatten(0, 1)?)?.f_view([samples, window, features])?)
    }

    /// Gathers the labels `[rows]` of these rows, as the label defines them in this fold.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn labels(&self, rows: &Tensor) -> Result<Tensor, TorchError> {
        Ok(self.own_labels.as_ref().unwrap_or(&self.resident.labels).f_index_select(0, rows)?)
    }

    /// Gathers the weights `[rows]` of these train rows, 1 on average over all of them; `None` where every row counts alike.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn weights(&self, rows: &Tensor) -> Result<Option<Tensor>, TorchError> {
        Ok(self.weights.as_ref().map(|weights| weights.f_index_select(0, rows)).transpose()?)
    }

    /// The matrix on the device that it shares with other folds.
    #[must_use]
    pub const fn resident(&self) -> &Resident {
        &self.resident
    }
}

/// Rows as a model without a window sees them, on the host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LatestRows {
    /// Scaled features of each row's own bar, row-major.
    pub features: Vec<f32>,
    /// The return of each row, a fraction.
    pub outcomes: Vec<f64>,
    /// The label of each row, as it defines itself in this fold; NaN where there is none.
    pub labels: Vec<f64>,
}

fn check_not_empty(
    series: &[Arc<Series>],
    rows: TaskRows,
    only_train: bool,
) -> Result<(), DatasetError> {
    for (section, rows) in [
        (Section::Train, rows.train),
        (Section::Validation, rows.validation),
        (Section::Test, rows.test),
    ] {
        let is_needed = section == Section::Train || !only_train;
        if rows == 0 && is_needed {
            let symbols: Vec<&Symbol> = series.iter().map(|series| series.symbol()).collect();
            let symbols = symbols.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(DatasetError::EmptySection { section, symbols });
        }
    }
    Ok(())
}
