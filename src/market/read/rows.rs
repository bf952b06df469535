use std::path::Path;

use super::super::identity::Identity;
use super::super::overrides::FileOverride;
use super::super::{BarColumns, MarketError, Place, RowProblem};
use super::Format;
use super::columns::Numbers;
use super::layout::Layout;
use super::moment::Moment;
use super::reading::{Fact, Origin, Reading};
use super::table::{Places, Table, Unreadable, make_room, push};
use super::zone::Clock;
use crate::domain::UtcMillis;

/// What is known of a file before its first byte is read.
pub struct Context<'a> {
    pub path: &'a Path,
    pub identity: &'a Identity,
    pub chosen: &'a FileOverride,
}

impl Context<'_> {
    /// The layout that was recognised, unless the user says another.
    pub fn layout(&self, recognised: Layout) -> Fact<Layout> {
        match self.chosen.layout {
            Some(layout) => Fact::overridden(layout),
            None => Fact::new(recognised, Origin::Values),
        }
    }
}

/// Gathers the rows of a file as its reader finds them, and makes a [`Table`] of them.
pub struct Rows<'a> {
    /// What was known before.
    pub context: &'a Context<'a>,
    columns: BarColumns,
    places: Places,
    unreadable: Unreadable,
    /// The facts, which the reader adds to.
    pub reading: Reading,
    expected: usize,
    names_zone: Option<bool>,
    is_whole: bool,
    symbol: Option<String>,
    spread_bps: f64,
}

impl<'a> Rows<'a> {
    /// No rows yet; about `expected` will come.
    pub fn new(context: &'a Context<'a>, format: Format, places: Places, expected: usize) -> Self {
        Self {
            context,
            columns: BarColumns::default(),
            places,
            unreadable: Unreadable::default(),
            reading: Reading::of(format),
            expected,
            names_zone: None,
            is_whole: true,
            symbol: None,
            spread_bps: 0.0,
        }
    }

    /// Appends a row: its place (line or row, from 1), its moment and the values that `numbers` names.
    pub fn push(
        &mut self,
        number: u64,
        moment: Moment,
        numbers: &Numbers,
        values: &[f64; 10],
    ) -> Result<(), RowProblem> {
        if *self.names_zone.get_or_insert(moment.is_utc) != moment.is_utc {
            return Err(RowProblem::OtherZone);
        }
        let bar = match numbers {
            Numbers::Trades(_) => [values[0], values[1], values[2], values[3], values[4]],
            Numbers::Quotes(_) => {
                let mid = |field: usize| f64::midpoint(values[field], values[field + 5]);
                self.spread_bps += 1e4 * (values[8] - values[3]) / mid(3);
                [mid(0), mid(1), mid(2), mid(3), values[4] + values[9]]
            }
        };
        // Most files are settled by their first price.
        self.is_whole = self.is_whole && bar[..4].iter().copied().all(is_whole);
        make_room(&mut self.columns, self.expected);
        push(&mut self.columns, UtcMillis(moment.millis), bar);
        self.places.push(number);
        Ok(())
    }

    /// Counts a row that cannot be read.
    pub fn refuse(&mut self, place: Place, problem: impl FnOnce() -> RowProblem) {
        self.unreadable.add(|| (place, problem()));
    }

    /// Takes note of whose row it is.
    ///
    /// # Errors
    /// [`MarketError::SeveralSymbols`] for another one than before.
    pub fn belongs_to(&mut self, symbol: &[u8]) -> Result<(), MarketError> {
        match &self.symbol {
            Some(first) if first.as_bytes() == symbol => Ok(()),
            Some(first) => Err(MarketError::SeveralSymbols {
                path: self.context.path.to_owned(),
                first: first.clone(),
                other: String::from_utf8_lossy(symbol).into_owned(),
            }),
            None => {
                self.symbol = Some(String::from_utf8_lossy(symbol).into_owned());
                Ok(())
            }
        }
    }

    /// Puts the rows into their order, their times into UTC and their prices into their unit.
    ///
    /// # Errors
    /// [`MarketError::MostlyUnreadable`] where most rows cannot be read, [`MarketError::NoBars`] where there are none.
    pub fn finish(self) -> Result<Table, MarketError> {
        let path = self.context.path;
        let readable = self.columns.open_time.len() as u64;
        if self.unreadable.count > readable {
            let first = self.unreadable.examples.into_iter().next();
            let (place, problem) = first.expect("what is counted has an example");
            return Err(MarketError::MostlyUnreadable {
                path: path.to_owned(),
                place,
                problem,
                unreadable: self.unreadable.count,
                rows: readable + self.unreadable.count,
            });
        }
        if readable == 0 {
            return Err(MarketError::NoBars { path: path.to_owned(), header_only: true });
        }
        let (identity, chosen) = (self.context.identity, self.context.chosen);
        let (is_whole, names_zone) = (self.is_whole, self.names_zone == Some(true));
        let mut table = Table {
            columns: self.columns,
            places: self.places,
            unreadable: self.unreadable,
            reading: self.reading,
        };
        table.identify(identity, self.symbol);
        table.settle_layout(is_whole);
        if is_newest_first(&table.columns.open_time) {
            table.reverse();
        }
        if names_zone {
            table.reading.zone = Fact::new("UTC".to_owned(), Origin::File);
        } else {
            table.put_into_utc(chosen.clock(), is_whole);
        }
        table.scale(chosen.price_divisor, is_whole);
        if table.reading.layout.value == Layout::LeanQuotes {
            table.reading.mean_spread_bps = Some(self.spread_bps / readable as f64);
            table.reading.remarks.push(
                "volume is the sum of bid and ask size at the end of the bar, not what was traded"
                    .to_owned(),
            );
        }
        Ok(table)
    }
}

/// Whether a price is a whole number, but for the dust of a multiplication.
fn is_whole(price: f64) -> bool {
    // Cutting by a cast: rounding is a call into the C library on most processors' common ground.
    let rest = (price - price as i64 as f64).abs();
    !(1e-6..=1.0 - 1e-6).contains(&rest) && !rest.is_nan()
}

/// Whether nearly every row is older than the one before.
fn is_newest_first(moments: &[UtcMillis]) -> bool {
    let falling = moments.windows(2).filter(|pair| pair[0] > pair[1]).count();
    let rising = moments.windows(2).filter(|pair| pair[0] < pair[1]).count();
    falling > 9 * rising
}

impl Table {
    fn symbol(&self) -> Option<&str> {
        self.reading.symbol.as_ref().map(|symbol| symbol.value.as_str())
    }

    fn identify(&mut self, identity: &Identity, column: Option<String>) {
        let by_column = || {
            let symbol = column?.trim().replace('/', "_").parse().ok()?;
            Some(Fact::new(symbol, Origin::File))
        };
        self.reading.symbol = identity.symbol.clone().or_else(by_column);
        self.reading.timeframe.clone_from(&identity.timeframe);
    }

    /// A layout that was told by its columns must fit the values too.
    fn settle_layout(&mut self, is_whole: bool) {
        let layout = &mut self.reading.layout;
        if layout.origin == Origin::Override {
            return;
        }
        if layout.value == Layout::EjtraderPoints && !is_whole {
            layout.value = Layout::Generic;
        }
    }

    fn reverse(&mut self) {
        let columns = &mut self.columns;
        columns.open_time.reverse();
        for column in [
            &mut columns.open,
            &mut columns.high,
            &mut columns.low,
            &mut columns.close,
            &mut columns.volume,
        ] {
            column.reverse();
        }
        self.places.reverse();
        self.reading.newest_first = true;
    }

    fn put_into_utc(&mut self, chosen: Option<Clock>, is_whole: bool) {
        let layout = self.reading.layout.value;
        let by_layout = || Some((layout.clock(self.symbol(), is_whole)?, Origin::Layout));
        let stated = self.reading.zone.origin == Origin::File;
        let (clock, origin) = match chosen {
            Some(clock) => (clock, Origin::Override),
            None if stated => (Clock::Utc, Origin::File),
            None => by_layout().unwrap_or((Clock::Utc, Origin::Assumed)),
        };
        clock.to_utc(&mut self.columns.open_time);
        self.reading.zone = Fact::new(clock.name(), origin);
        if layout == Layout::MetaTrader && origin == Origin::Assumed {
            self.reading.remarks.push(
                "MetaTrader writes the broker's own time, often Europe/Athens: name it as `zone` in walkforge.ron"
                    .to_owned(),
            );
        }
    }

    fn scale(&mut self, chosen: Option<f64>, is_whole: bool) {
        let layout = self.reading.layout.value;
        let price = self.columns.close[self.columns.close.len() / 2];
        let by_layout = || layout.price_divisor(self.symbol(), is_whole, price);
        let divisor = match chosen {
            Some(divisor) => Fact::overridden(divisor),
            None => match by_layout() {
                Some(divisor) => Fact::new(divisor, Origin::Layout),
                None => Fact::new(1.0, Origin::Assumed),
            },
        };
        if layout == Layout::EjtraderPoints && divisor.origin == Origin::Assumed {
            self.reading.remarks.push(
                "prices look like integer points, but of what is not known: name the `price_divisor` in walkforge.ron"
                    .to_owned(),
            );
        }
        if divisor.value != 1.0 {
            let columns = &mut self.columns;
            for column in
                [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close]
            {
                for price in column {
                    // Points are whole numbers, but some files carry the dust of a multiplication.
                    *price = if is_whole { price.round() } else { *price } / divisor.value;
                }
            }
        }
        self.reading.price_divisor = divisor;
    }
}
