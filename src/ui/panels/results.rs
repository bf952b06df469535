use crate::ui::commands::Commands;
use crate::ui::state::State;

/// What came of a run.
#[derive(Debug, Default)]
pub(in crate::ui) struct ResultsPanel {}

impl ResultsPanel {
    pub(in crate::ui) fn show(&mut self, ui: &mut egui::Ui, state: &State, _commands: &mut Commands) {
        ui.label(format!("{:?}", state.results.stored.len()));
    }
}
