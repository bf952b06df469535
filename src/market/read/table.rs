use std::collections::BTreeMap;
use std::path::Path;

use super::super::{BarColumns, Bars, MarketError, Place, RowProblem};
use super::csv;
use super::{Format, Reading};
use crate::domain::{Symbol, Timeframe, UtcMillis};

/// What a reader found in a file, before it is known whose bars they are.
#[derive(Debug)]
pub struct Table {
    /// The values.
    pub columns: BarColumns,
    /// Where each row stands.
    pub places: Places,
    /// Rows that are not among the values because they cannot be read.
    pub unreadable: Unreadable,
    /// What was found out and assumed.
    pub reading: Reading,
}

/// Rows of a file that cannot be read: too few fields, no number, no date.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unreadable {
    /// How many there are.
    pub count: u64,
    /// The first of them, each with where it stands and why it cannot be read.
    pub examples: Vec<(Place, RowProblem)>,
}

impl Unreadable {
    const MOST_EXAMPLES: usize = 10;

    /// Counts a row and keeps it as an example while there are few.
    pub fn add(&mut self, place: Place, problem: RowProblem) {
        self.count += 1;
        if self.examples.len() < Self::MOST_EXAMPLES {
            self.examples.push((place, problem));
        }
    }
}

/// Where the rows of a table stand in the file.
#[derive(Debug)]
pub enum Places {
    /// A text file: the byte at which each row starts, from which its line is found when it is needed.
    Bytes(Vec<u64>),
    /// The file has rows, not lines.
    Rows,
}

impl Table {
    /// A table without rows.
    pub fn new(format: Format) -> Self {
        Self {
            columns: BarColumns::default(),
            places: Places::Rows,
            unreadable: Unreadable::default(),
            reading: Reading::of(format),
        }
    }

    /// Whether there are no rows.
    pub const fn is_empty(&self) -> bool {
        self.columns.open_time.is_empty()
    }

    /// Checks every row. One that cannot be read is refused like one that cannot be a bar.
    pub fn into_bars(
        self,
        path: &Path,
        symbol: Symbol,
        timeframe: Timeframe,
    ) -> Result<Bars, MarketError> {
        let spacing_millis = self.common_spacing_millis();
        if let Some((place, problem)) = self.unreadable.examples.into_iter().next() {
            return Err(MarketError::BadRow { path: path.to_owned(), place, problem });
        }
        let places = self.places;
        let bars =
            Bars::new(symbol, timeframe, self.columns).map_err(|bad| MarketError::BadRow {
                path: path.to_owned(),
                place: places.of(path, bad.row),
                problem: bad.problem.into(),
            })?;
        match spacing_millis {
            Some(spacing) if spacing < timeframe.millis() => Err(MarketError::WrongTimeframe {
                path: path.to_owned(),
                spacing: show_duration(spacing),
                timeframe,
            }),
            _ => Ok(bars),
        }
    }

    /// The most common distance between two rows, in milliseconds; the smaller of two that are equally common.
    pub fn common_spacing_millis(&self) -> Option<i64> {
        let mut counts = BTreeMap::<i64, usize>::new();
        for pair in self.columns.open_time.windows(2) {
            *counts.entry(pair[1].0.saturating_sub(pair[0].0)).or_default() += 1;
        }
        let most = *counts.values().max()?;
        counts.into_iter().find(|(_, count)| *count == most).map(|(spacing, _)| spacing)
    }

    /// The timeframe that the distances between rows suggest.
    pub fn common_timeframe(&self) -> Option<Timeframe> {
        let minutes = self.common_spacing_millis()? / 60_000;
        Timeframe::from_minutes(u32::try_from(minutes).ok()?)
    }

    /// Appends a row.
    pub fn push(&mut self, open_time: UtcMillis, [open, high, low, close, volume]: [f64; 5]) {
        self.columns.open_time.push(open_time);
        self.columns.open.push(open);
        self.columns.high.push(high);
        self.columns.low.push(low);
        self.columns.close.push(close);
        self.columns.volume.push(volume);
    }
}

impl Places {
    fn of(&self, path: &Path, row: usize) -> Place {
        match self {
            Self::Bytes(starts) => {
                Place::Line(csv::line_at(path, starts.get(row).copied().unwrap_or(0)))
            }
            Self::Rows => Place::Row(row as u64 + 1),
        }
    }
}

fn show_duration(millis: i64) -> String {
    let minutes = u32::try_from(millis / 60_000).ok().filter(|_| millis % 60_000 == 0);
    minutes
        .and_then(Timeframe::from_minutes)
        .map_or_else(|| format!("{millis} ms"), |timeframe| timeframe.to_string())
}

/// Which column of a file holds what.
#[derive(Debug)]
pub struct Header {
    /// The position of the open time.
    pub time: usize,
    /// The positions of open, high, low, close and volume.
    pub numbers: [usize; 5],
}

const TIME: (&str, &[&str]) =
    ("the open time", &["date", "open_time", "timestamp", "datetime", "time"]);
const NUMBERS: [(&str, &[&str]); 5] = [
    ("the open", &["open"]),
    ("the high", &["high"]),
    ("the low", &["low"]),
    ("the close", &["close"]),
    ("the volume", &["volume", "tick_volume", "vol"]),
];

impl Header {
    /// Finds the columns by name, in any case. Where several would do, the name listed first in [`read_bars`](super::read_bars) counts.
    pub fn find(path: &Path, line: Option<u64>, names: &[&str]) -> Result<Self, MarketError> {
        let position = |(holds, accepted): (&'static str, &[&str])| {
            let is_named = |wanted: &&str| {
                names.iter().position(|name| name.trim().eq_ignore_ascii_case(wanted))
            };
            accepted.iter().find_map(is_named).ok_or_else(|| MarketError::MissingColumn {
                path: path.to_owned(),
                line,
                missing: holds,
                accepted: accepted.join(" or "),
                found: names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            })
        };
        let [open, high, low, close, volume] = NUMBERS;
        Ok(Self {
            time: position(TIME)?,
            numbers: [
                position(open)?,
                position(high)?,
                position(low)?,
                position(close)?,
                position(volume)?,
            ],
        })
    }
}
