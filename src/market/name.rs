use std::path::Path;

use super::read::stem;
use crate::domain::{Symbol, Timeframe};

/// Symbol and timeframe from a market file's name, as exchanges, brokers and download tools write it: `BTC_USDT-1h.feather`,
/// `XAUUSDh1.csv`, `EURUSD_M15.csv`, `Coinbase_BTCUSD_1h.csv`, `bitfinex-1h-btc-usd.csv`, `xauusd-hour-bid-ask.zip`. `None` where the name
/// leaves either open: better to ask than to guess.
#[must_use]
pub fn parse_file_name(path: &Path) -> Option<(Symbol, Timeframe)> {
    let stem = stem(path)?;
    let (symbol, timeframe) = split_at_separator(stem)
        .or_else(|| split_before_code(stem))
        .or_else(|| split_before_number(stem))
        .map_or_else(
            || split_at_word(stem),
            |(symbol, timeframe)| Some((without_vendor(symbol).to_owned(), timeframe)),
        )?;
    Some((symbol.parse().ok()?, timeframe))
}

/// `BTC_USDT-1h`, `EURUSD_M15`: the timeframe stands after the last separator.
fn split_at_separator(stem: &str) -> Option<(&str, Timeframe)> {
    let (symbol, last) = stem.rsplit_once(['-', '_', '.', ' '])?;
    Some((symbol, timeframe_of_word(last).or_else(|| timeframe_from_code(last))?))
}

/// Words that say what kind of bars a file holds, not what is traded.
const KINDS: [&str; 12] = [
    "bid", "ask", "quote", "quotes", "trade", "trades", "ohlc", "ohlcv", "candles", "klines",
    "spot", "bars",
];
const VENDORS: [&str; 20] = [
    "binance",
    "bitfinex",
    "bitmex",
    "bitstamp",
    "bybit",
    "coinbase",
    "deribit",
    "dukascopy",
    "fxcm",
    "gateio",
    "gemini",
    "huobi",
    "kraken",
    "kucoin",
    "oanda",
    "okex",
    "okx",
    "poloniex",
    "polygon",
    "yahoo",
];

fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// `bitfinex-1h-btc-usd`, `xauusd-hour-bid-ask`: one word is the timeframe, one or two that stand together are the symbol, and every other one is
/// known. In such names lower case says nothing, so the symbol is put into upper case.
fn split_at_word(stem: &str) -> Option<(String, Timeframe)> {
    let words: Vec<&str> = stem.split(['-', '_', ' ']).collect();
    let timeframes = words.iter().enumerate();
    let mut timeframes = timeframes.filter_map(|(at, word)| Some((at, timeframe_of_word(word)?)));
    let ((at, timeframe), None) = (timeframes.next()?, timeframes.next()) else { return None };
    let is_symbol = |(place, word): &(usize, &&str)| {
        *place != at && !is_one_of(&KINDS, word) && !is_one_of(&VENDORS, word)
    };
    let symbol: Vec<(usize, &str)> =
        words.iter().enumerate().filter(is_symbol).map(|(place, word)| (place, *word)).collect();
    let is_sound = match &symbol[..] {
        [_] => true,
        [(first, _), (second, _)] => first + 1 == *second,
        _ => false,
    };
    let fits = |word: &str| {
        (2..=12).contains(&word.len()) && word.bytes().all(|letter| letter.is_ascii_alphanumeric())
    };
    let has_stranger =
        symbol.iter().any(|(_, word)| !fits(word)) || words.len() == symbol.len() + 1 && at != 0;
    if !is_sound || has_stranger {
        return None;
    }
    let names: Vec<&str> = symbol.into_iter().map(|(_, word)| word).collect();
    Some((names.join("_").to_uppercase(), timeframe))
}

/// `Coinbase_BTCUSD` → `BTCUSD`, also for a vendor in lower case.
pub(super) fn without_vendor_words(name: &str) -> &str {
    match name.split_once(['_', '-']) {
        Some((vendor, rest)) if is_one_of(&VENDORS, vendor) => rest,
        _ => name,
    }
}

/// `hour`, `daily`, `1min`, `4hours`: a timeframe in words, or with number and unit as in `1h`.
pub(super) fn timeframe_of_word(word: &str) -> Option<Timeframe> {
    if let Some(timeframe) = timeframe_from_number(word) {
        return Some(timeframe);
    }
    let word = word.to_lowercase();
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = word.split_at(digits);
    let count: u32 = if count.is_empty() { 1 } else { count.parse().ok()? };
    let minutes = match unit {
        "min" | "mins" | "minute" | "minutes" => 1,
        "hour" | "hours" | "hourly" | "hr" => 60,
        "day" | "days" | "daily" => 1_440,
        "week" | "weeks" | "weekly" => 10_080,
        _ => return None,
    };
    Timeframe::from_minutes(count.checked_mul(minutes)?)
}

/// `XAUUSDh1`, `EURUSDM15`: a broker's code right after the symbol. In one case with a short symbol (`ESH4`) it may as well be the delivery
/// month of a future, so the code must differ in case or the symbol have six letters.
fn split_before_code(stem: &str) -> Option<(&str, Timeframe)> {
    const SHORTEST_PAIR: usize = 6;
    let digits = stem.bytes().rev().take_while(u8::is_ascii_digit).count();
    let at = stem.len().checked_sub(digits + 1)?;
    let (symbol, code) = (stem.get(..at)?, stem.get(at..)?);
    let last_letter = symbol.chars().rfind(char::is_ascii_alphabetic)?;
    let differs = code.starts_with(char::is_uppercase) != last_letter.is_ascii_uppercase();
    (symbol.len() >= SHORTEST_PAIR || differs)
        .then(|| timeframe_from_code(code))
        .flatten()
        .map(|timeframe| (symbol, timeframe))
}

/// `AAPL5m`: number and unit right after the symbol.
fn split_before_number(stem: &str) -> Option<(&str, Timeframe)> {
    let digits = stem
        .get(..stem.len().checked_sub(1)?)?
        .bytes()
        .rev()
        .take_while(u8::is_ascii_digit)
        .count();
    let at = stem.len() - 1 - digits;
    let (symbol, last) = (stem.get(..at)?, stem.get(at..)?);
    let is_lower = last.ends_with(|unit: char| unit.is_ascii_lowercase());
    is_lower.then(|| timeframe_from_number(last)).flatten().map(|timeframe| (symbol, timeframe))
}

/// `5m`, `1h`, `4H`, `1d`: `M` is left out, because it means months as often as minutes.
fn timeframe_from_number(text: &str) -> Option<Timeframe> {
    let text = match text.as_bytes().last()? {
        b'H' | b'D' | b'W' => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    };
    text.parse().ok()
}

/// The codes of `MetaTrader`, in either case: `M15`, `h1`, `D1`.
fn timeframe_from_code(text: &str) -> Option<Timeframe> {
    let minutes = match text.to_ascii_uppercase().as_str() {
        "M1" => 1,
        "M2" => 2,
        "M3" => 3,
        "M5" => 5,
        "M10" => 10,
        "M15" => 15,
        "M20" => 20,
        "M30" => 30,
        "H1" => 60,
        "H2" => 120,
        "H3" => 180,
        "H4" => 240,
        "H6" => 360,
        "H8" => 480,
        "H12" => 720,
        "D1" => 1_440,
        "W1" => 10_080,
        _ => return None,
    };
    Timeframe::from_minutes(minutes)
}

/// `Coinbase_BTCUSD` → `BTCUSD`: a capitalised word before an upper-case symbol is who sells the data.
fn without_vendor(symbol: &str) -> &str {
    let has_lower = |text: &str| text.contains(|letter: char| letter.is_ascii_lowercase());
    match symbol.split_once('_') {
        Some((vendor, rest)) if has_lower(vendor) && !has_lower(rest) && !rest.is_empty() => rest,
        _ => symbol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_sources_are_understood() {
        for (name, expected) in [
            ("BTC_USDT-1h.feather", Some("BTC_USDT 1h")),
            ("1000SATS_USDT-5m.feather", Some("1000SATS_USDT 5m")),
            ("BTC_USDT_USDT-4h.feather", Some("BTC_USDT_USDT 4h")),
            ("/data/1d/BTC_USDT-1D.FEATHER", Some("BTC_USDT 1d")),
            ("XAUUSDh1.csv", Some("XAUUSD 1h")),
            ("XAUUSDh4.csv", Some("XAUUSD 4h")),
            ("EURUSDd1.csv", Some("EURUSD 1d")),
            ("EURUSDM15.csv", Some("EURUSD 15m")),
            ("EURUSD_M15.csv", Some("EURUSD 15m")),
            ("EURUSD.D1.csv", Some("EURUSD 1d")),
            ("US500-H4.csv", Some("US500 4h")),
            ("US500h4.csv", Some("US500 4h")),
            ("US500H4.csv", None),
            ("ES-5m.csv", Some("ES 5m")),
            ("ESh1.csv", Some("ES 1h")),
            ("esH1.csv", Some("es 1h")),
            ("AAPL5m.csv", Some("AAPL 5m")),
            ("BRK.B-1d.csv", Some("BRK.B 1d")),
            ("Coinbase_BTCUSD_1h.csv", Some("BTCUSD 1h")),
            ("Binance_BTC_USDT_1h.csv", Some("BTC_USDT 1h")),
            ("btc_usdt-1h.csv", Some("btc_usdt 1h")),
            ("EURUSD60.csv", None),
            ("EURUSD.csv", None),
            ("ESH4.csv", None),
            ("BTC_USDT-1M.feather", None),
            ("EURUSDMN1.csv", None),
            ("BTC_USDT-1h-mark.feather", None),
            ("bitfinex-1h-btc-usd.csv", Some("BTC_USD 1h")),
            ("xauusd-hour-bid-ask.zip", Some("XAUUSD 1h")),
            ("BTCUSDT_hourly.csv", Some("BTCUSDT 1h")),
            ("AAPL_daily.csv.gz", Some("AAPL 1d")),
            ("EURUSD_15min.txt", Some("EURUSD 15m")),
            ("kraken_ETHEUR_4hours_ohlcv.csv", Some("ETHEUR 4h")),
            ("1h-5m-btc-usd.csv", None),
            ("1h-btc-usd-eur.csv", None),
            ("my-hour-notes.csv", None),
            ("-1h.csv", None),
            ("1h.csv", None),
            ("h1.csv", None),
            ("my data-1h.csv", None),
            ("é1h.csv", Some("é 1h")),
            ("éh1.csv", None),
            (".csv", None),
            ("", None),
        ] {
            let parsed = parse_file_name(Path::new(name));
            let shown = parsed.map(|(symbol, timeframe)| format!("{symbol} {timeframe}"));
            assert_eq!(shown.as_deref(), expected, "{name}");
        }
    }
}
