use std::collections::BTreeSet;

use egui::{Color32, FontId, Pos2, Response, Role, Sense, Shape, Stroke, TextStyle, Ui, vec2};
use egui_plot::{
    AxisHints, GridMark, HLine, HoverPosition, Line, LineStyle, Plot, PlotPoint, PlotPoints,
};

use super::thinning::{extremes, last, last_until, thinned};
use super::time_axis::{label, ticks};
use crate::domain::text::{minute, number};
use crate::domain::{EquityCurve, UtcMillis};
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets;

/// Distance between two dates at least, in points.
const TICK_WIDTH: f64 = 96.0;
/// Distance between two values on the equity axis at least, in points.
const LINE_HEIGHT: f64 = 32.0;
/// `egui_plot`'s least distance between two grid lines, which it gives its grid spacer, in points.
const GRID_STEP: f64 = 8.0;
/// Width of a line's sample in the legend.
const SAMPLE_WIDTH: f32 = 24.0;

/// One symbol's equity curves, or those of all symbols together, as points.
#[derive(Debug)]
pub(in crate::ui) struct EquityPlot {
    /// As [`name`] gives it.
    pub(in crate::ui) name: String,
    /// Predictor and its curve: seconds since 1970 against equity, the start being 1.
    curves: Vec<(String, Vec<PlotPoint>)>,
}

impl EquityPlot {
    pub(in crate::ui) fn new(equity: &EquityCurve) -> Self {
        let curves = equity.predictors.iter().map(|predictor| {
            let points = equity.times.iter().zip(&predictor.equity);
            let point = |(at, value): (&UtcMillis, &f64)| PlotPoint::new(at.0 as f64 / 1e3, *value);
            (predictor.name.clone(), points.map(point).collect())
        });
        Self { name: name(equity), curves: curves.collect() }
    }
}

/// What people call it.
pub(in crate::ui) fn name(equity: &EquityCurve) -> String {
    match &equity.symbol {
        Some(symbol) => format!("{symbol} · {}", equity.timeframe),
        None => format!("All symbols, equally weighted · {}", equity.timeframe),
    }
}

/// How a predictor's line looks: width and style tell it apart as well as the colour.
#[derive(Debug, Clone, Copy)]
struct Look {
    color: Color32,
    width: f32,
    style: LineStyle,
}

impl Look {
    /// Of the model, or of the baseline at a position among the baselines.
    fn of(baseline: Option<usize>, palette: &Palette) -> Self {
        let Some(position) = baseline else {
            return Self { color: palette.model, width: 2.0, style: LineStyle::Solid };
        };
        let styles =
            [LineStyle::dashed_loose(), LineStyle::dotted_dense(), LineStyle::dashed_dense()];
        // The first colour of the series is much like the model's.
        let colors = &palette.series[1..];
        Self {
            color: colors[position % colors.len()],
            width: 1.3,
            style: styles[position % styles.len()],
        }
    }
}

/// A predictor's curve, ready to draw.
struct Shown<'a> {
    name: String,
    points: &'a [PlotPoint],
    look: Look,
}

/// Draws the curves that are not hidden over a legend with their last values; a click in the legend hides a curve or shows it again.
pub(in crate::ui) fn show(
    ui: &mut Ui,
    data: &EquityPlot,
    hidden: &mut BTreeSet<String>,
    height: f32,
) {
    let palette = ui.palette();
    let curves = shown(&data.curves, palette);
    legend(ui, &curves, hidden);
    let ends = |curve: &Shown<'_>| Some((curve.points.first()?.x, curve.points.last()?.x));
    let ends = curves.iter().filter_map(ends);
    let whole = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0.0, 1.0));
    let curves: Vec<Shown<'_>> =
        curves.into_iter().filter(|curve| !hidden.contains(&curve.name)).collect();
    let heights = curves.iter().flat_map(|curve| curve.points).map(|point| point.y);
    let (low, high) = heights.fold((1.0, 1.0), |(low, high), y| (y.min(low), y.max(high)));

    let font = TextStyle::Small.resolve(ui.style());
    let plot = Plot::new(("equity", data.name.as_str()))
        .height(height)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_zoom([true, false])
        .allow_drag([true, false])
        .show_y(false)
        .set_margin_fraction(vec2(0.01, 0.06))
        // The bounds are those of the whole curves, of which only what is in view is drawn.
        .include_x(whole.0)
        .include_x(whole.1)
        .include_y(low)
        .include_y(high)
        .grid_color(palette.line)
        .grid_fade(0.25)
        .cursor_color(palette.text_weak)
        .x_grid_spacer(|input| {
            let (from, until) = input.bounds;
            let points = (until - from) / input.base_step_size * GRID_STEP;
            let ticks = ticks(from, until, (points / TICK_WIDTH).max(1.0) as usize);
            let mark =
                |tick: super::time_axis::Tick| GridMark { value: tick.at, step_size: tick.step };
            ticks.into_iter().map(mark).collect()
        })
        .y_grid_spacer(|input| {
            let least = input.base_step_size * (LINE_HEIGHT / GRID_STEP);
            round_marks(input.bounds, least)
        })
        .custom_x_axes(vec![x_axis(font.clone(), palette)])
        .custom_y_axes(vec![y_axis(font, palette)])
        .label_formatter(|hover| Some(readings(hover, &curves)));
    let response = plot.show(ui, |plot| {
        let start = HLine::new("start", 1.0).color(palette.text_weak).width(1.0);
        plot.hline(start.allow_hover(false));
        let bounds = plot.plot_bounds();
        let is_whole = plot.auto_bounds().x || !bounds.is_valid_x();
        let view = if is_whole { whole } else { (bounds.min()[0], bounds.max()[0]) };
        let width = plot.response().rect.width().max(1.0) as usize;
        // The model last, over the others.
        for curve in curves.iter().rev() {
            let solid = curve.look.style == LineStyle::Solid;
            let points = if solid {
                thinned(curve.points, view, width, extremes)
            } else {
                thinned(curve.points, view, width / 2, last)
            };
            plot.line(
                Line::new(curve.name.as_str(), PlotPoints::Owned(points))
                    .color(curve.look.color)
                    .width(curve.look.width)
                    .style(curve.look.style)
                    .allow_hover(false),
            );
        }
    });
    widgets::name(&response.response, Role::Image, &format!("Equity of {}", data.name));
}

fn shown<'a>(curves: &'a [(String, Vec<PlotPoint>)], palette: &Palette) -> Vec<Shown<'a>> {
    let mut baselines = 0_usize..;
    let look = |(name, points): &'a (String, Vec<PlotPoint>)| {
        let baseline = if name == "model" { None } else { baselines.next() };
        let look = Look::of(baseline, palette);
        Shown { name: name.replace('_', " "), points, look }
    };
    curves.iter().map(look).collect()
}

fn x_axis(font: FontId, palette: &Palette) -> AxisHints<'static> {
    AxisHints::new_x()
        .formatter(|mark, _| label(mark.value, mark.step_size))
        .label_spacing(egui::Rangef::new(40.0, 60.0))
        .min_thickness(18.0)
        .tick_label_color(palette.text_weak)
        .tick_label_font(font)
}

fn y_axis(font: FontId, palette: &Palette) -> AxisHints<'static> {
    AxisHints::new_y()
        .formatter(|mark, _| {
            let decimals = (-mark.step_size.log10()).ceil().clamp(0.0, 6.0) as usize;
            format!("{:.decimals$}", mark.value)
        })
        .label(egui::RichText::new("Equity, start = 1").small().color(palette.text_weak))
        .min_thickness(56.0)
        .tick_label_color(palette.text_weak)
        .tick_label_font(font)
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

/// A row of line samples with names and last values.
fn legend(ui: &mut Ui, curves: &[Shown<'_>], hidden: &mut BTreeSet<String>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::L;
        for curve in curves {
            let is_on = !hidden.contains(&curve.name);
            let entry = legend_entry(ui, curve, is_on);
            widgets::name_toggle(&entry, is_on, &curve.name);
            if entry.on_hover_text("Equity at the end; click to hide or show").clicked() {
                if is_on {
                    hidden.insert(curve.name.clone());
                } else {
                    hidden.remove(&curve.name);
                }
            }
        }
    });
}

fn legend_entry(ui: &mut Ui, curve: &Shown<'_>, is_on: bool) -> Response {
    let palette = ui.palette();
    let font = TextStyle::Small.resolve(ui.style());
    let text = format!("{}  {}", curve.name, number(curve.points.last().map(|end| end.y), 3));
    let color = if is_on { palette.text } else { palette.text_weak };
    let galley = ui.painter().layout_no_wrap(text, font, color);
    let size = vec2(SAMPLE_WIDTH + space::XS + galley.size().x, galley.size().y + 4.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let y = rect.center().y;
    if is_on {
        let line = [Pos2::new(rect.left(), y), Pos2::new(rect.left() + SAMPLE_WIDTH, y)];
        ui.painter().extend(sample(&line, curve.look));
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

fn sample(line: &[Pos2], look: Look) -> Vec<Shape> {
    let stroke = Stroke::new(look.width, look.color);
    match look.style {
        LineStyle::Solid => vec![Shape::line(line.to_vec(), stroke)],
        LineStyle::Dashed { length } => Shape::dashed_line(line, stroke, length, 0.6 * length),
        LineStyle::Dotted { spacing } => Shape::dotted_line(line, look.color, spacing, look.width),
    }
}

/// The date of the last row up to there and every curve's value then.
fn readings(hover: &HoverPosition<'_>, curves: &[Shown<'_>]) -> String {
    let (HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position }) =
        hover;
    let x = position.x;
    let row = curves.iter().find_map(|curve| last_until(curve.points, x));
    let at = UtcMillis((1000.0 * row.map_or(x, |row| row.x)).round() as i64);
    let at = format!("{} UTC", minute(at));
    let value = |curve: &Shown<'_>| {
        let value = last_until(curve.points, x).map(|row| row.y);
        format!("{}  {}", curve.name, number(value, 4))
    };
    let lines: Vec<String> = std::iter::once(at).chain(curves.iter().map(value)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_equity_axis_has_round_values_that_keep_their_distance() {
        let found = |from, until, least| {
            let marks = round_marks((from, until), least);
            marks.iter().map(|mark| format!("{:.2}", mark.value)).collect::<Vec<_>>()
        };
        assert_eq!(found(0.61, 1.78, 0.13), ["0.80", "1.00", "1.20", "1.40", "1.60"]);
        assert_eq!(found(0.0, 11.0, 3.0), ["0.00", "5.00", "10.00"]);
        assert!(found(0.0, 1.0, 0.0).is_empty() && found(0.0, f64::INFINITY, 1.0).is_empty());
    }
}
