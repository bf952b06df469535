//! The terminal front end: the same commands a window sends, progress bars, tables, `--json`.
//!
//! Uses every room but `ui`. All output goes through [`printer::Printer`].

mod args;
mod data;
mod devices;
mod experiment;
mod export;
mod format;
mod interrupt;
mod printer;
mod progress;
mod runs;
mod train;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use args::{Arguments, Subcommand, TrainArguments};
use printer::Printer;

/// How the program ended, as the shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// Everything was done.
    Done,
    /// Some task failed.
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

/// Runs the program with these arguments, the first being its name, and returns its exit code: 0 done, 1 some task failed, 2 bad input,
/// 130 cancelled.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
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
    let exit = dispatch(arguments, &printer).unwrap_or_else(|error| {
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

fn dispatch(arguments: Arguments, printer: &Printer) -> anyhow::Result<Exit> {
    match arguments.command {
        None => {
            printer.note(
                "The window is not part of this version yet: training the default experiment in the terminal. \
                 `walkforge --help` lists what else there is.",
            );
            train::train(&TrainArguments::default(), printer)
        }
        Some(Subcommand::Train(arguments)) => train::train(&arguments, printer),
        Some(Subcommand::Plan(arguments)) => experiment::plan(&arguments, printer),
        Some(Subcommand::Data { command: args::DataCommand::Inspect { path, .. } }) => {
            data::inspect(&path, printer)
        }
        Some(Subcommand::Runs { command }) => runs::runs(&command, printer),
        Some(Subcommand::Export(arguments)) => export::export(&arguments, printer),
        Some(Subcommand::Devices { .. }) => devices::devices(printer),
    }
}
