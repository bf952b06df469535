use std::sync::Arc;

use egui::{Color32, Id, Role, TextStyle, Ui, vec2};
use egui_plot::{Axis, HoverPosition, Line, PlotPoint, PlotPoints, Points, Span};

use super::axes::{date_axis, side_axis};
use super::base;
use super::thinning::{extremes, last_until, thinned};
use crate::domain::text::{minute, significant};
use crate::domain::{FoldPlan, TimeSpan, UtcMillis};
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets;
use crate::workbench::{Look, Trace};

/// How strongly a section tints the background.
const TINT: f32 = 0.16;
/// Share of the height that the price takes.
const PRICE: f32 = 0.5;

/// A feature under the price it was computed from, as points.
#[derive(Debug)]
pub(in crate::ui) struct FeaturePlot {
    pub(in crate::ui) look: Arc<Look>,
    close: GapLine,
    feature: GapLine,
}

/// A line with gaps.
#[derive(Debug)]
struct GapLine {
    /// Seconds since 1970 against the value, NaN where there is none.
    all: Vec<PlotPoint>,
    /// The stretches without a gap, of two points and more.
    stretches: Vec<std::ops::Range<usize>>,
    /// Points between two gaps.
    lone: Vec<PlotPoint>,
}

impl GapLine {
    fn new(trace: &Trace) -> Self {
        let points = trace.times.iter().zip(&trace.values);
        let all: Vec<PlotPoint> =
            points.map(|(at, value)| PlotPoint::new(at.0 as f64 / 1e3, *value)).collect();
        let (mut stretches, mut lone) = (Vec::new(), Vec::new());
        let mut first = 0;
        for stretch in all.chunk_by(|a, b| a.y.is_finite() == b.y.is_finite()) {
            let range = first..first + stretch.len();
            first = range.end;
            match stretch {
                [only] if only.y.is_finite() => lone.push(*only),
                [start, ..] if start.y.is_finite() => stretches.push(range),
                _ => {}
            }
        }
        Self { all, stretches, lone }
    }

    fn at(&self, x: f64) -> Option<f64> {
        last_until(&self.all, x).map(|point| point.y).filter(|value| value.is_finite())
    }
}

impl FeaturePlot {
    pub(in crate::ui) fn new(look: &Arc<Look>) -> Self {
        let curve = &look.curve;
        Self {
            look: Arc::clone(look),
            close: GapLine::new(&curve.close),
            feature: GapLine::new(&curve.feature),
        }
    }

    /// Draws the price above the feature; what is zoomed or dragged in one is in the other.
    pub(in crate::ui) fn show(&self, ui: &mut Ui, height: f32) {
        let (palette, look) = (ui.palette(), &self.look);
        let gap = space::XS;
        let name = format!("{} {}", look.curve.symbol, look.curve.timeframe);
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = gap;
            let upper =
                Pane { points: &self.close, title: "Close", color: palette.text, dates: false };
            let price = (height * PRICE).round();
            self.pane(ui, &upper, &format!("Close of {name}"), price);
            let column = look.at.column.as_str();
            let title = &fitting(column);
            let lower = Pane { points: &self.feature, title, color: palette.model, dates: true };
            self.pane(ui, &lower, &format!("{column} of {name}"), height - price - gap);
        });
    }

    fn pane(&self, ui: &mut Ui, pane: &Pane<'_>, name: &str, height: f32) {
        let palette = ui.palette();
        let font = TextStyle::Small.resolve(ui.style());
        let all = &pane.points.all;
        let whole = all.first().zip(all.last()).map_or((0.0, 1.0), |(a, b)| (a.x, b.x));
        let finite = all.iter().map(|point| point.y).filter(|y| y.is_finite());
        let heights = finite.fold(None, |range: Option<(f64, f64)>, y| {
            Some(range.map_or((y, y), |(low, high)| (low.min(y), high.max(y))))
        });
        // The same series zooms as one, another one begins whole.
        let group =
            Id::unique(("feature over price", &self.look.curve.symbol, self.look.curve.timeframe));
        let plot = base::over_dates((name, "feature over price"), height, whole, palette);
        let mut plot = base::linked(plot, group)
            .set_margin_fraction(vec2(0.01, 0.08))
            .custom_y_axes(vec![side_axis(pane.title, font.clone(), palette)])
            .label_formatter(|hover| Some(self.readings(hover)));
        plot = match heights {
            Some((low, high)) => plot.include_y(low).include_y(high),
            None => plot.include_y(0.0),
        };
        plot = if pane.dates {
            plot.custom_x_axes(vec![date_axis(font, palette)])
        } else {
            plot.show_axes([false, true])
        };
        let response = plot.show(ui, |plot| {
            for (span, color) in spans(&self.look.fold, palette) {
                let range = span.start.0 as f64 / 1e3..=span.end.0 as f64 / 1e3;
                let tint = Span::new("", range).axis(Axis::X).fill(color.gamma_multiply(TINT));
                plot.span(tint.border_width(0.0));
            }
            let view = base::in_view(plot, whole);
            let width = plot.response().rect.width().max(1.0) as usize;
            for stretch in &pane.points.stretches {
                let points = pane.points.all.get(stretch.clone()).unwrap_or_default();
                let inside = points.first().zip(points.last());
                if inside.is_none_or(|(first, last)| last.x < view.0 || first.x > view.1) {
                    continue;
                }
                let points = thinned(points, view, width, extremes);
                let line = Line::new(pane.title, PlotPoints::Owned(points));
                plot.line(line.color(pane.color).width(1.2).allow_hover(false));
            }
            if !pane.points.lone.is_empty() {
                let points = Points::new(pane.title, PlotPoints::Borrowed(&pane.points.lone));
                plot.points(points.color(pane.color).radius(1.0).allow_hover(false));
            }
        });
        widgets::name(&response.response, Role::Image, name);
    }

    /// The date of the bar under the pointer, its close and the feature.
    fn readings(&self, hover: &HoverPosition<'_>) -> String {
        let (HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position }) =
            hover;
        let x = position.x;
        let at = last_until(&self.close.all, x).map_or(x, |point| point.x);
        let at = UtcMillis((1000.0 * at).round() as i64);
        format!(
            "{} UTC\nclose  {}\n{}  {}",
            minute(at),
            significant(self.close.at(x)),
            self.look.at.column,
            significant(self.feature.at(x))
        )
    }
}

/// A title for an axis: of a long name the beginning and the end, which tell columns of one feature apart.
fn fitting(name: &str) -> String {
    const MOST: usize = 24;
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= MOST {
        return name.to_owned();
    }
    let half = MOST / 2 - 1;
    let (start, end) = (&letters[..half], &letters[letters.len() - half..]);
    format!("{}…{}", start.iter().collect::<String>(), end.iter().collect::<String>())
}

/// One of the two.
struct Pane<'a> {
    points: &'a GapLine,
    title: &'a str,
    color: Color32,
    /// Whether dates stand below it.
    dates: bool,
}

fn spans(fold: &FoldPlan, palette: &Palette) -> impl Iterator<Item = (TimeSpan, Color32)> {
    let later = [(fold.validation, palette.validation), (fold.test, palette.test)];
    fold.train.iter().map(|span| (*span, palette.train)).chain(later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_title_keeps_both_of_its_ends() {
        assert_eq!(fitting("realized_volatility_24"), "realized_volatility_24");
        let short = fitting("relative_strength_of_everything_168");
        assert_eq!((short.as_str(), short.chars().count()), ("relative_st…rything_168", 23));
    }

    #[test]
    fn a_line_is_cut_at_its_gaps_and_a_lone_point_is_kept() {
        let nan = f64::NAN;
        let values = vec![nan, 1.0, 2.0, nan, 3.0, nan, nan, 4.0, 5.0, 6.0];
        let times = (0..10).map(|second| UtcMillis(second * 1000)).collect();
        let points = GapLine::new(&Trace { times, values, merged: 1 });
        assert_eq!(points.stretches, [1..3, 7..10]);
        assert_eq!(points.lone, [PlotPoint::new(4.0, 3.0)]);
        assert_eq!((points.at(2.5), points.at(3.5), points.at(9.0)), (Some(2.0), None, Some(6.0)));
    }
}
