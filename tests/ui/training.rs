//! How a model learns, as it is set in the Strategy panel, and a run that is paused and goes on.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use walkforge::domain::RunOutcome;
use walkforge::spec::{LossSpec, Monitor, OptimizerSpec, Precision, ScheduleSpec, load};

use crate::bench::Window;
use crate::stories::{last_epoch, logged, only_run, outcome, spec};

#[test]
fn how_a_model_learns_is_set_by_the_form_and_saved() {
    let (runs, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut window = Window::open(runs.path());
    assert!(!window.says("Weight decay"), "what few change is shown on demand");
    window.choose("Optimizer", "SGD");
    window.set_number("Momentum", "0.8");
    window.click(Role::CheckBox, "Nesterov");
    window.choose("Schedule", "cosine");
    window.set_number("Warm-up", "2.5");
    window.set_number("Final share", "0.1");

    window.click(Role::DisclosureTriangle, "More training options");
    assert!(!window.says("Beta 1"), "SGD has none");
    window.set_number("Weight decay", "0.001");
    window.choose("Loss", "Huber");
    window.set_number("Linear beyond", "1.5");
    window.set_number("Accumulate", "4");
    window.choose("Watch", "rank IC");
    window.click(Role::CheckBox, "Set max steps");
    window.set_number("Max steps", "500");
    window.click(Role::CheckBox, "Set max minutes");
    window.set_number("Max minutes", "2.5");
    window.choose("Precision", "bf16");
    window.click(Role::CheckBox, "Find a larger batch");
    window.click(Role::CheckBox, "Warm start");
    window.click(Role::CheckBox, "Refit on all");
    window.set_number("Memory at most", "75");
    window.click(Role::CheckBox, "Set checkpoints");
    assert!(window.says("only when paused"));

    let mine = files.path().join("mine.ron");
    window.shortcut(Modifiers::COMMAND, Key::S);
    window.set_text("File", mine.to_str().unwrap());
    window.until_says("Saved ");
    let saved = load(mine.to_str().unwrap()).unwrap();
    let training = saved.training;
    assert_eq!(training.optimizer, OptimizerSpec::Sgd { momentum: 0.8, nesterov: true });
    let cosine = ScheduleSpec::Cosine { warmup_epochs: 2.5, final_share: 0.1 };
    assert_eq!((training.schedule, training.weight_decay), (cosine, 0.001));
    assert_eq!(training.loss, LossSpec::Huber { delta: 1.5 });
    assert_eq!((training.monitor, training.precision), (Monitor::RankIc, Precision::Bf16));
    assert_eq!((training.max_steps, training.max_minutes), (Some(500), Some(2.5)));
    assert_eq!((training.accumulate_grad_batches, training.find_batch_size), (4, true));
    assert!(training.warm_start && training.refit);
    assert_eq!((saved.resources.memory_fraction, saved.resources.checkpoint_secs), (0.75, 0));

    // From the saved file the rest is open at once, because not all of it is as usual.
    let window = Window::on(runs.path(), load(mine.to_str().unwrap()).unwrap());
    assert_eq!(window.node(Role::SpinButton, "Linear beyond").value().as_deref(), Some("1.5 σ"));
}

#[test]
fn what_a_model_cannot_learn_with_says_why_and_start_waits() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.choose("Schedule", "plateau");
    window.set_number("Factor", "1.5");
    window.until_says("1.5 must lie between 0 and 1, exclusive");
    assert!(window.says("Start waits: training.schedule.factor") && !window.is_enabled("Start"));
    window.set_number("Factor", "0.5");
    window.until_enabled("Start");
    window.set_number("Wait", "9");
    assert!(window.says("stops early before the rate is ever lowered"));

    // What does not fit the label is not to be chosen, and says why.
    window.click(Role::DisclosureTriangle, "More training options");
    window.click(Role::ComboBox, "Loss");
    for expected in ["balanced cross-entropy (classes only)", "negative IC (pooled symbols only)"] {
        assert!(!window.is_enabled(expected), "{expected}");
    }
    window.press("Huber");
    window.until_enabled("Start");
    // The label changes under it: the message stands where it can be mended, even where that was hidden.
    window.click(Role::DisclosureTriangle, "More training options");
    assert!(!window.says("Weight decay"));
    window.choose("Predicts", "direction");
    window.until_says("Huber is a loss of returns");
    assert!(window.says("Weight decay") && !window.is_enabled("Start"));
    window.choose("Loss", "balanced cross-entropy");
    window.until_enabled("Start");

    window.click(Role::CheckBox, "Refit on all");
    window.choose("Scheme", "purged K-fold");
    window.until_says("whose folds say for how long to train");
    assert!(window.says("walk-forward only") && !window.is_enabled("Start"));
    window.click(Role::CheckBox, "Refit on all");
    window.until_enabled("Start");
}

#[test]
fn which_training_options_are_shown_survives_a_restart() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.click(Role::DisclosureTriangle, "More training options");
    assert!(window.says("Weight decay"));
    let stored = window.harness.state().settings().to_text();
    drop(window);
    let window = Window::again(runs.path(), walkforge::ui::Settings::from_text(&stored).unwrap());
    assert!(window.says("Weight decay"));
}

#[test]
fn a_run_is_paused_goes_on_and_is_paused_when_the_window_closes() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["validation.max_folds=2", "training.max_epochs=100000", "training.patience=null"];
    let mut window = Window::on(runs.path(), spec("linear-return", &set));
    window.until_enabled("Start");
    window.shortcut(Modifiers::COMMAND, Key::P);
    window.until_says("There is nothing to pause");
    window.press("Start");
    window.until_says("Loss curves of 2 tasks");
    window.press("Pause");
    window.until_says("paused: 0 of 4 tasks");
    assert!(window.says("2 tasks paused") && window.says("paused after"), "{}", window.text());
    assert_eq!((logged(&window, ": training on cpu"), logged(&window, ": paused after")), (2, 2));

    // By its keys as well.
    window.shortcut(Modifiers::COMMAND, Key::P);
    window.until_says("SYN_A-1h-fold00: goes on on cpu");
    window.until_says("2 tasks in training");
    let epoch = last_epoch(&window);
    window.until("an epoch after the pause", |window| last_epoch(window) > epoch);

    window.press("Pause this run");
    window.until_says("paused: 0 of 4 tasks");
    let still = last_epoch(&window);
    window.ask_to_close();
    window.until_says("Quit while something runs?");
    assert!(window.says("1 run is open: 0 tasks finished, 2 at work, 2 not begun."));
    window.press("Keep training");
    assert_eq!(last_epoch(&window), still, "nothing happens while it is paused");
    window.press("Cancel");
    window.until_says("linear-return cancelled: 0 of 4 tasks are kept");
    assert_eq!(outcome(&only_run(runs.path())).outcome, RunOutcome::Cancelled);
}

#[test]
fn a_refit_is_planned_waits_for_its_folds_and_is_shown_without_scores() {
    let runs = tempfile::tempdir().unwrap();
    let set = [
        "validation.max_folds=2",
        "training.max_epochs=3",
        "training.refit=true",
        "training.monitor=\"RankIc\"",
    ];
    let mut window = Window::on(runs.path(), spec("linear-return", &set));
    window.until_says("2 symbols × 2 folds + 2 refits");
    assert!(window.says("Refit: train 2015-01-"), "{}", window.text());
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("linear-return finished: 6 tasks");
    let log = window.text();
    let place = |task: &str, did: &str| {
        let line = format!("{task}: {did}");
        log.lines().position(|told| told.starts_with(&line)).unwrap_or_else(|| panic!("{line}"))
    };
    for fold in ["SYN_A-1h-fold00", "SYN_A-1h-fold01"] {
        assert!(place(fold, "best epoch") < place("SYN_A-1h-refit", "training on"), "{fold}");
    }

    window.click(Role::Label, "SYN_A-1h-fold01");
    assert!(window.says("best rank IC "), "what is watched is told\n{}", window.text());
    window.click(Role::Label, "SYN_A-1h-refit");
    window.until_says("nothing left to validate or test on");
    window.until_says("SYN_A-1h-refit, best epoch");
    assert!(window.says("with train loss"), "{}", window.text());

    window.press("Show results");
    // Only rows in view are laid out.
    window.harness.set_size(egui::vec2(1440.0, 1800.0));
    window.until_says("none: refit on all rows");
    assert!(window.says("deterministic"), "{}", window.text());
}
