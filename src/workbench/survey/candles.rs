use std::ops::Range;

use crate::market::Bars;

/// So many candles of a level make one of the next.
const STEP: usize = 4;
/// A level of fewer candles needs no coarser one.
const FEW: usize = 64;

/// Bars for drawing, in levels of detail: whatever stretch is in view, one of them has enough candles for it and not many more.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candles {
    /// From every bar to ever more of them merged, each level a quarter of the one before.
    pub levels: Vec<CandleLevel>,
}

/// Candles of equally many bars, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CandleLevel {
    /// Bars behind a candle; the last may have fewer.
    pub merged: usize,
    /// The candles.
    pub candles: Vec<Candle>,
}

/// Some neighbouring bars as one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Candle {
    /// When the first bar opens, in seconds since 1970.
    pub from_secs: f64,
    /// When the last bar closes, in seconds since 1970.
    pub until_secs: f64,
    /// The first bar's open.
    pub open: f64,
    /// The highest price.
    pub high: f64,
    /// The lowest price.
    pub low: f64,
    /// The last bar's close.
    pub close: f64,
    /// What was traded, summed.
    pub volume: f64,
}

impl Candles {
    pub(super) fn of(bars: &Bars) -> Self {
        let candle = |row: usize| Candle {
            from_secs: bars.open_time()[row].0 as f64 / 1e3,
            until_secs: bars.close_time(row).0 as f64 / 1e3,
            open: bars.open()[row],
            high: bars.high()[row],
            low: bars.low()[row],
            close: bars.close()[row],
            volume: bars.volume()[row],
        };
        let mut merged = 1;
        let mut candles: Vec<Candle> = (0..bars.len()).map(candle).collect();
        let mut levels = Vec::new();
        while candles.len() > FEW {
            let coarser = candles.chunks(STEP).filter_map(Candle::of).collect();
            levels.push(CandleLevel { merged, candles });
            (merged, candles) = (merged * STEP, coarser);
        }
        levels.push(CandleLevel { merged, candles });
        Self { levels }
    }

    /// The finest level with at most `most` candles in a stretch of time, in seconds since 1970, and which of its candles are in it, with one more
    /// on either side. The coarsest one where each has more; `None` without levels.
    #[must_use]
    pub fn in_view(
        &self,
        (from, until): (f64, f64),
        most: usize,
    ) -> Option<(&CandleLevel, Range<usize>)> {
        let fitting = self.levels.iter().map(|level| (level, level.between(from, until)));
        let mut last = None;
        for (level, range) in fitting {
            let fits = range.len() <= most + 2;
            last = Some((level, range));
            if fits {
                break;
            }
        }
        last
    }

    /// Bars there are.
    #[must_use]
    pub fn bars(&self) -> usize {
        self.levels.first().map_or(0, |level| level.candles.len())
    }

    /// When the first bar opens and the last one closes, in seconds since 1970; `None` without bars.
    #[must_use]
    pub fn span_secs(&self) -> Option<(f64, f64)> {
        let all = &self.levels.first()?.candles;
        Some((all.first()?.from_secs, all.last()?.until_secs))
    }
}

impl CandleLevel {
    fn between(&self, from: f64, until: f64) -> Range<usize> {
        let first = self.candles.partition_point(|candle| candle.until_secs < from);
        let after = self.candles.partition_point(|candle| candle.from_secs <= until);
        let (first, after) = (first.saturating_sub(1), (after + 1).min(self.candles.len()));
        first.min(after)..after
    }
}

impl Candle {
    fn of(some: &[Self]) -> Option<Self> {
        let (first, last) = (some.first()?, some.last()?);
        let prices = |pick: fn(&Self) -> f64| some.iter().map(pick);
        Some(Self {
            from_secs: first.from_secs,
            until_secs: last.until_secs,
            open: first.open,
            high: prices(|candle| candle.high).fold(f64::NEG_INFINITY, f64::max),
            low: prices(|candle| candle.low).fold(f64::INFINITY, f64::min),
            close: last.close,
            volume: prices(|candle| candle.volume).sum(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::synthetic_bars;
    use crate::spec::{SyntheticMarket, SyntheticSpec};

    fn candles(bars: u32) -> (Bars, Candles) {
        let spec = SyntheticSpec { market: SyntheticMarket::Null, bars, seed: 7 };
        let made = synthetic_bars(&spec, &"A".parse().unwrap(), "1h".parse().unwrap()).unwrap();
        let candles = Candles::of(&made.bars);
        (made.bars, candles)
    }

    #[test]
    fn every_level_has_the_extremes_ends_and_volume_of_all_bars() {
        let (bars, candles) = candles(10_001);
        let high = bars.high().iter().copied().fold(f64::MIN, f64::max);
        let low = bars.low().iter().copied().fold(f64::MAX, f64::min);
        let volume: f64 = bars.volume().iter().sum();
        assert_eq!(candles.levels.len(), 5);
        assert_eq!((candles.bars(), candles.levels[4].merged), (10_001, 256));
        for level in &candles.levels {
            let all = Candle::of(&level.candles).unwrap();
            assert_eq!((all.open, all.close), (bars.open()[0], bars.close()[10_000]));
            assert_eq!((all.high, all.low), (high, low));
            assert!((all.volume / volume - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_finest_level_that_fits_is_taken_and_reaches_beyond_the_view() {
        let (bars, candles) = candles(10_000);
        let whole = candles.span_secs().unwrap();
        let (level, range) = candles.in_view(whole, 300).unwrap();
        assert_eq!((level.merged, range.len()), (64, 157));
        let from = bars.open_time()[5_000].0 as f64 / 1e3;
        let (level, range) = candles.in_view((from, from + 100.0 * 3600.0), 300).unwrap();
        assert_eq!(level.merged, 1);
        assert!(range.start < 5_000 && range.end > 5_100 && range.len() < 110, "{range:?}");
        assert_eq!(candles.in_view((0.0, 1.0), 300).unwrap().1.len(), 1, "before the first bar");
        assert_eq!(Candles::default().in_view(whole, 300), None);
    }
}
