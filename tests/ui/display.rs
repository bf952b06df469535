//! Stories told by the real program in a real window: keys and mouse go in, pixels, files and exit codes come out.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use walkforge::domain::RunId;
use walkforge::runs::{RunEntry, RunFilter, RunIndex, RunStatus};

use crate::screen::{Area, Picture, Screen};

/// Colours of the dark theme, as src/ui/theme.rs names them.
const ACCENT: u32 = 0x4f_b4_f5;
const SUCCESS: u32 = 0x3c_cf_8e;
const FIRST_SERIES: u32 = 0x56_b4_e9;

const TOP_BAR: Area = Area { left: 0, top: 0, right: 1440, bottom: 40 };
/// Where toasts have their left edge, in the colour of their level; what the log says stands elsewhere.
const TOAST_EDGE: Area = Area { left: 1144, top: 500, right: 1152, bottom: 900 };
/// Inside the loss plot, left of its legend.
const CURVES: Area = Area { left: 430, top: 130, right: 860, bottom: 500 };
/// The sun that makes the window light.
const THEME_BUTTON: (usize, usize) = (1370, 21);

/// Many tasks of about a second.
const MANY: &str = "window --preset mlp-return --runs runs --set resources.device=cpu --set resources.workers=1 \
    --set training.patience=null --set training.max_epochs=60";
/// Tasks that only end when they are cancelled.
const ENDLESS: &str = "window --preset mlp-return --runs runs --set resources.device=cpu --set resources.workers=1 \
    --set training.patience=null --set training.max_epochs=1000000 --set validation.max_folds=1";

/// A screen, or a skip.
macro_rules! screen {
    () => {
        match Screen::open() {
            Ok(screen) => screen,
            Err(reason) => crate::skip!("{reason}"),
        }
    };
}

#[test]
fn an_experiment_is_trained_watched_cancelled_and_exported() {
    let mut screen = screen!();
    screen.open_window(MANY);
    screen.until("a Start button", |screen| offers_start(&screen.look()));

    screen.press("ctrl+Return");
    let run = screen.until("a run", only_run);
    let before = screen.until("a curve", |screen| curve(&screen.look()));
    let known = epochs(&run);
    screen.until("a curve that moves", |screen| {
        let moved = curve(&screen.look()).is_some_and(|now| now != before);
        (moved && epochs(&run) > known).then_some(())
    });
    screen.until("a finished task", |_| (entry(&run)?.finished > 0).then_some(()));

    screen.press("ctrl+period");
    let outcome = screen.until("an outcome", |_| outcome(&run));
    assert_eq!(outcome["outcome"], "cancelled");
    let (finished, cancelled) = (tasks(&outcome, "finished"), tasks(&outcome, "cancelled"));
    assert!(!finished.is_empty() && !cancelled.is_empty(), "{finished:?} {cancelled:?}");
    assert_eq!((finished.len() + cancelled.len()) as u64, entry(&run).unwrap().tasks);
    for task in &finished {
        assert!(run.join("tasks").join(task).join("weights.safetensors").is_file(), "{task}");
    }

    screen.press("ctrl+e");
    screen.until("a question for the folder", |screen| question(&screen.look()));
    let exported = screen.path("exported");
    screen.press("ctrl+a");
    screen.write(exported.to_str().unwrap());
    screen.press("Return");
    screen.until("the news that models are exported", |screen| {
        screen.look().part(TOAST_EDGE).area_of(SUCCESS)
    });
    for task in &finished {
        assert!(exported.join(task).join("model.pt").is_file(), "{task}");
    }
    assert_eq!(fs::read_dir(&exported).unwrap().count(), finished.len());

    screen.press("ctrl+q");
    assert_eq!(screen.until_exit().code, Some(0));
}

#[test]
fn closing_asks_first_while_something_trains() {
    let mut screen = screen!();
    let run = train_endlessly(&mut screen);

    screen.press("ctrl+q");
    screen.until("a question", |screen| question(&screen.look()));
    screen.press("Escape");
    screen.until("the end of the question", |screen| offers_start(&screen.look()));
    let known = epochs(&run);
    screen.until("another epoch", |_| (epochs(&run) > known).then_some(()));
    assert!(outcome(&run).is_none(), "it stays, so it goes on");

    screen.press("ctrl+q");
    let checkpoint = screen.until("the question again", |screen| question(&screen.look()));
    focus_left_of(&mut screen, checkpoint);
    screen.press("Return");
    assert_eq!(screen.until_exit().code, Some(0));
    assert_eq!(outcome(&run).expect("it waits until all is on disk")["outcome"], "cancelled");
}

/// As Ctrl-C in the terminal that started it.
#[test]
fn a_signal_checkpoints_what_trains_and_closes_the_window() {
    let mut screen = screen!();
    let run = train_endlessly(&mut screen);
    screen.signal("INT");
    assert_eq!(screen.until_exit().code, Some(0));
    assert!(outcome(&run).is_none(), "nothing was cancelled");
    assert_eq!(entry(&run).unwrap().status, RunStatus::Interrupted, "it can be resumed");
    let task = fs::read_dir(run.join("tasks")).unwrap().next().unwrap().unwrap().path();
    let has_checkpoint = fs::read_dir(&task)
        .unwrap()
        .any(|file| file.unwrap().file_name().to_string_lossy().starts_with("checkpoint"));
    assert!(has_checkpoint, "{}", task.display());
}

#[test]
fn the_theme_survives_a_restart() {
    let mut screen = screen!();
    screen.open_window("");
    screen.until("a Start button", |screen| offers_start(&screen.look()));
    assert!(!screen.look().is_light(), "it begins dark");
    screen.click(THEME_BUTTON);
    screen.until("a light window", |screen| screen.look().is_light().then_some(()));
    screen.press("ctrl+q");
    assert_eq!(screen.until_exit().code, Some(0));
    let stored = fs::read_to_string(screen.path("data/walkforge/app.ron")).unwrap();
    assert!(stored.contains("theme:Light"), "{stored}");

    screen.open_window("");
    screen.until("a light window again", |screen| screen.look().is_light().then_some(()));
    screen.press("ctrl+q");
    assert_eq!(screen.until_exit().code, Some(0));
}

#[test]
fn without_a_window_the_terminal_takes_over() {
    let mut screen = screen!();
    let mut command = screen.command("");
    screen.start(command.env("DISPLAY", ":987"));
    screen
        .until("a finished task", |screen| (entry(&only_run(screen)?)?.finished > 0).then_some(()));
    screen.signal("INT");
    let ended = screen.until_exit();
    assert_eq!(ended.code, Some(130), "{}", ended.said);
    let reason = "No window: DISPLAY=:987 cannot be used: Failed to open connection to X server. \
        Training the default experiment in the terminal instead";
    assert!(ended.said.contains(reason), "{}", ended.said);
}

#[test]
fn why_there_is_no_window_is_said_in_words() {
    let mut screen = screen!();
    // Empty files stand before the real libraries.
    let broken = screen.path("broken");
    fs::create_dir(&broken).unwrap();
    for name in ["libxkbcommon-x11.so", "libxkbcommon-x11.so.0"] {
        fs::write(broken.join(name), "").unwrap();
    }
    let broken = broken.to_str().unwrap().to_owned();
    let none = "/nonexistent";
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[("DISPLAY", ":987")], "DISPLAY=:987 cannot be used: Failed to open connection"),
        (&[("DISPLAY", "")], "there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set"),
        (&[("LD_LIBRARY_PATH", &broken)], "Library libxkbcommon-x11.so could not be loaded"),
        (
            &[("WGPU_BACKEND", "vulkan"), ("VK_DRIVER_FILES", none), ("VK_ICD_FILENAMES", none)],
            "no graphics device can draw",
        ),
    ];
    for (environment, reason) in cases {
        let mut command = screen.command(ENDLESS);
        screen.start(command.envs(environment.iter().copied()));
        let ended = screen.until_exit();
        assert_eq!(ended.code, Some(2), "{environment:?}: {}", ended.said);
        let line = format!("error: the window cannot be opened: {reason}");
        assert!(ended.said.contains(&line), "{environment:?}: {}", ended.said);
    }
}

/// Opens the window and starts tasks that only end when they are cancelled; their run, once one has told an epoch.
#[track_caller]
fn train_endlessly(screen: &mut Screen) -> PathBuf {
    screen.open_window(ENDLESS);
    screen.until("a Start button", |screen| offers_start(&screen.look()));
    screen.press("ctrl+Return");
    let run = screen.until("a run", only_run);
    screen.until("an epoch", |_| (epochs(&run) > 0).then_some(()));
    run
}

/// Start is the only thing in the top bar that has the accent's colour, and only while it can be pressed.
fn offers_start(picture: &Picture) -> Option<Area> {
    picture.part(TOP_BAR).area_of(ACCENT)
}

/// The button that the open question offers first: everything behind it is dimmed, Start too.
fn question(picture: &Picture) -> Option<Area> {
    let button = picture.area_of(ACCENT)?;
    let is_alone = button.top > TOP_BAR.bottom && button.bottom - button.top > 16;
    is_alone.then_some(button)
}

/// Where the plot has the first task's curves.
fn curve(picture: &Picture) -> Option<Vec<(usize, usize)>> {
    let places = picture.part(CURVES).places(FIRST_SERIES);
    (!places.is_empty()).then_some(places)
}

/// Walks with the keyboard to the button left of another one.
#[track_caller]
fn focus_left_of(screen: &mut Screen, button: Area) {
    let row = Area {
        left: button.left - 120,
        top: button.top - 4,
        right: button.right + 4,
        bottom: button.bottom + 4,
    };
    let wanted = Area { right: button.left - 6, ..row };
    let unfocused = screen.look().part(wanted);
    for _ in 0..3 {
        let before = screen.look().part(row);
        screen.press("Tab");
        screen.until_other("another focus", row, &before);
        if screen.look().part(wanted) != unfocused {
            return;
        }
    }
    panic!("the keyboard does not reach it");
}

fn only_run(screen: &Screen) -> Option<PathBuf> {
    let folders = fs::read_dir(screen.path("runs")).ok()?;
    let folders = folders.map(|entry| entry.unwrap().path());
    let mut folders = folders.filter(|folder| folder.join("manifest.json").is_file());
    let folder = folders.next()?;
    assert!(folders.next().is_none(), "more than one run");
    entry(&folder).map(|_entry| folder)
}

fn outcome(run: &Path) -> Option<Value> {
    let text = fs::read_to_string(run.join("outcome.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn index(run: &Path) -> RunIndex {
    RunIndex::open(run.parent().unwrap()).unwrap()
}

/// How a run stands, as another process sees it.
fn entry(run: &Path) -> Option<RunEntry> {
    let name = run.file_name().unwrap().to_str().unwrap();
    let runs = index(run).runs(&RunFilter::default()).unwrap();
    runs.into_iter().find(|entry| entry.id.as_str() == name)
}

/// Epochs that its tasks have told so far.
fn epochs(run: &Path) -> usize {
    let id = RunId::new(run.file_name().unwrap().to_str().unwrap());
    index(run).curves(&id).unwrap().values().map(Vec::len).sum()
}

/// The tasks that ended so.
fn tasks<'a>(outcome: &'a Value, ending: &str) -> Vec<&'a str> {
    let tasks = outcome["tasks"].as_array().unwrap();
    let ended = tasks.iter().filter(|task| task["ending"] == ending);
    ended.map(|task| task["task"].as_str().unwrap()).collect()
}
