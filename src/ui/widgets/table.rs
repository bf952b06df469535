use egui::{Label, Layout, Response, RichText, Sense, Ui};
use egui_extras::TableBuilder;

use super::cell::aligned;
use super::{Align, Cell, HiddenColumns, Sort, Sorting};
use crate::ui::icons;
use crate::ui::theme::{ROW_HEIGHT, Themed};

/// A column whose words are part of the program.
pub(in crate::ui) type Column = Heading<'static>;

/// A column: its title with unit, what it means, and how wide it is at least.
pub(in crate::ui) struct Heading<'a> {
    pub(in crate::ui) title: &'a str,
    pub(in crate::ui) help: &'a str,
    pub(in crate::ui) width: f32,
    pub(in crate::ui) align: Align,
}

/// Where a cell of the first column, or its title, was drawn, and how much of it is in view.
struct First {
    row: Option<usize>,
    is_selected: bool,
    rect: egui::Rect,
    clip: egui::Rect,
}

/// What was clicked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::ui) struct Clicked {
    pub(in crate::ui) row: Option<usize>,
    /// The row was clicked twice.
    pub(super) twice: bool,
    /// Its title.
    pub(in crate::ui) column: Option<usize>,
}

/// How a table is drawn this time.
pub(super) struct View<'a> {
    /// The places of the columns that are shown.
    pub(super) columns: Vec<usize>,
    pub(super) selected: &'a dyn Fn(usize) -> bool,
    /// The row to bring into view.
    pub(super) scroll_to: Option<usize>,
    /// Where the keys stand; `None` in a table whose rows are not picked.
    pub(super) is_cursor: Option<&'a dyn Fn(usize) -> bool>,
}

/// Where parts of a table were drawn.
#[derive(Default)]
pub(super) struct Places {
    firsts: Vec<First>,
    /// The row at which the keys stand, and how much of it is in view.
    pub(super) cursor: Option<(Response, egui::Rect)>,
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
        leading: impl FnMut(&mut Ui, usize),
        cells: impl FnMut(&Ui, usize) -> Vec<Cell>,
        trailing: impl FnMut(&mut Ui, usize),
    ) -> Clicked {
        self.show_some(ui, &HiddenColumns::default(), leading, cells, trailing)
    }

    /// The same without the columns that are hidden. `cells` gives all of them.
    pub(in crate::ui) fn show_some(
        &self,
        ui: &mut Ui,
        hidden: &HiddenColumns,
        leading: impl FnMut(&mut Ui, usize),
        cells: impl FnMut(&Ui, usize) -> Vec<Cell>,
        trailing: impl FnMut(&mut Ui, usize),
    ) -> Clicked {
        let columns = hidden.shown(self.columns);
        let view = View { columns, selected: self.selected, scroll_to: None, is_cursor: None };
        self.draw(ui, &view, leading, cells, trailing).0
    }

    /// Draws it as the view says.
    pub(super) fn draw(
        &self,
        ui: &mut Ui,
        view: &View<'_>,
        mut leading: impl FnMut(&mut Ui, usize),
        mut cells: impl FnMut(&Ui, usize) -> Vec<Cell>,
        mut trailing: impl FnMut(&mut Ui, usize),
    ) -> (Clicked, Places) {
        let mut places = Places::default();
        let needed = self.width(ui, view);
        if ui.available_width() >= needed {
            let parts = (&mut leading, &mut cells, &mut trailing);
            let clicked = self.body(ui, view, parts, &mut places);
            return (clicked, places);
        }
        let area = egui::ScrollArea::horizontal().id_salt((self.id, "narrow"));
        let shown = area.auto_shrink([false, !self.scrolls]).show(ui, |ui| {
            ui.set_min_width(needed);
            self.body(ui, view, (&mut leading, &mut cells, &mut trailing), &mut places)
        });
        let mut clicked = shown.inner;
        if shown.state.unclamped_offset().x > 0.0 && self.leading.is_none() {
            let left = shown.inner_rect.left();
            if self.first_column(ui, left, &places.firsts, &mut cells) {
                clicked.column = Some(0);
            }
        }
        (clicked, places)
    }

    /// The first column once more, over the others that were scrolled under it: it says what a row is. Whether its title was clicked.
    fn first_column(
        &self,
        ui: &mut Ui,
        left: f32,
        firsts: &[First],
        cells: &mut impl FnMut(&Ui, usize) -> Vec<Cell>,
    ) -> bool {
        let Some(column) = self.columns.first() else { return false };
        let mut clicked = false;
        for First { row, is_selected, rect, clip } in firsts {
            let palette = ui.palette();
            let fill = if *is_selected { palette.selected } else { palette.surface };
            let place = egui::Rect::from_x_y_ranges(left..=left + rect.width(), rect.y_range());
            // With what lies between it and the next column, and no higher than what is in view of its row.
            let ground = place.expand2(ui.spacing().item_spacing / 2.0);
            let ground = ground.intersect(egui::Rect::everything_below(clip.top()));
            let ground = ground.intersect(egui::Rect::everything_above(clip.bottom()));
            let layout = Layout::left_to_right(egui::Align::Center);
            let builder = egui::UiBuilder::new().max_rect(place).layout(layout);
            let mut ui = ui.new_child(builder.id_salt((self.id, "first", *row)));
            ui.set_clip_rect(ground.intersect(ui.clip_rect()));
            ui.painter().rect_filled(ground, 0.0, fill);
            match row {
                None => clicked |= self.title(&mut ui, 0, column),
                Some(row) => {
                    if let Some(cell) = cells(&ui, *row).first() {
                        cell.show(&mut ui, column.align);
                    }
                }
            }
        }
        clicked
    }

    /// Below this the columns do not fit beside each other.
    fn width(&self, ui: &Ui, view: &View<'_>) -> f32 {
        let own = view.columns.iter().map(|&column| self.columns[column].width);
        let own = own.chain(self.leading).chain(self.trailing);
        let (sum, count) = own.fold((0.0, 0), |(sum, count), width| (sum + width, count + 1));
        // Its scroll bar stands beside the columns.
        let bar = if self.scrolls { ui.spacing().scroll.allocated_width() } else { 0.0 };
        sum + ui.spacing().item_spacing.x * (count - 1).max(0) as f32 + bar
    }

    fn body(
        &self,
        ui: &mut Ui,
        view: &View<'_>,
        (leading, cells, trailing): (
            &mut impl FnMut(&mut Ui, usize),
            &mut impl FnMut(&Ui, usize) -> Vec<Cell>,
            &mut impl FnMut(&mut Ui, usize),
        ),
        places: &mut Places,
    ) -> Clicked {
        let mut clicked = Clicked::default();
        let header = self.builder(ui, view).header(ROW_HEIGHT, |mut row| {
            if self.leading.is_some() {
                row.col(|_| {});
            }
            for &index in &view.columns {
                row.col(|ui| {
                    if index == 0 {
                        let (rect, clip) = (ui.max_rect(), ui.clip_rect());
                        places.firsts.push(First { row: None, is_selected: false, rect, clip });
                    }
                    if self.title(ui, index, &self.columns[index]) {
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
                let is_selected = (view.selected)(index);
                row.set_selected(is_selected);
                if self.leading.is_some() {
                    row.col(|ui| leading(ui, index));
                }
                let (mut texts, mut in_view) = (None, egui::Rect::NOTHING);
                for &position in &view.columns {
                    row.col(|ui| {
                        if position == 0 {
                            let (rect, clip) = (ui.max_rect(), ui.clip_rect());
                            places.firsts.push(First { row: Some(index), is_selected, rect, clip });
                            in_view = clip;
                        }
                        let texts = texts.get_or_insert_with(|| cells(ui, index));
                        if let Some(cell) = texts.get(position) {
                            cell.show(ui, self.columns[position].align);
                        }
                    });
                }
                if self.trailing.is_some() {
                    row.col(|ui| trailing(ui, index));
                }
                let response = row.response();
                if self.clickable && response.clicked() {
                    (clicked.row, clicked.twice) = (Some(index), response.double_clicked());
                }
                if let Some(is_cursor) = view.is_cursor {
                    let text = texts.as_ref().and_then(|cells: &Vec<Cell>| cells.first());
                    name_row(&response, text.map_or("", |cell| &cell.text), is_selected);
                    if is_cursor(index) {
                        places.cursor = Some((response, in_view));
                    }
                }
            });
        });
        clicked
    }

    fn builder<'ui>(&self, ui: &'ui mut Ui, view: &View<'_>) -> TableBuilder<'ui> {
        // The keyboard does not stop at every cell.
        let sense = if self.clickable { Sense::CLICK } else { Sense::hover() };
        let mut builder = TableBuilder::new(ui)
            .id_salt(self.id)
            .sense(sense)
            .vscroll(self.scrolls)
            // By itself it takes 200 points, of which a low panel would hide the last rows.
            .min_scrolled_height(2.0 * ROW_HEIGHT)
            .auto_shrink([false, !self.scrolls])
            .cell_layout(Layout::left_to_right(egui::Align::Center));
        if let Some(row) = view.scroll_to {
            builder = builder.scroll_to_row(row, None).animate_scrolling(false);
        }
        if let Some(width) = self.leading {
            builder = builder.column(egui_extras::Column::exact(width));
        }
        for &index in &view.columns {
            let column = &self.columns[index];
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

/// What a screen reader calls a row.
fn name_row(response: &Response, text: &str, is_selected: bool) {
    let egui::Rect { min, max } = response.rect;
    response.ctx.accesskit_node_builder(response.id, |node| {
        node.set_bounds(egui::accesskit::Rect {
            x0: min.x.into(),
            y0: min.y.into(),
            x1: max.x.into(),
            y1: max.y.into(),
        });
        node.set_role(egui::Role::Row);
        node.set_label(text);
        node.set_selected(is_selected);
    });
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

/// What a column of a field's values is called: `training.learning_rate` as `Learning rate`.
pub(in crate::ui) fn field_title(path: &str) -> String {
    capital(&path.rsplit('.').next().unwrap_or(path).replace('_', " "))
}

pub(in crate::ui) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}
