use egui::{Color32, Label, Layout, Response, RichText, Sense, Ui};
use egui_extras::TableBuilder;

use crate::ui::theme::{ROW_HEIGHT, Themed, strong_family};

/// A column: its title with unit, what it means, and how wide it is at least.
pub(in crate::ui) struct Column {
    pub(in crate::ui) title: &'static str,
    pub(in crate::ui) help: &'static str,
    pub(in crate::ui) width: f32,
    pub(in crate::ui) align: Align,
}

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

/// A table that lays out only the rows in view. Where it is given less room than its columns need it scrolls sideways.
pub(in crate::ui) struct Table<'a> {
    pub(in crate::ui) id: &'a str,
    pub(in crate::ui) columns: &'a [Column],
    /// Drawn at the end of each row, in a column of its own; its width is given.
    pub(in crate::ui) trailing: Option<f32>,
    pub(in crate::ui) rows: usize,
    pub(in crate::ui) selected: Option<usize>,
    /// Whether a click on a row means something.
    pub(in crate::ui) clickable: bool,
    /// Whether the table scrolls by itself; else it is as high as its rows.
    pub(in crate::ui) scrolls: bool,
}

impl Table<'_> {
    /// Draws it and returns the row that was clicked. `cells` gives a row's cells, in the columns' order; `trailing` draws what comes after.
    pub(in crate::ui) fn show(
        &self,
        ui: &mut Ui,
        mut cells: impl FnMut(&Ui, usize) -> Vec<Cell>,
        mut trailing: impl FnMut(&mut Ui, usize),
    ) -> Option<usize> {
        let needed = self.width(ui);
        if ui.available_width() >= needed {
            return self.body(ui, &mut cells, &mut trailing);
        }
        let area = egui::ScrollArea::horizontal().id_salt((self.id, "narrow"));
        area.auto_shrink([false, !self.scrolls])
            .show(ui, |ui| {
                ui.set_min_width(needed);
                self.body(ui, &mut cells, &mut trailing)
            })
            .inner
    }

    /// Below this the columns do not fit beside each other.
    fn width(&self, ui: &Ui) -> f32 {
        let own = self.columns.iter().map(|column| column.width).chain(self.trailing);
        let (sum, count) = own.fold((0.0, 0), |(sum, count), width| (sum + width, count + 1));
        // Its scroll bar stands beside the columns.
        let bar = if self.scrolls { ui.spacing().scroll.allocated_width() } else { 0.0 };
        sum + ui.spacing().item_spacing.x * (count - 1).max(0) as f32 + bar
    }

    fn body(
        &self,
        ui: &mut Ui,
        cells: &mut impl FnMut(&Ui, usize) -> Vec<Cell>,
        trailing: &mut impl FnMut(&mut Ui, usize),
    ) -> Option<usize> {
        let mut clicked = None;
        let sense = if self.clickable { Sense::click() } else { Sense::hover() };
        let mut builder = TableBuilder::new(ui)
            .id_salt(self.id)
            .sense(sense)
            .vscroll(self.scrolls)
            .auto_shrink([false, !self.scrolls])
            .cell_layout(Layout::left_to_right(egui::Align::Center));
        for (index, column) in self.columns.iter().enumerate() {
            // The first column takes what is left.
            let size = if index == 0 {
                egui_extras::Column::remainder().at_least(column.width)
            } else {
                egui_extras::Column::exact(column.width)
            };
            builder = builder.column(size.clip(true));
        }
        if let Some(width) = self.trailing {
            builder = builder.column(egui_extras::Column::exact(width));
        }
        let header = builder.header(ROW_HEIGHT, |mut row| {
            for column in self.columns {
                row.col(|ui| {
                    let text = RichText::new(column.title).color(ui.palette().text_weak);
                    let label = |ui: &mut Ui| -> Response {
                        ui.add(Label::new(text.clone().small()).truncate().sense(Sense::hover()))
                    };
                    aligned(ui, column.align, label).on_hover_text(column.help);
                });
            }
            if self.trailing.is_some() {
                row.col(|_| {});
            }
        });
        header.body(|body| {
            body.rows(ROW_HEIGHT, self.rows, |mut row| {
                let index = row.index();
                row.set_selected(self.selected == Some(index));
                let mut texts = None;
                for (position, column) in self.columns.iter().enumerate() {
                    row.col(|ui| {
                        let texts = texts.get_or_insert_with(|| cells(ui, index));
                        let Some(cell) = texts.get(position) else { return };
                        let mut text = RichText::new(cell.text.as_str());
                        if let Some(color) = cell.color {
                            text = text.color(color);
                        }
                        if cell.strong {
                            text = text.family(strong_family());
                        }
                        let label = Label::new(text).truncate();
                        let label = aligned(ui, column.align, |ui| ui.add(label));
                        if let Some(hover) = &cell.hover {
                            label.on_hover_text(hover);
                        }
                    });
                }
                if self.trailing.is_some() {
                    row.col(|ui| trailing(ui, index));
                }
                if self.clickable && row.response().clicked() {
                    clicked = Some(index);
                }
            });
        });
        clicked
    }
}

fn aligned(ui: &mut Ui, align: Align, add: impl FnOnce(&mut Ui) -> Response) -> Response {
    let layout = match align {
        Align::Left => Layout::left_to_right(egui::Align::Center),
        Align::Right => Layout::right_to_left(egui::Align::Center),
    };
    ui.with_layout(layout, add).inner
}

/// Writes a column's description in a line.
pub(in crate::ui) const fn column(
    title: &'static str,
    help: &'static str,
    width: f32,
    align: Align,
) -> Column {
    Column { title, help, width, align }
}
