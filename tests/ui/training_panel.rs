//! How curves are drawn, stand still and leave the window.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{ColorImage, Key, ScreenshotCallback, ViewportCommand};
use walkforge::ui::Settings;

use crate::bench::Window;
use crate::pictures::{compare, running};
use crate::stories::{last_epoch, only_run, outcome, spec};

#[test]
fn curves_are_drawn_as_chosen_and_the_choice_survives_a_restart() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["validation.max_folds=2", "training.max_epochs=4", "training.monitor=\"RankIc\""];
    let mut window = Window::on(runs.path(), spec("linear-return", &set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("finished: 4 tasks");
    window.until_says("Loss curves of 4 tasks");
    assert!(!window.says("Learning rate curves"));
    for (item, curves) in [
        ("Rank IC", "Rank IC curves of 4 tasks"),
        ("Learning rate", "Learning rate curves of 4 tasks"),
        ("Gradient norm, before clipping", "Gradient norm curves of 4 tasks"),
    ] {
        window.press("Charts");
        window.click(Role::CheckBox, item);
        window.harness.key_press(Key::Escape);
        window.until_says(curves);
    }
    for axis in ["step", "time"] {
        window.choose("Curves over", axis);
        assert!(window.says("Loss curves of 4 tasks, up to epoch"), "{}", window.text());
    }
    window.choose("Plots", "by symbol");
    window.until_says("Loss curves of 2 tasks of SYN_A · 1h");
    assert!(window.says("Loss curves of 2 tasks of SYN_B · 1h"));
    window.choose("Plots", "by fold");
    window.until_says("Loss curves of 2 tasks of Fold 1");

    let stored = window.harness.state().settings().to_text();
    drop(window);
    let window = Window::again(runs.path(), Settings::from_text(&stored).unwrap());
    let again = window.harness.state().settings().to_text();
    for chosen in ["ByFold", "GradientNorm", "axis:Time"] {
        assert!(stored.contains(chosen) && again.contains(chosen), "{chosen}: {stored}\n{again}");
    }
}

#[test]
fn frozen_curves_stand_still_while_training_goes_on() {
    let runs = tempfile::tempdir().unwrap();
    let set = ["validation.max_folds=1", "training.max_epochs=100000", "training.patience=null"];
    let mut window = Window::on(runs.path(), spec("linear-return", &set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("Loss curves of 2 tasks, up to epoch");
    window.until_says("Time of training: data");
    window.press("Freeze");
    let frozen = last_epoch(&window);
    let most = |window: &Window| {
        let text = window.text();
        let epochs = text.lines().filter_map(|line| line.strip_suffix("/100000")?.parse().ok());
        epochs.max().unwrap_or(0_u32)
    };
    window.until("more epochs in the queue", |window| most(window) > frozen + 2);
    assert_eq!(last_epoch(&window), frozen);
    window.press("Follow");
    assert!(last_epoch(&window) > frozen);
    window.press("Cancel");
    window.until_says("cancelled: ");
}

/// Types a path into the dialog that is open and draws frames until the window asks for a picture of itself, if it does.
fn give_path(window: &mut Window, path: &std::path::Path) -> Option<ScreenshotCallback> {
    window.click(Role::TextInput, "File");
    window.harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    window.harness.step();
    window.harness.event(egui::Event::Text(path.to_str().unwrap().to_owned()));
    window.harness.step();
    window.harness.key_press(Key::Enter);
    for _ in 0..5 {
        window.harness.step();
        let output = &window.harness.output().viewport_output;
        let asked = output.values().flat_map(|viewport| &viewport.commands);
        let mut asked = asked.filter_map(|command| match command {
            ViewportCommand::Screenshot(callback) => Some(callback.clone()),
            _ => None,
        });
        if let Some(callback) = asked.next_back() {
            return Some(callback);
        }
    }
    None
}

#[test]
fn curves_leave_as_a_table_and_charts_as_a_picture() {
    let (runs, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let set = ["validation.max_folds=1", "training.max_epochs=3"];
    let mut window = Window::on(runs.path(), spec("linear-return", &set));
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("finished: 2 tasks");
    window.until_says("Loss curves of 2 tasks");

    window.press("Export curves");
    window.press("Curves as CSV or Parquet…");
    let table = files.path().join("curves.csv");
    assert!(give_path(&mut window, &table).is_none());
    window.until_says("Saved ");
    let text = std::fs::read_to_string(&table).unwrap();
    let epochs: u32 =
        outcome(&only_run(runs.path())).tasks.len().try_into().map(|tasks: u32| 3 * tasks).unwrap();
    assert_eq!(text.lines().count() as u32, 1 + epochs, "{text}");
    assert!(text.starts_with("task,epoch,train_loss,validation_loss"), "{text}");

    window.press(&format!("Dismiss: Saved {}", table.display()));
    window.press("Export curves");
    window.press("Charts as PNG…");
    let picture = files.path().join("charts.png");
    let callback = give_path(&mut window, &picture).expect("it takes a picture of itself");
    let whole = window.harness.render().unwrap();
    let size = [whole.width() as usize, whole.height() as usize];
    callback.complete(Arc::new(ColorImage::from_rgba_unmultiplied(size, whole.as_raw())));
    window.until_says(&format!("Saved {}", picture.display()));
    let part = image::open(&picture).unwrap().to_rgba8();
    assert!(part.width() > 400 && part.width() < 900, "{}", part.width());
    assert!(part.height() > 200 && part.height() < 600, "{}", part.height());
    let first = *part.get_pixel(0, 0);
    assert!(part.pixels().any(|pixel| *pixel != first), "it is empty");

    // What cannot be written says why, and the run is none the worse.
    window.press(&format!("Dismiss: Saved {}", picture.display()));
    window.press("Export curves");
    window.press("Curves as CSV or Parquet…");
    assert!(give_path(&mut window, &files.path().join("curves.docx")).is_none());
    window.until_says("let the name end with .parquet or .csv");
}

#[test]
fn pictures_of_training_metrics_and_small_multiples() {
    let (_runs, mut window) = running(egui::Theme::Dark);
    for item in ["Learning rate", "Gradient norm, before clipping"] {
        window.press("Charts");
        window.click(Role::CheckBox, item);
        window.harness.key_press(Key::Escape);
        window.harness.run_steps(3);
    }
    compare(&mut window, "training-metrics");
    window.choose("Plots", "by symbol");
    window.until_says("of SYN_B · 1h");
    compare(&mut window, "training-by-symbol");
}
