use super::super::MarketError;
use super::columns::{Chosen, Header, Numbers, Shape, known_names, normalised};
use super::fields::{Fields, number};
use super::layout::{Head, Layout};
use super::moment::{self, DateOrder};
use super::rows::Context;

/// In which order separators are tried. A comma may also stand in numbers, so it comes last.
const SEPARATORS: [u8; 4] = [b'\t', b';', b'|', b','];
/// How many lines may stand before the header.
const MOST_LINES_BEFORE: usize = 50;
/// The orders of day, month and year, the one that cannot be mistaken first.
pub const ORDERS: [DateOrder; 3] =
    [DateOrder::YearMonthDay, DateOrder::DayMonthYear, DateOrder::MonthDayYear];

/// How a text writes its rows.
#[derive(Debug)]
pub struct Dialect {
    pub separator: u8,
    /// What stands before the decimals.
    pub decimal: u8,
    /// The names of the columns; without a header those they would have.
    pub names: Vec<String>,
    pub has_header: bool,
    /// How many fields a row has.
    pub columns: usize,
    pub shape: Shape,
    pub layout: Layout,
    /// Lines that are no row and no header, before the header.
    pub lines_before: u64,
    /// Where the rows begin among the lines that were looked at.
    pub first_row: usize,
    /// Whether the file says in its own words that its dates are UTC.
    pub says_utc: bool,
}

impl Dialect {
    /// Finds out how a text is written from its first lines, each with its number.
    ///
    /// # Errors
    /// [`MarketError::MissingColumn`] where there is neither a header with all columns nor a row of numbers.
    pub fn find(context: &Context<'_>, lines: &[(u64, &[u8])]) -> Result<Self, MarketError> {
        let wanted = context.chosen.separator.and_then(|separator| u8::try_from(separator).ok());
        let separators = wanted.map_or_else(|| SEPARATORS.to_vec(), |separator| vec![separator]);
        for separator in &separators {
            if let Some(dialect) = Self::with_separator(context, lines, *separator)? {
                return Ok(dialect);
            }
        }
        // Nothing looks like a table: the first line with most fields stands for the header.
        let mut fields = Fields::default();
        let filled = lines.iter().filter(|(_, line)| !line.trim_ascii().is_empty());
        let candidates = filled.take(MOST_LINES_BEFORE).flat_map(|(number, line)| {
            separators.iter().map(move |separator| (*number, *line, *separator))
        });
        let mut best: Option<(u64, Vec<String>)> = None;
        for (number, line, separator) in candidates {
            if fields.split(line, separator).is_ok()
                && best.as_ref().is_none_or(|(_, names)| fields.len() > names.len())
            {
                best = Some((number, texts(&fields, line)));
            }
        }
        let Some((line, names)) = best else {
            return Err(MarketError::NoBars { path: context.path.to_owned(), header_only: false });
        };
        let header = Header { path: context.path, line: Some(line), names: &names };
        Err(header
            .shape(&Chosen::default())
            .err()
            .unwrap_or(MarketError::NoBars { path: context.path.to_owned(), header_only: true }))
    }

    fn with_separator(
        context: &Context<'_>,
        lines: &[(u64, &[u8])],
        separator: u8,
    ) -> Result<Option<Self>, MarketError> {
        let mut fields = Fields::default();
        let mut before = String::new();
        let mut lines_before = 0;
        for (at, (line_number, line)) in lines.iter().enumerate() {
            if at >= MOST_LINES_BEFORE {
                break;
            }
            let is_comment = line.starts_with(b"#") || line.starts_with(b"//");
            if line.trim_ascii().is_empty() {
                continue;
            }
            if !is_comment && fields.split(line, separator).is_ok() {
                let texts = texts(&fields, line);
                let names: Vec<String> = texts.iter().map(|text| normalised(text)).collect();
                if known_names(&names) >= 2 || names_chosen(context, &texts) {
                    let header = (*line_number, texts);
                    let rows = &lines[at + 1..];
                    let dialect = Self::under_header(context, separator, header, rows, &before)?;
                    return Ok(Some(Self { lines_before, first_row: at + 1, ..dialect }));
                }
                if let Some(dialect) = Self::without_header(context, separator, &texts) {
                    return Ok(Some(Self { lines_before, first_row: at, ..dialect }));
                }
            }
            before.push_str(&String::from_utf8_lossy(line));
            before.push('\n');
            lines_before += 1;
        }
        Ok(None)
    }

    fn under_header(
        context: &Context<'_>,
        separator: u8,
        (line, names): (u64, Vec<String>),
        rows: &[(u64, &[u8])],
        before: &str,
    ) -> Result<Self, MarketError> {
        let unknown = |missing: String| MarketError::UnknownColumn {
            path: context.path.to_owned(),
            column: missing,
            found: names.join(", "),
        };
        let chosen = context.chosen.columns.positions(&names).map_err(unknown)?;
        let header = Header { path: context.path, line: Some(line), names: &names };
        let mut shape = header.shape(&chosen)?;
        let mut fields = Fields::default();
        let first = rows.iter().find_map(|(_, row)| {
            let is_row = !row.trim_ascii().is_empty() && fields.split(row, separator).is_ok();
            (is_row && fields.len() >= names.len()).then(|| texts(&fields, row))
        });
        if let (Some(first), Some(clock)) = (&first, shape.clock) {
            let is_whole = |text: &String| text.contains(':');
            let has_time = first.get(shape.time).is_some_and(is_whole);
            let is_time =
                first.get(clock).is_some_and(|text| moment::time_of_day(text.as_bytes()).is_some());
            if has_time || !is_time {
                shape.clock = None;
            }
        }
        let says_utc = {
            let time = names.get(shape.time).map_or_else(String::new, |name| normalised(name));
            let before = before.to_uppercase();
            time.starts_with("gmt") || time.contains("utc") || before.contains("UTC")
        };
        let layout = Layout::of(&Head { names: Some(&names), before, first: &[] });
        let decimal = first.map_or(b'.', |first| decimal(separator, &shape, &first));
        Ok(Self {
            separator,
            decimal,
            has_header: true,
            columns: names.len(),
            shape,
            layout: context.chosen.layout.unwrap_or(layout),
            lines_before: 0,
            first_row: 0,
            says_utc,
            names,
        })
    }

    /// A row has a date and at least five numbers after it.
    fn without_header(context: &Context<'_>, separator: u8, first: &[String]) -> Option<Self> {
        let is_date = |text: &String| {
            ORDERS.iter().any(|order| moment::from_text(text.as_bytes(), *order).is_some())
        };
        let is_number = |text: &String| {
            number(text.as_bytes(), b'.').or_else(|| number(text.as_bytes(), b',')).is_some()
        };
        let chosen = context.chosen.columns.positions(&[]).ok()?;
        let date = first.get(chosen.time.unwrap_or(0)).filter(|text| is_date(text))?;
        let has_clock = !date.contains(':')
            && first.get(1).is_some_and(|text| {
                text.contains(':') && moment::time_of_day(text.as_bytes()).is_some()
            });
        let texts: Vec<&str> = first.iter().map(String::as_str).collect();
        let head = Head { names: None, before: "", first: &texts };
        let layout = context.chosen.layout.unwrap_or_else(|| Layout::of(&head));
        let has_quotes = layout == Layout::LeanQuotes;
        let shape = Shape::of_positions(first.len(), has_clock, has_quotes, &chosen)?;
        let positions = shape.numbers.positions();
        if !positions.iter().all(|position| first.get(*position).is_some_and(is_number)) {
            return None;
        }
        Some(Self {
            separator,
            decimal: decimal(separator, &shape, first),
            names: names_of(&shape, first.len()),
            has_header: false,
            columns: first.len(),
            shape,
            layout,
            lines_before: 0,
            first_row: 0,
            says_utc: false,
        })
    }
}

/// Whether the user names columns and all of them stand in this line.
fn names_chosen(context: &Context<'_>, texts: &[String]) -> bool {
    let columns = &context.chosen.columns;
    columns.has_names() && columns.positions(texts).is_ok()
}

/// A comma, where the numbers have one and fields are separated otherwise.
fn decimal(separator: u8, shape: &Shape, first: &[String]) -> u8 {
    let has_comma = |position: &usize| first.get(*position).is_some_and(|text| text.contains(','));
    if separator != b',' && shape.numbers.positions().iter().any(has_comma) { b',' } else { b'.' }
}

/// What the columns of a text without a header are called in messages.
fn names_of(shape: &Shape, columns: usize) -> Vec<String> {
    const TRADES: [&str; 5] = ["open", "high", "low", "close", "volume"];
    const QUOTES: [&str; 10] = [
        "bid open",
        "bid high",
        "bid low",
        "bid close",
        "bid size",
        "ask open",
        "ask high",
        "ask low",
        "ask close",
        "ask size",
    ];
    let mut names: Vec<String> = (1..=columns).map(|column| format!("column {column}")).collect();
    let mut name = |position: usize, text: &str| {
        if let Some(name) = names.get_mut(position) {
            text.clone_into(name);
        }
    };
    name(shape.time, "date");
    if let Some(clock) = shape.clock {
        name(clock, "time");
    }
    let (columns, words) = (
        shape.numbers.positions(),
        match shape.numbers {
            Numbers::Trades(_) => &TRADES[..],
            Numbers::Quotes(_) => &QUOTES[..],
        },
    );
    for (column, word) in columns.iter().zip(words) {
        name(*column, word);
    }
    names
}

fn texts(fields: &Fields, line: &[u8]) -> Vec<String> {
    (0..fields.len())
        .map(|field| String::from_utf8_lossy(fields.get(line, field)).into_owned())
        .collect()
}
