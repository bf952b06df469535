//! Pictures of lists that are filtered, empty or wrong, of curves drawn over each other, and of folds as a heat map.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use walkforge::domain::{Event, FoldIndex, RunOutcome, Score, UtcMillis};
use walkforge::runs::{EpochSpread, RunOutline, RunResults, RunStore, TaskResult, WholeEquity};
use walkforge::workbench::Update;

use crate::bench::Window;
use crate::pictures::{at_epoch, compare, experiment, open, recorded, replay};
use crate::run_pictures::{comparison, many_runs, show_runs};

const MOMENT: &str = "2026-01-15T09:31:10Z";

#[test]
fn runs_none_many_and_a_wrong_expression() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), experiment(&[]), egui::Theme::Dark, MOMENT);
    window.until_says("10 tasks");
    window.click(Role::Tab, "Results panel");
    window.until_says("No results yet");
    compare(&mut window, "results-empty");
    window.click(Role::Tab, "Runs panel");
    window.until_says("No runs yet");
    compare(&mut window, "runs-empty");
    show_runs(&mut window, many_runs());
    window.until_says("11 runs");
    window.set_search("Search runs", "status:finished rank_ic>0.025");
    window.until_says("6 of 11 runs");
    window.set_search("Search runs", "status:finished rnk_ic>0.025 tag:best");
    window.until_says("did you mean rank_ic?");
    compare(&mut window, "runs-filter-error");
    window.set_search("Search runs", "status:finished rank_ic>0.025");
    window.until("no error", |window| !window.says("did you mean"));
    window.press("What can be searched for");
    window.until_says("the sweep it is a variant of");
    compare(&mut window, "runs-filter-help");
}

/// One of this session, which trains.
#[test]
fn runs_while_one_trains() {
    let (folder, events) = recorded();
    let mut window = open(folder.path(), experiment(&[]), egui::Theme::Dark, MOMENT);
    window.until_says("10 tasks");
    window.click(Role::Tab, "Runs panel");
    window.until_says("1 run");
    replay(&mut window, &events, at_epoch("SYN_B-1h-fold00", 6));
    window.until("a run that trains", |window| window.says("running"));
    compare(&mut window, "runs-busy");
    window.click(Role::Tab, "Results panel");
    window.choose("Run", &live_name(&events));
    window.until_says("The folds that have finished so far");
    compare(&mut window, "results-busy");
}

/// As Results lists a run that trains.
fn live_name(events: &[Event]) -> String {
    let name = format!("mlp-return · {}", walkforge::domain::text::minute(events[0].at));
    let ended = events
        .iter()
        .take_while(|event| !at_epoch("SYN_B-1h-fold00", 6)(event))
        .filter(|event| matches!(event.kind, walkforge::domain::EventKind::Finished { .. }))
        .count();
    format!("{name} · {ended}/10 · running")
}

/// Fourteen symbols in seventeen folds, made of one recorded fold: some of them failed, some have not finished.
fn many_folds(results: &RunResults) -> RunResults {
    let pattern = &results.tasks[0];
    let task = |symbol: usize, fold: usize| {
        let mut one: TaskResult = pattern.clone();
        let name =
            format!("{}_USDT", ["BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC"][symbol % 7]);
        let name = if symbol < 7 { name } else { format!("{name}_PERPETUAL") };
        one.task.symbols = vec![name.parse().unwrap()];
        one.task.fold.index = FoldIndex(fold as u32);
        let wave = (0.9 * symbol as f64 + 0.37 * fold as f64).sin();
        let value = 0.012 + 0.03 * wave - 0.0009 * fold as f64;
        if let Some(report) = &mut one.report {
            report.model = Score {
                ic_ts: Some(0.9 * value),
                rank_ic_ts: Some(value),
                hit_rate: Some(0.5 + value),
                total_return: Some(3.0 * value),
                sharpe: Some(40.0 * value),
                max_drawdown: Some(0.09 + 0.05 * wave.abs()),
                ..report.model
            };
        }
        match (symbol * 17 + fold) % 41 {
            7 => {
                one.report = None;
                one.failure = Some("the training loss is NaN".to_owned());
            }
            19 => one.report = None,
            _ => {}
        }
        one
    };
    let tasks = (0..14).flat_map(|symbol| (0..17).map(move |fold| (symbol, fold)));
    let tasks = tasks.map(|(symbol, fold)| task(symbol, fold)).collect();
    RunResults { tasks, ..results.clone() }
}

fn heat_maps(theme: egui::Theme) {
    let suffix = if theme == egui::Theme::Dark { "" } else { "-light" };
    let (folder, events) = recorded();
    let run = events[0].run.clone();
    let mut window = open(folder.path(), experiment(&[]), theme, MOMENT);
    window.until_says("10 tasks");
    replay(&mut window, &events, |_| false);
    let done = Update::RunDone { run: run.clone(), outcome: RunOutcome::Finished };
    window.harness.state_mut().apply(done);
    window.until_says("mlp-return finished: 10 tasks");
    window.press("Show results");
    window.until_says("Rank IC of 2 series in 5 folds");
    to_image(&mut window, "Drawdown of All symbols");
    compare(&mut window, &format!("results-drawdown{suffix}"));
    let results = RunStore::find(folder.path(), run.as_str()).unwrap().results().unwrap();
    let results = Ok(Box::new(many_folds(&results)));
    window.harness.state_mut().apply(Update::ResultsLoaded { run, results });
    window.until_says("Rank IC of 14 series in 17 folds");
    to_image(&mut window, "Rank IC of 14 series");
    compare(&mut window, &format!("results-heat-map{suffix}"));
}

/// Scrolls to a plot.
fn to_image(window: &mut Window, name: &str) {
    let mut found = window.harness.query_all_by_label_contains(name);
    found.next().unwrap().scroll_to_me();
    drop(found);
    window.harness.run_steps(6);
}

#[test]
fn heat_map_and_drawdown_dark() {
    heat_maps(egui::Theme::Dark);
}

#[test]
fn heat_map_and_drawdown_light() {
    heat_maps(egui::Theme::Light);
}

#[test]
fn results_that_cannot_be_read() {
    let (folder, events) = recorded();
    let run = events[0].run.clone();
    let mut window = open(folder.path(), experiment(&[]), egui::Theme::Dark, MOMENT);
    window.until_says("10 tasks");
    window.click(Role::Tab, "Results panel");
    window.until_says("always long");
    let message = "runs/20260115-093000-mlp-return-5eed/equity.parquet: a row without the equity of every predictor; the file is damaged, restore it or train the run again";
    let results = Err(message.to_owned());
    window.harness.state_mut().apply(Update::ResultsLoaded { run, results });
    window.until_says("the file is damaged");
    compare(&mut window, "results-error");
}

/// How a run of the sweep learnt, and what it earned.
fn outline(place: usize) -> RunOutline {
    let rate = [0.6, 0.35, 0.2][place / 2];
    let epochs = 14 + 3 * (place as u32 / 2);
    let spread = |epoch: u32| {
        let learnt = (-rate * f64::from(epoch)).exp();
        let overfit = 0.0016 * rate * f64::from(epoch).powf(1.35);
        let mean = 0.962 + 0.05 * learnt + overfit + 0.004 * (place % 2) as f64;
        let width = 0.012 + 0.0006 * f64::from(epoch);
        EpochSpread { epoch, tasks: 34, mean, middle: Some((mean - width, mean + width)) }
    };
    let mut value = 1.0;
    let drift = 0.000_06 + 0.000_02 * place as f64;
    let equity = (0..2500_u32).map(|hour| {
        let turn = f64::from(hour) * (0.013 + 0.002 * place as f64);
        value *= 1.0 + drift + 0.0021 * turn.sin() * (0.37 * turn).cos();
        value
    });
    let hour = |hour: i64| UtcMillis(1_740_000_000_000 + 3_600_000 * hour);
    RunOutline {
        validation: (1..=epochs).map(spread).collect(),
        equity: vec![WholeEquity {
            symbol: None,
            timeframe: "1h".parse().unwrap(),
            times: (0..2500).map(hour).collect(),
            equity: equity.collect(),
        }],
    }
}

fn compared_curves(theme: egui::Theme, name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), experiment(&[]), theme, MOMENT);
    window.until_says("10 tasks");
    window.click(Role::Tab, "Compare panel");
    window.until_says("Nothing to compare yet");
    let runs = comparison().runs;
    window.harness.state_mut().apply(Update::Compared(Ok(Box::new(comparison()))));
    window.until_says("6 runs, 2 settings differ");
    window.press("Curves");
    // The engine knows none of them.
    window.until("six refusals", |window| {
        window.harness.query_all_by_label_contains("mlp-return · 000").count() == 6
    });
    for (place, run) in runs.into_iter().enumerate() {
        let outline = Ok(Box::new(outline(place)));
        window.harness.state_mut().apply(Update::OutlineLoaded { run: run.id, outline });
    }
    window.until_says("Validation loss of mlp-return · 0002");
    compare(&mut window, name);
}

#[test]
fn compared_curves_dark() {
    compared_curves(egui::Theme::Dark, "compare-curves");
}

#[test]
fn compared_curves_light() {
    compared_curves(egui::Theme::Light, "compare-curves-light");
}

#[test]
fn runs_that_cannot_be_compared() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = open(folder.path(), experiment(&[]), egui::Theme::Dark, MOMENT);
    window.until_says("10 tasks");
    window.click(Role::Tab, "Compare panel");
    let message = "there is no run `20260114-160000-mlp-return-0007` in runs; `walkforge runs list` shows those there are";
    window.harness.state_mut().apply(Update::Compared(Err(message.to_owned())));
    window.until_says("there is no run");
    compare(&mut window, "compare-error");
}
