//! Every registered feature on truncated bars: of one symbol, and of several that are compared.

use proptest::prelude::*;

use super::*;
use crate::features::compute_panel;
use crate::features::golden::{every_feature, hourly, hourly_bars};
use crate::market::BarColumns;
use crate::spec::FeatureSpec;

/// A computation with one column, made from the closes.
fn fake(
    value: impl Fn(&[f64], usize) -> f64,
) -> impl Fn(&Bars) -> Result<FeatureMatrix, FeatureError> {
    move |bars| {
        let column = (0..bars.len()).map(|t| value(bars.close(), t)).collect();
        FeatureMatrix::from_columns(vec!["fake".to_owned()], &[column], 0)
    }
}

fn leak(result: Result<(), TruncationError>) -> Leak {
    match result {
        Err(TruncationError::Leak(leak)) => leak,
        other => panic!("expected a leak, got {other:?}"),
    }
}

#[test]
fn peeking_one_bar_ahead_is_caught_at_the_last_row_before_the_cut() {
    let bars = hourly_bars(50);
    let next = fake(|close, t| close.get(t + 1).copied().unwrap_or(f64::NAN));
    let leak = leak(check_truncation_of(next, &bars, &[30]));
    assert_eq!((leak.row, leak.cut, leak.decision), (29, 30, bars.close_time(29)));
    assert!(leak.with_cut.is_nan() && !leak.with_all.is_nan());
    let text = leak.to_string();
    assert!(text.starts_with("feature fake leaks: its row 29 (bar closing "), "{text}");
    assert!(text.contains("on all 50 bars but NaN on the first 30;"), "{text}");
}

#[test]
fn scaling_by_the_whole_series_is_caught() {
    let share_of_all = fake(|close, t| close[t] / close.iter().sum::<f64>());
    assert_eq!(leak(check_truncation_of(share_of_all, &hourly_bars(50), &[49])).row, 0);
    // Filling a gap at the start from later bars: the cut must be early enough to see it.
    let back_fill = fake(|close, t| close.get(t.max(5)).copied().unwrap_or(0.0));
    assert!(check_truncation_of(&back_fill, &hourly_bars(50), &[40]).is_ok());
    assert_eq!(leak(check_truncation_of(&back_fill, &hourly_bars(50), &[40, 3])).row, 0);
}

#[test]
fn a_longer_bar_seen_before_its_close_is_caught() {
    // The close of the 4-hour bar in which the hour lies: known to its last hour only.
    let early = fake(|close, t| close[(t / 4 * 4 + 3).min(close.len() - 1)]);
    assert_eq!(leak(check_truncation_of(early, &hourly_bars(48), &[24, 30])).row, 28);
}

#[test]
fn an_honest_computation_passes_and_a_short_one_is_named() {
    let honest = fake(|close, t| close[..=t].iter().sum());
    assert!(check_truncation_of(honest, &hourly_bars(50), &[0, 1, 25, 50, 99]).is_ok());
    let short = |bars: &Bars| {
        let column = bars.close().iter().skip(1).copied().collect();
        FeatureMatrix::from_columns(vec!["short".to_owned()], &[column], 0)
    };
    let error = check_truncation_of(short, &hourly_bars(50), &[]).unwrap_err().to_string();
    assert!(error.starts_with("on 50 bars the features have 49 rows of 1 columns"), "{error}");
}

/// Bars of a walk; hours are left out, prices stand still and volumes are 0 where the numbers say so.
fn bars_of_steps(steps: &[(f64, f64, f64, u8)]) -> Bars {
    let mut columns = BarColumns::default();
    let (mut close, mut hour) = (100.0, 0_i64);
    for (step, reach, volume, kind) in steps {
        let open = close;
        let (step, reach) = if kind % 4 == 0 { (1.0, 1.0) } else { (*step, *reach) };
        close *= step;
        hour += if kind % 7 == 0 { 5 } else { 1 };
        columns.open_time.push(UtcMillis(hour * 3_600_000));
        columns.open.push(open);
        columns.high.push(open.max(close) * reach);
        columns.low.push(open.min(close) / reach);
        columns.close.push(close);
        columns.volume.push(if kind % 5 == 0 { 0.0 } else { *volume });
    }
    hourly(columns)
}

fn steps() -> impl Strategy<Value = Vec<(f64, f64, f64, u8)>> {
    prop::collection::vec((0.9..1.1_f64, 1.0..1.05_f64, 0.0..1e6_f64, 0..100_u8), 1..150)
}

/// The bars that had closed by then.
fn closed_by(bars: &Bars, moment: UtcMillis) -> Bars {
    let closed = (0..bars.len()).take_while(|row| bars.close_time(*row) <= moment).count();
    bars.truncated(closed)
}

/// The first column of any symbol that is not the same without the bars that closed after the moment.
fn leaking_column(
    compute: impl Fn(&[&Bars]) -> Vec<FeatureMatrix>,
    panel: &[&Bars],
    moment: UtcMillis,
) -> Option<String> {
    let whole = compute(panel);
    let closed: Vec<Bars> = panel.iter().map(|bars| closed_by(bars, moment)).collect();
    let part = compute(&closed.iter().collect::<Vec<_>>());
    whole.iter().zip(&part).find_map(|(whole, part)| {
        first_difference(whole, part).map(|(_, column)| whole.names()[column].clone())
    })
}

fn honest(specs: &[FeatureSpec]) -> impl Fn(&[&Bars]) -> Vec<FeatureMatrix> {
    move |panel| compute_panel(specs, panel).unwrap()
}

#[test]
fn a_rank_among_later_bars_is_caught() {
    let bars = [hourly_bars(30), hourly_bars(40)];
    let panel: Vec<&Bars> = bars.iter().collect();
    // Compares with the other symbol's next bar.
    let leaky = |panel: &[&Bars]| {
        let column = |bars: &Bars, other: &Bars| {
            let above =
                |t: usize| bars.close()[t] > other.close().get(t + 1).copied().unwrap_or(0.0);
            (0..bars.len()).map(|t| f64::from(u8::from(above(t)))).collect::<Vec<f64>>()
        };
        [(0, 1), (1, 0)]
            .map(|(a, b)| {
                let columns = [column(panel[a], panel[b])];
                FeatureMatrix::from_columns(vec!["rank".to_owned()], &columns, 0).unwrap()
            })
            .into()
    };
    let moments = (0..40).map(|row| bars[1].close_time(row));
    let mut caught = moments.filter_map(|moment| leaking_column(leaky, &panel, moment));
    assert_eq!(caught.next_back().as_deref(), Some("rank"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_feature_knows_the_future(
        steps in steps(),
        cuts in prop::collection::vec(0..150_usize, 1..4),
    ) {
        check_truncation(&every_feature(), &bars_of_steps(&steps), &cuts).unwrap();
    }

    #[test]
    fn no_feature_of_several_symbols_knows_the_future(
        symbols in prop::collection::vec(steps(), 5..8),
        cut in 0..200_i64,
    ) {
        let bars: Vec<Bars> = symbols.iter().map(|steps| bars_of_steps(steps)).collect();
        let panel: Vec<&Bars> = bars.iter().collect();
        let compared = |kind: fn(Box<FeatureSpec>) -> FeatureSpec| {
            let four_hours = "4h".parse().unwrap();
            let of = FeatureSpec::Higher { timeframe: four_hours, of: Box::new(FeatureSpec::BarReturn) };
            [kind(Box::new(of)), kind(Box::new(FeatureSpec::LogReturn { lag: 2 }))]
        };
        let mut specs = every_feature();
        specs.extend(compared(|of| FeatureSpec::CrossRank { of }));
        specs.extend(compared(|of| FeatureSpec::CrossZScore { of }));
        specs.extend(compared(|of| FeatureSpec::CrossDemean { of }));
        let moment = UtcMillis(cut * 3_600_000);
        prop_assert_eq!(leaking_column(honest(&specs), &panel, moment), None);
    }
}
