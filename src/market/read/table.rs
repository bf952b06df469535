use std::collections::BTreeMap;
use std::path::Path;

use super::super::{BarColumns, Bars, MarketError, Place, RowProblem};
use super::Reading;
use crate::domain::{Symbol, Timeframe, UtcMillis};

/// What a reader found in a file: its rows, oldest first where the file is in order, none of them checked yet.
#[derive(Debug)]
pub struct Table {
    /// The values: times in UTC, prices in their true unit.
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

    /// Counts a row; `example` is asked for where it stands and why while there are few.
    pub fn add(&mut self, example: impl FnOnce() -> (Place, RowProblem)) {
        self.count += 1;
        if self.examples.len() < Self::MOST_EXAMPLES {
            self.examples.push(example());
        }
    }
}

/// Where the rows of a table stand in their file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Whether the file is a text, with lines.
    has_lines: bool,
    /// From which row on the place is how far ahead of the row's number. Rows that follow each other in the file share an entry.
    runs: Vec<(u32, u32)>,
    rows: usize,
    is_reversed: bool,
}

impl Places {
    /// The places of a text's lines.
    pub const fn lines() -> Self {
        Self { has_lines: true, runs: Vec::new(), rows: 0, is_reversed: false }
    }

    /// The places of a table's rows.
    pub const fn rows() -> Self {
        Self { has_lines: false, runs: Vec::new(), rows: 0, is_reversed: false }
    }

    /// Appends a row that stands at this line or row, from 1.
    pub fn push(&mut self, number: u64) {
        let clamp = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let row = self.rows as u64;
        let ahead = clamp(number.saturating_sub(row + 1));
        if self.runs.last().is_none_or(|(_, last)| *last != ahead) {
            if self.runs.len() == self.runs.capacity() {
                self.runs.reserve_exact(self.runs.len() / 4 + 4);
            }
            self.runs.push((clamp(row), ahead));
        }
        self.rows += 1;
    }

    /// Counts the rows from the other end.
    pub const fn reverse(&mut self) {
        self.is_reversed = !self.is_reversed;
    }

    /// Where row `row` of the table stands in the file.
    #[must_use]
    pub fn of(&self, row: usize) -> Place {
        let row = if self.is_reversed { self.rows.saturating_sub(row + 1) } else { row };
        let after = self.runs.partition_point(|(first, _)| *first as usize <= row);
        let ahead = after.checked_sub(1).map_or(0, |run| self.runs[run].1);
        let number = row as u64 + 1 + u64::from(ahead);
        if self.has_lines { Place::Line(number) } else { Place::Row(number) }
    }
}

impl Table {
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
                place: places.of(bad.row),
                problem: bad.problem.into(),
            })?;
        match spacing_millis {
            Some(spacing) if spacing < timeframe.millis() => {
                Err(MarketError::wrong_timeframe(path, spacing, timeframe))
            }
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
}

/// Makes room in every column for one more row, and for at most a quarter more than there are: a file's rows may be as short as a third of what
/// they take here, and doubling would then take more than four times the file.
pub fn make_room(columns: &mut BarColumns, expected: usize) {
    let rows = columns.open_time.len();
    if rows < columns.open_time.capacity() {
        return;
    }
    let more = if rows == 0 { expected.max(64) } else { rows / 4 + 64 };
    columns.open_time.reserve_exact(more);
    for column in [
        &mut columns.open,
        &mut columns.high,
        &mut columns.low,
        &mut columns.close,
        &mut columns.volume,
    ] {
        column.reserve_exact(more);
    }
}

/// Appends a row.
pub fn push(
    columns: &mut BarColumns,
    open_time: UtcMillis,
    [open, high, low, close, volume]: [f64; 5],
) {
    columns.open_time.push(open_time);
    columns.open.push(open);
    columns.high.push(high);
    columns.low.push(low);
    columns.close.push(close);
    columns.volume.push(volume);
}
