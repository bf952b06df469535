//! A window without a screen, for tests of what it makes of updates.

use std::path::Path;
use std::sync::LazyLock;

use super::state::RunView;
use super::{App, Options, Settings};
use crate::domain::{
    Cancel, ContentHash, Determinism, Event, EventKind, Plan, Progress, RunId, RunOutcome, Score,
    SweepId, SweepMember, Task, TaskId, TaskReport, TaskRows, UtcMillis,
};
use crate::runs::{RunEntry, RunStatus};
use crate::spec::{ExperimentSpec, apply, load};
use crate::workbench::{Update, search_text};

/// Two tasks.
pub(super) fn spec() -> ExperimentSpec {
    let one_fold = "validation.max_folds=1".parse().unwrap();
    apply(&load("linear-return").unwrap(), &[one_fold]).unwrap()
}

pub(super) fn plan() -> Plan {
    static PLAN: LazyLock<Plan> =
        LazyLock::new(|| crate::workbench::plan(&spec(), &Cancel::new()).unwrap().plan);
    PLAN.clone()
}

pub(super) fn app(runs: &Path) -> App {
    let options = Options {
        runs: runs.to_owned(),
        spec: Some(spec()),
        settings: Ok(Settings::default()),
        telemetry: false,
        software_rendered: false,
    };
    App::new(&egui::Context::default(), options).unwrap()
}

/// Tells of a run that the engine knows nothing of: nothing is told of it but what the test tells.
pub(super) fn tell(app: &mut App, run: &str, kind: EventKind) {
    let (run, at) = (RunId::new(run), UtcMillis(0));
    app.apply(Update::Event(Box::new(Event { run, task: None, seq: 0, at, kind })));
}

pub(super) fn begin(app: &mut App, run: &str) {
    tell(app, run, EventKind::Planned { plan: Box::new(plan()) });
}

/// The run ends.
pub(super) fn end(app: &mut App, run: &str, outcome: RunOutcome) {
    tell(app, run, EventKind::RunEnded { outcome, summary: Box::default() });
    app.apply(Update::RunDone { run: RunId::new(run), outcome });
}

pub(super) fn entry(run: &str, status: RunStatus) -> RunEntry {
    RunEntry {
        id: RunId::new(run),
        path: run.into(),
        experiment: "e".to_owned(),
        spec: ContentHash::of(b""),
        created: UtcMillis(0),
        ended: None,
        status,
        device: crate::domain::Device::Cpu,
        tasks: 2,
        finished: 0,
        failed: 0,
        sweep: None,
        score: None,
        tags: Vec::new(),
        notes: String::new(),
    }
}

/// One of the two variants of a sweep.
pub(super) fn member(run: &str, variant: u32, status: RunStatus) -> RunEntry {
    let (sweep, settings) = (SweepId::new("s"), Vec::new());
    let member = SweepMember { sweep, variant, variants: 2, settings };
    RunEntry { sweep: Some(member), ..entry(run, status) }
}

/// A list of the stored runs comes.
pub(super) fn list(app: &mut App, runs: Vec<RunEntry>) {
    let searched = runs.iter().map(search_text).collect();
    app.apply(Update::RunsListed { runs: Ok(runs), searched, broken: Vec::new() });
}

/// A run of so many tasks that all wait, of one series.
pub(super) fn run_of(tasks: usize) -> RunView {
    let mut plan = plan();
    let first = plan.tasks[0].clone();
    let task = |place: usize| Task {
        id: TaskId::new(format!("SYN_A-1h-fold{place:02}")),
        ..first.clone()
    };
    plan.tasks = (0..tasks).map(task).collect();
    RunView::new(RunId::new("r"), plan, UtcMillis(0))
}

/// In the third of eight epochs.
pub(super) const fn progress() -> Progress {
    Progress { epoch: 3, max_epochs: 8, batch: 0, batches: 5, samples_per_second: 1.0, times: None }
}

/// Of a task that took a second.
pub(super) fn report() -> TaskReport {
    TaskReport {
        rows: TaskRows::default(),
        epochs: 3,
        best_epoch: 2,
        train_loss: 1.0,
        validation_loss: Some(1.0),
        stopped_early: false,
        steps: 30,
        seconds: 1.0,
        model: Score::default(),
        baselines: Vec::new(),
        determinism: Determinism::default(),
        peak_memory: None,
    }
}
