use egui::{Layout, ScrollArea, Ui, vec2};

use crate::ui::theme::ROW_HEIGHT;
use crate::ui::widgets::{Align, Cell, Column, Table};

/// Writes a column's description in a line.
pub(in crate::ui::panels) const fn column(
    title: &'static str,
    help: &'static str,
    width: f32,
    align: Align,
) -> Column {
    Column { title, help, width, align }
}

/// A table within a panel that scrolls: as high as its rows up to a number of them, and where the panel is narrower than its columns it
/// scrolls sideways.
pub(in crate::ui::panels) struct Fitted<'a> {
    pub(in crate::ui::panels) id: &'a str,
    pub(in crate::ui::panels) columns: &'a [Column],
    pub(in crate::ui::panels) rows: usize,
    /// With more rows than this the table scrolls by itself.
    pub(in crate::ui::panels) most: usize,
}

impl Fitted<'_> {
    /// Draws it; `cells` gives a row's cells, in the columns' order.
    pub(in crate::ui::panels) fn show(
        &self,
        ui: &mut Ui,
        cells: impl FnMut(&Ui, usize) -> Vec<Cell>,
    ) {
        let widths: f32 = self.columns.iter().map(|column| column.width).sum();
        let gaps = self.columns.len().saturating_sub(1) as f32 * ui.spacing().item_spacing.x;
        // Its scroll bar stands beside the columns.
        let bar = if self.scrolls() { ui.spacing().scroll.allocated_width() } else { 0.0 };
        let needed = widths + gaps + bar;
        if ui.available_width() >= needed {
            self.draw(ui, cells);
            return;
        }
        ScrollArea::horizontal().id_salt(self.id).auto_shrink([false, true]).show(ui, |ui| {
            ui.set_width(needed);
            self.draw(ui, cells);
        });
    }

    const fn scrolls(&self) -> bool {
        self.rows > self.most
    }

    fn draw(&self, ui: &mut Ui, cells: impl FnMut(&Ui, usize) -> Vec<Cell>) {
        let shown = self.rows.min(self.most) + 1;
        let size = vec2(ui.available_width(), shown as f32 * ROW_HEIGHT);
        ui.allocate_ui_with_layout(size, Layout::top_down(egui::Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let table = Table {
                id: self.id,
                columns: self.columns,
                trailing: None,
                rows: self.rows,
                selected: None,
                clickable: false,
                scrolls: self.scrolls(),
            };
            table.show(ui, cells, |_, _| {});
        });
    }
}
