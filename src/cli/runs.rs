use std::path::Path;

use super::args::{
    AnnotateRunArguments, CompareArguments, DeleteArguments, ListRunsArguments, ResumeArguments,
    RunsCommand,
};
use super::drive::{Drive, place};
use super::{Exit, Printer, comparison, confirm, export, show};
use crate::domain::text::{minute, number};
use crate::domain::{RunId, SweepId};
use crate::runs::{
    RunEntry, RunFilter, RunFolder, RunIndex, RunQuery, RunStatus, RunStore, annotate_run, compare,
    delete_run,
};
use crate::workbench::Command;

/// `walkforge runs …`.
pub(super) fn runs(command: &RunsCommand, printer: &Printer) -> anyhow::Result<Exit> {
    match command {
        RunsCommand::List(arguments) => list(arguments, printer),
        RunsCommand::Show(arguments) => show::show(&arguments.place.runs, &arguments.run, printer),
        RunsCommand::Compare(arguments) => compare_runs(arguments, printer),
        RunsCommand::Resume(arguments) => resume(arguments, printer),
        RunsCommand::Delete(arguments) => delete(arguments, printer),
        RunsCommand::Annotate(arguments) => annotate(arguments),
        RunsCommand::Export(arguments) => export::export(arguments, printer),
    }
}

fn list(arguments: &ListRunsArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let root = &arguments.place.runs;
    let filter = RunFilter {
        query: arguments.filter.clone(),
        status: arguments.status,
        sweep: arguments.sweep.clone(),
        limit: arguments.limit,
    };
    let index = RunIndex::open(root)?;
    let entries = index.runs(&filter)?;
    for error in &index.broken()? {
        printer.warning(&error.to_string());
    }
    index.warnings().iter().for_each(|warning| printer.warning(warning));
    if printer.is_json() {
        for entry in &entries {
            printer.json_line(entry);
        }
        return Ok(Exit::Done);
    }
    if entries.is_empty() {
        printer.line(&if filter == RunFilter::default() {
            format!("There are no runs in {}; `walkforge train` makes one.", root.display())
        } else {
            format!("No run in {} fits; `walkforge runs list` shows all of them.", root.display())
        });
        return Ok(Exit::Done);
    }
    print(&entries, printer);
    let interrupted = entries.iter().filter(|entry| entry.status == RunStatus::Interrupted);
    if interrupted.count() > 0 {
        printer.note(&format!(
            "Go on with an interrupted one: walkforge runs resume RUN{}",
            place(root)
        ));
    }
    Ok(Exit::Done)
}

fn print(entries: &[RunEntry], printer: &Printer) {
    // Columns that would be empty are left out.
    let has_sweep = entries.iter().any(|entry| entry.sweep.is_some());
    let has_tags = entries.iter().any(|entry| !entry.tags.is_empty());
    let mut header = vec!["run", "experiment", "started (UTC)", "status"];
    header.extend(has_sweep.then_some("variant"));
    header.extend(has_tags.then_some("tags"));
    let numbers_from = header.len();
    header.extend(["tasks", "rank IC", "Sharpe", "net return"]);
    let row = |entry: &RunEntry| -> Vec<String> {
        let mut row = vec![
            entry.id.to_string(),
            entry.experiment.clone(),
            minute(entry.created),
            entry.status.word().to_owned(),
        ];
        if has_sweep {
            row.push(entry.sweep.as_ref().map_or_else(String::new, |member| {
                format!("{}/{}", member.variant + 1, member.variants)
            }));
        }
        if has_tags {
            row.push(entry.tags.join(", "));
        }
        let score = entry.score;
        row.extend([
            format!("{}/{}", entry.finished, entry.tasks),
            number(score.and_then(|score| score.rank_ic_ts), 4),
            number(score.and_then(|score| score.sharpe), 2),
            crate::domain::text::percent(score.and_then(|score| score.total_return)),
        ]);
        row
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    printer.table(&header, numbers_from, &rows);
}

/// The name of a run that is there.
fn id(folder: &RunFolder) -> anyhow::Result<RunId> {
    Ok(folder.manifest()?.run)
}

fn compare_runs(arguments: &CompareArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let root = &arguments.place.runs;
    let index = RunIndex::open(root)?;
    let runs = if let Some(sweep) = &arguments.sweep {
        of_sweep(&index, sweep, root)?
    } else {
        let find = |run: &String| id(&index.find(run)?);
        arguments.compared.iter().map(find).collect::<anyhow::Result<_>>()?
    };
    let compared = compare(root, &runs)?;
    if printer.is_json() {
        printer.json_line(&compared);
    } else if arguments.csv {
        comparison::print_csv(&compared, printer);
    } else {
        comparison::print(&compared, printer);
    }
    Ok(Exit::Done)
}

/// The runs of a sweep, in the order of its variants.
fn of_sweep(index: &RunIndex, sweep: &SweepId, root: &Path) -> anyhow::Result<Vec<RunId>> {
    let filter = RunFilter { sweep: Some(sweep.clone()), ..RunFilter::default() };
    let mut entries = index.runs(&filter)?;
    anyhow::ensure!(
        !entries.is_empty(),
        "there is no run of sweep `{sweep}` in {}; `walkforge runs show RUN` names a run's sweep",
        root.display()
    );
    entries.sort_by_key(|entry| {
        (entry.sweep.as_ref().map(|member| member.variant), entry.created, entry.id.clone())
    });
    Ok(entries.into_iter().map(|entry| entry.id).collect())
}

fn resume(arguments: &ResumeArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let root = &arguments.place.runs;
    // Before the workbench makes the runs folder where there is none.
    let run = id(&RunStore::find(root, &arguments.run)?)?;
    let drive = Drive {
        runs: root,
        quiet: arguments.quiet,
        tensorboard: arguments.tensorboard.clone(),
        expected: 1,
        printer,
    };
    Ok(drive.drive(Command::Resume(run))?.exit)
}

fn delete(arguments: &DeleteArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let root = &arguments.place.runs;
    let index = RunIndex::open(root)?;
    // All of them are found before the first is gone.
    let mut runs: Vec<RunId> = Vec::new();
    for wanted in &arguments.deleted {
        let run = id(&index.find(wanted)?)?;
        if !runs.contains(&run) {
            runs.push(run);
        }
    }
    let names: Vec<&str> = runs.iter().map(RunId::as_str).collect();
    let question = format!("Delete {} with all files?", names.join(", "));
    if !confirm::confirm(&question, arguments.yes, printer)? {
        printer.note("Nothing was deleted.");
        return Ok(Exit::Cancelled);
    }
    let mut exit = Exit::Done;
    for run in &runs {
        match delete_run(root, run) {
            Ok(()) => printer.line(&format!("{run} deleted")),
            Err(error) => {
                printer.error(&error.to_string());
                exit = Exit::BadInput;
            }
        }
    }
    Ok(exit)
}

fn annotate(arguments: &AnnotateRunArguments) -> anyhow::Result<Exit> {
    let root = &arguments.place.runs;
    let index = RunIndex::open(root)?;
    let run = id(&index.find(&arguments.run)?)?;
    let entry = entry(&index, &run)?;
    let known = entry.map(|entry| (entry.tags, entry.notes)).unwrap_or_default();
    let (tags, notes) = arguments.said.over(&known.0, &known.1);
    annotate_run(root, &run, &tags, &notes)?;
    Ok(Exit::Done)
}

/// What the index says of a run.
pub(super) fn entry(index: &RunIndex, run: &RunId) -> anyhow::Result<Option<RunEntry>> {
    let filter = RunFilter { query: RunQuery::of_words(run.as_str()), ..RunFilter::default() };
    Ok(index.runs(&filter)?.into_iter().find(|entry| entry.id == *run))
}
