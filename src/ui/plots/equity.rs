use std::collections::BTreeSet;

use egui::{Role, TextStyle, Ui, vec2};
use egui_plot::{HLine, HoverPosition, Line, LineStyle, PlotPoint, PlotPoints};

use super::axes::{date_axis, side_axis};
use super::stroke::LineLook;
use super::thinning::{extremes, last, last_until, thinned};
use super::{base, legend};
use crate::domain::text::{minute, number};
use crate::domain::{EquityCurve, PredictorEquity, UtcMillis};
use crate::evaluation::drawdowns;
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets;

/// One symbol's equity curves, or those of all symbols together, as points.
#[derive(Debug)]
pub(in crate::ui) struct EquityPlot {
    /// As [`name`] gives it.
    pub(in crate::ui) name: String,
    curves: Vec<Curve>,
}

/// A predictor's curve.
#[derive(Debug)]
struct Curve {
    predictor: String,
    /// Seconds since 1970 against equity, the start being 1.
    equity: Points,
    /// Seconds since 1970 against how far the equity is below its peak, in per cent: never above 0.
    fall: Points,
}

/// Points with their lowest and highest value, found out once: there may be hundreds of thousands.
#[derive(Debug)]
struct Points {
    all: Vec<PlotPoint>,
    /// `None` where there is no point.
    range: Option<(f64, f64)>,
}

impl Points {
    fn new(all: Vec<PlotPoint>) -> Self {
        let heights = all.iter().map(|point| (point.y, point.y));
        let range = heights.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        Self { all, range }
    }
}

impl EquityPlot {
    pub(in crate::ui) fn new(equity: &EquityCurve) -> Self {
        let curves = equity.predictors.iter().map(|predictor| {
            let points = |values: &mut dyn Iterator<Item = f64>| {
                let points = equity.times.iter().zip(values);
                let points = points.map(|(at, value)| PlotPoint::new(at.0 as f64 / 1e3, value));
                Points::new(points.collect())
            };
            let values = || predictor.equity.iter().copied();
            // The start is the first peak.
            let falls = drawdowns(std::iter::once(1.0).chain(values())).skip(1);
            Curve {
                predictor: predictor.name.clone(),
                equity: points(&mut values()),
                fall: points(&mut falls.map(|fall| -100.0 * fall)),
            }
        });
        Self { name: name(equity), curves: curves.collect() }
    }

    /// Whether it was made of these curves, as far as their names, lengths and last values tell.
    pub(in crate::ui) fn is_of(&self, equity: &EquityCurve) -> bool {
        let is_same = |(curve, predictor): (&Curve, &PredictorEquity)| {
            let points = &curve.equity.all;
            curve.predictor == predictor.name
                && points.len() == predictor.equity.len()
                && points.last().map(|end| end.y) == predictor.equity.last().copied()
        };
        self.name == name(equity)
            && self.curves.len() == equity.predictors.len()
            && self.curves.iter().zip(&equity.predictors).all(is_same)
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
    range: Option<(f64, f64)>,
    look: LineLook,
}

/// Heights of the plots of equity and of drawdown, in points.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) struct Heights {
    pub(in crate::ui) equity: f32,
    pub(in crate::ui) drawdown: f32,
}

/// Draws the curves that are not hidden over a legend with their last values, and how far each is below its peak under them, on the same
/// dates; a click in the legend hides a curve or shows it again.
pub(in crate::ui) fn show(
    ui: &mut Ui,
    data: &EquityPlot,
    hidden: &mut BTreeSet<String>,
    heights: Heights,
) {
    let palette = ui.palette();
    let of = |points: fn(&Curve) -> &Points| shown(&data.curves, palette, points);
    let curves = of(|curve| &curve.equity);
    legend(ui, &curves, hidden);
    let ends = |curve: &Shown<'_>| Some((curve.points.first()?.x, curve.points.last()?.x));
    let ends = curves.iter().filter_map(ends);
    let whole = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0.0, 1.0));
    let above = Chart {
        kind: "equity",
        title: "Equity, start = 1",
        level: 1.0,
        curves: &without(hidden, curves),
        whole,
        has_dates: false,
        value: |value| number(value, 4),
    };
    above.show(ui, &data.name, heights.equity);
    let below = Chart {
        kind: "drawdown",
        title: "Drawdown, %",
        level: 0.0,
        curves: &without(hidden, of(|curve| &curve.fall)),
        whole,
        has_dates: true,
        value: |value| {
            value.map_or_else(|| number(None, 1), |value| format!("{:.1} %", value.min(0.0)))
        },
    };
    below.show(ui, &data.name, heights.drawdown);
}

fn without<'a>(hidden: &BTreeSet<String>, mut curves: Vec<Shown<'a>>) -> Vec<Shown<'a>> {
    curves.retain(|curve| !hidden.contains(&curve.name));
    curves
}

/// One of the two plots; both look at the same dates.
struct Chart<'a> {
    kind: &'static str,
    title: &'static str,
    /// Where nothing is won or lost.
    level: f64,
    curves: &'a [Shown<'a>],
    /// The first and the last date.
    whole: (f64, f64),
    /// Whether the dates stand under it.
    has_dates: bool,
    /// How a value is read out.
    value: fn(Option<f64>) -> String,
}

impl Chart<'_> {
    fn show(&self, ui: &mut Ui, name: &str, height: f32) {
        let palette = ui.palette();
        let font = TextStyle::Small.resolve(ui.style());
        let ranges = self.curves.iter().filter_map(|curve| curve.range);
        let level = (self.level, self.level);
        let (low, high) = ranges.fold(level, |a, b| (a.0.min(b.0), a.1.max(b.1)));
        let dates = ui.unique_id().with(("dates", name));
        let plot = base::over_dates((self.kind, name), height, self.whole, palette);
        let plot = base::linked(plot, dates)
            .show_axes([self.has_dates, true])
            .set_margin_fraction(vec2(0.01, 0.06))
            .include_y(low)
            .include_y(high)
            .custom_x_axes(vec![date_axis(font.clone(), palette)])
            .custom_y_axes(vec![side_axis(self.title, font, palette)])
            .label_formatter(|hover| Some(readings(hover, self.curves, self.value)));
        let response = plot.show(ui, |plot| {
            let level = HLine::new("level", self.level).color(palette.text_weak).width(1.0);
            plot.hline(level.allow_hover(false));
            let view = base::in_view(plot, self.whole);
            let width = plot.response().rect.width().max(1.0) as usize;
            // The model last, over the others.
            for curve in self.curves.iter().rev() {
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
        let kind = widgets::capital(self.kind);
        widgets::name(&response.response, Role::Image, &format!("{kind} of {name}"));
    }
}

fn shown<'a>(
    curves: &'a [Curve],
    palette: &Palette,
    points: fn(&Curve) -> &Points,
) -> Vec<Shown<'a>> {
    let mut baselines = 0_usize..;
    let look = |curve: &'a Curve| {
        let name = &curve.predictor;
        let baseline = if name == "model" { None } else { baselines.next() };
        let look = look_of(baseline, palette);
        let Points { all, range } = points(curve);
        Shown { name: name.replace('_', " "), points: all, range: *range, look }
    };
    curves.iter().map(look).collect()
}

/// A row of line samples with names and last values.
fn legend(ui: &mut Ui, curves: &[Shown<'_>], hidden: &mut BTreeSet<String>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::L;
        for curve in curves {
            let is_on = !hidden.contains(&curve.name);
            let end = number(curve.points.last().map(|end| end.y), 3);
            let text = format!("{}  {end}", curve.name);
            let entry = legend::entry(ui, curve.look, &text, is_on);
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

/// The date of the last row up to there and every curve's value then.
fn readings(
    hover: &HoverPosition<'_>,
    curves: &[Shown<'_>],
    write: fn(Option<f64>) -> String,
) -> String {
    let (HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position }) =
        hover;
    let x = position.x;
    let row = curves.iter().find_map(|curve| last_until(curve.points, x));
    let at = UtcMillis((1000.0 * row.map_or(x, |row| row.x)).round() as i64);
    let at = format!("{} UTC", minute(at));
    let value = |curve: &Shown<'_>| {
        let value = last_until(curve.points, x).map(|row| row.y);
        format!("{}  {}", curve.name, write(value))
    };
    let lines: Vec<String> = std::iter::once(at).chain(curves.iter().map(value)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn the_drawdown_stands_at_the_dates_of_the_equity_and_counts_from_the_start() {
        let equity = EquityCurve {
            symbol: None,
            timeframe: "1h".parse().unwrap(),
            times: [1_000, 2_000, 3_000].map(UtcMillis).to_vec(),
            predictors: vec![PredictorEquity {
                name: "model".to_owned(),
                equity: vec![0.75, 2.0, 1.5],
            }],
        };
        let plot = EquityPlot::new(&equity);
        let told = |points: &Points| points.all.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>();
        assert_eq!(told(&plot.curves[0].equity), [(1.0, 0.75), (2.0, 2.0), (3.0, 1.5)]);
        assert_eq!(told(&plot.curves[0].fall), [(1.0, -25.0), (2.0, 0.0), (3.0, -25.0)]);
        assert_eq!(plot.curves[0].equity.range, Some((0.75, 2.0)));
        assert_eq!(plot.curves[0].fall.range, Some((-25.0, 0.0)));
    }

    #[test]
    fn curves_of_a_run_that_went_on_are_no_longer_those_that_were_drawn() {
        let equity = |values: &[f64]| EquityCurve {
            symbol: None,
            timeframe: "1h".parse().unwrap(),
            times: (1..=values.len() as i64).map(|at| UtcMillis(1_000 * at)).collect(),
            predictors: vec![PredictorEquity { name: "model".to_owned(), equity: values.to_vec() }],
        };
        let plot = EquityPlot::new(&equity(&[1.0, 2.0]));
        assert!(plot.is_of(&equity(&[1.0, 2.0])));
        assert!(!plot.is_of(&equity(&[1.0, 2.0, 3.0])));
        assert!(!plot.is_of(&equity(&[1.0, 2.5])));
        assert!(
            !plot.is_of(&EquityCurve { timeframe: "1d".parse().unwrap(), ..equity(&[1.0, 2.0]) })
        );
    }
}
