use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder};

use super::super::{MarketError, Place, RowProblem};
use super::moment;
use super::table::{Header, Places, Table};
use super::{Fact, Format, Origin};
use crate::domain::UtcMillis;

/// Reads a comma-separated file with a header.
pub fn read(path: &Path) -> Result<Table, MarketError> {
    let unreadable = |source| MarketError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let is_empty = file.metadata().map_err(unreadable)?.len() == 0;
    if is_empty {
        return Err(MarketError::NoBars { path: path.to_owned(), header_only: false });
    }
    read_rows(path, ReaderBuilder::new().flexible(true).from_reader(file))
}

fn read_rows(path: &Path, mut reader: Reader<File>) -> Result<Table, MarketError> {
    let names = reader.byte_headers().map_err(|error| broken(path, error))?.clone();
    let line = names.position().map(csv::Position::line);
    let names: Vec<_> = names.iter().map(String::from_utf8_lossy).collect();
    let names: Vec<&str> = names.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
    let header = Header::find(path, line, &names)?;

    let mut starts = Vec::new();
    let mut table = Table::new(Format::Csv);
    let mut all_name_zone = true;
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| broken(path, error))? {
        let start = record.position().map_or(0, Position::byte);
        let row = Row { record: &record, names: &names };
        match row.values(&header) {
            Ok((open_time, names_zone, numbers)) => {
                table.push(open_time, numbers);
                all_name_zone &= names_zone;
                starts.push(start);
            }
            Err(problem) => table.unreadable.add(Place::Line(line_at(path, start)), problem),
        }
    }
    if all_name_zone {
        table.reading.zone = Fact::new("UTC".to_owned(), Origin::File);
    }
    table.places = Places::Bytes(starts);
    Ok(table)
}

/// The line, from 1, of the record that starts at this byte or after the blank lines there; 0 where the file is gone by now.
///
/// The reader's own line numbers are those before blank lines.
pub fn line_at(path: &Path, start: u64) -> u64 {
    let Ok(file) = File::open(path) else { return 0 };
    let mut line = 1;
    for (offset, byte) in (0_u64..).zip(BufReader::new(file).bytes().map_while(Result::ok)) {
        if offset >= start && !matches!(byte, b'\r' | b'\n') {
            break;
        }
        line += u64::from(byte == b'\n');
    }
    line
}

/// One line and the names of its columns.
struct Row<'a> {
    record: &'a ByteRecord,
    names: &'a [&'a str],
}

impl Row<'_> {
    fn values(&self, header: &Header) -> Result<(UtcMillis, bool, [f64; 5]), RowProblem> {
        if self.record.len() != self.names.len() {
            let (found, expected) = (self.record.len() as u64, self.names.len() as u64);
            return Err(RowProblem::WrongFieldCount { found, expected });
        }
        let (open_time, names_zone) = self.moment(header.time)?;
        let mut numbers = [0.0; 5];
        for (number, column) in numbers.iter_mut().zip(header.numbers) {
            *number = self.number(column)?;
        }
        Ok((open_time, names_zone, numbers))
    }

    fn text(&self, column: usize) -> Result<&str, RowProblem> {
        let bytes = self.record.get(column).unwrap_or_default().trim_ascii();
        let text = std::str::from_utf8(bytes)
            .map_err(|error| RowProblem::NotText { reason: error.to_string() })?;
        if text.is_empty() {
            return Err(RowProblem::Empty { column: self.names[column].to_owned() });
        }
        Ok(text)
    }

    fn number(&self, column: usize) -> Result<f64, RowProblem> {
        let text = self.text(column)?;
        text.parse().ok().ok_or_else(|| RowProblem::NotANumber {
            column: self.names[column].to_owned(),
            found: text.to_owned(),
        })
    }

    fn moment(&self, column: usize) -> Result<(UtcMillis, bool), RowProblem> {
        let text = self.text(column)?;
        moment::from_text(text).ok_or_else(|| RowProblem::NotADate {
            column: self.names[column].to_owned(),
            found: text.to_owned(),
        })
    }
}

fn broken(path: &Path, error: csv::Error) -> MarketError {
    let start = error.position().map_or(0, Position::byte);
    let problem = match error.into_kind() {
        ErrorKind::Io(source) => {
            return MarketError::Unreadable { path: path.to_owned(), source };
        }
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            RowProblem::WrongFieldCount { found: len, expected: expected_len }
        }
        other => RowProblem::NotText { reason: format!("{other:?}") },
    };
    MarketError::BadRow { path: path.to_owned(), place: Place::Line(line_at(path, start)), problem }
}
