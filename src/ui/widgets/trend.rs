use egui::{Color32, Pos2, Response, Sense, Shape, Stroke, StrokeKind, Ui, Vec2};

use crate::ui::theme::Themed;

/// A small line between its own lowest and highest value, for a cell of a table, which can be clicked like a button. Values that are none
/// interrupt it.
pub(in crate::ui) fn trend(ui: &mut Ui, values: &[f64], color: Color32, size: Vec2) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 3.0, ui.palette().well);
    if response.hovered() || response.has_focus() {
        let stroke = Stroke::new(1.0, ui.palette().accent);
        painter.rect_stroke(rect, 3.0, stroke, StrokeKind::Inside);
    }
    let inner = rect.shrink(2.0);
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let step = inner.width() / (values.len().max(2) - 1) as f32;
    let place = |(index, value): (usize, &f64)| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        let y = inner.bottom() - share as f32 * inner.height();
        Pos2::new(inner.left() + index as f32 * step, y)
    };
    let points: Vec<(usize, &f64)> = values.iter().enumerate().collect();
    for stretch in points.chunk_by(|a, b| a.1.is_finite() == b.1.is_finite()) {
        if stretch.len() > 1 && stretch[0].1.is_finite() {
            let line = stretch.iter().copied().map(place).collect();
            painter.add(Shape::line(line, Stroke::new(1.0, color)));
        }
    }
    response
}
