use egui::Ui;
use egui_plot::{
    Corner, FilledArea, HoverPosition, Legend, Line, LineStyle, MarkerShape, Plot, PlotPoint,
    PlotPoints, Points,
};

use crate::domain::TaskId;
use crate::domain::text::chosen;
use crate::ui::state::{RunView, TaskView};
use crate::ui::theme::Themed;
use crate::ui::widgets;

/// Fewer curves than this make no band.
const LEAST_FOR_BAND: usize = 5;
/// Of more a sample is drawn: the band is made in every frame.
const MOST_FOR_BAND: usize = 400;

/// Losses of a run: some tasks in full, the others as a band.
pub(in crate::ui) struct LossPlot<'a> {
    pub(in crate::ui) run: &'a RunView,
    /// Tasks drawn in full.
    pub(in crate::ui) shown: &'a [usize],
    pub(in crate::ui) selected: Option<&'a TaskId>,
    pub(in crate::ui) log: bool,
    pub(in crate::ui) validation_only: bool,
}

pub(in crate::ui) fn show(ui: &mut Ui, data: &LossPlot<'_>) {
    let palette = ui.palette();
    let log = data.log;
    let legend = Legend::default()
        .position(Corner::RightTop)
        .text_style(egui::TextStyle::Small)
        .follow_insertion_order(true);
    let plot = Plot::new("losses")
        .legend(legend)
        .x_axis_label("epoch")
        .y_axis_label(if log { "loss (log scale)" } else { "loss" })
        .y_axis_min_width(56.0)
        .include_x(1.0)
        .allow_scroll(false)
        .set_margin_fraction(egui::vec2(0.03, 0.08))
        .grid_color(palette.line)
        .grid_spacing(28.0..=160.0)
        .x_axis_formatter(|mark, _| whole(mark.value))
        .y_axis_formatter(move |mark, _| loss_text(mark.value, log, mark.step_size))
        .label_formatter(|hover| hover_text(hover, data));
    let response = plot.show(ui, |plot| {
        if let Some(band) = band(data) {
            let xs: Vec<f64> = band.iter().map(|row| row.0).collect();
            let low: Vec<f64> = band.iter().map(|row| scaled(row.1, log)).collect();
            let high: Vec<f64> = band.iter().map(|row| scaled(row.2, log)).collect();
            let fill = palette.text_weak.gamma_multiply(0.25);
            let area = FilledArea::new("middle 80 % of the others", &xs, &low, &high);
            plot.add(area.fill_color(fill));
        }
        for (position, &index) in data.shown.iter().enumerate() {
            let task = &data.run.tasks[index];
            let color = palette.series[position % palette.series.len()];
            let width = if data.selected == Some(&task.id) { 2.6 } else { 1.8 };
            // One name for both: the legend has an entry a task, and the panel's head tells the lines apart.
            let id = task.id.as_str();
            let validation = task.validation_loss.points();
            // A refit has nothing to validate on.
            if !data.validation_only || validation.is_empty() {
                let line = Line::new(id, points(task.train_loss.points(), log));
                plot.line(line.color(color).width(1.2).style(LineStyle::dashed_dense()));
            }
            let line = Line::new(id, points(validation, log));
            plot.line(line.color(color).width(width));
            if let Some(mark) = best_mark(task, log) {
                plot.points(
                    // Without a name it is not in the legend; the panel's head explains it.
                    Points::new("", mark)
                        .shape(MarkerShape::Diamond)
                        .filled(true)
                        .radius(5.0)
                        .color(color),
                );
            }
        }
    });
    widgets::name(&response.response, egui::Role::Image, &description(data));
}

/// What the picture shows, for those who do not see it.
fn description(data: &LossPlot<'_>) -> String {
    let tasks = data.shown.iter().map(|&index| &data.run.tasks[index]);
    let epochs = tasks.filter_map(|task| task.last_epoch).map(|last| last.epoch);
    let (count, last) = (data.shown.len(), epochs.max().unwrap_or(0));
    format!("Loss curves of {count} tasks, up to epoch {last}")
}

fn points(points: &[PlotPoint], log: bool) -> PlotPoints<'_> {
    if log {
        points.iter().filter(|point| point.y > 0.0).map(|p| [p.x, p.y.log10()]).collect()
    } else {
        PlotPoints::Borrowed(points)
    }
}

fn best_mark(task: &TaskView, log: bool) -> Option<[f64; 2]> {
    let best = task.best?;
    let loss = best.validation_loss.unwrap_or(best.train_loss);
    Some([f64::from(best.epoch), scaled(loss, log)])
}

fn scaled(loss: f64, log: bool) -> f64 {
    if log { loss.max(f64::MIN_POSITIVE).log10() } else { loss }
}

/// Epoch, tenth and ninetieth percentile of the validation loss over tasks that are not drawn in full; of very many a sample.
fn band(data: &LossPlot<'_>) -> Option<Vec<(f64, f64, f64)>> {
    let others: Vec<&[PlotPoint]> = data
        .run
        .tasks
        .iter()
        .enumerate()
        .filter(|(index, _)| !data.shown.contains(index))
        .map(|(_, task)| task.validation_loss.points())
        // A point for each epoch: a curve so long that neighbours were merged has none.
        .filter(|points| points.last().is_some_and(|last| last.x == points.len() as f64))
        .collect();
    if others.len() < LEAST_FOR_BAND {
        return None;
    }
    let others: Vec<&[PlotPoint]> =
        others.iter().copied().step_by(others.len() / MOST_FOR_BAND + 1).collect();
    let longest = others.iter().map(|points| points.len()).max()?;
    let mut rows = Vec::with_capacity(longest);
    let mut losses = Vec::with_capacity(others.len());
    for epoch in 0..longest {
        losses.clear();
        losses.extend(others.iter().filter_map(|points| points.get(epoch)).map(|point| point.y));
        // The few that go on longest would make the band jump.
        if losses.len() < LEAST_FOR_BAND {
            break;
        }
        losses.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| losses[((losses.len() - 1) as f64 * share).round() as usize];
        rows.push(((epoch + 1) as f64, at(0.1), at(0.9)));
    }
    (rows.len() > 1).then_some(rows)
}

fn whole(value: f64) -> String {
    if (value - value.round()).abs() < 1e-6 { format!("{value:.0}") } else { String::new() }
}

fn loss_text(value: f64, log: bool, step: f64) -> String {
    if log {
        return format!("{:.3}", 10_f64.powf(value));
    }
    let decimals = (-step.log10()).ceil().clamp(0.0, 8.0) as usize;
    format!("{value:.decimals$}")
}

fn hover_text(hover: &HoverPosition<'_>, data: &LossPlot<'_>) -> Option<String> {
    match hover {
        HoverPosition::NearDataPoint { plot_name, position, .. } => {
            let loss = if data.log { 10_f64.powf(position.y) } else { position.y };
            let epoch = position.x;
            let mut text = format!("{plot_name}\nepoch {epoch:.0}, loss {loss:.5}");
            let task = data.shown.iter().map(|&index| &data.run.tasks[index]);
            if let Some(task) = task.clone().find(|task| task.id.as_str() == *plot_name) {
                text.push_str(&at_epoch(data.run, task, epoch));
            }
            Some(text)
        }
        HoverPosition::Elsewhere { .. } => None,
    }
}

/// What else an epoch was learnt with and came to, a line each.
fn at_epoch(run: &RunView, task: &TaskView, epoch: f64) -> String {
    let rate = task.learning_rate.at(epoch);
    let rate = rate.map(|rate| format!("\nlearning rate {}", chosen(rate)));
    let watched = task.monitor.at(epoch);
    let watched = watched.map(|value| format!("\n{} {value:.4}", run.watched_name()));
    [rate, watched].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_show_whole_epochs_and_as_many_decimals_as_the_grid_needs() {
        assert_eq!((whole(3.0), whole(2.5)), ("3".to_owned(), String::new()));
        assert_eq!(loss_text(0.95, false, 0.05), "0.95");
        assert_eq!(loss_text(2.0, false, 1.0), "2");
        assert_eq!(loss_text(-1.0, true, 1.0), "0.100");
    }
}
