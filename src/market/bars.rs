use std::fmt;
use std::ops::Range;

use crate::domain::{ContentHash, Symbol, Timeframe, UtcMillis};

/// Open, high, low, close and volume of one symbol at one timeframe, column by column.
///
/// Every row has finite positive prices with `low <= open, close <= high` and a volume of at least 0; open times rise from row to row.
/// There may be no rows at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    symbol: Symbol,
    timeframe: Timeframe,
    columns: BarColumns,
}

/// The columns of [`Bars`] before they are checked. All have one value per bar.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BarColumns {
    /// When the bar opens.
    pub open_time: Vec<UtcMillis>,
    /// The first price, in the file's unit.
    pub open: Vec<f64>,
    /// The highest price.
    pub high: Vec<f64>,
    /// The lowest price.
    pub low: Vec<f64>,
    /// The last price.
    pub close: Vec<f64>,
    /// The amount traded, in the file's unit; ticks count as well.
    pub volume: Vec<f64>,
}

impl Bars {
    /// Checks every row and takes the columns.
    ///
    /// # Errors
    /// [`BadBar`] for the first row that cannot be a bar, or columns of unequal length.
    pub fn new(symbol: Symbol, timeframe: Timeframe, columns: BarColumns) -> Result<Self, BadBar> {
        columns.check()?;
        Ok(Self { symbol, timeframe, columns })
    }

    /// What is traded.
    #[must_use]
    pub const fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// How long a bar is.
    #[must_use]
    pub const fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// The number of bars.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.columns.open_time.len()
    }

    /// Whether there are no bars.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.columns.open_time.is_empty()
    }

    /// When each bar opens.
    #[must_use]
    pub fn open_time(&self) -> &[UtcMillis] {
        &self.columns.open_time
    }

    /// The first price of each bar.
    #[must_use]
    pub fn open(&self) -> &[f64] {
        &self.columns.open
    }

    /// The highest price of each bar.
    #[must_use]
    pub fn high(&self) -> &[f64] {
        &self.columns.high
    }

    /// The lowest price of each bar.
    #[must_use]
    pub fn low(&self) -> &[f64] {
        &self.columns.low
    }

    /// The last price of each bar.
    #[must_use]
    pub fn close(&self) -> &[f64] {
        &self.columns.close
    }

    /// The amount traded in each bar.
    #[must_use]
    pub fn volume(&self) -> &[f64] {
        &self.columns.volume
    }

    /// When bar `i` is known: its open time plus the timeframe.
    ///
    /// # Panics
    /// When there is no bar `i`.
    #[must_use]
    pub fn close_time(&self, i: usize) -> UtcMillis {
        self.columns.open_time[i].plus_millis(self.timeframe.millis())
    }

    /// The first `n` bars, or all where there are fewer.
    #[must_use]
    pub fn truncated(&self, n: usize) -> Self {
        self.rows(0..n.min(self.len()))
    }

    /// The bars that open at or after `from` and before `until`. An absent end is open.
    #[must_use]
    pub fn between(&self, from: Option<UtcMillis>, until: Option<UtcMillis>) -> Self {
        let first_at = |moment| self.columns.open_time.partition_point(|&open| open < moment);
        let start = from.map_or(0, first_at);
        let end = until.map_or(self.len(), first_at);
        self.rows(start..end.max(start))
    }

    /// The same bars up to a moment, and other prices after it: of a bar that is open then the open stays, and nothing else. Times stay. What was
    /// known at the moment must not notice.
    #[must_use]
    pub fn with_changed_future(&self, moment: UtcMillis) -> Self {
        let mut changed = self.clone();
        let closed = self
            .columns
            .open_time
            .partition_point(|&open| open.plus_millis(self.timeframe.millis()) <= moment);
        let columns = &mut changed.columns;
        for row in closed..self.len() {
            // Any factor will do that moves prices far both ways.
            let swing = |row: usize| 0.6 + (row.wrapping_mul(2_654_435_761) % 101) as f64 / 100.0;
            let has_opened = columns.open_time[row] <= moment;
            let open = columns.open[row] * if has_opened { 1.0 } else { swing(row) };
            let close = open * swing(row + 1);
            (columns.open[row], columns.close[row]) = (open, close);
            (columns.high[row], columns.low[row]) =
                (open.max(close) * 1.05, open.min(close) * 0.95);
            columns.volume[row] = columns.volume[row].mul_add(2.0, 1.0);
        }
        changed
    }

    /// Hash of symbol, timeframe and every bit of every column: equal hashes mean equal bars, whatever file they came from.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        let columns = &self.columns;
        let times: Vec<u8> = columns.open_time.iter().flat_map(|at| at.0.to_le_bytes()).collect();
        let numbers = columns.numbers().map(|(_, values)| {
            values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()
        });
        let minutes = self.timeframe.minutes().to_le_bytes();
        let head = [self.symbol.as_str().as_bytes(), &minutes, &times];
        ContentHash::of_parts(head.into_iter().chain(numbers.iter().map(Vec::as_slice)))
    }

    fn rows(&self, rows: Range<usize>) -> Self {
        let columns = BarColumns {
            open_time: self.columns.open_time[rows.clone()].to_vec(),
            open: self.columns.open[rows.clone()].to_vec(),
            high: self.columns.high[rows.clone()].to_vec(),
            low: self.columns.low[rows.clone()].to_vec(),
            close: self.columns.close[rows.clone()].to_vec(),
            volume: self.columns.volume[rows].to_vec(),
        };
        Self { symbol: self.symbol.clone(), timeframe: self.timeframe, columns }
    }
}

impl BarColumns {
    /// These rows, in this order.
    pub(super) fn take(&self, rows: &[usize]) -> Self {
        let numbers = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        Self {
            open_time: rows.iter().map(|&row| self.open_time[row]).collect(),
            open: numbers(&self.open),
            high: numbers(&self.high),
            low: numbers(&self.low),
            close: numbers(&self.close),
            volume: numbers(&self.volume),
        }
    }

    fn numbers(&self) -> [(&'static str, &[f64]); 5] {
        [
            ("open", &self.open),
            ("high", &self.high),
            ("low", &self.low),
            ("close", &self.close),
            ("volume", &self.volume),
        ]
    }

    fn check(&self) -> Result<(), BadBar> {
        let rows = self.open_time.len();
        for (column, values) in self.numbers() {
            if values.len() != rows {
                let row = values.len().min(rows);
                let problem = BarProblem::UnequalLengths { column, found: values.len(), rows };
                return Err(BadBar { row, problem });
            }
        }
        (0..rows).try_for_each(|row| self.check_row(row).map_err(|problem| BadBar { row, problem }))
    }

    /// Whether the values of a row can be a bar, whatever stands around it.
    pub(super) fn check_values(&self, row: usize) -> Result<(), BarProblem> {
        for (column, values) in self.numbers() {
            let value = values[row];
            if !value.is_finite() {
                return Err(BarProblem::NotFinite { column, value });
            }
            if column == "volume" && value < 0.0 {
                return Err(BarProblem::NegativeVolume { value });
            }
            if column != "volume" && value <= 0.0 {
                return Err(BarProblem::NotPositive { column, value });
            }
        }
        let (high, low) = (self.high[row], self.low[row]);
        for (name, value) in [("low", low), ("open", self.open[row]), ("close", self.close[row])] {
            let than = Price { name, value };
            if value > high {
                return Err(BarProblem::HighBelow { high, than });
            }
            if value < low {
                return Err(BarProblem::LowAbove { low, than });
            }
        }
        Ok(())
    }

    fn check_row(&self, row: usize) -> Result<(), BarProblem> {
        self.check_values(row)?;
        let open = self.open_time[row];
        match row.checked_sub(1).map(|before| self.open_time[before]) {
            Some(previous) if previous == open => Err(BarProblem::DuplicateTime { open }),
            Some(previous) if previous > open => Err(BarProblem::OutOfOrder { open, previous }),
            _ => Ok(()),
        }
    }
}

/// The first row that cannot be a bar.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("bar {row}: {problem}")]
pub struct BadBar {
    /// The row, from 0.
    pub row: usize,
    /// Why not.
    pub problem: BarProblem,
}

/// A price and which one it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// `open`, `high`, `low` or `close`.
    pub name: &'static str,
    /// In the file's unit.
    pub value: f64,
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.value)
    }
}

/// What is impossible about a row.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BarProblem {
    /// A NaN or an infinity.
    #[error("{column} is {value}; expected a finite number")]
    NotFinite {
        /// Which column.
        column: &'static str,
        /// What stands there.
        value: f64,
    },
    /// A price of zero or below.
    #[error("{column} is {value}; expected a price above 0")]
    NotPositive {
        /// Which column.
        column: &'static str,
        /// What stands there.
        value: f64,
    },
    /// A volume below zero.
    #[error("volume is {value}; expected 0 or more")]
    NegativeVolume {
        /// What stands there.
        value: f64,
    },
    /// The high is not the highest price.
    #[error("high {high} is below {than}; expected the highest price of the bar")]
    HighBelow {
        /// The high.
        high: f64,
        /// The price above it.
        than: Price,
    },
    /// The low is not the lowest price.
    #[error("low {low} is above {than}; expected the lowest price of the bar")]
    LowAbove {
        /// The low.
        low: f64,
        /// The price below it.
        than: Price,
    },
    /// The same open time as the row before.
    #[error("{open} is there twice; expected one bar for each open time")]
    DuplicateTime {
        /// The open time of both rows.
        open: UtcMillis,
    },
    /// An open time before that of the row before.
    #[error("{open} follows {previous}; expected the oldest bar first and times that rise")]
    OutOfOrder {
        /// The row's open time.
        open: UtcMillis,
        /// The open time of the row before.
        previous: UtcMillis,
    },
    /// Columns that do not fit together.
    #[error("{column} has {found} values for {rows} open times; expected one for each")]
    UnequalLengths {
        /// Which column.
        column: &'static str,
        /// How many values it has.
        found: usize,
        /// How many open times there are.
        rows: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> BarColumns {
        BarColumns {
            open_time: vec![UtcMillis(0), UtcMillis(3_600_000), UtcMillis(10_800_000)],
            open: vec![10.0, 11.0, 12.0],
            high: vec![11.5, 12.5, 12.0],
            low: vec![9.5, 11.0, 11.0],
            close: vec![11.0, 12.0, 11.5],
            volume: vec![5.0, 0.0, 7.0],
        }
    }

    fn bars(columns: BarColumns) -> Result<Bars, BadBar> {
        Bars::new("AB".parse().unwrap(), "1h".parse().unwrap(), columns)
    }

    #[test]
    fn impossible_rows_are_named() {
        type Spoil = fn(&mut BarColumns);
        let cases: [(Spoil, usize, &str); 11] = [
            (|c| c.open[1] = f64::NAN, 1, "open is NaN"),
            (|c| c.volume[2] = f64::INFINITY, 2, "volume is inf"),
            (|c| c.low[0] = 0.0, 0, "low is 0; expected a price above 0"),
            (|c| c.close[0] = -3.0, 0, "close is -3"),
            (|c| c.volume[0] = -1.0, 0, "volume is -1"),
            (|c| c.high[1] = 10.0, 1, "high 10 is below low 11"),
            (|c| c.high[1] = 11.5, 1, "high 11.5 is below close 12"),
            (|c| c.low[2] = 11.75, 2, "low 11.75 is above close 11.5"),
            (|c| c.open_time[1] = c.open_time[0], 1, "1970-01-01T00:00:00Z is there twice"),
            (|c| c.open_time[2] = UtcMillis(1000), 2, "follows 1970-01-01T01:00:00Z"),
            (|c| c.high.truncate(2), 2, "high has 2 values for 3 open times"),
        ];
        for (spoil, row, expected) in cases {
            let mut columns = columns();
            spoil(&mut columns);
            let error = bars(columns).unwrap_err();
            assert_eq!(error.row, row, "{error}");
            assert!(error.to_string().contains(expected), "{error}, not {expected}");
        }
        assert!(bars(columns()).is_ok());
        assert!(bars(BarColumns::default()).unwrap().is_empty());
    }

    #[test]
    fn parts_are_cut_by_count_and_by_open_time() {
        let all = bars(columns()).unwrap();
        assert_eq!(all.close_time(2), UtcMillis(14_400_000));
        assert_eq!(all.truncated(2).close(), [11.0, 12.0]);
        assert_eq!(all.truncated(9), all);
        let at = |millis| Some(UtcMillis(millis));
        for (from, until, opens) in [
            (None, None, &[10.0, 11.0, 12.0][..]),
            (at(3_600_000), None, &[11.0, 12.0]),
            (at(1), at(10_800_000), &[11.0]),
            (at(10_800_001), None, &[]),
            (at(10_800_000), at(0), &[]),
        ] {
            assert_eq!(all.between(from, until).open(), opens);
        }
    }

    #[test]
    fn what_was_known_stays_and_all_that_came_later_is_changed() {
        let all = bars(columns()).unwrap();
        let changed = all.with_changed_future(UtcMillis(3_600_000));
        assert_eq!(changed.truncated(1), all.truncated(1), "closed by then");
        assert_eq!(changed.open()[1], all.open()[1], "open by then");
        let is_changed =
            |column: fn(&Bars) -> &[f64], row: usize| column(&changed)[row] != column(&all)[row];
        for column in [Bars::high, Bars::low, Bars::close, Bars::volume] {
            assert!(is_changed(column, 1) && is_changed(column, 2));
        }
        assert!(is_changed(Bars::open, 2));
        assert!(Bars::new(all.symbol().clone(), all.timeframe(), changed.columns).is_ok());
        assert_eq!(all.with_changed_future(UtcMillis(14_400_000)), all);
    }

    #[test]
    fn the_hash_sees_every_column_and_the_name() {
        let hash = bars(columns()).unwrap().content_hash();
        assert_eq!(bars(columns()).unwrap().content_hash(), hash);
        let other_name = Bars::new("BA".parse().unwrap(), "1h".parse().unwrap(), columns());
        let other_length = Bars::new("AB".parse().unwrap(), "2h".parse().unwrap(), columns());
        assert_ne!(other_name.unwrap().content_hash(), hash);
        assert_ne!(other_length.unwrap().content_hash(), hash);
        let spoils: [fn(&mut BarColumns); 4] = [
            |c| c.open_time[2].0 += 1,
            |c| c.open[0] += 0.25,
            |c| c.high[0] += 0.25,
            |c| c.volume[1] = 1.0,
        ];
        for spoil in spoils {
            let mut columns = columns();
            spoil(&mut columns);
            assert_ne!(bars(columns).unwrap().content_hash(), hash);
        }
    }
}
