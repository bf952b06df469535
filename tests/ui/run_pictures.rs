//! Pictures of the panels about runs: the list, the comparison, named models, a sweep, several runs at once.

use std::path::PathBuf;

use egui::accesskit::Role;
use walkforge::domain::{
    Bytes, Cancel, ContentHash, Device, Event, EventKind, RunId, Score, Setting, StoredTask,
    SweepId, SweepMember, TaskId, UtcMillis,
};
use walkforge::runs::{
    ComparedFigure, ComparedRun, ComparedSetting, Comparison, ModelEntry, ModelStage, RunEntry,
    RunStatus, SeedGroup, search_text,
};
use walkforge::workbench::{PlanTotals, PlannedVariant, Update, Waiting};

use crate::bench::Window;
use crate::pictures::{at_epoch, compare, experiment, open, recorded, replay, show_plan};

/// Runs of a made-up fortnight: two sweeps, runs that failed, were interrupted, and one of another program.
pub fn many_runs() -> Vec<RunEntry> {
    let hour = |hour: i64| UtcMillis(1_768_435_200_000 - hour * 3_600_000);
    let score = |rank_ic: f64, sharpe: f64| {
        Some(Score { rank_ic_ts: Some(rank_ic), sharpe: Some(sharpe), ..Score::default() })
    };
    let entry = |index: i64, experiment: &str, status, finished: u64, score| RunEntry {
        id: RunId::new(format!(
            "202601{:02}-{:02}0000-{experiment}-{index:04x}",
            15 - index / 4,
            23 - index
        )),
        experiment: experiment.to_owned(),
        spec: ContentHash::of(experiment.as_bytes()),
        created: hour(7 * index),
        ended: Some(hour(7 * index - 1)),
        status,
        device: Device::Cpu,
        tasks: 34,
        finished,
        failed: 0,
        sweep: None,
        score,
        tags: Vec::new(),
        notes: String::new(),
        path: PathBuf::new(),
    };
    let mut runs = vec![
        entry(0, "lstm-direction", RunStatus::Running, 12, None),
        entry(1, "tcn-barrier", RunStatus::Interrupted, 21, None),
    ];
    for (variant, rate) in ["0.01", "0.003", "0.001"].iter().enumerate() {
        for seed in 1..=2 {
            let place = 2 * variant as u32 + seed - 1;
            let (rank_ic, sharpe) =
                (0.021 + 0.0043 * f64::from(place), 0.9 + 0.21 * f64::from(place));
            let mut run = entry(
                2 + i64::from(place),
                "mlp-return",
                RunStatus::Finished,
                34,
                score(rank_ic, sharpe),
            );
            let setting = |path: &str, value: String| Setting { path: path.to_owned(), value };
            run.sweep = Some(SweepMember {
                sweep: SweepId::new("20260114-mlp-return"),
                variant: place,
                variants: 6,
                settings: vec![
                    setting("training.learning_rate", (*rate).to_owned()),
                    setting("seed", seed.to_string()),
                ],
            });
            runs.push(run);
        }
    }
    runs.push(entry(8, "gru-return", RunStatus::Failed, 31, score(0.0178, 0.71)));
    runs.push(entry(9, "transformer-return", RunStatus::Cancelled, 5, score(-0.0031, -0.22)));
    runs.push(entry(10, "linear-return", RunStatus::Finished, 34, score(0.0295, 1.32)));
    for (run, tags) in [(2, vec!["wide"]), (7, vec!["best", "wide"]), (10, vec!["baseline"])] {
        runs[run].tags = tags.into_iter().map(str::to_owned).collect();
    }
    "The smallest rate wins on both seeds; try longer training next."
        .clone_into(&mut runs[7].notes);
    runs
}

pub fn show_runs(window: &mut Window, runs: Vec<RunEntry>) {
    // The window's own list of its empty folder comes first.
    window.until_says("No runs yet");
    let searched = runs.iter().map(search_text).collect();
    let listed = Update::RunsListed { runs: Ok(runs), searched, broken: Vec::new() };
    window.harness.state_mut().apply(listed);
}

#[test]
fn runs_of_a_fortnight() {
    let folder = tempfile::tempdir().unwrap();
    let mut window =
        open(folder.path(), experiment(&[]), egui::Theme::Dark, "2026-01-15T09:30:00Z");
    window.until_says("10 tasks");
    window.click(Role::Tab, "Runs panel");
    let runs = many_runs();
    let ids: Vec<String> = runs.iter().map(|run| run.id.to_string()).collect();
    show_runs(&mut window, runs);
    window.until_says("11 runs");
    window.click(Role::CheckBox, &format!("Select {}", ids[7]));
    window.until_says("try longer training next");
    compare(&mut window, "runs");
    window.click(Role::CheckBox, &format!("Select {}", ids[9]));
    window.press("Delete the selected runs…");
    window.until_says("39 trained models are lost");
    compare(&mut window, "delete");
}

/// The learning rates and seeds of the sweep above, with widths.
pub fn comparison() -> Comparison {
    let runs: Vec<ComparedRun> = many_runs()[2..8]
        .iter()
        .map(|run| ComparedRun { id: run.id.clone(), experiment: run.experiment.clone() })
        .collect();
    let setting = |path: &str, values: [&str; 6]| ComparedSetting {
        path: path.to_owned(),
        values: values.map(|value| Some(value.to_owned())).to_vec(),
    };
    let figures = [
        ("IC", Some(true), [0.0189, 0.0214, 0.0277, 0.0251, 0.0312, 0.0334]),
        ("rank IC", Some(true), [0.021, 0.0253, 0.0296, 0.0339, 0.0382, 0.0425]),
        ("net return", Some(true), [0.083, 0.101, 0.142, 0.137, 0.156, 0.149]),
        ("Sharpe ratio", Some(true), [0.9, 1.11, 1.32, 1.53, 1.74, 1.95]),
        ("max drawdown", Some(false), [0.142, 0.127, 0.118, 0.121, 0.109, 0.113]),
        ("validation loss", Some(false), [0.9831, 0.9812, 0.9754, 0.9766, 0.9702, 0.9698]),
    ];
    let places = [[0, 1], [2, 3], [4, 5]];
    let of = |values: &[f64; 6], [a, b]: [usize; 2]| {
        let (mean, half) =
            (f64::midpoint(values[a], values[b]), (values[a] - values[b]).abs() / 2.0);
        (Some(mean), Some(half * std::f64::consts::SQRT_2))
    };
    let group = |pair: [usize; 2]| {
        let (means, deviations) = figures.iter().map(|(_, _, values)| of(values, pair)).unzip();
        SeedGroup { runs: pair.to_vec(), means, deviations }
    };
    Comparison {
        runs,
        settings: vec![
            setting("seed", ["1", "2", "1", "2", "1", "2"]),
            setting("training.learning_rate", ["0.01", "0.01", "0.003", "0.003", "0.001", "0.001"]),
        ],
        seed_groups: places.map(group).to_vec(),
        figures: figures
            .iter()
            .map(|(name, more_is_better, values)| ComparedFigure {
                name: (*name).to_owned(),
                more_is_better: *more_is_better,
                values: values.map(Some).to_vec(),
            })
            .collect(),
    }
}

#[test]
fn a_sweep_compared() {
    let folder = tempfile::tempdir().unwrap();
    let set = [
        r#"sweep.axes=[{"path":"training.learning_rate","values":["0.01","0.003","0.001"]}]"#,
        "sweep.seeds=[1,2]",
    ];
    let spec = experiment(&set);
    let mut window = open(folder.path(), spec.clone(), egui::Theme::Dark, "2026-01-15T09:30:00Z");
    window.until_says("60 tasks");
    show_plan(&mut window, &spec, |plan| {
        for task in &mut plan.tasks {
            (task.expected_ms, task.disk) = (Some(11_300), Bytes(1_400_000));
        }
        let from =
            |task: &TaskId| StoredTask { run: many_runs()[7].id.clone(), task: task.clone() };
        for task in &mut plan.tasks[..4] {
            task.reuse = Some(from(&task.id));
        }
    });
    let plan = walkforge::workbench::plan(&spec, &Cancel::new()).unwrap().plan;
    let variants: Vec<PlannedVariant> = spec
        .variants()
        .unwrap()
        .into_iter()
        .enumerate()
        .map(|(place, variant)| {
            let reused =
                if place == 1 { [(many_runs()[7].id.clone(), 4)].into() } else { [].into() };
            let trained = if place == 1 { 6 } else { 10 };
            let totals = PlanTotals {
                reused,
                disk: Bytes(1_400_000 * trained as u64),
                millis: 5_650 * trained as u64,
                known: trained,
                ..PlanTotals::of(&plan)
            };
            PlannedVariant { settings: variant.settings, totals: Some(totals) }
        })
        .collect();
    for ticket in 0..32 {
        let variants = Ok(variants.clone());
        window.harness.state_mut().apply(Update::VariantsPlanned { ticket, variants });
    }
    window.until_says("56 of 60 tasks");
    window.node(Role::Button, "Copy as command line").scroll_to_me();
    compare(&mut window, "sweep");

    window.click(Role::Tab, "Compare panel");
    window.until_says("Nothing to compare yet");
    compare(&mut window, "compare-empty");
    window.harness.state_mut().apply(Update::Compared(Ok(Box::new(comparison()))));
    window.until_says("6 runs, 2 settings differ");
    compare(&mut window, "compare");
}

#[test]
fn named_models() {
    let (folder, events) = recorded();
    let run = events[0].run.clone();
    let mut window =
        open(folder.path(), experiment(&[]), egui::Theme::Light, "2026-01-15T09:40:00Z");
    window.until_says("10 tasks");
    window.click(Role::Tab, "Models panel");
    window.until_says("No named models yet");
    compare(&mut window, "models-empty");
    let model = |name: &str, version, task: &str, stage, minutes: i64| ModelEntry {
        name: name.to_owned(),
        version,
        stage,
        run: run.clone(),
        task: TaskId::new(task),
        registered: UtcMillis(1_768_469_500_000 + 60_000 * minutes),
        notes: String::new(),
        tags: Vec::new(),
    };
    let mut models = vec![
        model("btc-hourly", 1, "SYN_A-1h-fold02", ModelStage::Archived, 0),
        model("btc-hourly", 2, "SYN_A-1h-fold03", ModelStage::Champion, 3),
        model("btc-hourly", 3, "SYN_A-1h-fold04", ModelStage::Candidate, 6),
        model("eth-hourly", 1, "SYN_B-1h-fold04", ModelStage::Candidate, 4),
    ];
    models[1].tags = vec!["live".to_owned()];
    models[2].notes =
        "Trained on the newest rows; to be watched for a week before it goes live.".to_owned();
    let listed = Update::ModelsListed { models: Ok(models), problem: None };
    window.harness.state_mut().apply(listed);
    window.until_says("Hit rate");
    compare(&mut window, "models");
}

/// Three runs share the machine, others wait, a task is tried again and one was taken over.
#[test]
fn several_runs() {
    let (runs, events) = recorded();
    let mut window = open(runs.path(), experiment(&[]), egui::Theme::Dark, "2026-01-15T09:30:34Z");
    window.until_says("10 tasks");
    window.click(Role::Tab, "Training panel");
    replay(&mut window, &events, at_epoch("SYN_B-1h-fold00", 6));
    for name in ["lstm-direction-a3f1", "tcn-barrier-07be"] {
        let mut event = events[0].clone();
        event.run = RunId::new(format!("20260115-093020-{name}"));
        let EventKind::Planned { plan } = &mut event.kind else { panic!("no plan") };
        plan.experiment = name[..name.len() - 5].to_owned();
        window.harness.state_mut().apply(Update::Event(Box::new(event)));
    }
    let tell = |window: &mut Window, task: &str, kind: EventKind| {
        let (run, task) = (events[0].run.clone(), Some(TaskId::new(task)));
        let at = UtcMillis(1_768_469_433_000);
        let event = Event { run, task, seq: 9999, at, kind };
        window.harness.state_mut().apply(Update::Event(Box::new(event)));
    };
    let message = "cuda:0 has no memory left for a batch of 256".to_owned();
    tell(&mut window, "SYN_B-1h-fold01", EventKind::Retrying { message, attempt: 2 });
    let report = events.iter().find_map(|event| match &event.kind {
        EventKind::Finished { report } => Some(report.clone()),
        _ => None,
    });
    let from = StoredTask { run: many_runs()[7].id.clone(), task: TaskId::new("SYN_B-1h-fold04") };
    let kept = EventKind::Kept { report: report.unwrap(), from: Some(from) };
    tell(&mut window, "SYN_B-1h-fold04", kept);
    let waiting = |number: u64, variant: u32| Waiting {
        number,
        experiment: "mlp-return".to_owned(),
        sweep: Some(SweepMember { variant, ..many_runs()[2].sweep.clone().unwrap() }),
        priority: walkforge::domain::Priority::default(),
        is_planning: variant == 2,
    };
    let mut all: Vec<Waiting> = (2..6).map(|variant| waiting(7, variant)).collect();
    all.push(Waiting {
        number: 8,
        experiment: "gru-return".to_owned(),
        sweep: None,
        priority: walkforge::domain::Priority::default(),
        is_planning: false,
    });
    window.harness.state_mut().apply(Update::Waiting(all));
    window.until_says("4 experiments wait");
    window.press("Show what waits");
    window.until_says("Give up gru-return");
    compare(&mut window, "several-runs");
}
