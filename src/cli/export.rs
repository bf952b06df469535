use super::args::ExportArguments;
use super::interrupt::Watch;
use super::{Exit, Printer};
use crate::export::ExportWhat;
use crate::runs::RunStore;
use crate::workbench::{Command, Update, Workbench};

/// `walkforge export`.
pub(super) fn export(arguments: &ExportArguments, printer: &Printer) -> anyhow::Result<Exit> {
    // Before the workbench makes the runs folder where there is none.
    let _exists = RunStore::find(&arguments.runs, &arguments.run)?;
    let workbench = Workbench::open(&arguments.runs, || {})?;
    let mut watch = Watch::new(&workbench, printer)?;
    workbench.send(Command::Export {
        run: arguments.run.clone(),
        what: ExportWhat::All,
        to: arguments.to.clone(),
    });
    loop {
        for update in watch.updates() {
            match update {
                Update::Exported { folders, .. } => {
                    for folder in &folders {
                        printer.line(&folder.display().to_string());
                    }
                    let count = folders.len();
                    printer.note(&format!(
                        "{count} models exported; in Python: torch.jit.load(\"…/model.pt\")"
                    ));
                    return Ok(Exit::Done);
                }
                Update::ExportFailed { cancelled: true, .. } => return Ok(Exit::Cancelled),
                Update::ExportFailed { message, .. } => anyhow::bail!(message),
                _ => {}
            }
        }
    }
}
