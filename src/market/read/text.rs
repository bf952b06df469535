use std::io::{self, BufRead};

use super::super::{MarketError, Place, RowProblem};
use super::Format;
use super::dialect::{Dialect, ORDERS};
use super::fields::{Fields, OpenQuote, number};
use super::lines::Lines;
use super::moment::{self, DateOrder, Moment};
use super::reading::{Fact, Origin};
use super::rows::{Context, Rows};
use super::source::{Packing, failed};
use super::table::{Places, Table};

/// How much of a text is looked at before its rows are read.
const HEAD_BYTES: usize = 1 << 16;
const HEAD_LINES: usize = 500;
/// As short as a row can be: `20240630,1,1,1,1,1` and the end of the line.
const SHORTEST_ROW: usize = 19;

/// Reads a text. The order of day, month and year is that of the first rows where `order` does not say it; `None` where those may have the day
/// or the month first, so that the whole column must be looked at.
pub fn read(
    context: &Context<'_>,
    source: &mut dyn BufRead,
    packing: &Packing,
    order: Option<DateOrder>,
) -> Result<Option<Table>, MarketError> {
    let failed = |error| failed(context.path, packing.compression, error);
    let mut lines = Lines::new(source);
    let head = Head::take(&mut lines).map_err(failed)?;
    let head_lines = head.lines();
    let dialect = Dialect::find(context, &head_lines)?;
    let rows_in_head = &head_lines[dialect.first_row..];
    let order = match order.or(context.chosen.date_order) {
        Some(order) => order,
        None => match order_of(&dialect, rows_in_head) {
            Some(order) => order,
            None => return Ok(None),
        },
    };
    let mut reader = Reader {
        rows: Rows::new(
            context,
            Format::Csv,
            Places::lines(),
            expected_rows(packing, &head, &dialect),
        ),
        fields: Fields::default(),
        dialect: &dialect,
        order,
        first_date: None,
    };
    for (number, line) in rows_in_head {
        reader.line(*number, line)?;
    }
    while let Some((number, line)) = lines.next().map_err(failed)? {
        reader.line(number, line)?;
    }
    reader.finish(packing).map(Some)
}

/// The order of day, month and year in which most dates of the text make sense.
///
/// # Errors
/// [`MarketError::AmbiguousDates`] where the day may stand first as well as the month.
pub fn find_order(
    context: &Context<'_>,
    source: &mut dyn BufRead,
    packing: &Packing,
) -> Result<DateOrder, MarketError> {
    let failed = |error| failed(context.path, packing.compression, error);
    let mut lines = Lines::new(source);
    let head = Head::take(&mut lines).map_err(failed)?;
    let head_lines = head.lines();
    let dialect = Dialect::find(context, &head_lines)?;
    let mut counts = Counts::default();
    for (_, line) in &head_lines[dialect.first_row..] {
        counts.add(&dialect, line);
    }
    let example = counts.example.clone();
    while let Some((_, line)) = lines.next().map_err(failed)? {
        counts.add(&dialect, line);
    }
    counts.decide().ok_or_else(|| MarketError::AmbiguousDates {
        path: context.path.to_owned(),
        example: example.unwrap_or_default(),
    })
}

fn order_of(dialect: &Dialect, rows: &[(u64, &[u8])]) -> Option<DateOrder> {
    let mut counts = Counts::default();
    for (_, line) in rows {
        counts.add(dialect, line);
    }
    counts.decide()
}

/// How many dates make sense in each order.
#[derive(Default)]
struct Counts {
    fields: Fields,
    by_order: [u64; ORDERS.len()],
    example: Option<String>,
}

impl Counts {
    fn add(&mut self, dialect: &Dialect, line: &[u8]) {
        if self.fields.split(line, dialect.separator).is_err() {
            return;
        }
        let text = self.fields.get(line, dialect.shape.time);
        for (count, order) in self.by_order.iter_mut().zip(ORDERS) {
            if moment::from_text(text, order).is_some() {
                *count += 1;
                self.example.get_or_insert_with(|| String::from_utf8_lossy(text).into_owned());
            }
        }
    }

    fn decide(&self) -> Option<DateOrder> {
        let [year_first, day_first, month_first] = self.by_order;
        if year_first >= day_first.max(month_first) {
            Some(DateOrder::YearMonthDay)
        } else if day_first == month_first {
            None
        } else if day_first > month_first {
            Some(DateOrder::DayMonthYear)
        } else {
            Some(DateOrder::MonthDayYear)
        }
    }
}

/// The first lines of a text.
struct Head {
    text: Vec<u8>,
    /// The number of each line and where it ends in the text.
    ends: Vec<(u64, usize)>,
}

impl Head {
    fn take(lines: &mut Lines<'_>) -> io::Result<Self> {
        let mut head = Self { text: Vec::new(), ends: Vec::new() };
        while head.text.len() < HEAD_BYTES && head.ends.len() < HEAD_LINES {
            let Some((number, line)) = lines.next()? else { break };
            head.text.extend_from_slice(line);
            head.ends.push((number, head.text.len()));
        }
        Ok(head)
    }

    fn lines(&self) -> Vec<(u64, &[u8])> {
        let mut start = 0;
        let lines = self.ends.iter().map(|(number, end)| {
            let line = &self.text[start..*end];
            start = *end;
            (*number, line)
        });
        lines.collect()
    }
}

/// About how many rows the text holds, a few too many rather than too few.
fn expected_rows(packing: &Packing, head: &Head, dialect: &Dialect) -> usize {
    let rows = head.ends.len().saturating_sub(dialect.first_row);
    let start = dialect.first_row.checked_sub(1).map_or(0, |line| head.ends[line].1);
    let bytes = (head.text.len() - start + rows).max(rows * SHORTEST_ROW);
    let size = packing.size.unwrap_or(0) as f64;
    if bytes == 0 { 0 } else { (size / bytes as f64 * rows as f64 * 1.02) as usize }
}

struct Reader<'a> {
    rows: Rows<'a>,
    fields: Fields,
    dialect: &'a Dialect,
    order: DateOrder,
    first_date: Option<String>,
}

impl Reader<'_> {
    fn line(&mut self, line_number: u64, line: &[u8]) -> Result<(), MarketError> {
        if line.trim_ascii().is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let numbers = &self.dialect.shape.numbers;
        let read = self
            .row(line)
            .and_then(|(moment, values)| self.rows.push(line_number, moment, numbers, &values));
        match read {
            Ok(()) => {
                if self.first_date.is_none() {
                    let text = self.fields.get(line, self.dialect.shape.time);
                    self.first_date = Some(String::from_utf8_lossy(text).into_owned());
                }
                if let Some(column) = self.dialect.shape.symbol {
                    self.rows.belongs_to(self.fields.get(line, column))?;
                }
            }
            Err(problem) => self.rows.refuse(Place::Line(line_number), || problem),
        }
        Ok(())
    }

    fn row(&mut self, line: &[u8]) -> Result<(Moment, [f64; 10]), RowProblem> {
        let dialect = self.dialect;
        self.fields.split(line, dialect.separator).map_err(|OpenQuote| RowProblem::OpenQuote)?;
        let found = self.fields.len();
        // A separator at the end of the line is no field.
        let has_end = found == dialect.columns + 1 && self.fields.get(line, found - 1).is_empty();
        if found != dialect.columns && !has_end {
            return Err(RowProblem::WrongFieldCount {
                found: found as u64,
                expected: dialect.columns as u64,
            });
        }
        let moment = self.moment(line)?;
        let mut values = [0.0; 10];
        for (value, column) in values.iter_mut().zip(dialect.shape.numbers.positions()) {
            let text = self.fields.get(line, *column);
            *value = number(text, dialect.decimal).ok_or_else(|| self.no_number(text, *column))?;
        }
        Ok((moment, values))
    }

    fn moment(&self, line: &[u8]) -> Result<Moment, RowProblem> {
        let shape = &self.dialect.shape;
        let text = self.fields.get(line, shape.time);
        let moment =
            moment::from_text(text, self.order).ok_or_else(|| self.no_date(text, shape.time))?;
        let Some(clock) = shape.clock else { return Ok(moment) };
        let text = self.fields.get(line, clock);
        let time = moment::time_of_day(text).ok_or_else(|| self.no_date(text, clock))?;
        Ok(Moment { millis: moment.millis + time, is_utc: moment.is_utc })
    }

    fn no_number(&self, text: &[u8], column: usize) -> RowProblem {
        let (column, found) = (self.name(column), shown(text));
        if found.is_empty() {
            RowProblem::Empty { column }
        } else if self.dialect.decimal == b',' {
            RowProblem::NotANumberWithComma { column, found }
        } else {
            RowProblem::NotANumber { column, found }
        }
    }

    fn no_date(&self, text: &[u8], column: usize) -> RowProblem {
        let (column, found) = (self.name(column), shown(text));
        if found.is_empty() {
            RowProblem::Empty { column }
        } else {
            RowProblem::NotADate { column, found }
        }
    }

    fn name(&self, column: usize) -> String {
        self.dialect.names.get(column).cloned().unwrap_or_default()
    }

    fn finish(self, packing: &Packing) -> Result<Table, MarketError> {
        let dialect = self.dialect;
        let mut rows = self.rows;
        let reading = &mut rows.reading;
        reading.compression = packing.compression;
        reading.member.clone_from(&packing.member);
        reading.encoding = Some(packing.encoding.to_owned());
        reading.layout = rows.context.layout(dialect.layout);
        reading.separator = Some(char::from(dialect.separator));
        reading.decimal_comma = dialect.decimal == b',';
        reading.header = dialect.has_header;
        reading.lines_before = dialect.lines_before;
        reading.time_format = moment::describe(&self.first_date.unwrap_or_default(), self.order);
        if dialect.shape.clock.is_some() {
            reading.time_format.push_str(" and the time in a column of its own");
        }
        if dialect.says_utc {
            reading.zone = Fact::new("UTC".to_owned(), Origin::File);
        }
        rows.finish()
    }
}

/// A field for a message: not more than a message can bear.
fn shown(text: &[u8]) -> String {
    const MOST: usize = 40;
    let text = String::from_utf8_lossy(text);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
