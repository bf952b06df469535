//! Several runs drawn over each other: what they lose, epoch by epoch, and how their equity goes.

use std::collections::BTreeSet;

use egui::{Color32, Role, TextStyle, Ui, vec2};
use egui_plot::{
    FilledArea, HLine, HoverPosition, Line, LineStyle, MarkerShape, PlotPoint, PlotPoints, Points,
};

use super::axes::{bottom_axis, bottom_marks, date_axis, side_axis};
use super::stroke::LineLook;
use super::thinning::{extremes, last_until, thinned};
use super::{base, legend};
use crate::domain::text::{minute, number};
use crate::domain::{RunId, Timeframe, UtcMillis};
use crate::runs::{EpochSpread, RunOutline, WholeEquity};
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;

/// Room around the curves, as a share of the plot.
const MARGIN: egui::Vec2 = vec2(0.02, 0.07);
/// Groups of neighbours that an equity curve is thinned to, once; each keeps its lowest and highest.
const MOST_GROUPS: usize = 2048;
/// Groups of all curves together that one frame draws: with lowest and highest of each some 8,000 points.
const GROUPS_DRAWN: usize = 4000;
/// Steps of all bands together that one frame draws, each with two corners.
const STEPS_DRAWN: usize = 1000;

/// A run as points.
#[derive(Debug)]
pub(in crate::ui) struct OverlaidRun {
    pub(in crate::ui) id: RunId,
    /// What the legend calls it.
    pub(in crate::ui) name: String,
    /// Epoch against the mean validation loss of its tasks.
    losses: Vec<PlotPoint>,
    spreads: Vec<EpochSpread>,
    equity: Vec<OverlaidEquity>,
}

#[derive(Debug)]
struct OverlaidEquity {
    timeframe: Timeframe,
    /// `A`, or `all symbols`.
    of: String,
    /// Seconds since 1970 against equity, the start being 1.
    points: Vec<PlotPoint>,
}

/// A run that is drawn, and how.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) struct Overlaid<'a> {
    pub(in crate::ui) run: &'a OverlaidRun,
    pub(in crate::ui) color: Color32,
    /// How many runs before it have the same colour: their lines differ in style.
    pub(in crate::ui) repeat: usize,
}

impl OverlaidRun {
    pub(in crate::ui) fn new(id: RunId, name: String, outline: &RunOutline) -> Self {
        let point = |one: &EpochSpread| PlotPoint::new(f64::from(one.epoch), one.mean);
        Self {
            id,
            name,
            losses: outline.validation.iter().map(point).collect(),
            spreads: outline.validation.clone(),
            equity: outline.equity.iter().map(OverlaidEquity::new).collect(),
        }
    }

    pub(in crate::ui) fn timeframes(&self) -> impl Iterator<Item = Timeframe> {
        self.equity.iter().map(|equity| equity.timeframe)
    }

    pub(in crate::ui) fn has_losses(&self) -> bool {
        !self.losses.is_empty()
    }

    fn best(&self) -> Option<PlotPoint> {
        self.losses.iter().copied().min_by(|a, b| a.y.total_cmp(&b.y))
    }

    fn equity_at(&self, timeframe: Timeframe) -> Option<&OverlaidEquity> {
        self.equity.iter().find(|equity| equity.timeframe == timeframe)
    }

    /// Its figures in a few lines.
    fn about(&self) -> String {
        let best = self.best().map(|best| {
            format!("lowest mean validation loss {:.5}, at epoch {:.0}", best.y, best.x)
        });
        let ends = self.equity.iter().filter_map(|equity| {
            let OverlaidEquity { of, timeframe, points } = equity;
            Some(format!("equity of {of} at {timeframe}: {:.3}", points.last()?.y))
        });
        let lines = std::iter::once(self.id.to_string()).chain(best).chain(ends);
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl OverlaidEquity {
    fn new(whole: &WholeEquity) -> Self {
        let points = whole.times.iter().zip(&whole.equity);
        let points: Vec<PlotPoint> =
            points.map(|(at, value)| PlotPoint::new(at.0 as f64 / 1e3, *value)).collect();
        let of =
            whole.symbol.as_ref().map_or_else(|| "all symbols".to_owned(), ToString::to_string);
        let everything = (f64::NEG_INFINITY, f64::INFINITY);
        let points = thinned(&points, everything, MOST_GROUPS, extremes);
        Self { timeframe: whole.timeframe, of, points }
    }
}

impl Overlaid<'_> {
    fn look(&self) -> LineLook {
        let styles = [LineStyle::Solid, LineStyle::dashed_loose(), LineStyle::dotted_dense()];
        LineLook { color: self.color, width: 1.8, style: styles[self.repeat % styles.len()] }
    }
}

/// A row of line samples with the names of the runs; a click hides one or shows it again.
pub(in crate::ui) fn legend(ui: &mut Ui, runs: &[Overlaid<'_>], hidden: &mut BTreeSet<RunId>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::L;
        for overlaid in runs {
            let id = &overlaid.run.id;
            let is_on = !hidden.contains(id);
            let entry = legend::entry(ui, overlaid.look(), &overlaid.run.name, is_on);
            widgets::name_toggle(&entry, is_on, &format!("Draw {}", overlaid.run.name));
            let about = || format!("{}\n\nA click hides or shows it", overlaid.run.about());
            let is_clicked = entry.clicked();
            entry.on_hover_ui(|ui| {
                ui.label(about());
            });
            if is_clicked && is_on {
                hidden.insert(id.clone());
            } else if is_clicked {
                hidden.remove(id);
            }
        }
    });
}

/// The mean validation loss of each run's tasks over the epochs, and the middle 80 % where there are enough of them.
pub(in crate::ui) fn losses(ui: &mut Ui, runs: &[Overlaid<'_>], height: f32) {
    let palette = ui.palette();
    let font = TextStyle::Small.resolve(ui.style());
    let drawn: Vec<Overlaid<'_>> =
        runs.iter().copied().filter(|overlaid| overlaid.run.has_losses()).collect();
    let all = || drawn.iter().flat_map(|overlaid| &overlaid.run.spreads);
    let ys = all().flat_map(|one| one.middle.map_or([one.mean; 2], |(low, high)| [low, high]));
    let (low, high) =
        ys.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    let last = all().map(|one| one.epoch).max().unwrap_or(1);
    let mut plot = base::sideways("overlaid_losses", height, palette)
        .set_margin_fraction(MARGIN)
        .include_x(1.0)
        .include_x(f64::from(last.max(2)))
        .x_grid_spacer(|input| bottom_marks(&input))
        .custom_x_axes(vec![bottom_axis(font.clone(), palette)])
        .custom_y_axes(vec![side_axis("Validation loss", font, palette)])
        .label_formatter(|hover| Some(losses_at(hover, &drawn)));
    if low.is_finite() && high.is_finite() {
        plot = plot.include_y(low).include_y(high);
    }
    let response = plot.show(ui, |plot| {
        for overlaid in &drawn {
            let (xs, low, high) = band(&overlaid.run.spreads, STEPS_DRAWN / drawn.len());
            if xs.len() > 1 {
                let area = FilledArea::new(overlaid.run.name.as_str(), &xs, &low, &high);
                plot.add(area.fill_color(overlaid.color.gamma_multiply(0.14)).allow_hover(false));
            }
        }
        for overlaid in drawn.iter().rev() {
            let look = overlaid.look();
            let everything = (f64::NEG_INFINITY, f64::INFINITY);
            let groups = GROUPS_DRAWN / drawn.len();
            let points = thinned(&overlaid.run.losses, everything, groups, extremes);
            let points = PlotPoints::Owned(points);
            plot.line(line(overlaid, points));
            let best = overlaid.run.best().map(|best| [best.x, best.y]);
            plot.points(
                Points::new("", best.into_iter().collect::<PlotPoints<'_>>())
                    .shape(MarkerShape::Diamond)
                    .filled(true)
                    .radius(4.5)
                    .color(look.color)
                    .allow_hover(false),
            );
        }
    });
    widgets::name(
        &response.response,
        Role::Image,
        &format!("Validation loss of {}", listed(&drawn)),
    );
}

/// A run's line in its colour.
fn line<'a>(overlaid: &Overlaid<'a>, points: PlotPoints<'a>) -> Line<'a> {
    let look = overlaid.look();
    let line = Line::new(overlaid.run.name.as_str(), points).color(look.color).width(look.width);
    line.style(look.style).allow_hover(false)
}

/// The equity of each run's model at a timeframe, after costs.
pub(in crate::ui) fn equity(ui: &mut Ui, runs: &[Overlaid<'_>], timeframe: Timeframe, height: f32) {
    let palette = ui.palette();
    let font = TextStyle::Small.resolve(ui.style());
    let has = |overlaid: &Overlaid<'_>| overlaid.run.equity_at(timeframe).is_some();
    let drawn: Vec<Overlaid<'_>> = runs.iter().copied().filter(has).collect();
    let curves: Vec<(Overlaid<'_>, &[PlotPoint])> = drawn
        .iter()
        .filter_map(|one| Some((*one, one.run.equity_at(timeframe)?.points.as_slice())))
        .collect();
    let ends = curves.iter().filter_map(|(_, points)| Some((points.first()?.x, points.last()?.x)));
    let whole = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0.0, 1.0));
    let heights = curves.iter().flat_map(|(_, points)| *points).map(|point| point.y);
    let (low, high) = heights.fold((1.0, 1.0), |(low, high), y| (y.min(low), y.max(high)));
    let id = ("overlaid_equity", timeframe.to_string());
    let plot = base::over_dates(id, height, whole, palette)
        .set_margin_fraction(MARGIN)
        .include_y(low)
        .include_y(high)
        .custom_x_axes(vec![date_axis(font.clone(), palette)])
        .custom_y_axes(vec![side_axis("Equity, start = 1", font, palette)])
        .label_formatter(|hover| Some(equity_at(hover, &curves)));
    let response = plot.show(ui, |plot| {
        let start = HLine::new("start", 1.0).color(palette.text_weak).width(1.0);
        plot.hline(start.allow_hover(false));
        let view = base::in_view(plot, whole);
        let width = plot.response().rect.width().max(1.0) as usize;
        let groups = width.min(GROUPS_DRAWN / curves.len().max(1));
        for (overlaid, points) in curves.iter().rev() {
            let points = PlotPoints::Owned(thinned(points, view, groups, extremes));
            plot.line(line(overlaid, points));
        }
    });
    widgets::name(&response.response, Role::Image, &format!("Equity of {}", listed(&drawn)));
}

/// The middle 80 % over the epochs that have one, in at most so many steps: epochs, and the widest range of the neighbours in each.
fn band(spreads: &[EpochSpread], steps: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let banded: Vec<(u32, (f64, f64))> =
        spreads.iter().filter_map(|one| Some((one.epoch, one.middle?))).collect();
    let group = banded.len().div_ceil(steps.max(1)).max(1);
    let (mut xs, mut lows, mut highs) = (Vec::new(), Vec::new(), Vec::new());
    for some in banded.chunks(group) {
        xs.push(f64::from(some[0].0));
        lows.push(some.iter().map(|(_, (low, _))| *low).fold(f64::INFINITY, f64::min));
        highs.push(some.iter().map(|(_, (_, high))| *high).fold(f64::NEG_INFINITY, f64::max));
    }
    (xs, lows, highs)
}

/// `a, b and c`.
fn listed(runs: &[Overlaid<'_>]) -> String {
    let names: Vec<&str> = runs.iter().map(|overlaid| overlaid.run.name.as_str()).collect();
    match names.as_slice() {
        [] => "no run".to_owned(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

fn position(hover: &HoverPosition<'_>) -> f64 {
    match hover {
        HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position } => {
            position.x
        }
    }
}

/// The epoch nearest to the pointer, and every run's loss then.
fn losses_at(hover: &HoverPosition<'_>, runs: &[Overlaid<'_>]) -> String {
    let epoch = position(hover).round().max(1.0) as u32;
    let line = |overlaid: &Overlaid<'_>| {
        let OverlaidRun { name, spreads, .. } = overlaid.run;
        let Some(found) = spreads.iter().find(|one| one.epoch == epoch) else {
            return format!("{name}  {}", number(None, 5));
        };
        let middle = found.middle.map(|(low, high)| format!(" ({low:.4} to {high:.4})"));
        let (mean, tasks) = (found.mean, found.tasks);
        let tasks = if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") };
        format!("{name}  {mean:.5}{}, {tasks}", middle.unwrap_or_default())
    };
    let lines = std::iter::once(format!("epoch {epoch}")).chain(runs.iter().map(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// The moment at the pointer, and every run's equity then.
fn equity_at(hover: &HoverPosition<'_>, curves: &[(Overlaid<'_>, &[PlotPoint])]) -> String {
    let x = position(hover);
    let at = format!("{} UTC", minute(UtcMillis((1000.0 * x).round() as i64)));
    let line = |(overlaid, points): &(Overlaid<'_>, &[PlotPoint])| {
        let value = last_until(points, x).map(|row| row.y);
        format!("{}  {}", overlaid.run.name, number(value, 4))
    };
    let lines = std::iter::once(at).chain(curves.iter().map(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str) -> OverlaidRun {
        let spread = |epoch: u32, mean: f64| EpochSpread {
            epoch,
            tasks: if epoch == 1 { 6 } else { 1 },
            mean,
            middle: (epoch == 1).then_some((0.8, 1.2)),
        };
        let whole = WholeEquity {
            symbol: None,
            timeframe: "1h".parse().unwrap(),
            times: (0..50_000).map(|hour| UtcMillis(hour * 3_600_000)).collect(),
            equity: (0..50_000).map(|hour| if hour == 777 { 9.0 } else { 1.0 }).collect(),
        };
        let outline =
            RunOutline { validation: vec![spread(1, 1.0), spread(2, 0.75)], equity: vec![whole] };
        OverlaidRun::new(RunId::new(format!("run-{name}")), name.to_owned(), &outline)
    }

    #[test]
    fn a_long_equity_is_thinned_once_and_keeps_its_spikes() {
        let run = run("a");
        let points = &run.equity[0].points;
        assert!(points.len() <= 2 * MOST_GROUPS + 2, "{}", points.len());
        assert!(points.iter().any(|point| point.y == 9.0));
        assert_eq!(points.last().map(|point| point.x), Some(49_999.0 * 3600.0));
    }

    #[test]
    fn a_band_of_many_epochs_has_few_steps_and_leaves_nothing_out() {
        let spread = |epoch: u32| EpochSpread {
            epoch,
            tasks: 6,
            mean: 1.0,
            middle: (epoch > 1).then_some((if epoch == 77 { 0.1 } else { 0.5 }, 2.0)),
        };
        let spreads: Vec<EpochSpread> = (1..=5_000).map(spread).collect();
        let (xs, low, high) = band(&spreads, 100);
        assert_eq!((xs.len(), low.len(), high.len()), (100, 100, 100));
        assert!(xs[0] == 2.0 && low.contains(&0.1) && high.iter().all(|high| *high == 2.0));
        assert_eq!(band(&spreads[..4], 100).0, [2.0, 3.0, 4.0]);
        assert!(band(&spreads[..1], 100).0.is_empty());
    }

    #[test]
    fn readings_name_each_run_and_say_how_many_tasks_they_are_of() {
        let runs = [run("a"), run("b")];
        let overlaid: Vec<Overlaid<'_>> = runs
            .iter()
            .map(|run| Overlaid { run, color: Color32::PLACEHOLDER, repeat: 0 })
            .collect();
        let at = |x: f64| HoverPosition::Elsewhere { position: PlotPoint::new(x, 0.0) };
        let first = losses_at(&at(1.2), &overlaid);
        assert_eq!(
            first,
            "epoch 1\na  1.00000 (0.8000 to 1.2000), 6 tasks\nb  1.00000 (0.8000 to 1.2000), 6 tasks"
        );
        assert!(losses_at(&at(2.0), &overlaid[..1]).ends_with("a  0.75000, 1 task"));
        assert!(losses_at(&at(3.0), &overlaid[..1]).ends_with("a  —"));
        assert_eq!(listed(&overlaid), "a and b");
        assert!(runs[0].about().contains("lowest mean validation loss 0.75000, at epoch 2"));
    }
}
