//! A table of colours: what is better, what is worse, and what is not known.

use egui::{
    Align2, Painter, Pos2, Rect, Response, Role, ScrollArea, Sense, Stroke, TextStyle, Ui, pos2,
    vec2,
};

use crate::domain::text::UNKNOWN;
use crate::ui::theme::{Palette, ROW_HEIGHT, Themed, space};
use crate::ui::widgets;

/// Rows shown at once; more scroll.
const MOST_ROWS: usize = 12;
/// Width of the rows' names, in points.
const NAME_WIDTH: f32 = 132.0;
/// A cell is no wider, and no narrower, in points.
const CELL_WIDTHS: (f32, f32) = (12.0, 72.0);
/// Narrower cells hold no number.
const NUMBER_WIDTH: f32 = 40.0;
/// Around each cell.
const GAP: f32 = 1.0;
/// Width of each colour of the scale.
const SCALE_STEP: f32 = 7.0;
/// Colours of the scale on either side of its middle.
const SCALE_STEPS: i32 = 8;

/// Cells in rows, with names.
#[derive(Debug)]
pub(in crate::ui) struct Grid {
    /// What the whole of it is, in words.
    pub(in crate::ui) name: String,
    pub(in crate::ui) columns: Vec<String>,
    pub(in crate::ui) rows: Vec<String>,
    /// Row after row.
    pub(in crate::ui) cells: Vec<HeatCell>,
}

/// A cell.
#[derive(Debug, Clone)]
pub(in crate::ui) struct HeatCell {
    /// From -1, the worst, to 1, the best, and the number to write; `None` where it is not known.
    pub(in crate::ui) value: Option<(f32, String)>,
    /// What it is, over the pointer and for those who do not see it.
    pub(in crate::ui) about: String,
}

/// Draws it; only the rows in view are laid out.
pub(in crate::ui) fn show(ui: &mut Ui, grid: &Grid) -> Response {
    let bar = ui.spacing().scroll.allocated_width();
    let room = (ui.available_width() - NAME_WIDTH - bar) / grid.columns.len().max(1) as f32;
    let cell = room.clamp(CELL_WIDTHS.0, CELL_WIDTHS.1).floor();
    let width = NAME_WIDTH + cell * grid.columns.len() as f32;
    let height = ROW_HEIGHT * grid.rows.len().min(MOST_ROWS) as f32;
    // Under the cells, which have what there is to say.
    let whole =
        Rect::from_min_size(ui.cursor().min, vec2(ui.available_width(), height + ROW_HEIGHT));
    let whole = ui.interact(whole, ui.unique_id().with("heat_map"), Sense::hover());
    let area = ScrollArea::horizontal().id_salt("heat").auto_shrink([false, true]);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.set_min_width(width);
        head(ui, grid, (cell, width));
        ScrollArea::vertical()
            .id_salt("heat_rows")
            .max_height(height)
            .min_scrolled_height(height)
            .auto_shrink([false, true])
            .show_rows(ui, ROW_HEIGHT, grid.rows.len(), |ui, rows| {
                for row in rows {
                    cells(ui, grid, row, (cell, width));
                }
            });
    });
    whole
}

/// The columns' names, as many as there is room for.
fn head(ui: &mut Ui, grid: &Grid, (cell, width): (f32, f32)) {
    let palette = ui.palette();
    let font = TextStyle::Small.resolve(ui.style());
    let (rect, _) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::hover());
    let painter = ui.painter_at(rect);
    let middle = rect.center().y;
    let left = pos2(rect.left(), middle);
    painter.text(left, Align2::LEFT_CENTER, "Fold", font.clone(), palette.text_weak);
    let widest = grid.columns.iter().map(String::len).max().unwrap_or(1) as f32;
    let step = ((widest * 8.0 + space::XS) / cell).ceil().max(1.0) as usize;
    for (place, name) in grid.columns.iter().enumerate().step_by(step) {
        let x = rect.left() + NAME_WIDTH + cell * (place as f32 + 0.5);
        let color = palette.text_weak;
        painter.text(pos2(x, middle), Align2::CENTER_CENTER, name, font.clone(), color);
    }
}

fn cells(ui: &mut Ui, grid: &Grid, row: usize, (cell, width): (f32, f32)) {
    let palette = ui.palette();
    let (body, small) = (TextStyle::Body.resolve(ui.style()), TextStyle::Small.resolve(ui.style()));
    let (rect, _) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::hover());
    let middle = rect.center().y;
    if let Some(name) = grid.rows.get(row) {
        let place = Rect::from_min_size(rect.min, vec2(NAME_WIDTH - space::S, ROW_HEIGHT));
        let mut job = egui::text::LayoutJob::simple_singleline(name.clone(), body, palette.text);
        job.wrap = egui::text::TextWrapping::truncate_at_width(place.width());
        let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
        let is_cut = galley.elided;
        let corner = pos2(place.left(), middle - galley.size().y / 2.0);
        ui.painter().galley(corner, galley, palette.text);
        if is_cut {
            let id = ui.unique_id().with(("heat_name", row));
            ui.interact(place, id, Sense::hover()).on_hover_text(name);
        }
    }
    for column in 0..grid.columns.len() {
        let Some(found) = grid.cells.get(row * grid.columns.len() + column) else { continue };
        let left = rect.left() + NAME_WIDTH + cell * column as f32;
        let place = Rect::from_min_size(pos2(left, rect.top()), vec2(cell, ROW_HEIGHT)).shrink(GAP);
        if !ui.is_rect_visible(place) {
            continue;
        }
        let id = ui.unique_id().with(("heat_cell", row, column));
        let response = ui.interact(place, id, Sense::hover());
        let painter = ui.painter();
        match &found.value {
            Some((value, text)) => {
                painter.rect_filled(place, 2.0, palette.diverging(*value));
                if cell >= NUMBER_WIDTH {
                    let center = place.center();
                    painter.text(center, Align2::CENTER_CENTER, text, small.clone(), palette.text);
                }
            }
            None => unknown(painter, place, (cell, &small), palette),
        }
        if response.hovered() {
            let line = Stroke::new(1.5, palette.text);
            painter.rect_stroke(place, 2.0, line, egui::StrokeKind::Inside);
        }
        widgets::name(&response, Role::GridCell, &found.about);
        response.on_hover_text_at_pointer(&found.about);
    }
}

/// Hatched, so that it is not taken for a value in the middle.
fn unknown(painter: &Painter, place: Rect, (cell, font): (f32, &egui::FontId), palette: &Palette) {
    painter.rect_filled(place, 2.0, palette.well);
    if cell >= NUMBER_WIDTH {
        let color = palette.text_weak;
        painter.text(place.center(), Align2::CENTER_CENTER, UNKNOWN, font.clone(), color);
        return;
    }
    let clip = painter.with_clip_rect(place.intersect(painter.clip_rect()));
    let line = Stroke::new(1.0, palette.line);
    let mut x = place.left() - place.height();
    while x < place.right() {
        let (bottom, top) = (place.bottom(), place.top());
        clip.line_segment([pos2(x, bottom), pos2(x + place.height(), top)], line);
        x += 5.0;
    }
}

/// What the colours mean: the worst, the middle and the best.
pub(in crate::ui) fn scale(ui: &mut Ui, [worst, middle, best]: &[String; 3]) {
    let palette = ui.palette();
    let font = TextStyle::Small.resolve(ui.style());
    let steps = -SCALE_STEPS..=SCALE_STEPS;
    let width = SCALE_STEP * (2 * SCALE_STEPS + 1) as f32;
    let text = |ui: &mut Ui, text: String| {
        ui.label(egui::RichText::new(text).font(font.clone()).color(palette.text_weak));
    };
    text(ui, format!("worse {worst}"));
    let (rect, response) = ui.allocate_exact_size(vec2(width, 12.0), Sense::hover());
    for (place, step) in steps.enumerate() {
        let corner = Pos2::new(rect.left() + SCALE_STEP * place as f32, rect.top());
        let step_rect = Rect::from_min_size(corner, vec2(SCALE_STEP, rect.height()));
        let color = palette.diverging(step as f32 / SCALE_STEPS as f32);
        ui.painter().rect_filled(step_rect, 0.0, color);
    }
    response.on_hover_text(format!("The middle is {middle}"));
    text(ui, format!("{best} better"));
}
