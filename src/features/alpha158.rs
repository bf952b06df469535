//! Qlib's Alpha158, operator by operator as Qlib computes them, in `f64`.
//!
//! Windows are as long as there are bars until they are whole (`min_periods=1`); a deviation of one value, a line through one and a
//! correlation of one pair are NaN. The columns are those of `FeatureSpec::Alpha158` in Qlib's order.

use super::momentum::typical_price;
use super::per_bar;
use super::window::{
    Line, Moments, PairMoments, for_each_sorted_window, for_each_window, quantile, rank,
};
use crate::market::Bars;
use crate::spec::ALPHA158_WINDOWS;

/// What Qlib adds to divisors that may be 0.
const TINY: f64 = 1e-12;
/// A deviation up to this one is none to Qlib's `Rsquare` and `Corr`.
const STILL: f64 = 2e-5;

/// All 158 columns.
pub(super) fn all(bars: &Bars) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = of_bar(bars).into_iter().chain(prices(bars)).collect();
    let mut windows: Vec<_> =
        ALPHA158_WINDOWS.iter().map(|window| rolling(bars, *window as usize).into_iter()).collect();
    // Qlib lists operator by operator, each with all its windows.
    for _ in 0..Operator::COUNT {
        columns.extend(windows.iter_mut().filter_map(Iterator::next));
    }
    columns
}

/// KMID, KLEN, KMID2, KUP, KUP2, KLOW, KLOW2, KSFT, KSFT2.
pub(super) fn of_bar(bars: &Bars) -> [Vec<f64>; 9] {
    let column = |number: fn([f64; 4]) -> f64| {
        per_bar(bars.len(), 0, |t| {
            number([bars.open()[t], bars.high()[t], bars.low()[t], bars.close()[t]])
        })
    };
    [
        column(|[open, _, _, close]| (close - open) / open),
        column(|[open, high, low, _]| (high - low) / open),
        column(|[open, high, low, close]| (close - open) / (high - low + TINY)),
        column(|[open, high, _, close]| (high - open.max(close)) / open),
        column(|[open, high, low, close]| (high - open.max(close)) / (high - low + TINY)),
        column(|[open, _, low, close]| (open.min(close) - low) / open),
        column(|[open, high, low, close]| (open.min(close) - low) / (high - low + TINY)),
        column(|[open, high, low, close]| (2.0 * close - high - low) / open),
        column(|[_, high, low, close]| (2.0 * close - high - low) / (high - low + TINY)),
    ]
}

/// OPEN0, HIGH0, LOW0, VWAP0.
pub(super) fn prices(bars: &Bars) -> [Vec<f64>; 4] {
    let over_close = |prices: &[f64]| per_bar(bars.len(), 0, |t| prices[t] / bars.close()[t]);
    [
        over_close(bars.open()),
        over_close(bars.high()),
        over_close(bars.low()),
        over_close(&typical_price(bars)),
    ]
}

/// The operators in Qlib's order.
#[derive(Clone, Copy)]
enum Operator {
    Roc,
    Ma,
    Std,
    Beta,
    Rsqr,
    Resi,
    Max,
    Min,
    Qtlu,
    Qtld,
    Rank,
    Rsv,
    Imax,
    Imin,
    Imxd,
    Corr,
    Cord,
    Cntp,
    Cntn,
    Cntd,
    Sump,
    Sumn,
    Sumd,
    Vma,
    Vstd,
    Wvma,
    Vsump,
    Vsumn,
    Vsumd,
}

impl Operator {
    const COUNT: usize = Self::Vsumd as usize + 1;
}

/// The 29 columns of one window.
pub(super) fn rolling(bars: &Bars, window: usize) -> Vec<Vec<f64>> {
    use Operator as Op;
    let (close, volume) = (bars.close(), bars.volume());
    let inputs = Inputs::of(bars);
    let mut columns = vec![vec![f64::NAN; bars.len()]; Operator::COUNT];
    let here = |t: usize| inputs.bar(t);
    for_each_window(bars.len(), window, here, Summary::join, |t, sum| {
        let mut set = |operator: Operator, value: f64| columns[operator as usize][t] = value;
        let (price, length) = (close[t], window as f64);
        let traded = volume[t] + TINY;
        if t >= window {
            set(Op::Roc, close[t - window] / price);
        }
        set(Op::Ma, sum.line.mean / price);
        set(Op::Std, sum.line.std() / price);
        set(Op::Beta, sum.line.slope() / price);
        if sum.line.std() > STILL {
            set(Op::Rsqr, sum.line.r_squared().unwrap_or(f64::NAN));
        }
        set(Op::Resi, (price - sum.line.end()) / price);
        let ([high, high_at], [low, low_at]) = (sum.high, sum.low);
        set(Op::Max, high / price);
        set(Op::Min, low / price);
        set(Op::Rsv, (price - low) / (high - low + TINY));
        // Counted from 1 at the oldest bar of the window.
        let before = (t + 1).saturating_sub(window) as f64 - 1.0;
        set(Op::Imax, (high_at - before) / length);
        set(Op::Imin, (low_at - before) / length);
        set(Op::Imxd, (high_at - low_at) / length);
        set(Op::Corr, correlation(sum.levels, [sum.line.std(), sum.log_volume.std()]));
        set(Op::Cord, correlation(sum.changes, [sum.price_change.std(), sum.volume_change.std()]));
        let bars = sum.line.count;
        let [rises, falls] = sum.counts;
        set(Op::Cntp, rises / bars);
        set(Op::Cntn, falls / bars);
        set(Op::Cntd, (rises - falls) / bars);
        set(Op::Vma, sum.volume.mean / traded);
        set(Op::Vstd, sum.volume.std() / traded);
        if t > 0 {
            for (operators, [up, down]) in [
                ([Op::Sump, Op::Sumn, Op::Sumd], sum.price_moves),
                ([Op::Vsump, Op::Vsumn, Op::Vsumd], sum.volume_moves),
            ] {
                let all = up + down + TINY;
                for (operator, part) in operators.into_iter().zip([up, down, up - down]) {
                    set(operator, part / all);
                }
            }
            set(Op::Wvma, sum.weighted.std() / (sum.weighted.mean + TINY));
        }
    });
    for_each_sorted_window(close, window, |t, sorted| {
        columns[Op::Qtlu as usize][t] = quantile(sorted, 0.8) / close[t];
        columns[Op::Qtld as usize][t] = quantile(sorted, 0.2) / close[t];
        columns[Op::Rank as usize][t] = rank(sorted, close[t]);
    });
    columns
}

/// Not defined where one of the two hardly varies.
fn correlation(pairs: PairMoments, deviations: [f64; 2]) -> f64 {
    if deviations.iter().any(|deviation| *deviation <= STILL) {
        return f64::NAN;
    }
    pairs.correlation().unwrap_or(f64::NAN)
}

/// What the windows are made of, bar by bar.
struct Inputs<'a> {
    bars: &'a Bars,
    log_volume: Vec<f64>,
    /// `close / close[t - 1]` and `ln(volume / volume[t - 1] + 1)`; NaN or infinite where they do not exist.
    changes: Vec<[f64; 2]>,
}

impl<'a> Inputs<'a> {
    fn of(bars: &'a Bars) -> Self {
        let (close, volume) = (bars.close(), bars.volume());
        let change = |t: usize| match t.checked_sub(1) {
            Some(before) => [close[t] / close[before], (volume[t] / volume[before] + 1.0).ln()],
            None => [f64::NAN; 2],
        };
        Self {
            bars,
            log_volume: volume.iter().map(|volume| (volume + 1.0).ln()).collect(),
            changes: (0..bars.len()).map(change).collect(),
        }
    }

    fn bar(&self, t: usize) -> Summary {
        let (close, volume) = (self.bars.close(), self.bars.volume());
        let before = t.saturating_sub(1);
        let (price_step, volume_step) = (close[t] - close[before], volume[t] - volume[before]);
        let [price_change, volume_change] = self.changes[t];
        let is_true = |holds: bool| if holds { 1.0 } else { 0.0 };
        Summary {
            line: Line::of(close[t]),
            high: [self.bars.high()[t], t as f64],
            low: [self.bars.low()[t], t as f64],
            log_volume: Moments::of(self.log_volume[t]),
            levels: PairMoments::of_known(close[t], self.log_volume[t]),
            price_change: Moments::of_known(price_change),
            volume_change: Moments::of_known(volume_change),
            changes: PairMoments::of_known(price_change, volume_change),
            counts: [is_true(price_step > 0.0), is_true(price_step < 0.0)],
            price_moves: [price_step.max(0.0), (-price_step).max(0.0)],
            volume_moves: [volume_step.max(0.0), (-volume_step).max(0.0)],
            volume: Moments::of(volume[t]),
            weighted: Moments::of_known((price_change - 1.0).abs() * volume[t]),
        }
    }
}

/// Everything there is to know of some bars in a row.
#[derive(Clone, Copy)]
struct Summary {
    line: Line,
    /// Value and place; of equal ones the first.
    high: [f64; 2],
    low: [f64; 2],
    log_volume: Moments,
    levels: PairMoments,
    price_change: Moments,
    volume_change: Moments,
    changes: PairMoments,
    counts: [f64; 2],
    price_moves: [f64; 2],
    volume_moves: [f64; 2],
    volume: Moments,
    weighted: Moments,
}

impl Summary {
    fn join(self, later: Self) -> Self {
        let add = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
        Self {
            line: self.line.join(later.line),
            high: if later.high[0] > self.high[0] { later.high } else { self.high },
            low: if later.low[0] < self.low[0] { later.low } else { self.low },
            log_volume: self.log_volume.join(later.log_volume),
            levels: self.levels.join(later.levels),
            price_change: self.price_change.join(later.price_change),
            volume_change: self.volume_change.join(later.volume_change),
            changes: self.changes.join(later.changes),
            counts: add(self.counts, later.counts),
            price_moves: add(self.price_moves, later.price_moves),
            volume_moves: add(self.volume_moves, later.volume_moves),
            volume: self.volume.join(later.volume),
            weighted: self.weighted.join(later.weighted),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::domain::UtcMillis;
    use crate::features::compute::columns_of;
    use crate::features::golden::hourly;
    use crate::market::BarColumns;
    use crate::spec::FeatureSpec;

    #[derive(Deserialize)]
    struct Golden {
        open_time: Vec<i64>,
        open: Vec<f64>,
        high: Vec<f64>,
        low: Vec<f64>,
        close: Vec<f64>,
        volume: Vec<f64>,
        names: Vec<String>,
        expected: BTreeMap<String, Vec<Option<f64>>>,
    }

    fn golden() -> (Bars, Golden) {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/alpha158.json"));
        let mut golden: Golden = serde_json::from_str(text).unwrap();
        let columns = BarColumns {
            open_time: golden.open_time.drain(..).map(UtcMillis).collect(),
            open: golden.open.clone(),
            high: golden.high.clone(),
            low: golden.low.clone(),
            close: golden.close.clone(),
            volume: golden.volume.clone(),
        };
        (hourly(columns), golden)
    }

    /// To 1e-6 of the value, or of the column's median size where the value is smaller.
    fn check(name: &str, ours: &[f64], theirs: &[Option<f64>]) {
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let mut sizes: Vec<f64> = theirs.iter().flatten().map(|value| value.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let size = sizes[sizes.len() / 2];
        for (t, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let agree = theirs.map_or(!ours.is_finite(), |theirs| {
                (ours - theirs).abs() <= 1e-6 * theirs.abs().max(size)
            });
            assert!(agree, "{name}[{t}]: {ours}, Qlib says {theirs:?}");
        }
    }

    #[test]
    fn all_158_agree_with_qlibs_own_operators() {
        let (bars, golden) = golden();
        let columns = columns_of(&FeatureSpec::Alpha158, &bars).unwrap();
        assert_eq!(FeatureSpec::Alpha158.columns(), golden.names);
        assert_eq!((columns.len(), golden.names.len()), (158, 158));
        for (name, ours) in golden.names.iter().zip(&columns) {
            check(name, ours, &golden.expected[name]);
        }
    }

    #[test]
    fn the_parts_are_those_of_the_whole() {
        let (bars, golden) = golden();
        let mut parts = vec![FeatureSpec::Alpha158Bar, FeatureSpec::Alpha158Price];
        parts.extend(ALPHA158_WINDOWS.map(|window| FeatureSpec::Alpha158Rolling { window }));
        let mut seen = 0;
        for part in parts {
            for (name, ours) in part.columns().iter().zip(columns_of(&part, &bars).unwrap()) {
                check(name, &ours, &golden.expected[name]);
                seen += 1;
            }
        }
        assert_eq!(seen, 158);
    }
}
