//! Ten seconds of damage for each reader: the files of `tests/corpus`, as they are and changed in many ways. No panic, no hang; what is not bars
//! is an error. The coverage-guided fuzzing in `fuzz/` counts memory too and adds what it finds to the corpus.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::read_bars;
use crate::market::Overrides;

const TIME: Duration = Duration::from_secs(10);
/// No file of the corpus may take longer, however it is changed.
const LONGEST: Duration = Duration::from_secs(5);

/// Pieces that mean something to one reader or another.
const TOKENS: [&[u8]; 24] = [
    b",",
    b";",
    b"\t",
    b"|",
    b"\"",
    b"\n",
    b"\r\n",
    b"#",
    b"-",
    b".",
    b"e308",
    b"NaN",
    b"null",
    b"[",
    b"]",
    b"{",
    b"\0",
    b"\xff\xfe",
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"9223372036854775807",
    b"date",
    b"PAR1",
    b"ARROW1",
];

fn corpus(reader: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(reader);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn damaged(seeds: &[(PathBuf, Vec<u8>)], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut content = seeds[random.random_range(0..seeds.len())].1.clone();
    for _ in 0..random.random_range(1..8) {
        let at = random.random_range(0..=content.len());
        let length = random.random_range(0..=(content.len() - at).min(40));
        match random.random_range(0..8) {
            0 if at < content.len() => content[at] ^= 1 << random.random_range(0..8),
            1 if at < content.len() => content[at] = random.random(),
            2 => drop(content.drain(at..at + length)),
            3 => {
                let piece = content[at..at + length].to_vec();
                content.splice(at..at, piece.repeat(random.random_range(1..20)));
            }
            4 => drop(
                content
                    .splice(at..at, TOKENS[random.random_range(0..TOKENS.len())].iter().copied()),
            ),
            5 if random.random_range(0..8) == 0 => content.truncate(at),
            6 => {
                // A number in the metadata of a binary file.
                let number =
                    [0, 1, -1, i64::MAX, i64::MIN, 1 << 31, 1 << 40][random.random_range(0..7)];
                let width = [1, 2, 4, 8][random.random_range(0..4)].min(content.len() - at);
                content[at..at + width].copy_from_slice(&number.to_le_bytes()[..width]);
            }
            _ => {
                let other = &seeds[random.random_range(0..seeds.len())].1;
                let start = random.random_range(0..=other.len());
                let end = (start + length).min(other.len());
                content.splice(at..at + length, other[start..end].iter().copied());
            }
        }
    }
    content
}

/// Reads the corpus and then damaged files for a while; a failure names seed, round and the file it left behind.
fn fuzz(reader: &str, mut read: impl FnMut(&[u8])) {
    let seeds = corpus(reader);
    assert!(!seeds.is_empty(), "the corpus of {reader} is empty");
    for (path, content) in &seeds {
        let read = panic::catch_unwind(AssertUnwindSafe(|| read(content)));
        assert!(read.is_ok(), "{} brings the reader down", path.display());
    }
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let began = Instant::now();
    for round in 0_u64.. {
        if began.elapsed() > TIME {
            break;
        }
        let content = damaged(&seeds, &mut random);
        let this_began = Instant::now();
        let is_sound = panic::catch_unwind(AssertUnwindSafe(|| read(&content))).is_ok();
        if !is_sound || this_began.elapsed() > LONGEST {
            let left = std::env::temp_dir().join(format!("walkforge-{reader}-{seed}-{round}"));
            fs::write(&left, &content).unwrap();
            panic!(
                "seed {seed}, round {round}: {} brings the {reader} reader down or takes too long",
                left.display()
            );
        }
    }
}

fn fuzz_file(reader: &str, ending: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("AB-1h.{ending}"));
    let (symbol, timeframe) =
        ("AB".parse::<crate::domain::Symbol>().unwrap(), "1h".parse().unwrap());
    fuzz(reader, |content| {
        fs::write(&path, content).unwrap();
        let _either_is_fine = read_bars(&path, symbol.clone(), timeframe);
    });
}

#[test]
fn damaged_texts_are_refused_or_read() {
    fuzz_file("text", "csv");
}

#[test]
fn damaged_json_is_refused_or_read() {
    fuzz_file("json", "json");
}

#[test]
fn damaged_feather_files_are_refused_or_read() {
    fuzz_file("feather", "feather");
}

#[test]
fn damaged_parquet_files_are_refused_or_read() {
    fuzz_file("parquet", "parquet");
}

#[test]
fn damaged_gzip_files_are_refused_or_read() {
    fuzz_file("gzip", "csv.gz");
}

#[test]
fn damaged_archives_are_refused_or_read() {
    fuzz_file("zip", "zip");
}

#[test]
fn damaged_overrides_are_refused_or_read() {
    fuzz("overrides", |content| {
        if let Ok(overrides) =
            Overrides::parse(&String::from_utf8_lossy(content), Path::new("walkforge.ron"))
        {
            let _unused = overrides.unused(&["XAUUSD.csv"]);
            let _chosen = overrides.of_file(Path::new("XAUUSD.csv"));
        }
    });
}
