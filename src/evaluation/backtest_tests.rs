//! Hand-made cases of the backtest: timing, costs, gaps, ruin, refusals.

use approx::assert_relative_eq;
use proptest::prelude::*;

use super::super::baselines::sign_positions;
use super::*;

/// Bar indices, and start and end of each run of consecutive ones.
type Runs<'a> = (&'a [usize], &'a [(usize, usize)]);

const HOUR_MS: i64 = 3_600_000;
/// 10 bp in all, so that one unit traded costs 0.001.
const TEN_BPS: Costs = Costs { fee_bps: 7.5, half_spread_bps: 2.5 };

fn hours(rows: usize) -> Vec<i64> {
    (0..).step_by(3_600_000).take(rows).collect()
}

fn run(positions: &[f64], returns: &[f64], costs: Costs) -> Backtest {
    let times_ms = hours(positions.len());
    backtest(&[Segment { times_ms: &times_ms, positions, returns }], costs).unwrap()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_relative_eq!(*found, *expected, epsilon = 1e-14);
    }
}

#[test]
fn a_signal_at_bar_t_earns_the_next_open_to_the_one_after_and_nothing_earlier() {
    // Only the move from open(3) to open(4) is not zero.
    let opens = [100.0, 100.0, 100.0, 100.0, 110.0, 110.0, 110.0];
    let tradable = |bar: usize| opens[bar + 2] / opens[bar + 1] - 1.0;
    let returns: Vec<f64> = (0..opens.len() - 2).map(tradable).collect();
    for signal_bar in 0..returns.len() {
        let mut predictions = vec![f64::NAN; returns.len()];
        predictions[signal_bar] = 0.7;
        let found = run(&sign_positions(&predictions), &returns, Costs::FREE);
        let expected = if signal_bar == 2 { 0.1 } else { 0.0 };
        assert_relative_eq!(found.performance.total_return, expected, epsilon = 1e-14);
    }
}

#[test]
fn entering_costs_one_a_flip_two_and_the_end_closes() {
    let found = run(&[1.0, 1.0, -1.0, 0.0, -1.0], &[0.0; 5], TEN_BPS);
    assert_close(&found.net_returns, &[-0.001, 0.0, -0.002, -0.001, -0.002]);
    assert_relative_eq!(found.turnover, 6.0);
    assert_eq!(found.trades, 3, "long, flip to short, short again");
    assert_eq!(found.exposure, Some(0.8));
    let mut value = 1.0;
    let mut paid = 0.0;
    for cost in [0.001, 0.0, 0.002, 0.001, 0.002] {
        paid += value * cost;
        value *= 1.0 - cost;
    }
    assert_relative_eq!(found.cost_paid, paid, epsilon = 1e-14);
    assert_relative_eq!(found.equity[5], value, epsilon = 1e-14);
}

#[test]
fn a_fractional_position_earns_and_costs_its_fraction() {
    let found = run(&[0.5, 0.25], &[0.02, -0.04], TEN_BPS);
    assert_close(&found.net_returns, &[0.01 - 0.0005, -0.01 - 0.0005]);
    assert_eq!(found.trades, 1, "a smaller position is not a new one");
}

#[test]
fn a_gap_closes_the_position_and_the_next_section_enters_again() {
    let positions = [1.0; 4];
    let returns = [0.01; 4];
    let bars = [7, 8, 20, 21];
    let times_ms: Vec<i64> = bars.iter().zip(0..).map(|(_, row)| row * HOUR_MS).collect();
    let segments: Vec<Segment<'_>> = contiguous_ranges(&bars)
        .into_iter()
        .map(|rows| Segment {
            times_ms: &times_ms[rows.clone()],
            positions: &positions[rows.clone()],
            returns: &returns[rows],
        })
        .collect();
    let found = backtest(&segments, TEN_BPS).unwrap();
    assert_close(&found.net_returns, &[0.009, 0.009, 0.009, 0.009]);
    assert_eq!((found.trades, found.times_ms.len(), found.equity.len()), (2, 4, 5));
    assert_relative_eq!(found.turnover, 4.0);

    let unbroken = run(&positions, &returns, TEN_BPS);
    assert_close(&unbroken.net_returns, &[0.009, 0.01, 0.01, 0.009]);
    assert_eq!(unbroken.trades, 1);
}

#[test]
fn ranges_split_where_the_next_bar_is_not_the_next_index() {
    let table: [Runs<'_>; 5] = [
        (&[], &[]),
        (&[4], &[(0, 1)]),
        (&[4, 5, 6], &[(0, 3)]),
        (&[4, 6, 7, 9], &[(0, 1), (1, 3), (3, 4)]),
        (&[5, 5, 4], &[(0, 1), (1, 2), (2, 3)]),
    ];
    for (bars, expected) in table {
        let found: Vec<_> =
            contiguous_ranges(bars).iter().map(|range| (range.start, range.end)).collect();
        assert_eq!(found, expected, "{bars:?}");
    }
}

#[test]
fn nothing_to_trade_gives_no_ratios() {
    for segments in [vec![], vec![Segment { times_ms: &[], positions: &[], returns: &[] }]] {
        let found = backtest(&segments, TEN_BPS).unwrap();
        assert_eq!(
            (found.equity.as_slice(), found.exposure, found.trades),
            ([1.0].as_slice(), None, 0)
        );
        assert_eq!(found.performance.sharpe, None);
        assert_relative_eq!(found.performance.total_return, 0.0);
    }
    let flat = run(&[0.0; 10], &[0.01; 10], TEN_BPS).performance;
    assert_eq!((flat.sharpe, flat.sortino, flat.calmar), (None, None, None));
    assert_eq!((flat.annual_return, flat.annual_volatility), (Some(0.0), Some(0.0)));
}

#[test]
fn ruin_stops_at_zero_and_trades_no_more() {
    // A short whose price more than doubles.
    let found = run(&[-1.0, -1.0, 1.0], &[0.5, 1.5, 0.5], Costs::FREE);
    assert_eq!(found.equity, [1.0, 0.5, 0.0, 0.0]);
    assert_eq!(found.net_returns, [-0.5, -1.0, 0.0]);
    assert_eq!(found.trades, 1);
    let performance = found.performance;
    assert_eq!((performance.total_return, performance.max_drawdown), (-1.0, 1.0));
    assert_eq!(performance.annual_return, Some(-1.0));
}

#[test]
fn bad_rows_are_refused_with_their_place() {
    let good = Segment { times_ms: &[1, 2], positions: &[1.0, 0.0], returns: &[0.0, 0.0] };
    let late = Segment { times_ms: &[2, 3], ..good };
    let table: [(&[Segment<'_>], &str); 6] = [
        (
            &[Segment { returns: &[0.0], ..good }],
            "segment 0 has 2 times, 2 positions and 1 returns",
        ),
        (
            &[Segment { times_ms: &[2, 2], ..good }],
            "segment 0, row 1: time 2 ms is not after the previous row's 2 ms",
        ),
        (&[good, late], "segment 1, row 0: time 2 ms is not after"),
        (
            &[Segment { positions: &[0.0, f64::NAN], ..good }],
            "segment 0, row 1: position NaN is not in [-1, 1]",
        ),
        (&[Segment { positions: &[1.5, 0.0], ..good }], "segment 0, row 0: position 1.5"),
        (&[Segment { returns: &[0.0, f64::NAN], ..good }], "segment 0, row 1: return NaN"),
    ];
    for (segments, message) in table {
        let error = backtest(segments, TEN_BPS).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    for bad in [f64::NAN, -1.0, f64::INFINITY] {
        let refused = backtest(&[good], Costs { fee_bps: bad, half_spread_bps: 0.0 });
        assert!(matches!(refused, Err(BacktestError::Costs { .. })), "{bad}");
    }
}

fn curves() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    prop::collection::vec((-1_i32..=1, -0.9_f64..1.5), 0..60).prop_map(|rows| {
        rows.into_iter().map(|(position, value)| (f64::from(position), value)).unzip()
    })
}

proptest! {
    #[test]
    fn costs_never_raise_the_equity((positions, returns) in curves(), fee_bps in 0.0_f64..200.0, half_spread_bps in 0.0_f64..200.0) {
        let free = run(&positions, &returns, Costs::FREE);
        let charged = run(&positions, &returns, Costs { fee_bps, half_spread_bps });
        for (charged, free) in charged.equity.iter().zip(&free.equity) {
            prop_assert!(charged <= free);
        }
    }

    #[test]
    fn a_curve_is_finite_and_solvent_and_compounds((positions, returns) in curves(), fee_bps in 0.0_f64..200.0) {
        let found = run(&positions, &returns, Costs { fee_bps, half_spread_bps: 0.0 });
        prop_assert_eq!(found.equity.len(), positions.len() + 1);
        prop_assert!(found.equity.iter().all(|value| value.is_finite() && *value >= 0.0));
        for (pair, net_return) in found.equity.windows(2).zip(&found.net_returns) {
            prop_assert!((pair[1] - pair[0] * (1.0 + net_return)).abs() <= 1e-12 * pair[0].max(1.0));
        }
        let performance = found.performance;
        prop_assert!((0.0..=1.0).contains(&performance.max_drawdown));
        let ratios = [performance.annual_return, performance.annual_volatility, performance.sharpe, performance.sortino, performance.calmar];
        prop_assert!(ratios.into_iter().flatten().all(f64::is_finite));
    }

    #[test]
    fn splitting_a_run_costs_exactly_one_closing_and_one_entry(rows in 2_usize..30, at in 1_usize..29) {
        let at = at.min(rows - 1);
        let (times_ms, positions, returns) = (hours(rows), vec![1.0; rows], vec![0.0; rows]);
        let part = |rows: Range<usize>| Segment { times_ms: &times_ms[rows.clone()], positions: &positions[rows.clone()], returns: &returns[rows] };
        let whole = backtest(&[part(0..rows)], TEN_BPS).unwrap();
        let split = backtest(&[part(0..at), part(at..rows)], TEN_BPS).unwrap();
        prop_assert!((split.turnover - whole.turnover - 2.0).abs() < 1e-12);
        prop_assert_eq!(split.trades, whole.trades + 1);
    }
}
