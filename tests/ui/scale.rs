//! Screens of other sizes, and with more pixels a point.

use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect};
use walkforge::ui::Settings;

use crate::bench::Window;
use crate::pictures::{compare, experiment, small_machine};

/// What the top bar must show in whole.
const BUTTONS: [&str; 8] =
    ["Open…", "Save as…", "Start", "Cancel", "Command palette", "View", "Light theme", "Help"];

/// Points of the screen, and pixels a point.
type Screen = ([f32; 2], f32);

fn on(screen: Screen, name: &str) -> (tempfile::TempDir, Window) {
    let runs = tempfile::tempdir().unwrap();
    let mut spec = experiment(&[]);
    name.clone_into(&mut spec.name);
    let moment = Some("2026-01-15T09:29:00Z".parse().unwrap());
    let settings = Settings::default();
    let mut window = Window::on_screen(runs.path(), Some(spec), settings, moment, screen);
    small_machine(&mut window);
    window.until_says("10 tasks");
    (runs, window)
}

fn picture(screen: Screen, name: &str) {
    let (_runs, mut window) = on(screen, "mlp-return");
    nothing_is_cut(&window, screen);
    compare(&mut window, name);
}

/// Every button of the top bar is inside the window, and none stands on another.
#[track_caller]
fn nothing_is_cut(window: &Window, (size, _): Screen) {
    let bar = Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(size[0], 48.0));
    let rects = BUTTONS.map(|name| window.node(Role::Button, name).rect());
    for (place, (name, rect)) in BUTTONS.iter().zip(rects).enumerate() {
        assert!(bar.contains_rect(rect), "{name} at {rect:?} on {size:?}");
        for (other, before) in BUTTONS.iter().zip(rects).take(place) {
            let shared = rect.intersect(before);
            assert!(!shared.is_positive(), "{name} stands on {other}: {shared:?} on {size:?}");
        }
    }
}

#[test]
fn a_small_screen() {
    picture(([1280.0, 800.0], 1.0), "scale-1280x800");
}

#[test]
fn a_large_screen() {
    picture(([2560.0, 1440.0], 1.0), "scale-2560x1440");
}

#[test]
fn half_as_many_pixels_again_in_a_point() {
    picture(([1280.0, 800.0], 1.5), "scale-1280x800-at-1.5");
}

#[test]
fn twice_as_many_pixels_in_a_point() {
    picture(([1440.0, 900.0], 2.0), "scale-1440x900-at-2");
}

#[test]
fn the_top_bar_has_room_for_everything_in_the_smallest_window_and_with_a_long_name() {
    for size in [[960.0, 600.0], [1280.0, 800.0], [1440.0, 900.0]] {
        let screen = (size, 1.0);
        let name = "an-experiment-with-the-longest-name-that-is-allowed-to-one-64-xx";
        let (_runs, window) = on(screen, name);
        nothing_is_cut(&window, screen);
    }
}

#[test]
fn the_size_of_everything_survives_a_restart() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    for _ in 0..2 {
        window.shortcut(Modifiers::COMMAND, Key::Plus);
    }
    window.harness.run_steps(2);
    let settings = window.harness.state().settings();
    assert!(settings.to_text().contains("zoom:1.2"), "{}", settings.to_text());
    drop(window);
    let mut window = Window::again(runs.path(), settings);
    window.harness.run_steps(2);
    assert!((window.harness.ctx.zoom_factor() - 1.2).abs() < 0.01);
    window.shortcut(Modifiers::COMMAND, Key::Num0);
    window.harness.run_steps(2);
    assert!(window.harness.state().settings().to_text().contains("zoom:1.0"));
}
