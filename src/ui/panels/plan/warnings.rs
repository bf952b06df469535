use std::borrow::Cow;

use egui::{Align, RichText, Ui};

use super::digest::plural;
use crate::ui::icons;
use crate::ui::state::Level;
use crate::ui::theme::Themed;
use crate::ui::widgets::{self, Messages};

/// The warnings of a plan.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    /// All of them are listed.
    expanded: bool,
    /// Somebody wants to see them: they are scrolled into view.
    wanted: bool,
}

impl Warnings {
    /// How many there are; a click leads to them.
    pub(super) fn hint(&mut self, ui: &mut Ui, warnings: &[String]) {
        if warnings.is_empty() {
            return;
        }
        let text = plural(warnings.len(), "warning", "warnings");
        let label = RichText::new(format!("{}  {text}", icons::WARNING)).small();
        let button = egui::Button::new(label.color(ui.palette().warning));
        let response = ui.add(button.small().frame_when_inactive(false));
        widgets::name(&response, egui::Role::Button, &text);
        if response.on_hover_text("Scroll to the warnings below").clicked() {
            self.wanted = true;
        }
    }

    pub(super) fn show(&mut self, ui: &mut Ui, warnings: &[String]) {
        let top = ui.cursor().min;
        let text = |index: usize| warnings.get(index).map_or(Cow::default(), Cow::from);
        Messages {
            title: "Warnings",
            icon: None,
            level: Level::Warning,
            count: warnings.len(),
            text,
        }
        .show(ui, &mut self.expanded);
        if std::mem::take(&mut self.wanted) {
            let shown = egui::Rect::from_min_max(top, ui.min_rect().max);
            ui.scroll_to_rect(shown, Some(Align::Max));
        }
    }
}
