use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::catalog::{NAME_UNCLEAR, list_folder};
use super::quality::{Checked, check};
use super::read::{Table, read_table, stem};
use super::{
    Bars, Cache, Entry, Format, Identity, Loaded, MarketError, Overrides, QualityReport, Reading,
    SessionPattern,
};
use crate::domain::{Bytes, Symbol, Timeframe, UtcMillis};
use crate::spec::QualitySpec;

/// What a market file holds, or why it cannot be used. As JSON one object with the fields of both, or with `error` instead of a quality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The file.
    pub path: PathBuf,
    /// Its size on disk.
    pub size: Bytes,
    /// How it is written; `None` where the ending does not say.
    pub format: Option<Format>,
    /// What was found, or the message of the error.
    #[serde(flatten, serialize_with = "quality_or_error")]
    pub outcome: Result<Quality, String>,
}

/// What there is to know about the bars of a file before training on them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality {
    /// What is traded.
    pub symbol: Symbol,
    /// How long a bar is.
    pub timeframe: Timeframe,
    /// The number of bars, at least 1.
    pub bars: usize,
    /// When the first bar opens.
    pub first_open: UtcMillis,
    /// When the last bar opens.
    pub last_open: UtcMillis,
    /// Places where a bar is missing against the symbol's own session pattern: windows end there.
    pub breaks: usize,
    /// Bars in which nothing was traded.
    pub zero_volume_bars: usize,
    /// The largest move from close to close, `None` for a single bar. A split or a wrong price shows here.
    pub largest_move: Option<LargestMove>,
    /// What was assumed where the file does not say, and what to look at.
    pub notes: Vec<String>,
    /// How the file is written.
    pub reading: Reading,
    /// What is wrong with its rows, and what a run drops of them by default.
    pub report: QualityReport,
}

/// A move from one close to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LargestMove {
    /// The log return, negative for a fall.
    pub log_return: f64,
    /// When the bar that ends the move opens.
    pub open_time: UtcMillis,
}

/// Reads a market file, or every file of a folder, and reports on each. A broken file in a folder is reported beside the others. What the cache
/// has need not be read again.
///
/// # Errors
/// [`MarketError`] for a path that is missing or cannot be read, a folder with nothing to inspect, and a file that is itself no market
/// file.
pub fn inspect(path: &Path, cache: &Cache) -> Result<Vec<Inspection>, MarketError> {
    let metadata = std::fs::metadata(path)
        .map_err(|source| MarketError::Unreadable { path: path.to_owned(), source })?;
    if !metadata.is_dir() {
        let outcome = Ok(inspect_file(path, cache)?);
        let size = Bytes(metadata.len());
        return Ok(vec![Inspection {
            path: path.to_owned(),
            size,
            format: Format::of(path),
            outcome,
        }]);
    }
    let (folders, files): (Vec<_>, Vec<_>) =
        list_folder(path)?.into_iter().partition(|listed| listed.is_folder);
    if files.is_empty() {
        let names = folders.iter().map(|folder| folder.path.file_name().unwrap_or_default());
        let found = names.map(|name| format!("the folder {}", name.display())).collect();
        return Err(MarketError::NoMarketFiles { path: path.to_owned(), found });
    }
    let inspections = files.into_iter().map(|file| Inspection {
        outcome: inspect_file(&file.path, cache).map_err(|error| error.to_string()),
        format: Format::of(&file.path),
        size: file.size,
        path: file.path,
    });
    Ok(inspections.collect())
}

fn inspect_file(path: &Path, cache: &Cache) -> Result<Quality, MarketError> {
    let policies = QualitySpec::default();
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let chosen = Overrides::of_folder(folder)?.of_file(path);
    if let Some((symbol, timeframe)) = Identity::of_path(path, &chosen).both() {
        let file = Entry { symbol, timeframe, path: path.to_owned(), size: Bytes::default() };
        return quality(path, &cache.load(&file, &policies)?, Vec::new());
    }
    let table = read_table(path)?;
    let reading = table.reading.clone();
    let mut notes = Vec::new();
    let (symbol, timeframe) = match reading.symbol.as_ref().zip(reading.timeframe.as_ref()) {
        Some((symbol, timeframe)) => (symbol.value.clone(), timeframe.value),
        None => guess_identity(path, &table, &mut notes)?,
    };
    let Checked { bars, report } = check(table, path, symbol, timeframe, &policies)?;
    quality(path, &Loaded { bars, reading, report }, notes)
}

/// Reads a listed file as a run with these policies would, and reports on it. Gives the bars as well. What the cache has need not be read again.
///
/// # Errors
/// As [`super::load`].
pub fn examine(
    file: &Entry,
    policies: &QualitySpec,
    cache: &Cache,
) -> Result<(Quality, Bars), MarketError> {
    let loaded = cache.load(file, policies)?;
    Ok((quality(&file.path, &loaded, Vec::new())?, loaded.bars))
}

/// The stem as the symbol and the most common distance between bars as the timeframe.
fn guess_identity(
    path: &Path,
    table: &Table,
    notes: &mut Vec<String>,
) -> Result<(Symbol, Timeframe), MarketError> {
    let unclear = || MarketError::UnclearName { path: path.to_owned(), reason: NAME_UNCLEAR };
    let by_name = || stem(path)?.parse().ok();
    let symbol = table.reading.symbol.as_ref().map(|symbol| symbol.value.clone());
    let symbol: Symbol = symbol.or_else(by_name).ok_or_else(unclear)?;
    let timeframe = table.reading.timeframe.as_ref().map(|timeframe| timeframe.value);
    let timeframe = timeframe.or_else(|| table.common_timeframe()).ok_or_else(unclear)?;
    notes.push(format!(
        "{NAME_UNCLEAR}; inspected as {symbol} at {timeframe}, the most common distance between bars, but a run passes the file over"
    ));
    Ok((symbol, timeframe))
}

fn quality(
    path: &Path,
    Loaded { bars, reading, report }: &Loaded,
    mut notes: Vec<String>,
) -> Result<Quality, MarketError> {
    notes.extend(reading.notes());
    let (Some(&first_open), Some(&last_open)) = (bars.open_time().first(), bars.open_time().last())
    else {
        return Err(MarketError::NoBars { path: path.to_owned(), header_only: true });
    };
    let breaks = SessionPattern::of(bars).breaks(bars);
    Ok(Quality {
        symbol: bars.symbol().clone(),
        timeframe: bars.timeframe(),
        bars: bars.len(),
        first_open,
        last_open,
        breaks: breaks.into_iter().filter(|is_break| *is_break).count(),
        zero_volume_bars: bars.volume().iter().filter(|volume| **volume == 0.0).count(),
        largest_move: largest_move(bars),
        notes,
        reading: reading.clone(),
        report: report.clone(),
    })
}

fn largest_move(bars: &Bars) -> Option<LargestMove> {
    let moves = bars.close().windows(2).zip(&bars.open_time()[1..]);
    let moves = moves.map(|(closes, &open_time)| LargestMove {
        log_return: (closes[1] / closes[0]).ln(),
        open_time,
    });
    moves.max_by(|a, b| a.log_return.abs().total_cmp(&b.log_return.abs()))
}

fn quality_or_error<S: Serializer>(
    outcome: &Result<Quality, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Broken<'a> {
        error: &'a str,
    }
    match outcome {
        Ok(quality) => quality.serialize(serializer),
        Err(error) => Broken { error }.serialize(serializer),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const GOOD: &str = "date,open,high,low,close,volume\n\
        2024-01-01 00:00,10,12,9,11,5\n\
        2024-01-01 01:00,11,12,9,10,0\n\
        2024-01-01 02:00,10,21,9,20,5\n\
        2024-01-01 05:00,20,21,19,20,5\n";

    #[test]
    fn a_broken_file_does_not_hide_the_others() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("A-1h.csv"), "date,open\n").unwrap();
        fs::write(folder.path().join("B-1h.csv"), GOOD).unwrap();
        fs::write(folder.path().join("notes.txt"), "hello").unwrap();
        let found = inspect(folder.path(), &Cache::off()).unwrap();
        assert_eq!(found.len(), 3);
        assert!(
            found[0].outcome.as_ref().unwrap_err().contains("A-1h.csv:1: no column for the high")
        );
        assert!(
            found[2]
                .outcome
                .as_ref()
                .unwrap_err()
                .contains("notes.txt:1: no column for the open time")
        );
        let quality = found[1].outcome.as_ref().unwrap();
        assert_eq!((quality.bars, quality.breaks, quality.zero_volume_bars), (4, 1, 1));
        assert_eq!(quality.last_open.to_string(), "2024-01-01T05:00:00Z");
        let largest = quality.largest_move.unwrap();
        approx::assert_relative_eq!(largest.log_return, 2_f64.ln());
        assert_eq!(largest.open_time.to_string(), "2024-01-01T02:00:00Z");
        assert_eq!(quality.notes, ["the dates name no zone: read as UTC"]);

        let json = serde_json::to_value(&found).unwrap();
        assert_eq!((&json[1]["bars"], &json[1]["format"]), (&4.into(), &"csv".into()));
        assert!(json[0]["error"].is_string() && json[0].get("bars").is_none());
    }

    #[test]
    fn a_file_whose_name_tells_nothing_is_inspected_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gold.csv");
        fs::write(&path, GOOD).unwrap();
        let quality = inspect(&path, &Cache::off()).unwrap().remove(0).outcome.unwrap();
        assert_eq!(
            (quality.symbol.as_str(), quality.timeframe.to_string().as_str()),
            ("gold", "1h")
        );
        assert!(
            quality.notes[0].contains("rename it as in BTC_USDT-1h.csv"),
            "{:?}",
            quality.notes
        );
    }

    #[test]
    fn nothing_to_inspect_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| inspect(path, &Cache::off()).unwrap_err().to_string();
        assert!(error(folder.path()).contains("(it is empty)"));
        fs::create_dir(folder.path().join("fx")).unwrap();
        assert!(error(folder.path()).contains("only the folder fx"));
        assert!(error(&folder.path().join("none")).contains("cannot be read"));
    }
}
