//! Which formula computes which feature.

use kand::KandError;

use super::{
    FeatureError, alpha158, averages, clock, compute, higher, momentum, returns, sar, session,
    statistics, volatility, volume, wilder,
};
use crate::market::Bars;
use crate::spec::FeatureSpec;

/// Why a formula has no answer.
pub(super) enum Problem {
    /// The indicator library refused.
    Indicator(KandError),
    /// Something else.
    Feature(FeatureError),
}

impl From<KandError> for Problem {
    fn from(error: KandError) -> Self {
        Self::Indicator(error)
    }
}

impl From<FeatureError> for Problem {
    fn from(error: FeatureError) -> Self {
        Self::Feature(error)
    }
}

/// The columns of one symbol's feature; of one that compares symbols those of the feature inside.
#[expect(clippy::too_many_lines, reason = "one line for each feature")]
pub(super) fn columns_of(spec: &FeatureSpec, bars: &Bars) -> Result<Vec<Vec<f64>>, Problem> {
    use FeatureSpec as F;
    let n = |bars: u32| bars as usize;
    let close = bars.close();
    let column = match *spec {
        F::LogReturn { lag } => returns::log_return(close, n(lag)),
        F::RateOfChange { period } => returns::rate_of_change(close, n(period)),
        F::BarReturn => returns::bar_return(bars),
        F::Gap => returns::gap(bars),

        F::SmaDistance { period } => averages::distance(close, &averages::simple(close, n(period))),
        F::EmaDistance { period } => {
            averages::distance(close, &averages::exponential(close, n(period))?)
        }
        F::WmaDistance { period } => {
            averages::distance(close, &averages::weighted(close, n(period)))
        }
        F::DemaDistance { period } => {
            averages::distance(close, &averages::double_exponential(close, n(period))?)
        }
        F::TemaDistance { period } => {
            averages::distance(close, &averages::triple_exponential(close, n(period))?)
        }
        F::KamaDistance { period } => {
            averages::distance(close, &averages::adaptive(close, n(period)))
        }
        F::Macd { fast, slow, signal } => {
            return Ok(averages::macd(close, (n(fast), n(slow), n(signal)))?.into());
        }
        F::Ppo { fast, slow } => averages::percentage_oscillator(close, n(fast), n(slow))?,
        F::Adx { period } => wilder::adx(bars, n(period)),
        F::DirectionalIndex { period } => {
            return Ok(wilder::directional(bars, n(period)).into());
        }
        F::Aroon { period } => return Ok(momentum::aroon(bars, n(period)).into()),
        F::SarDistance { acceleration, maximum } => {
            averages::distance(close, &sar::parabolic(bars, acceleration, maximum))
        }
        F::LinearRegressionSlope { window } => averages::slope(close, n(window)),
        F::LinearRegressionAngle { window } => averages::angle(close, n(window)),
        F::LinearRegressionR2 { window } => averages::r_squared(close, n(window)),
        F::LinearRegressionDistance { window } => averages::line_distance(close, n(window)),
        F::EfficiencyRatio { period } => averages::efficiency_ratio(close, n(period), 0.0),

        F::Rsi { period } => wilder::rsi(close, n(period))?,
        F::Momentum { period } => returns::momentum(close, n(period)),
        F::Stochastic { window, smooth_k, smooth_d } => {
            return Ok(momentum::stochastic(bars, (n(window), n(smooth_k), n(smooth_d))).into());
        }
        F::StochasticRsi { period, window, smooth_d } => {
            let lengths = (n(period), n(window), n(smooth_d));
            return Ok(momentum::stochastic_rsi(close, lengths)?.into());
        }
        F::WilliamsR { period } => {
            let place = momentum::place_in_range(bars, n(period), 1.0);
            place.into_iter().map(|place| place - 1.0).collect()
        }
        F::Cci { period } => momentum::commodity_channel(bars, n(period)),
        F::Cmo { period } => wilder::cmo(close, n(period))?,
        F::Trix { period } => averages::trix(close, n(period))?,
        F::UltimateOscillator { short, medium, long } => {
            momentum::ultimate(bars, [n(short), n(medium), n(long)])
        }

        F::RealizedVolatility { window } => volatility::realized(close, n(window)),
        F::Atr { period } => wilder::atr(bars, n(period))?,
        F::TrueRange => volatility::true_range(bars),
        F::BollingerPosition { window, deviations } => {
            averages::bollinger_position(close, n(window), deviations)
        }
        F::BollingerBandwidth { window, deviations } => {
            averages::bollinger_bandwidth(close, n(window), deviations)
        }
        F::KeltnerPosition { period, atr_period, multiple } => {
            volatility::keltner_position(bars, (n(period), n(atr_period)), multiple)?
        }
        F::ParkinsonVolatility { window } => volatility::parkinson(bars, n(window)),
        F::GarmanKlassVolatility { window } => volatility::garman_klass(bars, n(window)),
        F::RogersSatchellVolatility { window } => volatility::rogers_satchell(bars, n(window)),
        F::YangZhangVolatility { window } => volatility::yang_zhang(bars, n(window)),

        F::VolumeZScore { window } => volume::z_score(bars, n(window)),
        F::RelativeVolume { window } => volume::relative(bars, n(window)),
        F::ObvSlope { window } => volume::on_balance_slope(bars, n(window))?,
        F::ObvZScore { window } => volume::on_balance_z_score(bars, n(window))?,
        F::AccumulationZScore { window } => volume::accumulation_z_score(bars, n(window)),
        F::ChaikinMoneyFlow { window } => volume::chaikin_money_flow(bars, n(window)),
        F::Mfi { period } => momentum::money_flow(bars, n(period)),
        F::VwapDistance { window } => volume::vwap_distance(bars, n(window)),
        F::Amihud { window } => volume::amihud(bars, n(window)),
        F::PriceVolumeCorrelation { window } => volume::price_volume_correlation(bars, n(window)),

        F::RangePosition { window } => momentum::place_in_range(bars, n(window), 0.5),
        F::Drawdown { window } => statistics::drawdown(bars, n(window)),
        F::RunUp { window } => statistics::run_up(bars, n(window)),
        F::BarsSinceHigh { window } => statistics::age_of_extremes(bars, n(window))[0].clone(),
        F::BarsSinceLow { window } => statistics::age_of_extremes(bars, n(window))[1].clone(),
        F::UpBarRatio { window } => momentum::up_bar_ratio(close, n(window)),
        F::BodyRatio => statistics::shape_of_bar(bars)[0].clone(),
        F::ShadowRatio => {
            let [_, upper, lower] = statistics::shape_of_bar(bars);
            return Ok(vec![upper, lower]);
        }

        F::ReturnMean { window } => statistics::return_mean(close, n(window)),
        F::ReturnSkewness { window } => statistics::return_skewness(close, n(window)),
        F::ReturnKurtosis { window } => statistics::return_kurtosis(close, n(window)),
        F::ReturnMin { window } => statistics::return_min(close, n(window)),
        F::ReturnMax { window } => statistics::return_max(close, n(window)),
        F::ReturnZScore { window } => statistics::return_z_score(close, n(window)),
        F::ReturnQuantile { window, quantile } => {
            statistics::return_quantile(close, n(window), quantile)
        }
        F::ReturnRank { window } => statistics::return_rank(close, n(window)),
        F::ReturnAutocorrelation { window, lag } => {
            statistics::return_autocorrelation(close, n(window), n(lag))
        }

        F::TimeOfDay => return Ok(clock::time_of_day(bars).into()),
        F::DayOfWeek => return Ok(clock::day_of_week(bars).into()),
        F::DayOfMonth => return Ok(clock::day_of_month(bars).into()),
        F::MonthOfYear => return Ok(clock::month_of_year(bars).into()),
        F::IsWeekend => clock::is_weekend(bars),
        F::TimeGap => clock::time_gap(bars),
        F::TimeSinceSessionOpen => session::hours(bars)[0].clone(),
        F::TimeToSessionClose => session::hours(bars)[1].clone(),

        F::CrossRank { ref of } | F::CrossZScore { ref of } | F::CrossDemean { ref of } => {
            return Ok(compute::columns_of(of, bars)?);
        }
        F::Alpha158 => return Ok(alpha158::all(bars)),
        F::Alpha158Bar => return Ok(alpha158::of_bar(bars).into()),
        F::Alpha158Price => return Ok(alpha158::prices(bars).into()),
        F::Alpha158Rolling { window } => return Ok(alpha158::rolling(bars, n(window))),
        F::Higher { timeframe, ref of } => return Ok(higher::of_longer_bars(timeframe, of, bars)?),
    };
    Ok(vec![column])
}
