//! The terminal front end: the same commands a window sends, progress bars, tables, `--json`.
//!
//! Uses every room but `ui`. All output goes through [`printer::Printer`].

mod args;
mod comparison;
mod completions;
mod confirm;
mod data;
mod devices;
mod doctor;
mod drive;
mod experiment;
mod export;
mod features;
mod format;
mod interrupt;
mod leaks;
mod models;
mod plan;
mod predict;
mod printer;
mod progress;
mod runs;
mod show;
mod tensorboard;
mod train;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Arguments, DEFAULT_RUNS, DataCommand, Subcommand, TrainArguments};
use printer::Printer;

use crate::spec::ExperimentSpec;

/// How the program ended, as the shell sees it. The worse is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// Everything was done.
    Done,
    /// Some task failed, or some check found a problem.
    TaskFailed,
    /// The input cannot be used.
    BadInput,
    /// Stopped by Ctrl-C.
    Cancelled,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::TaskFailed => 1,
            Exit::BadInput => 2,
            Exit::Cancelled => 130,
        })
    }
}

/// Opens the window on an experiment and a folder for runs. The outer error says in words why there is no window; the inner one why one
/// that had begun to open could not stay.
pub trait OpenWindow:
    FnOnce(Option<ExperimentSpec>, PathBuf) -> Result<Result<(), String>, String>
{
}

impl<F> OpenWindow for F where
    F: FnOnce(Option<ExperimentSpec>, PathBuf) -> Result<Result<(), String>, String>
{
}

/// Runs the program with these arguments, the first being its name, and returns its exit code: 0 done, 1 some task failed, 2 bad input,
/// 130 cancelled.
///
/// `open_window` opens the window on an experiment (`None`: the window chooses) and a folder for runs, and returns when it has been
/// closed; see [`OpenWindow`]. The front ends do not know each other, so the caller brings them together.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    open_window: impl OpenWindow,
) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help goes to stdout, errors to stderr; a closed pipe is no reason to fail.
            let _closed = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { Exit::Done } else { Exit::BadInput }.into();
        }
    };
    let printer = Printer::new(arguments.json(), arguments.quiet());
    let exit = dispatch(arguments, &printer, open_window).unwrap_or_else(|error| {
        printer.error(&error.to_string());
        Exit::BadInput
    });
    match printer.failure() {
        Some(failure) if exit == Exit::Done => {
            printer.error(&failure);
            Exit::BadInput.into()
        }
        _ => exit.into(),
    }
}

fn dispatch(
    arguments: Arguments,
    printer: &Printer,
    open_window: impl OpenWindow,
) -> anyhow::Result<Exit> {
    match arguments.command {
        None => match open_window(None, DEFAULT_RUNS.into()) {
            Ok(closed) => closed.map(|()| Exit::Done).map_err(anyhow::Error::msg),
            Err(reason) => {
                printer.note(&format!(
                    "No window: {reason}. Training the default experiment in the terminal instead; \
                     `walkforge --help` lists what else there is."
                ));
                train::train(&TrainArguments::default(), printer)
            }
        },
        Some(Subcommand::Window(arguments)) => {
            let spec = experiment::of_window(&arguments)?;
            let closed = open_window(Some(spec), arguments.runs).map_err(|reason| {
                anyhow::anyhow!(
                    "the window cannot be opened: {reason}; start it where there is a screen, or train in the \
                     terminal with `walkforge train`, which takes the same arguments"
                )
            })?;
            closed.map(|()| Exit::Done).map_err(anyhow::Error::msg)
        }
        Some(Subcommand::Train(arguments)) => train::train(&arguments, printer),
        Some(Subcommand::Plan(arguments)) => plan::plan(&arguments, printer),
        Some(Subcommand::Data { command }) => match command {
            DataCommand::Inspect { path, .. } => data::inspect(&path, printer),
            DataCommand::Cache { command, .. } => data::cache(command, printer),
            DataCommand::CheckLeaks(arguments) => leaks::check(&arguments, printer),
        },
        Some(Subcommand::Features(arguments)) => features::features(&arguments, printer),
        Some(Subcommand::Runs { command }) => runs::runs(&command, printer),
        Some(Subcommand::Models { command }) => models::models(&command, printer),
        Some(Subcommand::Predict(arguments)) => predict::predict(&arguments, printer),
        Some(Subcommand::Export(arguments)) => export::export(&arguments, printer),
        Some(Subcommand::Devices { .. }) => devices::devices(printer),
        Some(Subcommand::Doctor(arguments)) => Ok(doctor::doctor(&arguments, printer)),
        Some(Subcommand::Completions(arguments)) => {
            Ok(completions::completions(&arguments, printer))
        }
    }
}
