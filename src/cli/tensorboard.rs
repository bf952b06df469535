use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Printer;
use crate::domain::{Event, EventKind, RunId};
use crate::export::{EventFiles, ExportError};

/// Writes TensorBoard's files while runs go on. Where it cannot, training goes on without.
pub(super) struct TensorBoard {
    folder: PathBuf,
    open: BTreeMap<RunId, EventFiles>,
    has_failed: bool,
}

impl TensorBoard {
    /// Makes the folder: one that cannot be made is told before anything is trained.
    pub(super) fn open(folder: &Path) -> Result<Self, ExportError> {
        let refused = |source: std::io::Error| ExportError::EventFile {
            path: folder.to_owned(),
            message: source.to_string(),
        };
        std::fs::create_dir_all(folder).map_err(refused)?;
        tempfile::tempfile_in(folder).map_err(refused)?;
        Ok(Self { folder: folder.to_owned(), open: BTreeMap::new(), has_failed: false })
    }

    pub(super) fn record(&mut self, event: &Event, printer: &Printer) {
        if self.has_failed {
            return;
        }
        if let Err(error) = self.write(event) {
            self.has_failed = true;
            warn(&error, printer);
        }
    }

    /// Closes the files.
    pub(super) fn finish(self, printer: &Printer) {
        for files in self.open.into_values() {
            if let Err(error) = files.finish()
                && !self.has_failed
            {
                warn(&error, printer);
            }
        }
    }

    fn write(&mut self, event: &Event) -> Result<(), ExportError> {
        if matches!(event.kind, EventKind::RunEnded { .. }) {
            return self.open.remove(&event.run).map_or(Ok(()), EventFiles::finish);
        }
        if !self.open.contains_key(&event.run) {
            let files = EventFiles::create(&self.folder, &event.run)?;
            self.open.insert(event.run.clone(), files);
        }
        self.open.get_mut(&event.run).map_or(Ok(()), |files| files.record(event))
    }
}

fn warn(error: &ExportError, printer: &Printer) {
    printer.warning(&format!("{error} (training goes on, without files for TensorBoard)"));
}
