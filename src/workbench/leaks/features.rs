use super::report::{LeakCheck, Subject};
use super::{LeakCheckError, cuts, not_cancelled};
use crate::domain::text::count;
use crate::domain::{Cancel, UtcMillis};
use crate::features::{FeatureMatrix, PanelError, compute_panel};
use crate::market::Bars;
use crate::spec::ExperimentSpec;
use crate::workbench::PlanError;
use crate::workbench::load::on_data_threads;

/// Every column at each timeframe, computed again from raw bars without those that came later.
pub(super) fn check(
    spec: &ExperimentSpec,
    panels: &[Vec<&Bars>],
    cancel: &Cancel,
    stage: &mut dyn FnMut(String),
) -> Result<Vec<LeakCheck>, LeakCheckError> {
    let mut checks = Vec::new();
    for panel in panels {
        let Some(timeframe) = panel.first().map(|bars| bars.timeframe()) else { continue };
        let moments = cuts(panel);
        let mut tell = |cut: usize| {
            stage(format!(
                "computing features at {timeframe} again: cut {cut} of {}",
                moments.len()
            ));
            not_cancelled(cancel)
        };
        let compute = |panel: &[&Bars]| on_data_threads(|| compute_panel(&spec.features, panel));
        let compute = |panel: &[&Bars]| -> Result<Vec<FeatureMatrix>, LeakCheckError> {
            let matrices = compute(panel)?;
            Ok(matrices.map_err(|error: PanelError| PlanError::Prepare(error.into()))?)
        };
        let columns = truncate(compute, panel, &moments, &mut tell)?;
        checks.extend(columns.into_iter().map(|column| LeakCheck {
            subject: Subject::Feature,
            name: if panels.len() > 1 {
                format!("{} at {timeframe}", column.name)
            } else {
                column.name
            },
            evidence: format!("{} rows at {} cuts", count(column.compared), moments.len()),
            culprit: column.leak,
        }));
    }
    Ok(checks)
}

/// What became of one column.
struct Column {
    name: String,
    compared: u64,
    /// The first row that differed, in words.
    leak: Option<String>,
}

/// Computes a panel's features again on the bars that had closed by each moment, and compares every row that is left, bit for bit (missing equals
/// missing).
fn truncate<E>(
    compute: impl Fn(&[&Bars]) -> Result<Vec<FeatureMatrix>, E>,
    panel: &[&Bars],
    moments: &[UtcMillis],
    tell: &mut dyn FnMut(usize) -> Result<(), E>,
) -> Result<Vec<Column>, E> {
    let whole = compute(panel)?;
    let names = whole.first().map_or(&[][..], FeatureMatrix::names);
    let new = |name: &String| Column { name: name.clone(), compared: 0, leak: None };
    let mut columns: Vec<Column> = names.iter().map(new).collect();
    for (cut, &moment) in moments.iter().enumerate() {
        tell(cut + 1)?;
        let closed: Vec<Bars> = panel.iter().map(|bars| closed_by(bars, moment)).collect();
        let parts = compute(&closed.iter().collect::<Vec<_>>())?;
        for ((bars, whole), part) in panel.iter().zip(&whole).zip(&parts) {
            for (position, column) in columns.iter_mut().enumerate() {
                column.compared += part.rows() as u64;
                if column.leak.is_none() {
                    column.leak = difference(whole, part, position).map(|row| {
                        format!(
                            "row {row} of {} (bar closing {}) is {} on all {} bars but {} on the {} that had closed by \
                             {moment}; a row must depend only on bars that closed at or before its own close",
                            bars.symbol(),
                            bars.close_time(row),
                            whole.row(row)[position],
                            bars.len(),
                            part.row(row)[position],
                            part.rows(),
                        )
                    });
                }
            }
        }
    }
    Ok(columns)
}

fn closed_by(bars: &Bars, moment: UtcMillis) -> Bars {
    let timeframe = bars.timeframe().millis();
    let closed = bars.open_time().partition_point(|open| open.plus_millis(timeframe) <= moment);
    bars.truncated(closed)
}

/// The first row of `part` whose value in this column is not that of `whole`.
fn difference(whole: &FeatureMatrix, part: &FeatureMatrix, column: usize) -> Option<usize> {
    // A matrix knows only one NaN, so that missing equals missing.
    let mut pairs = whole.column(column).zip(part.column(column));
    pairs.position(|(all, fewer)| all.to_bits() != fewer.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::synthetic_bars;
    use crate::spec::{SyntheticMarket, SyntheticSpec};

    fn panel() -> Vec<Bars> {
        let market = SyntheticMarket::Planted { ic: 0.3 };
        let spec = SyntheticSpec { market, bars: 400, seed: 3 };
        let bars = |symbol: &str| {
            synthetic_bars(&spec, &symbol.parse().unwrap(), "1h".parse().unwrap()).unwrap().bars
        };
        ["A", "B", "C"].map(bars).into()
    }

    /// Checks a computation that gives one honest column and one made by `value(closes of the whole panel, series, row)`.
    fn leaks_of(value: impl Fn(&[&Bars], usize, usize) -> f64) -> Vec<(String, Option<String>)> {
        let bars = panel();
        let panel: Vec<&Bars> = bars.iter().collect();
        let compute = |panel: &[&Bars]| {
            let matrix = |series: usize| {
                let closes = panel[series].close();
                let column = (0..closes.len()).map(|row| value(panel, series, row)).collect();
                let names = vec!["honest".to_owned(), "suspect".to_owned()];
                FeatureMatrix::from_columns(names, &[closes.to_vec(), column], 0).unwrap()
            };
            Ok::<_, ()>((0..panel.len()).map(matrix).collect::<Vec<_>>())
        };
        let columns = truncate(compute, &panel, &cuts(&panel), &mut |_| Ok(())).unwrap();
        columns.into_iter().map(|column| (column.name, column.leak)).collect()
    }

    #[test]
    fn a_column_that_looks_back_is_clean() {
        let found = leaks_of(|panel, series, row| panel[series].close()[row.saturating_sub(5)]);
        assert_eq!(found, [("honest".to_owned(), None), ("suspect".to_owned(), None)]);
    }

    #[test]
    fn leaky_columns_are_named_and_the_others_are_not() {
        type Value = fn(&[&Bars], usize, usize) -> f64;
        let kinds: [(&str, Value); 4] = [
            ("the next close", |panel, series, row| {
                panel[series].close().get(row + 1).copied().unwrap_or(f64::NAN)
            }),
            ("a centred mean", |panel, series, row| {
                let close = panel[series].close();
                let span = &close[row.saturating_sub(2)..(row + 3).min(close.len())];
                span.iter().sum::<f64>() / span.len() as f64
            }),
            ("a z-score of the whole series", |panel, series, row| {
                let close = panel[series].close();
                close[row] / close.iter().sum::<f64>()
            }),
            ("another symbol's later bar", |panel, _, row| {
                panel[2].close().get(row + 1).copied().unwrap_or(f64::NAN)
            }),
        ];
        for (kind, value) in kinds {
            let found = leaks_of(value);
            assert_eq!(found[0].1, None, "{kind}");
            let culprit = found[1].1.as_deref().unwrap_or_default();
            assert!(culprit.contains("on all 400 bars"), "{kind}: {culprit}");
        }
    }
}
