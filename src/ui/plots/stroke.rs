use egui::{Color32, Painter, Pos2, Shape, Stroke};
use egui_plot::LineStyle;

/// Width of a line's sample in a legend.
pub(in crate::ui) const SAMPLE_WIDTH: f32 = 24.0;

/// How a line looks: width and style tell it apart as well as the colour.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) struct LineLook {
    pub(in crate::ui) color: Color32,
    pub(in crate::ui) width: f32,
    pub(in crate::ui) style: LineStyle,
}

impl LineLook {
    /// Draws a sample of it, for a legend, from its left end.
    pub(in crate::ui) fn sample(self, painter: &Painter, left: Pos2) {
        let line = [left, Pos2::new(left.x + SAMPLE_WIDTH, left.y)];
        let stroke = Stroke::new(self.width, self.color);
        painter.extend(match self.style {
            LineStyle::Solid => vec![Shape::line(line.to_vec(), stroke)],
            LineStyle::Dashed { length } => Shape::dashed_line(&line, stroke, length, 0.6 * length),
            LineStyle::Dotted { spacing } => {
                Shape::dotted_line(&line, self.color, spacing, self.width)
            }
        });
    }
}
