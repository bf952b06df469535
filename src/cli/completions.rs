use clap::CommandFactory;

use super::args::{Arguments, CompletionsArguments};
use super::{Exit, Printer};

/// `walkforge completions`.
pub(super) fn completions(arguments: &CompletionsArguments, printer: &Printer) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "walkforge", &mut script);
    printer.line(String::from_utf8_lossy(&script).trim_end());
    Exit::Done
}
