use std::fmt;
use std::sync::Arc;

use tch::{Kind, Tensor};

use super::Series;
use crate::domain::{Device, FoldPlan, Symbol, TaskRows};
use crate::features::{FeatureMatrix, Scaler, ScalerError};
use crate::torch::TorchError;
use crate::validation::{Sections, sections};

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
        "fold {fold}: the {section} section ({span}) has no usable row of {symbols}; warm-up, broken windows and the purge took them all: \
             lower `window` or feature lookbacks, or raise validation.{section}_bars"
    )]
    EmptySection {
        /// The fold.
        fold: u32,
        /// Which part.
        section: Section,
        /// Where it lies.
        span: String,
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

/// The test rows of one symbol.
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

/// Everything one task needs, resident on its device: the unscaled matrix of its symbols, the labels, and which rows belong where.
#[derive(Debug)]
pub struct TaskData {
    device: tch::Device,
    /// `[rows, features]`, f32, unscaled.
    matrix: Tensor,
    /// `[rows]`, f32, as the label defines them; NaN where there is none.
    labels: Tensor,
    /// `[window]`: `-(window - 1) ..= 0`.
    window: Tensor,
    features: i64,
    train: Vec<i64>,
    validation: Vec<i64>,
    test: Vec<TestRows>,
    /// Where each symbol's rows begin in the resident matrix, in the order of `test`.
    offsets: Vec<i64>,
    purged: u64,
    scaler: Scaler,
    label_moments: (f64, f64),
}

impl TaskData {
    /// The rows each section would have, without building anything: what the planner needs.
    #[must_use]
    pub fn count_rows(series: &[Arc<Series>], fold: &FoldPlan) -> TaskRows {
        let parts: Vec<Sections> = series.iter().map(|series| cut(series, fold)).collect();
        let sum = |rows: fn(&Sections) -> usize| parts.iter().map(|part| rows(part) as u64).sum();
        TaskRows {
            train: sum(|part| part.train.len()),
            validation: sum(|part| part.validation.len()),
            test: sum(|part| part.test.len()),
            purged: sum(|part| part.purged),
        }
    }

    /// Cuts the fold out of the series, fits the scaler and the label's moments on train rows alone, and moves the data to the device.
    ///
    /// # Errors
    /// [`DatasetError::EmptySection`] when nothing is left to learn from or to test on; libtorch's own when the device has no room.
    pub fn build(
        series: &[Arc<Series>],
        fold: &FoldPlan,
        window: u32,
        device: Device,
    ) -> Result<Self, DatasetError> {
        let parts: Vec<Sections> = series.iter().map(|series| cut(series, fold)).collect();
        check_not_empty(series, &parts, fold)?;

        let matrices: Vec<(&FeatureMatrix, &[u32])> = series
            .iter()
            .zip(&parts)
            .map(|(series, part)| (series.matrix(), part.train.as_slice()))
            .collect();
        let scaler = Scaler::fit_pooled(&matrices)?;
        let label_moments = moments(series.iter().zip(&parts).flat_map(|(series, part)| {
            part.train.iter().map(|&row| f64::from(series.labels().value[row as usize]))
        }));

        let mut train = Vec::new();
        let mut validation = Vec::new();
        let mut test = Vec::with_capacity(series.len());
        let mut offset = 0_i64;
        let mut offsets = Vec::with_capacity(series.len());
        for (series, part) in series.iter().zip(&parts) {
            let resident = |rows: &[u32]| rows.iter().map(|&row| i64::from(row) + offset).collect();
            train.extend::<Vec<i64>>(resident(&part.train));
            validation.extend::<Vec<i64>>(resident(&part.validation));
            test.push(TestRows {
                series: Arc::clone(series),
                rows: part.test.clone(),
                resident: resident(&part.test),
            });
            offsets.push(offset);
            offset += series.matrix().rows() as i64;
        }

        let place = crate::torch::device(device);
        let features = matrices.first().map_or(0, |(matrix, _)| matrix.cols() as i64);
        let on_host = matrices
            .iter()
            .map(|(matrix, _)| Tensor::f_from_slice(matrix.as_slice())?.f_reshape([-1, features]))
            .collect::<Result<Vec<_>, TorchError>>()?;
        let labels = series
            .iter()
            .map(|series| Tensor::f_from_slice(&series.labels().value))
            .collect::<Result<Vec<_>, TorchError>>()?;
        Ok(Self {
            device: place,
            matrix: Tensor::f_cat(&on_host, 0)?.f_to(place)?,
            labels: Tensor::f_cat(&labels, 0)?.f_to(place)?,
            window: Tensor::f_arange_start(1 - i64::from(window), 1, (Kind::Int64, place))?,
            features,
            train,
            validation,
            test,
            offsets,
            purged: parts.iter().map(|part| part.purged as u64).sum(),
            scaler,
            label_moments,
        })
    }

    /// Rows by section.
    #[must_use]
    pub fn rows(&self) -> TaskRows {
        TaskRows {
            train: self.train.len() as u64,
            validation: self.validation.len() as u64,
            test: self.test.iter().map(|test| test.rows.len() as u64).sum(),
            purged: self.purged,
        }
    }

    /// Fitted on the train rows of all symbols.
    #[must_use]
    pub const fn scaler(&self) -> &Scaler {
        &self.scaler
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

    /// Test rows, one entry per symbol.
    #[must_use]
    pub fn test(&self) -> &[TestRows] {
        &self.test
    }

    /// The rows' own bars, scaled, and their outcomes: what a baseline without a window learns from.
    #[must_use]
    pub fn latest(&self, rows: &[i64]) -> LatestRows {
        let mut latest = LatestRows::default();
        for &row in rows {
            let part = self.offsets.partition_point(|&offset| offset <= row) - 1;
            let series = &self.test[part].series;
            let local = (row - self.offsets[part]) as usize;
            let from = latest.features.len();
            latest.features.extend_from_slice(series.matrix().row(local));
            self.scaler.transform(&mut latest.features[from..]);
            latest.outcomes.push(series.labels().outcome[local]);
        }
        latest
    }

    /// Row numbers as an index tensor on the device.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn index(&self, rows: &[i64]) -> Result<Tensor, TorchError> {
        Tensor::f_from_slice(rows)?.f_to(self.device)
    }

    /// Gathers the raw windows `[rows, window, features]` that end at these rows of the resident matrix.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn windows(&self, rows: &Tensor) -> Result<Tensor, TorchError> {
        let bars = rows.f_unsqueeze(1)?.f_add(&self.window)?;
        let (samples, window) = bars.size2()?;
        self.matrix.f_index_select(0, &bars.f_flatten(0, 1)?)?.f_view([
            samples,
            window,
            self.features,
        ])
    }

    /// Gathers the labels `[rows]` of these rows, as the label defines them.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn labels(&self, rows: &Tensor) -> Result<Tensor, TorchError> {
        self.labels.f_index_select(0, rows)
    }
}

/// Rows as a model without a window sees them, on the host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LatestRows {
    /// Scaled features of each row's own bar, row-major.
    pub features: Vec<f32>,
    /// The forward return of each row, a fraction.
    pub outcomes: Vec<f64>,
}

fn cut(series: &Series, fold: &FoldPlan) -> Sections {
    sections(fold, series.decision(), &series.labels().end_time, series.usable())
}

fn check_not_empty(
    series: &[Arc<Series>],
    parts: &[Sections],
    fold: &FoldPlan,
) -> Result<(), DatasetError> {
    for (section, span, rows) in [
        (Section::Train, fold.train, parts.iter().map(|part| part.train.len()).sum::<usize>()),
        (
            Section::Validation,
            fold.validation,
            parts.iter().map(|part| part.validation.len()).sum(),
        ),
        (Section::Test, fold.test, parts.iter().map(|part| part.test.len()).sum()),
    ] {
        if rows == 0 {
            let symbols: Vec<&Symbol> = series.iter().map(|series| series.symbol()).collect();
            let symbols = symbols.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(DatasetError::EmptySection {
                fold: fold.index.0,
                section,
                span: format!("{} to {}", span.start, span.end),
                symbols,
            });
        }
    }
    Ok(())
}

/// Mean and population standard deviation in two passes; a deviation of 0 becomes 1.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (count, sum) =
        values.clone().fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    let mean = if count > 0.0 { sum / count } else { 0.0 };
    let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
    let std = if count > 0.0 { (squares / count).sqrt() } else { 0.0 };
    (mean, if std > 0.0 { std } else { 1.0 })
}
