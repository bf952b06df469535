use std::path::Path;

use serde::Serialize;

use super::drive::place;
use super::format::{SCORE_HEADER, print_summary, score_cells};
use super::{Exit, Printer};
use crate::domain::text::{UNKNOWN, minute, number};
use crate::domain::{Determinism, RunId, SweepMember, TaskId, TaskReport};
use crate::runs::{Manifest, Outcome, RunIndex, RunStatus, TaskResult};

/// What `runs show --json` prints. The equity is left out: thousands of points, which `equity.parquet` has in a better form.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a RunId,
    status: RunStatus,
    sweep: Option<&'a SweepMember>,
    tags: &'a [String],
    notes: &'a str,
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

/// `walkforge runs show`.
pub(super) fn show(root: &Path, wanted: &str, printer: &Printer) -> anyhow::Result<Exit> {
    let index = RunIndex::open(root)?;
    let folder = index.find(wanted)?;
    let results = folder.results()?;
    let (manifest, tasks) = (&results.manifest, &results.tasks);
    let entry = super::runs::entry(&index, &results.run)?;
    let (tags, notes) = entry.map(|entry| (entry.tags, entry.notes)).unwrap_or_default();
    if printer.is_json() {
        let outcome = folder.outcome()?;
        printer.json_line(&Shown {
            id: &results.run,
            status: results.status,
            sweep: manifest.sweep.as_ref(),
            tags: &tags,
            notes: &notes,
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
    if let Some(line) = how_to_go_on(results.status, manifest, root) {
        printer.line(&line);
    }
    if let Some(member) = &manifest.sweep {
        printer.line(&in_sweep(member));
    }
    if !tags.is_empty() {
        printer.line(&format!("Tags: {}", tags.join(", ")));
    }
    if !notes.is_empty() {
        printer.line(&format!("Notes: {notes}"));
    }
    for line in super::plan::describe(&manifest.plan) {
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

/// Why the run does not go on by itself, and what makes it.
fn how_to_go_on(status: RunStatus, manifest: &Manifest, root: &Path) -> Option<String> {
    let resume = format!("walkforge runs resume {}{}", manifest.run, place(root));
    Some(match (status, &manifest.owner) {
        (RunStatus::Running, Some(owner)) => format!("At work: in process {}", owner.pid),
        (RunStatus::Interrupted, Some(owner)) => format!(
            "Interrupted: its process {} is gone, killed or with the machine; go on with {resume}",
            owner.pid
        ),
        (RunStatus::Interrupted, None) => {
            format!("Interrupted: it was asked to stop, after checkpoints; go on with {resume}")
        }
        (RunStatus::Failed | RunStatus::Cancelled, _) => {
            format!("What has not finished is trained by {resume}")
        }
        (RunStatus::Finished | RunStatus::Running, _) => return None,
    })
}

fn in_sweep(member: &SweepMember) -> String {
    format!(
        "Sweep: {}, variant {} of {}: {}",
        member.sweep,
        member.variant + 1,
        member.variants,
        super::plan::in_words(&member.settings)
    )
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
