//! The queue as people use it: found, picked by mouse and keys, and told what to do, a thousand tasks at a time.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use walkforge::domain::{Cancel, RunOutcome};
use walkforge::runs::Ending;
use walkforge::spec::ExperimentSpec;
use walkforge::ui::Settings;

use crate::bench::Window;
use crate::stories::{count, last_epoch, only_run, outcome, spec};

/// More than a thousand tasks of two symbols, one at a time. The first one does not end by itself.
fn thousand() -> ExperimentSpec {
    let set = [
        "resources.workers=1",
        "data.source.bars=5600",
        "validation.train=200",
        "validation.validation=10",
        "validation.test=10",
        "training.batch_size=2",
        "training.max_epochs=1000000",
        "training.patience=null",
    ];
    spec("linear-return", &set)
}

/// Clicks a row. The table has the focus then.
#[track_caller]
fn pick(window: &mut Window, task: &str) {
    window.click(Role::Row, task);
    window.harness.run_steps(2);
    assert!(is_picked(window, task), "{task}");
}

fn is_picked(window: &Window, task: &str) -> bool {
    window.node(Role::Row, task).accesskit_node().is_selected() == Some(true)
}

/// As the window writes them.
fn grouped(count: usize) -> String {
    walkforge::domain::text::count(count as u64)
}

#[test]
fn of_a_thousand_tasks_those_that_were_found_are_cancelled_and_the_others_go_on() {
    let runs = tempfile::tempdir().unwrap();
    let spec = thousand();
    let plan = walkforge::workbench::plan(&spec, &Cancel::new()).unwrap().plan;
    let all = plan.tasks.len();
    let of_b = plan.tasks.iter().filter(|task| task.id.as_str().starts_with("SYN_B")).count();
    assert!(all >= 1000 && of_b > 0 && of_b < all, "{of_b} of {all}");

    let mut window = Window::on(runs.path(), spec);
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("up to epoch ");
    window.set_search("Search tasks", "syn_b QUEUED");
    window.until_says(&format!("{} of {} tasks", grouped(of_b), grouped(all)));

    // One is picked with the mouse, the others with the keys.
    pick(&mut window, "SYN_B-1h-fold00");
    window.shortcut(Modifiers::COMMAND, Key::A);
    window.until_says(&format!("{} selected", grouped(of_b)));
    window.press(&format!("Cancel {} selected", grouped(of_b)));
    // They are no longer queued: none is in view, and none is picked.
    window.until_says("No task fits");
    window.until_says(&format!("{of_b} of {all} tasks"));
    window.set_search("Search tasks", "cancelled");
    window.until_says(&format!("{} of {} tasks", grouped(of_b), grouped(all)));
    window.set_search("Search tasks", "syn_a cancelled");
    window.until_says("No task fits");

    window.set_search("Search tasks", "syn_a");
    pick(&mut window, "SYN_A-1h-fold00");
    window.until_says("up to epoch ");
    let before = last_epoch(&window);
    window.until("another epoch of the others", |window| last_epoch(window) > before);
    window.press("Cancel this run");
    window.until_says(&format!("linear-return cancelled: 0 of {all} tasks are kept"));
    let outcome = outcome(&only_run(runs.path()));
    assert_eq!(outcome.outcome, RunOutcome::Cancelled);
    assert_eq!(count(&outcome, Ending::Cancelled), all);
}

#[test]
fn the_arrows_move_through_the_queue_and_shift_picks_several() {
    let runs = tempfile::tempdir().unwrap();
    let set = [
        "resources.workers=1",
        "training.batch_size=16",
        "training.max_epochs=1000000",
        "training.patience=null",
    ];
    let spec = spec("linear-return", &set);
    let plan = walkforge::workbench::plan(&spec, &Cancel::new()).unwrap().plan;
    let last = plan.tasks.last().unwrap().id.as_str();
    let mut window = Window::on(runs.path(), spec);
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("up to epoch ");

    let press = |window: &mut Window, modifiers, key| {
        window.shortcut(modifiers, key);
        window.harness.run_steps(2);
    };
    // What runs stands first.
    pick(&mut window, "SYN_A-1h-fold00");
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    assert!(is_picked(&window, "SYN_A-1h-fold01") && !is_picked(&window, "SYN_A-1h-fold00"));
    press(&mut window, Modifiers::SHIFT, Key::ArrowDown);
    window.until_says("2 selected");
    assert!(is_picked(&window, "SYN_A-1h-fold01") && is_picked(&window, "SYN_A-1h-fold02"));
    assert!(window.is_enabled("Cancel 2 selected") && window.is_enabled("Pause 2 selected"));

    // To the last row, which comes into view, and back.
    assert!(!has_row(&window, last), "the panel is higher than the story assumes");
    press(&mut window, Modifiers::NONE, Key::End);
    window.until("the last row", |window| has_row(window, last));
    assert!(is_picked(&window, last));
    press(&mut window, Modifiers::NONE, Key::Home);
    window.until("the first row", |window| !has_row(window, last));
    assert!(is_picked(&window, "SYN_A-1h-fold00"));

    // Two that wait are held: they say so and are let go again.
    press(&mut window, Modifiers::NONE, Key::ArrowDown);
    press(&mut window, Modifiers::SHIFT, Key::ArrowDown);
    window.press("Pause 2 selected");
    window.until_says("  held");
    window.press("Resume 2 selected");
    window.until("none is held", |window| !window.says("  held"));

    // Enter shows the curves of the one at the keys.
    window.click(Role::Tab, "Plan panel");
    pick(&mut window, "SYN_A-1h-fold00");
    assert!(!window.says("up to epoch "));
    press(&mut window, Modifiers::NONE, Key::Enter);
    window.until_says("up to epoch ");

    window.press("Cancel this run");
    window.until_says("linear-return cancelled: 0 of");
}

fn has_row(window: &Window, task: &str) -> bool {
    window.harness.query_all_by_role_and_label(Role::Row, task).next().is_some()
}

#[test]
fn columns_that_were_hidden_stay_hidden_after_a_restart() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["validation.max_folds=1", "training.max_epochs=2"];
    let mut window = Window::on(runs.path(), spec("linear-return", &set));
    let finish = |window: &mut Window| {
        window.until_enabled("Start");
        window.press("Start");
        window.until_says("linear-return finished: 2 tasks");
    };
    finish(&mut window);
    let has = |window: &Window, column: &str| {
        let title = format!("Sort by {column}");
        window.harness.query_all_by_role_and_label(Role::Button, &title).next().is_some()
    };
    assert!(has(&window, "Device") && has(&window, "Samples/s"));
    window.press("Columns of the queue");
    window.click(Role::CheckBox, "Show column Device");
    window.shortcut(Modifiers::NONE, Key::Escape);
    assert!(!has(&window, "Device") && has(&window, "Samples/s"));

    let stored = window.harness.state().settings().to_text();
    drop(window);
    let mut window = Window::again(runs.path(), Settings::from_text(&stored).unwrap());
    finish(&mut window);
    assert!(!has(&window, "Device") && has(&window, "Samples/s"));
    window.press("Columns of the queue");
    window.press("Show all columns");
    window.shortcut(Modifiers::NONE, Key::Escape);
    assert!(has(&window, "Device"));
}
