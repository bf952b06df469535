use std::path::Path;

use super::args::CacheCommand;
use super::{Exit, Printer};
use crate::domain::text::{count, minute, percent};
use crate::domain::{Problem, ProblemCount};
use crate::market::{Cache, Inspection, Quality, inspect as inspect_files};

/// `walkforge data inspect`.
pub(super) fn inspect(path: &Path, printer: &Printer) -> anyhow::Result<Exit> {
    let inspections = inspect_files(path, &Cache::platform())?;
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
        "dropped",
        "missing",
        "closed days",
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
    let is_alone = inspections.len() == 1;
    for inspection in &inspections {
        match &inspection.outcome {
            Ok(quality) if is_alone => every_finding(quality, printer),
            Ok(quality) => findings_in_a_line(inspection, quality, printer),
            Err(message) => printer.line(&format!("unusable: {message}")),
        }
    }
    Ok(exit)
}

/// `walkforge data cache`.
pub(super) fn cache(command: Option<CacheCommand>, printer: &Printer) -> anyhow::Result<Exit> {
    let cache = Cache::platform();
    let Some(folder) = cache.folder() else {
        anyhow::bail!(
            "there is no cache: WALKFORGE_CACHE is off, or no folder for caches is known; set WALKFORGE_CACHE to a folder"
        );
    };
    let (size, done) = match command {
        None => (cache.size(), "holds"),
        Some(CacheCommand::Clear) => (cache.clear(), "cleared of"),
    };
    let size = size.map_err(|source| {
        anyhow::anyhow!("{}: {source}; check the permissions of the folder", folder.display())
    })?;
    if printer.is_json() {
        printer.json_line(&serde_json::json!({
            "folder": folder, "entries": size.entries, "bytes": size.bytes, "limit": Cache::LIMIT,
        }));
        return Ok(Exit::Done);
    }
    let files = if size.entries == 1 { "file" } else { "files" };
    printer.line(&format!(
        "{}: {done} the bars of {} {files}, {}; at most {}",
        folder.display(),
        count(size.entries),
        size.bytes,
        Cache::LIMIT
    ));
    Ok(Exit::Done)
}

fn row(inspection: &Inspection, quality: &Quality) -> Vec<String> {
    let found = |problem| quality.report.found(problem).to_string();
    vec![
        file_name(inspection),
        quality.symbol.to_string(),
        quality.timeframe.to_string(),
        minute(quality.first_open),
        minute(quality.last_open),
        quality.bars.to_string(),
        quality.report.dropped().to_string(),
        found(Problem::Missing),
        found(Problem::Closed),
        found(Problem::ZeroVolume),
        percent(quality.largest_move.map(|largest| largest.log_return.exp_m1())),
    ]
}

/// Each problem of one file with its examples.
fn every_finding(quality: &Quality, printer: &Printer) {
    for finding in &quality.report.findings {
        printer.line(&format!("found: {}", finding.count));
        for example in &finding.examples {
            printer.line(&format!("  {example}"));
        }
        if let Some(more) = finding.more() {
            printer.line(&format!("  and {} more", count(more)));
        }
    }
}

/// What the table's columns do not say, with the first example of each.
fn findings_in_a_line(inspection: &Inspection, quality: &Quality, printer: &Printer) {
    let findings = quality.report.findings.iter().filter(|finding| !has_a_column(finding.count));
    let told: Vec<String> = findings
        .map(|finding| match finding.examples.first() {
            Some(example) => format!("{}, first {example}", finding.count),
            None => finding.count.to_string(),
        })
        .collect();
    if !told.is_empty() {
        printer.line(&format!("found ({}): {}", file_name(inspection), told.join("; ")));
    }
}

const fn has_a_column(count: ProblemCount) -> bool {
    matches!(count.problem, Problem::Missing | Problem::Closed | Problem::ZeroVolume)
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
