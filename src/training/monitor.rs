use crate::dataset::TaskData;
use crate::domain::UtcMillis;
use crate::evaluation::{cross_sectional, hit_rate, information_coefficient, sign_positions};
use crate::spec::{LabelSpec, Monitor};

/// The metric of predictions, in the output's unit, for these rows of the resident matrix; `None` where it is the loss, which is measured
/// elsewhere, or cannot be computed.
pub(super) fn measure(
    monitor: Monitor,
    predictions: &[f64],
    (data, rows): (&TaskData, &[i64]),
    label: LabelSpec,
) -> Option<f64> {
    let outcomes = data.outcomes(rows);
    match monitor {
        Monitor::Loss => None,
        Monitor::Ic | Monitor::RankIc => {
            let of_series = by_series(&data.series_of(rows));
            let values: Vec<f64> = of_series
                .iter()
                .filter_map(|places| {
                    let pick = |values: &[f64]| -> Vec<f64> {
                        places.iter().map(|&place| values[place]).collect()
                    };
                    let ic = information_coefficient(&pick(predictions), &pick(&outcomes));
                    if monitor == Monitor::Ic { ic.ic_ts } else { ic.rank_ic_ts }
                })
                .collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        }
        Monitor::HitRate => {
            let from_neutral: Vec<f64> =
                predictions.iter().map(|prediction| prediction - label.neutral()).collect();
            hit_rate(&sign_positions(&from_neutral), &outcomes).rate
        }
        Monitor::CrossSectionIc | Monitor::CrossSectionRankIc => {
            let times: Vec<i64> = data.moments(rows).into_iter().map(|UtcMillis(at)| at).collect();
            let across = cross_sectional(&times, predictions, &outcomes);
            if monitor == Monitor::CrossSectionIc { across.ic_cs } else { across.rank_ic_cs }
        }
    }
}

/// The places of each series' rows; series without rows have none.
fn by_series(series: &[usize]) -> Vec<Vec<usize>> {
    let count = series.iter().max().map_or(0, |most| most + 1);
    let mut places = vec![Vec::new(); count];
    for (place, &series) in series.iter().enumerate() {
        places[series].push(place);
    }
    places.retain(|places| !places.is_empty());
    places
}
