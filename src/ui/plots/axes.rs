//! Axes that several plots share: dates along the bottom, round values at the side.

use egui::{FontId, RichText};
use egui_plot::{AxisHints, GridInput, GridMark};

use super::time_axis::{Tick, label, ticks};
use crate::ui::theme::Palette;

/// Distance between two dates at least, in points.
const TICK_WIDTH: f64 = 96.0;
/// Distance between two values at the side at least, in points.
const LINE_HEIGHT: f64 = 32.0;
/// Distance between two values along the bottom at least, in points.
const VALUE_WIDTH: f64 = 72.0;
/// `egui_plot`'s least distance between two grid lines, which it gives its grid spacer, in points.
const GRID_STEP: f64 = 8.0;
/// Room for the values at the side, in points: plots above each other stand in line.
const SIDE_WIDTH: f32 = 72.0;

/// Where dates stand; the axis counts seconds since 1970.
pub(super) fn date_marks(input: &GridInput) -> Vec<GridMark> {
    let (from, until) = input.bounds;
    let points = (until - from) / input.base_step_size * GRID_STEP;
    let mark = |tick: Tick| GridMark { value: tick.at, step_size: tick.step };
    ticks(from, until, (points / TICK_WIDTH).max(1.0) as usize).into_iter().map(mark).collect()
}

/// Where values stand at the side.
pub(super) fn side_marks(input: &GridInput) -> Vec<GridMark> {
    round_marks(input.bounds, input.base_step_size * (LINE_HEIGHT / GRID_STEP))
}

/// Where values stand along the bottom.
pub(super) fn bottom_marks(input: &GridInput) -> Vec<GridMark> {
    round_marks(input.bounds, input.base_step_size * (VALUE_WIDTH / GRID_STEP))
}

/// Dates along the bottom.
pub(super) fn date_axis(font: FontId, palette: &Palette) -> AxisHints<'static> {
    AxisHints::new_x()
        .formatter(|mark, _| label(mark.value, mark.step_size))
        .label_spacing(egui::Rangef::new(40.0, 60.0))
        .min_thickness(18.0)
        .tick_label_color(palette.text_weak)
        .tick_label_font(font)
}

/// Values along the bottom.
pub(super) fn bottom_axis(font: FontId, palette: &Palette) -> AxisHints<'static> {
    AxisHints::new_x()
        .formatter(|mark, _| rounded(mark))
        .label_spacing(egui::Rangef::new(30.0, 50.0))
        .min_thickness(18.0)
        .tick_label_color(palette.text_weak)
        .tick_label_font(font)
}

/// Values at the side, and what they are.
pub(super) fn side_axis(title: &str, font: FontId, palette: &Palette) -> AxisHints<'static> {
    AxisHints::new_y()
        .formatter(|mark, _| rounded(mark))
        .label(RichText::new(title).small().color(palette.text_weak))
        .min_thickness(SIDE_WIDTH)
        .tick_label_color(palette.text_weak)
        .tick_label_font(font)
}

/// With as many decimals as the distance of the marks asks for.
fn rounded(mark: GridMark) -> String {
    let step = mark.step_size;
    if (1e5..1e9).contains(&step) {
        // As long as it is, it would push the plot out of line with the one above.
        return format!("{}M", mark.value / 1e6);
    }
    if !(1e-6..1e9).contains(&step) {
        return format!("{:.1e}", mark.value);
    }
    let decimals = (-step.log10()).ceil().clamp(0.0, 6.0) as usize;
    format!("{:.decimals$}", mark.value)
}

/// Values 1, 2 or 5 × a power of ten apart, whichever is the first beyond `least`.
fn round_marks((from, until): (f64, f64), least: f64) -> Vec<GridMark> {
    if !(least.is_finite() && least > 0.0 && (until - from) / least < 1000.0) {
        return Vec::new();
    }
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = steps.into_iter().find(|step| *step >= least).unwrap_or(steps[3]);
    let (first, last) = ((from / step).ceil() as i64, (until / step).floor() as i64);
    let mark = |index: i64| GridMark { value: index as f64 * step, step_size: step };
    (first..=last).map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_round_and_keep_their_distance() {
        let found = |from, until, least| {
            let marks = round_marks((from, until), least);
            marks.iter().map(|mark| format!("{:.2}", mark.value)).collect::<Vec<_>>()
        };
        assert_eq!(found(0.61, 1.78, 0.13), ["0.80", "1.00", "1.20", "1.40", "1.60"]);
        assert_eq!(found(0.0, 11.0, 3.0), ["0.00", "5.00", "10.00"]);
        assert!(found(0.0, 1.0, 0.0).is_empty() && found(0.0, f64::INFINITY, 1.0).is_empty());
    }

    #[test]
    fn values_have_as_many_decimals_as_their_distance_asks_for() {
        for (value, step_size, text) in [
            (0.0015, 0.0005, "0.0015"),
            (65_000.0, 5_000.0, "65000"),
            (2e-8, 1e-8, "2.0e-8"),
            (1_500_000.0, 500_000.0, "1.5M"),
            (-0.5, 0.1, "-0.5"),
        ] {
            assert_eq!(rounded(GridMark { value, step_size }), text);
        }
    }
}
