use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::Series;
use crate::domain::{Symbol, Timeframe};
use crate::features::{FeatureMatrix, Scaler, ScalerError};
use crate::torch::TorchError;
use crate::validation::Sections;

/// The scaler of one series, where each has its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesScaler {
    /// The instrument.
    pub symbol: Symbol,
    /// The bar length.
    pub timeframe: Timeframe,
    /// Fitted on the series' own train rows.
    pub scaler: Scaler,
    /// Whether it had no train row in this fold, so that the scaler is that of all series together.
    pub is_global: bool,
}

/// Fits one scaler on the train rows of all series.
pub(super) fn fit_global(
    series: &[Arc<Series>],
    sections: &[Sections],
) -> Result<Scaler, ScalerError> {
    let rows: Vec<(&FeatureMatrix, &[u32])> = series
        .iter()
        .zip(sections)
        .map(|(series, part)| (series.matrix(), part.train.as_slice()))
        .collect();
    Scaler::fit_pooled(&rows)
}

/// Fits a scaler on the train rows of each series; one without any gets the global one.
pub(super) fn fit_each(
    series: &[Arc<Series>],
    sections: &[Sections],
    global: &Scaler,
) -> Result<Vec<SeriesScaler>, ScalerError> {
    let fit = |(series, part): (&Arc<Series>, &Sections)| {
        let is_global = part.train.is_empty();
        let scaler =
            if is_global { global.clone() } else { Scaler::fit(series.matrix(), &part.train)? };
        let (symbol, timeframe) = (series.symbol().clone(), series.timeframe());
        Ok(SeriesScaler { symbol, timeframe, scaler, is_global })
    };
    series.iter().zip(sections).map(fit).collect()
}

/// The scalers on the device, and which one is a row's.
#[derive(Debug)]
pub(super) struct SeriesScalers {
    pub(super) scalers: Vec<SeriesScaler>,
    /// `[series, features]`, f32, as a network keeps its own.
    mean: Tensor,
    scale: Tensor,
    /// `[rows of the resident matrix]`: the position of the row's series.
    series_of_row: Tensor,
}

impl SeriesScalers {
    pub(super) fn new(
        scalers: Vec<SeriesScaler>,
        offsets: &[i64],
        device: tch::Device,
    ) -> Result<Self, TorchError> {
        let table = |values: fn(&Scaler) -> &[f64]| -> Result<Tensor, TorchError> {
            let flat: Vec<f32> = scalers
                .iter()
                .flat_map(|own| values(&own.scaler).iter().map(|value| *value as f32))
                .collect();
            Ok(Tensor::f_from_slice(&flat)?.f_view([scalers.len() as i64, -1])?.f_to(device)?)
        };
        let (mean, scale) = (table(Scaler::mean)?, table(Scaler::scale)?);
        let rows = offsets[offsets.len() - 1];
        let series_of_row = Tensor::f_empty([rows], (Kind::Int64, device))?;
        for (position, ends) in offsets.windows(2).enumerate() {
            let mut own = series_of_row.f_narrow(0, ends[0], ends[1] - ends[0])?;
            let _same = own.f_fill_(position as i64)?;
        }
        Ok(Self { scalers, mean, scale, series_of_row })
    }

    /// Scales raw windows `[rows, window, features]` of these rows, each by its own series' scaler.
    pub(super) fn scale(&self, windows: &Tensor, rows: &Tensor) -> Result<Tensor, TorchError> {
        let series = self.series_of_row.f_index_select(0, rows)?;
        let of_row = |table: &Tensor| table.f_index_select(0, &series)?.f_unsqueeze(1);
        Ok(windows.f_sub(&of_row(&self.mean)?)?.f_div(&of_row(&self.scale)?)?)
    }
}
