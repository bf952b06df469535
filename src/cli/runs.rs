use serde::Serialize;

use super::args::RunsCommand;
use super::format::{SCORE_HEADER, minute, print_summary, score_cells};
use super::{Exit, Printer};
use crate::domain::{RunId, TaskId, TaskReport};
use crate::runs::{Manifest, Outcome, RunFolder, RunStatus, RunStore};

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
                status(entry.status).to_owned(),
                format!("{}/{}", entry.finished, entry.tasks),
            ]
        })
        .collect();
    printer.table(&["run", "experiment", "started (UTC)", "status", "tasks"], 4, &rows);
    Ok(Exit::Done)
}

const fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "running",
        RunStatus::Interrupted => "interrupted",
        RunStatus::Finished => "finished",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    }
}

/// What `runs show --json` prints.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a RunId,
    status: RunStatus,
    manifest: &'a Manifest,
    outcome: Option<&'a Outcome>,
    tasks: &'a [ShownTask],
}

#[derive(Serialize)]
struct ShownTask {
    id: TaskId,
    /// `None` where the task did not finish.
    report: Option<TaskReport>,
    /// Why it failed, where it did.
    failure: Option<String>,
}

fn show(folder: &RunFolder, printer: &Printer) -> anyhow::Result<Exit> {
    let manifest = folder.manifest()?;
    let (status_now, outcome) = (folder.status(&manifest)?, folder.outcome()?);
    let failures = folder.failures()?;
    let mut tasks = Vec::with_capacity(manifest.plan.tasks.len());
    for task in &manifest.plan.tasks {
        let failure =
            failures.iter().find(|(failed, _)| *failed == task.id).map(|(_, why)| why.clone());
        let report = folder.metadata(&task.id)?.map(|metadata| metadata.report);
        tasks.push(ShownTask { id: task.id.clone(), report, failure });
    }
    if printer.is_json() {
        let outcome = outcome.as_ref();
        printer.json_line(&Shown {
            id: &manifest.run,
            status: status_now,
            manifest: &manifest,
            outcome,
            tasks: &tasks,
        });
        return Ok(Exit::Done);
    }
    let finished = tasks.iter().filter(|task| task.report.is_some()).count();
    printer.line(&format!(
        "Run {}: {}, {finished} of {} tasks finished, started {} UTC",
        manifest.run,
        status(status_now),
        tasks.len(),
        minute(manifest.created)
    ));
    for line in super::experiment::describe(&manifest.plan) {
        printer.line(&line);
    }
    printer.line("");
    print_tasks(&tasks, printer);
    if let Some(outcome) = &outcome {
        printer.line("");
        print_summary(printer, &outcome.summary);
    }
    Ok(Exit::Done)
}

fn print_tasks(tasks: &[ShownTask], printer: &Printer) {
    let header: Vec<&str> =
        ["task", "best epoch", "validation loss"].into_iter().chain(SCORE_HEADER).collect();
    let rows: Vec<Vec<String>> = tasks
        .iter()
        .filter_map(|task| Some((task, task.report.as_ref()?)))
        .map(|(task, report)| {
            let lead = [
                task.id.to_string(),
                format!("{}/{}", report.best_epoch, report.epochs),
                format!("{:.5}", report.validation_loss),
            ];
            lead.into_iter().chain(score_cells(&report.model)).collect()
        })
        .collect();
    if !rows.is_empty() {
        printer.table(&header, 1, &rows);
    }
    for task in tasks {
        if let Some(failure) = &task.failure {
            printer.line(&format!("{} failed: {failure}", task.id));
        }
    }
}
