use std::path::Path;

use crate::domain::{Symbol, Timeframe};

/// Symbol and timeframe from a market file's name, as exchanges, brokers and download tools write it: `BTC_USDT-1h.feather`,
/// `XAUUSDh1.csv`, `EURUSD_M15.csv`, `Coinbase_BTCUSD_1h.csv`. `None` where the name leaves either open: better to ask than to guess.
#[must_use]
pub fn parse_file_name(path: &Path) -> Option<(Symbol, Timeframe)> {
    let stem = path.file_stem()?.to_str()?;
    let (symbol, timeframe) = split_at_separator(stem)
        .or_else(|| split_before_code(stem))
        .or_else(|| split_before_number(stem))?;
    Some((without_vendor(symbol).parse().ok()?, timeframe))
}

/// `BTC_USDT-1h`, `EURUSD_M15`: the timeframe stands after the last separator.
fn split_at_separator(stem: &str) -> Option<(&str, Timeframe)> {
    let (symbol, last) = stem.rsplit_once(['-', '_', '.', ' '])?;
    Some((symbol, timeframe_from_number(last).or_else(|| timeframe_from_code(last))?))
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
            ("bitfinex-1h-btc-usd.csv", None),
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
