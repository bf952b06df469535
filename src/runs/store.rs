use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::database::{Index, index_path, transact};
use super::error::Trouble;
use super::files::sync_folder;
use super::import::{bring_in_step, recover};
use super::log::{LogState, LoggedRun, TaskState};
use super::rows::{insert_run, task_rows};
use super::writer::LogWriter;
use super::{Build, Manifest, Owner, RunEntry, RunFilter, RunFolder, RunIndex, RunLog, StoreError};
use crate::domain::{ContentHash, Event, Plan, RunId, SweepMember, UtcMillis};
use crate::spec::ExperimentSpec;

/// Version of the files in a run's folder.
const FOLDER_SCHEMA: u32 = 2;

/// The folder in which runs live, one folder each, and the index of them all. One for each process and folder.
#[derive(Debug)]
pub struct RunStore {
    pub(super) root: PathBuf,
    writer: LogWriter,
    warnings: Vec<String>,
}

impl RunStore {
    /// Opens the folder, making it where it is missing, and makes sure it can be written. Runs whose processes are gone are taken note of. `tell`
    /// is called with every event recorded in this store, in order, a lifecycle event once it is durable; it must return at once.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the folder or the index, [`StoreError::NewerIndex`].
    pub fn open(root: &Path, tell: impl Fn(Event) + Send + 'static) -> Result<Self, StoreError> {
        Self::open_with(root, tell, std::thread::sleep)
    }

    /// The same with something else than time that passes before a write is tried again.
    pub(super) fn open_with(
        root: &Path,
        tell: impl Fn(Event) + Send + 'static,
        pause: impl Fn(Duration) + Send + 'static,
    ) -> Result<Self, StoreError> {
        std::fs::create_dir_all(root).map_err(|source| StoreError::write(root, &source))?;
        // Found out now, not after an hour of training.
        tempfile::tempfile_in(root).map_err(|source| StoreError::write(root, &source))?;
        let mut index = Index::open(root)?;
        bring_in_step(root, &mut index.connection)?;
        recover(root, &mut index.connection)?;
        let warnings = index.mended.take().into_iter().collect();
        let writer = LogWriter::start(index, tell, pause)
            .map_err(|source| StoreError::write(root, &source))?;
        Ok(Self { root: root.to_owned(), writer, warnings })
    }

    /// What the user should know of the state in which the store was found, in words: an index that was damaged and made again.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Makes a run's folder with its specification and manifest, and enters it into the index.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the file.
    pub fn create(
        &self,
        spec: &ExperimentSpec,
        plan: &Plan,
        sweep: Option<&SweepMember>,
    ) -> Result<(RunId, RunFolder, RunLog), StoreError> {
        let created = UtcMillis::now();
        let (run, folder) = self.new_folder(&spec.name, created)?;
        let manifest = Manifest {
            schema: FOLDER_SCHEMA,
            run: run.clone(),
            created,
            walkforge: env!("CARGO_PKG_VERSION").to_owned(),
            build: Some(Build::this_program()),
            libtorch: crate::torch::libtorch_version().to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            owner: Some(Owner::this_process()),
            seed: Some(spec.seed),
            sweep: sweep.cloned(),
            plan: plan.clone(),
        };
        let written = folder.write_start(spec, &manifest).and_then(|()| sync_folder(&self.root));
        let entered = written.and_then(|()| {
            self.write(move |connection| {
                transact(connection, |transaction| {
                    let row = insert_run(transaction, &manifest)?;
                    Ok((row, task_rows(transaction, row)?))
                })
            })
        });
        let (row, rows) = entered.inspect_err(|_| {
            // Half a run is none. If even this fails, `runs list` passes over a folder without a manifest.
            let _left_behind = std::fs::remove_dir_all(folder.path());
        })?;
        let new = TaskState { row: 0, last_epoch: Some(0) };
        let tasks = rows.into_iter().map(|(task, row)| (task, TaskState { row, ..new })).collect();
        let state = LogState { row, tasks, next_seq: 0, endings: Vec::new() };
        let log = self.log(run.clone(), state);
        Ok((run, folder, log))
    }

    /// Waits until every event recorded so far has been written and told.
    pub fn flush(&self) {
        self.writer.flush();
    }

    pub(super) fn log(&self, run: RunId, state: LogState) -> RunLog {
        self.writer.log(LoggedRun {
            run,
            index: index_path(&self.root),
            state: state.into(),
            failure: None.into(),
        })
    }

    /// Does something with the writer's connection.
    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let index = index_path(&self.root);
        match self.writer.run(work) {
            Some(done) => done.map_err(|error| error.writing(&index)),
            None => Err(StoreError::write(&index, &"the writer has stopped")),
        }
    }

    fn new_folder(&self, name: &str, created: UtcMillis) -> Result<(RunId, RunFolder), StoreError> {
        for attempt in 0.. {
            let id = named(name, created, attempt);
            let path = self.root.join(&id);
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok((RunId::new(id), RunFolder::new(path))),
                // Another process drew the same letters in the same second: draw again.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::write(&path, &error)),
            }
        }
        unreachable!("a free name is found long before 2^64 attempts")
    }

    /// The runs in a folder, newest first, and the folders that look like runs but cannot be read, with the reason. A folder that does not
    /// exist has no runs.
    ///
    /// # Errors
    /// As [`RunIndex::open`].
    pub fn list(root: &Path) -> Result<(Vec<RunEntry>, Vec<StoreError>), StoreError> {
        let index = RunIndex::open(root)?;
        Ok((index.runs(&RunFilter::default())?, index.broken()?))
    }

    /// A run by its name, or by the start of it where only one fits.
    ///
    /// # Errors
    /// As [`RunIndex::find`].
    pub fn find(root: &Path, run: &str) -> Result<RunFolder, StoreError> {
        RunIndex::open(root)?.find(run)
    }
}

/// A name that nobody else has: the time in UTC, the given name and some letters.
#[must_use]
pub fn fresh_name(name: &str) -> String {
    named(name, UtcMillis::now(), 0)
}

fn named(name: &str, at: UtcMillis, attempt: u64) -> String {
    let time =
        at.to_datetime().map_or_else(String::new, |at| at.format("%Y%m%d-%H%M%S").to_string());
    format!("{time}-{}-{:04x}", name.replace(' ', "-"), letters(attempt))
}

/// Differs between processes, moments and attempts.
fn letters(attempt: u64) -> u16 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos());
    let parts: [&[u8]; 3] =
        [&std::process::id().to_le_bytes(), &nanos.to_le_bytes(), &attempt.to_le_bytes()];
    (ContentHash::of_parts(parts).to_u64() & 0xffff) as u16
}
