//! Pictures of the window in `screenshots/`, compared at every run. `UPDATE_SNAPSHOTS=1 cargo test --test ui pictures` writes them anew: open
//! each one at full size afterwards.
//!
//! What they show was recorded from a real run (`tests/pictures/make_run.py`), so no picture depends on the clock, on the number of cores or
//! on the last digits of another processor.

use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::SnapshotOptions;
use egui_kittest::kittest::Queryable as _;
use tempfile::TempDir;
use walkforge::devices::{
    CardProcess, CpuInfo, CudaInfo, DiskReading, Facts, HostReading, Inventory, MachineReading,
    MpsInfo, NvmlReading, recommend,
};
use walkforge::domain::{
    Bytes, Cancel, Determinism, Device, Event, EventKind, Plan, RunOutcome, TaskId, TaskRole,
    UtcMillis,
};
use walkforge::spec::{ExperimentSpec, Precision, apply, load};
use walkforge::ui::Settings;
use walkforge::workbench::{Contrast, LeakCheck, LeakReport, PredictorContrast, Subject, Update};

use crate::bench::Window;

pub const GIB: u64 = 1 << 30;

/// Software Vulkan draws the same from run to run; versions of Mesa differ a little in the edges of letters.
pub fn compare(window: &mut Window, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let options = SnapshotOptions::new().output_path(folder).threshold(0.8).max_failed_pixels(40);
    // Spark lines come when their series are read.
    window.until("every series in view", |window| !window.says(": being read"));
    window.harness.remove_cursor();
    window.harness.run_steps(8);
    window.harness.snapshot_options(name, &options);
}

/// The folder of the recorded run, copied so that nothing is written into the project.
pub fn recorded() -> (TempDir, Vec<Event>) {
    let runs = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/runs");
    copy(&from, runs.path());
    let run: PathBuf = runs.path().read_dir().unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (runs, events)
}

fn copy(from: &Path, to: &Path) {
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
    // What the recording leaves out, because no picture shows it.
    if to.join("metadata.json").is_file() {
        for name in ["weights.safetensors", "history.parquet", "predictions.parquet"] {
            std::fs::write(to.join(name), []).unwrap();
        }
    }
}

/// The experiment of the recording.
pub fn experiment(set: &[&str]) -> ExperimentSpec {
    let common = ["validation.max_folds=5", "resources.device=cpu", "resources.workers=2"];
    let assignments: Vec<_> = common.iter().chain(set).map(|text| text.parse().unwrap()).collect();
    apply(&load("mlp-return").unwrap(), &assignments).unwrap()
}

/// A machine of two cores without a GPU, five minutes after the start.
pub fn small_machine(window: &mut Window) {
    let inventory = Inventory {
        cpu: CpuInfo {
            cores: 2,
            memory_total: Some(Bytes(24 * GIB)),
            memory_available: Some(Bytes(20 * GIB)),
        },
        cuda: Vec::new(),
        no_cuda_because: Some(
            "no NVIDIA driver is installed: libnvidia-ml was not found".to_owned(),
        ),
        driver_version: None,
        mps: MpsInfo { available: false, reason: Some("MPS exists on macOS only".to_owned()) },
        libtorch: "2.11.0".to_owned(),
    };
    let readings = (0..180).map(|second| reading(second, Vec::new())).collect();
    window.harness.state_mut().observe(inventory, readings);
}

/// A made-up workstation with two cards, one of which says little: this machine has none to show.
pub fn large_machine(window: &mut Window) {
    let card = |index: u32, second: i64| {
        let known = index == 0;
        let wave = wave(second, 40.0);
        NvmlReading {
            name: Some("NVIDIA H100 80GB HBM3".to_owned()),
            memory_total: Some(Bytes(80 * GIB)),
            memory_used: Some(Bytes((12.0 + 6.0 * wave) as u64 * GIB)),
            memory_own: known.then_some(Bytes(9 * GIB)),
            utilization_percent: Some((70.0 + 25.0 * wave) as u32),
            memory_utilization_percent: known.then_some(38),
            sm_clock_mhz: known.then_some(1_980),
            memory_clock_mhz: known.then_some(2_619),
            temperature_celsius: known.then_some((55.0 + 8.0 * wave) as u32),
            power_watts: known.then_some(420.0 + 120.0 * wave),
            power_limit_watts: known.then_some(700.0),
            compute_capability: Some("9.0".to_owned()),
            processes: known.then(processes),
            ..NvmlReading::default()
        }
    };
    let cards =
        |second: i64| (0..2).map(|index| (Device::Cuda(index), card(index, second))).collect();
    let cuda = |index| CudaInfo { device: Device::Cuda(index), reading: card(index, 0) };
    let inventory = Inventory {
        cpu: CpuInfo {
            cores: 32,
            memory_total: Some(Bytes(256 * GIB)),
            memory_available: Some(Bytes(200 * GIB)),
        },
        cuda: vec![cuda(0), cuda(1)],
        no_cuda_because: None,
        driver_version: Some("580.65.06".to_owned()),
        mps: MpsInfo { available: false, reason: Some("MPS exists on macOS only".to_owned()) },
        libtorch: "2.11.0".to_owned(),
    };
    let readings = (0..300).map(|second| reading(second, cards(second))).collect();
    window.harness.state_mut().observe(inventory, readings);
}

/// Two: the program itself would have this process's number, which is another every time.
fn processes() -> Vec<CardProcess> {
    let process = |pid, name: &str, gib: u64| CardProcess {
        pid,
        name: Some(name.to_owned()),
        memory: Some(Bytes(gib * GIB)),
    };
    vec![process(41_207, "walkforge", 9), process(38_115, "python3", 3)]
}

fn wave(second: i64, period: f64) -> f64 {
    (second as f64 * std::f64::consts::TAU / period).sin()
}

pub fn reading(second: i64, cuda: Vec<(Device, NvmlReading)>) -> MachineReading {
    let busy = second > 60;
    let load = if busy { 92.0 + 6.0 * wave(second, 17.0) } else { 6.0 + 4.0 * wave(second, 9.0) };
    let used = 3.4 + if busy { 0.9 } else { 0.0 } + 0.1 * wave(second, 23.0);
    let host = HostReading {
        utilization_percent: Some(load),
        memory_total: Some(Bytes(24 * GIB)),
        memory_used: Some(Bytes((used * GIB as f64) as u64)),
        memory_own: Some(Bytes(if busy { 1_288_490_188 } else { 402_653_184 })),
        disk: Some(DiskReading { total: Bytes(931 * GIB), free: Bytes(412 * GIB) }),
    };
    MachineReading { at: UtcMillis(1_768_469_400_000 + 1000 * second), host, cuda }
}

/// Tells the window what the recorded run told, until the task at `place` in the plan has trained so many epochs.
pub fn replay(window: &mut Window, events: &[Event], until: impl Fn(&Event) -> bool) {
    for event in events {
        window.harness.state_mut().apply(Update::Event(Box::new(event.clone())));
        if until(event) {
            return;
        }
    }
}

pub fn at_epoch(task: &'static str, epoch: u32) -> impl Fn(&Event) -> bool {
    move |event| {
        event.task.as_ref().is_some_and(|id| id.as_str() == task)
            && matches!(&event.kind, EventKind::Progress(progress) if progress.epoch == epoch)
    }
}

pub fn open(runs: &Path, spec: ExperimentSpec, theme: egui::Theme, moment: &str) -> Window {
    let moment = moment.parse().unwrap();
    let mut window =
        Window::built(runs, Some(spec), Settings::default().with_theme(theme), Some(moment));
    small_machine(&mut window);
    window
}

#[test]
fn idle() {
    // The help names the folder, so it must be called the same on every machine: relative to the package, where tests run.
    let runs = Path::new("target/tmp/runs");
    let _left_from_before = std::fs::remove_dir_all(runs);
    let spec = load("mlp-return").unwrap();
    let of_this_machine = ["resources.device=cpu", "resources.workers=2"];
    let set: Vec<_> = of_this_machine.iter().map(|text| text.parse().unwrap()).collect();
    let spec = apply(&spec, &set).unwrap();
    let mut window = open(runs, spec.clone(), egui::Theme::Dark, "2026-01-15T09:29:00Z");
    window.until_says("34 tasks");
    show_plan(&mut window, &spec, |_| {});
    compare(&mut window, "idle");
    window.shortcut(Modifiers::NONE, Key::F1);
    window.until_says("Version");
    compare(&mut window, "help");
}

/// Half of the tasks are done, two are at work.
pub fn running(theme: egui::Theme) -> (TempDir, Window) {
    let (runs, events) = recorded();
    let mut window = open(runs.path(), experiment(&[]), theme, "2026-01-15T09:30:33Z");
    train_half(&mut window, &events);
    (runs, window)
}

/// Plays the recorded run until half of its tasks are done, with its curves in front.
pub fn train_half(window: &mut Window, events: &[Event]) {
    window.until_says("10 tasks");
    window.click(Role::Tab, "Training panel");
    replay(window, events, at_epoch("SYN_B-1h-fold00", 6));
    window.until_says("Loss curves of 2 tasks");
}

#[test]
fn running_dark() {
    let (_runs, mut window) = running(egui::Theme::Dark);
    compare(&mut window, "running");
    window.ask_to_close();
    window.until_says("Quit while something runs?");
    compare(&mut window, "quit");
}

#[test]
fn running_light() {
    let (_runs, mut window) = running(egui::Theme::Light);
    compare(&mut window, "running-light");
}

/// The whole recorded run, with its results in front.
fn finished(theme: egui::Theme) -> (TempDir, Window) {
    let (runs, events) = recorded();
    let mut window = open(runs.path(), experiment(&[]), theme, "2026-01-15T09:31:10Z");
    window.until_says("10 tasks");
    replay(&mut window, &events, |_| false);
    let run = events[0].run.clone();
    let done = Update::RunDone { run, outcome: RunOutcome::Finished };
    window.harness.state_mut().apply(done);
    window.until_says("mlp-return finished: 10 tasks");
    window.press("Show results");
    window.until_says("always long");
    (runs, window)
}

#[test]
fn finished_dark() {
    let (_runs, mut window) = finished(egui::Theme::Dark);
    compare(&mut window, "finished");
    window.shortcut(Modifiers::COMMAND, Key::E);
    window.until_says("All finished models (10)");
    compare(&mut window, "export");
}

#[test]
fn finished_light() {
    let (_runs, mut window) = finished(egui::Theme::Light);
    compare(&mut window, "finished-light");
}

#[test]
fn errors() {
    let (runs, events) = recorded();
    let spec = experiment(&["validation.train=100000", "training.learning_rate=0.0"]);
    let mut window = open(runs.path(), spec, egui::Theme::Dark, "2026-01-15T09:30:40Z");
    window.until_says("Start waits");
    replay(&mut window, &events, at_epoch("SYN_A-1h-fold04", 3));
    // As the trainer words it.
    let failed = EventKind::Failed {
        message: "training diverged in epoch 4, batch 7 of 12: the training loss is NaN at a learning rate of 1e-3; epoch 3 was the last \
                  good one, with a training loss of 0.9597; lower training.learning_rate, set training.gradient_clip_val, or look for \
                  extreme values in the data (`walkforge data inspect`)"
            .to_owned(),
    };
    let mut of_task = events.iter();
    let of_task = of_task.find(|event| at_epoch("SYN_A-1h-fold04", 3)(event)).unwrap();
    let event = Event { kind: failed, at: UtcMillis(1_768_469_440_000), ..of_task.clone() };
    window.harness.state_mut().apply(Update::Event(Box::new(event.clone())));
    window.until_says("SYN_A-1h-fold04");
    window.click(Role::Label, "SYN_A-1h-fold04");
    window.set_text("Data folder", "/data/kraken");
    window.until_says("there is no such folder");
    compare(&mut window, "error");
}

#[test]
fn graphics_cards() {
    let runs = tempfile::tempdir().unwrap();
    let spec = experiment(&[]);
    let mut window = open(runs.path(), spec.clone(), egui::Theme::Dark, "2026-01-15T09:35:00Z");
    large_machine(&mut window);
    window.until_says("10 tasks");
    // One card says much and the other little; what it does not say has a line nevertheless.
    for name in ["GPU load", "SM clock", "Memory traffic"] {
        assert_eq!(window.harness.query_all_by_label(name).count(), 2, "{name}");
    }
    assert_eq!(window.harness.query_all_by_label("python3 (38115)").count(), 1);
    show_plan(&mut window, &spec, |_| {});
    compare(&mut window, "graphics-cards");
}

/// What the leak check really finds in the default experiment.
#[test]
fn checks_clean() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), experiment(&[]), egui::Theme::Dark, "2026-01-15T09:33:00Z");
    window.until_says("10 tasks");
    window.press("Checks");
    window.press("Check for leaks");
    window.until_says("Nothing leaks");
    let group = window.text().lines().find(|line| line.starts_with("Label: ")).unwrap().to_owned();
    window.click(Role::DisclosureTriangle, &group);
    compare(&mut window, "checks-clean");
}

/// A made-up report: no feature that comes with the program leaks.
#[test]
fn checks_leak() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), experiment(&[]), egui::Theme::Light, "2026-01-15T09:34:00Z");
    window.until_says("10 tasks");
    window.press("Checks");
    window.click(Role::CheckBox, "Also compare with shuffled folds");
    window.harness.state_mut().show_report(leaky_report());
    window.until_says("of 27 checks failed");
    compare(&mut window, "checks-leak");
}

fn leaky_report() -> LeakReport {
    let check = |subject: Subject, name: String, evidence: &str, culprit: Option<&str>| LeakCheck {
        subject,
        name,
        evidence: evidence.to_owned(),
        culprit: culprit.map(str::to_owned),
    };
    let leak = "row 1999 of SYN_A (bar closing 2021-03-25T08:00:00Z) is 0.0131 on all 12000 bars but 0.0118 on the 2000 that had closed by \
                2021-03-25T08:00:00Z; a row must depend only on bars that closed at or before its own close";
    let cuts = "85 710 rows at 6 cuts";
    let mut checks = vec![check(Subject::Feature, "centred_mean_9".to_owned(), cuts, Some(leak))];
    checks.extend(
        [1, 2, 4, 8, 24]
            .map(|lag| check(Subject::Feature, format!("log_return_{lag}"), cuts, None)),
    );
    checks.push(check(
        Subject::Label,
        "forward return at 1h".to_owned(),
        "71 940 labels at 6 moments",
        None,
    ));
    let folds =
        || (0..10).map(|fold| format!("SYN_{}-1h-fold{:02}", ["A", "B"][fold / 5], fold % 5));
    checks.extend(folds().map(|fold| {
        let rows = "2 949 train and 499 validation rows against 500 test rows; 2 had been purged";
        check(Subject::Fold, fold, rows, None)
    }));
    checks.extend(folds().map(|fold| {
        let rows = "scaler and label moments of 2 949 train rows, with 9 051 other rows changed";
        check(Subject::Fit, fold, rows, None)
    }));
    let predictor = |name: &str, honest: f64, t: f64, shuffled: f64| PredictorContrast {
        name: name.to_owned(),
        timeframe: "1h".parse().unwrap(),
        honest: Some(honest),
        honest_t: Some(t),
        shuffled: Some(shuffled),
    };
    let predictors =
        vec![predictor("model", 0.0335, 4.21, 0.106), predictor("ridge", 0.0312, 4.02, 0.0318)];
    let contrast =
        Some(Contrast { metric: "rank IC across symbols", predictors, shuffled_folds: 5 });
    LeakReport { experiment: "mlp-return".to_owned(), checks, contrast }
}

#[test]
fn distributions() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), experiment(&[]), egui::Theme::Dark, "2026-01-15T09:35:00Z");
    window.until_says("10 tasks");
    window.press("Checks");
    window.press("Distributions");
    window.until_says("Distribution of log_return_1 in");
    compare(&mut window, "distributions");
}

#[test]
fn feature_over_price() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), experiment(&[]), egui::Theme::Light, "2026-01-15T09:36:00Z");
    window.until_says("10 tasks");
    window.press("Checks");
    window.press("Over the price");
    window.until_says("log_return_1 of SYN_A 1h");
    for column in ["log_return_2", "log_return_4", "log_return_8", "log_return_24"] {
        window.press("Next column");
        window.until_says(&format!("{column} of SYN_A 1h"));
    }
    window.press("Next column");
    window.until_says("realized_volatility_24 of SYN_A 1h");
    compare(&mut window, "feature-over-price");
}

/// Shows what the engine plans for an experiment, changed: what it recommends and finds by trying depends on the machine.
pub fn show_plan(window: &mut Window, spec: &ExperimentSpec, change: impl FnOnce(&mut Plan)) {
    let mut plan = walkforge::workbench::plan(spec, &Cancel::new()).unwrap().plan;
    plan.recommendations.clear();
    change(&mut plan);
    // Whichever was asked last.
    for ticket in 0..32 {
        let plan = Ok(Box::new(plan.clone()));
        window.harness.state_mut().apply(Update::Previewed { ticket, plan });
    }
}

/// What is recommended where one worker runs on two cores, in the words of those who recommend.
fn recommendations() -> Vec<String> {
    recommend(&Facts {
        device: Device::Cpu,
        cores: 2,
        workers: 1,
        threads_per_task: 1,
        tasks: 12,
        batch_size: 512,
        train_rows: 3000,
        task_bytes: Bytes(9_000_000),
        budget: Some(Bytes(GIB)),
        precision: Precision::F32,
    })
}

#[test]
fn training_options() {
    let runs = tempfile::tempdir().unwrap();
    let set = [
        r#"training.schedule={"Cosine":{"warmup_epochs":2.0,"final_share":0.05}}"#,
        r#"training.loss={"Huber":{"delta":1.5}}"#,
        "training.refit=true",
    ];
    let spec = experiment(&set);
    let mut window = open(runs.path(), spec.clone(), egui::Theme::Dark, "2026-01-15T09:29:30Z");
    window.until_says("Fold 0: train");
    show_plan(&mut window, &spec, |plan| {
        let found = "batch size 512 was found, 1.7 times as many samples a second as at 256; 1\u{202f}024 is no faster";
        plan.decisions = vec![found.to_owned()];
        plan.recommendations = recommendations();
        plan.workers = 1;
    });
    window.until_says("is idle");
    window.node(Role::ComboBox, "Precision").scroll_to_me();
    compare(&mut window, "training-options");
}

/// A paused run: two tasks stand at a checkpoint, the others wait.
#[test]
fn paused() {
    let (runs, mut events) = recorded();
    let mut window = open(runs.path(), experiment(&[]), egui::Theme::Dark, "2026-01-15T09:30:34Z");
    window.until_says("10 tasks");
    let EventKind::Planned { plan } = &mut events[0].kind else { panic!("no plan") };
    let mut refit = plan.tasks[9].clone();
    refit.role = TaskRole::Refit;
    refit.id = TaskId::new("SYN_B-1h-refit");
    refit.after = plan.tasks[5..].iter().map(|fold| fold.id.clone()).collect();
    plan.tasks.push(refit);
    for event in &mut events {
        if let EventKind::Finished { report } = &mut event.kind {
            report.determinism = Determinism::BitForBit;
            report.peak_memory = Some(Bytes(9_437_184));
        }
    }
    window.click(Role::Tab, "Training panel");
    replay(&mut window, &events, at_epoch("SYN_B-1h-fold00", 6));
    window.until_says("Loss curves of 2 tasks");
    window.press("Pause");
    for task in ["SYN_A-1h-fold04", "SYN_B-1h-fold00"] {
        let started = events.iter().find(|event| {
            matches!(event.kind, EventKind::Started { .. })
                && event.task.as_ref().is_some_and(|id| id.as_str() == task)
        });
        let at = UtcMillis(1_768_469_434_000);
        let kind = EventKind::Paused { steps: 70 };
        if let Some(event) = started {
            let event = Event { kind, at, ..event.clone() };
            window.harness.state_mut().apply(Update::Event(Box::new(event)));
        }
    }
    window.until_says("paused: ");
    compare(&mut window, "paused");
}
