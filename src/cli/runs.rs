use serde::Serialize;

use super::args::RunsCommand;
use super::format::{SCORE_HEADER, print_summary, score_cells};
use super::{Exit, Printer};
use crate::domain::text::{UNKNOWN, minute, number};
use crate::domain::{Determinism, RunId, TaskId, TaskReport};
use crate::runs::{Manifest, Outcome, RunFolder, RunStatus, RunStore, TaskResult};

/// `walkforge runs …`.
pub(super) fn runs(command: &RunsCommand, printer: &Printer) -> anyhow::Result<Exit> {
    match command {
        RunsCommand::List(arguments) => list(&arguments.runs, printer),
        RunsCommand::Show { run, arguments } => {
            show(&RunStore::find(&arguments.runs, run)?, printer)
        }
    }
}

fn list(root: &std::path::Path, printer: &Printer) -> anyhow::Result<Exit> {
    let (entries, broken) = RunStore::list(root)?;
    for error in &broken {
        printer.warning(&error.to_string());
    }
    if printer.is_json() {
        for entry in &entries {
            printer.json_line(entry);
        }
        return Ok(Exit::Done);
    }
    if entries.is_empty() {
        printer.line(&format!(
            "There are no runs in {}; `walkforge train` makes one.",
            root.display()
        ));
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                entry.id.to_string(),
                entry.experiment.clone(),
                minute(entry.created),
                entry.status.word().to_owned(),
                format!("{}/{}", entry.finished, entry.tasks),
            ]
        })
        .collect();
    printer.table(&["run", "experiment", "started (UTC)", "status", "tasks"], 4, &rows);
    Ok(Exit::Done)
}

/// What `runs show --json` prints. The equity is left out: thousands of points, which `equity.parquet` has in a better form.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a RunId,
    status: RunStatus,
    manifest: &'a Manifest,
    outcome: Option<&'a Outcome>,
    tasks: Vec<ShownTask<'a>>,
}

#[derive(Serialize)]
struct ShownTask<'a> {
    id: &'a TaskId,
    /// `None` where the task did not finish.
    report: Option<&'a TaskReport>,
    /// Why it failed, where it did.
    failure: Option<&'a str>,
}

impl<'a> From<&'a TaskResult> for ShownTask<'a> {
    fn from(result: &'a TaskResult) -> Self {
        let TaskResult { task, report, failure } = result;
        Self { id: &task.id, report: report.as_ref(), failure: failure.as_deref() }
    }
}

fn show(folder: &RunFolder, printer: &Printer) -> anyhow::Result<Exit> {
    let results = folder.results()?;
    let (manifest, tasks) = (&results.manifest, &results.tasks);
    if printer.is_json() {
        let outcome = folder.outcome()?;
        printer.json_line(&Shown {
            id: &results.run,
            status: results.status,
            manifest,
            outcome: outcome.as_ref(),
            tasks: tasks.iter().map(ShownTask::from).collect(),
        });
        return Ok(Exit::Done);
    }
    let finished = tasks.iter().filter(|task| task.report.is_some()).count();
    printer.line(&format!(
        "Run {}: {}, {finished} of {} tasks finished, started {} UTC",
        results.run,
        results.status.word(),
        tasks.len(),
        minute(manifest.created)
    ));
    for line in super::experiment::describe(&manifest.plan) {
        printer.line(&line);
    }
    printer.line("");
    print_tasks(tasks, printer);
    if let Some(summary) = &results.summary {
        printer.line("");
        print_summary(printer, summary);
    }
    Ok(Exit::Done)
}

fn print_tasks(tasks: &[TaskResult], printer: &Printer) {
    let lead = ["task", "best epoch", "validation loss", "repeats", "peak memory"];
    let header: Vec<&str> = lead.into_iter().chain(SCORE_HEADER).collect();
    let rows: Vec<Vec<String>> = tasks
        .iter()
        .filter_map(|task| Some((task, task.report.as_ref()?)))
        .map(|(task, report)| {
            let lead = [
                task.task.id.to_string(),
                format!("{}/{}", report.best_epoch, report.epochs),
                number(report.validation_loss, 5),
                repeats(&report.determinism).to_owned(),
                report.peak_memory.map_or_else(|| UNKNOWN.to_owned(), |peak| peak.to_string()),
            ];
            lead.into_iter().chain(score_cells(&report.model)).collect()
        })
        .collect();
    if !rows.is_empty() {
        printer.table(&header, 1, &rows);
    }
    let reports = tasks.iter().filter_map(|task| task.report.as_ref());
    if let Some(line) = determinism(reports.map(|report| &report.determinism)) {
        printer.line(&line);
    }
    for task in tasks {
        if let Some(failure) = &task.failure {
            printer.line(&format!("{} failed: {failure}", task.task.id));
        }
    }
}

const fn repeats(determinism: &Determinism) -> &'static str {
    match determinism {
        Determinism::Unknown => UNKNOWN,
        Determinism::BitForBit => "yes",
        Determinism::No { .. } => "no",
    }
}

/// Whether the finished tasks can be had again bit for bit; nothing where nobody knows.
fn determinism<'a>(each: impl Iterator<Item = &'a Determinism>) -> Option<String> {
    match Determinism::of_all(each) {
        Determinism::Unknown => None,
        Determinism::BitForBit => Some(
            "Deterministic: trained again on this machine, with this libtorch, the weights are the same bit for bit."
                .to_owned(),
        ),
        Determinism::No { because } => Some(format!("Not repeatable bit for bit: {because}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_whether_it_can_be_had_again_and_nothing_where_nobody_knows() {
        let no = Determinism::No { because: "max_minutes ended it".to_owned() };
        let line = |each: &[Determinism]| determinism(each.iter());
        assert_eq!(line(&[Determinism::BitForBit, Determinism::Unknown]), None);
        assert!(line(&[Determinism::BitForBit]).unwrap().starts_with("Deterministic: "));
        let found = line(&[Determinism::BitForBit, no]).unwrap();
        assert_eq!(found, "Not repeatable bit for bit: max_minutes ended it");
    }
}
