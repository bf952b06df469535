//! What is there whatever is done: palette, toasts and notices, shortcuts, devices, and a window that rests.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use walkforge::domain::Device;
use walkforge::ui::Settings;
use walkforge::workbench::Update;

use crate::bench::Window;
use crate::shell_pictures::{busy, lost, machine, silent};
use crate::stories::spec;

const SEARCH: &str = "Search for what can be done";

/// Opens the palette and types.
fn ask(window: &mut Window, text: &str) {
    window.shortcut(Modifiers::COMMAND, Key::K);
    window.until("the palette", |window| {
        let mut fields = window.harness.query_all_by_role_and_label(Role::SearchInput, SEARCH);
        fields.next().is_some_and(|field| field.accesskit_node().is_focused())
    });
    window.harness.event(egui::Event::Text(text.to_owned()));
    window.harness.run_steps(2);
}

fn is_open(window: &Window) -> bool {
    window.harness.query_all_by_role_and_label(Role::SearchInput, SEARCH).next().is_some()
}

fn press(window: &mut Window, key: Key) {
    window.shortcut(Modifiers::NONE, key);
    window.harness.run_steps(2);
}

#[test]
fn the_palette_finds_and_does_what_is_meant_by_keyboard_alone() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");
    ask(&mut window, "light th");
    press(&mut window, Key::Enter);
    assert!(!is_open(&window), "{}", window.text());
    assert!(window.harness.state().settings().to_text().contains("theme:Light"));

    // The choice moves down and up again.
    ask(&mut window, "show ru");
    press(&mut window, Key::ArrowDown);
    press(&mut window, Key::ArrowUp);
    press(&mut window, Key::Enter);
    window.until_says("No runs yet");

    // What can do nothing says why, and does nothing.
    ask(&mut window, "cancel");
    assert!(window.says("Nothing runs."), "{}", window.text());
    press(&mut window, Key::Enter);
    assert!(is_open(&window));
    press(&mut window, Key::Escape);
    assert!(!is_open(&window));

    // With the mouse too.
    ask(&mut window, "");
    window.click(Role::ListBoxOption, "About Walkforge");
    window.until_says("MIT OR Apache-2.0");
    window.press("Copy details for a bug report");
    press(&mut window, Key::Escape);
    assert!(!window.says("MIT OR Apache-2.0"));
}

#[test]
fn the_offer_to_resume_survives_another_notice() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["validation.max_folds=1", "training.max_epochs=100000", "training.patience=null"];
    let mut window = Window::on(runs.path(), spec("mlp-return", &set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("Loss curves of 2 tasks");
    window.ask_to_close();
    window.until_says("Quit while something runs?");
    window.press("Checkpoint and quit");
    window.until("the end", Window::closes);
    drop(window);

    let mut window = Window::open(runs.path());
    window.until_says("A run was interrupted: mlp-return");
    let message = "the disk is full".to_owned();
    window.harness.state_mut().apply(Update::ExportFailed { message, cancelled: false });
    window.until_says("1 of 2");
    window.press("Dismiss");
    window.harness.run_steps(2);
    assert!(!window.says("1 of 2"));
    window.press("Resume");
    window.until_says("goes on: 2 tasks");
    window.press("Cancel");
    window.until_says("cancelled: 0 of 2 tasks");
}

#[test]
fn news_is_a_toast_that_says_where_to_go_and_can_be_dismissed() {
    let runs = tempfile::tempdir().unwrap();
    let moment = Some("2026-01-15T09:29:00Z".parse().unwrap());
    let mut window =
        Window::built(runs.path(), Some(spec("mlp-return", &[])), Settings::default(), moment);
    let folders = vec!["/exports/model".into()];
    window.harness.state_mut().apply(Update::Exported { run: "r".to_owned(), folders });
    window.until_says("Dismiss: Exported 1 model of r to /exports");
    window.press("Copy the path");
    window.harness.run_steps(2);
    assert!(!window.says("Dismiss: Exported"), "it has been answered");

    for number in 0..4 {
        let path = format!("/spec{number}.ron").into();
        window.harness.state_mut().apply(Update::ExperimentSaved { path, saved: Ok(()) });
    }
    window.harness.run_steps(2);
    assert!(!window.says("Dismiss: Saved /spec0.ron"), "three are enough");
    window.press("Dismiss: Saved /spec3.ron");
    window.harness.run_steps(2);
    let dismiss = |window: &Window| window.harness.query_all_by_label_contains("Dismiss: ").count();
    assert_eq!(dismiss(&window), 2);
}

#[test]
fn digits_show_panels_and_find_goes_to_a_search_field() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");
    for (key, says) in
        [(Key::Num7, "No runs yet"), (Key::Num5, "No training yet"), (Key::Num3, "34 tasks")]
    {
        window.shortcut(Modifiers::COMMAND, key);
        window.until_says(says);
    }
    window.shortcut(Modifiers::COMMAND, Key::F);
    window.harness.run_steps(2);
    let fields = window.harness.query_all_by_role(Role::SearchInput);
    let focused = fields.filter(|field| field.accesskit_node().is_focused()).count();
    // Which fields are in view depends on what the panels have room for.
    let says_why = window.says("There is nothing to search in what is in view");
    assert_eq!(focused, usize::from(!says_why), "{}", window.text());
}

#[test]
fn two_cards_say_what_they_know_and_why_they_do_not_know_the_rest() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    machine(&mut window, |second| {
        vec![(Device::Cuda(0), busy(second)), (Device::Cuda(1), silent())]
    });
    window.until_says("cuda:1");
    for label in [
        "cuda:0 GPU load, five minutes: ",
        "GPU memory: Others 3.0 GiB, Ours 9.0 GiB, Free 68.0 GiB",
        "cuda:1 Temperature: unknown. the driver tells administrators only",
        "cuda:1 Processes: unknown. the driver tells administrators only",
        "Disk of the runs: Used ",
    ] {
        assert!(window.says(label), "{label} in:\n{}", window.text());
    }

    // A card that was known and says nothing any more is lost.
    machine(&mut window, |second| {
        let second_card = if second < 200 { busy(second) } else { lost() };
        vec![(Device::Cuda(0), busy(second)), (Device::Cuda(1), second_card)]
    });
    window.until_says("cuda:1 is lost: the card does not answer any more");
    assert!(window.says("cuda:0 GPU load, five minutes: "));
}

#[test]
fn a_window_in_which_nothing_happens_asks_for_no_frame() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");
    window.harness.remove_cursor();
    window.harness.run_steps(8);
    let output = &window.harness.output().viewport_output[&egui::ViewportId::ROOT];
    assert_eq!(output.repaint_delay, std::time::Duration::MAX);
}
