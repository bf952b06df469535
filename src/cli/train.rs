use std::path::Path;

use super::args::{DEFAULT_RUNS, TrainArguments};
use super::format::print_summary;
use super::interrupt::Watch;
use super::progress::RunProgress;
use super::{Exit, Printer, experiment};
use crate::domain::{Event, EventKind, RunId, RunOutcome};
use crate::workbench::{Command, Update, Workbench};

/// `walkforge train`.
pub(super) fn train(arguments: &TrainArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let spec = experiment::spec(arguments)?;
    let workbench = Workbench::open(&arguments.runs, || {})?;
    let mut watch = Watch::new(&workbench, printer)?;
    workbench.send(Command::Start(Box::new(spec)));
    let mut progress = RunProgress::new(printer);
    loop {
        for update in watch.updates() {
            match update {
                Update::Event(event) => show(*event, arguments, printer, &mut progress),
                Update::StartFailed { cancelled: true, .. } => return Ok(Exit::Cancelled),
                Update::StartFailed { message, .. } => anyhow::bail!(message),
                Update::RunBroken { run, message } => {
                    printer.error(&format!("{run}: {message}"));
                    return Ok(Exit::TaskFailed);
                }
                Update::RunDone { run, outcome } => {
                    let path = arguments.runs.join(run.as_str());
                    printer.note(&format!("Run {run} in {}", path.display()));
                    if progress.has_finished_tasks() {
                        printer.note(&next_step(&run, &arguments.runs));
                    }
                    return Ok(match outcome {
                        RunOutcome::Finished => Exit::Done,
                        RunOutcome::Failed => Exit::TaskFailed,
                        RunOutcome::Cancelled => Exit::Cancelled,
                    });
                }
                // Answers to what was not asked.
                _ => {}
            }
        }
    }
}

fn show(
    event: Event,
    arguments: &TrainArguments,
    printer: &Printer,
    progress: &mut RunProgress<'_>,
) {
    if printer.is_json() {
        printer.json_line(&event);
        return;
    }
    let summary = match &event.kind {
        EventKind::RunEnded { summary, .. } => Some(summary.clone()),
        EventKind::Planned { plan } if arguments.quiet => {
            // Quiet or not: what is left out must be known.
            plan.warnings.iter().for_each(|warning| printer.warning(warning));
            None
        }
        _ => None,
    };
    let is_trouble = matches!(event.kind, EventKind::Failed { .. } | EventKind::Warning { .. });
    if !arguments.quiet || is_trouble {
        progress.show(event);
    }
    if let Some(summary) = summary {
        print_summary(printer, &summary);
    }
}

fn next_step(run: &RunId, runs: &Path) -> String {
    let place = if runs == Path::new(DEFAULT_RUNS) {
        String::new()
    } else {
        format!(" --runs {}", runs.display())
    };
    format!("Next: walkforge export {run} --to DIR{place}")
}
