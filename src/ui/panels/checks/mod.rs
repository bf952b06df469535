//! Whether the experiment's numbers can be believed: the leak check, and its features and labels to look at.

use egui::Ui;

use crate::ui::commands::Commands;
use crate::ui::state::State;

/// The checks of the experiment on the bench.
#[derive(Debug, Default)]
pub(in crate::ui) struct ChecksPanel {
    /// The leak check also trains on shuffled folds.
    pub(in crate::ui) contrast: bool,
}

impl ChecksPanel {
    /// Puts the leak check in front.
    pub(in crate::ui) fn show_leaks(&mut self) {}

    pub(in crate::ui) fn show(&mut self, _ui: &mut Ui, _state: &State, _commands: &mut Commands) {}
}
