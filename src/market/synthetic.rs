use rand::SeedableRng;
use rand::distr::Distribution;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::{BarColumns, Bars, MarketError};
use crate::domain::{ContentHash, Symbol, Timeframe, UtcMillis};
use crate::spec::{SyntheticMarket, SyntheticSpec};

/// 2015-01-01T00:00:00Z.
const FIRST_OPEN: UtcMillis = UtcMillis(1_420_070_400_000);
/// Standard deviation of the log return of one hour.
const HOURLY_VOLATILITY: f64 = 0.005;
/// Standard deviation of the log volume, whose mean is that of [`TYPICAL_VOLUME`].
const VOLUME_VOLATILITY: f64 = 0.5;
const TYPICAL_VOLUME: f64 = 1000.0;
const FIRST_PRICE: f64 = 100.0;

/// A made-up market and what could at best be known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticSeries {
    /// The bars.
    pub bars: Bars,
    /// For each bar the expectation, given everything up to its close, of the log return from the next bar's open to the open after it. `None`
    /// where it is zero throughout.
    pub bayes: Option<Vec<f64>>,
}

/// Makes a market from a seed: no gaps, round the clock, from 2015 on, the same bits on every machine.
///
/// Bar t has a log-volume surprise s(t) ~ N(0, 1). The return that a decision at bar t can earn, `ln(open(t+2) / open(t+1))`, is
/// σ · (ic · s(t) + √(1 − ic²) · ε(t)) with σ = 0.005 · √hours and ε ~ N(0, 1) independent of everything: its correlation with s(t) is `ic`, and
/// past prices alone predict nothing. Each bar opens at the last close; high and low leave the body by independent half-normal steps.
/// The log price walks freely, without a guard that would bend it back and so make it predictable.
///
/// # Errors
/// [`MarketError::Synthetic`] for no bars, an `ic` outside −1 ..= 1, or so many long bars that prices could leave what an `f64` holds
/// (at 1h more than 500 million).
pub fn synthetic_bars(
    spec: &SyntheticSpec,
    symbol: &Symbol,
    timeframe: Timeframe,
) -> Result<SyntheticSeries, MarketError> {
    let refuse =
        |problem: String| MarketError::Synthetic { symbol: symbol.clone(), timeframe, problem };
    let ic = match spec.market {
        SyntheticMarket::Planted { ic } => ic,
        SyntheticMarket::Null => 0.0,
    };
    if !(-1.0..=1.0).contains(&ic) {
        return Err(refuse(format!("its ic is {ic}; choose one between -1 and 1")));
    }
    let hours = f64::from(timeframe.minutes()) / 60.0;
    let volatility = HOURLY_VOLATILITY * hours.sqrt();
    let most = most_bars(volatility);
    if spec.bars == 0 || f64::from(spec.bars) > most {
        return Err(refuse(format!("it has {} bars; choose 1 to {most}", spec.bars)));
    }

    let mut noise = Noise::of(spec.seed, symbol, timeframe);
    let mut columns = BarColumns::default();
    let mut surprises = Vec::new();
    let mut open_time = FIRST_OPEN;
    let mut log_price = 0.0_f64;
    let mut last_surprise = 0.0;
    for _ in 0..spec.bars {
        let [surprise, shock, above, below] = noise.draw();
        let open = FIRST_PRICE * exp(log_price);
        log_price += volatility * (ic * last_surprise + (1.0 - ic * ic).sqrt() * shock);
        let close = FIRST_PRICE * exp(log_price);
        columns.open_time.push(open_time);
        columns.open.push(open);
        columns.high.push(open.max(close) * exp(volatility / 2.0 * above.abs()));
        columns.low.push(open.min(close) * exp(-volatility / 2.0 * below.abs()));
        columns.close.push(close);
        columns.volume.push(TYPICAL_VOLUME * exp(VOLUME_VOLATILITY * surprise));
        surprises.push(surprise);
        last_surprise = surprise;
        open_time = open_time.plus_millis(timeframe.millis());
    }

    let bars = Bars::new(symbol.clone(), timeframe, columns)
        .map_err(|bad| refuse(format!("{bad}; choose fewer bars")))?;
    let bayes = matches!(spec.market, SyntheticMarket::Planted { .. })
        .then(|| surprises.iter().map(|surprise| ic * volatility * surprise).collect());
    Ok(SyntheticSeries { bars, bayes })
}

/// The symbols of a synthetic market whose specification names none: `SYN_A` and `SYN_B`.
#[must_use]
pub fn synthetic_default_symbols() -> Vec<Symbol> {
    ["SYN_A", "SYN_B"].into_iter().filter_map(|name| name.parse().ok()).collect()
}

/// So many bars that six standard deviations of the walk still fit the exponent of an `f64`.
fn most_bars(volatility: f64) -> f64 {
    const LARGEST_LOG_PRICE: f64 = 680.0;
    (LARGEST_LOG_PRICE / (6.0 * volatility)).powi(2).floor()
}

/// Standard normal numbers that depend on seed, symbol and timeframe.
struct Noise(ChaCha8Rng);

impl Noise {
    fn of(seed: u64, symbol: &Symbol, timeframe: Timeframe) -> Self {
        let parts = [
            seed.to_le_bytes().as_slice(),
            symbol.as_str().as_bytes(),
            &timeframe.minutes().to_le_bytes(),
        ]
        .map(<[u8]>::to_vec);
        let hash = ContentHash::of_parts(parts.iter().map(Vec::as_slice));
        Self(ChaCha8Rng::seed_from_u64(hash.to_u64()))
    }

    /// Rounded to multiples of 2⁻³²: the rare draws from the tails go through the system's logarithm, whose last digit differs between systems.
    fn draw<const N: usize>(&mut self) -> [f64; N] {
        const STEPS: f64 = 4_294_967_296.0;
        std::array::from_fn(|_| {
            let number: f64 = StandardNormal.sample(&mut self.0);
            (number * STEPS).round() / STEPS
        })
    }
}

/// The exponential by exactly rounded operations only, so that it is the same everywhere; the standard library's is the system's.
/// Relative error below 10⁻¹⁵ for |x| ≤ 700.
fn exp(x: f64) -> f64 {
    use std::f64::consts::{LN_2, LOG2_E};
    /// ln 2 in two parts: the first with so few digits that its multiples are exact.
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const TERMS: u32 = 14;
    debug_assert!((LN_2_HIGH + LN_2_LOW - LN_2).abs() < 1e-16);
    let doublings = (x * LOG2_E).round();
    let rest = (x - doublings * LN_2_HIGH) - doublings * LN_2_LOW;
    let series = (1..=TERMS).rev().fold(1.0, |sum, term| 1.0 + rest / f64::from(term) * sum);
    let half = (doublings / 2.0).floor();
    series * power_of_two(half) * power_of_two(doublings - half)
}

/// 2 to a whole power between -1022 and 1023, exactly.
fn power_of_two(exponent: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 ..= 2046 after the clamp"
    )]
    let biased = (exponent + 1023.0).clamp(1.0, 2046.0) as u64;
    f64::from_bits(biased << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(market: SyntheticMarket, bars: u32, seed: u64) -> SyntheticSpec {
        SyntheticSpec { market, bars, seed }
    }

    fn make(market: SyntheticMarket, bars: u32, seed: u64) -> SyntheticSeries {
        let symbol = &synthetic_default_symbols()[0];
        synthetic_bars(&spec(market, bars, seed), symbol, "1h".parse().unwrap()).unwrap()
    }

    /// The return a decision at bar t earns: from the open of bar t+1 to that of bar t+2.
    fn outcomes(bars: &Bars) -> Vec<f64> {
        bars.open().windows(3).map(|opens| (opens[2] / opens[1]).ln()).collect()
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let count = a.len().min(b.len());
        let (a, b) = (&a[..count], &b[..count]);
        let mean = |x: &[f64]| x.iter().sum::<f64>() / f64::from(u32::try_from(x.len()).unwrap());
        let (mean_a, mean_b) = (mean(a), mean(b));
        let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            a.iter().zip(b).map(|(a, b)| f(a - mean_a, b - mean_b)).sum()
        };
        sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
    }

    #[test]
    fn the_same_seed_gives_the_same_bits() {
        let market = SyntheticMarket::Planted { ic: 0.3 };
        let hash = make(market, 10_000, 7).bars.content_hash();
        assert_eq!(
            hash.to_string(),
            "5d7ff3d43bc6548b0876104f2d2740c803ded250daab9cc7212e8964b7f58c9a"
        );
        assert_ne!(make(market, 10_000, 8).bars.content_hash(), hash);
        let other = synthetic_bars(
            &spec(market, 10_000, 7),
            &"SYN_B".parse().unwrap(),
            "1h".parse().unwrap(),
        );
        assert_ne!(other.unwrap().bars.close()[..9], make(market, 10_000, 7).bars.close()[..9]);
        let longer = make(market, 20_000, 7);
        assert_eq!(
            longer.bars.truncated(10_000).content_hash(),
            hash,
            "more bars continue the walk"
        );
    }

    #[test]
    fn the_planted_correlation_is_there_and_prices_alone_know_nothing() {
        const BARS: u32 = 50_000;
        let standard_error = 1.0 / f64::from(BARS).sqrt();
        for (seed, ic) in [(1, 0.30), (2, 0.05), (3, -0.5)] {
            let series = make(SyntheticMarket::Planted { ic }, BARS, seed);
            let outcomes = outcomes(&series.bars);
            let realised = correlation(&series.bayes.unwrap(), &outcomes);
            assert!((realised - ic.abs()).abs() < 3.0 * standard_error, "{ic}: {realised}");
            let last_return: Vec<f64> = series
                .bars
                .open()
                .iter()
                .zip(series.bars.close())
                .map(|(o, c)| (c / o).ln())
                .collect();
            let from_past = correlation(&last_return, &outcomes);
            assert!(from_past.abs() < 3.0 * standard_error, "{ic}: {from_past}");
            let range: Vec<f64> = series
                .bars
                .high()
                .iter()
                .zip(series.bars.low())
                .map(|(h, l)| (h / l).ln())
                .collect();
            assert!(correlation(&range, &outcomes).abs() < 3.0 * standard_error);
        }
    }

    #[test]
    fn in_the_null_market_volume_predicts_nothing() {
        let series = make(SyntheticMarket::Null, 50_000, 4);
        assert_eq!(series.bayes, None);
        let volume: Vec<f64> = series.bars.volume().iter().map(|volume| volume.ln()).collect();
        let found = correlation(&volume, &outcomes(&series.bars));
        assert!(found.abs() < 3.0 / 50_000_f64.sqrt(), "{found}");
    }

    #[test]
    fn scale_and_shape_are_as_described() {
        let bars = make(SyntheticMarket::Planted { ic: 0.3 }, 50_000, 5).bars;
        assert_eq!(bars.open_time()[0].to_string(), "2015-01-01T00:00:00Z");
        assert!(bars.open()[1..] == bars.close()[..49_999], "each bar opens at the last close");
        let squares: f64 = outcomes(&bars).iter().map(|outcome| outcome * outcome).sum();
        approx::assert_relative_eq!((squares / 49_998.0).sqrt(), 0.005, max_relative = 0.02);
        let log_volume = bars.volume().iter().map(|volume| volume.ln()).sum::<f64>() / 50_000.0;
        approx::assert_abs_diff_eq!(log_volume, 1000_f64.ln(), epsilon = 0.01);
    }

    #[test]
    fn impossible_markets_are_refused() {
        let symbol = &synthetic_default_symbols()[1];
        for (market, bars, timeframe, expected) in [
            (SyntheticMarket::Null, 0, "1h", "SYN_B 1h: it has 0 bars; choose 1 to"),
            (SyntheticMarket::Null, 10_000_000, "1w", "choose 1 to 3058201"),
            (
                SyntheticMarket::Planted { ic: 1.5 },
                100,
                "1h",
                "its ic is 1.5; choose one between -1 and 1",
            ),
            (SyntheticMarket::Planted { ic: f64::NAN }, 100, "1h", "its ic is NaN"),
        ] {
            let error = synthetic_bars(&spec(market, bars, 1), symbol, timeframe.parse().unwrap())
                .unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn the_portable_exponential_is_the_exponential() {
        for step in -1400..=1400 {
            let x = f64::from(step) / 2.0 + 0.123;
            approx::assert_relative_eq!(exp(x), x.exp(), max_relative = 2e-15);
        }
        assert!(exp(0.0).to_bits() == 1_f64.to_bits());
    }
}
