use std::path::Path;

use super::read::read_table_as;
use super::{MarketError, OVERRIDES_FILE, Overrides, Reading};
use crate::domain::UtcMillis;

/// So many rows are shown.
const ROWS: usize = 6;

/// How a file would be read with another `walkforge.ron`.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What would be found out and assumed.
    pub reading: Reading,
    /// Rows that can be read.
    pub rows: u64,
    /// Rows that cannot.
    pub unreadable: u64,
    /// The first rows, oldest first where the file is in order. Nothing has judged them.
    pub first: Vec<TrialRow>,
}

/// A row as it was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialRow {
    /// When the bar opens.
    pub open_time: UtcMillis,
    /// Open, high, low and close in the file's true unit, and the volume.
    pub values: [f64; 5],
}

/// Reads a market file as a `walkforge.ron` with this text would have it read. Writes nothing.
///
/// # Errors
/// [`MarketError::Overrides`] for a text that makes no sense, and as [`super::read_bars`].
pub fn try_import(path: &Path, text: &str) -> Result<Trial, MarketError> {
    let overrides = Overrides::parse(text, &path.with_file_name(OVERRIDES_FILE))?;
    let table = read_table_as(path, &overrides.of_file(path))?;
    let columns = &table.columns;
    let numbers = [&columns.open, &columns.high, &columns.low, &columns.close, &columns.volume];
    let row = |row: usize| TrialRow {
        open_time: columns.open_time[row],
        values: numbers.map(|column| column[row]),
    };
    Ok(Trial {
        rows: columns.open_time.len() as u64,
        unreadable: table.unreadable.count,
        first: (0..columns.open_time.len().min(ROWS)).map(row).collect(),
        reading: table.reading,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_reads_as_the_text_says_and_leaves_the_folder_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("A-1h.csv");
        let rows = "date,open,high,low,close,volume\n02/01/2024 13:00,10,12,9,11,5\nx,1,1,1,1,1\n";
        std::fs::write(&path, rows).unwrap();
        let tried = |text: &str| try_import(&path, text);
        let months = tried("(all: (date_order: month_day_year))").unwrap();
        assert_eq!(months.first[0].open_time.to_string(), "2024-02-01T13:00:00Z");
        assert_eq!((months.rows, months.unreadable), (1, 1));
        assert_eq!(months.first[0].values, [10.0, 12.0, 9.0, 11.0, 5.0]);
        let days = tried("(all: (date_order: day_month_year, price_divisor: 10))").unwrap();
        assert_eq!(days.first[0].open_time.to_string(), "2024-01-02T13:00:00Z");
        assert_eq!(days.first[0].values[0], 1.0);
        let error = tried("(all: (zone: \"Mars\"))").unwrap_err().to_string();
        assert!(error.contains("no time zone"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
