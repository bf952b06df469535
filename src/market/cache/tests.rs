use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::domain::{Problem, Symbol, Timeframe};
use crate::market::{BarColumns, Bars, Catalog};
use crate::spec::Policy;

/// A folder with market files and one for the cache.
struct Desk {
    files: tempfile::TempDir,
    cached: tempfile::TempDir,
}

fn csv(bars: usize, first: f64) -> String {
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    for hour in 0..bars {
        let at = 1_704_067_200_000 + hour as i64 * 3_600_000;
        let price = first + (hour * 7 % 13) as f64 * 0.25;
        let volume = 10 + hour % 3;
        writeln!(text, "{at},{price},{},{},{price},{volume}", price + 1.0, price - 1.0).unwrap();
    }
    text
}

impl Desk {
    fn new() -> Self {
        Self { files: tempfile::tempdir().unwrap(), cached: tempfile::tempdir().unwrap() }
    }

    /// A cache that trusts times of change at once, unless told otherwise.
    fn cache(&self) -> Cache {
        let cache = Cache::at(self.cached.path().to_owned(), Cache::LIMIT);
        Cache { tick: Duration::ZERO, ..cache }
    }

    fn write(&self, name: &str, text: &str) -> Entry {
        let path = self.files.path().join(name);
        fs::write(&path, text).unwrap();
        // Later than the clock's step after the change.
        std::thread::sleep(Duration::from_millis(15));
        let (symbol, timeframe) = crate::market::parse_file_name(&path).unwrap();
        Entry { symbol, timeframe, path, size: Bytes(text.len() as u64) }
    }

    fn entries(&self) -> Vec<PathBuf> {
        let listing = fs::read_dir(self.cached.path().join(ENTRIES)).unwrap();
        let mut paths: Vec<PathBuf> = listing.map(|item| item.unwrap().path()).collect();
        paths.sort();
        paths
    }
}

fn direct(file: &Entry) -> Loaded {
    load(&file.path, file.symbol.clone(), file.timeframe, &QualitySpec::default()).unwrap()
}

fn through(cache: &Cache, file: &Entry) -> Loaded {
    cache.load(file, &QualitySpec::default()).unwrap()
}

/// Replaces what is stored for a file by other bars, so that it shows whether they are taken.
fn forge(cache: &Cache, file: &Entry) -> Loaded {
    let other = direct(file);
    let other = Loaded { bars: other.bars.truncated(3), ..other };
    let content = hash_of(&file.path).unwrap();
    let key = key(file, &QualitySpec::default(), reader(&file.path), content);
    entry::write(&cache.folder().unwrap().join(ENTRIES), key, &other).unwrap();
    other
}

#[test]
fn what_was_read_before_is_taken_from_the_cache_bit_by_bit() {
    let desk = Desk::new();
    let mut text = csv(300, 100.0);
    text.push_str("1800000000000,1,2,3,4\n");
    let file = desk.write("A-1h.csv", &text);
    let cache = desk.cache();
    assert_eq!(cache.known(&file), None);
    let expected = direct(&file);
    assert_eq!(expected.report.found(Problem::Unreadable), 1);
    assert_eq!(through(&cache, &file), expected);
    assert_eq!(through(&cache, &file), expected);
    assert_eq!(desk.entries().len(), 2);

    let known = cache.known(&file).unwrap();
    assert_eq!((known.bars, known.quality), (300, expected.report.counts()));
    assert_eq!(known.last_open, *expected.bars.open_time().last().unwrap());
    assert_eq!(known.reading, expected.reading);

    let forged = forge(&cache, &file);
    assert_eq!(through(&cache, &file), forged, "the file is not parsed again");
    assert_eq!(through(&Cache::off(), &file), expected);
}

#[test]
fn the_same_content_under_another_time_is_not_parsed_again() {
    let desk = Desk::new();
    let file = desk.write("A-1h.csv", &csv(300, 100.0));
    let cache = desk.cache();
    through(&cache, &file);
    let forged = forge(&cache, &file);
    File::options().append(true).open(&file.path).unwrap().set_modified(SystemTime::now()).unwrap();
    assert_eq!(cache.known(&file), None);
    assert_eq!(through(&cache, &file), forged);
}

#[test]
fn a_changed_file_is_read_again_even_where_length_and_time_are_the_same() {
    let desk = Desk::new();
    let file = desk.write("A-1h.csv", &csv(300, 300.0));
    let cache = desk.cache();
    through(&cache, &file);
    let modified = fs::metadata(&file.path).unwrap().modified().unwrap();
    let again = desk.write("A-1h.csv", &csv(300, 200.0));
    assert_eq!(again.size, file.size);
    File::options().append(true).open(&file.path).unwrap().set_modified(modified).unwrap();
    assert_eq!(fs::metadata(&file.path).unwrap().modified().unwrap(), modified);
    // Only the system's own time of change, which nobody can set, tells the two apart.
    if cfg!(unix) {
        assert_eq!(cache.known(&file), None);
        assert_eq!(through(&cache, &file), direct(&file));
    }
}

#[test]
fn a_file_that_has_just_changed_is_not_trusted() {
    let desk = Desk::new();
    let file = desk.write("A-1h.csv", &csv(300, 100.0));
    let careful = Cache { tick: Duration::from_mins(1), ..desk.cache() };
    through(&careful, &file);
    assert_eq!(careful.known(&file), None);
    // Its content is hashed every time and found all the same.
    let forged = forge(&careful, &file);
    assert_eq!(through(&careful, &file), forged);
    desk.write("A-1h.csv", &csv(300, 200.0));
    assert_eq!(through(&careful, &file), direct(&file));
}

#[test]
fn whatever_decides_the_reading_is_part_of_the_key() {
    let desk = Desk::new();
    let text = csv(300, 100.0);
    let file = desk.write("A-1h.csv", &text);
    let cache = desk.cache();
    through(&cache, &file);
    let forged = forge(&cache, &file);
    let strict = QualitySpec { zero_volume: Policy::Drop, ..QualitySpec::default() };
    assert_ne!(cache.load(&file, &strict).unwrap(), forged, "other policies");
    let other_name = desk.write("B-1h.csv", &text);
    assert_ne!(through(&cache, &other_name), forged, "another name");
    let other_length = Entry { timeframe: "30m".parse().unwrap(), ..file.clone() };
    assert_ne!(through(&cache, &other_length), forged, "another timeframe");
    assert_eq!(cache.known(&file), None, "as somebody else's bars it is not known");
    through(&cache, &file);
    assert!(cache.known(&file).is_some());
    fs::write(desk.files.path().join(OVERRIDES_FILE), "()").unwrap();
    assert_eq!(cache.known(&file), None);
    assert_ne!(reader(&file.path), ContentHash::of(b""));
    assert_ne!(through(&cache, &file), forged, "a walkforge.ron");
}

#[test]
fn broken_entries_are_made_again() {
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 5] = [
        ("a flipped bit", |path| {
            let mut content = fs::read(path).unwrap();
            let middle = content.len() / 2;
            content[middle] ^= 1;
            fs::write(path, content).unwrap();
        }),
        ("a truncated file", |path| {
            let content = fs::read(path).unwrap();
            fs::write(path, &content[..content.len() / 2]).unwrap();
        }),
        ("an empty file", |path| fs::write(path, "").unwrap()),
        ("a file that is gone", |path| fs::remove_file(path).unwrap()),
        ("JSON of something else", |path| fs::write(path, "{\"a\": 1}").unwrap()),
    ];
    for (name, damage) in damages {
        for part in [ENTRIES, RECORDS] {
            let desk = Desk::new();
            let file = desk.write("A-1h.csv", &csv(300, 100.0));
            let cache = desk.cache();
            let expected = through(&cache, &file);
            for item in fs::read_dir(desk.cached.path().join(part)).unwrap() {
                let path = item.unwrap().path();
                let whole = fs::read(&path).unwrap();
                damage(&path);
                assert_eq!(through(&cache, &file), expected, "{name}");
                assert_eq!(fs::read(&path).unwrap(), whole, "{name} in {}", path.display());
            }
        }
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_none() {
    let desk = Desk::new();
    let file = desk.write("A-1h.csv", &csv(300, 100.0));
    let cache =
        Cache { tick: Duration::ZERO, ..Cache::at(file.path.join("under a file"), Cache::LIMIT) };
    assert_eq!(through(&cache, &file), direct(&file));
    assert_eq!(cache.known(&file), None);
}

#[test]
fn errors_are_those_of_the_file_and_are_not_stored() {
    let desk = Desk::new();
    let file = desk.write("A-1h.csv", "date,open\n1,2\n");
    let cache = desk.cache();
    for _ in 0..2 {
        let error = cache.load(&file, &QualitySpec::default()).unwrap_err().to_string();
        assert!(error.contains("no column for the high"), "{error}");
    }
    let gone = Entry { path: file.path.with_file_name("B-1h.csv"), ..file };
    let error = cache.load(&gone, &QualitySpec::default()).unwrap_err().to_string();
    assert!(error.contains("cannot be read"), "{error}");
    assert_eq!(cache.size().unwrap(), CacheSize::default());
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let desk = Desk::new();
    let cache = desk.cache();
    let files: Vec<Entry> = (0..10)
        .map(|i| desk.write(&format!("S{i}-1h.csv"), &csv(200, 100.0 + f64::from(i))))
        .collect();
    for file in &files {
        through(&cache, file);
    }
    let all = cache.size().unwrap();
    assert_eq!(all.entries, 10);
    let age = |path: &std::path::Path, hours: u64| {
        let then = SystemTime::now() - Duration::from_secs(3600 * hours);
        File::options().append(true).open(path).unwrap().set_modified(then).unwrap();
    };
    for part in [ENTRIES, RECORDS] {
        for item in fs::read_dir(desk.cached.path().join(part)).unwrap() {
            age(&item.unwrap().path(), 10);
        }
    }
    let abandoned = desk.cached.path().join(ENTRIES).join(format!("{}x", sweep::UNFINISHED));
    fs::write(&abandoned, "half").unwrap();
    age(&abandoned, 2);
    // The last three are used, which counts from now on.
    for file in &files[7..] {
        through(&cache, file);
    }
    sweep::make_room(desk.cached.path(), Bytes(all.bytes.0 / 2)).unwrap();
    assert!(!abandoned.exists());
    let left = cache.size().unwrap();
    assert!(left.bytes.0 <= all.bytes.0 / 2 && left.entries >= 3, "{left:?}");
    let stored: Vec<bool> = files
        .iter()
        .map(|file| {
            let content = hash_of(&file.path).unwrap();
            let key = key(file, &QualitySpec::default(), reader(&file.path), content);
            entry::read(&desk.cached.path().join(ENTRIES), key).is_some()
        })
        .collect();
    assert_eq!(stored[7..], [true; 3]);
    assert!(stored[..7].contains(&false));

    assert_eq!(cache.clear().unwrap().entries, left.entries);
    assert_eq!(cache.size().unwrap(), CacheSize::default());
    assert_eq!(through(&cache, &files[0]), direct(&files[0]));
}

#[test]
fn many_may_use_one_cache_at_once() {
    let desk = Desk::new();
    let files: Vec<Entry> = (0..12)
        .map(|i| desk.write(&format!("S{i}-1h.csv"), &csv(100 + i, 100.0 + i as f64)))
        .collect();
    let expected: Vec<Loaded> = files.iter().map(direct).collect();
    let work = |worker: usize| {
        let cache = desk.cache();
        for round in 0..10 {
            for i in 0..files.len() {
                let i = (i * 5 + worker) % files.len();
                assert_eq!(through(&cache, &files[i]), expected[i]);
            }
            if worker == 0 && round % 3 == 0 {
                cache.clear().unwrap();
            }
            if worker == 1 {
                sweep::make_room(desk.cached.path(), Bytes(40_000)).unwrap();
            }
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(6).build().unwrap();
    pool.install(|| {
        use rayon::prelude::*;
        (0..6_usize).into_par_iter().with_max_len(1).for_each(work);
    });
    let unfinished = |path: &PathBuf| path.to_string_lossy().contains(sweep::UNFINISHED);
    assert!(!desk.entries().iter().any(unfinished));
}

#[test]
fn thousands_of_files_are_listed_by_what_is_known_of_them() {
    let desk = Desk::new();
    let text = csv(24, 100.0);
    for i in 0..5000 {
        fs::write(desk.files.path().join(format!("S{i:04}-1h.csv")), &text).unwrap();
    }
    std::thread::sleep(Duration::from_millis(15));
    let cache = desk.cache();
    // All hold the same, so one reading serves for all; what counts is the listing.
    let catalog = Catalog::scan(desk.files.path()).unwrap();
    let loaded = direct(&catalog.entries()[0]);
    let content = hash_of(&catalog.entries()[0].path).unwrap();
    for file in catalog.entries() {
        let stamp = Stamp::of(&file.path).unwrap();
        cache.remember(desk.cached.path(), file, stamp, content, (reader(&file.path), &loaded));
    }
    let started = std::time::Instant::now();
    let catalog = Catalog::scan(desk.files.path()).unwrap().with_known(&cache);
    println!("5,000 files are listed in {:?}", started.elapsed());
    let known: Vec<&Known> = catalog.files().filter_map(|(_, known)| known).collect();
    assert_eq!(known.len(), 5000);
    assert!(known.iter().all(|known| known.bars == 24));
}

/// Some facts of a reading.
static READING: LazyLock<Reading> =
    LazyLock::new(|| direct(&Desk::new().write("A-1h.csv", &csv(10, 1.0))).reading);

proptest! {
    #[test]
    fn any_bars_come_back_bit_by_bit(rows in prop::collection::vec((1..10_000_i64, 1e-9..1e9_f64, 0.0..1.0_f64, 0.0..1e12_f64), 1..200)) {
        let mut columns = BarColumns::default();
        let mut at = -5_000_000_000;
        for (step, low, part, volume) in rows {
            at += step * 60_000;
            columns.open_time.push(UtcMillis(at));
            columns.low.push(low);
            columns.high.push(low * 1.5);
            columns.open.push(low * (1.0 + part / 2.0));
            columns.close.push(low * (1.5 - part / 2.0));
            columns.volume.push(if part < 0.1 { -0.0 } else { volume });
        }
        let (symbol, timeframe): (Symbol, Timeframe) = ("A".parse().unwrap(), "1m".parse().unwrap());
        let bars = Bars::new(symbol, timeframe, columns).unwrap();
        let cached = tempfile::tempdir().unwrap();
        let reading = READING.clone();
        let loaded = Loaded { bars, reading, report: crate::market::QualityReport::default() };
        entry::write(cached.path(), ContentHash::of(b"key"), &loaded).unwrap();
        let back = entry::read(cached.path(), ContentHash::of(b"key")).unwrap();
        prop_assert_eq!(back.bars.content_hash(), loaded.bars.content_hash());
        prop_assert_eq!(back, loaded);
    }
}
