use std::path::{Path, PathBuf};

use super::log::LogWriter;
use super::{Manifest, Owner, RunEntry, RunFolder, RunLog, StoreError};
use crate::domain::{ContentHash, Event, Plan, RunId, UtcMillis};
use crate::spec::ExperimentSpec;

/// Version of the files in a run's folder.
const FOLDER_SCHEMA: u32 = 1;

/// The folder in which runs live, one folder each.
#[derive(Debug)]
pub struct RunStore {
    root: PathBuf,
    writer: LogWriter,
}

impl RunStore {
    /// Opens the folder, making it where it is missing, and makes sure it can be written. `tell` is called with every event recorded in this
    /// store, in order, once it is durable; it must return at once.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the folder.
    pub fn open(root: &Path, tell: impl Fn(Event) + Send + 'static) -> Result<Self, StoreError> {
        std::fs::create_dir_all(root).map_err(|source| StoreError::write(root, &source))?;
        // Found out now, not after an hour of training.
        tempfile::tempfile_in(root).map_err(|source| StoreError::write(root, &source))?;
        let writer = LogWriter::start(tell).map_err(|source| StoreError::write(root, &source))?;
        Ok(Self { root: root.to_owned(), writer })
    }

    /// Makes a run's folder with its specification and manifest.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the file.
    pub fn create(
        &self,
        spec: &ExperimentSpec,
        plan: &Plan,
    ) -> Result<(RunId, RunFolder, RunLog), StoreError> {
        let created = UtcMillis::now();
        let (run, folder) = self.new_folder(&spec.name, created)?;
        let manifest = Manifest {
            schema: FOLDER_SCHEMA,
            run: run.clone(),
            created,
            walkforge: env!("CARGO_PKG_VERSION").to_owned(),
            libtorch: crate::torch::libtorch_version().to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            owner: Owner::this_process(),
            plan: plan.clone(),
        };
        let file = folder.write_start(spec, &manifest).inspect_err(|_| {
            // Half a run is none. If even this fails, `runs list` passes over a folder without a manifest.
            let _left_behind = std::fs::remove_dir_all(folder.path());
        })?;
        let log = self.writer.log(run.clone(), folder.log_path(), file);
        Ok((run, folder, log))
    }

    /// Waits until every event recorded so far has been written and told.
    pub fn flush(&self) {
        self.writer.flush();
    }

    fn new_folder(&self, name: &str, created: UtcMillis) -> Result<(RunId, RunFolder), StoreError> {
        let time = created
            .to_datetime()
            .map_or_else(String::new, |at| at.format("%Y%m%d-%H%M%S").to_string());
        let name = name.replace(' ', "-");
        for attempt in 0_u64.. {
            let suffix = letters(attempt);
            let id = format!("{time}-{name}-{suffix:04x}");
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
    /// [`StoreError::Read`] when the folder itself cannot be listed.
    pub fn list(root: &Path) -> Result<(Vec<RunEntry>, Vec<StoreError>), StoreError> {
        let listing = match std::fs::read_dir(root) {
            Ok(listing) => listing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Default::default());
            }
            Err(error) => return Err(StoreError::read(root, &error)),
        };
        let mut entries = Vec::new();
        let mut broken = Vec::new();
        for entry in listing {
            let path = entry.map_err(|source| StoreError::read(root, &source))?.path();
            if path.join("manifest.json").exists() {
                match describe(&RunFolder::new(path)) {
                    Ok(entry) => entries.push(entry),
                    Err(error) => broken.push(error),
                }
            }
        }
        entries.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| b.id.cmp(&a.id)));
        Ok((entries, broken))
    }

    /// A run by its name, or by the start of it where only one fits.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`] when none fits, [`StoreError::AmbiguousRun`] when more than one does.
    pub fn find(root: &Path, run: &str) -> Result<RunFolder, StoreError> {
        let unknown = || StoreError::UnknownRun { run: run.to_owned(), root: root.to_owned() };
        let (entries, broken) = Self::list(root)?;
        if let Some(entry) = entries.iter().find(|entry| entry.id.as_str() == run) {
            return Ok(RunFolder::new(entry.path.clone()));
        }
        let fitting: Vec<&RunEntry> =
            entries.iter().filter(|entry| entry.id.as_str().starts_with(run)).collect();
        match fitting.as_slice() {
            [entry] if !run.is_empty() => Ok(RunFolder::new(entry.path.clone())),
            [_, _, ..] if !run.is_empty() => Err(StoreError::AmbiguousRun {
                run: run.to_owned(),
                fitting: fitting
                    .iter()
                    .map(|entry| entry.id.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
            _ => Err(broken
                .into_iter()
                .find(|error| error.is_within(&root.join(run)))
                .unwrap_or_else(unknown)),
        }
    }
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

fn describe(folder: &RunFolder) -> Result<RunEntry, StoreError> {
    let manifest = folder.manifest()?;
    let finished = manifest
        .plan
        .tasks
        .iter()
        .filter(|task| folder.task(&task.id).join("metadata.json").exists())
        .count();
    Ok(RunEntry {
        status: folder.status(&manifest)?,
        id: manifest.run,
        experiment: manifest.plan.experiment,
        created: manifest.created,
        tasks: manifest.plan.tasks.len() as u64,
        finished: finished as u64,
        spec: manifest.plan.spec,
        device: manifest.plan.device,
        ended: None,
        failed: 0,
        sweep: None,
        score: None,
        tags: Vec::new(),
        notes: String::new(),
        path: folder.path().to_owned(),
    })
}
