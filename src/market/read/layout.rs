use std::fmt;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::columns::normalised;
use super::zone::Clock;

/// A known way of writing bars. In `walkforge.ron` the names are in snake case, as in `layout: lean_quotes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Columns told by their names, or date, open, high, low, close and volume in this order; nothing else is special.
    Generic,
    /// freqtrade's download: `date, open, high, low, close, volume` as Feather, Parquet or JSON arrays; UTC.
    Freqtrade,
    /// Binance's klines: twelve columns, often without a header; open times since 1970 in milliseconds, in microseconds since 2025.
    BinanceKlines,
    /// An export of `MetaTrader`: `<DATE>` and `<TIME>`, or `2012.01.02,00:00,…` without a header. The clock is the broker's. The volume is the
    /// number of ticks.
    MetaTrader,
    /// LEAN's trade bars without a header, `yyyyMMdd HH:mm` first. Whole numbers throughout are the prices of an American stock times 10,000 in
    /// New York time; other prices are as they are, in UTC. A time is the start of its bar.
    Lean,
    /// LEAN's quote bars: open, high, low, close and size of the bid, then of the ask; UTC. Prices become the mean of both, which for high and low
    /// is exact only where the spread stays the same within the bar. The sizes, summed, stand for the volume: they are what was offered at the end
    /// of the bar, not what was traded.
    LeanQuotes,
    /// `CryptoDataDownload`: perhaps a line with its address before the header, symbol and volume in both currencies, often the newest bar first;
    /// UTC. The volume is that in the base currency.
    CryptoDataDownload,
    /// ejtraderLabs' history: `Date,open,high,low,close,tick_volume`, prices in integer points of the broker's last digit (100,000 to one, 1,000 for
    /// the yen and silver, 100 for gold).
    ///
    /// The broker's clock is Eastern European with European daylight saving: against LEAN's gold, which is in UTC, prices fit at +2 h in winter and
    /// also in the weeks in which only America has summer time, at +3 h in summer. The currency pairs, not gold, stand an hour earlier before
    /// 2014-11-23: American releases of 8:30 come at 14:00 and the week ends at 22:00, since then at 15:00 and 23:00.
    EjtraderPoints,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Generic => "a plain table",
            Self::Freqtrade => "freqtrade",
            Self::BinanceKlines => "Binance klines",
            Self::MetaTrader => "MetaTrader",
            Self::Lean => "LEAN trade bars",
            Self::LeanQuotes => "LEAN quote bars",
            Self::CryptoDataDownload => "CryptoDataDownload",
            Self::EjtraderPoints => "ejtrader points",
        })
    }
}

/// What the head of a text shows.
pub struct Head<'a> {
    /// The names of the columns, where they are named.
    pub names: Option<&'a [String]>,
    /// What stands before them.
    pub before: &'a str,
    /// The fields of the first row.
    pub first: &'a [&'a str],
}

impl Layout {
    /// Whose file this is, by its head.
    pub fn of(head: &Head<'_>) -> Self {
        match head.names {
            Some(names) => Self::of_names(names, head.before),
            None => Self::of_row(head.first),
        }
    }

    /// Whose file this is, by the names of its columns.
    pub fn of_names(names: &[String], before: &str) -> Self {
        let names: Vec<String> = names.iter().map(|name| normalised(name)).collect();
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        let is_exactly = |wanted: &[&str]| names == wanted;
        let is_of_base_and_quote =
            has("volumeto") || names.iter().any(|name| name.starts_with("volume_"));
        if before.to_lowercase().contains("cryptodatadownload")
            || (has("symbol") && is_of_base_and_quote)
        {
            Self::CryptoDataDownload
        } else if (has("open_time") || has("opentime")) && (has("close_time") || has("closetime")) {
            Self::BinanceKlines
        } else if has("tickvol") || (has("spread") && has("tick_volume")) {
            Self::MetaTrader
        } else if is_exactly(&["date", "open", "high", "low", "close", "tick_volume"]) {
            Self::EjtraderPoints
        } else {
            Self::Generic
        }
    }

    fn of_row(fields: &[&str]) -> Self {
        let starts = |pattern: &str| {
            let first = fields.first().map_or("", |first| first.trim());
            let fits = |(byte, wanted): (u8, u8)| {
                if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted }
            };
            first.len() >= pattern.len() && first.bytes().zip(pattern.bytes()).all(fits)
        };
        match fields.len() {
            12 if starts("000000000000") => Self::BinanceKlines,
            11 if starts("00000000 00:00") => Self::LeanQuotes,
            6 if starts("00000000 00:00") => Self::Lean,
            _ if starts("0000.00.00") => Self::MetaTrader,
            _ => Self::Generic,
        }
    }

    /// The clock by which this layout writes its dates, where that is known.
    pub fn clock(self, symbol: Option<&str>, is_whole: bool) -> Option<Clock> {
        match self {
            Self::Generic | Self::MetaTrader => None,
            Self::Lean if is_whole => Some(Clock::Zone(Tz::America__New_York)),
            Self::Lean
            | Self::LeanQuotes
            | Self::Freqtrade
            | Self::BinanceKlines
            | Self::CryptoDataDownload => Some(Clock::Utc),
            Self::EjtraderPoints => {
                let (before, after) = (Tz::Europe__Berlin, Tz::Europe__Athens);
                let is_metal = symbol.is_some_and(|symbol| symbol.to_uppercase().starts_with("XA"));
                Some(if is_metal {
                    Clock::Zone(after)
                } else {
                    Clock::Changed { before, at: BROKER_CHANGE_MILLIS, after }
                })
            }
        }
    }

    /// What this layout's prices are multiplied with; `None` where nothing is known of it or the price would not be one.
    pub fn price_divisor(self, symbol: Option<&str>, is_whole: bool, price: f64) -> Option<f64> {
        match self {
            Self::Lean if is_whole => Some(10_000.0),
            Self::EjtraderPoints if is_whole => {
                let (divisor, usual) = points(symbol?)?;
                usual.contains(&(price / divisor)).then_some(divisor)
            }
            _ => None,
        }
    }
}

/// 2014-11-23, a Sunday.
const BROKER_CHANGE_MILLIS: i64 = 1_416_700_800_000;

/// How many points a symbol's quote currency is divided into, and between what its price lies.
fn points(symbol: &str) -> Option<(f64, std::ops::Range<f64>)> {
    const CURRENCIES: [&str; 21] = [
        "AUD", "CAD", "CHF", "CNH", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "JPY", "MXN", "NOK",
        "NZD", "PLN", "SEK", "SGD", "THB", "TRY", "USD", "ZAR",
    ];
    let symbol = symbol.to_uppercase();
    let (base, quote) = symbol.split_at_checked(3)?;
    let is_known = |currency: &str| CURRENCIES.contains(&currency);
    match (base, quote) {
        ("XAU", "USD") => Some((100.0, 100.0..20_000.0)),
        ("XAG", "USD") => Some((1_000.0, 2.0..500.0)),
        (_, "JPY") if is_known(base) => Some((1_000.0, 1.0..1_000.0)),
        (_, _) if is_known(base) && is_known(quote) => Some((100_000.0, 0.05..50.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_told_by_their_heads() {
        for (before, line, expected) in [
            ("", "date,open,high,low,close,volume", Layout::Generic),
            (
                "Timestamps are UTC timezone,https://www.CryptoDataDownload.com",
                "date,symbol,open,high,low,close,volume_btc,volume",
                Layout::CryptoDataDownload,
            ),
            ("", "Date,Symbol,Open,High,Low,Close,VolumeFrom,VolumeTo", Layout::CryptoDataDownload),
            (
                "",
                "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD",
                Layout::CryptoDataDownload,
            ),
            ("", "Date,open,high,low,close,tick_volume", Layout::EjtraderPoints),
            (
                "",
                "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore",
                Layout::BinanceKlines,
            ),
            (
                "",
                "<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>,<VOL>,<SPREAD>",
                Layout::MetaTrader,
            ),
        ] {
            let names: Vec<String> = line.split(',').map(str::to_owned).collect();
            let head = Head { names: Some(&names), before, first: &[] };
            assert_eq!(Layout::of(&head), expected, "{line}");
        }
        for (line, expected) in [
            ("1735689600000000,1,2,0.5,1.5,10,1735689659999999,15,3,5,7,0", Layout::BinanceKlines),
            ("19980102 09:00,136300,137500,135000,136300,540700", Layout::Lean),
            (
                "20060320 00:00,552.8,554.7,552.4,554.2,0,555.3,557.2,554.9,556.7,0",
                Layout::LeanQuotes,
            ),
            ("2012.01.02,00:00,1.29,1.30,1.28,1.29,100", Layout::MetaTrader),
            ("2012-01-02,1.29,1.30,1.28,1.29,100", Layout::Generic),
        ] {
            let first: Vec<&str> = line.split(',').collect();
            assert_eq!(
                Layout::of(&Head { names: None, before: "", first: &first }),
                expected,
                "{line}"
            );
        }
    }

    #[test]
    fn points_are_those_of_the_quote_currency_or_none() {
        let points = Layout::EjtraderPoints;
        for (symbol, price, expected) in [
            ("EURUSD", 129_613.0, Some(100_000.0)),
            ("eurjpy", 129_613.0, Some(1_000.0)),
            ("XAUUSD", 154_759.0, Some(100.0)),
            ("XAGUSD", 28_100.0, Some(1_000.0)),
            ("USDMXN", 2_043_100.0, Some(100_000.0)),
            ("EURUSD", 1.0, None),
            ("XAUUSD", 1_547.0, None),
            ("US500", 390_000.0, None),
            ("BTCUSD", 1_900_000.0, None),
            ("É€", 1.0, None),
        ] {
            assert_eq!(
                points.price_divisor(Some(symbol), true, price),
                expected,
                "{symbol} {price}"
            );
        }
        assert_eq!(points.price_divisor(Some("EURUSD"), false, 129_613.0), None);
        assert_eq!(points.price_divisor(None, true, 129_613.0), None);
    }
}
