//! Runs found by expressions, their columns, colours and keys; compared runs drawn over each other; folds as a heat map.

use std::path::Path;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use walkforge::runs::{RunFilter, RunIndex};
use walkforge::spec::ExperimentSpec;
use walkforge::ui::Settings;

use crate::bench::Window;
use crate::run_pictures::{many_runs, show_runs};
use crate::stories::{logged, spec};

/// A second of work: two symbols, one fold.
fn small(set: &[&str]) -> ExperimentSpec {
    let common = ["validation.max_folds=1", "training.max_epochs=3", "data.source.bars=4000"];
    spec("mlp-return", &common.iter().chain(set).copied().collect::<Vec<_>>())
}

/// The runs of a fortnight, listed.
fn listed(runs: &Path) -> Window {
    let mut window = Window::on(runs, small(&[]));
    window.click(Role::Tab, "Runs panel");
    show_runs(&mut window, many_runs());
    window.until_says("11 runs");
    window
}

#[test]
fn an_expression_narrows_the_list_and_a_wrong_one_says_why_and_leaves_it_as_it_was() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = listed(runs.path());
    for (query, shown) in [
        ("status:finished sharpe>1.5", "3 of 11 runs"),
        ("tag:wide", "2 of 11 runs"),
        ("tag:wide -tag:best", "1 of 11 runs"),
        ("training.learning_rate=0.001", "2 of 11 runs"),
        ("training.learning_rate=0.001 seed!=1", "1 of 11 runs"),
        ("note:\"longer training\"", "1 of 11 runs"),
        ("status:\"running elsewhere\"", "1 of 11 runs"),
        ("tasks<10 mlp", "0 of 11 runs"),
        ("started>=2026-01-14", "4 of 11 runs"),
    ] {
        window.set_search("Search runs", query);
        window.until_says(shown);
    }
    window.set_search("Search runs", "sharp>1");
    window.until_says("`sharp` is no column; did you mean sharpe?");
    assert!(window.says("4 of 11 runs"), "{}", window.text());
    window.set_search("Search runs", "sharpe>");
    window.until_says("`sharpe>` needs a value after it");
    window.set_search("Search runs", "sharpe>1.5");
    window.until_says("3 of 11 runs");
    assert!(!window.says("needs a value"));
    // What can be written is explained where it is written.
    window.press("What can be searched for");
    window.until_says("the sweep it is a variant of");
}

#[test]
fn columns_sort_and_colours_survive_a_restart() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = listed(runs.path());
    assert!(!window.says("Sort by Net return"));
    window.press("Columns of the runs");
    window.click(Role::CheckBox, "Show column Net return");
    window.click(Role::CheckBox, "Show column Tags");
    window.harness.key_press(Key::Escape);
    window.until_says("Sort by Net return");
    assert!(!window.says("Sort by Tags"));
    window.press("Sort by Sharpe");
    let first = many_runs()[2].id.clone();
    window.press(&format!("Colour of {first}"));
    let kept = window.harness.state().settings().to_text();
    assert!(kept.contains(first.as_str()), "{kept}");
    drop(window);

    let settings = Settings::from_text(&kept).unwrap();
    let mut window = Window::again(runs.path(), settings);
    window.click(Role::Tab, "Runs panel");
    show_runs(&mut window, many_runs());
    window.until_says("Sort by Net return");
    assert!(!window.says("Sort by Tags"));
    assert!(window.harness.state().settings().to_text().contains(first.as_str()));
}

#[test]
fn runs_are_picked_and_opened_by_keys_alone() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = listed(runs.path());
    window.node(Role::Grid, "Runs").focus();
    window.harness.run_steps(2);
    window.shortcut(Modifiers::NONE, Key::ArrowDown);
    window.until_says("11 runs, 1 selected");
    window.shortcut(Modifiers::SHIFT, Key::ArrowDown);
    window.until_says("11 runs, 2 selected");
    assert!(window.is_enabled("Compare the selected runs"));
    window.shortcut(Modifiers::COMMAND, Key::A);
    window.until_says("11 runs, 11 selected");
    window.shortcut(Modifiers::NONE, Key::Home);
    window.until_says("11 runs, 1 selected");
    window.shortcut(Modifiers::NONE, Key::Enter);
    // It is made up, and nothing of it is on disk.
    window.until_says("there is no run");
}

#[test]
fn compared_runs_are_drawn_over_each_other_and_a_run_s_folds_as_a_heat_map() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), small(&[]));
    for (seed, done) in [("1", 1), ("2", 2)] {
        window.set_number("Seed", seed);
        window.until_enabled("Start");
        window.press("Start");
        window.until("the run's end", |window| {
            logged(window, "mlp-return finished: 2 tasks") >= done
        });
    }
    // Symbols by folds, and the drawdown under the equity.
    window.click(Role::Tab, "Results panel");
    window.until_says("Equity of All symbols, equally weighted · 1h");
    window.until_says("Drawdown of All symbols, equally weighted · 1h");
    window.until_says("Rank IC of 2 series in 1 fold, scale from");
    window.choose("Figure of the heat map", "Max drawdown");
    window.until_says("Max drawdown of 2 series in 1 fold");
    // Scrolled into view by the choice.
    window.until_says("SYN_A · 1h, fold 0, tested");

    window.click(Role::Tab, "Runs panel");
    window.until_says("2 runs");
    let entries = RunIndex::open(runs.path()).unwrap().runs(&RunFilter::default()).unwrap();
    for entry in &entries {
        window.click(Role::CheckBox, &format!("Select {}", entry.id));
    }
    window.press("Compare the selected runs");
    window.until_says("2 runs, 1 setting differs");
    window.press("Curves");
    // Oldest first.
    let names: Vec<String> = entries
        .iter()
        .rev()
        .map(|entry| format!("mlp-return · {}", entry.id.as_str().rsplit('-').next().unwrap()))
        .collect();
    let both = names.join(" and ");
    window.until_says(&format!("Validation loss of {both}"));
    window.until_says(&format!("Equity of {both}"));
    // One is hidden; the other is alone.
    window.click(Role::CheckBox, &format!("Draw {}", names[0]));
    window.until("the other alone", |window| {
        let alone = format!("Validation loss of {}", names[1]);
        window.harness.query_all_by_role_and_label(Role::Image, &alone).next().is_some()
    });
    window.press("Table");
    window.until_says("Sort by Seed");
}

#[test]
fn named_models_are_found_by_words() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::on(runs.path(), small(&[]));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("mlp-return finished: 2 tasks");
    for name in ["hourly", "daily"] {
        window.click(Role::Tab, "Results panel");
        window.until_enabled("Name a model…");
        window.press("Name a model…");
        window.set_text("Model name", name);
        window.until_says(&format!("{name}@1"));
    }
    window.click(Role::Tab, "Models panel");
    window.until_says("2 models");
    window.set_search("Search models", "HOUR");
    window.until("one of them", |window| !window.says("daily@1"));
    window.until_says("hourly@1");
    window.set_search("Search models", "weekly");
    window.until_says("No model fits");
}
