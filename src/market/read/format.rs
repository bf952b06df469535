use std::path::Path;

use serde::{Deserialize, Serialize};

/// How the data of a file is written, whether it is packed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text with a line for each bar, its fields separated by comma, semicolon, tab or `|`.
    Csv,
    /// An array of rows, each an array or an object.
    Json,
    /// Feather v2: an Arrow IPC file, plain or compressed.
    Feather,
    /// Parquet, with any of its compressions.
    Parquet,
}

/// The endings that are read, for messages.
pub const ENDINGS: &str =
    ".csv, .tsv, .txt, .json, .feather, .arrow or .parquet, the text formats also as .gz or .zip";

impl Format {
    /// The format a file's ending stands for, in any case. A packed file whose name does not tell counts as text.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let (stem, ending) = split_ending(path.file_name()?.to_str()?)?;
        if !is_packed(&ending) {
            return Self::of_ending(&ending);
        }
        match split_ending(stem).and_then(|(_, inner)| Self::of_ending(&inner)) {
            Some(format @ (Self::Csv | Self::Json)) => Some(format),
            Some(Self::Feather | Self::Parquet) => None,
            None => Some(Self::Csv),
        }
    }

    fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "csv" | "tsv" | "tab" | "txt" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "feather" | "arrow" => Some(Self::Feather),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// The file's name without the endings that stand for its format and packing: `BTC_USDT-1h` of `BTC_USDT-1h.csv.gz`.
pub fn stem(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let Some((stem, ending)) = split_ending(name) else { return Some(name) };
    if !is_packed(&ending) {
        return Some(stem);
    }
    match split_ending(stem) {
        Some((inner, ending)) if Format::of_ending(&ending).is_some() => Some(inner),
        _ => Some(stem),
    }
}

/// Whether a member of an archive may hold bars: a text or JSON file that is neither hidden nor a readme.
pub fn is_data_file(member: &Path) -> bool {
    let name = member.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let is_aside = name.starts_with('.')
        || ["readme", "license", "licence"].iter().any(|aside| name.starts_with(aside))
        || member.components().any(|part| part.as_os_str() == "__MACOSX");
    let is_packed = split_ending(&name).is_some_and(|(_, ending)| is_packed(&ending));
    !is_aside && !is_packed && matches!(Format::of(member), Some(Format::Csv | Format::Json))
}

fn is_packed(ending: &str) -> bool {
    matches!(ending, "gz" | "gzip" | "zip")
}

fn split_ending(name: &str) -> Option<(&str, String)> {
    let (stem, ending) = name.rsplit_once('.')?;
    (!stem.is_empty()).then(|| (stem, ending.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_format_and_stem() {
        for (name, format, expected) in [
            ("A-1h.csv", Some(Format::Csv), "A-1h"),
            ("A-1h.TSV", Some(Format::Csv), "A-1h"),
            ("A-1h.csv.gz", Some(Format::Csv), "A-1h"),
            ("A-1h.json.GZ", Some(Format::Json), "A-1h"),
            ("A-1h.gz", Some(Format::Csv), "A-1h"),
            ("BRK.B-1d.zip", Some(Format::Csv), "BRK.B-1d"),
            ("A-1h.csv.zip", Some(Format::Csv), "A-1h"),
            ("A-1h.pq", Some(Format::Parquet), "A-1h"),
            ("A-1h.parquet.gz", None, "A-1h"),
            ("A-1h.xlsx", None, "A-1h"),
            ("A-1h", None, "A-1h"),
            (".csv", None, ".csv"),
        ] {
            assert_eq!(Format::of(Path::new(name)), format, "{name}");
            assert_eq!(stem(Path::new(name)), Some(expected), "{name}");
        }
    }
}
