use std::collections::BTreeSet;

use egui::{Pos2, Response, Role, Sense, Stroke, TextStyle, Ui, vec2};
use egui_plot::{HLine, HoverPosition, Line, LineStyle, Plot, PlotPoint, PlotPoints};

use super::axes::{date_axis, date_marks, side_axis, side_marks};
use super::stroke::{LineLook, SAMPLE_WIDTH};
use super::thinning::{extremes, last, last_until, thinned};
use crate::domain::text::{minute, number};
use crate::domain::{EquityCurve, UtcMillis};
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets;

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

/// How the line of the model looks, or of the baseline at a position among the baselines.
fn look_of(baseline: Option<usize>, palette: &Palette) -> LineLook {
    let Some(position) = baseline else {
        return LineLook { color: palette.model, width: 2.0, style: LineStyle::Solid };
    };
    let styles = [LineStyle::dashed_loose(), LineStyle::dotted_dense(), LineStyle::dashed_dense()];
    // The first colour of the series is much like the model's.
    let colors = &palette.series[1..];
    LineLook {
        color: colors[position % colors.len()],
        width: 1.3,
        style: styles[position % styles.len()],
    }
}

/// A predictor's curve, ready to draw.
struct Shown<'a> {
    name: String,
    points: &'a [PlotPoint],
    look: LineLook,
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
        .x_grid_spacer(|input| date_marks(&input))
        .y_grid_spacer(|input| side_marks(&input))
        .custom_x_axes(vec![date_axis(font.clone(), palette)])
        .custom_y_axes(vec![side_axis("Equity, start = 1", font, palette)])
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
        let look = look_of(baseline, palette);
        Shown { name: name.replace('_', " "), points, look }
    };
    curves.iter().map(look).collect()
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
        curve.look.sample(ui.painter(), Pos2::new(rect.left(), y));
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
