use egui::{Key, KeyboardShortcut, Modifiers};

use super::icons;
use super::state::State;

/// What can be done from anywhere: the one list behind buttons, shortcuts and the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    CheckLeaks,
    Pause,
    Cancel,
    Open,
    Save,
    Export,
    Palette,
    Find,
    Help,
    About,
    Quit,
}

impl Action {
    pub(super) const ALL: [Self; 12] = [
        Self::Start,
        Self::CheckLeaks,
        Self::Pause,
        Self::Cancel,
        Self::Open,
        Self::Save,
        Self::Export,
        Self::Palette,
        Self::Find,
        Self::Help,
        Self::About,
        Self::Quit,
    ];

    /// On its button.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::CheckLeaks => "Check for leaks",
            Self::Pause => "Pause",
            Self::Cancel => "Cancel",
            Self::Open => "Open…",
            Self::Save => "Save as…",
            Self::Export => "Export models…",
            Self::Palette => "Command palette",
            Self::Find => "Find",
            Self::Help => "Help",
            Self::About => "About Walkforge",
            Self::Quit => "Quit",
        }
    }

    /// In the help and as a tooltip.
    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Start => "Train the experiment; while another one trains, queue it",
            Self::CheckLeaks => {
                "Compute every feature, label and fitted statistic again without what came later"
            }
            Self::Pause => {
                "Stop training at a checkpoint and free the devices; once more to go on from there"
            }
            Self::Cancel => "Stop everything within a batch; finished tasks are kept",
            Self::Open => "Open an experiment from a RON file",
            Self::Save => "Save this experiment as a RON file",
            Self::Export => "Write the trained models of the run in view to a folder",
            Self::Palette => "Find whatever can be done, by a few of its letters",
            Self::Find => "Go to the search field in view; once more to the next one",
            Self::Help => "Show shortcuts and where things are",
            Self::About => "Version, licence, libtorch and devices, to copy for a bug report",
            Self::Quit => "Close the window; asks first while something trains",
        }
    }

    pub(super) const fn icon(self) -> &'static str {
        match self {
            Self::Start => icons::PLAY,
            Self::CheckLeaks => icons::SHIELD_CHECK,
            Self::Pause => icons::PAUSE,
            Self::Cancel => icons::STOP,
            Self::Open => icons::FOLDER_OPEN,
            Self::Save => icons::FLOPPY_DISK,
            Self::Export => icons::EXPORT,
            Self::Palette | Self::Find => icons::MAGNIFYING_GLASS,
            Self::Help => icons::QUESTION,
            Self::About => icons::INFO,
            Self::Quit => icons::X,
        }
    }

    /// Its keys; `None` where it has none.
    pub(super) const fn shortcut(self) -> Option<KeyboardShortcut> {
        let (modifiers, key) = match self {
            Self::Start => (Modifiers::COMMAND, Key::Enter),
            Self::CheckLeaks => (Modifiers::COMMAND, Key::L),
            Self::Pause => (Modifiers::COMMAND, Key::P),
            Self::Cancel => (Modifiers::COMMAND, Key::Period),
            Self::Open => (Modifiers::COMMAND, Key::O),
            Self::Save => (Modifiers::COMMAND, Key::S),
            Self::Export => (Modifiers::COMMAND, Key::E),
            Self::Palette => (Modifiers::COMMAND, Key::K),
            Self::Find => (Modifiers::COMMAND, Key::F),
            Self::Help => (Modifiers::NONE, Key::F1),
            Self::About => return None,
            Self::Quit => (Modifiers::COMMAND, Key::Q),
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// Its shortcut as it stands on the keys: `Ctrl+.` and not `Ctrl+Period`. Empty where it has none.
    pub(super) fn keys(self, ctx: &egui::Context) -> String {
        let keys = self.shortcut().map(|shortcut| ctx.format_shortcut(&shortcut));
        keys.unwrap_or_default().replace("Period", ".")
    }

    /// Help and shortcut, for a tooltip.
    pub(super) fn tooltip(self, ctx: &egui::Context) -> String {
        let keys = self.keys(ctx);
        if keys.is_empty() { self.help().to_owned() } else { format!("{} ({keys})", self.help()) }
    }

    /// Why it can do nothing now, in words; `None` where it can.
    pub(super) fn waits_for(self, state: &State) -> Option<String> {
        let unless = |can: bool, why: &str| (!can).then(|| why.to_owned());
        match self {
            Self::CheckLeaks if state.checks.running.is_some() => {
                Some("A leak check is at work already.".to_owned())
            }
            Self::Start | Self::CheckLeaks => state.start_waits_for(),
            Self::Pause => unless(state.pausable_runs().next().is_some(), "No run trains."),
            Self::Cancel => {
                unless(state.is_busy() || state.checks.running.is_some(), "Nothing runs.")
            }
            Self::Export => unless(!state.exporting, "An export is being written already."),
            _ => None,
        }
    }
}
