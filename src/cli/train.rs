use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;

use super::args::{DEFAULT_RUNS, TrainArguments};
use super::format::print_summary;
use super::progress::RunProgress;
use super::{Exit, Printer, experiment};
use crate::domain::{Event, EventKind, RunId, RunOutcome};
use crate::workbench::{Command, Update, Workbench};

/// Longest time until Ctrl-C is seen.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// `walkforge train`.
pub(super) fn train(arguments: &TrainArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let spec = experiment::spec(arguments)?;
    let workbench = Workbench::open(&arguments.runs, || {})?;
    let interrupted = watch_for_interrupt()?;
    workbench.send(Command::Start(Box::new(spec)));
    let mut progress = RunProgress::new(printer);
    let mut asked_to_stop = false;
    loop {
        if interrupted.load(Ordering::Relaxed) && !asked_to_stop {
            asked_to_stop = true;
            printer.note("Stopping; finished tasks are kept. Ctrl-C again quits at once.");
            workbench.send(Command::CancelAll);
        }
        for update in workbench.wait(POLL_INTERVAL) {
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
                Update::Exported { .. } | Update::ExportFailed { .. } | Update::Busy => {}
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
        _ => None,
    };
    if !arguments.quiet
        || matches!(event.kind, EventKind::Failed { .. } | EventKind::Warning { .. })
    {
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

/// A flag that Ctrl-C (and a polite kill) raises; the second one ends the process on the spot.
fn watch_for_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            quit_at_once();
        }
    })
    .context("Ctrl-C cannot be caught; start the program from a terminal of its own")?;
    Ok(interrupted)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user asked twice; files are replaced atomically, so nothing is left half written"
)]
fn quit_at_once() {
    std::process::exit(130);
}
