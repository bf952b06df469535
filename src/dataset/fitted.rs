use std::sync::Arc;

use super::scaling::{fit_each, fit_global};
use super::{Series, SeriesScaler, TaskCut};
use crate::features::{Scaler, ScalerError};
use crate::spec::{ExperimentSpec, Scaling};

/// Everything that is learnt from a fold's rows before training begins: from train rows, and from no others.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Of all series together.
    pub scaler: Scaler,
    /// Each series' own, in their order; empty where all share one.
    pub own_scalers: Vec<SeriesScaler>,
    /// Mean and population standard deviation of the train labels; the latter is 1 where the label never changes.
    pub label_moments: (f64, f64),
    /// The absolute outcome up to which rows were left out, or are a class of their own; `None` where the label has no dead zone.
    pub dead_zone: Option<f64>,
    /// The weight of each train row of each series, 1 on average; `None` where every row counts alike.
    pub weights: Option<Vec<Vec<f64>>>,
}

impl Fitted {
    /// Fits on the train rows of the cut.
    ///
    /// # Errors
    /// [`ScalerError`] where there are none, or a feature is missing in one of them.
    pub fn of(
        series: &[Arc<Series>],
        cut: &TaskCut,
        spec: &ExperimentSpec,
    ) -> Result<Self, ScalerError> {
        let scaler = fit_global(series, &cut.sections)?;
        // A series alone needs no second scaler.
        let own_scalers = match spec.scaling {
            Scaling::PerSymbol if series.len() > 1 => fit_each(series, &cut.sections, &scaler)?,
            _ => Vec::new(),
        };
        Ok(Self {
            scaler,
            own_scalers,
            label_moments: cut.label_moments(series),
            dead_zone: cut.dead_zone,
            weights: cut.train_weights(series, spec.weights),
        })
    }

    /// The first statistic that is not the same, bit for bit, in words; `columns` names the features.
    #[must_use]
    pub fn difference(&self, other: &Self, columns: &[String]) -> Option<String> {
        if let Some(column) = differing_column(&self.scaler, &other.scaler) {
            let name = columns.get(column).map_or("", String::as_str);
            return Some(format!("the scaler's {name}"));
        }
        let own = self.own_scalers.iter().zip(&other.own_scalers).find_map(|(own, others)| {
            let column = differing_column(&own.scaler, &others.scaler)?;
            let name = columns.get(column).map_or("", String::as_str);
            Some(format!("{}'s own scaler's {name}", own.symbol))
        });
        if own.is_some() || self.own_scalers.len() != other.own_scalers.len() {
            return own.or_else(|| Some("the number of scalers".to_owned()));
        }
        let bits = |(mean, deviation): (f64, f64)| (mean.to_bits(), deviation.to_bits());
        if bits(self.label_moments) != bits(other.label_moments) {
            return Some("the label's mean and deviation".to_owned());
        }
        if self.dead_zone.map(f64::to_bits) != other.dead_zone.map(f64::to_bits) {
            return Some("the dead zone's threshold".to_owned());
        }
        (self.weights != other.weights).then(|| "the sample weights".to_owned())
    }
}

/// The first column whose mean or scale is not the same.
fn differing_column(a: &Scaler, b: &Scaler) -> Option<usize> {
    let bits = |scaler: &Scaler| -> Vec<(u64, u64)> {
        let pairs = scaler.mean().iter().zip(scaler.scale());
        pairs.map(|(mean, scale)| (mean.to_bits(), scale.to_bits())).collect()
    };
    let (a, b) = (bits(a), bits(b));
    a.iter()
        .zip(&b)
        .position(|(a, b)| a != b)
        .or((a.len() != b.len()).then_some(a.len().min(b.len())))
}
