use std::cmp::Reverse;

use egui::{Context, ThemePreference, gui_zoom::kb_shortcuts};

use super::matching::{self, Match};
use crate::domain::text::minute;
use crate::spec::PRESETS;
use crate::ui::actions::Action;
use crate::ui::commands::{Command, Purpose, Zoom};
use crate::ui::icons;
use crate::ui::layout::PanelKind;
use crate::ui::state::State;

/// Stored runs that are offered, the newest.
const RUNS: usize = 50;
/// What an entry is worth less whose explanation answers and whose name does not.
const ONLY_EXPLAINED: i32 = 40;

/// Something that can be done.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) icon: &'static str,
    pub(super) name: String,
    /// What comes of it.
    pub(super) help: String,
    /// Its shortcut as it stands on the keys; empty where it has none.
    pub(super) keys: String,
    /// Why it can do nothing now.
    pub(super) waits_for: Option<String>,
    pub(super) command: Command,
}

impl Entry {
    fn new(icon: &'static str, name: impl Into<String>, help: &str, command: Command) -> Self {
        let (name, help) = (name.into(), help.to_owned());
        Self { icon, name, help, keys: String::new(), waits_for: None, command }
    }

    fn keys(self, keys: String) -> Self {
        Self { keys, ..self }
    }
}

/// Everything that can be done from anywhere.
pub(super) fn all(ctx: &Context, state: &State) -> Vec<Entry> {
    let mut all = Vec::new();
    for action in Action::ALL.into_iter().filter(|action| *action != Action::Palette) {
        let command = Command::Do(action);
        let entry = Entry::new(action.icon(), action.name(), action.help(), command);
        let waits_for = action.waits_for(state);
        all.push(Entry { waits_for, ..entry.keys(action.keys(ctx)) });
    }
    for kind in PanelKind::ALL {
        let name = format!("Show {}", kind.title());
        let keys = kind.shortcut().map(|keys| ctx.format_shortcut(&keys));
        let command = Command::ShowPanel(kind);
        let entry = Entry::new(kind.icon(), name, "Bring the panel to the front", command);
        all.push(entry.keys(keys.unwrap_or_default()));
    }
    all.extend(of_experiment());
    all.extend(of_runs(state));
    all.extend(of_window(ctx));
    all
}

fn of_experiment() -> Vec<Entry> {
    let presets = PRESETS.iter().map(|preset| {
        let name = format!("Preset: {}", preset.name);
        let command = Command::UsePreset(preset.name);
        Entry::new(icons::SLIDERS_HORIZONTAL, name, "Put it on the bench", command)
    });
    let folder = Entry::new(
        icons::FOLDER_OPEN,
        "Open a data folder…",
        "Take bars from the market files in a folder",
        Command::AskForPath(Purpose::Data, String::new()),
    );
    let synthetic = Entry::new(
        icons::DATABASE,
        "Use the built-in market",
        "Take synthetic bars, which need no files",
        Command::UseSynthetic,
    );
    let rescan = Entry::new(
        icons::ARROW_COUNTER_CLOCKWISE,
        "Read the data folder again",
        "List the market files as they are now",
        Command::Rescan,
    );
    let copy = Entry::new(
        icons::COPY,
        "Copy the command line",
        "The command that trains this experiment from a terminal",
        Command::CopyCommandLine,
    );
    [folder, synthetic, rescan, copy].into_iter().chain(presets).collect()
}

fn of_runs(state: &State) -> Vec<Entry> {
    let interrupted = Entry::new(
        icons::WARNING,
        "Show interrupted runs",
        "Runs that a crash or a power cut has stopped, to be resumed",
        Command::ShowInterrupted,
    );
    let stored = state.results.stored.iter().take(RUNS).map(|run| {
        let name = format!("Results: {}, {}", run.experiment, minute(run.created));
        let help = format!("{} of {} tasks finished", run.finished, run.tasks);
        Entry::new(icons::CHART_BAR, name, &help, Command::LookAt(run.id.clone()))
    });
    std::iter::once(interrupted).chain(stored).collect()
}

fn of_window(ctx: &Context) -> Vec<Entry> {
    let theme = |icon, name, theme| {
        Entry::new(icon, name, "Light or dark colours", Command::SetTheme(theme))
    };
    let zoom = |name, zoom, keys| {
        let entry = Entry::new(icons::DESKTOP, name, "Text and everything", Command::Zoom(zoom));
        entry.keys(ctx.format_shortcut(keys))
    };
    vec![
        theme(icons::MOON, "Dark theme", ThemePreference::Dark),
        theme(icons::SUN, "Light theme", ThemePreference::Light),
        theme(icons::DESKTOP, "Follow the system's theme", ThemePreference::System),
        zoom("Larger", Zoom::In, &kb_shortcuts::ZOOM_IN),
        zoom("Smaller", Zoom::Out, &kb_shortcuts::ZOOM_OUT),
        zoom("Usual size", Zoom::Reset, &kb_shortcuts::ZOOM_RESET),
        Entry::new(
            icons::LAYOUT,
            "Reset the layout",
            "Put every panel back to where it was at first",
            Command::ResetLayout,
        ),
    ]
}

/// The entries that answer what was typed, the best first, with the letters of their names that were typed.
pub(super) fn ranked(typed: &str, entries: Vec<Entry>) -> Vec<(Entry, Vec<usize>)> {
    let found = entries.into_iter().filter_map(|entry| {
        let Match { score, places } = matching::find(typed, &entry.name).or_else(|| {
            let Match { score, .. } = matching::find(typed, &entry.help)?;
            Some(Match { score: score - ONLY_EXPLAINED, places: Vec::new() })
        })?;
        Some((score, entry, places))
    });
    let mut found: Vec<_> = found.collect();
    if !typed.trim().is_empty() {
        // Of equal ones the shortest is meant: more of it was typed.
        found.sort_by_key(|(score, entry, _)| (Reverse(*score), entry.name.chars().count()));
    }
    found.into_iter().map(|(_, entry, places)| (entry, places)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::RunStatus;
    use crate::ui::testing;

    fn names(typed: &str, entries: &[Entry]) -> Vec<String> {
        ranked(typed, entries.to_vec()).into_iter().map(|(entry, _)| entry.name).collect()
    }

    #[test]
    fn what_is_meant_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = testing::app(folder.path());
        testing::list(&mut app, vec![testing::entry("r", RunStatus::Finished)]);
        let entries = all(&Context::default(), &app.state);
        for (typed, first) in [
            ("dev", "Show Devices"),
            ("start", "Start"),
            ("light", "Light theme"),
            ("rl", "Reset the layout"),
            ("lstm", "Preset: lstm-direction"),
            ("bug report", "About Walkforge"),
            ("results: e", "Results: e, 1970-01-01 00:00"),
            ("data folder", "Open a data folder…"),
        ] {
            let names = names(typed, &entries);
            assert_eq!(names.first().map(String::as_str), Some(first), "{typed}: {names:?}");
        }
        assert_eq!(names("", &entries).len(), entries.len());
        assert_eq!(names("", &entries)[0], "Start", "in the order of the list");
    }

    #[test]
    fn what_can_do_nothing_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let app = testing::app(folder.path());
        let entries = all(&Context::default(), &app.state);
        let cancel = entries.iter().find(|entry| entry.name == "Cancel").unwrap();
        assert_eq!(cancel.waits_for.as_deref(), Some("Nothing runs."));
        let help = entries.iter().find(|entry| entry.name == "Help").unwrap();
        assert_eq!(help.waits_for, None);
    }

    #[test]
    fn no_two_entries_are_called_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let app = testing::app(folder.path());
        let entries = all(&Context::default(), &app.state);
        let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
