use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a traded instrument, as the data folder spells it: `BTC_USDT`, `XAUUSD`. Cheap to clone.
///
/// Never empty and free of white space, path separators, commas and control characters, so that it can stand in a file name, a task
/// name and a comma-separated list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Symbol(Arc<str>);

/// A text that cannot name an instrument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot name a symbol; use 1 to 64 bytes without spaces, commas, `/`, `\\` and `:`, as in BTC_USDT"
)]
pub struct InvalidSymbol(String);

impl Symbol {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Symbol {
    type Err = InvalidSymbol;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed =
            |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, ',' | '/' | '\\' | ':');
        let fits = (1..=64).contains(&text.len());
        if fits && !text.starts_with('.') && text.chars().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidSymbol(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Symbol {
    type Error = InvalidSymbol;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Symbol> for String {
    fn from(symbol: Symbol) -> Self {
        symbol.0.as_ref().to_owned()
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_cannot_be_a_file_name() {
        for text in ["", "a b", "a/b", "..", "a\\b", "A,B", "C:", "a\n"] {
            assert!(text.parse::<Symbol>().is_err(), "{text:?}");
        }
        for text in ["BTC_USDT", "1000SATS_USDT", "BRK.B", "ES=F", "^GSPC"] {
            assert_eq!(text.parse::<Symbol>().unwrap().as_str(), text);
        }
    }
}
