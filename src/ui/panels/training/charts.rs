use egui::{Id, Response, Ui};
use egui_plot::LineStyle;
use serde::{Deserialize, Serialize};

use super::TrainingView;
use super::smoothing::Smoothing;
use crate::domain::TaskId;
use crate::domain::text::chosen;
use crate::ui::plots::band::Band;
use crate::ui::plots::curves::{BestMark, CurveLine, CurvePlot};
use crate::ui::plots::scale::XScale;
use crate::ui::plots::stroke::LineLook;
use crate::ui::state::{Curve, RunView, TaskView};
use crate::ui::theme::Themed;

/// Width of the lines that are looked at.
const BOLD: f32 = 1.8;
/// Of the one that is picked.
const PICKED: f32 = 2.6;
/// Of those that are only background: training losses, and raw lines under smoothed ones.
const THIN: f32 = 1.0;
/// How much of its colour a line in the background keeps.
const FAINT: f32 = 0.55;

/// What a plot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Chart {
    /// Of training and validation.
    Loss,
    /// The metric that is watched.
    Watched,
    LearningRate,
    GradientNorm,
}

/// One line of each task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Series {
    TrainLoss,
    ValidationLoss,
    Watched,
    LearningRate,
    GradientNorm,
}

impl Chart {
    /// Its lines, the background first.
    const fn series(self, validation_only: bool) -> &'static [Series] {
        match self {
            Self::Loss if validation_only => &[Series::ValidationLoss],
            Self::Loss => &[Series::TrainLoss, Series::ValidationLoss],
            Self::Watched => &[Series::Watched],
            Self::LearningRate => &[Series::LearningRate],
            Self::GradientNorm => &[Series::GradientNorm],
        }
    }

    /// What the band of the other tasks is made of.
    pub(super) const fn of_band(self) -> Option<Series> {
        match self {
            Self::Loss => Some(Series::ValidationLoss),
            Self::Watched => Some(Series::Watched),
            // It is the same for all, or says little of them together.
            Self::LearningRate | Self::GradientNorm => None,
        }
    }

    fn title(self, run: &RunView) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Watched => run.watched_name(),
            Self::LearningRate => "learning rate",
            Self::GradientNorm => "gradient norm",
        }
    }
}

impl Series {
    pub(super) const fn of(self, task: &TaskView) -> &Curve {
        let curves = &task.curves;
        match self {
            Self::TrainLoss => &curves.train_loss,
            Self::ValidationLoss => &curves.validation_loss,
            Self::Watched => &curves.monitor,
            Self::LearningRate => &curves.learning_rate,
            Self::GradientNorm => &curves.gradient_norm,
        }
    }

    /// A learning rate has no noise.
    const fn is_noisy(self) -> bool {
        !matches!(self, Self::LearningRate)
    }
}

/// What is drawn, and how.
pub(super) struct Drawing<'a> {
    pub(super) run: &'a RunView,
    pub(super) view: &'a TrainingView,
    /// Up to which epoch each task is drawn, where curves stand still.
    pub(super) until: Option<&'a [f64]>,
    pub(super) selected: Option<&'a TaskId>,
}

/// Where a plot stands among the others.
pub(super) struct Place {
    pub(super) id: Id,
    pub(super) height: f32,
    pub(super) is_last: bool,
    /// Plots that are zoomed along the bottom together.
    pub(super) linked: Option<Id>,
}

impl Drawing<'_> {
    /// Where a task's epochs lie along the bottom; `None` where that is not known.
    pub(super) fn scale(&self, index: usize) -> Option<XScale<'_>> {
        XScale::of(self.view.axis, &self.run.tasks[index])
    }

    /// Lines that a task has in a chart at most.
    pub(super) fn lines_of(&self, chart: Chart) -> usize {
        let series = chart.series(self.view.validation_only);
        let smoothed = |series: &&Series| self.view.smoothing > 0.0 && series.is_noisy();
        series.len() + series.iter().filter(smoothed).count()
    }

    /// Smooths what a chart will draw.
    pub(super) fn smooth(&self, chart: Chart, shown: &[usize], smoothing: &mut Smoothing) {
        for &index in shown {
            for &series in chart.series(self.view.validation_only) {
                if series.is_noisy() {
                    smoothing.follow(index, series, series.of(&self.run.tasks[index]));
                }
            }
        }
    }

    /// How the task at a position among those in view is drawn.
    pub(super) fn look(&self, ui: &Ui, position: usize, index: usize) -> LineLook {
        let series = ui.palette().series;
        let is_picked = self.selected == Some(&self.run.tasks[index].id);
        let width = if is_picked { PICKED } else { BOLD };
        LineLook { color: series[position % series.len()], width, style: LineStyle::Solid }
    }

    /// Draws some tasks in full and the band of others.
    pub(super) fn plot(
        &self,
        ui: &mut Ui,
        chart: Chart,
        (shown, band): (&[usize], Option<&Band>),
        smoothing: &Smoothing,
        place: &Place,
        points_a_line: usize,
    ) -> Response {
        let is_loss = chart == Chart::Loss;
        let (mut lines, mut marks) = (Vec::new(), Vec::new());
        for (position, &index) in shown.iter().enumerate() {
            let task = &self.run.tasks[index];
            let LineLook { color, width: bold, .. } = self.look(ui, position, index);
            let Some(scale) = self.scale(index) else { continue };
            let until = self.until.map_or(f64::MAX, |until| until[index]);
            let mut add = |curve, color, width| {
                let (name, is_faint) = (task.id.as_str(), width <= THIN);
                lines.push(CurveLine { name, curve, scale, until, color, width, is_faint });
            };
            for &series in self.series_of(chart, task) {
                let raw = series.of(task);
                let is_background = series == Series::TrainLoss;
                let line = if is_background { color.gamma_multiply(FAINT) } else { color };
                let width = if is_background { THIN } else { bold };
                if let Some(smoothed) = smoothing.get(index, series) {
                    add(raw, line.gamma_multiply(FAINT / 2.0), THIN);
                    add(smoothed, line, width);
                } else {
                    add(raw, line, width);
                }
            }
            let best = task.best.filter(|best| is_loss && f64::from(best.epoch) <= until);
            if let Some(best) = best {
                let (epoch, value) =
                    (f64::from(best.epoch), best.validation_loss.unwrap_or(best.train_loss));
                marks.push(BestMark { scale, epoch, value, color });
            }
        }
        let plot = CurvePlot {
            id: place.id,
            title: chart.title(self.run),
            axis: self.view.axis,
            log: is_loss && self.view.log,
            lines,
            marks,
            band,
            height: place.height,
            linked: place.linked,
            shows_axis: place.is_last,
            frozen: self.until.is_some(),
            more: &|name, epoch| self.more_of(name, epoch),
        };
        plot.show(ui, points_a_line)
    }

    /// The lines of a task: a refit has nothing to validate on, and is drawn by its train loss.
    fn series_of(&self, chart: Chart, task: &TaskView) -> &'static [Series] {
        let hides_train =
            self.view.validation_only && !task.curves.validation_loss.points().is_empty();
        chart.series(hides_train)
    }

    /// What else an epoch of a task was learnt with and came to, a line each.
    fn more_of(&self, name: &str, epoch: f64) -> String {
        let Some(task) = self.run.tasks.iter().find(|task| task.id.as_str() == name) else {
            return String::new();
        };
        let curves = &task.curves;
        let line =
            |name: &str, curve: &Curve| Some(format!("\n{name} {}", chosen(curve.at(epoch)?)));
        [
            line("train loss", &curves.train_loss),
            line("validation loss", &curves.validation_loss),
            line(self.run.watched_name(), &curves.monitor),
            line("learning rate", &curves.learning_rate),
            line("gradient norm", &curves.gradient_norm),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// What a plot shows, for those who do not see it.
    pub(super) fn description(&self, chart: Chart, shown: &[usize], group: Option<&str>) -> String {
        let last_drawn = |&index: &usize| {
            let last = f64::from(self.run.tasks[index].last_epoch?.epoch);
            Some(self.until.map_or(last, |until| last.min(until[index])) as u32)
        };
        let (count, last) = (shown.len(), shown.iter().filter_map(last_drawn).max().unwrap_or(0));
        let of = group.map_or_else(String::new, |group| format!(" of {group}"));
        let title = match chart {
            Chart::Loss => "Loss".to_owned(),
            other => crate::ui::widgets::capital(other.title(self.run)),
        };
        format!("{title} curves of {count} tasks{of}, up to epoch {last}")
    }
}
