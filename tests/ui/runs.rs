//! Sweeps, the runs on disk, runs that go on after an end, and named models, as people meet them in the window.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use walkforge::domain::{RunId, RunOutcome};
use walkforge::runs::{ModelStage, RunEntry, RunFilter, RunIndex, RunStatus};
use walkforge::spec::ExperimentSpec;
use walkforge::ui::Settings;

use crate::bench::Window;
use crate::run_pictures::{many_runs, show_runs};
use crate::stories::{last_epoch, logged, only_run, outcome, runs_in, spec};

/// A second of work.
fn small(set: &[&str]) -> ExperimentSpec {
    let common = ["validation.max_folds=1", "training.max_epochs=2", "data.source.bars=4000"];
    spec("mlp-return", &common.iter().chain(set).copied().collect::<Vec<_>>())
}

fn entries(runs: &Path) -> Vec<RunEntry> {
    RunIndex::open(runs).unwrap().runs(&RunFilter::default()).unwrap()
}

#[test]
fn a_sweep_is_set_in_the_window_and_compared_in_one_table() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), small(&[]));
    window.until_enabled("Start");
    window.press("Vary a field");
    window.until_says("Start waits: sweep.axes[0]");
    window.set_text("Field 1", "learning");
    window.press("Vary training.learning_rate");
    window.set_text("Values 1", "0.01, x");
    window.until_says("x: ");
    window.set_text("Values 1", "0.01, 0.003, 0.001");
    window.press("Vary a field");
    window.set_text("Field 2", "model.hidden");
    window.set_text("Values 2", "[8], [4,4]");
    window.set_text("Seeds", "1, 2");
    window.until_says("12 variants (3 × 2 × 2 seeds)");
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("12 runs of the sweep, all finished");

    let stored = entries(runs.path());
    let settings: BTreeSet<_> =
        stored.iter().map(|run| run.sweep.as_ref().unwrap().settings.clone()).collect();
    assert_eq!((stored.len(), settings.len()), (12, 12));

    window.press("Compare the sweep");
    window.until_says("12 runs, 3 settings differ");
    let shown = |window: &Window, text: &str| {
        let found = window.harness.query_all_by_label_contains(text);
        // A row is called by its first cell.
        found.filter(|node| node.accesskit_node().role() != Role::Row).count()
    };
    assert_eq!(shown(&window, "mean ± σ of 2 seeds"), 6, "{}", window.text());
    window.choose("Rows to show", "means over seeds");
    window.until("means alone", |window| shown(window, "Results of 2") == 0);
    assert_eq!(shown(&window, "mean ± σ of 2 seeds"), 6);
    window.choose("Rows to show", "runs");
    window.until("runs alone", |window| shown(window, "mean ± σ of 2 seeds") == 0);
    assert_eq!(shown(&window, "Results of 2"), 12);
    window.press("Sort by Learning rate");
    window.until("the smallest first", |window| {
        let text = window.text();
        text.find("0.001")
            .is_some_and(|first| text.find("0.01\n").is_none_or(|later| first < later))
    });

    // The list of runs names the variants, and finds them.
    window.click(Role::Tab, "Runs panel");
    window.set_search("Search runs", "training.learning_rate=0.003 model.hidden=[8]");
    window.until_says("2 of 12 runs");
}

#[test]
fn checkpoint_and_quit_keeps_everything_and_the_next_start_resumes() {
    let runs = tempfile::tempdir().unwrap();
    let set = [
        "data.source.bars=6000",
        "validation.max_folds=2",
        "training.max_epochs=400",
        "training.patience=null",
        "resources.checkpoint_secs=0",
    ];
    let mut window = Window::on(runs.path(), small(&set));
    window.until_enabled("Start");
    window.press("Start");
    // One has finished, others are at work.
    window.until("a finished task", |window| !finished_in(window).is_empty());
    window.ask_to_close();
    window.until_says("Quit while something runs?");
    window.press("Checkpoint and quit");
    window.until("the window to close", Window::closes);
    let kept = finished_in(&window);
    assert!(!kept.is_empty() && kept.len() < 4, "{kept:?}");
    drop(window);
    let stored = entries(runs.path());
    assert_eq!((stored.len(), stored[0].status), (1, RunStatus::Interrupted));
    assert_eq!(stored[0].finished as usize, kept.len());

    let mut window = Window::again(runs.path(), Settings::default());
    window.until_says("A run was interrupted: mlp-return");
    window.press("Show the runs");
    window.until_says("1 run, 1 selected");
    window.press("Resume the selected runs");
    window.until_says("mlp-return finished: 4 tasks");
    assert_eq!(outcome(&only_run(runs.path())).outcome, RunOutcome::Finished);
    let trained = finished_in(&window);
    assert!(trained.is_disjoint(&kept), "{trained:?} and {kept:?}");
    assert_eq!(trained.len() + kept.len(), 4);
    // What was kept has its curve, which was learnt before this window was opened.
    window.click(Role::Tab, "Training panel");
    window.click(Role::Label, kept.first().unwrap());
    window.until_says(&format!("{}, best epoch", kept.first().unwrap()));
    assert_eq!(last_epoch(&window), 400);
}

/// Before anything has finished; and by the button of the notice.
#[test]
fn a_run_that_has_just_begun_is_checkpointed_and_resumed_too() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["training.max_epochs=100", "training.patience=null", "resources.checkpoint_secs=0"];
    let mut window = Window::on(runs.path(), small(&set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("Loss curves of 2 tasks");
    window.ask_to_close();
    window.until_says("Checkpoint and quit");
    window.press("Checkpoint and quit");
    window.until("the window to close", Window::closes);
    drop(window);
    assert_eq!(entries(runs.path())[0].status, RunStatus::Interrupted);
    let mut window = Window::again(runs.path(), Settings::default());
    window.until_says("A run was interrupted: mlp-return, 0 of 2 tasks finished");
    window.press("Resume");
    window.until_says("mlp-return finished: 2 tasks");
    // What was learnt before stands before what was learnt after.
    window.click(Role::Label, "SYN_A-1h-fold00");
    window.until_says("SYN_A-1h-fold00, best epoch");
    assert_eq!(last_epoch(&window), 100);
}

/// The tasks that were trained to their end in this window.
fn finished_in(window: &Window) -> BTreeSet<String> {
    let text = window.text();
    let of_tasks = text.lines().filter(|line| line.starts_with("SYN_"));
    of_tasks.filter_map(|line| Some(line.split_once(": best epoch")?.0.to_owned())).collect()
}

/// Gives a name to a model of the run that is selected in the list of runs, and promotes it.
#[track_caller]
pub fn make_champion(window: &mut Window, runs: &Path, name: &str) {
    window.press("Name a model of the selected run");
    window.until_says("tested from");
    window.set_text("Model name", name);
    window.until_says(&format!("{name}@1"));
    window.press("Make champion");
    window.until("a champion", |_| {
        let models = RunIndex::open(runs).unwrap().models().unwrap();
        models.len() == 1 && models[0].stage == ModelStage::Champion
    });
}

#[test]
fn runs_are_found_annotated_named_compared_exported_and_deleted() {
    let (runs, exports) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut window = Window::on(runs.path(), small(&[]));
    window.click(Role::Tab, "Runs panel");
    window.until_says("No runs yet");
    for (epochs, done) in [("2", 1), ("3", 2)] {
        window.set_number("Max epochs", epochs);
        window.until_enabled("Start");
        window.press("Start");
        window.until("the run's end", |_| {
            let stored = entries(runs.path());
            stored.iter().filter(|run| run.status == RunStatus::Finished).count() == done
        });
    }
    window.click(Role::Tab, "Runs panel");
    window.until_says("2 runs");
    window.until("both to be listed as finished", |window| {
        window.harness.query_all_by_label_contains("2/2").count() == 2
    });
    let ids: Vec<String> = entries(runs.path()).iter().map(|run| run.id.to_string()).collect();
    let [newer, older] = ids.as_slice() else { panic!("{ids:?}") };
    assert!(!window.is_enabled("Compare the selected runs"));

    // Tags and notes.
    window.click(Role::CheckBox, &format!("Select {older}"));
    window.press("Tags and notes of the selected run");
    window.until_says("Keep notes");
    window.set_text("Tags, with commas between them", "baseline, first");
    window.until_says("baseline, first");
    window.set_search("Search runs", "BASELINE");
    window.until_says("1 of 2 runs");
    window.set_search("Search runs", " ");
    window.until_says("2 runs, 1 selected");

    // A name for one of its models.
    make_champion(&mut window, runs.path(), "hourly");
    window.until_says("Hit rate");
    window.press("Export hourly@1");
    window.until_says("Export trained models");
    let to = exports.path().join("models");
    window.set_text("Folder", to.to_str().unwrap());
    window.until_says("Exported 1 model");
    assert_eq!(to.read_dir().unwrap().count(), 1, "the named one alone");

    // Both in one table.
    window.click(Role::Tab, "Runs panel");
    window.click(Role::CheckBox, &format!("Select {newer}"));
    window.press("Compare the selected runs");
    window.until_says("2 runs, 1 setting differs");

    // A run that a named model comes from is kept; the other goes, after a question.
    window.click(Role::Tab, "Runs panel");
    window.press("Delete the selected runs…");
    window.until_says("hourly@1 comes from here");
    assert!(!window.is_enabled("Delete 2 runs"));
    window.press("Keep");
    window.click(Role::CheckBox, &format!("Select {older}"));
    window.press("Delete the selected runs…");
    window.until_says("2 trained models are lost");
    window.press("Delete the run");
    window.until_says("Deleted 1 run");
    window.until("the list without it", |window| !window.says("2 runs"));
    let left = runs_in(runs.path());
    assert!(left.len() == 1 && left[0].ends_with(older), "{left:?}");
}

#[test]
fn several_runs_share_the_machine_and_what_waits_is_given_up() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["training.max_epochs=1000000", "training.patience=null"];
    let mut window = Window::on(runs.path(), small(&set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("Loss curves of 2 tasks");

    // A task stands still by itself.
    window.press("Pause SYN_A-1h-fold00");
    window.until_says("SYN_A-1h-fold00: paused after");
    window.press("Resume SYN_A-1h-fold00");
    window.until_says("SYN_A-1h-fold00: goes on on cpu");

    for begun in 2..=4 {
        window.press("Start");
        window.until("one more run", |_| runs_in(runs.path()).len() == begun);
    }
    // Four at a time; the fifth waits.
    window.press("Start");
    window.until_says("4 runs are open");
    window.press("Show what waits");
    window.press("Give up mlp-return");
    window.until_says("mlp-return: stopped before it began");
    assert_eq!(runs_in(runs.path()).len(), 4);

    // Queue and Training show the run that is chosen.
    window.choose("Priority of the run", "high priority");
    window.press("Cancel");
    let is_over = |run: &RunEntry| run.status == RunStatus::Cancelled;
    window.until("all ends", |_| entries(runs.path()).iter().all(is_over));
    for run in runs_in(runs.path()) {
        assert_eq!(outcome(&run).outcome, RunOutcome::Cancelled);
    }
    // One that was cancelled can be taken up again, once the window has heard of its end.
    window.until_enabled("Resume this run");
    window.press("Resume this run");
    window.until("a run at work", |window| logged(window, " goes on: 2 tasks") > 0);
    window.press("Cancel");
    window.until("the end of it", |window| !window.is_enabled("Cancel"));
}

/// The list keeps up with ten thousand runs; what another program runs is left alone.
#[test]
fn ten_thousand_runs_are_found_and_those_of_others_are_not_deleted() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), small(&[]));
    window.click(Role::Tab, "Runs panel");
    let examples = many_runs();
    let many: Vec<RunEntry> = (0..10_000)
        .map(|place| {
            let example = examples[place % examples.len()].clone();
            RunEntry { id: RunId::new(format!("run-{place:05}")), ..example }
        })
        .collect();
    show_runs(&mut window, many);
    window.until_says("10\u{202f}000 runs");
    let began = Instant::now();
    window.harness.run_steps(50);
    println!("a frame with 10,000 runs: {:?}", began.elapsed() / 50);
    let began = Instant::now();
    window.set_search("Search runs", "transformer 0998");
    println!("typing, six frames: {:?}", began.elapsed());
    // The tenth example, of every eleven.
    window.until_says("1 of 10\u{202f}000 runs");
    assert!(window.says("Select run-09986"), "{}", window.text());
    window.press("Sort by Rank IC");
    window.set_search("Search runs", "lstm run-00011");
    window.until_says("running elsewhere");
    window.click(Role::CheckBox, "Select run-00011");
    window.until_says("1 selected");
    assert!(!window.is_enabled("Delete the selected runs…"));
    assert!(!window.is_enabled("Resume the selected runs"));
    assert!(window.is_enabled("Results of the selected run"));
}

#[test]
fn the_experiment_is_copied_as_a_command_line() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), small(&["training.learning_rate=0.02"]));
    window.until_enabled("Start");
    let copied = window.copied_by("Copy as command line");
    assert!(copied.starts_with("walkforge train --preset mlp-return "), "{copied}");
    assert!(copied.contains("--set training.learning_rate=0.02"), "{copied}");
    assert!(window.says("is on the clipboard"));
    // A shell and the program read the same experiment from it, beside the same runs.
    let folder = runs.path().to_str().unwrap();
    assert!(copied.ends_with(&format!(" --runs {folder}")), "{copied}");
    let program = env!("CARGO_BIN_EXE_walkforge");
    let planned = copied.replacen("walkforge train", &format!("{program} plan --json"), 1);
    let output = std::process::Command::new("sh").args(["-c", &planned]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let plan: walkforge::domain::Plan = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan.spec, small(&["training.learning_rate=0.02"]).content_hash());
}

/// What has been trained need not be trained again, and what it took is known: of one experiment, and of each variant of a sweep.
#[test]
fn the_plan_tells_what_is_reused_and_how_long_the_rest_takes() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), small(&["seed=7"]));
    window.until_says("known once such a task has run here");
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("mlp-return finished: 2 tasks");
    window.click(Role::Tab, "Plan panel");
    window.until_says("0 of 2 tasks");
    assert!(window.says("everything is there already"), "{}", window.text());
    window.set_text("Seeds", "7, 8, 9");
    window.until_says("Variants");
    window.until_says("4 of 6 tasks");
    assert!(window.says("one run after another"), "{}", window.text());
    assert!(!window.says("everything is there already"), "{}", window.text());
    window.press("Remove the sweep");
    window.set_number("Seed", "8");
    window.until("no variants", |window| !window.says("Variants"));
    window.until_says("to the last epoch; may stop sooner");
}

fn standing(runs: &Path, status: RunStatus) -> usize {
    entries(runs).iter().filter(|run| run.status == status).count()
}

#[test]
fn one_run_of_a_sweep_is_cancelled_and_the_other_goes_on() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["training.max_epochs=1000000", "training.patience=null", "sweep.seeds=[1,2]"];
    let mut window = Window::on(runs.path(), small(&set));
    window.until_enabled("Start");
    window.press("Start");
    window.until("two runs", |_| standing(runs.path(), RunStatus::Running) == 2);
    // What waits stands above the button.
    window.until("nothing waits", |window| !window.says("Planning"));
    window.until_enabled("Cancel this run");
    window.press("Cancel this run");
    window.until("its end", |_| standing(runs.path(), RunStatus::Cancelled) > 0);
    // The other one goes on.
    assert_eq!(standing(runs.path(), RunStatus::Running), 1);
}

#[test]
fn a_run_that_waits_for_workers_is_cancelled_at_once() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["training.max_epochs=1000000", "training.patience=null"];
    let mut window = Window::on(runs.path(), small(&set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("Loss curves of 2 tasks");
    window.press("Start");
    window.until("two runs", |_| standing(runs.path(), RunStatus::Running) == 2);
    // Both workers have a task of the first run; this one has not begun.
    window
        .until("the second in view", |window| window.says("0 of 2 tasks") && window.says("queued"));
    window.press("Cancel this run");
    window.until("its end", |_| standing(runs.path(), RunStatus::Cancelled) == 1);
    assert_eq!(standing(runs.path(), RunStatus::Running), 1);
}
