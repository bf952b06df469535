//! What the tests of several and of interrupted runs share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use walkforge::domain::{EventKind, RunId, RunOutcome, TaskId, TaskRole};
use walkforge::runs::RunFolder;
use walkforge::spec::{DataSource, ExperimentSpec};
use walkforge::workbench::{Update, Workbench};

use crate::support::spec;

/// Five folds of one symbol, with dropout, long enough to be interrupted.
pub fn experiment(set: &[&str]) -> ExperimentSpec {
    let common = [
        r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":2600,"seed":5}}"#,
        r#"data.symbols=["SYN_A"]"#,
        "validation.train=1000",
        "validation.validation=300",
        "validation.test=300",
        "training.max_epochs=20",
        "training.patience=null",
        "training.batch_size=16",
        r#"model={"Mlp":{"hidden":[32,16],"activation":"Relu","dropout":0.3}}"#,
        "resources.device=cpu",
        "resources.workers=2",
        "resources.reuse=false",
    ];
    let all: Vec<&str> = common.iter().chain(set).copied().collect();
    spec("mlp-return", &all)
}

/// The same on the market files of a folder.
pub fn of_folder(data: &Path, set: &[&str]) -> ExperimentSpec {
    let mut spec = experiment(set);
    spec.data.source = DataSource::Folder(data.to_owned());
    spec.data.symbols.clear();
    spec
}

/// Writes so many bars of a symbol. `close` is that of bar 1,200.
pub fn write_bars(data: &Path, (symbol, hours): (&str, u32), bars: u32, close: f64) {
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    for bar in 0..bars {
        let price = 100.0 + (f64::from(bar) * 0.7).sin();
        let close = if bar == 1200 { close } else { price };
        let (high, low) = (price + 2.0, price - 2.0);
        let (time, volume) = (1_704_067_200 + bar * 3600 * hours, bar % 7 + 1);
        writeln!(text, "{time},{price},{high},{low},{close},{volume}").unwrap();
    }
    std::fs::write(data.join(format!("{symbol}-{hours}h.csv")), text).unwrap();
}

/// Everything told until a condition holds, by task.
#[derive(Debug, Default)]
pub struct Told {
    pub runs: Vec<RunId>,
    pub learning: BTreeSet<(RunId, TaskId)>,
    /// Tasks that have most of their training before them.
    pub young: BTreeSet<TaskId>,
    pub paused: BTreeSet<TaskId>,
    pub trained: BTreeSet<(RunId, TaskId)>,
    pub kept: BTreeMap<(RunId, TaskId), Option<RunId>>,
    pub ended: Vec<(RunId, RunOutcome)>,
    /// In the order in which tasks began.
    pub begun: Vec<RunId>,
    pub refused: Option<String>,
    /// Numbers of what waits or is being planned, as told last.
    pub waiting: Vec<u64>,
    pub withdrawn: u32,
    pub stopped: bool,
    pub warnings: Vec<String>,
}

impl Told {
    pub fn until(&mut self, workbench: &Workbench, holds: impl Fn(&Self) -> bool) {
        // Far beyond any honest run: only a hang reaches it.
        let until = Instant::now() + Duration::from_mins(10);
        while Instant::now() < until {
            if holds(self) {
                return;
            }
            for update in workbench.wait(Duration::from_secs(1)) {
                self.take(update);
            }
        }
        panic!("nothing came of it in ten minutes: {self:?}");
    }

    fn take(&mut self, update: Update) {
        match update {
            Update::StartFailed { cancelled: true, .. } => self.withdrawn += 1,
            Update::Waiting(waiting) => {
                self.waiting = waiting.iter().map(|waiting| waiting.number).collect();
            }
            Update::StartFailed { message, .. } | Update::RunBroken { message, .. } => {
                panic!("{message}")
            }
            Update::RunDone { run, outcome } => self.ended.push((run, outcome)),
            Update::ResumeFailed { message, .. } => self.refused = Some(message),
            Update::Stopped => self.stopped = true,
            Update::Event(event) => match (event.task, event.kind) {
                (None, EventKind::Planned { .. }) => self.runs.push(event.run),
                (Some(_), EventKind::Started { .. }) => self.begun.push(event.run),
                (Some(task), EventKind::Progress(progress)) => {
                    if progress.share() < 0.3 {
                        self.young.insert(task.clone());
                    } else {
                        self.young.remove(&task);
                    }
                    self.learning.insert((event.run, task));
                }
                (Some(task), EventKind::Paused { .. }) => {
                    self.paused.insert(task);
                }
                (Some(task), EventKind::Finished { .. }) => {
                    self.trained.insert((event.run, task));
                }
                (Some(task), EventKind::Kept { from, .. }) => {
                    self.kept.insert((event.run, task), from.map(|from| from.run));
                }
                (_, EventKind::Warning { message }) => self.warnings.push(message),
                _ => {}
            },
            _ => {}
        }
    }
}

/// What each task left, byte for byte, and what the run adds up to.
pub fn results(folder: &RunFolder) -> (BTreeMap<String, Vec<u8>>, String) {
    let mut files = BTreeMap::new();
    for task in folder.manifest().unwrap().plan.tasks {
        for name in ["weights.safetensors", "predictions.parquet"] {
            let path = folder.task(&task.id).join(name);
            // A refit predicts nothing.
            if task.role == TaskRole::Fold || name == "weights.safetensors" {
                files.insert(format!("{}/{name}", task.id), std::fs::read(path).unwrap());
            }
        }
        assert!(!folder.task(&task.id).join("checkpoint.safetensors").exists(), "it has finished");
    }
    let outcome = folder.outcome().unwrap().unwrap();
    let equity = folder.equity().unwrap();
    (files, format!("{:?} {:?} {equity:?}", outcome.outcome, outcome.summary))
}
