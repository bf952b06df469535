//! Whether the inner sizes of a Parquet file can be true.
//!
//! The library allocates what the header of a page asks for before it looks at the page, so a few flipped bits can ask for gigabytes. These
//! checks come first: they read the header of every page of the needed columns, and nothing of the pages themselves.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use parquet::basic::{Compression, Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::source::allowed;

/// What a row takes in memory: a time, four prices and a volume.
const BYTES_A_ROW: u64 = 48;
/// The header of a page is no longer than this, statistics included.
const LONGEST_HEADER: usize = 1 << 16;
/// A text in a column of dates or symbols is no longer than this.
const LONGEST_TEXT: u64 = 4096;
/// How deep structures may lie in each other.
const DEEPEST: u32 = 16;

/// Looks at the pages of these columns; the reason in words where one cannot be true.
pub fn check(file: &File, metadata: &ParquetMetaData, columns: &[usize]) -> Result<(), String> {
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let rows =
        u64::try_from(metadata.file_metadata().num_rows()).map_err(|error| error.to_string())?;
    if rows.saturating_mul(BYTES_A_ROW) > allowed(length) {
        return Err(format!("it claims {rows} rows in {length} bytes"));
    }
    let mut in_groups = 0_u64;
    for group in metadata.row_groups() {
        let group_rows = u64::try_from(group.num_rows()).map_err(|error| error.to_string())?;
        in_groups = in_groups.saturating_add(group_rows);
        for column in columns {
            let column = group.columns().get(*column).ok_or("a group lacks a column")?;
            check_column(file, length, column, group_rows)?;
        }
    }
    if in_groups == rows {
        Ok(())
    } else {
        Err(format!("it claims {rows} rows and holds {in_groups}"))
    }
}

fn check_column(
    mut file: &File,
    length: u64,
    column: &ColumnChunkMetaData,
    rows: u64,
) -> Result<(), String> {
    let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
    let start =
        u64::try_from(start.min(column.data_page_offset())).map_err(|error| error.to_string())?;
    let size = u64::try_from(column.compressed_size()).map_err(|error| error.to_string())?;
    let end = start.checked_add(size).filter(|end| *end <= length);
    let end = end.ok_or("a column lies outside of it")?;
    let mut at = start;
    let mut values = 0_u64;
    while at < end && values < rows {
        let mut header =
            vec![0; LONGEST_HEADER.min(usize::try_from(end - at).unwrap_or(usize::MAX))];
        file.seek(SeekFrom::Start(at)).map_err(|error| error.to_string())?;
        file.read_exact(&mut header).map_err(|error| error.to_string())?;
        let (page, header_length) = Page::read(&header).ok_or("the header of a page is damaged")?;
        if page.plain > page.most(column, rows) || page.values > rows.max(page.plain) {
            return Err(format!(
                "a page of {} bytes claims {} values in {} bytes",
                page.packed, page.values, page.plain
            ));
        }
        at = at.saturating_add(header_length as u64).saturating_add(page.packed);
        if at > end {
            return Err("a page lies outside of its column".to_owned());
        }
        if page.is_data {
            values = values.saturating_add(page.values);
        }
    }
    Ok(())
}

/// What a page's header says of its size.
#[derive(Debug, Default, PartialEq, Eq)]
struct Page {
    plain: u64,
    packed: u64,
    values: u64,
    is_data: bool,
}

impl Page {
    /// Reads a header and tells its length; `None` where it is none.
    fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut thrift = Thrift { rest: bytes };
        let mut page = Self::default();
        let mut field = 0;
        loop {
            let (id, kind) = thrift.field(field)?;
            field = id;
            match (id, kind) {
                (_, Thrift::STOP) => break,
                (2, Thrift::I32) => page.plain = thrift.size()?,
                (3, Thrift::I32) => page.packed = thrift.size()?,
                // The headers of a data page, a dictionary page and a data page of version 2 all begin with the count of values.
                (5 | 7 | 8, Thrift::STRUCT) => {
                    page.is_data |= id != 7;
                    page.values = thrift.first_size()?;
                }
                (_, kind) => thrift.skip(kind, 0)?,
            }
        }
        Some((page, bytes.len() - thrift.rest.len()))
    }

    /// How large the page may be when it is unpacked.
    fn most(&self, column: &ColumnChunkMetaData, rows: u64) -> u64 {
        let most_to_one = match column.compression() {
            Compression::UNCOMPRESSED => 1,
            Compression::SNAPPY => 32,
            Compression::LZ4 | Compression::LZ4_RAW => 256,
            Compression::GZIP(_) => 1_040,
            _ => 32_768,
        };
        let width = match column.column_type() {
            Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => LONGEST_TEXT,
            _ => 16,
        };
        let by_values = self.values.min(rows).saturating_add(64).saturating_mul(width);
        self.packed.saturating_add(8).saturating_mul(most_to_one).min(by_values)
    }
}

/// Thrift's compact protocol, as far as a header needs it.
struct Thrift<'a> {
    rest: &'a [u8],
}

impl Thrift<'_> {
    const STOP: u8 = 0;
    const I32: u8 = 5;
    const STRUCT: u8 = 12;

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A count that is not negative.
    fn size(&mut self) -> Option<u64> {
        let zigzag = self.varint()?;
        (zigzag % 2 == 0).then_some(zigzag / 2)
    }

    /// The number and type of the next field of a structure, [`Self::STOP`] at its end.
    fn field(&mut self, before: i64) -> Option<(i64, u8)> {
        let head = self.byte()?;
        if head == Self::STOP {
            return Some((before, Self::STOP));
        }
        let id = match head >> 4 {
            0 => {
                let zigzag = self.varint()?;
                (zigzag / 2) as i64
            }
            step => before.wrapping_add(i64::from(step)),
        };
        let kind = head & 0x0f;
        (kind != Self::STOP).then_some((id, kind))
    }

    /// The first field of a structure, which is a count; skips the others.
    fn first_size(&mut self) -> Option<u64> {
        let mut size = 0;
        let mut field = 0;
        loop {
            let (id, kind) = self.field(field)?;
            field = id;
            match (id, kind) {
                (_, Self::STOP) => return Some(size),
                (1, Self::I32) => size = self.size()?,
                (_, kind) => self.skip(kind, 1)?,
            }
        }
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            1 | 2 => {}
            3 => _ = self.byte()?,
            4..=6 => _ = self.varint()?,
            7 => self.rest = self.rest.get(8..)?,
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.rest = self.rest.get(length..)?;
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                for _ in 0..count {
                    // In a list, truth values take a byte each.
                    let kind = if matches!(head & 0x0f, 1 | 2) { 3 } else { head & 0x0f };
                    self.skip(kind, depth + 1)?;
                }
            }
            12 => {
                let mut field = 0;
                loop {
                    let (id, kind) = self.field(field)?;
                    if kind == Self::STOP {
                        break;
                    }
                    field = id;
                    self.skip(kind, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }
}
