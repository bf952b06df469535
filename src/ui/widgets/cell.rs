use egui::{Color32, Label, Layout, Response, RichText, Ui};

use crate::ui::theme::strong_family;

/// Text stands left, numbers right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Align {
    Left,
    Right,
}

/// One cell.
pub(in crate::ui) struct Cell {
    pub(in crate::ui) text: String,
    pub(in crate::ui) color: Option<Color32>,
    pub(in crate::ui) strong: bool,
    /// More of it, over the pointer.
    pub(in crate::ui) hover: Option<String>,
}

impl Cell {
    pub(in crate::ui) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), color: None, strong: false, hover: None }
    }

    pub(in crate::ui) const fn color(mut self, color: Color32) -> Self {
        self.color = Some(color);
        self
    }

    pub(in crate::ui) fn hover(mut self, text: Option<String>) -> Self {
        self.hover = text;
        self
    }

    pub(in crate::ui) const fn strong(mut self) -> Self {
        self.strong = true;
        self
    }
}

impl Cell {
    /// Draws it, cut off where there is no room.
    pub(super) fn show(&self, ui: &mut Ui, align: Align) {
        let mut text = RichText::new(self.text.as_str());
        if let Some(color) = self.color {
            text = text.color(color);
        }
        if self.strong {
            text = text.family(strong_family());
        }
        let label = Label::new(text).truncate();
        let label = aligned(ui, align, |ui| ui.add(label));
        if let Some(hover) = &self.hover {
            label.on_hover_text(hover);
        }
    }
}

pub(super) fn aligned(
    ui: &mut Ui,
    align: Align,
    add: impl FnOnce(&mut Ui) -> Response,
) -> Response {
    let layout = match align {
        Align::Left => Layout::left_to_right(egui::Align::Center),
        Align::Right => Layout::right_to_left(egui::Align::Center),
    };
    ui.with_layout(layout, add).inner
}
