use egui::{Color32, Label, Layout, Response, RichText, Sense, Ui};
use egui_extras::TableBuilder;

use crate::ui::icons;
use crate::ui::theme::{ROW_HEIGHT, Themed, strong_family};

/// A column whose words are part of the program.
pub(in crate::ui) type Column = Heading<'static>;

/// A column: its title with unit, what it means, and how wide it is at least.
pub(in crate::ui) struct Heading<'a> {
    pub(in crate::ui) title: &'a str,
    pub(in crate::ui) help: &'a str,
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

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) struct Sort {
    pub(in crate::ui) column: usize,
    pub(in crate::ui) descending: bool,
}

/// Whether a click on a title means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Sorting {
    /// The rows stand as they stand.
    No,
    /// It sorts: by which column the rows stand now, if by any.
    By(Option<Sort>),
}

impl Sort {
    /// What a click on a title makes of it: up, down, and as it was at first.
    pub(in crate::ui) fn clicked(now: Option<Self>, column: usize) -> Option<Self> {
        match now.filter(|sort| sort.column == column) {
            None => Some(Self { column, descending: false }),
            Some(Self { descending: false, .. }) => Some(Self { column, descending: true }),
            Some(_) => None,
        }
    }

    /// In the direction asked for; what is not known stands last either way.
    pub(in crate::ui) fn order<T: PartialOrd>(
        self,
        a: Option<T>,
        b: Option<T>,
    ) -> std::cmp::Ordering {
        use std::cmp::Ordering;
        match (a, b) {
            (Some(a), Some(b)) => {
                let order = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
                if self.descending { order.reverse() } else { order }
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

/// What was clicked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::ui) struct Clicked {
    pub(in crate::ui) row: Option<usize>,
    /// Its title.
    pub(in crate::ui) column: Option<usize>,
}

/// A table that lays out only the rows in view. Where it is given less room than its columns need it scrolls sideways.
pub(in crate::ui) struct Table<'a> {
    pub(in crate::ui) id: &'a str,
    pub(in crate::ui) columns: &'a [Heading<'a>],
    /// Drawn at the start of each row, in a column of its own; its width is given.
    pub(in crate::ui) leading: Option<f32>,
    /// Drawn at the end of each row, in a column of its own; its width is given.
    pub(in crate::ui) trailing: Option<f32>,
    pub(in crate::ui) rows: usize,
    pub(in crate::ui) selected: &'a dyn Fn(usize) -> bool,
    /// Whether a click on a title sorts.
    pub(in crate::ui) sorting: Sorting,
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
        cells: impl FnMut(&Ui, usize) -> Vec<Cell>,
        trailing: impl FnMut(&mut Ui, usize),
    ) -> Option<usize> {
        self.show_all(ui, |_, _| {}, cells, trailing).row
    }

    /// The same; `leading` draws what comes before.
    pub(in crate::ui) fn show_all(
        &self,
        ui: &mut Ui,
        mut leading: impl FnMut(&mut Ui, usize),
        mut cells: impl FnMut(&Ui, usize) -> Vec<Cell>,
        mut trailing: impl FnMut(&mut Ui, usize),
    ) -> Clicked {
        let needed = self.width(ui);
        if ui.available_width() >= needed {
            return self.body(ui, &mut leading, &mut cells, &mut trailing);
        }
        let area = egui::ScrollArea::horizontal().id_salt((self.id, "narrow"));
        area.auto_shrink([false, !self.scrolls])
            .show(ui, |ui| {
                ui.set_min_width(needed);
                self.body(ui, &mut leading, &mut cells, &mut trailing)
            })
            .inner
    }

    /// Below this the columns do not fit beside each other.
    fn width(&self, ui: &Ui) -> f32 {
        let own = self.columns.iter().map(|column| column.width);
        let own = own.chain(self.leading).chain(self.trailing);
        let (sum, count) = own.fold((0.0, 0), |(sum, count), width| (sum + width, count + 1));
        // Its scroll bar stands beside the columns.
        let bar = if self.scrolls { ui.spacing().scroll.allocated_width() } else { 0.0 };
        sum + ui.spacing().item_spacing.x * (count - 1).max(0) as f32 + bar
    }

    fn body(
        &self,
        ui: &mut Ui,
        leading: &mut impl FnMut(&mut Ui, usize),
        cells: &mut impl FnMut(&Ui, usize) -> Vec<Cell>,
        trailing: &mut impl FnMut(&mut Ui, usize),
    ) -> Clicked {
        let mut clicked = Clicked::default();
        let header = self.builder(ui).header(ROW_HEIGHT, |mut row| {
            if self.leading.is_some() {
                row.col(|_| {});
            }
            for (index, column) in self.columns.iter().enumerate() {
                row.col(|ui| {
                    if self.title(ui, index, column) {
                        clicked.column = Some(index);
                    }
                });
            }
            if self.trailing.is_some() {
                row.col(|_| {});
            }
        });
        header.body(|body| {
            body.rows(ROW_HEIGHT, self.rows, |mut row| {
                let index = row.index();
                row.set_selected((self.selected)(index));
                if self.leading.is_some() {
                    row.col(|ui| leading(ui, index));
                }
                let mut texts = None;
                for (position, column) in self.columns.iter().enumerate() {
                    row.col(|ui| {
                        let texts = texts.get_or_insert_with(|| cells(ui, index));
                        if let Some(cell) = texts.get(position) {
                            cell.show(ui, column.align);
                        }
                    });
                }
                if self.trailing.is_some() {
                    row.col(|ui| trailing(ui, index));
                }
                if self.clickable && row.response().clicked() {
                    clicked.row = Some(index);
                }
            });
        });
        clicked
    }

    fn builder<'ui>(&self, ui: &'ui mut Ui) -> TableBuilder<'ui> {
        let sense = if self.clickable { Sense::click() } else { Sense::hover() };
        let mut builder = TableBuilder::new(ui)
            .id_salt(self.id)
            .sense(sense)
            .vscroll(self.scrolls)
            .auto_shrink([false, !self.scrolls])
            .cell_layout(Layout::left_to_right(egui::Align::Center));
        if let Some(width) = self.leading {
            builder = builder.column(egui_extras::Column::exact(width));
        }
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
        builder
    }

    /// A column's title. Whether it was clicked, to sort by it.
    fn title(&self, ui: &mut Ui, index: usize, column: &Heading<'_>) -> bool {
        let weak = ui.palette().text_weak;
        let Sorting::By(sort) = self.sorting else {
            let text = RichText::new(column.title).color(weak).small();
            let label = |ui: &mut Ui| ui.add(Label::new(text).truncate().sense(Sense::hover()));
            aligned(ui, column.align, label).on_hover_text(column.help);
            return false;
        };
        let by_this = sort.filter(|sort| sort.column == index);
        let text = match by_this {
            Some(Sort { descending: true, .. }) => {
                format!("{} {}", column.title, icons::CARET_DOWN)
            }
            Some(_) => format!("{} {}", column.title, icons::CARET_UP),
            None => column.title.to_owned(),
        };
        let color = if by_this.is_some() { ui.palette().text } else { weak };
        let text = RichText::new(text).color(color).small();
        let label = |ui: &mut Ui| ui.add(Label::new(text).truncate().sense(Sense::click()));
        let response = aligned(ui, column.align, label).on_hover_text(column.help);
        super::name(&response, egui::Role::Button, &format!("Sort by {}", column.title));
        response.clicked()
    }
}

impl Cell {
    fn show(&self, ui: &mut Ui, align: Align) {
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

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn a_title_sorts_up_down_and_not_at_all_and_what_is_unknown_stands_last() {
        let up = Sort::clicked(None, 2);
        assert_eq!(up, Some(Sort { column: 2, descending: false }));
        let down = Sort::clicked(up, 2);
        assert_eq!(down, Some(Sort { column: 2, descending: true }));
        assert_eq!(Sort::clicked(down, 2), None);
        assert_eq!(Sort::clicked(down, 1), Some(Sort { column: 1, descending: false }));
        for (sort, expected) in [(up, Ordering::Less), (down, Ordering::Greater)] {
            let sort = sort.unwrap();
            assert_eq!(sort.order(Some(1.0), Some(2.0)), expected);
            assert_eq!(sort.order(Some(1.0), None), Ordering::Less);
            assert_eq!(sort.order(None, Some(1.0)), Ordering::Greater);
        }
    }
}
