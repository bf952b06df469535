use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::nearest::nearest;
use super::read::ENDINGS;
use super::{
    Bars, Cache, Format, Identity, Known, MarketError, OVERRIDES_FILE, Overrides, read_bars,
};
use crate::domain::{Bytes, Symbol, Timeframe};

/// The market files of a folder, known by their names; none has been opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    folder: PathBuf,
    entries: Vec<Entry>,
    skipped: Vec<Skipped>,
    /// Of each entry; empty until somebody asks.
    known: Vec<Option<Known>>,
}

/// One market file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What is traded.
    pub symbol: Symbol,
    /// How long a bar is.
    pub timeframe: Timeframe,
    /// The file.
    pub path: PathBuf,
    /// Its size on disk.
    pub size: Bytes,
}

impl Entry {
    /// Reads the file; nothing about it may be wrong.
    ///
    /// # Errors
    /// As [`read_bars`].
    pub fn read(&self) -> Result<Bars, MarketError> {
        read_bars(&self.path, self.symbol.clone(), self.timeframe)
    }
}

/// A series that was selected, and the file it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The file.
    pub entry: Entry,
    /// How long the bars are to be: the file's own timeframe, or a multiple of it.
    pub timeframe: Timeframe,
}

impl Choice {
    /// The timeframe of the file, where the bars are made from finer ones.
    #[must_use]
    pub fn made_from(&self) -> Option<Timeframe> {
        (self.entry.timeframe != self.timeframe).then_some(self.entry.timeframe)
    }
}

/// Something in the folder that is no market file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Where.
    pub path: PathBuf,
    /// Why, and what to do.
    pub reason: String,
}

impl Catalog {
    /// Lists a folder, without its subfolders. Hidden files, licences and readme files are passed over in silence.
    ///
    /// # Errors
    /// [`MarketError`] for a path that is no folder or cannot be read, a folder without market files, and two files with the same symbol
    /// and timeframe.
    pub fn scan(folder: &Path) -> Result<Self, MarketError> {
        let mut entries = Vec::new();
        let mut skipped = Vec::new();
        let listed = list_folder(folder)?;
        let overrides = Overrides::of_folder(folder)?;
        let names = listed.iter().filter_map(|file| file.path.file_name()?.to_str());
        for pattern in overrides.unused(&names.collect::<Vec<_>>()) {
            let reason = format!("`{pattern}` fits no file of this folder");
            skipped.push(Skipped { path: folder.join(OVERRIDES_FILE), reason });
        }
        for file in listed {
            match file.to_entry(&overrides) {
                Ok(entry) => entries.push(entry),
                Err(reason) => skipped.push(Skipped { path: file.path, reason }),
            }
        }
        if entries.is_empty() {
            let found = skipped.iter().map(|skipped| {
                let name = skipped.path.file_name().unwrap_or_default();
                format!("{} ({})", name.display(), skipped.reason)
            });
            return Err(MarketError::NoMarketFiles {
                path: folder.to_owned(),
                found: found.collect(),
            });
        }
        entries.sort_by(|a, b| {
            (&a.symbol, a.timeframe, &a.path).cmp(&(&b.symbol, b.timeframe, &b.path))
        });
        for pair in entries.windows(2) {
            if (&pair[0].symbol, pair[0].timeframe) == (&pair[1].symbol, pair[1].timeframe) {
                return Err(MarketError::SameSeriesTwice {
                    symbol: pair[0].symbol.clone(),
                    timeframe: pair[0].timeframe,
                    first: pair[0].path.clone(),
                    second: pair[1].path.clone(),
                });
            }
        }
        Ok(Self { folder: folder.to_owned(), entries, skipped, known: Vec::new() })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every market file, by symbol, then by timeframe from short to long.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Looks up what earlier readings of the files gave, where they have not changed since. Opens none of them.
    #[must_use]
    pub fn with_known(mut self, cache: &Cache) -> Self {
        self.known = self.entries.iter().map(|file| cache.known(file)).collect();
        self
    }

    /// Every market file with what is known of it since [`Self::with_known`].
    pub fn files(&self) -> impl Iterator<Item = (&Entry, Option<&Known>)> {
        let known = self.known.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        self.entries.iter().zip(known)
    }

    /// What was passed over and why, by name.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The series of these symbols at these timeframes, in the catalog's order. An empty list stands for all there are; where both are
    /// given, every symbol must have every timeframe.
    ///
    /// What there is no file of is made from the symbol's coarsest file that divides the timeframe. Where no symbol is named, that is
    /// only done for a timeframe that no symbol has as a file.
    ///
    /// # Errors
    /// [`MarketError::NotInCatalog`] with the nearest names there are.
    pub fn select(
        &self,
        symbols: &[Symbol],
        timeframes: &[Timeframe],
    ) -> Result<Vec<Choice>, MarketError> {
        self.check_symbols(symbols)?;
        let as_file = |entry: &Entry| Choice { entry: entry.clone(), timeframe: entry.timeframe };
        if timeframes.is_empty() {
            let is_in = |entry: &&Entry| symbols.is_empty() || symbols.contains(&entry.symbol);
            return Ok(self.entries.iter().filter(is_in).map(as_file).collect());
        }
        let mut chosen = Vec::new();
        for timeframe in timeframes {
            if symbols.is_empty() {
                chosen.extend(self.everyone_at(*timeframe)?);
            }
            for symbol in symbols {
                chosen.push(self.choice(symbol, *timeframe).ok_or_else(|| {
                    let of_symbol = self.entries.iter().filter(|entry| entry.symbol == *symbol);
                    let known: BTreeSet<Timeframe> = of_symbol.map(|e| e.timeframe).collect();
                    let hint = format!(
                        "{symbol} has {}; choose among them or their multiples, or leave it out",
                        list(&known)
                    );
                    self.not_here(format!("{symbol} at {timeframe}"), hint)
                })?);
            }
        }
        chosen.sort_by(|a, b| (&a.entry.symbol, a.timeframe).cmp(&(&b.entry.symbol, b.timeframe)));
        Ok(chosen)
    }

    /// Every symbol that has this timeframe as a file, or that it can be made for where none has.
    fn everyone_at(&self, timeframe: Timeframe) -> Result<Vec<Choice>, MarketError> {
        let symbols: BTreeSet<&Symbol> = self.entries.iter().map(|entry| &entry.symbol).collect();
        let mut chosen: Vec<Choice> =
            symbols.into_iter().filter_map(|symbol| self.choice(symbol, timeframe)).collect();
        if chosen.iter().any(|choice| choice.made_from().is_none()) {
            chosen.retain(|choice| choice.made_from().is_none());
        }
        if chosen.is_empty() {
            let known: BTreeSet<Timeframe> = self.entries.iter().map(|e| e.timeframe).collect();
            let hint = format!("it has {}; choose among them or their multiples", list(&known));
            return Err(self.not_here(format!("timeframe {timeframe}"), hint));
        }
        Ok(chosen)
    }

    /// The coarsest file of a symbol that has this timeframe or divides it.
    fn choice(&self, symbol: &Symbol, timeframe: Timeframe) -> Option<Choice> {
        let divides = |entry: &&Entry| {
            entry.symbol == *symbol && timeframe.minutes().is_multiple_of(entry.timeframe.minutes())
        };
        let entry = self.entries.iter().filter(divides).max_by_key(|entry| entry.timeframe)?;
        Some(Choice { entry: entry.clone(), timeframe })
    }

    fn check_symbols(&self, symbols: &[Symbol]) -> Result<(), MarketError> {
        let known: BTreeSet<&Symbol> = self.entries.iter().map(|entry| &entry.symbol).collect();
        let Some(missing) = symbols.iter().find(|symbol| !known.contains(symbol)) else {
            return Ok(());
        };
        let near = nearest(missing.as_str(), known.iter().map(|symbol| symbol.as_str()));
        let hint = if near.is_empty() {
            format!("it has {}; choose among them", list(&known))
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        Err(self.not_here(format!("symbol {missing}"), hint))
    }

    fn not_here(&self, wanted: String, hint: String) -> MarketError {
        MarketError::NotInCatalog { folder: self.folder.clone(), wanted, hint }
    }
}

/// A file or folder inside a folder.
pub(super) struct Listed {
    pub path: PathBuf,
    pub is_folder: bool,
    pub size: Bytes,
}

impl Listed {
    fn to_entry(&self, overrides: &Overrides) -> Result<Entry, String> {
        if self.is_folder {
            return Err("a folder of its own: choose it to use its files".to_owned());
        }
        if Format::of(&self.path).is_none() {
            return Err(format!("no {ENDINGS} file"));
        }
        let identity = Identity::of_path(&self.path, &overrides.of_file(&self.path));
        let (symbol, timeframe) = identity.both().ok_or_else(|| NAME_UNCLEAR.to_owned())?;
        Ok(Entry { symbol, timeframe, path: self.path.clone(), size: self.size })
    }
}

pub(super) const NAME_UNCLEAR: &str = "the name does not tell symbol and timeframe: rename it as in BTC_USDT-1h.csv, or name both in walkforge.ron";

/// What lies in a folder, by name, without hidden files, licences and readme files.
pub(super) fn list_folder(folder: &Path) -> Result<Vec<Listed>, MarketError> {
    let unreadable = |source| MarketError::Unreadable { path: folder.to_owned(), source };
    let listing = fs::read_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => MarketError::NoSuchFolder { path: folder.to_owned() },
        io::ErrorKind::NotADirectory => MarketError::NotAFolder { path: folder.to_owned() },
        _ => unreadable(error),
    })?;
    let mut listed = Vec::new();
    for item in listing {
        let path = item.map_err(unreadable)?.path();
        if is_beside_the_point(&path) {
            continue;
        }
        // A link that leads nowhere counts as a file and is reported when it is read.
        let metadata = fs::metadata(&path).ok();
        let is_folder = metadata.as_ref().is_some_and(fs::Metadata::is_dir);
        let size = Bytes(metadata.map_or(0, |metadata| metadata.len()));
        listed.push(Listed { path, is_folder, size });
    }
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listed)
}

fn is_beside_the_point(path: &Path) -> bool {
    const NAMES: [&str; 7] =
        ["license", "licence", "copying", "notice", "readme", "desktop", "thumbs"];
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let is_text = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("txt"))
        || Format::of(path).is_none();
    stem.is_empty() || name == OVERRIDES_FILE || (NAMES.contains(&stem) && is_text)
}

fn list(names: &BTreeSet<impl Display>) -> String {
    const MOST: usize = 10;
    let shown = names.iter().take(MOST).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            match name.strip_suffix('/') {
                Some(inner) => fs::create_dir(folder.path().join(inner)).unwrap(),
                None => fs::write(folder.path().join(name), "12345").unwrap(),
            }
        }
        folder
    }

    fn symbols(names: &[&str]) -> Vec<Symbol> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn timeframes(names: &[&str]) -> Vec<Timeframe> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    const NOT_READ: &str = "no .csv, .tsv, .txt, .json, .feather, .arrow or .parquet, the text formats also as .gz or .zip file";

    #[test]
    fn market_files_are_listed_and_the_rest_is_explained() {
        let folder = folder(&[
            "ETH_USDT-1d.feather",
            "ETH_USDT-1h.FEATHER",
            "BTC_USDT-1h.feather",
            "XAUUSDh1.csv",
            "notes.txt",
            "notes.md",
            "EURUSD.csv",
            "old/",
            "LICENSE",
            "README.md",
            ".DS_Store",
        ]);
        let catalog = Catalog::scan(folder.path()).unwrap();
        let shown: Vec<_> = catalog
            .entries()
            .iter()
            .map(|e| format!("{} {} {}", e.symbol, e.timeframe, e.size))
            .collect();
        assert_eq!(
            shown,
            ["BTC_USDT 1h 5 B", "ETH_USDT 1h 5 B", "ETH_USDT 1d 5 B", "XAUUSD 1h 5 B"]
        );
        let skipped: Vec<_> = catalog
            .skipped()
            .iter()
            .map(|skipped| {
                (skipped.path.file_name().unwrap().to_str().unwrap(), skipped.reason.as_str())
            })
            .collect();
        assert_eq!(
            skipped,
            [
                ("EURUSD.csv", NAME_UNCLEAR),
                ("notes.md", NOT_READ),
                ("notes.txt", NAME_UNCLEAR),
                ("old", "a folder of its own: choose it to use its files"),
            ]
        );
    }

    #[test]
    fn folders_without_market_files_say_what_to_do() {
        for (names, expected) in [
            (
                &[][..],
                "holds no market file (it is empty); expected names such as BTC_USDT-1h.feather",
            ),
            (&["LICENSE"], "(it is empty)"),
            (
                &["fx/", "a.txt"],
                "only a.txt (the name does not tell symbol and timeframe: rename it as in BTC_USDT-1h.csv, or name both in walkforge.ron), fx (a folder of its own",
            ),
        ] {
            let folder = folder(names);
            let error = Catalog::scan(folder.path()).unwrap_err().to_string();
            assert!(error.starts_with(&folder.path().display().to_string()), "{error}");
            assert!(error.contains(expected) && error.contains("choose another folder"), "{error}");
        }
        let folder = folder(&["BTC-1h.csv"]);
        let error = |path: &Path| Catalog::scan(path).unwrap_err().to_string();
        assert!(
            error(&folder.path().join("none")).contains("there is no such folder; name the folder")
        );
        assert!(
            error(&folder.path().join("BTC-1h.csv"))
                .contains("is a file; expected the folder that holds it")
        );
    }

    #[test]
    fn the_same_bars_twice_are_refused() {
        let folder = folder(&["EURUSDh1.csv", "EURUSD_H1.csv", "EURUSDh4.csv"]);
        let error = Catalog::scan(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("EURUSD_H1.csv and ")
                && error.contains("EURUSDh1.csv both hold EURUSD 1h; keep one"),
            "{error}"
        );
    }

    #[test]
    fn a_selection_is_the_product_of_symbols_and_timeframes() {
        let folder = folder(&["A-1h.csv", "A-4h.csv", "B-1h.csv", "C-1d.csv"]);
        let catalog = Catalog::scan(folder.path()).unwrap();
        for (wanted, at, expected) in [
            (&[][..], &[][..], "A-1h.csv A-4h.csv B-1h.csv C-1d.csv"),
            (&["B", "A"], &["1h"], "A-1h.csv B-1h.csv"),
            (&[], &["1h", "1d"], "A-1h.csv B-1h.csv C-1d.csv"),
            (&["A"], &[], "A-1h.csv A-4h.csv"),
            (&["A", "B"], &["4h"], "A-4h.csv B-1h.csv→4h"),
            (&["A"], &["1d", "2h"], "A-1h.csv→2h A-4h.csv→1d"),
            (&[], &["12h"], "A-4h.csv→12h B-1h.csv→12h"),
            (&["C"], &["1w"], "C-1d.csv→1w"),
        ] {
            let selected = catalog.select(&symbols(wanted), &timeframes(at)).unwrap();
            let names: Vec<String> = selected
                .iter()
                .map(|choice| {
                    let name = choice.entry.path.file_name().unwrap().to_str().unwrap();
                    let made = choice.made_from().map(|_| format!("→{}", choice.timeframe));
                    name.to_owned() + &made.unwrap_or_default()
                })
                .collect();
            assert_eq!(names.join(" "), expected);
        }
        for (wanted, at, expected) in [
            (
                &["A", "C"][..],
                &["4h"][..],
                "there is no C at 4h; C has 1d; choose among them or their multiples, or leave it out",
            ),
            (&["A"], &["90m"], "there is no A at 90m; A has 1h, 4h"),
            (&[], &["5m"], "there is no timeframe 5m; it has 1h, 4h, 1d; choose among them"),
            (&["ZZZZ"], &[], "there is no symbol ZZZZ; it has A, B, C; choose among them"),
        ] {
            let error = catalog.select(&symbols(wanted), &timeframes(at)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_wrong_symbol_brings_the_nearest_names() {
        let folder = folder(&["BTC_USDT-1h.csv", "ETH_USDT-1h.csv"]);
        let catalog = Catalog::scan(folder.path()).unwrap();
        for (wanted, expected) in [
            ("BTCUSDT", "there is no symbol BTCUSDT; did you mean BTC_USDT?"),
            ("GOLD", "there is no symbol GOLD; it has BTC_USDT, ETH_USDT; choose among them"),
        ] {
            let error = catalog.select(&symbols(&[wanted]), &[]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
