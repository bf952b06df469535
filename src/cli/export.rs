use super::args::ExportArguments;
use super::{Exit, Printer};
use crate::domain::Cancel;
use crate::export::export_run;
use crate::runs::RunStore;

/// `walkforge export`.
pub(super) fn export(arguments: &ExportArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let run = RunStore::find(&arguments.runs, &arguments.run)?;
    let folders = export_run(&run, &arguments.to, &Cancel::new())?;
    for folder in &folders {
        printer.line(&folder.display().to_string());
    }
    printer.note(&format!(
        "{} models exported; in Python: torch.jit.load(\"…/model.pt\")",
        folders.len()
    ));
    Ok(Exit::Done)
}
