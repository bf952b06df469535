use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::curve::make_whole;
use super::database::transact;
use super::error::Trouble;
use super::files::remove_unfinished;
use super::found::FoundTask;
use super::log::{LogState, TaskState};
use super::rows::{finish_task, import_outcome, run_row, set_owner, task_rows};
use super::{
    Ending, Manifest, Owner, RunFolder, RunIndex, RunLog, RunStore, StoreError, TaskEnding,
};
use crate::domain::{EventKind, RunId, RunOutcome, TaskId};
use crate::spec::ExperimentSpec;

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
    /// Takes over a run that has not finished and has no living owner, so that of several processes one gets it. What was finished is kept; how it
    /// ended before is forgotten: the file that says so is put aside until there is another one.
    ///
    /// # Errors
    /// [`StoreError::Owned`] while a process has it, [`StoreError::NothingToResume`] for one that has finished, [`StoreError::UnknownRun`], and
    /// errors naming the file that could not be read or written; the run is then as it was.
    pub fn resume(&self, run: &RunId) -> Result<ResumedRun, StoreError> {
        let folder = RunIndex::open(&self.root)?.find(run.as_str())?;
        let spec = read_spec(&folder)?;
        let before = folder.manifest()?;
        let claimed = folder.run();
        let row = self.write(move |connection| {
            transact(connection, |transaction| claim(transaction, &claimed))
        })?;
        // From here on nobody else changes the run.
        self.before.lock().remove(&folder.run());
        self.take_over(row, (before, spec), folder.clone()).inspect_err(|_| {
            // If even this fails, the run is given back when this process ends.
            let _as_it_was = self.give_back(&folder.run());
        })
    }

    fn take_over(
        &self,
        row: i64,
        (before, spec): (Manifest, ExperimentSpec),
        folder: RunFolder,
    ) -> Result<ResumedRun, StoreError> {
        let mut finished = Vec::new();
        for task in &before.plan.tasks {
            // What cannot be read has not finished.
            if let Ok(Some(metadata)) = folder.whole(task) {
                finished.push(FoundTask::of(&folder, metadata));
            }
        }
        let manifest = Manifest { owner: Some(Owner::this_process()), ..before };
        folder.write_manifest(&manifest)?;
        let kept: Vec<TaskId> = finished.iter().map(|found| found.task.clone()).collect();
        let place = folder.clone();
        let (settled, rows, next_seq) = self.write(move |connection| {
            transact(connection, |transaction| {
                let settled = settle_tasks(transaction, row, &place, &finished)?;
                remove_unfinished_of(&place);
                let next_seq: i64 = transaction.query_row(
                    "SELECT next_seq FROM runs WHERE id = ?1",
                    [row],
                    |row| row.get(0),
                )?;
                Ok((settled, task_rows(transaction, row)?, next_seq as u64))
            })
        })?;
        let Settled { lost, before } = settled;
        self.before.lock().insert(folder.run(), before);
        folder.put_outcome_aside()?;
        let tasks = rows
            .into_iter()
            .map(|(task, row)| (task, TaskState { row, last_epoch: None }))
            .collect();
        let endings = kept
            .iter()
            .map(|task| TaskEnding { task: task.clone(), ending: Ending::Finished, failure: None })
            .collect();
        let log = self.log(folder.run(), LogState { row, tasks, next_seq, endings });
        for task in &lost {
            let message = "it had finished, but its files are gone: it is trained again".to_owned();
            log.record(Some(task), EventKind::Warning { message })?;
        }
        Ok(ResumedRun { manifest, spec, folder, log, finished: kept })
    }

    /// Undoes [`Self::resume`], before anything was recorded: the run stands as it did, its failures too.
    ///
    /// # Errors
    /// [`StoreError::NotOwned`] where this process does not have it, errors naming the file that could not be read or written.
    pub fn give_back(&self, run: &RunId) -> Result<(), StoreError> {
        let folder = RunFolder::new(self.root.join(run.as_str()));
        let before = self.before.lock().get(run).cloned().unwrap_or_default();
        let own = run.clone();
        self.write(move |connection| {
            transact(connection, |transaction| {
                give_back(transaction, own_row(transaction, &own)?, &folder, &before)
            })
        })?;
        self.before.lock().remove(run);
        Ok(())
    }

    /// Lets go of a run that has not ended, as after a checkpoint: it then stands as interrupted, for anybody to resume. One whose end is on disk
    /// and could not be recorded has ended.
    ///
    /// # Errors
    /// [`StoreError::NotOwned`] where this process does not have it, [`StoreError::Write`] naming the file.
    pub fn release(&self, run: &RunId) -> Result<(), StoreError> {
        let folder = RunFolder::new(self.root.join(run.as_str()));
        let manifest = Manifest { owner: None, ..folder.manifest()? };
        let run = run.clone();
        self.write(move |connection| {
            transact(connection, |transaction| {
                let row = own_row(transaction, &run)?;
                set_owner(transaction, row, None)?;
                if let Ok(Some(outcome)) = folder.outcome() {
                    import_outcome(transaction, row, &outcome)?;
                }
                Ok(folder.write_manifest(&manifest)?)
            })
        })
    }
}

/// Makes the run this process's, unless it has finished or somebody living has it. Gives its row.
fn claim(connection: &Connection, run: &RunId) -> Result<i64, Trouble> {
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
    set_owner(connection, row.id, Some(&Owner::this_process()))?;
    Ok(row.id)
}

/// The row of a run that is this process's.
fn own_row(connection: &Connection, run: &RunId) -> Result<i64, Trouble> {
    let row = run_row(connection, run.as_str())?;
    let row = row.filter(|row| row.owner.as_ref().is_some_and(Owner::is_this_process));
    Ok(row.ok_or_else(|| StoreError::NotOwned { run: run.clone() })?.id)
}

/// Undoes a claim.
fn give_back(
    connection: &Connection,
    row: i64,
    folder: &RunFolder,
    before: &[TaskBefore],
) -> Result<(), Trouble> {
    folder.take_outcome_back()?;
    for TaskBefore { row, state, failure } in before {
        connection.execute(
            "UPDATE tasks SET state = ?2, failure = ?3 WHERE id = ?1",
            params![row, state, failure],
        )?;
    }
    if let Some(outcome) = folder.outcome()? {
        import_outcome(connection, row, &outcome)?;
    }
    set_owner(connection, row, None)?;
    Ok(folder.write_manifest(&Manifest { owner: None, ..folder.manifest()? })?)
}

/// What a task was before its run was taken over.
#[derive(Debug, Clone)]
pub(super) struct TaskBefore {
    row: i64,
    state: String,
    failure: Option<String>,
}

/// What a run was before it was taken over, where that is another thing than it is now.
struct Settled {
    /// Tasks that had finished and have lost their files.
    lost: Vec<TaskId>,
    before: Vec<TaskBefore>,
}

/// Tasks whose files are there have finished, the others have not.
fn settle_tasks(
    connection: &Connection,
    run: i64,
    folder: &RunFolder,
    finished: &[FoundTask],
) -> Result<Settled, Trouble> {
    let finished: BTreeMap<&TaskId, &FoundTask> =
        finished.iter().map(|found| (&found.task, found)).collect();
    let mut statement = connection
        .prepare("SELECT name, id, state, failure FROM tasks WHERE run = ?1 ORDER BY position")?;
    let rows = statement.query_map([run], |row| {
        let before = TaskBefore { row: row.get(1)?, state: row.get(2)?, failure: row.get(3)? };
        Ok((TaskId::new(row.get::<_, String>(0)?), before))
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<(TaskId, TaskBefore)>>>()?;
    let mut settled = Settled { lost: Vec::new(), before: Vec::new() };
    for (task, before) in rows {
        let (row, had_finished) = (before.row, before.state == "finished");
        if let Some(FoundTask { report, ended, .. }) = finished.get(&task) {
            if !had_finished {
                // It was on disk before it could be recorded.
                finish_task(connection, row, report, (*ended, None))?;
            }
            make_whole(connection, folder, (&task, row), report.epochs)?;
            continue;
        }
        connection.execute(
            "UPDATE tasks SET state = 'planned', failure = NULL WHERE id = ?1 AND state <> 'planned'",
            [row],
        )?;
        if had_finished {
            settled.lost.push(task);
        }
        settled.before.push(before);
    }
    Ok(settled)
}

/// Within a transaction, because a run's notes are written within one, whoever has the run.
fn remove_unfinished_of(folder: &RunFolder) {
    remove_unfinished(folder.path());
    let tasks = std::fs::read_dir(folder.path().join("tasks"));
    for task in tasks.into_iter().flatten().flatten() {
        remove_unfinished(&task.path());
    }
}

fn read_spec(folder: &RunFolder) -> Result<ExperimentSpec, StoreError> {
    let path = folder.spec_path();
    crate::spec::read(&path).map_err(|error| StoreError::damaged(&path, &error))
}
