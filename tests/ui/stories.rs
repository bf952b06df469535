//! What people do with the window, from the first start to an exported model.

use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use walkforge::domain::RunOutcome;
use walkforge::runs::{Ending, Outcome, RunStore};
use walkforge::spec::{ExperimentSpec, apply, load};
use walkforge::workbench::{LeakCheck, LeakReport, Subject, Update};

use crate::bench::Window;

/// A preset with some fields set.
pub fn spec(preset: &str, set: &[&str]) -> ExperimentSpec {
    // Two tasks at a time on every machine.
    let common = ["resources.workers=2", "resources.device=cpu"];
    let assignments: Vec<_> = common.iter().chain(set).map(|text| text.parse().unwrap()).collect();
    apply(&load(preset).unwrap(), &assignments).unwrap()
}

/// The folders of the runs in a folder.
pub fn runs_in(runs: &Path) -> Vec<PathBuf> {
    let entries = runs.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.join("manifest.json").is_file()).collect()
}

/// The only run in a folder.
#[track_caller]
pub fn only_run(runs: &Path) -> PathBuf {
    let found = runs_in(runs);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// How a run ended.
#[track_caller]
pub fn outcome(run: &Path) -> Outcome {
    let name = run.file_name().unwrap().to_str().unwrap();
    let folder = RunStore::find(run.parent().unwrap(), name).unwrap();
    folder.outcome().unwrap().expect("it has ended")
}

/// How many of its tasks ended so.
pub fn count(outcome: &Outcome, ending: Ending) -> usize {
    outcome.tasks.iter().filter(|task| task.ending == ending).count()
}

/// The lines of the log that contain a text. What is in view stands there twice, the second time with the clock before it.
pub fn logged(window: &Window, text: &str) -> usize {
    let has_clock = |line: &str| line.as_bytes().get(2) == Some(&b':');
    window.text().lines().filter(|line| line.contains(text) && !has_clock(line)).count()
}

/// The last epoch that the curves in view have.
#[track_caller]
pub fn last_epoch(window: &Window) -> u32 {
    let text = window.text();
    let (_, after) =
        text.split_once("up to epoch ").unwrap_or_else(|| panic!("no curves:\n{text}"));
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

#[test]
fn first_start_start_curves_cancel() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    assert!(window.says("Nothing is queued") && !window.is_enabled("Cancel"));
    window.until_says("34 tasks");

    // Long enough to be cancelled on any machine.
    window.set_number("Max epochs", "100000");
    window.click(Role::CheckBox, "Set patience");
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("up to epoch 3");
    assert!(window.says("Cancel SYN_A-1h-fold00"));

    window.press("Cancel");
    // Everything told before the flag was raised is in view now.
    window.harness.step();
    let (epoch, begun) = (last_epoch(&window), logged(&window, ": training on cpu"));
    window.until_says("mlp-return cancelled: 0 of 34 tasks are kept");
    assert_eq!(logged(&window, ": training on cpu"), begun, "nothing began after Cancel");
    // The flag is read at every batch: of an epoch at work at most the last batch was left.
    let last = last_epoch(&window);
    assert!(last <= epoch + 1, "epoch {epoch} when cancelled, {last} in the end");
    let outcome = outcome(&only_run(runs.path()));
    assert_eq!(outcome.outcome, RunOutcome::Cancelled);
    assert_eq!(count(&outcome, Ending::Cancelled), 34);
    assert!(!window.is_enabled("Cancel") && window.is_enabled("Start"));
    report_frames(&window);
}

/// Prints the window's own account of its frames; nothing is asserted about time.
fn report_frames(window: &Window) {
    let line = window.text().lines().rfind(|line| line.starts_with("window: ")).unwrap().to_owned();
    println!("{line}");
}

#[test]
fn a_folder_two_symbols_an_impossible_fold_mended_train_results_export() {
    let data = crate::require_data!("crypto");
    let (runs, exports) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut window = Window::open(runs.path());
    window.set_text("Data folder", data.to_str().unwrap());
    window.until_says("tick at least one symbol");
    assert!(!window.is_enabled("Start"));
    window.set_search("Search symbols", "eth_u");
    window.click(Role::CheckBox, "ETH_USDT");
    window.set_search("Search symbols", "btc_u");
    window.click(Role::CheckBox, "BTC_USDT");
    window.until_enabled("Start");

    window.set_number("Train", "100000");
    window.until_says("Start waits: ");
    assert!(window.says("validation.train"), "{}", window.text());
    assert!(!window.is_enabled("Start"));
    // The shortcut does not get past it either.
    window.shortcut(Modifiers::COMMAND, Key::Enter);
    window.set_number("Train", "2000");
    window.until_enabled("Start");
    assert!(runs_in(runs.path()).is_empty(), "nothing was started");

    window.click(Role::CheckBox, "Set folds at most");
    window.set_number("Folds at most", "2");
    window.set_number("Max epochs", "3");
    window.until_says("4 tasks");
    window.shortcut(Modifiers::COMMAND, Key::Enter);
    window.until_says("mlp-return finished: 4 tasks");
    report_frames(&window);
    window.press("Show results");
    window.until_says("always long");
    for expected in ["BTC_USDT", "ETH_USDT", "ridge", "Equity"] {
        assert!(window.says(expected), "no `{expected}` in:\n{}", window.text());
    }

    window.shortcut(Modifiers::COMMAND, Key::E);
    let to = exports.path().join("models");
    window.set_text("Folder", to.to_str().unwrap());
    window.until_says("Exported 4 models");
    let models = to.read_dir().unwrap().map(|model| model.unwrap().path().join("model.pt"));
    assert_eq!(models.filter(|model| model.is_file()).count(), 4);

    same_as_on_the_command_line(&only_run(runs.path()));
}

/// Trains what the window trained once more with the command line, and compares the weights bit for bit.
fn same_as_on_the_command_line(run: &Path) {
    let other = tempfile::tempdir().unwrap();
    let train = std::process::Command::new(env!("CARGO_BIN_EXE_walkforge"))
        .args(["train", "--quiet", "--preset"])
        .arg(run.join("spec.ron"))
        .arg("--runs")
        .arg(other.path())
        .output()
        .unwrap();
    assert!(train.status.success(), "{}", String::from_utf8_lossy(&train.stderr));
    let tasks = run.join("tasks");
    let mut compared = 0;
    for task in tasks.read_dir().unwrap() {
        let name = task.unwrap().file_name();
        let weights = |run: &Path| {
            std::fs::read(run.join("tasks").join(&name).join("weights.safetensors")).unwrap()
        };
        assert!(weights(run) == weights(&only_run(other.path())), "{}", name.display());
        compared += 1;
    }
    assert_eq!(compared, 4);
}

/// Without Enter: whoever types a number and presses Start means the number.
#[test]
fn what_was_typed_counts_when_start_is_pressed() {
    let trained = |press: fn(&mut Window)| {
        let runs = tempfile::tempdir().unwrap();
        let mut window =
            Window::on(runs.path(), spec("linear-return", &["validation.max_folds=1"]));
        window.until_enabled("Start");
        window.type_number("Max epochs", "2");
        press(&mut window);
        window.until_says("linear-return finished: 2 tasks");
        let planned = load(only_run(runs.path()).join("spec.ron").to_str().unwrap()).unwrap();
        planned.training.max_epochs
    };
    assert_eq!(trained(|window| window.press("Start")), 2, "by mouse");
    assert_eq!(trained(|window| window.shortcut(Modifiers::COMMAND, Key::Enter)), 2, "by keys");
}

/// A number left by ticking a symbol: two panels edit at once.
#[test]
fn edits_in_two_panels_are_both_kept() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.type_number("Batch size", "99");
    window.click(Role::CheckBox, "SYN_A");
    assert_eq!(window.node(Role::SpinButton, "Batch size").value().as_deref(), Some("99"));
    window.until_says("1 of 2");
}

#[test]
fn one_task_is_cancelled_and_the_others_go_on() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["validation.max_folds=2", "training.max_epochs=100000", "training.patience=null"];
    let mut window = Window::on(runs.path(), spec("linear-return", &set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("Loss curves of 2 tasks");
    window.press("Cancel SYN_A-1h-fold00");
    // Its worker takes the next one while the other goes on.
    window.until_says("SYN_B-1h-fold00: training on cpu");
    window.press("Cancel this run");
    window.until_says("linear-return cancelled: 0 of 4 tasks are kept");
    let outcome = outcome(&only_run(runs.path()));
    let first = outcome.tasks.first().unwrap();
    assert_eq!((first.task.as_str(), first.ending), ("SYN_A-1h-fold00", Ending::Cancelled));
    assert_eq!(count(&outcome, Ending::Cancelled), 4);
}

#[test]
fn closing_while_something_trains_asks_and_stopping_keeps_what_is_finished() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["training.max_epochs=100000", "training.patience=null"];
    let mut window = Window::on(runs.path(), spec("linear-return", &set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("Loss curves of 2 tasks");

    window.ask_to_close();
    window.until_says("Quit while something runs?");
    assert!(!window.closes());
    window.press("Keep training");
    assert!(!window.says("Quit while something runs?") && window.is_enabled("Cancel"));

    window.shortcut(Modifiers::COMMAND, Key::Q);
    window.ask_to_close();
    window.until_says("Quit while something runs?");
    window.press("Stop and quit");
    window.until("the window to close", Window::closes);
    assert_eq!(outcome(&only_run(runs.path())).outcome, RunOutcome::Cancelled);
}

#[test]
fn an_idle_window_closes_at_once() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.ask_to_close();
    assert!(!window.says("Quit while something runs?"));
}

#[test]
fn theme_layout_and_experiment_survive_a_restart() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.set_number("Max epochs", "7");
    window.press("Light theme");
    window.click(Role::Tab, "Results panel");
    window.until_says("No results yet");
    let stored = window.harness.state().settings().to_text();
    drop(window);

    let settings = walkforge::ui::Settings::from_text(&stored).unwrap();
    let window = Window::again(runs.path(), settings);
    assert!(window.says("Dark theme"), "the light theme offers the dark one");
    assert_eq!(window.node(Role::SpinButton, "Max epochs").value().as_deref(), Some("7"));
    assert!(window.says("No results yet"), "Results is in front");
}

#[test]
fn an_experiment_is_saved_opened_and_a_broken_one_is_refused_with_its_line() {
    let (runs, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut window = Window::open(runs.path());
    window.set_number("Batch size", "77");
    let mine = files.path().join("presets/mine.ron");
    window.shortcut(Modifiers::COMMAND, Key::S);
    window.set_text("File", mine.to_str().unwrap());
    window.until_says("Saved ");
    assert_eq!(load(mine.to_str().unwrap()).unwrap().training.batch_size, 77);

    window.set_number("Batch size", "78");
    window.shortcut(Modifiers::COMMAND, Key::O);
    window.set_text("File", mine.to_str().unwrap());
    window.until_says("Opened ");
    assert_eq!(window.node(Role::SpinButton, "Batch size").value().as_deref(), Some("77"));

    let text = std::fs::read_to_string(&mine).unwrap().replace("max_epochs", "max_epoch");
    let line = text.lines().position(|line| line.contains("max_epoch")).unwrap() + 1;
    std::fs::write(&mine, text).unwrap();
    window.shortcut(Modifiers::COMMAND, Key::O);
    window.set_text("File", mine.to_str().unwrap());
    window.until_says(&format!("mine.ron:{line}:"));
    assert_eq!(window.node(Role::SpinButton, "Batch size").value().as_deref(), Some("77"));

    window.shortcut(Modifiers::COMMAND, Key::S);
    window.set_text("File", files.path().to_str().unwrap());
    window.until("a refusal", |window| window.says("folder"));
}

#[test]
fn what_cannot_be_used_says_why_beside_itself() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.set_text("Data folder", "/no/such/folder");
    window.until_says("there is no such folder");
    assert!(!window.is_enabled("Start"));
    window.click(Role::Button, "Built-in market");
    window.until_enabled("Start");

    window.set_number("Learning rate", "0");
    window.until_says("0 must be above 0");
    assert!(window.says("Start waits: training.learning_rate"));
    window.set_number("Learning rate", "0.01");
    window.until_enabled("Start");
}

/// An answer that comes late belongs to a folder that nobody looks at any more.
#[test]
fn the_listing_of_another_folder_is_not_taken() {
    let data = crate::require_data!("crypto");
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.set_text("Data folder", data.to_str().unwrap());
    window.until_says("0 of 65");
    let catalog = Err("late".to_owned());
    let late = Update::Scanned { folder: "/data/elsewhere".into(), catalog };
    window.harness.state_mut().apply(late);
    window.harness.run_steps(3);
    assert!(window.says("0 of 65") && !window.says("late"), "{}", window.text());
}

#[test]
fn a_run_that_fails_says_so_and_keeps_the_reason_in_view() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["validation.max_folds=1", "training.learning_rate=1e30"];
    let mut window = Window::on(runs.path(), spec("mlp-return", &set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("mlp-return: 2 of 2 tasks failed");
    assert!(window.is_enabled("Retry failed tasks"));
    window.click(Role::Label, "SYN_A-1h-fold00");
    window.until_says("training diverged");
}

#[test]
fn a_runs_folder_that_cannot_be_written_is_told_before_anything_opens() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = walkforge::ui::Options {
        runs: file.path().join("runs"),
        spec: None,
        settings: Ok(walkforge::ui::Settings::default()),
        telemetry: false,
        software_rendered: false,
    };
    let error = walkforge::ui::App::new(&egui::Context::default(), options).unwrap_err();
    assert!(error.contains("cannot be written") && error.contains("--runs"), "{error}");
}

#[test]
fn settings_that_cannot_be_read_are_told_and_replaced() {
    let runs = tempfile::tempdir().unwrap();
    let error = walkforge::ui::Settings::from_text("(theme: Purple)").unwrap_err();
    let options = walkforge::ui::Options {
        runs: runs.path().to_owned(),
        spec: None,
        settings: Err(error),
        telemetry: false,
        software_rendered: false,
    };
    let mut harness = egui_kittest::Harness::builder()
        .with_size([1440.0, 900.0])
        .build_eframe(|context| walkforge::ui::App::new(&context.egui_ctx, options).unwrap());
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("settings could not be read").is_some());
}

#[test]
fn an_experiment_is_checked_for_leaks_and_a_later_change_is_told() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), spec("mlp-return", &["validation.max_folds=2"]));
    window.until_says("4 tasks");
    window.press("Checks");
    window.until_says("This experiment has not been checked");
    window.press("Check for leaks");
    window.until_says("Nothing leaks");
    for expected in ["Features: ", "Label: ", "Folds: ", "Fitted on train rows: ", "clean"] {
        assert!(window.says(expected), "no `{expected}` in:\n{}", window.text());
    }
    assert!(!window.says("log_return_1"), "what is clean is listed on demand");
    let group =
        window.text().lines().find(|line| line.starts_with("Features: ")).unwrap().to_owned();
    window.click(Role::DisclosureTriangle, &group);
    window.until_says("log_return_1");
    assert!(!window.says("has changed since"));
    window.set_number("Window", "5");
    window.until_says("The experiment has changed since");
    window.set_number("Window", "4");
    window.until("the report of this very experiment", |window| !window.says("has changed since"));
    assert!(runs_in(runs.path()).is_empty(), "nothing was trained");
}

#[test]
fn a_leak_check_is_stopped_by_its_button_and_by_cancel() {
    let runs = tempfile::tempdir().unwrap();
    // Minutes of work.
    let mut long = spec("mlp-return", &["data.source.bars=20000"]);
    long.data.symbols = (0..3000).map(|index| format!("S{index}").parse().unwrap()).collect();
    let mut window = Window::on(runs.path(), long);
    window.click(Role::Tab, "Checks panel");
    for by_button in [true, false] {
        // By its keys, from wherever one is.
        window.shortcut(Modifiers::COMMAND, Key::L);
        window.until_says("Checking: ");
        assert!(!window.says("was stopped before") && window.is_enabled("Cancel"));
        if by_button {
            window.press("Stop the check");
        } else {
            window.press("Cancel");
        }
        window.until_says("The last check was stopped before it could conclude anything");
        assert!(window.is_enabled("Check for leaks") && !window.is_enabled("Cancel"));
    }
}

#[test]
fn a_leak_is_told_loudly_wherever_one_is() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), spec("mlp-return", &["validation.max_folds=1"]));
    window.until_says("2 tasks");
    let culprit = "row 7 of SYN_A is 0.1 on all bars but 0.2 on those that had closed";
    let check = |name: &str, culprit: Option<&str>| LeakCheck {
        subject: Subject::Feature,
        name: name.to_owned(),
        evidence: "72 000 rows at 6 cuts".to_owned(),
        culprit: culprit.map(str::to_owned),
    };
    let checks = vec![check("next_close", Some(culprit)), check("rsi_14", None)];
    let report = LeakReport { experiment: "mlp-return".to_owned(), checks, contrast: None };
    window.harness.state_mut().show_report(report);
    window.until_says("mlp-return leaks: next_close");
    window.press("Show the report");
    window.until_says("1 of 2 checks failed");
    for expected in ["next_close leaks", culprit, "Features: 1 of 2 clean"] {
        assert!(window.says(expected), "no `{expected}` in:\n{}", window.text());
    }
}

#[test]
fn features_are_looked_at_by_distribution_and_over_the_price() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["validation.max_folds=2", "data.pooling=Pooled"];
    let mut window = Window::on(runs.path(), spec("mlp-return", &set));
    window.click(Role::Tab, "Checks panel");
    window.press("Distributions");
    window.until_says("Distribution of log_return_1 in train, validation and test");
    assert!(window.says("Distribution of the label") && window.says("rows of 2 series"));
    window.press("Next column");
    window.until_says("Distribution of log_return_2 in");
    assert!(window.is_enabled("Previous column"));

    window.click(Role::ComboBox, "Column");
    window.set_search("Search columns", "RSI");
    assert!(!window.says("log_return_24"), "the search leaves it out");
    window.press("rsi_14");
    window.until_says("Distribution of rsi_14 in");
    window.click(Role::CheckBox, "with all 2 of its model");
    window.until("one series alone", |window| !window.says("rows of 2 series"));

    window.press("Over the price");
    window.until_says("Close of SYN_A 1h");
    assert!(window.says("rsi_14 of SYN_A 1h"));
    window.click(Role::ComboBox, "Series");
    window.press("SYN_B · 1h");
    window.until_says("rsi_14 of SYN_B 1h");

    // What is chosen outlives another plan, and what is gone gives way.
    let remove =
        window.text().lines().find(|line| line.starts_with("Remove RSI")).unwrap().to_owned();
    window.click(Role::Button, &remove);
    window.until_says("log_return_1 of SYN_B 1h");
}

#[test]
fn a_label_of_two_classes_is_shown_by_their_shares() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), spec("lstm-direction", &["validation.max_folds=1"]));
    window.click(Role::Tab, "Checks panel");
    window.press("Distributions");
    window.until_says("not up");
    assert!(!window.says("Distribution of the label"), "two bars say no more than two numbers");
}
