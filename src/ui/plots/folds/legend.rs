use egui::{Color32, Pos2, Rect, Role, Sense, Stroke, TextStyle, Ui, WidgetInfo, vec2};

use super::BAR_HEIGHT;
use super::parts::Section;
use crate::ui::theme::{Palette, Themed, space};

/// Distance of the lines of a hatching, in points.
const HATCH: f32 = 4.0;

/// What the colours mean: the sections in the order in which they follow each other, and what is left out between them.
pub(in crate::ui) fn legend(ui: &mut Ui) {
    let palette = ui.palette();
    let font = TextStyle::Small.resolve(ui.style());
    for (prefix, section) in [
        ("", Section::Train),
        ("→", Section::Validation),
        ("→", Section::Test),
        (" ", Section::Purge),
        ("", Section::Embargo),
    ] {
        // In one piece, so that a line never breaks between a square and its word.
        let lay =
            |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), palette.text);
        let (arrow, word) = (lay(prefix), lay(section.name()));
        let gap = if prefix.is_empty() { 0.0 } else { space::S };
        let square = arrow.size().x + gap;
        let text = square + BAR_HEIGHT + space::XS;
        let size = vec2(text + word.size().x, word.size().y);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, section.name()));
        let at = |x: f32| Pos2::new(rect.left() + x, rect.top());
        let painter = ui.painter();
        painter.galley(at(0.0), arrow, palette.text);
        let corner = Pos2::new(rect.left() + square, rect.center().y - BAR_HEIGHT / 2.0);
        let square = Rect::from_min_size(corner, vec2(BAR_HEIGHT, BAR_HEIGHT));
        painter.galley(at(text), word, palette.text);
        paint(ui, square, section);
        let help = match section {
            Section::Train => "What the model learns from",
            Section::Validation => "What early stopping and model choice see",
            Section::Test => "Seen once, at the end",
            Section::Purge => {
                "Left out because their labels reach into another section, or overlap its labels"
            }
            Section::Embargo => {
                "Left out between sections, as the experiment or its features ask for"
            }
        };
        response.on_hover_text(help);
    }
}

/// A square in a section's colour.
pub(super) fn square(ui: &mut Ui, section: Section) {
    let (rect, _) = ui.allocate_exact_size(vec2(BAR_HEIGHT, BAR_HEIGHT), Sense::hover());
    paint(ui, rect, section);
}

/// A section filled; what is left out is hatched where there is room for lines, so that colour is not the only sign.
pub(super) fn paint(ui: &Ui, rect: Rect, section: Section) {
    let palette = ui.palette();
    let color = color(section, palette);
    let painter = ui.painter();
    if !section.is_gap() {
        painter.rect_filled(rect, 1.0, color);
        return;
    }
    if rect.width() < 2.0 * HATCH {
        // As high as the row allows: narrow ones would be lost between the sections.
        painter.rect_filled(rect.expand2(vec2(0.0, 2.0)), 0.0, color);
        return;
    }
    painter.rect_filled(rect, 0.0, palette.well.lerp_to_gamma(color, 0.35));
    hatch(ui, rect, (color, section == Section::Purge));
}

const fn color(section: Section, palette: &Palette) -> Color32 {
    match section {
        Section::Train => palette.train,
        Section::Validation => palette.validation,
        Section::Test => palette.test,
        Section::Purge => palette.purge,
        Section::Embargo => palette.embargo,
    }
}

/// Slanted lines, rising or falling.
fn hatch(ui: &Ui, rect: Rect, (color, rising): (Color32, bool)) {
    let painter = ui.painter_at(rect);
    let height = rect.height();
    let lines = ((rect.width() + height) / HATCH) as usize;
    for line in 0..=lines {
        let x = rect.left() - height + line as f32 * HATCH;
        let (top, bottom) = if rising { (x + height, x) } else { (x, x + height) };
        let from = Pos2::new(top, rect.top());
        let to = Pos2::new(bottom, rect.bottom());
        painter.line_segment([from, to], Stroke::new(1.0, color));
    }
}
