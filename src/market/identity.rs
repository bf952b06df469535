use std::path::Path;

use serde::{Deserialize, Serialize};

use super::name::{parse_file_name, timeframe_of_word, without_vendor_words};
use super::overrides::FileOverride;
use super::read::{Fact, Origin, stem};
use crate::domain::{Symbol, Timeframe};

/// What is traded in a market file and how long a bar is, as far as it can be known without opening it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What is traded.
    pub symbol: Option<Fact<Symbol>>,
    /// How long a bar is.
    pub timeframe: Option<Fact<Timeframe>>,
}

impl Identity {
    /// By what the user says, then by the file's name, then by the folder's: LEAN writes `hour/aapl.zip`.
    #[must_use]
    pub fn of_path(path: &Path, chosen: &FileOverride) -> Self {
        let (symbol, timeframe) = by_path(path);
        Self {
            symbol: chosen.symbol.clone().map(Fact::overridden).or(symbol),
            timeframe: chosen.timeframe.map(Fact::overridden).or(timeframe),
        }
    }

    /// Both, where both are known.
    #[must_use]
    pub fn both(&self) -> Option<(Symbol, Timeframe)> {
        Some((self.symbol.as_ref()?.value.clone(), self.timeframe.as_ref()?.value))
    }
}

fn by_path(path: &Path) -> (Option<Fact<Symbol>>, Option<Fact<Timeframe>>) {
    if let Some((symbol, timeframe)) = parse_file_name(path) {
        return (Some(Fact::new(symbol, Origin::Name)), Some(Fact::new(timeframe, Origin::Name)));
    }
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let Some(timeframe) = folder.and_then(timeframe_of_word) else { return (None, None) };
    // The whole name is the symbol then, if it is one word.
    let symbol = stem(path).map(without_vendor_words).filter(|name| {
        name.len() <= 12
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "._=^".contains(letter))
    });
    let symbol = symbol.and_then(|name| name.to_uppercase().parse().ok());
    match symbol {
        Some(symbol) => {
            (Some(Fact::new(symbol, Origin::Name)), Some(Fact::new(timeframe, Origin::Folder)))
        }
        None => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_tells_where_the_name_does_not() {
        for (path, expected) in [
            ("us-equities/hour/aapl.zip", Some("AAPL 1h")),
            ("us-equities/daily/spy.zip", Some("SPY 1d")),
            ("1h/BTC_USDT.feather", Some("BTC_USDT 1h")),
            ("5m/BTC_USDT-1h.feather", Some("BTC_USDT 1h")),
            ("gold/xauusd-hour-bid-ask.zip", Some("XAUUSD 1h")),
            ("us-equities/factor_files/aapl.csv", None),
            ("daily/my list of things.csv", None),
            ("aapl.zip", None),
        ] {
            let identity = Identity::of_path(Path::new(path), &FileOverride::default());
            let shown = identity.both().map(|(symbol, timeframe)| format!("{symbol} {timeframe}"));
            assert_eq!(shown.as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn the_user_has_the_last_word() {
        let chosen =
            FileOverride { symbol: Some("GOLD".parse().unwrap()), ..FileOverride::default() };
        let identity = Identity::of_path(Path::new("XAUUSDh1.csv"), &chosen);
        assert_eq!(identity.symbol, Some(Fact::overridden("GOLD".parse().unwrap())));
        assert_eq!(identity.timeframe.unwrap().origin, Origin::Name);
        let alone = Identity::of_path(Path::new("x.csv"), &chosen);
        assert_eq!(alone.both(), None);
    }
}
