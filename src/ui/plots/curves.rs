//! Training curves: a metric of some tasks over epochs, steps or time, with the band of the others behind them.

use egui::{Color32, Response, TextStyle, Ui};
use egui_plot::{
    AxisHints, FilledArea, HoverPosition, Line, LineStyle, MarkerShape, Plot, PlotBounds,
    PlotPoint, PlotPoints, Points,
};

use super::axes::{bottom_marks, side_axis, side_marks};
use super::band::Band;
use super::scale::{XAxis, XScale};
use crate::domain::text::chosen;
use crate::ui::state::{COARSEST, Curve};
use crate::ui::theme::Themed;

/// Points that all curves of the window may have in a frame.
pub(in crate::ui) const MOST_POINTS: usize = 5_000;

/// One plot.
pub(in crate::ui) struct CurvePlot<'a> {
    /// Tells it from the others.
    pub(in crate::ui) id: egui::Id,
    /// What stands at the side: the metric with its unit.
    pub(in crate::ui) title: &'a str,
    pub(in crate::ui) axis: XAxis,
    pub(in crate::ui) log: bool,
    pub(in crate::ui) lines: Vec<CurveLine<'a>>,
    pub(in crate::ui) marks: Vec<BestMark<'a>>,
    pub(in crate::ui) band: Option<&'a Band>,
    pub(in crate::ui) height: f32,
    /// Plots with the same one are zoomed and dragged along the bottom together.
    pub(in crate::ui) linked: Option<egui::Id>,
    /// Whether the bottom axis is written: of plots above each other only the last one needs it.
    pub(in crate::ui) shows_axis: bool,
    /// Nothing moves.
    pub(in crate::ui) frozen: bool,
    /// What a reading of a task at an epoch has to say besides.
    pub(in crate::ui) more: &'a dyn Fn(&str, f64) -> String,
}

/// One line of it.
pub(in crate::ui) struct CurveLine<'a> {
    /// The task.
    pub(in crate::ui) name: &'a str,
    pub(in crate::ui) curve: &'a Curve,
    pub(in crate::ui) scale: XScale<'a>,
    /// The last epoch that is drawn.
    pub(in crate::ui) until: f64,
    pub(in crate::ui) color: Color32,
    pub(in crate::ui) width: f32,
    /// It is only background, and drawn with a third of the points.
    pub(in crate::ui) is_faint: bool,
}

/// The epoch whose weights are kept.
pub(in crate::ui) struct BestMark<'a> {
    pub(in crate::ui) scale: XScale<'a>,
    pub(in crate::ui) epoch: f64,
    pub(in crate::ui) value: f64,
    pub(in crate::ui) color: Color32,
}

impl CurvePlot<'_> {
    /// Draws it, its lines with about so many points each.
    pub(in crate::ui) fn show(&self, ui: &mut Ui, points_a_line: usize) -> Response {
        let palette = ui.palette();
        let (log, axis) = (self.log, self.axis);
        let font = TextStyle::Small.resolve(ui.style());
        let mut side = side_axis(self.title, font.clone(), palette);
        if log {
            side = side.formatter(|mark, _| chosen(10_f64.powf(mark.value)));
        }
        let bottom = AxisHints::new_x()
            .formatter(move |mark, _| axis.mark(mark.value))
            .label_spacing(egui::Rangef::new(30.0, 50.0))
            .min_thickness(18.0)
            .tick_label_color(palette.text_weak)
            .tick_label_font(font);
        // Another axis has other bounds, which are not to be carried over.
        let id = self.id.with((axis, log));
        let mut plot = Plot::new(id)
            .id(id)
            .height(self.height)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .show_axes([self.shows_axis, true])
            .set_margin_fraction(egui::vec2(0.02, 0.08))
            .grid_color(palette.line)
            .grid_fade(0.25)
            .cursor_color(palette.text_weak)
            .x_grid_spacer(|input| bottom_marks(&input))
            .y_grid_spacer(|input| side_marks(&input))
            .custom_x_axes(vec![bottom])
            .custom_y_axes(vec![side])
            .label_formatter(|hover| self.reading(hover));
        if let Some(group) = self.linked {
            let group = group.with(axis);
            plot = plot.link_axis(group, [true, false]).link_cursor(group, [true, false]);
        }
        // The bounds are those of the whole lines, of which only what is in view is drawn.
        if let Some([low, high]) = self.extent() {
            plot = plot.include_x(low.x).include_x(high.x).include_y(low.y).include_y(high.y);
        }
        // egui_plot remembers that its bounds stand still: once they are let go it has to be told.
        let stood = ui.data_mut(|data| {
            let stands: &mut bool = data.get_temp_mut_or_default(id.with("stands"));
            std::mem::replace(stands, self.frozen)
        });
        let shown = plot.show(ui, |plot| {
            if self.frozen || stood {
                plot.set_auto_bounds([!self.frozen, !self.frozen]);
            }
            let bounds = plot.plot_bounds();
            if let Some(band) = self.band {
                let rows = || band.rows.iter().filter(|row| self.has_height(row.1));
                let xs: Vec<f64> = rows().map(|row| row.0).collect();
                let low: Vec<f64> = rows().map(|row| self.height_of(row.1)).collect();
                let high: Vec<f64> = rows().map(|row| self.height_of(row.2)).collect();
                let fill = palette.text_weak.gamma_multiply(0.25);
                plot.add(FilledArea::new("", &xs, &low, &high).fill_color(fill));
            }
            for line in &self.lines {
                let most = if line.is_faint { points_a_line / 3 } else { points_a_line };
                let points = self.points(line, &bounds, most);
                let drawn = Line::new(line.name, points).color(line.color).width(line.width);
                plot.line(drawn.style(LineStyle::Solid).allow_hover(true));
            }
            for mark in self.marks.iter().filter(|mark| self.has_height(mark.value)) {
                let at = [mark.scale.place(mark.epoch), self.height_of(mark.value)];
                plot.points(
                    Points::new("", vec![at])
                        .shape(MarkerShape::Diamond)
                        .filled(true)
                        .radius(5.0)
                        .color(mark.color),
                );
            }
        });
        shown.response
    }

    /// Whether a value can be drawn: what is not positive has no logarithm.
    const fn has_height(&self, value: f64) -> bool {
        !self.log || value > 0.0
    }

    /// Where a value is drawn.
    fn height_of(&self, value: f64) -> f64 {
        if self.log { value.max(f64::MIN_POSITIVE).log10() } else { value }
    }

    /// The corners of all that is there, left low and right high.
    fn extent(&self) -> Option<[PlotPoint; 2]> {
        let corners = self.lines.iter().filter_map(|line| {
            let points = line.curve.points();
            let last = points.last()?.x.min(line.until);
            let (low, high) = line.curve.extent()?;
            let low = if self.log && low <= 0.0 { smallest(points)? } else { low };
            Some([
                PlotPoint::new(line.scale.place(points[0].x), self.height_of(low)),
                PlotPoint::new(line.scale.place(last), self.height_of(high.max(low))),
            ])
        });
        let whole = corners.reduce(|[low, high], [next_low, next_high]| {
            [
                PlotPoint::new(low.x.min(next_low.x), low.y.min(next_low.y)),
                PlotPoint::new(high.x.max(next_high.x), high.y.max(next_high.y)),
            ]
        });
        whole.map(|[low, mut high]| {
            // Of a first epoch alone there would be no axis.
            high.x = high.x.max(low.x + 1.0);
            // Nor of what never changes.
            let least = 0.05 * low.y.abs().max(1e-9);
            let missing = (least - (high.y - low.y)).max(0.0);
            [PlotPoint::new(low.x, low.y - missing), PlotPoint::new(high.x, high.y + missing)]
        })
    }

    /// The points of a line in view: borrowed where they are drawn as they are.
    fn points<'line>(
        &self,
        line: &CurveLine<'line>,
        bounds: &PlotBounds,
        most: usize,
    ) -> PlotPoints<'line> {
        let (from, until) = (bounds.min()[0], bounds.max()[0]);
        // Before the first frame nothing is known of what is in view.
        let is_known = from.is_finite() && until.is_finite() && from < until;
        let (from, until) = if is_known {
            (line.scale.epoch(from), line.scale.epoch(until))
        } else {
            (f64::MIN, f64::MAX)
        };
        let points = line.curve.view((from, until.min(line.until)), most.max(COARSEST));
        let points = &points[..points.partition_point(|point| point.x <= line.until)];
        match line.scale {
            XScale::Epoch if !self.log => PlotPoints::Borrowed(points),
            scale => points
                .iter()
                .filter(|point| self.has_height(point.y))
                .map(|point| [scale.place(point.x), self.height_of(point.y)])
                .collect(),
        }
    }

    /// What stands beside the pointer, over a line.
    fn reading(&self, hover: &HoverPosition<'_>) -> Option<String> {
        let HoverPosition::NearDataPoint { plot_name, position, .. } = hover else { return None };
        let line = self.lines.iter().find(|line| line.name == *plot_name)?;
        // Back to the epoch: of time the one whose end is nearest.
        let epoch = match line.scale {
            XScale::Seconds(elapsed) => elapsed.reaches(position.x - 1e-6)?,
            scale => scale.epoch(position.x),
        };
        let value = if self.log { 10_f64.powf(position.y) } else { position.y };
        let value = chosen(value);
        let more = (self.more)(plot_name, epoch);
        Some(format!("{plot_name}\nepoch {epoch:.0}, {} {value}{more}", self.title))
    }
}

/// The smallest value that has a logarithm.
fn smallest(points: &[PlotPoint]) -> Option<f64> {
    let positive = points.iter().map(|point| point.y).filter(|value| *value > 0.0);
    positive.min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(lines: Vec<CurveLine<'_>>, log: bool) -> CurvePlot<'_> {
        CurvePlot {
            id: egui::Id::unique("test"),
            title: "loss",
            axis: XAxis::Epoch,
            log,
            lines,
            marks: Vec::new(),
            band: None,
            height: 100.0,
            linked: None,
            shows_axis: true,
            frozen: false,
            more: &|_, _| String::new(),
        }
    }

    fn line(curve: &Curve) -> CurveLine<'_> {
        CurveLine {
            name: "a",
            curve,
            scale: XScale::Epoch,
            until: f64::MAX,
            color: Color32::TRANSPARENT,
            width: 1.0,
            is_faint: false,
        }
    }

    fn curve() -> Curve {
        let mut curve = Curve::default();
        for (epoch, loss) in [(1.0, 4.0), (2.0, 0.0), (3.0, 1.0), (4.0, 2.0)] {
            curve.push(epoch, loss);
        }
        curve
    }

    #[test]
    fn lines_are_borrowed_as_they_are_and_end_where_they_were_frozen() {
        let curve = curve();
        let bounds = PlotBounds::from_min_max([0.0, 0.0], [9.0, 9.0]);
        let plot = plot(Vec::new(), false);
        let points = plot.points(&line(&curve), &bounds, 100);
        assert!(matches!(points, PlotPoints::Borrowed(points) if points.len() == 4));
        let frozen = CurveLine { until: 2.0, ..line(&curve) };
        let points = plot.points(&frozen, &bounds, 100);
        assert!(matches!(points, PlotPoints::Borrowed(points) if points.len() == 2));
    }

    #[test]
    fn a_logarithmic_axis_leaves_out_what_has_none_and_ends_at_the_smallest_that_has() {
        let curve = curve();
        let bounds = PlotBounds::from_min_max([0.0, 0.0], [9.0, 9.0]);
        let plot = plot(vec![line(&curve)], true);
        let PlotPoints::Owned(points) = plot.points(&plot.lines[0], &bounds, 100) else {
            panic!("they are no longer what is kept");
        };
        assert_eq!(points.iter().map(|point| point.x).collect::<Vec<_>>(), [1.0, 3.0, 4.0]);
        let [low, high] = plot.extent().unwrap();
        assert_eq!((low.x, low.y, high.x), (1.0, 0.0, 4.0));
        assert!((high.y - 4_f64.log10()).abs() < 1e-12);
    }

    /// The bounds of a plot after a frame.
    fn drawn(ctx: &egui::Context, plot: &CurvePlot<'_>) -> PlotBounds {
        for _ in 0..2 {
            let mut drawn = ctx.run_ui(egui::RawInput::default(), |ui| {
                plot.show(ui, 100);
            });
            // Nobody has a texture of it.
            drawn.textures_delta.clear();
        }
        let id = plot.id.with((plot.axis, plot.log));
        *egui_plot::PlotMemory::load(ctx, id).unwrap().bounds()
    }

    #[test]
    fn what_stood_still_follows_again() {
        let (ctx, mut curve) = (egui::Context::default(), curve());
        let before = drawn(&ctx, &plot(vec![line(&curve)], false));
        let last = 100.0;
        curve.push(last, 2.0);
        let frozen = CurveLine { until: 4.0, ..line(&curve) };
        let frozen = CurvePlot { frozen: true, ..plot(vec![frozen], false) };
        assert_eq!(drawn(&ctx, &frozen), before);
        let after = drawn(&ctx, &plot(vec![line(&curve)], false));
        assert!(after.max()[0] >= last, "{after:?}");
    }

    #[test]
    fn a_logarithmic_axis_is_not_stretched_by_what_has_no_logarithm() {
        let (ctx, curve) = (egui::Context::default(), curve());
        let band = Band { rows: vec![(1.0, -1.0, 2.0), (2.0, 1.0, 3.0)], count: 5 };
        let mark =
            BestMark { scale: XScale::Epoch, epoch: 2.0, value: 0.0, color: Color32::TRANSPARENT };
        let plot =
            CurvePlot { marks: vec![mark], band: Some(&band), ..plot(vec![line(&curve)], true) };
        let bounds = drawn(&ctx, &plot);
        assert!(bounds.min()[1] > -1.0 && bounds.max()[1] < 1.0, "{bounds:?}");
    }
}
