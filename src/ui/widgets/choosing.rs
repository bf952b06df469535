//! Rows picked by mouse and keyboard: a table that takes the focus as one control, however many rows it has.

use egui::{EventFilter, Id, Key, Modifiers, Rect, Response, Sense, Stroke, StrokeKind, Ui};

use super::selection::Step;
use super::table::{Places, View};
use super::{Cell, HiddenColumns, Listed, Pick, Selection, Table};
use crate::ui::theme::{ROW_HEIGHT, Themed};

/// Frames after which what stands above a table has its height.
const SETTLES_IN: u8 = 3;

/// What picking works on.
pub(in crate::ui) struct Choosing<'a, K> {
    /// What a screen reader calls the table.
    pub(in crate::ui) name: &'a str,
    pub(in crate::ui) selection: &'a mut Selection<K>,
    /// What names a row; `None` past the last one.
    pub(in crate::ui) key: &'a dyn Fn(usize) -> Option<K>,
    /// Whether several can be picked at once.
    pub(in crate::ui) many: bool,
    /// A row to bring into view, whatever the keys say.
    pub(in crate::ui) scroll_to: Option<usize>,
}

/// What somebody did to the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::ui) struct Chosen {
    /// The selection may be another one.
    pub(in crate::ui) changed: bool,
    /// The row that was clicked twice, or at which Enter was pressed.
    pub(in crate::ui) opened: Option<usize>,
    /// The column whose title was clicked.
    pub(in crate::ui) column: Option<usize>,
}

impl Table<'_> {
    /// Draws it without the columns that are hidden, and lets rows be picked: a click picks one, with Ctrl one more or less, with Shift all
    /// from the one before; once the table has the focus, the arrows, Page Up, Page Down, Home and End move, Shift extends, Ctrl+A picks all,
    /// and Space adds or takes the row at the cursor. What is picked counts, not [`Table::selected`]. `leading` hears whether its row is.
    pub(in crate::ui) fn choose<K: Ord + Clone>(
        &self,
        ui: &mut Ui,
        hidden: &HiddenColumns,
        choosing: Choosing<'_, K>,
        mut leading: impl FnMut(&mut Ui, usize, bool),
        cells: impl FnMut(&Ui, usize) -> Vec<Cell>,
        trailing: impl FnMut(&mut Ui, usize),
    ) -> Chosen {
        let Choosing { name, selection, key, many, mut scroll_to } = choosing;
        let listed = Listed { rows: self.rows, key, many };
        let focus = self.focus(ui, name);
        let mut chosen = Chosen::default();
        if let Some(step) = pressed(ui, &focus) {
            scroll_to = selection.press(step, &listed).or(scroll_to);
            chosen.changed = true;
        }
        let scroll_to = self.scroll_again(ui, &focus, scroll_to);
        let is_picked = |row: usize| key(row).is_some_and(|key| selection.contains(&key));
        let is_cursor =
            |row: usize| selection.cursor().is_some_and(|cursor| key(row).as_ref() == Some(cursor));
        let view = View {
            columns: hidden.shown(self.columns),
            selected: &is_picked,
            scroll_to,
            is_cursor: Some(&is_cursor),
        };
        let leading = |ui: &mut Ui, row: usize| leading(ui, row, is_picked(row));
        let (clicked, places) = self.draw(ui, &view, leading, cells, trailing);
        ring(ui, &focus, &places);
        if focus.has_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter))
        {
            chosen.opened = (0..self.rows).find(|&row| is_cursor(row));
        }
        chosen.column = clicked.column;
        if let Some(row) = clicked.row {
            let pick = Pick::of(ui.input(|input| input.modifiers));
            chosen.changed |= selection.pick(row, pick, &listed);
            if clicked.twice && pick == Pick::Alone {
                // The first of the two clicks may have let it go.
                if let Some(key) = key(row) {
                    selection.set(key);
                }
                chosen.opened = Some(row);
            }
            focus.request_focus();
        }
        chosen
    }

    /// The row to bring into view: the same in the next frames too, because what is said of a row that was picked may leave the table less room.
    fn scroll_again(&self, ui: &Ui, focus: &Response, scroll_to: Option<usize>) -> Option<usize> {
        let id = focus.id.with("scroll again");
        let before: Option<(usize, u8)> = ui.data(|data| data.get_temp(id));
        let (row, frames) = scroll_to.map(|row| (row, SETTLES_IN)).or(before)?;
        if let Some(left) = frames.checked_sub(1).filter(|_| row < self.rows) {
            ui.data_mut(|data| data.insert_temp(id, (row, left)));
            ui.ctx().request_repaint();
            Some(row)
        } else {
            ui.data_mut(|data| data.remove::<(usize, u8)>(id));
            None
        }
    }

    /// The table as one thing that can have the focus.
    fn focus(&self, ui: &Ui, name: &str) -> Response {
        let id = Id::unique(("table", self.id));
        let room = ui.available_rect_before_wrap();
        let step = ROW_HEIGHT + ui.spacing().item_spacing.y;
        let height = (self.rows + 1) as f32 * step;
        let rect = if self.scrolls {
            room
        } else {
            Rect::from_min_size(room.min, egui::vec2(room.width(), height))
        };
        let focus = ui.interact(rect, id, Sense::focusable_noninteractive());
        super::name(&focus, egui::Role::Grid, name);
        focus
    }
}

/// What a key asks for, where the table has the focus.
fn pressed(ui: &Ui, focus: &Response) -> Option<Step> {
    if !focus.has_focus() {
        return None;
    }
    // The arrows would go on to the next control.
    let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(focus.id, filter));
    // Of the rows in view one stays in view; the titles stand over them.
    let step = ROW_HEIGHT + ui.spacing().item_spacing.y;
    let page = ((focus.rect.height() / step) as isize - 2).max(1);
    ui.input_mut(|input| {
        let extends = input.modifiers.shift;
        let mut times = |key| input.count_and_consume_key(Modifiers::NONE, key) as isize;
        let rows = times(Key::ArrowDown) - times(Key::ArrowUp);
        let rows = rows + page * (times(Key::PageDown) - times(Key::PageUp));
        if rows != 0 {
            return Some(Step::By { rows, extends });
        }
        if times(Key::Home) > 0 {
            return Some(Step::First { extends });
        }
        if times(Key::End) > 0 {
            return Some(Step::Last { extends });
        }
        if times(Key::Space) > 0 {
            return Some(Step::Toggle);
        }
        input.consume_key(Modifiers::COMMAND, Key::A).then_some(Step::All)
    })
}

/// Shows where the keys stand: around the row, or around the table where the row is not in view.
fn ring(ui: &Ui, focus: &Response, places: &Places) {
    if !focus.has_focus() {
        return;
    }
    let stroke = Stroke::new(1.0, ui.palette().accent);
    let cursor = places.cursor.as_ref();
    if let Some((row, _)) = cursor {
        let id = row.id.accesskit_id();
        ui.ctx().accesskit_node_builder(focus.id, |node| node.set_active_descendant(id));
    }
    let in_view = cursor.map(|(row, clip)| (row.rect, clip.y_range()));
    match in_view.filter(|(rect, in_view)| in_view.intersects(rect.y_range())) {
        Some((rect, in_view)) => {
            let clip = Rect::from_x_y_ranges(ui.clip_rect().x_range(), in_view);
            let rect = rect.expand2(ui.spacing().item_spacing / 2.0);
            let painter = ui.painter().with_clip_rect(clip.intersect(ui.clip_rect()));
            painter.rect_stroke(rect, 0.0, stroke, StrokeKind::Inside);
        }
        None => {
            ui.painter().rect_stroke(focus.rect, 0.0, stroke, StrokeKind::Inside);
        }
    }
}
