use egui::{Align, Label, RichText, ScrollArea, Ui};

use crate::ui::icons;
use crate::ui::theme::{ROW_HEIGHT, Themed, space};
use crate::ui::widgets;

/// Warnings shown in full; the rest on demand.
const FIRST: usize = 5;
/// Height of the list of all of them.
const ALL_HEIGHT: f32 = 8.0 * ROW_HEIGHT;

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
        let text = super::plural(warnings.len(), "warning", "warnings");
        let label = RichText::new(format!("{}  {text}", icons::WARNING)).small();
        let button = egui::Button::new(label.color(ui.palette().warning));
        let response = ui.add(button.small().frame_when_inactive(false));
        widgets::name(&response, egui::Role::Button, &text);
        if response.on_hover_text("Scroll to the warnings below").clicked() {
            self.wanted = true;
        }
    }

    pub(super) fn show(&mut self, ui: &mut Ui, warnings: &[String]) {
        if warnings.is_empty() {
            return;
        }
        let top = ui.cursor().min;
        widgets::section(ui, "Warnings");
        if self.expanded {
            all(ui, warnings);
        } else {
            for warning in warnings.iter().take(FIRST) {
                ui.horizontal_top(|ui| {
                    ui.label(icon(ui));
                    ui.add(Label::new(warning.as_str()).wrap());
                });
            }
        }
        let more = warnings.len().saturating_sub(FIRST);
        if more > 0 {
            let text =
                if self.expanded { "Show fewer".to_owned() } else { format!("and {more} more") };
            if widgets::button(ui, "", &text, true).clicked() {
                self.expanded = !self.expanded;
            }
        }
        ui.add_space(space::S);
        if std::mem::take(&mut self.wanted) {
            let shown = egui::Rect::from_min_max(top, ui.min_rect().max);
            ui.scroll_to_rect(shown, Some(Align::Max));
        }
    }
}

/// Every warning in a line of its own; there may be thousands, so only those in view are laid out.
fn all(ui: &mut Ui, warnings: &[String]) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical()
            .id_salt("warnings")
            .max_height(ALL_HEIGHT)
            .auto_shrink([false, true])
            .show_rows(ui, ROW_HEIGHT, warnings.len(), |ui, rows| {
                for warning in &warnings[rows] {
                    ui.horizontal(|ui| {
                        ui.set_min_height(ROW_HEIGHT);
                        ui.label(icon(ui));
                        ui.add(Label::new(warning.as_str()).truncate());
                    });
                }
            });
    });
}

fn icon(ui: &Ui) -> RichText {
    RichText::new(icons::WARNING).color(ui.palette().warning)
}
