//! What plots have in common: values at the side, zoomed and dragged along the bottom alone.

use egui::{AsIdSalt, Id};
use egui_plot::{Plot, PlotUi};

use super::axes::{date_marks, side_marks};
use crate::ui::theme::Palette;

/// A plot without its axes' words.
pub(super) fn sideways<'a>(id: impl AsIdSalt, height: f32, palette: &Palette) -> Plot<'a> {
    Plot::new(id)
        .height(height)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_zoom([true, false])
        .allow_drag([true, false])
        .show_y(false)
        .grid_color(palette.line)
        .grid_fade(0.25)
        .cursor_color(palette.text_weak)
        .y_grid_spacer(|input| side_marks(&input))
}

/// The same over dates, in seconds since 1970, from the first to the last: the bounds are those of everything, of which only what is in view
/// need be drawn.
pub(super) fn over_dates<'a>(
    id: impl AsIdSalt,
    height: f32,
    whole: (f64, f64),
    palette: &Palette,
) -> Plot<'a> {
    sideways(id, height, palette)
        .include_x(whole.0)
        .include_x(whole.1)
        .x_grid_spacer(|input| date_marks(&input))
}

/// Plots of a group look at the same dates.
pub(super) fn linked(plot: Plot<'_>, group: Id) -> Plot<'_> {
    plot.link_axis(group, [true, false]).link_cursor(group, [true, false])
}

/// What a plot shows from left to right. Before anybody has zoomed or dragged it is everything.
pub(super) fn in_view(plot: &PlotUi<'_>, whole: (f64, f64)) -> (f64, f64) {
    let bounds = plot.plot_bounds();
    let is_whole = plot.auto_bounds().x || !bounds.is_valid_x();
    if is_whole { whole } else { (bounds.min()[0], bounds.max()[0]) }
}
