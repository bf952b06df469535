use std::path::Path;

use super::{Exit, Printer};
use crate::domain::text::{minute, percent};
use crate::market::{Inspection, Quality, inspect as inspect_files};

/// `walkforge data inspect`.
pub(super) fn inspect(path: &Path, printer: &Printer) -> anyhow::Result<Exit> {
    let inspections = inspect_files(path)?;
    let broken = inspections.iter().filter(|inspection| inspection.outcome.is_err()).count();
    let exit = if broken == 0 { Exit::Done } else { Exit::BadInput };
    if printer.is_json() {
        for inspection in &inspections {
            printer.json_line(inspection);
        }
        return Ok(exit);
    }
    let header = [
        "file",
        "symbol",
        "timeframe",
        "first open (UTC)",
        "last open (UTC)",
        "bars",
        "breaks",
        "no volume",
        "largest move",
    ];
    let rows: Vec<Vec<String>> = inspections
        .iter()
        .filter_map(|inspection| Some(row(inspection, inspection.outcome.as_ref().ok()?)))
        .collect();
    if !rows.is_empty() {
        printer.table(&header, 5, &rows);
    }
    for (text, files) in notes(&inspections) {
        printer.line(&format!("note ({}): {text}", files_in_words(&files)));
    }
    for inspection in &inspections {
        if let Err(message) = &inspection.outcome {
            printer.line(&format!("unusable: {message}"));
        }
    }
    Ok(exit)
}

fn row(inspection: &Inspection, quality: &Quality) -> Vec<String> {
    vec![
        file_name(inspection),
        quality.symbol.to_string(),
        quality.timeframe.to_string(),
        minute(quality.first_open),
        minute(quality.last_open),
        quality.bars.to_string(),
        quality.breaks.to_string(),
        quality.zero_volume_bars.to_string(),
        percent(quality.largest_move.map(|largest| largest.log_return.exp_m1())),
    ]
}

fn file_name(inspection: &Inspection) -> String {
    inspection.path.file_name().map_or_else(
        || inspection.path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Each note once, with the files it is about.
fn notes(inspections: &[Inspection]) -> Vec<(&str, Vec<String>)> {
    let mut notes: Vec<(&str, Vec<String>)> = Vec::new();
    for inspection in inspections {
        for note in inspection.outcome.iter().flat_map(|quality| &quality.notes) {
            match notes.iter_mut().find(|(text, _)| text == note) {
                Some((_, files)) => files.push(file_name(inspection)),
                None => notes.push((note, vec![file_name(inspection)])),
            }
        }
    }
    notes
}

fn files_in_words(files: &[String]) -> String {
    match files {
        [only] => only.clone(),
        [first, ..] => format!("{first} and {} more", files.len() - 1),
        [] => String::new(),
    }
}
