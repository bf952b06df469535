use crate::ui::commands::Commands;
use crate::ui::state::State;

/// What the experiment would do.
#[derive(Debug, Default)]
pub(in crate::ui) struct PlanPanel {}

impl PlanPanel {
    pub(in crate::ui) fn show(&mut self, ui: &mut egui::Ui, state: &State, _commands: &mut Commands) {
        ui.label(format!("{:?}", state.preview.pending));
    }
}
