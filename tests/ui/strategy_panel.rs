//! What the Strategy and Plan panels say of an experiment: presets, changes, its text, what is purged, memory of a task.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use walkforge::spec::{apply, load};

use crate::bench::Window;

#[test]
fn a_preset_is_chosen_from_the_gallery_and_what_it_replaced_can_be_had_back() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");
    assert!(window.says("as the preset has it"));
    window.set_number("Batch size", "77");
    window.press("Choose a preset");
    window.until_says("Begin from");
    assert!(window.says("mlp-return is on the bench, 1 change"));
    assert!(window.says("which has 1 change"));
    // Every preset says what it is good for, and how large it is.
    for text in ["Many symbols at once", "The yardstick", "LSTM · direction", "built-in symbols"] {
        assert!(window.says(text), "{text}");
    }
    window.press("Use gru-barrier");
    window.until_says("gru-barrier has replaced mlp-return");
    assert!(!window.says("Begin from"));
    assert_eq!(window.node(Role::ComboBox, "Model").value().as_deref(), Some("GRU"));
    window.until_enabled("Start");
    assert!(window.says("as the preset has it"));

    window.press("Bring it back");
    window.until_says("1 field differs");
    assert_eq!(window.node(Role::SpinButton, "Batch size").value().as_deref(), Some("77"));
    window.until_enabled("Start");
}

#[test]
fn a_changed_field_is_marked_listed_and_taken_back() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");
    let preset = load("mlp-return").unwrap();
    let batch = preset.training.batch_size.to_string();
    assert!(window.harness.query_by_label("Reset Batch size").is_none());

    window.set_number("Batch size", "77");
    window.set_number("Layer 2", "16");
    window.until_says("2 fields differ");
    window.click(Role::DisclosureTriangle, "2 fields differ");
    assert!(window.says(&format!("training.batch_size is 77, was {batch}")), "{}", window.text());
    assert!(window.says("model.hidden is [64,16], was [64,32]"));
    // The first layer is as it was, although the list it stands in is not.
    assert!(window.harness.query_by_label("Reset Layer 1").is_none());

    window.press("Reset Layer 2");
    window.until_says("1 field differs");
    assert_eq!(window.node(Role::SpinButton, "Layer 2").value().as_deref(), Some("32 units"));
    // The list scrolls by itself, and the panel has to be scrolled to it.
    window.node(Role::DisclosureTriangle, "1 field differs").scroll_to_me();
    window.harness.run_steps(4);
    window.press("Take back training.batch_size");
    window.until_says("as the preset has it");
    assert_eq!(window.node(Role::SpinButton, "Batch size").value(), Some(batch));

    // Another family is one change, and what belongs to it is not marked by itself.
    window.choose("Model", "GRU");
    window.set_number("Window", "8");
    window.until_says("2 fields differ");
    assert!(window.harness.query_by_label("Reset Units").is_none());
    window.press("Reset all");
    window.until_says("as the preset has it");
    assert_eq!(window.node(Role::ComboBox, "Model").value().as_deref(), Some("MLP"));
    window.until_enabled("Start");
    window.press("Bring them back");
    window.until_says("2 fields differ");
    assert_eq!(window.node(Role::ComboBox, "Model").value().as_deref(), Some("GRU"));
}

#[test]
fn changes_are_known_after_a_restart_under_another_name() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.set_text("Name", "mine");
    window.set_number("Window", "8");
    window.until_says("1 field differs");
    let settings = window.harness.state().settings().to_text();
    drop(window);
    let settings = walkforge::ui::Settings::from_text(&settings).unwrap();
    let mut window = Window::again(runs.path(), settings);
    assert!(window.says("1 field differs"));
    window.press("Reset all");
    window.until_says("as the preset has it");
    assert_eq!(window.node(Role::SpinButton, "Window").value().as_deref(), Some("4 bars"));
}

#[test]
fn another_name_does_not_make_what_a_preset_sets_look_changed() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), load("cross-section-mlp").unwrap());
    let decay = |window: &Window| {
        window.harness.query_by_role_and_label(Role::SpinButton, "Weight decay").is_some()
    };
    assert!(window.says("as the preset has it") && !decay(&window));
    window.set_text("Name", "mine");
    window.harness.run_steps(3);
    assert!(window.says("as the preset has it"));
    assert!(!decay(&window), "what is hidden opens where it was changed");
    window.click(Role::DisclosureTriangle, "More training options");
    assert!(decay(&window));
}

#[test]
fn the_text_that_is_shown_is_what_save_writes() {
    let (runs, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let set = ["training.learning_rate=0.02".parse().unwrap()];
    let spec = apply(&load("mlp-return").unwrap(), &set).unwrap();
    let mut window = Window::on(runs.path(), spec);
    window.until_enabled("Start");
    window.press("Show as RON");
    window.until_says("The experiment as RON");
    let copied = window.copied_by("Copy");
    assert!(copied.contains("learning_rate: 0.02"), "{copied}");
    let shown = window.text();
    for line in copied.lines().filter(|line| line.len() > 2) {
        assert!(shown.contains(line), "no `{line}` in:\n{shown}");
    }
    window.press("Close");

    let mine = files.path().join("mine.ron");
    window.shortcut(egui::Modifiers::COMMAND, egui::Key::S);
    window.set_text("File", mine.to_str().unwrap());
    window.until_says("Saved ");
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), copied);

    // What was saved is offered where experiments are chosen.
    window.press("Choose a preset");
    window.until_says("Your experiments");
    window.press("Open mine.ron");
    window.until_says("Opened ");
}

#[test]
fn the_plan_counts_what_is_purged_and_what_is_embargo() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");
    window.until_says("purged 1 bar before validation and 1 before test");
    window.set_number("Horizon", "8");
    window.until_says("purged 8 bars before validation and 8 before test");
    assert!(!window.says("embargo 24 bars"));
    // The labels end in the embargo: nothing has to be purged any more.
    window.set_number("Embargo", "24");
    window.until_says("embargo 24 bars before validation and 24 before test");
    assert!(!window.says("purged "), "{}", window.text());
    window.set_number("Embargo", "5");
    window.until_says(
        "purged 3 bars before validation and 3 before test, embargo 5 bars before validation and 5 before test",
    );
    window.choose("Scheme", "purged K-fold");
    window.until_says("after test");
}

#[test]
fn values_are_proposed_for_a_field_that_is_varied() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");
    window.press("Vary a field");
    window.set_text("Field 1", "model.dropout");
    window.press("Try 0.05, 0.1, 0.2");
    window.until_says("3 variants");
    window.until_enabled("Start");
}
