//! A text file, unpacked and turned into UTF-8 while it is read, so that only its rows take memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_16BE, UTF_16LE};
use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use super::super::MarketError;
use super::format::{Format, is_data_file};
use super::reading::Compression;

/// A packed file may unpack to this many times its size…
const MOST_TO_ONE: u64 = 300;
/// …or to this much, where that is more…
const ALWAYS_ALLOWED: u64 = 16 << 20;
/// …but never to more than this.
const MOST_BYTES: u64 = 16 << 30;

/// How many bytes a packed file may unpack to.
pub const fn allowed(packed: u64) -> u64 {
    let most = packed.saturating_mul(MOST_TO_ONE);
    let most = if most > ALWAYS_ALLOWED { most } else { ALWAYS_ALLOWED };
    if most < MOST_BYTES { most } else { MOST_BYTES }
}

/// How a text was packed and written.
#[derive(Debug, Clone)]
pub struct Packing {
    /// How the file is packed.
    pub compression: Compression,
    /// The data file inside an archive.
    pub member: Option<String>,
    /// The format of what is inside.
    pub format: Format,
    /// How many bytes of text there are, where the file says so; an archive may lie, but not beyond what it may unpack to.
    pub size: Option<u64>,
    /// The text's encoding.
    pub encoding: &'static str,
}

/// Opens a text file, packed or not, and hands it to `read` as UTF-8 (or as what it is, where it is neither UTF-8 nor UTF-16).
pub fn with_text<T>(
    path: &Path,
    format: Format,
    read: impl FnOnce(&mut dyn BufRead, &Packing) -> Result<T, MarketError>,
) -> Result<T, MarketError> {
    let unreadable = |source| MarketError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut file = BufReader::with_capacity(1 << 17, file);
    let magic = file.fill_buf().map_err(unreadable)?;
    if magic.is_empty() {
        return Err(MarketError::NoBars { path: path.to_owned(), header_only: false });
    }
    let packing = |compression, size| Packing {
        compression,
        member: None,
        format,
        size,
        encoding: encoding_rs::UTF_8.name(),
    };
    if magic.starts_with(&[0x1f, 0x8b]) {
        let unpacked = Limited::new(MultiGzDecoder::new(file), size);
        return decoded(path, unpacked, packing(Compression::Gzip, None), read);
    }
    if magic.starts_with(b"PK\x03\x04") || magic.starts_with(b"PK\x05\x06") {
        return with_member(path, file, size, &packing(Compression::Zip, None), read);
    }
    decoded(path, file, packing(Compression::None, Some(size)), read)
}

/// Opens the only data file of an archive.
fn with_member<T>(
    path: &Path,
    file: BufReader<File>,
    packed: u64,
    packing: &Packing,
    read: impl FnOnce(&mut dyn BufRead, &Packing) -> Result<T, MarketError>,
) -> Result<T, MarketError> {
    let broken = |reason: String| MarketError::BrokenArchive { path: path.to_owned(), reason };
    let mut archive = ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let Some(Ok(name)) = archive.name_for_index(index) else { continue };
        if is_data_file(Path::new(name.as_ref())) {
            found.push((index, name.into_owned()));
        }
    }
    let (index, name) = match &found[..] {
        [only] => only.clone(),
        [] => {
            let reason = "it holds no .csv, .tsv, .txt or .json file".to_owned();
            return Err(broken(reason));
        }
        several => {
            let most = several.iter().take(5).map(|(_, name)| name.as_str());
            let names = most.collect::<Vec<_>>().join(", ");
            let more = if several.len() > 5 { ", …" } else { "" };
            return Err(MarketError::SeveralMembers {
                path: path.to_owned(),
                count: several.len(),
                names: names + more,
            });
        }
    };
    let format = Format::of(Path::new(&name)).unwrap_or(packing.format);
    let member = archive.by_index(index).map_err(|error| broken(error.to_string()))?;
    let packed = member.compressed_size().min(packed);
    let packing = Packing {
        member: Some(name),
        format,
        size: Some(member.size().min(allowed(packed))),
        ..packing.clone()
    };
    let unpacked = Limited::new(member, packed);
    decoded(path, BufReader::with_capacity(1 << 17, unpacked), packing, read)
}

/// Looks for UTF-16 and turns it into UTF-8; leaves out the mark that says which of them it is.
fn decoded<T>(
    path: &Path,
    source: impl Read,
    mut packing: Packing,
    read: impl FnOnce(&mut dyn BufRead, &Packing) -> Result<T, MarketError>,
) -> Result<T, MarketError> {
    let mut source = BufReader::with_capacity(1 << 17, source);
    let compression = packing.compression;
    let head = source.fill_buf().map_err(|error| failed(path, compression, error))?;
    let (encoding, mark) = utf16_of(head).unwrap_or_else(|| {
        let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        (encoding_rs::UTF_8, mark)
    });
    source.consume(mark);
    if encoding == encoding_rs::UTF_8 {
        return read(&mut source, &packing);
    }
    packing.encoding = encoding.name();
    packing.size = packing.size.map(|size| size / 2);
    let mut source = BufReader::new(Utf8::new(source, encoding));
    read(&mut source, &packing)
}

/// UTF-16 by its mark, or because every other byte is zero as in any Latin text.
fn utf16_of(head: &[u8]) -> Option<(&'static Encoding, usize)> {
    match head {
        [0xff, 0xfe, ..] => return Some((UTF_16LE, 2)),
        [0xfe, 0xff, ..] => return Some((UTF_16BE, 2)),
        _ => {}
    }
    let pairs = head.get(..head.len().min(64))?.as_chunks::<2>().0;
    let all = |is: fn(&[u8; 2]) -> bool| pairs.len() >= 8 && pairs.iter().all(is);
    if all(|pair| pair[0] != 0 && pair[1] == 0) {
        Some((UTF_16LE, 0))
    } else if all(|pair| pair[0] == 0 && pair[1] != 0) {
        Some((UTF_16BE, 0))
    } else {
        None
    }
}

/// The error of a text that cannot be read on: the system's for a plain file, the archive's for a packed one.
pub fn failed(path: &Path, compression: Compression, error: io::Error) -> MarketError {
    let path = path.to_owned();
    match compression {
        Compression::None => MarketError::Unreadable { path, source: error },
        Compression::Gzip | Compression::Zip => {
            MarketError::BrokenArchive { path, reason: error.to_string() }
        }
    }
}

/// Stops where a packed file grows beyond what honest data does.
struct Limited<R> {
    inner: R,
    left: u64,
    most: u64,
}

impl<R> Limited<R> {
    fn new(inner: R, packed: u64) -> Self {
        let most = allowed(packed);
        Self { inner, left: most, most }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!(
                "it unpacks to more than {}, far beyond what market data does",
                crate::domain::Bytes(self.most)
            ))
        })?;
        Ok(read)
    }
}

/// UTF-16 as UTF-8.
struct Utf8<R> {
    inner: R,
    decoder: Decoder,
    decoded: Vec<u8>,
    given: usize,
    is_over: bool,
}

impl<R: BufRead> Utf8<R> {
    fn new(inner: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { inner, decoder, decoded: Vec::new(), given: 0, is_over: false }
    }

    fn decode(&mut self) -> io::Result<()> {
        const AT_ONCE: usize = 1 << 14;
        let input = self.inner.fill_buf()?;
        let is_last = input.is_empty();
        self.decoded.resize(AT_ONCE, 0);
        let (result, read, written, _) =
            self.decoder.decode_to_utf8(input, &mut self.decoded, is_last);
        self.inner.consume(read);
        self.decoded.truncate(written);
        self.given = 0;
        self.is_over = is_last && result == CoderResult::InputEmpty;
        Ok(())
    }
}

impl<R: BufRead> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.decoded.len() && !self.is_over {
            self.decode()?;
        }
        let ready = &self.decoded[self.given..];
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.given += count;
        Ok(count)
    }
}
