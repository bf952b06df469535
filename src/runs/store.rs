use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::database::{index_path, open_for_writing, transact};
use super::error::Trouble;
use super::import::{bring_in_step, recover};
use super::log::{LogState, LoggedRun, TaskState};
use super::rows::{insert_run, run_row, set_owner, task_rows};
use super::writer::LogWriter;
use super::{
    Build, Ending, Manifest, Owner, RunEntry, RunFilter, RunFolder, RunIndex, RunLog, StoreError,
    TaskEnding,
};
use crate::domain::{
    ContentHash, Event, EventKind, Plan, RunId, RunOutcome, SweepMember, TaskId, UtcMillis,
};
use crate::spec::ExperimentSpec;

/// Version of the files in a run's folder.
const FOLDER_SCHEMA: u32 = 2;

/// The folder in which runs live, one folder each, and the index of them all. One for each process and folder.
#[derive(Debug)]
pub struct RunStore {
    root: PathBuf,
    writer: LogWriter,
}

/// A run taken over to be gone on with.
#[derive(Debug)]
pub struct ResumedRun {
    /// What was to be done. Its owner is this process.
    pub manifest: Manifest,
    /// The experiment.
    pub spec: ExperimentSpec,
    /// Where it is.
    pub folder: RunFolder,
    /// Its log, which goes on counting.
    pub log: RunLog,
    /// Tasks that need not be trained again, in the plan's order.
    pub finished: Vec<TaskId>,
}

impl RunStore {
    /// Opens the folder, making it where it is missing, and makes sure it can be written. Runs whose processes are gone are taken note of. `tell`
    /// is called with every event recorded in this store, in order, a lifecycle event once it is durable; it must return at once.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the folder or the index, [`StoreError::NewerIndex`].
    pub fn open(root: &Path, tell: impl Fn(Event) + Send + 'static) -> Result<Self, StoreError> {
        std::fs::create_dir_all(root).map_err(|source| StoreError::write(root, &source))?;
        // Found out now, not after an hour of training.
        tempfile::tempfile_in(root).map_err(|source| StoreError::write(root, &source))?;
        let mut connection = open_for_writing(root)?;
        bring_in_step(root, &mut connection)?;
        recover(root, &mut connection)?;
        let writer = LogWriter::start(connection, tell)
            .map_err(|source| StoreError::write(root, &source))?;
        Ok(Self { root: root.to_owned(), writer })
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
        let entered = folder.write_start(spec, &manifest).and_then(|()| {
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

    /// Takes over a run that has not finished and has no living owner, so that of several processes one gets it. What was finished is kept; how it
    /// ended before is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Owned`] while a process has it, [`StoreError::NothingToResume`] for one that has finished, [`StoreError::UnknownRun`], and
    /// errors naming the file that could not be read or written.
    pub fn resume(&self, run: &RunId) -> Result<ResumedRun, StoreError> {
        let folder = RunIndex::open(&self.root)?.find(run.as_str())?;
        let run = folder.run();
        let spec = read_spec(&folder)?;
        let before = folder.manifest()?;
        let owner = Owner::this_process();
        let manifest = Manifest { owner: Some(owner.clone()), ..before };
        let mut finished = Vec::new();
        for task in &manifest.plan.tasks {
            if folder.finished(task)?.is_some() {
                finished.push(task.id.clone());
            }
        }
        let (name, to_write, at) = (run.clone(), manifest.clone(), folder.clone());
        let kept = finished.clone();
        let (row, next_seq, rows, lost) = self.write(move |connection| {
            transact(connection, |transaction| {
                let row = claim(transaction, &name, &owner)?;
                let lost = settle_tasks(transaction, row.id, &kept)?;
                at.write_manifest(&to_write)?;
                if at.outcome_path().exists() {
                    std::fs::rename(at.outcome_path(), at.previous_outcome_path())
                        .map_err(|source| StoreError::write(&at.outcome_path(), &source))?;
                }
                Ok((row.id, row.next_seq, task_rows(transaction, row.id)?, lost))
            })
        })?;
        let tasks = rows
            .into_iter()
            .map(|(task, row)| (task, TaskState { row, last_epoch: None }))
            .collect();
        let endings = finished
            .iter()
            .map(|task| TaskEnding { task: task.clone(), ending: Ending::Finished, failure: None })
            .collect();
        let log = self.log(run, LogState { row, tasks, next_seq, endings });
        for task in &lost {
            let message = "it had finished, but its files are gone: it is trained again".to_owned();
            log.record(Some(task), EventKind::Warning { message })?;
        }
        Ok(ResumedRun { manifest, spec, folder, log, finished })
    }

    /// Lets go of a run that has not ended, as after a checkpoint: it then stands as interrupted, for anybody to resume.
    ///
    /// # Errors
    /// [`StoreError::NotOwned`] where this process does not have it, [`StoreError::Write`] naming the file.
    pub fn release(&self, run: &RunId) -> Result<(), StoreError> {
        let folder = RunFolder::new(self.root.join(run.as_str()));
        let manifest = Manifest { owner: None, ..folder.manifest()? };
        let run = run.clone();
        self.write(move |connection| {
            transact(connection, |transaction| {
                let row = run_row(transaction, run.as_str())?;
                let row = row.filter(|row| row.owner.as_ref().is_some_and(Owner::is_this_process));
                let row = row.ok_or(StoreError::NotOwned { run })?;
                set_owner(transaction, row.id, None)?;
                Ok(folder.write_manifest(&manifest)?)
            })
        })
    }

    /// Waits until every event recorded so far has been written and told.
    pub fn flush(&self) {
        self.writer.flush();
    }

    fn log(&self, run: RunId, state: LogState) -> RunLog {
        self.writer.log(LoggedRun {
            run,
            index: index_path(&self.root),
            state: state.into(),
            failure: None.into(),
        })
    }

    fn write<T: Send + 'static>(
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

/// Makes the run this process's, unless it has finished or somebody living has it.
fn claim(
    connection: &Connection,
    run: &RunId,
    owner: &Owner,
) -> Result<super::rows::RunRow, Trouble> {
    let row = run_row(connection, run.as_str())?;
    let row = row.ok_or_else(|| StoreError::NotOwned { run: run.clone() })?;
    if let Some(Owner { pid, .. }) = row.owner.as_ref().filter(|owner| owner.is_alive()) {
        return Err(StoreError::Owned { run: run.clone(), pid: *pid }.into());
    }
    if row.outcome == Some(RunOutcome::Finished) {
        return Err(StoreError::NothingToResume { run: run.clone() }.into());
    }
    connection.execute(
        "UPDATE runs SET outcome = NULL, ended = NULL, score = NULL WHERE id = ?1",
        [row.id],
    )?;
    set_owner(connection, row.id, Some(owner))?;
    Ok(row)
}

/// Tasks whose files are there have finished, the others have not. Gives those that had finished and have lost their files.
fn settle_tasks(
    connection: &Connection,
    run: i64,
    finished: &[TaskId],
) -> Result<Vec<TaskId>, Trouble> {
    let mut statement = connection.prepare("SELECT name, id, state FROM tasks WHERE run = ?1")?;
    let rows = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(String, i64, String)>>>()?;
    let mut lost = Vec::new();
    for (name, row, state) in rows {
        let task = TaskId::new(name);
        let state_now = if finished.contains(&task) { "finished" } else { "planned" };
        if state == "finished" && state_now == "planned" {
            lost.push(task);
        }
        connection.execute(
            "UPDATE tasks SET state = ?2, failure = NULL WHERE id = ?1 AND state <> ?2",
            rusqlite::params![row, state_now],
        )?;
    }
    Ok(lost)
}

fn read_spec(folder: &RunFolder) -> Result<ExperimentSpec, StoreError> {
    let path = folder.spec_path();
    crate::spec::read(&path).map_err(|error| StoreError::damaged(&path, &error))
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
