//! What is said over the whole window while something is dragged over it.

use egui::{Align2, Area, Context, FontId, Id, LayerId, Order, Role, Sense, Stroke, StrokeKind};

use super::data_commands::announcement;
use super::theme::{Themed, space, strong_family};
use super::{icons, widgets};

/// How much of what lies under the hint is covered.
const COVER: f32 = 0.86;
const TEXT: f32 = 18.0;
const ICON: f32 = 40.0;

/// Draws the hint while something is dragged over the window.
pub(super) fn show(ctx: &Context) {
    let text = ctx.input(|input| {
        let hovered = &input.raw.hovered_files;
        let paths: Vec<_> = hovered.iter().map(|file| file.path.as_deref()).collect();
        (!paths.is_empty()).then(|| announcement(&paths))
    });
    let Some(text) = text else { return };
    let layer = LayerId::new(Order::Foreground, Id::unique("drop hint"));
    let whole = ctx.content_rect();
    Area::new(layer.id).order(layer.order).fixed_pos(whole.min).interactable(false).show(
        ctx,
        |ui| {
            let palette = ui.palette();
            let response = ui.allocate_rect(whole, Sense::hover());
            let painter = ui.painter();
            painter.rect_filled(whole, 0.0, palette.background.gamma_multiply(COVER));
            let frame = whole.shrink(space::L);
            let stroke = Stroke::new(2.0, palette.accent);
            painter.rect_stroke(frame, 8.0, stroke, StrokeKind::Inside);
            let center = whole.center();
            let above = center - egui::vec2(0.0, space::S);
            let icon = FontId::proportional(ICON);
            painter.text(above, Align2::CENTER_BOTTOM, icons::FOLDER_OPEN, icon, palette.accent);
            let below = center + egui::vec2(0.0, space::S);
            let font = FontId::new(TEXT, strong_family());
            let width = frame.width() - 2.0 * space::L;
            let galley = painter.layout(text.clone(), font, palette.text, width);
            let place = below - egui::vec2(galley.size().x / 2.0, 0.0);
            painter.galley(place, galley, palette.text);
            widgets::name(&response, Role::Label, &text);
        },
    );
}
