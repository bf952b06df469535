use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::nearest::nearest;
use super::read::ENDINGS;
use super::{Bars, Format, Identity, MarketError, OVERRIDES_FILE, Overrides, read_bars};
use crate::domain::{Bytes, Symbol, Timeframe};

/// The market files of a folder, known by their names; none has been opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    folder: PathBuf,
    entries: Vec<Entry>,
    skipped: Vec<Skipped>,
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
    /// Reads the file.
    ///
    /// # Errors
    /// As [`read_bars`].
    pub fn read(&self) -> Result<Bars, MarketError> {
        read_bars(&self.path, self.symbol.clone(), self.timeframe)
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
        Ok(Self { folder: folder.to_owned(), entries, skipped })
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

    /// What was passed over and why, by name.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The files of these symbols at these timeframes, in the catalog's order. An empty list stands for all there are; where both are
    /// given, every symbol must have every timeframe.
    ///
    /// # Errors
    /// [`MarketError::NotInCatalog`] with the nearest names there are.
    pub fn select(
        &self,
        symbols: &[Symbol],
        timeframes: &[Timeframe],
    ) -> Result<Vec<&Entry>, MarketError> {
        self.check_symbols(symbols)?;
        self.check_timeframes(symbols, timeframes)?;
        let is_in = |entry: &&Entry| {
            (symbols.is_empty() || symbols.contains(&entry.symbol))
                && (timeframes.is_empty() || timeframes.contains(&entry.timeframe))
        };
        Ok(self.entries.iter().filter(is_in).collect())
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

    fn check_timeframes(
        &self,
        symbols: &[Symbol],
        timeframes: &[Timeframe],
    ) -> Result<(), MarketError> {
        let of_symbol = |symbol: &Symbol| -> BTreeSet<Timeframe> {
            self.entries.iter().filter(|e| e.symbol == *symbol).map(|e| e.timeframe).collect()
        };
        for wanted in timeframes {
            if symbols.is_empty() && !self.entries.iter().any(|entry| entry.timeframe == *wanted) {
                let known: BTreeSet<Timeframe> = self.entries.iter().map(|e| e.timeframe).collect();
                let hint = format!("it has {}; choose among them", list(&known));
                return Err(self.not_here(format!("timeframe {wanted}"), hint));
            }
            for symbol in symbols {
                let known = of_symbol(symbol);
                if !known.contains(wanted) {
                    let hint =
                        format!("{symbol} has {}; choose among them or leave it out", list(&known));
                    return Err(self.not_here(format!("{symbol} at {wanted}"), hint));
                }
            }
        }
        Ok(())
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
        ] {
            let selected = catalog.select(&symbols(wanted), &timeframes(at)).unwrap();
            let names: Vec<_> =
                selected.iter().map(|e| e.path.file_name().unwrap().to_str().unwrap()).collect();
            assert_eq!(names.join(" "), expected);
        }
        for (wanted, at, expected) in [
            (
                &["A", "B"][..],
                &["4h"][..],
                "there is no B at 4h; B has 1h; choose among them or leave it out",
            ),
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
