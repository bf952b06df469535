use super::args::ExportArguments;
use super::interrupt::{Manner, Watch};
use super::{Exit, Printer};
use crate::export::ExportWhat;
use crate::runs::RunStore;
use crate::workbench::{Command, Update, Workbench};

/// `walkforge export`.
pub(super) fn export(arguments: &ExportArguments, printer: &Printer) -> anyhow::Result<Exit> {
    // Before the workbench makes the runs folder where there is none.
    let root = &arguments.place.runs;
    let _exists = RunStore::find(root, &arguments.run)?;
    let workbench = Workbench::open(root, || {})?;
    let mut watch = Watch::new(&workbench, printer, Manner::Cancel)?;
    workbench.send(Command::Export {
        run: arguments.run.clone(),
        what: match &arguments.task {
            Some(task) => ExportWhat::Task(task.clone()),
            None if arguments.refit => ExportWhat::Refit,
            None => ExportWhat::All,
        },
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
                    let models = if count == 1 { "1 model" } else { &format!("{count} models") };
                    printer.note(&format!(
                        "{models} exported; the README.md of each says how to use it, score.py does"
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
