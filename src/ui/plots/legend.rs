use egui::{Pos2, Response, Sense, Stroke, TextStyle, Ui, vec2};

use super::stroke::{LineLook, SAMPLE_WIDTH};
use crate::ui::theme::{Themed, space};

/// A sample of a line and its name, to be clicked; without the sample where the line is hidden.
pub(in crate::ui) fn entry(ui: &mut Ui, look: LineLook, text: &str, is_on: bool) -> Response {
    let palette = ui.palette();
    let font = TextStyle::Small.resolve(ui.style());
    let color = if is_on { palette.text } else { palette.text_weak };
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, color);
    let size = vec2(SAMPLE_WIDTH + space::XS + galley.size().x, galley.size().y + 4.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let y = rect.center().y;
    if is_on {
        look.sample(ui.painter(), Pos2::new(rect.left(), y));
    }
    let corner = Pos2::new(rect.left() + SAMPLE_WIDTH + space::XS, y - galley.size().y / 2.0);
    if response.hovered() || response.has_focus() {
        let below = rect.bottom() - 1.0;
        let line = Stroke::new(1.0, palette.text_weak);
        ui.painter().hline(corner.x..=rect.right(), below, line);
    }
    ui.painter().galley(corner, galley, color);
    response
}
