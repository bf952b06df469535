use std::path::{Path, PathBuf};

use walkforge::domain::{
    EpochRecord, EventKind, Plan, RunId, RunOutcome, Task, TaskId, TaskReport, UtcMillis,
};
use walkforge::runs::{
    Manifest, Outcome, PredictionRows, RunEntry, RunFilter, RunFolder, RunIndex, RunLog, RunStore,
    StoreError, TaskMetadata, write_history, write_predictions, write_weights,
};
use walkforge::spec::{DEFAULT_PRESET, ExperimentSpec, load};

/// A run of the first version, without an index: its events in `events.jsonl`, of its tasks only the metadata.
pub fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pictures/runs/20260115-093000-mlp-return-5eed")
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A plan of two symbols and five folds.
pub fn plan() -> Plan {
    json::<Manifest>(&recorded().join("manifest.json")).plan
}

pub fn spec() -> ExperimentSpec {
    load(DEFAULT_PRESET).unwrap()
}

pub fn open(root: &Path) -> RunStore {
    RunStore::open(root, |_| {}).unwrap()
}

pub fn create(store: &RunStore) -> (RunId, RunFolder, RunLog) {
    store.create(&spec(), &plan(), None).unwrap()
}

pub fn report() -> TaskReport {
    let path = recorded().join("tasks/SYN_A-1h-fold00/metadata.json");
    json::<TaskMetadata>(&path).report
}

pub fn epoch(epoch: u32) -> EpochRecord {
    EpochRecord {
        epoch,
        train_loss: 1.0 / f64::from(epoch),
        validation_loss: Some(0.5),
        monitor: None,
        learning_rate: 1e-3,
        gradient_norm: 1.0,
        seconds: 0.25,
        is_best: epoch == 1,
    }
}

/// Everything that a finished task leaves in its folder, the metadata last.
pub fn write_result(folder: &RunFolder, task: &Task) -> Result<(), StoreError> {
    let path = folder.create_task(&task.id)?;
    let weights_hash = Some(write_weights(&path.join("weights.safetensors"), &[])?);
    write_history(&path.join("history.parquet"), &[epoch(1), epoch(2)])?;
    let rows = PredictionRows::default();
    write_predictions(&path.join("predictions.parquet"), task.fold.index, &rows)?;
    let sample = recorded().join("tasks/SYN_A-1h-fold00/metadata.json");
    folder.write_metadata(&TaskMetadata { task: task.clone(), weights_hash, ..json(&sample) })
}

/// One task from start to end, as the engine does it.
pub fn train(folder: &RunFolder, log: &RunLog, task: &Task) -> Result<(), StoreError> {
    let device = task.device;
    log.record(Some(&task.id), EventKind::Started { device })?;
    for number in 1..=2 {
        log.record(Some(&task.id), EventKind::Epoch(epoch(number)))?;
    }
    write_result(folder, task)?;
    log.record(Some(&task.id), EventKind::Finished { report: Box::new(report()) })
}

/// How a run ends, as the engine does it.
pub fn end(folder: &RunFolder, log: &RunLog, outcome: RunOutcome) -> Result<(), StoreError> {
    let recorded: Outcome = json(&recorded().join("outcome.json"));
    let (ended, tasks) = (UtcMillis::now(), log.endings());
    folder.write_outcome(&Outcome { ended, outcome, tasks, ..recorded.clone() })?;
    log.record(None, EventKind::RunEnded { outcome, summary: Box::new(recorded.summary) })
}

/// A run with its first tasks finished that nobody has any more.
pub fn interrupted(root: &Path, finished: usize) -> RunFolder {
    let store = open(root);
    let (run, folder, log) = create(&store);
    for task in &plan().tasks[..finished] {
        train(&folder, &log, task).unwrap();
    }
    store.release(&run).unwrap();
    folder
}

/// A run that has ended, with all its tasks finished.
pub fn finished(root: &Path) -> RunFolder {
    let store = open(root);
    let (_, folder, log) = create(&store);
    for task in &plan().tasks {
        train(&folder, &log, task).unwrap();
    }
    end(&folder, &log, RunOutcome::Finished).unwrap();
    folder
}

pub fn entries(root: &Path) -> Vec<RunEntry> {
    RunIndex::open(root).unwrap().runs(&RunFilter::default()).unwrap()
}

/// The same without the moment at which they ended: the folder and the index know two, a few milliseconds apart.
pub fn entries_made_again(root: &Path) -> Vec<RunEntry> {
    let without_end =
        |entry: RunEntry| RunEntry { ended: entry.ended.and(Some(UtcMillis(0))), ..entry };
    entries(root).into_iter().map(without_end).collect()
}

#[track_caller]
pub fn entry(root: &Path, run: &RunId) -> RunEntry {
    let mut entries = entries(root).into_iter();
    entries.find(|entry| entry.id == *run).expect("the run is listed")
}

pub fn id(folder: &RunFolder) -> RunId {
    RunId::new(folder.path().file_name().unwrap().to_str().unwrap())
}

pub fn task_ids(count: usize) -> Vec<TaskId> {
    plan().tasks.into_iter().take(count).map(|task| task.id).collect()
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Another connection to the index, as another program would have it.
pub fn sqlite(root: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(root.join("index.sqlite3")).unwrap()
}

/// Files of the root whose names begin so.
pub fn beginning_with(root: &Path, start: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = root
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(start))
        .collect();
    found.sort();
    found
}
