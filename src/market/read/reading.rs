use std::fmt;

use serde::{Deserialize, Serialize};

use super::Format;
use super::layout::Layout;
use crate::domain::{Symbol, Timeframe};

/// What was found out about a file while it was read, and what had to be assumed. Nothing that shapes prices, times or identity happens
/// without standing here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// How the data is written, once it is unpacked.
    pub format: Format,
    /// How the file is packed.
    pub compression: Compression,
    /// The data file inside an archive.
    pub member: Option<String>,
    /// The encoding of a text, such as `UTF-16LE`; `None` for binary formats.
    pub encoding: Option<String>,
    /// Whose way of writing bars this is.
    pub layout: Fact<Layout>,
    /// What stands between the fields of a line.
    pub separator: Option<char>,
    /// Whether numbers are written `1,5`.
    pub decimal_comma: bool,
    /// Whether the columns are named.
    pub header: bool,
    /// Lines before the header or, without one, before the first row: comments and advertisements.
    pub lines_before: u64,
    /// How the dates are written, in words or as in `yyyy-MM-dd HH:mm`.
    pub time_format: String,
    /// The zone in which the file's dates are: `UTC` or an IANA name such as `America/New_York`.
    pub zone: Fact<String>,
    /// What the file's prices were divided by.
    pub price_divisor: Fact<f64>,
    /// The mean difference of ask and bid at the close in basis points of the mid price, where the file holds both.
    pub mean_spread_bps: Option<f64>,
    /// What is traded, where the file, its name or its folder tells.
    pub symbol: Option<Fact<Symbol>>,
    /// How long a bar is, where the file, its name or its folder tells.
    pub timeframe: Option<Fact<Timeframe>>,
    /// Whether the newest bar stands first in the file; the rows of the table are oldest first all the same.
    pub newest_first: bool,
    /// What else the user should know, in words.
    pub remarks: Vec<String>,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all; the inner compression of Feather and Parquet does not count.
    None,
    /// One gzip stream.
    Gzip,
    /// A zip archive with one data file.
    Zip,
}

/// A value and how it became known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact<T> {
    /// The value.
    pub value: T,
    /// Who says so.
    pub origin: Origin,
}

/// How something about a file became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The file says so itself.
    File,
    /// The file's name says so.
    Name,
    /// The name of the folder says so.
    Folder,
    /// The file's layout is known to be so.
    Layout,
    /// The values suggest it.
    Values,
    /// Nothing says so; it is the usual case.
    Assumed,
    /// The folder's `walkforge.ron` says so.
    Override,
}

impl<T> Fact<T> {
    /// A value that became known that way.
    pub const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// A value from the folder's `walkforge.ron`.
    pub const fn overridden(value: T) -> Self {
        Self::new(value, Origin::Override)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "as the file says",
            Self::Name => "from the file's name",
            Self::Folder => "from the folder's name",
            Self::Layout => "as this layout has it",
            Self::Values => "guessed from the values",
            Self::Assumed => "assumed",
            Self::Override => "by walkforge.ron",
        })
    }
}

impl Reading {
    /// The facts of a file of which nothing is known yet but its format.
    pub(in crate::market) fn of(format: Format) -> Self {
        Self {
            format,
            compression: Compression::None,
            member: None,
            encoding: None,
            layout: Fact::new(Layout::Generic, Origin::Values),
            separator: None,
            decimal_comma: false,
            header: true,
            lines_before: 0,
            time_format: String::new(),
            zone: Fact::new("UTC".to_owned(), Origin::Assumed),
            price_divisor: Fact::new(1.0, Origin::Assumed),
            mean_spread_bps: None,
            symbol: None,
            timeframe: None,
            newest_first: false,
            remarks: Vec::new(),
        }
    }

    /// What was assumed or done to the values, in words, for whoever relies on the bars. A file that says everything itself has none.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.layout.value != Layout::Generic {
            notes.push(format!("read as {}", self.layout.value));
        }
        let Fact { value: zone, origin } = &self.zone;
        match origin {
            Origin::File => {}
            Origin::Assumed => notes.push(format!("the dates name no zone: read as {zone}")),
            _ => notes.push(format!("dates are {zone}, {origin}")),
        }
        let Fact { value: divisor, origin } = &self.price_divisor;
        if *divisor != 1.0 {
            notes.push(format!("prices are divided by {divisor}, {origin}"));
        }
        if let Some(spread) = self.mean_spread_bps {
            notes.push(format!(
                "prices are the mean of bid and ask; the spread is {spread:.2} basis points on average"
            ));
        }
        if self.newest_first {
            notes.push("the newest bar stands first: read in reverse".to_owned());
        }
        notes.extend(self.remarks.iter().cloned());
        notes
    }
}
