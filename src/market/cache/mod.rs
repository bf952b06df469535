//! What was read of market files before, so that nothing is parsed twice.
//!
//! Two steps lead from a file to its bars. A *record* for each path holds how long the file was, when it changed, and the hash of its content;
//! while length and times are the same, the content is taken to be the same, and the file is not opened. An *entry* for each content, reader,
//! `walkforge.ron` and set of policies holds the bars as an Arrow file, with the facts of the reading and the quality report beside it.
//!
//! The answer is always the one that reading the file would give. A time of change that is not yet over is not trusted ([`stamp`]), a content
//! that changes while it is read is not stored, an entry whose checksum is wrong is made again, and every build of the program reads with its
//! own eyes: what another build has read does not count. Any number of processes may use one cache: files appear whole, by renaming,
//! and two that are equal may replace each other.

mod entry;
mod place;
mod stamp;
mod sweep;

#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::sweep::CacheSize;

use self::stamp::Stamp;
use super::{Entry, Loaded, MarketError, OVERRIDES_FILE, Reading, load};
use crate::domain::{Bytes, ContentHash, ProblemCount, UtcMillis};
use crate::spec::QualitySpec;

/// Where the records are.
const RECORDS: &str = "files";
/// Where the entries are.
const ENTRIES: &str = "bars";

/// The content cache: a folder, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    folder: Option<PathBuf>,
    limit: Bytes,
    /// How long a file must rest until its time of change tells every change.
    tick: Duration,
}

/// What is known of a file without opening it, from the last time it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The number of bars, at least 1.
    pub bars: u64,
    /// When the first bar opens.
    pub first_open: UtcMillis,
    /// When the last bar opens.
    pub last_open: UtcMillis,
    /// What was wrong with the rows.
    pub quality: Vec<ProblemCount>,
    /// How the file is written, and what had to be assumed.
    pub reading: Reading,
}

/// A file as it was when its content was looked at.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    path: PathBuf,
    stamp: Stamp,
    content: ContentHash,
    /// What reading it gave, and by which [`Cache::reader`].
    known: Option<(ContentHash, Known)>,
}

impl Cache {
    /// The largest size of a cache; beyond, what was not used for longest goes.
    pub const LIMIT: Bytes = Bytes(4 << 30);

    /// The cache in the folder that `WALKFORGE_CACHE` names, or in the platform's folder for caches. Without either, or with
    /// `WALKFORGE_CACHE=off`, there is none.
    #[must_use]
    pub fn platform() -> Self {
        let folder = place::folder(|name| std::env::var_os(name));
        Self { folder, ..Self::off() }
    }

    /// The cache in this folder, which need not be there yet.
    #[must_use]
    pub const fn at(folder: PathBuf, limit: Bytes) -> Self {
        Self { folder: Some(folder), limit, tick: stamp::TICK }
    }

    /// No cache: every file is read every time.
    #[must_use]
    pub const fn off() -> Self {
        Self { folder: None, limit: Self::LIMIT, tick: stamp::TICK }
    }

    /// Where it is, if there is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Reads a market file and judges its rows, or takes from the cache what that gave before.
    ///
    /// A cache that cannot be used is none: the file is then read as without it.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self, file: &Entry, policies: &QualitySpec) -> Result<Loaded, MarketError> {
        let direct = || load(&file.path, file.symbol.clone(), file.timeframe, policies);
        let Some(folder) = &self.folder else { return direct() };
        let Some((before, content)) = Self::look(folder, &file.path) else { return direct() };
        let reader = reader(&file.path);
        let key = key(file, policies, reader, content);
        let entries = folder.join(ENTRIES);
        if let Some(loaded) = entry::read(&entries, key) {
            self.remember(folder, file, before, content, (reader, &loaded));
            return Ok(loaded);
        }
        let loaded = direct()?;
        if self.is_unchanged(&file.path, before, content) {
            // A full disk or a folder of somebody else's costs time the next time, and nothing else.
            let written = entry::write(&entries, key, &loaded).unwrap_or(0);
            self.remember(folder, file, before, content, (reader, &loaded));
            sweep::after_writing(folder, self.limit, written);
        }
        Ok(loaded)
    }

    /// What the last reading of a file gave, where it has not changed since. Opens nothing but its record.
    #[must_use]
    pub fn known(&self, file: &Entry) -> Option<Known> {
        let path = absolute(&file.path)?;
        let record: Record = read_json(&record_of(self.folder.as_ref()?, &path))?;
        let is_same = record.path == path && Stamp::of(&path)? == record.stamp;
        let (read_by, known) = record.known.filter(|_| is_same)?;
        (read_by == whose(file, reader(&file.path))).then_some(known)
    }

    /// How large the cache is.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn size(&self) -> io::Result<CacheSize> {
        self.folder.as_deref().map_or(Ok(CacheSize::default()), sweep::size)
    }

    /// Removes everything in it. What others are writing meanwhile may stay.
    ///
    /// # Errors
    /// When the folder is there and something in it cannot be removed.
    pub fn clear(&self) -> io::Result<CacheSize> {
        self.folder.as_deref().map_or(Ok(CacheSize::default()), sweep::clear)
    }

    /// The stamp and the content of a file, by its record where that may be trusted.
    fn look(folder: &Path, path: &Path) -> Option<(Stamp, ContentHash)> {
        let before = Stamp::of(path)?;
        let path = absolute(path)?;
        let record = read_json::<Record>(&record_of(folder, &path));
        let known = record.filter(|record| record.path == path && record.stamp == before);
        let content = match known {
            Some(record) => record.content,
            None => hash_of(&path).ok()?,
        };
        Some((before, content))
    }

    /// Whether a file is still what was hashed, by its stamp, and by its content where the stamp cannot tell yet.
    fn is_unchanged(&self, path: &Path, before: Stamp, content: ContentHash) -> bool {
        Stamp::of(path) == Some(before)
            && (before.is_settled(self.tick) || hash_of(path).is_ok_and(|hash| hash == content))
    }

    fn remember(
        &self,
        folder: &Path,
        file: &Entry,
        stamp: Stamp,
        content: ContentHash,
        (reader, loaded): (ContentHash, &Loaded),
    ) {
        let Some(path) = absolute(&file.path).filter(|_| stamp.is_settled(self.tick)) else {
            return;
        };
        let opens = loaded.bars.open_time();
        let (Some(&first_open), Some(&last_open)) = (opens.first(), opens.last()) else { return };
        let known = Known {
            bars: opens.len() as u64,
            first_open,
            last_open,
            quality: loaded.report.counts(),
            reading: loaded.reading.clone(),
        };
        let place = record_of(folder, &path);
        let record = Record { path, stamp, content, known: Some((whose(file, reader), known)) };
        let is_written = fs::read(&place).is_ok_and(|text| text == json(&record));
        if !is_written {
            let _unstored = write_whole(&place, &json(&record));
        }
    }
}

/// Everything beside the content that decides what a file is read as: this build of the program, the names that tell symbol and timeframe, and
/// the folder's own `walkforge.ron`.
fn reader(path: &Path) -> ContentHash {
    let overrides = path.with_file_name(OVERRIDES_FILE);
    let overrides = fs::read(overrides).unwrap_or_default();
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let folder = absolute(path).and_then(|path| Some(path.parent()?.file_name()?.to_owned()));
    let folder = folder.unwrap_or_default();
    ContentHash::of_parts([build(), name, folder.as_encoded_bytes(), &overrides])
}

/// The reader, and whose bars it was told they are.
fn whose(file: &Entry, reader: ContentHash) -> ContentHash {
    ContentHash::of(&json(&(reader, &file.symbol, file.timeframe)))
}

fn key(
    file: &Entry,
    policies: &QualitySpec,
    reader: ContentHash,
    content: ContentHash,
) -> ContentHash {
    ContentHash::of(&json(&(whose(file, reader), content, policies)))
}

/// Names this build: its version, and the length and time of change of the program. Nobody has to remember to count up a number when
/// a reader changes.
fn build() -> &'static [u8] {
    static BUILD: OnceLock<Vec<u8>> = OnceLock::new();
    BUILD.get_or_init(|| {
        let program = std::env::current_exe().ok().and_then(|program| Stamp::of(&program));
        json(&(env!("CARGO_PKG_VERSION"), program))
    })
}

fn record_of(folder: &Path, path: &Path) -> PathBuf {
    let name = ContentHash::of(path.as_os_str().as_encoded_bytes());
    folder.join(RECORDS).join(format!("{name}.json"))
}

/// With its folder's links resolved, so that one file has one record; the file's own name stays, since it tells what it holds.
fn absolute(path: &Path) -> Option<PathBuf> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = fs::canonicalize(parent.unwrap_or_else(|| Path::new("."))).ok()?;
    Some(folder.join(path.file_name()?))
}

fn hash_of(path: &Path) -> io::Result<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(fs::File::open(path)?)?;
    Ok(ContentHash::of(hasher.finalize().as_bytes()))
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data with string keys serialises")
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Writes a file that is there whole or not at all. It is not synced: what a power cut leaves is found out by its checksum.
fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(sweep::UNFINISHED).tempfile_in(folder)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}
