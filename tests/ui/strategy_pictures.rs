//! Pictures of the Strategy and Plan panels.

use egui::accesskit::Role;

use crate::bench::Window;
use crate::pictures::{compare, experiment, large_machine, open, show_plan};

fn window(set: &[&str], theme: egui::Theme) -> (tempfile::TempDir, Window) {
    let runs = tempfile::tempdir().unwrap();
    let window = open(runs.path(), experiment(set), theme, "2026-01-15T09:29:00Z");
    (runs, window)
}

#[test]
fn gallery() {
    let (_runs, mut window) = window(&["training.batch_size=512"], egui::Theme::Dark);
    window.until_says("10 tasks");
    window.press("Choose a preset");
    window.until_says("Begin from");
    compare(&mut window, "presets");
}

#[test]
fn changes() {
    let set = [
        "training.batch_size=512",
        "model.hidden=[64,16]",
        "window=8",
        "training.learning_rate=0.0005",
        r#"features[0]={"LogReturn":{"lag":3}}"#,
    ];
    let (_runs, mut window) = window(&set, egui::Theme::Dark);
    window.until_says("10 tasks");
    window.until_says("fields differ");
    let listed =
        window.text().lines().find(|line| line.ends_with("fields differ")).unwrap().to_owned();
    window.click(Role::DisclosureTriangle, &listed);
    compare(&mut window, "strategy-changes");
    window.node(Role::SpinButton, "Batch size").scroll_to_me();
    compare(&mut window, "strategy-marks");
}

#[test]
fn ron() {
    let (_runs, mut window) = window(&[], egui::Theme::Dark);
    window.until_says("10 tasks");
    window.press("Show as RON");
    window.until_says("The experiment as RON");
    compare(&mut window, "ron");
}

/// Sections of which purge and embargo are a part that can be seen.
const WIDE_GAPS: [&str; 4] = [
    "label.horizon=72",
    "validation.train=1200",
    "validation.embargo=48",
    "validation.max_folds=12",
];

fn plan(theme: egui::Theme, name: &str) {
    let (_runs, mut window) = window(&WIDE_GAPS, theme);
    window.until_says("embargo 48 bars");
    show_plan(&mut window, &experiment(&WIDE_GAPS), |_| {});
    compare(&mut window, name);
}

#[test]
fn plan_dark() {
    plan(egui::Theme::Dark, "plan");
}

#[test]
fn plan_light() {
    plan(egui::Theme::Light, "plan-light");
}

#[test]
fn plan_of_k_fold_on_two_cards() {
    let set = [
        "label.horizon=72",
        r#"validation={"PurgedKFold":{"folds":5,"validation":0.1,"embargo":96}}"#,
    ];
    let runs = tempfile::tempdir().unwrap();
    let spec = {
        let base = walkforge::spec::load("mlp-return").unwrap();
        let set = set.iter().chain(&["resources.device=cpu", "resources.workers=2"]);
        let set: Vec<_> = set.map(|one| one.parse().unwrap()).collect();
        walkforge::spec::apply(&base, &set).unwrap()
    };
    let mut window = open(runs.path(), spec.clone(), egui::Theme::Dark, "2026-01-15T09:35:00Z");
    large_machine(&mut window);
    window.until_says("embargo ");
    show_plan(&mut window, &spec, |_| {});
    compare(&mut window, "plan-k-fold-cards");
}
