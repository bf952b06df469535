use egui::Color32;

use crate::ui::icons;
use crate::ui::state::Standing;
use crate::ui::theme::Palette;

/// The sign and colour of how a run stands; its word goes with them.
pub(in crate::ui) const fn standing(
    standing: Standing,
    palette: &Palette,
) -> (&'static str, Color32) {
    match standing {
        Standing::Running => (icons::PLAY, palette.accent),
        Standing::Paused => (icons::PAUSE, palette.warning),
        Standing::Elsewhere => (icons::DESKTOP, palette.accent),
        Standing::Interrupted => (icons::WARNING, palette.warning),
        Standing::Finished => (icons::CHECK_CIRCLE, palette.success),
        Standing::Failed => (icons::X_CIRCLE, palette.error),
        Standing::Cancelled => (icons::PROHIBIT, palette.text_weak),
    }
}
