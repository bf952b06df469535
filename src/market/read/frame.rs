//! Whether the inner lengths of an Arrow file can be true.
//!
//! arrow allocates what a file's metadata asks for and slices where it points, so one flipped bit can ask for terabytes, which ends the
//! process and not only the read. These checks come first and cost microseconds: they look at the metadata and at eight bytes per buffer.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use arrow::ipc::reader::read_footer_length;
use arrow::ipc::{
    Block, CompressionType, MessageHeader, RecordBatch, root_as_footer, root_as_message,
};

use super::source::allowed;

/// The trailer: four bytes of length and `ARROW1`.
const TRAILER: u64 = 10;
/// Before a compressed buffer stands its plain length.
const LENGTH_PREFIX: u64 = 8;
/// What newer files put before the length of the metadata.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// A column takes no more than this for each row; prices take 8 bytes, dates as text some 30.
const MOST_BYTES_A_ROW: u64 = 4096;

/// Looks at every block of the file; the reason in words where one cannot be true.
pub fn check(file: &mut File) -> Result<(), String> {
    let mut file = Bytes::of(file)?;
    if file.length >= 4 && file.at(0, 4)? == b"FEA1" {
        return Err("it is Feather version 1; write it with version 2".to_owned());
    }
    let end = file.length.checked_sub(TRAILER).ok_or("it is too short")?;
    let trailer = file.at(end, TRAILER)?.try_into().map_err(|_short| OUTSIDE)?;
    let footer_length = read_footer_length(trailer).map_err(|error| error.to_string())? as u64;
    let start = end.checked_sub(footer_length).ok_or(OUTSIDE)?;
    let footer = file.at(start, footer_length)?;
    let footer = root_as_footer(&footer).map_err(|error| error.to_string())?;
    let blocks = footer.dictionaries().into_iter().chain(footer.recordBatches()).flatten();
    let mut left = allowed(file.length);
    for block in blocks {
        check_block(&mut file, block, &mut left)?;
    }
    Ok(())
}

const OUTSIDE: &str = "its inner lengths lead outside of it";

/// A file of which only some bytes are looked at.
struct Bytes<'a> {
    file: &'a mut File,
    length: u64,
}

impl<'a> Bytes<'a> {
    fn of(file: &'a mut File) -> Result<Self, String> {
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        Ok(Self { file, length })
    }

    fn at(&mut self, start: u64, length: u64) -> Result<Vec<u8>, String> {
        let end = start.checked_add(length).filter(|end| *end <= self.length);
        end.ok_or(OUTSIDE)?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|error| error.to_string())?];
        self.file
            .seek(SeekFrom::Start(start))
            .and_then(|_start| self.file.read_exact(&mut bytes))
            .map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

/// `left` is what the compressed columns may still unpack to.
fn check_block(file: &mut Bytes<'_>, block: &Block, left: &mut u64) -> Result<(), String> {
    let length = |length: i64| u64::try_from(length).map_err(|_negative| OUTSIDE.to_owned());
    let start = length(block.offset())?;
    let metadata_length = length(i64::from(block.metaDataLength()))?;
    let metadata = file.at(start, metadata_length)?;
    let body = start + metadata_length;
    let body_length = length(block.bodyLength())?;
    body.checked_add(body_length).filter(|end| *end <= file.length).ok_or(OUTSIDE)?;
    let skipped = if metadata.starts_with(&CONTINUATION) { 8 } else { 4 };
    let message = metadata.get(skipped..).ok_or(OUTSIDE)?;
    let message = root_as_message(message).map_err(|error| error.to_string())?;
    let batch = match message.header_type() {
        MessageHeader::DictionaryBatch => {
            message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data())
        }
        _ => message.header_as_record_batch(),
    };
    batch.map_or(Ok(()), |batch| check_batch(file, (body, body_length), batch, left))
}

fn check_batch(
    file: &mut Bytes<'_>,
    (body, body_length): (u64, u64),
    batch: RecordBatch,
    left: &mut u64,
) -> Result<(), String> {
    let rows = u64::try_from(batch.length()).map_err(|error| error.to_string())?;
    for buffer in batch.buffers().into_iter().flatten() {
        let start = u64::try_from(buffer.offset()).map_err(|error| error.to_string())?;
        let length = u64::try_from(buffer.length()).map_err(|error| error.to_string())?;
        let is_inside = start.checked_add(length).is_some_and(|end| end <= body_length);
        if !is_inside {
            return Err("a column lies outside of its block".to_owned());
        }
        let Some(compression) = batch.compression() else { continue };
        let Some(packed) = length.checked_sub(LENGTH_PREFIX) else { continue };
        let prefix = file.at(body + start, LENGTH_PREFIX)?;
        let prefix = prefix.try_into().map_err(|_short| OUTSIDE)?;
        // Negative: the buffer is not compressed after all.
        let Ok(plain) = u64::try_from(i64::from_le_bytes(prefix)) else { continue };
        let most = packed.saturating_mul(most_to_one(compression.codec()));
        let most_by_rows = rows.saturating_add(1).saturating_mul(MOST_BYTES_A_ROW);
        if plain > most.min(most_by_rows).min(*left) {
            return Err(format!("a column of {rows} rows claims {plain} bytes"));
        }
        *left -= plain;
    }
    Ok(())
}

/// How far a codec can shrink at best: LZ4 255 times, zstd a block of 128 KiB to 4 bytes.
fn most_to_one(codec: CompressionType) -> u64 {
    if codec == CompressionType::LZ4_FRAME { 255 } else { 32_768 }
}
