use egui::{Key, KeyboardShortcut, Modifiers};

use super::icons;

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
    Help,
    Quit,
}

impl Action {
    pub(super) const ALL: [Self; 9] = [
        Self::Start,
        Self::CheckLeaks,
        Self::Pause,
        Self::Cancel,
        Self::Open,
        Self::Save,
        Self::Export,
        Self::Help,
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
            Self::Help => "Help",
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
            Self::Help => "Show shortcuts and versions",
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
            Self::Help => icons::QUESTION,
            Self::Quit => icons::X,
        }
    }

    pub(super) const fn shortcut(self) -> KeyboardShortcut {
        let (modifiers, key) = match self {
            Self::Start => (Modifiers::COMMAND, Key::Enter),
            Self::CheckLeaks => (Modifiers::COMMAND, Key::L),
            Self::Pause => (Modifiers::COMMAND, Key::P),
            Self::Cancel => (Modifiers::COMMAND, Key::Period),
            Self::Open => (Modifiers::COMMAND, Key::O),
            Self::Save => (Modifiers::COMMAND, Key::S),
            Self::Export => (Modifiers::COMMAND, Key::E),
            Self::Help => (Modifiers::NONE, Key::F1),
            Self::Quit => (Modifiers::COMMAND, Key::Q),
        };
        KeyboardShortcut::new(modifiers, key)
    }

    /// Its shortcut as it stands on the keys: `Ctrl+.` and not `Ctrl+Period`.
    pub(super) fn keys(self, ctx: &egui::Context) -> String {
        ctx.format_shortcut(&self.shortcut()).replace("Period", ".")
    }

    /// Help and shortcut, for a tooltip.
    pub(super) fn tooltip(self, ctx: &egui::Context) -> String {
        format!("{} ({})", self.help(), self.keys(ctx))
    }
}
