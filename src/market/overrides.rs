use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use ron::extensions::Extensions;
use serde::{Deserialize, Serialize};

use super::MarketError;
use super::read::{Chosen, Clock, DateOrder, Layout};
use crate::domain::{ContentHash, Symbol, Timeframe};

/// The name of the file that says what cannot be seen in the market files beside it.
pub const OVERRIDES_FILE: &str = "walkforge.ron";

/// What the user says about the market files of a folder, in a file `walkforge.ron` beside them. It wins over everything that is guessed.
///
/// ```ron
/// (
///     // For every file of the folder.
///     all: (zone: "Europe/Athens"),
///     // For some, by name; `*` stands for any text, `?` for one letter. Where several patterns fit, the later one wins, field by field.
///     files: [
///         ("XAU*.csv", (price_divisor: 100)),
///         ("gold.txt", (symbol: "XAUUSD", timeframe: "1h", separator: ';', columns: (time: 1, close: "last"))),
///     ],
/// )
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overrides {
    /// What holds for every file.
    pub all: FileOverride,
    /// What holds for the files whose name fits a pattern.
    pub files: Vec<(String, FileOverride)>,
    /// Hash of the file's text; that of nothing where there is no file.
    #[serde(skip)]
    text: Vec<u8>,
}

/// What the user says about a file. An absent field leaves it to what the file shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileOverride {
    /// Whose way of writing bars it is.
    pub layout: Option<Layout>,
    /// The zone in which dates without a zone are: `UTC` or an IANA name such as `America/New_York`.
    pub zone: Option<Zone>,
    /// What the file's prices are divided by: 10000 where it says 1363000 for 136.30.
    pub price_divisor: Option<f64>,
    /// What is traded.
    pub symbol: Option<Symbol>,
    /// How long a bar is, as in `1h`.
    pub timeframe: Option<Timeframe>,
    /// In which order day, month and year stand: `year_month_day`, `day_month_year` or `month_day_year`.
    pub date_order: Option<DateOrder>,
    /// What stands between the fields of a text: `','`, `';'`, `'\t'` or `'|'`.
    pub separator: Option<char>,
    /// Which columns hold what, where their names do not tell.
    pub columns: ColumnOverrides,
}

/// Which columns hold what: the name in the header, or the position, from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnOverrides {
    /// The date, with or without the time.
    pub time: Option<ColumnName>,
    /// The time of day, where it stands in a column of its own.
    pub time_of_day: Option<ColumnName>,
    /// The open.
    pub open: Option<ColumnName>,
    /// The high.
    pub high: Option<ColumnName>,
    /// The low.
    pub low: Option<ColumnName>,
    /// The close.
    pub close: Option<ColumnName>,
    /// The volume.
    pub volume: Option<ColumnName>,
    /// What is traded.
    pub symbol: Option<ColumnName>,
}

/// A column by its name or its position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ColumnName {
    /// The position, from 1.
    Position(usize),
    /// The name, in any case.
    Name(String),
}

/// A time zone that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(String);

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        match Clock::named(&name) {
            Some(_) => Ok(Self(name)),
            None => Err(format!(
                "`{name}` is no time zone; expected UTC or an IANA name such as America/New_York"
            )),
        }
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

impl Overrides {
    /// Reads the `walkforge.ron` of a folder, where there is one.
    ///
    /// # Errors
    /// [`MarketError::Overrides`] for a file that cannot be read or makes no sense, with line and column.
    pub fn of_folder(folder: &Path) -> Result<Self, MarketError> {
        let path = folder.join(OVERRIDES_FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(Self::default())
            }
            Err(source) => Err(MarketError::Unreadable { path, source }),
        }
    }

    /// Reads the text of such a file; `path` is for messages.
    ///
    /// # Errors
    /// [`MarketError::Overrides`] with line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self, MarketError> {
        let failed = |line, column, message| MarketError::Overrides {
            path: path.to_owned(),
            line,
            column,
            message,
        };
        let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
        let read: Self = options.from_str(text).map_err(|error| {
            failed(error.span.start.line, error.span.start.col, error.code.to_string())
        })?;
        let all = [("all", &read.all)].into_iter();
        let named = read.files.iter().map(|(pattern, file)| (pattern.as_str(), file));
        for (whose, file) in all.chain(named) {
            if let Err(message) = file.check() {
                let line =
                    text.lines().position(|line| line.contains(whose)).map_or(1, |line| line + 1);
                return Err(failed(line, 1, format!("{whose}: {message}")));
            }
        }
        Ok(Self { text: text.as_bytes().to_vec(), ..read })
    }

    /// What is said about a file, by its name.
    #[must_use]
    pub fn of_file(&self, path: &Path) -> FileOverride {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let fitting = self.files.iter().filter(|(pattern, _)| fits(pattern, &name));
        fitting.fold(self.all.clone(), |before, (_, file)| before.then(file))
    }

    /// The patterns that fit none of these names: perhaps a slip of the pen.
    pub fn unused<'a>(&'a self, names: &[&str]) -> Vec<&'a str> {
        let unused = |pattern: &&str| !names.iter().any(|name| fits(pattern, name));
        self.files.iter().map(|(pattern, _)| pattern.as_str()).filter(unused).collect()
    }

    /// The same with this said about one file, by its name, in place of what was said about that name before. What is new stands last, where no
    /// pattern overrides it; what is said already stays where it stands.
    #[must_use]
    pub fn with_file(mut self, name: &str, said: FileOverride) -> Self {
        if self.of_name(name) == said {
            return self;
        }
        self.files.retain(|(pattern, _)| pattern != name);
        if said != FileOverride::default() {
            self.files.push((name.to_owned(), said));
        }
        self
    }

    /// The same with this said about every file.
    #[must_use]
    pub fn with_all(self, said: FileOverride) -> Self {
        Self { all: said, ..self }
    }

    /// What is said about exactly this name, without what patterns say about it.
    #[must_use]
    pub fn of_name(&self, name: &str) -> FileOverride {
        let said = self.files.iter().filter(|(pattern, _)| pattern == name);
        said.fold(FileOverride::default(), |before, (_, said)| before.then(said))
    }

    /// Hash of the file's text, for whoever remembers what was read with it.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        ContentHash::of_parts([self.text.as_slice()])
    }
}

impl FileOverride {
    fn check(&self) -> Result<(), String> {
        if let Some(divisor) = self.price_divisor
            && !(divisor.is_finite() && divisor > 0.0)
        {
            return Err(format!("price_divisor is {divisor}; expected a number above 0"));
        }
        if let Some(separator) = self.separator
            && !matches!(separator, ',' | ';' | '\t' | '|')
        {
            return Err(format!("separator is {separator:?}; expected ',', ';', '\\t' or '|'"));
        }
        if self.columns.all().into_iter().any(|column| *column == Some(ColumnName::Position(0))) {
            return Err("a column stands at 0; positions count from 1".to_owned());
        }
        Ok(())
    }

    /// The fields of `later` where it has them, its own otherwise.
    fn then(self, later: &Self) -> Self {
        let (columns, others) = (self.columns, later.columns.clone());
        Self {
            layout: later.layout.or(self.layout),
            zone: later.zone.clone().or(self.zone),
            price_divisor: later.price_divisor.or(self.price_divisor),
            symbol: later.symbol.clone().or(self.symbol),
            timeframe: later.timeframe.or(self.timeframe),
            date_order: later.date_order.or(self.date_order),
            separator: later.separator.or(self.separator),
            columns: ColumnOverrides {
                time: others.time.or(columns.time),
                time_of_day: others.time_of_day.or(columns.time_of_day),
                open: others.open.or(columns.open),
                high: others.high.or(columns.high),
                low: others.low.or(columns.low),
                close: others.close.or(columns.close),
                volume: others.volume.or(columns.volume),
                symbol: others.symbol.or(columns.symbol),
            },
        }
    }

    /// The clock of the zone that is named.
    pub(super) fn clock(&self) -> Option<Clock> {
        self.zone.as_ref().and_then(|zone| Clock::named(&zone.0))
    }
}

impl ColumnOverrides {
    pub(super) const fn all(&self) -> [&Option<ColumnName>; 8] {
        [
            &self.time,
            &self.time_of_day,
            &self.open,
            &self.high,
            &self.low,
            &self.close,
            &self.volume,
            &self.symbol,
        ]
    }

    /// Whether any column is told by its name.
    pub(super) fn has_names(&self) -> bool {
        self.all().into_iter().any(|column| matches!(column, Some(ColumnName::Name(_))))
    }

    /// The positions, from 0, in a file with these column names; with none where it has no header. The name that is not there, where one is not.
    pub(super) fn positions(&self, names: &[String]) -> Result<Chosen, String> {
        let position = |column: &Option<ColumnName>| match column {
            None => Ok(None),
            Some(ColumnName::Position(position)) => Ok(position.checked_sub(1)),
            Some(ColumnName::Name(wanted)) => names
                .iter()
                .position(|name| name.trim().eq_ignore_ascii_case(wanted.trim()))
                .map(Some)
                .ok_or_else(|| wanted.clone()),
        };
        Ok(Chosen {
            time: position(&self.time)?,
            clock: position(&self.time_of_day)?,
            numbers: [
                position(&self.open)?,
                position(&self.high)?,
                position(&self.low)?,
                position(&self.close)?,
                position(&self.volume)?,
            ],
            symbol: position(&self.symbol)?,
        })
    }
}

/// Whether a name fits a pattern with `*` and `?`. Takes time in proportion to the product of their lengths at worst.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut read) = (0, 0);
    // The last `*`, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&letter) if letter == '?' || letter == name[read] => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((position, taken)) => {
                    star = Some((position, taken + 1));
                    (at, read) = (position + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::super::read::{Origin, read_table};
    use super::*;

    const EXAMPLE: &str = r#"(
        // For every file of the folder.
        all: (zone: "Europe/Athens"),
        // For some, by name; `*` stands for any text, `?` for one letter.
        files: [
            ("XAU*.csv", (price_divisor: 100)),
            ("gold.txt", (symbol: "XAUUSD", timeframe: "1h", separator: ';', columns: (time: 1, close: "last"))),
        ],
    )"#;

    #[test]
    fn the_example_is_understood() {
        let overrides = Overrides::parse(EXAMPLE, Path::new(OVERRIDES_FILE)).unwrap();
        let gold = overrides.of_file(Path::new("/data/gold.txt"));
        assert_eq!(gold.symbol.as_ref().unwrap().as_str(), "XAUUSD");
        assert_eq!((gold.separator, gold.clock()), (Some(';'), Clock::named("Europe/Athens")));
        assert_eq!(gold.columns.time, Some(ColumnName::Position(1)));
        assert_eq!(gold.columns.close, Some(ColumnName::Name("last".to_owned())));
        let bars = overrides.of_file(Path::new("XAUUSDh1.csv"));
        assert_eq!((bars.price_divisor, bars.separator), (Some(100.0), None));
        assert_eq!(overrides.unused(&["gold.txt", "silver.csv"]), ["XAU*.csv"]);
        assert_ne!(overrides.content_hash(), Overrides::default().content_hash());
    }

    #[test]
    fn the_later_pattern_wins_field_by_field() {
        let text = r#"(files: [("*.csv", (price_divisor: 10, timeframe: "1d")), ("A?.csv", (price_divisor: 5))])"#;
        let overrides = Overrides::parse(text, Path::new(OVERRIDES_FILE)).unwrap();
        let divisor = |name: &str| overrides.of_file(Path::new(name)).price_divisor;
        assert_eq!(
            (divisor("AB.csv"), divisor("ABC.csv"), divisor("AB.txt")),
            (Some(5.0), Some(10.0), None)
        );
        assert_eq!(overrides.of_file(Path::new("AB.csv")).timeframe.unwrap().to_string(), "1d");
        for (pattern, name, fitting) in [
            ("*", "", true),
            ("*b*c", "abbc", true),
            ("a*", "ba", false),
            ("", "a", false),
            ("a?", "a", false),
            ("*a", "aaa", true),
        ] {
            assert_eq!(fits(pattern, name), fitting, "{pattern} {name}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        for (text, expected) in [
            ("(\n  all: (zon: \"UTC\"),\n)", "walkforge.ron:2:"),
            ("(\n  all: (zon: \"UTC\"),\n)", "Unexpected field named `zon`"),
            ("(all: (zone: \"Mars\"))", "`Mars` is no time zone; expected UTC or an IANA name"),
            (
                "(\n\n files: [(\"A*\", (price_divisor: -1))])",
                "walkforge.ron:3:1: A*: price_divisor is -1; expected a number above 0",
            ),
            ("(all: (separator: 'x'))", "separator is 'x'; expected"),
            ("(all: (columns: (open: 0)))", "positions count from 1"),
            ("(all: (layout: excel))", "excel"),
            ("", "walkforge.ron:1:1: "),
        ] {
            let error = Overrides::parse(text, Path::new(OVERRIDES_FILE)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}\n, not\n{expected}");
            assert!(error.ends_with("mend the file there, or remove it"), "{error}");
        }
    }

    #[test]
    fn a_file_is_read_as_the_user_says() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(
            OVERRIDES_FILE,
            r#"(
                all: (symbol: "GOLD", timeframe: "1h"),
                files: [
                    ("points.csv", (price_divisor: 100, zone: "America/New_York")),
                    ("months.csv", (date_order: month_day_year)),
                    ("odd.csv", (separator: '|', columns: (time: "when", open: 2, high: 3, low: 4, close: "bid", volume: 6))),
                    ("bare.csv", (columns: (time: 2, open: 3, high: 4, low: 5, close: 6, volume: 1))),
                    ("quotes.csv", (layout: lean_quotes)),
                    ("wrong.csv", (columns: (close: "settle"))),
                ],
            )"#,
        );
        write(
            "points.csv",
            "date,open,high,low,close,volume\n2024-07-01 09:00,1000,1200,900,1100,5\n",
        );
        write("months.csv", "date,open,high,low,close,volume\n02/01/2024 13:00,10,12,9,11,5\n");
        write("odd.csv", "when|a|b|c|bid|d\n2024-07-01 13:00|10|12|9|11|5\n");
        write("bare.csv", "5,2024-07-01 13:00,10,12,9,11\n");
        write("quotes.csv", "2024-07-01 13:00,9,11,8,10,2,11,13,10,12,3\n");
        write("wrong.csv", "date,open,high,low,close,volume\n2024-07-01 13:00,10,12,9,11,5\n");
        let read = |name: &str| read_table(&folder.path().join(name));
        for (name, at) in [
            ("points.csv", "2024-07-01T13:00:00Z"),
            ("months.csv", "2024-02-01T13:00:00Z"),
            ("odd.csv", "2024-07-01T13:00:00Z"),
            ("bare.csv", "2024-07-01T13:00:00Z"),
            ("quotes.csv", "2024-07-01T13:00:00Z"),
        ] {
            let table = read(name).unwrap_or_else(|error| panic!("{error}"));
            let columns = &table.columns;
            assert_eq!(columns.open_time[0].to_string(), at, "{name}");
            let bar = [&columns.open, &columns.high, &columns.low, &columns.close, &columns.volume];
            assert_eq!(bar.map(|column| column[0]), [10.0, 12.0, 9.0, 11.0, 5.0], "{name}");
            let symbol = table.reading.symbol.unwrap();
            assert_eq!(
                (symbol.value.as_str(), symbol.origin),
                ("GOLD", Origin::Override),
                "{name}"
            );
        }
        let points = read("points.csv").unwrap().reading.notes();
        assert_eq!(
            points,
            [
                "dates are America/New_York, by walkforge.ron",
                "prices are divided by 100, by walkforge.ron"
            ]
        );
        let error = read("wrong.csv").unwrap_err().to_string();
        assert!(
            error.contains("has no column `settle`, which walkforge.ron names; found date, open"),
            "{error}"
        );
    }
}
