use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use crate::domain::text::clock;
use crate::ui::icons;
use crate::ui::state::{Level, State};
use crate::ui::theme::{Themed, space};
use crate::ui::widgets::{self, level_icon};

/// Lines wrap, so rows differ in height; only so many are laid out.
const MOST: usize = 300;

/// What happened, newest at the bottom.
#[derive(Debug, Default)]
pub(in crate::ui) struct LogPanel {
    /// Leave out what went as it should.
    problems_only: bool,
}

impl LogPanel {
    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State) {
        let lines = state.journal.lines();
        ui.horizontal(|ui| {
            ui.checkbox(&mut self.problems_only, "Problems only");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let copy = widgets::icon_button(ui, icons::COPY, "Copy the log");
                if copy.on_hover_text("Copy the log").clicked() {
                    let text: Vec<String> = lines
                        .iter()
                        .map(|line| format!("{} {:?} {}", line.at, line.level, line.text))
                        .collect();
                    ui.ctx().copy_text(text.join("\n"));
                }
            });
        });
        let shown: Vec<_> = lines
            .iter()
            .filter(|line| !self.problems_only || line.level >= Level::Warning)
            .collect();
        if shown.is_empty() {
            let (title, next) = if self.problems_only {
                ("No problems", "Warnings and failures appear here.")
            } else {
                ("Nothing has happened yet", "Runs, warnings and failures appear here.")
            };
            widgets::empty_state(ui, icons::TERMINAL_WINDOW, title, next);
            return;
        }
        let area = ScrollArea::vertical().stick_to_bottom(true).auto_shrink([false, false]);
        let hidden = shown.len().saturating_sub(MOST);
        area.show(ui, |ui| {
            if hidden > 0 {
                ui.weak(format!("{hidden} earlier lines: copy the log to read them"));
            }
            ui.spacing_mut().item_spacing.y = space::XS;
            for line in &shown[hidden..] {
                let (icon, color) = level_icon(ui, line.level);
                let weak = ui.palette().text_weak;
                let mut job = egui::text::LayoutJob::default();
                let style = ui.style().clone();
                let mut add = |text: RichText| {
                    text.append_to(&mut job, &style, egui::FontSelection::Default, Align::Center);
                };
                add(RichText::new(clock(line.at)).small().color(weak));
                // Spaces at which no line breaks: what follows may be a long name.
                let icon = format!("\u{a0}\u{a0}{icon}\u{a0}\u{a0}");
                add(RichText::new(icon).small().color(color));
                add(RichText::new(&line.text).small().color(ui.palette().text));
                let response = ui.add(Label::new(job).wrap().selectable(true));
                widgets::name(&response, egui::Role::Label, &line.text);
            }
        });
    }
}
