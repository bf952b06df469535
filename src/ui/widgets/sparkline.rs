use egui::epaint::{Mesh, Vertex, WHITE_UV};
use egui::{Color32, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, vec2};

use crate::ui::theme::Themed;

/// A small line of the last readings. Gaps are readings that are not known; a dashed line marks a limit.
pub(in crate::ui) struct Sparkline<'a> {
    /// Oldest first.
    pub(in crate::ui) values: &'a [Option<f64>],
    /// Readings that fill the width; fewer begin at the right.
    pub(in crate::ui) capacity: usize,
    /// The top of the scale; the bottom is 0.
    pub(in crate::ui) top: f64,
    /// A limit to mark.
    pub(in crate::ui) limit: Option<f64>,
    pub(in crate::ui) color: Color32,
    pub(in crate::ui) height: f32,
}

impl Sparkline<'_> {
    /// Draws it as wide as there is room.
    pub(in crate::ui) fn show(&self, ui: &mut Ui) -> Response {
        let size = vec2(ui.available_width(), self.height);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let palette = ui.palette();
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, 3.0, palette.well);
        let inner = rect.shrink(2.0);
        for segment in self.segments(inner) {
            painter.add(area(&segment, inner.bottom(), self.color.gamma_multiply(0.18)));
            painter.add(Shape::line(segment, Stroke::new(1.5, self.color)));
        }
        if let Some(limit) = self.limit {
            let y = self.y(limit, inner);
            let line = [Pos2::new(inner.left(), y), Pos2::new(inner.right(), y)];
            let stroke = Stroke::new(1.0, palette.warning);
            painter.extend(Shape::dashed_line(&line, stroke, 4.0, 3.0));
        }
        response
    }

    fn y(&self, value: f64, inner: Rect) -> f32 {
        let share = if self.top > 0.0 { (value / self.top).clamp(0.0, 1.0) } else { 0.0 };
        inner.bottom() - share as f32 * inner.height()
    }

    /// Runs of known readings, on the screen.
    fn segments(&self, inner: Rect) -> Vec<Vec<Pos2>> {
        let step = inner.width() / (self.capacity.max(2) - 1) as f32;
        let missing = self.capacity.saturating_sub(self.values.len());
        let mut segments = vec![Vec::new()];
        for (index, value) in self.values.iter().enumerate() {
            match value {
                Some(value) => {
                    let x = inner.left() + (missing + index) as f32 * step;
                    let last = segments.len() - 1;
                    segments[last].push(Pos2::new(x, self.y(*value, inner)));
                }
                None => segments.push(Vec::new()),
            }
        }
        segments.retain(|segment| segment.len() > 1);
        segments
    }
}

/// What lies under a line. A mesh, because polygons side by side would show seams.
fn area(line: &[Pos2], bottom: f32, color: Color32) -> Shape {
    let mut mesh = Mesh::default();
    for point in line {
        for pos in [*point, Pos2::new(point.x, bottom)] {
            mesh.vertices.push(Vertex { pos, uv: WHITE_UV, color });
        }
    }
    for left in 0..line.len().saturating_sub(1) as u32 {
        let (top, below) = (2 * left, 2 * left + 1);
        mesh.add_triangle(top, below, top + 2);
        mesh.add_triangle(below, top + 2, below + 2);
    }
    Shape::mesh(mesh)
}
