use std::path::Path;

use super::super::MarketError;

/// Which column of a file holds what, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The date, with or without the time.
    pub time: usize,
    /// The time of day, where it stands in a column of its own.
    pub clock: Option<usize>,
    /// What is traded.
    pub symbol: Option<usize>,
    /// Prices and volume.
    pub numbers: Numbers,
}

/// Which columns hold prices and volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Open, high, low, close and volume.
    Trades([usize; 5]),
    /// Open, high, low, close and size of the bid, then of the ask.
    Quotes([usize; 10]),
}

/// What is wanted of a file's columns beyond what their names tell: positions from 0 for time, time of day, open, high, low, close, volume and
/// symbol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chosen {
    pub time: Option<usize>,
    pub clock: Option<usize>,
    pub numbers: [Option<usize>; 5],
    pub symbol: Option<usize>,
}

/// What a column holds, the names it is known by, and more names that are understood.
struct Role {
    holds: &'static str,
    names: &'static [&'static str],
    more: &'static [&'static str],
}

const TIME: Role = Role {
    holds: "the open time",
    names: &["date", "open_time", "timestamp", "datetime", "time"],
    more: &[
        "gmt_time",
        "utc_time",
        "time_utc",
        "utc",
        "local_time",
        "date_time",
        "opentime",
        "unix",
        "unix_timestamp",
        "unix_time",
        "ts",
        "t",
        "start",
        "begin",
        "window_start",
        "day",
        "__index_level_0__",
        "index",
    ],
};
const PRICES: [Role; 4] = [
    Role { holds: "the open", names: &["open"], more: &["o", "open_price", "first"] },
    Role { holds: "the high", names: &["high"], more: &["h", "high_price", "max"] },
    Role { holds: "the low", names: &["low"], more: &["l", "low_price", "min"] },
    Role { holds: "the close", names: &["close"], more: &["c", "close_price", "last"] },
];
const VOLUME: Role = Role {
    holds: "the volume",
    names: &["volume", "tick_volume", "vol"],
    more: &["tickvol", "v", "base_volume", "volumefrom", "volume_from", "real_volume", "amount"],
};
const SYMBOLS: &[&str] = &["symbol", "ticker", "pair", "instrument", "tic"];
const CLOCKS: &[&str] = &["time"];

/// A column's name as it is compared: lower case, without `<>`, `_` for spaces, dots and dashes.
pub fn normalised(name: &str) -> String {
    let name = name.trim().trim_start_matches('<').trim_end_matches('>').to_lowercase();
    name.replace([' ', '-', '.'], "_")
}

/// How many of date, open, high, low, close and volume a line names: two make it a header.
pub fn known_names(names: &[String]) -> usize {
    let roles = [&TIME, &VOLUME].into_iter().chain(&PRICES);
    roles.filter(|role| role.find(names).is_some()).count()
}

impl Role {
    fn find(&self, names: &[String]) -> Option<usize> {
        let named = |wanted: &&str| names.iter().position(|name| name == wanted);
        self.names.iter().chain(self.more).find_map(named)
    }

    fn require(&self, names: &[String], header: &Header<'_>) -> Result<usize, MarketError> {
        self.find(names).ok_or_else(|| self.missing(header))
    }

    fn missing(&self, header: &Header<'_>) -> MarketError {
        let found = header.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        MarketError::MissingColumn {
            path: header.path.to_owned(),
            line: header.line,
            missing: self.holds,
            accepted: self.names.join(" or "),
            found: found.join(", "),
        }
    }
}

/// The names of a file's columns as they are written there, and where they stand.
pub struct Header<'a> {
    pub path: &'a Path,
    /// The header's line, where the file has lines.
    pub line: Option<u64>,
    pub names: &'a [String],
}

impl Header<'_> {
    /// Finds the columns by name, in any case and order. Where several would do, the usual name counts.
    ///
    /// A first column without a name is the time where no other one is; pandas writes its index so.
    pub fn shape(&self, chosen: &Chosen) -> Result<Shape, MarketError> {
        let names: Vec<String> = self.names.iter().map(|name| normalised(name)).collect();
        let unnamed = || names.first().is_some_and(String::is_empty).then_some(0);
        let time = chosen.time.or_else(|| TIME.find(&names)).or_else(unnamed);
        let time = time.ok_or_else(|| TIME.missing(self))?;
        let mut numbers = [0; 5];
        let roles = PRICES.iter().chain([&VOLUME]);
        for ((number, role), chosen) in numbers.iter_mut().zip(roles).zip(chosen.numbers) {
            *number = match chosen {
                Some(position) => position,
                None if role.holds == VOLUME.holds => match first_volume(&names) {
                    Some(position) => position,
                    None => return Err(VOLUME.missing(self)),
                },
                None => role.require(&names, self)?,
            };
        }
        let other = |accepted: &[&str]| {
            let found = names.iter().position(|name| accepted.contains(&name.as_str()));
            found.filter(|position| *position != time)
        };
        let clock = chosen.clock.or_else(|| other(CLOCKS));
        let symbol = chosen.symbol.or_else(|| other(SYMBOLS));
        Ok(Shape { time, clock, symbol, numbers: Numbers::Trades(numbers) })
    }
}

/// The volume by its usual names. Of `MetaTrader`'s two it is the number of ticks, because few brokers know the other one; where a crypto vendor writes it in both currencies, as in `volume_btc` and `volume`, in the base currency.
fn first_volume(names: &[String]) -> Option<usize> {
    let in_base = names.iter().position(|name| {
        let base = name.strip_prefix("volume_").unwrap_or_default();
        name == "volumefrom" || (!base.is_empty() && !["usd", "usdt", "quote"].contains(&base))
    });
    let in_quote = |name: &String| {
        name == "volume" || name == "volumeto" || name.ends_with("_usd") || name.ends_with("_usdt")
    };
    match in_base {
        Some(base) if names.iter().skip(base + 1).any(in_quote) => Some(base),
        _ => {
            let ticks = names.iter().position(|name| name == "tickvol");
            ticks.or_else(|| VOLUME.find(names)).or(in_base)
        }
    }
}

impl Shape {
    /// The columns of a row without a header: the date, perhaps the time, open, high, low, close and volume.
    pub fn of_positions(
        columns: usize,
        has_clock: bool,
        has_quotes: bool,
        chosen: &Chosen,
    ) -> Option<Self> {
        let first = 1 + usize::from(has_clock);
        let (symbol, clock) = (chosen.symbol, chosen.clock.or(has_clock.then_some(1)));
        let time = chosen.time.unwrap_or(0);
        let numbers = if has_quotes {
            Numbers::Quotes(std::array::from_fn(|number| first + number))
        } else {
            let numbers = std::array::from_fn(|number| first + number);
            let mut numbers: [usize; 5] = numbers;
            for (number, chosen) in numbers.iter_mut().zip(chosen.numbers) {
                *number = chosen.unwrap_or(*number);
            }
            Numbers::Trades(numbers)
        };
        let shape = Self { time, clock, symbol, numbers };
        (shape.last() < columns).then_some(shape)
    }

    /// The last column that is needed.
    pub fn last(&self) -> usize {
        let numbers = self.numbers.positions().iter().copied();
        let others = [Some(self.time), self.clock, self.symbol].into_iter().flatten();
        numbers.chain(others).max().unwrap_or(0)
    }
}

impl Numbers {
    /// The columns, in the order of the values that [`Self::bar`] takes.
    pub fn positions(&self) -> &[usize] {
        match self {
            Self::Trades(columns) => columns,
            Self::Quotes(columns) => columns,
        }
    }
}
