use std::borrow::Cow;

use egui::{Label, RichText, ScrollArea, Ui};

use super::{button, level_icon, section};
use crate::ui::state::Level;
use crate::ui::theme::{ROW_HEIGHT, Themed, space};

/// Messages shown in full; the rest on demand.
const FIRST: usize = 5;
/// Height of the list of all of them.
const ALL_HEIGHT: f32 = 8.0 * ROW_HEIGHT;

/// Warnings or failures, of which there may be thousands.
pub(in crate::ui) struct Messages<'a, F> {
    pub(in crate::ui) title: &'a str,
    /// Before each line, instead of the level's own.
    pub(in crate::ui) icon: Option<&'static str>,
    pub(in crate::ui) level: Level,
    pub(in crate::ui) count: usize,
    /// The text of each.
    pub(in crate::ui) text: F,
}

impl<'a, F: Fn(usize) -> Cow<'a, str>> Messages<'_, F> {
    /// Draws the first ones, or all of them where `expanded`, which a button changes.
    pub(in crate::ui) fn show(&self, ui: &mut Ui, expanded: &mut bool) {
        if self.count == 0 {
            return;
        }
        section(ui, self.title);
        let more = self.count.saturating_sub(FIRST);
        if *expanded && more > 0 {
            self.all(ui);
        } else {
            for index in 0..self.count.min(FIRST) {
                ui.horizontal_top(|ui| self.line(ui, index, |label| label.wrap().selectable(true)));
            }
        }
        if more > 0 {
            let text = if *expanded { "Show fewer".to_owned() } else { format!("and {more} more") };
            if button(ui, "", &text, true).clicked() {
                *expanded = !*expanded;
            }
        }
        ui.add_space(space::S);
    }

    /// Each in a line of its own; only those in view are laid out.
    fn all(&self, ui: &mut Ui) {
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ScrollArea::vertical()
                .id_salt(self.title)
                .max_height(ALL_HEIGHT)
                .min_scrolled_height(ALL_HEIGHT)
                .auto_shrink([false, true])
                .show_rows(ui, ROW_HEIGHT, self.count, |ui, rows| {
                    for index in rows {
                        ui.horizontal(|ui| {
                            ui.set_min_height(ROW_HEIGHT);
                            self.line(ui, index, Label::truncate);
                        });
                    }
                });
        });
    }

    fn line(&self, ui: &mut Ui, index: usize, shape: impl FnOnce(Label) -> Label) {
        let (icon, color) = level_icon(ui, self.level);
        let icon = self.icon.unwrap_or(icon);
        ui.label(RichText::new(icon).color(color));
        let text_color = if self.level == Level::Error { color } else { ui.palette().text };
        let text = RichText::new((self.text)(index)).color(text_color);
        ui.add(shape(Label::new(text)));
    }
}
