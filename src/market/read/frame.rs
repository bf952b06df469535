//! Whether the inner lengths of an Arrow file can be true.
//!
//! arrow allocates what a file's metadata asks for and slices where it points, so one flipped bit can ask for terabytes, which ends the
//! process and not only the read. These checks come first and cost microseconds: they look at the metadata and at eight bytes per buffer.

use arrow::ipc::reader::read_footer_length;
use arrow::ipc::{
    Block, CompressionType, MessageHeader, RecordBatch, root_as_footer, root_as_message,
};

/// The trailer: four bytes of length and `ARROW1`.
const TRAILER: usize = 10;
/// Before a compressed buffer stands its plain length.
const LENGTH_PREFIX: usize = 8;
/// What newer files put before the length of the metadata.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// A column takes no more than this for each row; prices take 8 bytes, dates as text some 30.
const MOST_BYTES_A_ROW: usize = 4096;

/// Looks at every block of the file; the reason in words where one cannot be true.
pub fn check(file: &[u8]) -> Result<(), String> {
    if file.starts_with(b"FEA1") {
        return Err("it is Feather version 1; write it with version 2".to_owned());
    }
    let outside = || "its inner lengths lead outside of it".to_owned();
    let end = file.len().checked_sub(TRAILER).ok_or("it is too short")?;
    let trailer =
        file.get(end..).and_then(|trailer| trailer.try_into().ok()).ok_or_else(outside)?;
    let footer_length = read_footer_length(trailer).map_err(|error| error.to_string())?;
    let start = end.checked_sub(footer_length).ok_or_else(outside)?;
    let footer = root_as_footer(&file[start..end]).map_err(|error| error.to_string())?;
    let blocks = footer.dictionaries().into_iter().chain(footer.recordBatches()).flatten();
    for block in blocks {
        check_block(file, block)?;
    }
    Ok(())
}

fn check_block(file: &[u8], block: &Block) -> Result<(), String> {
    let outside = || "a block lies outside of the file".to_owned();
    let length = |length: i64| usize::try_from(length).ok();
    let start = length(block.offset()).ok_or_else(outside)?;
    let body_start = length(i64::from(block.metaDataLength()))
        .and_then(|metadata| start.checked_add(metadata))
        .ok_or_else(outside)?;
    let end = length(block.bodyLength())
        .and_then(|body| body_start.checked_add(body))
        .ok_or_else(outside)?;
    let metadata = file.get(start..body_start).ok_or_else(outside)?;
    let body = file.get(body_start..end).ok_or_else(outside)?;
    let skipped = if metadata.starts_with(&CONTINUATION) { 8 } else { 4 };
    let message = metadata.get(skipped..).ok_or_else(outside)?;
    let message = root_as_message(message).map_err(|error| error.to_string())?;
    let batch = match message.header_type() {
        MessageHeader::DictionaryBatch => {
            message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data())
        }
        _ => message.header_as_record_batch(),
    };
    batch.map_or(Ok(()), |batch| check_batch(body, batch))
}

fn check_batch(body: &[u8], batch: RecordBatch) -> Result<(), String> {
    let rows = usize::try_from(batch.length()).map_err(|error| error.to_string())?;
    for buffer in batch.buffers().into_iter().flatten() {
        let bytes = usize::try_from(buffer.offset())
            .ok()
            .zip(usize::try_from(buffer.length()).ok())
            .and_then(|(start, length)| body.get(start..start.checked_add(length)?))
            .ok_or("a column lies outside of its block")?;
        let Some(compression) = batch.compression() else { continue };
        let Some((prefix, packed)) = bytes.split_first_chunk::<LENGTH_PREFIX>() else { continue };
        // Negative: the buffer is not compressed after all.
        let Ok(plain) = usize::try_from(i64::from_le_bytes(*prefix)) else { continue };
        let most = packed.len().saturating_mul(most_to_one(compression.codec()));
        if plain > most || plain > rows.saturating_add(1).saturating_mul(MOST_BYTES_A_ROW) {
            return Err(format!("a column of {rows} rows claims {plain} bytes"));
        }
    }
    Ok(())
}

/// How far a codec can shrink at best: LZ4 255 times, zstd a block of 128 KiB to 4 bytes.
fn most_to_one(codec: CompressionType) -> usize {
    if codec == CompressionType::LZ4_FRAME { 255 } else { 32_768 }
}
