use egui::{Layout, Ui, vec2};

use super::{Cell, Heading, Sorting, Table};
use crate::ui::theme::ROW_HEIGHT;

/// A table within a panel that scrolls: as high as its rows up to a number of them.
pub(in crate::ui) struct Fitted<'a> {
    pub(in crate::ui) id: &'a str,
    pub(in crate::ui) columns: &'a [Heading<'a>],
    pub(in crate::ui) rows: usize,
    /// With more rows than this the table scrolls by itself.
    pub(in crate::ui) most: usize,
}

impl Fitted<'_> {
    /// Draws it; `cells` gives a row's cells, in the columns' order.
    pub(in crate::ui) fn show(&self, ui: &mut Ui, cells: impl FnMut(&Ui, usize) -> Vec<Cell>) {
        let shown = self.rows.min(self.most) + 1;
        let size = vec2(ui.available_width(), shown as f32 * ROW_HEIGHT);
        ui.allocate_ui_with_layout(size, Layout::top_down(egui::Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let table = Table {
                id: self.id,
                columns: self.columns,
                leading: None,
                trailing: None,
                rows: self.rows,
                selected: &|_| false,
                sorting: Sorting::No,
                clickable: false,
                scrolls: self.rows > self.most,
            };
            table.show(ui, cells, |_, _| {});
        });
    }
}
