use std::time::{Duration, Instant};

use crate::domain::Task;
use crate::runs::{CheckpointFiles, RunFolder, StoreError};
use crate::training::{Checkpoint, Checkpoints};

/// Keeps a task's checkpoints in its folder of the run, every so often by the clock. When they are written changes no result.
pub(super) struct Keeper<'a> {
    folder: &'a RunFolder,
    task: &'a Task,
    files: CheckpointFiles,
    every: Option<Duration>,
    last: Instant,
    newest: Option<Checkpoint>,
}

impl<'a> Keeper<'a> {
    /// Looks for a checkpoint to go on from; also gives what was wrong with those that could not be used.
    pub(super) fn open(
        folder: &'a RunFolder,
        task: &'a Task,
        every_secs: u32,
    ) -> (Self, Vec<StoreError>) {
        let files = CheckpointFiles::new(&folder.task(&task.id), task.key);
        let (newest, refused) = files.read();
        let every = (every_secs > 0).then(|| Duration::from_secs(u64::from(every_secs)));
        (Self { folder, task, files, every, last: Instant::now(), newest }, refused)
    }

    /// Removes the checkpoints of a task that has finished.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        self.files.remove()
    }
}

impl Checkpoints for Keeper<'_> {
    fn is_due(&mut self) -> bool {
        self.every.is_some_and(|every| self.last.elapsed() >= every)
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), String> {
        // A disk that is full is asked again after the same while, not at every batch.
        self.last = Instant::now();
        let kept =
            self.folder.create_task(&self.task.id).and_then(|_folder| self.files.write(checkpoint));
        // Writing takes time too.
        self.last = Instant::now();
        kept.map_err(|error| error.to_string())
    }

    fn newest(&mut self) -> Option<Checkpoint> {
        self.newest.take()
    }
}
