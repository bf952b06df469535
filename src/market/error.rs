use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BarProblem;
use crate::domain::{Problem, Symbol, Timeframe};

/// Why there are no bars. Every message names the file and the next step.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    /// The file or folder cannot be opened or read.
    #[error("{}: cannot be read: {source}; check the path and its permissions", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no such folder.
    #[error("{}: there is no such folder; name the folder that holds your market files", path.display())]
    NoSuchFolder {
        /// What was asked for.
        path: PathBuf,
    },
    /// A file stands where a folder is expected.
    #[error("{}: is a file; expected the folder that holds it", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// The folder holds no market file.
    #[error(
        "{}: holds no market file{}; expected names such as BTC_USDT-1h.feather or XAUUSDh1.csv; add some, or choose another folder",
        path.display(), found_instead(.found)
    )]
    NoMarketFiles {
        /// The folder.
        path: PathBuf,
        /// What lies there instead, each with why it is none.
        found: Vec<String>,
    },
    /// Two files hold the same bars.
    #[error(
        "{} and {} both hold {symbol} {timeframe}; keep one of them in the folder",
        first.display(), second.display()
    )]
    SameSeriesTwice {
        /// What both hold.
        symbol: Symbol,
        /// At which timeframe.
        timeframe: Timeframe,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The folder does not have what was selected.
    #[error("{}: there is no {wanted}; {hint}", folder.display())]
    NotInCatalog {
        /// The folder.
        folder: PathBuf,
        /// The symbol, timeframe or pair of both.
        wanted: String,
        /// What there is instead.
        hint: String,
    },
    /// The file's name does not say whose bars these are, and its content cannot stand in.
    #[error("{}: {reason}", path.display())]
    UnclearName {
        /// The file.
        path: PathBuf,
        /// What is expected.
        reason: &'static str,
    },
    /// The file's name ends in nothing that can be read.
    #[error("{}: its name ends in {found}; expected {ENDINGS}; convert the file to one of them", path.display(), ENDINGS = super::read::ENDINGS)]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The ending, or that there is none.
        found: String,
    },
    /// A column is missing.
    #[error(
        "{}{}: no column for {missing} (named {accepted}); found {found}; \
         the header must name date, open, high, low, close and volume: rename or add the column",
        path.display(),
        line.map_or_else(String::new, |line| format!(":{line}"))
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The header's line, where the file has lines.
        line: Option<u64>,
        /// What the column would hold.
        missing: &'static str,
        /// The names it may have.
        accepted: String,
        /// The columns there are.
        found: String,
    },
    /// A column holds something else.
    #[error("{}: column `{column}` holds {found}; expected {expected}; convert the column", path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column's name.
        column: String,
        /// Its type.
        found: String,
        /// Types that would do.
        expected: &'static str,
    },
    /// A row that cannot be read or cannot be a bar.
    #[error("{}{place}: {problem}; {}", path.display(), problem.next_step())]
    BadRow {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong.
        problem: RowProblem,
    },
    /// A problem that the experiment's policy does not take.
    #[error(
        "{}{first}, and data.quality.{problem} is Reject{}; mend the file, or choose another policy in data.quality.{problem}",
        path.display(),
        if *.found > 1 { format!(" ({} in all)", problem.counted(*found)) } else { String::new() }
    )]
    Rejected {
        /// The file.
        path: PathBuf,
        /// What was found.
        problem: Problem,
        /// How often.
        found: u64,
        /// Where first, and what there: `:17: high 10 is below low 11`.
        first: String,
    },
    /// So many rows are no bars that the file is likely not what it seems.
    #[error(
        "{}{first}; {dropped} of its {rows} rows are like that ({counts}), more than the share of data.quality.most_dropped = {most}; \
         check that the file is what its name says, mend it, or raise the share",
        path.display()
    )]
    TooManyDropped {
        /// The file.
        path: PathBuf,
        /// Rows that would be dropped.
        dropped: u64,
        /// Rows of the file.
        rows: u64,
        /// What is wrong with them.
        counts: String,
        /// Where first, and what there.
        first: String,
        /// The largest share allowed.
        most: f64,
    },
    /// Policies that leave nothing of a file.
    #[error(
        "{}: every one of its {rows} rows is dropped by data.quality ({counts}); choose other policies or another file",
        path.display()
    )]
    NothingLeft {
        /// The file.
        path: PathBuf,
        /// Rows of the file.
        rows: u64,
        /// Why.
        counts: String,
    },
    /// A header and nothing under it, or nothing at all.
    #[error("{}: holds no bars{}; download the file again or remove it", path.display(), if *.header_only { ", only a header" } else { ": it is empty" })]
    NoBars {
        /// The file.
        path: PathBuf,
        /// Whether columns are named.
        header_only: bool,
    },
    /// A file that is no Feather file from first to last byte.
    #[error("{}: is truncated or no Feather v2 file ({reason}); download or write it again", path.display())]
    BrokenFeather {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// The bars lie closer together than they are long.
    #[error(
        "{}: its bars open {spacing} apart, but {timeframe} was expected; rename the file to its true timeframe",
        path.display()
    )]
    WrongTimeframe {
        /// The file.
        path: PathBuf,
        /// The most common distance between two bars.
        spacing: String,
        /// What the name says.
        timeframe: Timeframe,
    },
    /// Most rows cannot be read, so the columns or the dates are not what they were taken for.
    #[error(
        "{}{place}: {problem}; so with {unreadable} of {rows} rows: mend the file, or say in walkforge.ron how it is written",
        path.display()
    )]
    MostlyUnreadable {
        /// The file.
        path: PathBuf,
        /// Where the first such row stands.
        place: Place,
        /// What is wrong with it.
        problem: RowProblem,
        /// How many rows cannot be read.
        unreadable: u64,
        /// How many rows there are.
        rows: u64,
    },
    /// Dates that may have the day or the month first.
    #[error(
        "{}: `{example}` may be day or month first, and no other date of the file tells; say `date_order: day_month_year` or \
         `month_day_year` in walkforge.ron", path.display()
    )]
    AmbiguousDates {
        /// The file.
        path: PathBuf,
        /// One of its dates.
        example: String,
    },
    /// Rows of several instruments in one file.
    #[error("{}: holds bars of {first} and of {other}; expected one symbol in a file: split it", path.display())]
    SeveralSymbols {
        /// The file.
        path: PathBuf,
        /// The symbol of the first row.
        first: String,
        /// Another one.
        other: String,
    },
    /// A packed file that cannot be unpacked.
    #[error("{}: cannot be unpacked ({reason}); download it again or unpack it yourself", path.display())]
    BrokenArchive {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// An archive with more than one data file.
    #[error("{}: holds {count} data files: {names}; expected one: unpack the archive into a folder", path.display())]
    SeveralMembers {
        /// The file.
        path: PathBuf,
        /// How many data files there are.
        count: usize,
        /// The first of them.
        names: String,
    },
    /// `walkforge.ron` names a column that is not there.
    #[error("{}: has no column `{column}`, which walkforge.ron names; found {found}; mend the name", path.display())]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
        /// The columns there are.
        found: String,
    },
    /// A text that is no JSON array of rows.
    #[error("{}: {message}; expected an array of rows, each [time, open, high, low, close, volume] or an object with these names", path.display())]
    BrokenJson {
        /// The file.
        path: PathBuf,
        /// What was found, with line and column.
        message: String,
    },
    /// A file that is no sound Parquet file.
    #[error("{}: is truncated or no sound Parquet file ({reason}); download or write it again", path.display())]
    BrokenParquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A `walkforge.ron` that makes no sense.
    #[error("{}:{line}:{column}: {message}; mend the file there, or remove it", path.display())]
    Overrides {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What was found and expected.
        message: String,
    },
    /// A synthetic market that cannot be made.
    #[error("synthetic market {symbol} {timeframe}: {problem}")]
    Synthetic {
        /// The symbol.
        symbol: Symbol,
        /// The timeframe.
        timeframe: Timeframe,
        /// What was found, what is expected, and what to change.
        problem: String,
    },
}

impl MarketError {
    pub(super) fn wrong_timeframe(path: &Path, spacing_millis: i64, timeframe: Timeframe) -> Self {
        let spacing = show_duration(spacing_millis);
        Self::WrongTimeframe { path: path.to_owned(), spacing, timeframe }
    }
}

fn show_duration(millis: i64) -> String {
    let minutes = u32::try_from(millis / 60_000).ok().filter(|_| millis % 60_000 == 0);
    minutes
        .and_then(Timeframe::from_minutes)
        .map_or_else(|| format!("{millis} ms"), |timeframe| timeframe.to_string())
}

fn found_instead(found: &[String]) -> String {
    const MOST: usize = 10;
    let named = found.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    match found.len() {
        0 => " (it is empty)".to_owned(),
        count if count > MOST => format!(", only {named} and {} more", count - MOST),
        _ => format!(", only {named}"),
    }
}

/// Where in a file. As JSON `{"line": 17}` or `{"row": 17}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A line of a text file, from 1. Shown as `:17`.
    Line(u64),
    /// A row of a table, from 1. Shown as `: row 17`.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, ":{line}"),
            Self::Row(row) => write!(f, ": row {row}"),
        }
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RowProblem {
    /// Text where a number belongs.
    #[error("{column} is `{found}`; expected a number with a decimal point, as in 1234.5")]
    NotANumber {
        /// The column's name in the file.
        column: String,
        /// The text.
        found: String,
    },
    /// Text where a number belongs, in a file with decimal commas.
    #[error(
        "{column} is `{found}`; expected a number with a decimal comma like the others, as in 1234,5"
    )]
    NotANumberWithComma {
        /// The column's name in the file.
        column: String,
        /// The text.
        found: String,
    },
    /// No moment in time.
    #[error(
        "{column} is `{found}`; expected a date such as 2024-06-30T14:00:00Z or 2024-06-30 14:00, or seconds or milliseconds since 1970"
    )]
    NotADate {
        /// The column's name in the file.
        column: String,
        /// The text or number.
        found: String,
    },
    /// Nothing where something belongs.
    #[error("{column} is empty; expected a value in every row")]
    Empty {
        /// The column's name in the file.
        column: String,
    },
    /// More or fewer fields than the header.
    #[error("{found} fields under a header of {expected}; expected as many as there are columns")]
    WrongFieldCount {
        /// Fields in this row.
        found: u64,
        /// Columns in the header.
        expected: u64,
    },
    /// A quoted field that does not end in its line.
    #[error("a quoted field has no closing quote; expected it in the same line")]
    OpenQuote,
    /// A row whose date names a zone among rows whose dates do not, or the other way round.
    #[error(
        "its date names a zone and others do not, or the other way round; expected one way of writing dates"
    )]
    OtherZone,
    /// Something else than a row where a row belongs.
    #[error("found {found}; expected a row of bars")]
    NoRow {
        /// What was found.
        found: String,
    },
    /// Bytes that are no text.
    #[error("the line is no UTF-8 text ({reason}); expected a plain text file")]
    NotText {
        /// What the reader said.
        reason: String,
    },
    /// Values that cannot be a bar.
    #[error(transparent)]
    Bar(#[from] BarProblem),
}

impl RowProblem {
    const fn next_step(&self) -> &'static str {
        match self {
            Self::NotANumber { .. } | Self::NotANumberWithComma { .. } | Self::NotADate { .. } => {
                "mend the value or remove the row"
            }
            Self::WrongFieldCount { .. } => {
                "mend or remove the row; a download may have been cut short"
            }
            Self::NotText { .. } => "save the file as UTF-8",
            Self::Bar(BarProblem::DuplicateTime { .. }) => "keep one of the two rows",
            Self::Bar(BarProblem::OutOfOrder { .. }) => "sort the file by time",
            Self::Empty { .. }
            | Self::Bar(_)
            | Self::OpenQuote
            | Self::OtherZone
            | Self::NoRow { .. } => "mend or remove the row, or download the file again",
        }
    }
}
