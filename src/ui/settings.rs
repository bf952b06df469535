use std::path::PathBuf;

use egui_tiles::Tree;
use serde::{Deserialize, Serialize};

use super::layout::PanelKind;
use super::panels::PanelViews;
use super::state::{Recents, RunColors, StoredDraft};

/// What the window remembers: theme, size, layout, the experiment on the bench, files of experiments, how the panels show what they show, the last
/// data folders, colours of runs. Everything else begins anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub(super) theme: egui::ThemePreference,
    /// How much larger than usual everything is drawn.
    pub(super) zoom: f32,
    pub(super) draft: Option<StoredDraft>,
    pub(super) experiments: Vec<PathBuf>,
    pub(super) layout: Option<Tree<PanelKind>>,
    pub(super) panels: PanelViews,
    pub(super) recents: Recents,
    pub(super) run_colors: RunColors,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: egui::ThemePreference::Dark,
            zoom: 1.0,
            draft: None,
            experiments: Vec::new(),
            layout: None,
            panels: PanelViews::default(),
            recents: Recents::default(),
            run_colors: RunColors::default(),
        }
    }
}

impl Settings {
    /// Reads what [`Self::to_text`] wrote.
    ///
    /// # Errors
    /// Why it cannot be read, as after a change of format. The window then begins with its defaults.
    pub fn from_text(text: &str) -> Result<Self, String> {
        ron::from_str(text).map_err(|error| error.to_string())
    }

    /// How much larger than usual everything is drawn; 1 where what is stored makes no sense.
    pub(super) fn zoom_factor(&self) -> f32 {
        // Between these Ctrl and + or − change it.
        if (0.2..=5.0).contains(&self.zoom) { self.zoom } else { 1.0 }
    }

    /// As text to be stored.
    ///
    /// # Panics
    /// Never: every field serialises.
    #[must_use]
    pub fn to_text(&self) -> String {
        ron::to_string(self).expect("settings are plain data")
    }

    /// The same, light or dark.
    #[must_use]
    pub fn with_theme(self, theme: impl Into<egui::ThemePreference>) -> Self {
        Self { theme: theme.into(), ..self }
    }
}
