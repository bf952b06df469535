mod bands;
mod charts;
mod controls;
mod groups;
mod head;
mod smoothing;

use std::collections::BTreeSet;

use egui::{Ui, vec2};
use serde::{Deserialize, Serialize};

use self::bands::Bands;
use self::charts::{Chart, Drawing};
use self::groups::{Group, Groups, Layout};
use self::smoothing::Smoothing;
use crate::domain::{RunId, TaskId};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::plots::band::Band;
use crate::ui::plots::curves::MOST_POINTS;
use crate::ui::plots::legend;
use crate::ui::plots::scale::XAxis;
use crate::ui::state::{RunView, State, TaskState, TaskView};
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets;

/// Curves drawn in full; the rest becomes a band.
const FULL_CURVES: usize = 12;
/// The same in one of many small plots.
const FULL_CURVES_OF_MANY: usize = 4;
/// Least width of one of many small plots, in points.
const CELL_WIDTH: f32 = 280.0;
/// Least height of its curves, in points.
const CELL_HEIGHT: f32 = 150.0;
/// No small plot is higher.
const MOST_CELL_HEIGHT: f32 = 320.0;
/// Room for its title, in points.
const CELL_TITLE: f32 = 20.0;

/// Live curves of the tasks at work.
#[derive(Debug)]
pub(in crate::ui) struct TrainingPanel {
    pub(in crate::ui) view: TrainingView,
    /// Where the charts stand, in points: what an export as a picture shows. `None` where they are not in view.
    pub(in crate::ui) charts: Option<egui::Rect>,
    smoothing: Smoothing,
    bands: Bands,
    groups: Groups,
    frozen: Option<Frozen>,
}

/// How curves are shown; survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct TrainingView {
    /// Logarithmic loss axis.
    log: bool,
    /// Hide the training losses, whose noise is larger.
    validation_only: bool,
    /// What has a plot besides the losses.
    beneath: BTreeSet<Chart>,
    axis: XAxis,
    /// Weight of what was in the smoothed line; 0 draws lines as they are.
    smoothing: f64,
    layout: Layout,
}

/// Curves that stand still: which are drawn in full, and up to which epoch each task's are.
#[derive(Debug)]
struct Frozen {
    run: RunId,
    shown: Vec<usize>,
    /// The task that was picked: another one may be looked at.
    picked: Option<TaskId>,
    until: Vec<f64>,
}

impl TrainingPanel {
    pub(in crate::ui) fn new(view: TrainingView) -> Self {
        Self {
            view,
            charts: None,
            smoothing: Smoothing::default(),
            bands: Bands::default(),
            groups: Groups::default(),
            frozen: None,
        }
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let Some(run) = state.shown_run() else {
            let (title, next) = if state.launches.is_empty() {
                (
                    "No training yet",
                    "Press Start (Ctrl+Enter): train and validation losses of every fold appear here as they are learnt.",
                )
            } else {
                ("Planning the experiment", "Reading bars, computing features and cutting folds.")
            };
            widgets::empty_state(ui, icons::CHART_LINE, title, next);
            return;
        };
        let is_of =
            |frozen: &mut Frozen| frozen.run == run.id && frozen.until.len() == run.tasks.len();
        self.frozen.take_if(|frozen| !is_of(frozen));
        let frozen = self.frozen.as_ref().filter(|frozen| frozen.picked == state.selected_task);
        let shown = frozen.map_or_else(|| shown_tasks(run, state), |frozen| frozen.shown.clone());
        head::show(ui, state, run, &shown, commands);
        self.controls(ui, state, (run, &shown), commands);
        head::times(ui, run, &shown);
        ui.add_space(space::XS);
        self.smoothing.begin(&run.id, self.view.smoothing);
        let area = ui.available_rect_before_wrap();
        if self.view.layout == Layout::Together {
            self.together(ui, state, (run, &shown), commands);
        } else {
            self.side_by_side(ui, state, run);
        }
        self.smoothing.end();
        self.charts = Some(area);
    }

    /// The charts that are asked for, of which there is something to show.
    fn chosen_charts(&self, run: &RunView, shown: &[usize]) -> Vec<Chart> {
        let beneath = self.view.beneath.iter().copied();
        let known = beneath.filter(|chart| *chart != Chart::Watched || watches(run, shown));
        std::iter::once(Chart::Loss).chain(known).collect()
    }

    /// All in one plot for each metric, under each other.
    fn together(
        &mut self,
        ui: &mut Ui,
        state: &State,
        (run, shown): (&RunView, &[usize]),
        commands: &mut Commands,
    ) {
        let charts = self.chosen_charts(run, shown);
        let drawing = Drawing {
            run,
            view: &self.view,
            until: self.frozen.as_ref().map(|frozen| frozen.until.as_slice()),
            selected: state.selected_task.as_ref(),
        };
        for chart in &charts {
            drawing.smooth(*chart, shown, &mut self.smoothing);
        }
        let all = || 0..run.tasks.len();
        let of_losses = self.bands.get(ui.ctx(), (Chart::Loss, 0), &drawing, (all(), shown));
        legend(ui, &drawing, (shown, of_losses), commands);
        let gaps = space::XS * (charts.len() - 1) as f32;
        // The losses are twice as high as the rest.
        let unit = (ui.available_height() - gaps) / (charts.len() + 1) as f32;
        let lines =
            charts.iter().map(|chart| drawing.lines_of(*chart) * shown.len()).sum::<usize>();
        let points = points_a_line(ui.available_width(), lines);
        for (position, &chart) in charts.iter().enumerate() {
            let band = self.bands.get(ui.ctx(), (chart, 0), &drawing, (all(), shown));
            let place = charts::Place {
                id: egui::Id::unique(("training", chart)),
                height: if position == 0 { 2.0 * unit } else { unit },
                is_last: position + 1 == charts.len(),
                linked: Some(egui::Id::unique("training")),
            };
            let response = drawing.plot(ui, chart, (shown, band), &self.smoothing, &place, points);
            widgets::name(&response, egui::Role::Image, &drawing.description(chart, shown, None));
            if position + 1 < charts.len() {
                ui.add_space(space::XS);
            }
        }
    }

    /// A small plot of the losses for each symbol or fold.
    fn side_by_side(&mut self, ui: &mut Ui, state: &State, run: &RunView) {
        let groups = self.groups.of(run, self.view.layout);
        let drawing = Drawing {
            run,
            view: &self.view,
            until: self.frozen.as_ref().map(|frozen| frozen.until.as_slice()),
            selected: state.selected_task.as_ref(),
        };
        let width = ui.available_width() - ui.spacing().scroll.allocated_width();
        let columns = ((width / CELL_WIDTH) as usize).clamp(1, groups.len().max(1));
        let cell_width = (width - space::M * (columns - 1) as f32) / columns as f32;
        let rows = groups.len().div_ceil(columns).max(1);
        // Few share the room there is, many are scrolled through.
        let room = ui.available_height() / rows as f32 - CELL_TITLE - ui.spacing().item_spacing.y;
        let height = room.clamp(CELL_HEIGHT, MOST_CELL_HEIGHT);
        let cell = vec2(cell_width, CELL_TITLE + height);
        let in_view = (ui.available_height() / cell.y).ceil() as usize + 1;
        let lines = drawing.lines_of(Chart::Loss) * FULL_CURVES_OF_MANY * columns * in_view;
        let points = points_a_line(cell_width, lines);
        let (smoothing, bands) = (&mut self.smoothing, &mut self.bands);
        egui::ScrollArea::vertical().auto_shrink([false, false]).show_rows(
            ui,
            cell.y,
            rows,
            |ui, rows| {
                for row in rows {
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = space::M;
                        for (position, group) in
                            groups.iter().enumerate().skip(row * columns).take(columns)
                        {
                            let layout = egui::Layout::top_down(egui::Align::Min);
                            ui.allocate_ui_with_layout(cell, layout, |ui| {
                                ui.spacing_mut().item_spacing.y = 0.0;
                                let parts = (&drawing, &mut *smoothing, &mut *bands);
                                one_of_many(ui, (position, group), parts, (height, points));
                            });
                        }
                    });
                }
            },
        );
    }

    /// Lets curves stand still, or go on.
    fn freeze(&mut self, state: &State, run: &RunView, shown: &[usize]) {
        if self.frozen.take().is_some() {
            return;
        }
        let last = |task: &TaskView| task.last_epoch.map_or(0.0, |last| f64::from(last.epoch));
        let until = run.tasks.iter().map(last).collect();
        let (shown, picked) = (shown.to_vec(), state.selected_task.clone());
        self.frozen = Some(Frozen { run: run.id.clone(), shown, picked, until });
    }
}

/// What belongs to which line; a click leaves that task alone in view.
fn legend(
    ui: &mut Ui,
    drawing: &Drawing<'_>,
    (shown, band): (&[usize], Option<&Band>),
    commands: &mut Commands,
) {
    if shown.len() < 2 && band.is_none() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (position, &index) in shown.iter().enumerate() {
            let task = &drawing.run.tasks[index].id;
            let look = drawing.look(ui, position, index);
            let entry = legend::entry(ui, look, task.as_str(), true);
            widgets::name(&entry, egui::Role::Button, &format!("Show {task} alone"));
            if entry.on_hover_text("Click to see it alone").clicked() {
                commands.send(Command::SelectTask(Some(task.clone())));
            }
        }
        if let Some(band) = band {
            let text = format!("band: middle 80 % of {} others", band.count);
            ui.label(egui::RichText::new(text).small().color(ui.palette().text_weak));
        }
    });
}

fn one_of_many(
    ui: &mut Ui,
    (position, group): (usize, &Group),
    (drawing, smoothing, bands): (&Drawing<'_>, &mut Smoothing, &mut Bands),
    (height, points): (f32, usize),
) {
    let title = egui::RichText::new(group.title.as_str()).family(strong_family()).small();
    let title = egui::Label::new(title.color(ui.palette().text)).truncate();
    let size = vec2(ui.available_width(), CELL_TITLE);
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| ui.add(title).on_hover_text(&group.title));
    let shown = first_of(drawing.run, &group.tasks, drawing.selected, FULL_CURVES_OF_MANY);
    drawing.smooth(Chart::Loss, &shown, smoothing);
    let parts = (group.tasks.iter().copied(), shown.as_slice());
    let band = bands.get(ui.ctx(), (Chart::Loss, position + 1), drawing, parts);
    let place = charts::Place {
        id: egui::Id::unique(("training", position)),
        height,
        is_last: true,
        linked: None,
    };
    let shown = shown.as_slice();
    let response = drawing.plot(ui, Chart::Loss, (shown, band), smoothing, &place, points);
    let description = drawing.description(Chart::Loss, shown, Some(&group.title));
    widgets::name(&response, egui::Role::Image, &description);
}

/// Points for each of so many lines: no more than are told apart, nor than the window draws in all.
fn points_a_line(width: f32, lines: usize) -> usize {
    (MOST_POINTS / lines.max(1)).min(2 * width.max(1.0) as usize)
}

/// Whether a metric other than the loss is watched and known of any of these tasks.
fn watches(run: &RunView, shown: &[usize]) -> bool {
    shown.iter().any(|&index| !run.tasks[index].curves.monitor.points().is_empty())
}

/// The tasks drawn in full: the picked one, those at work, then those that ended last.
fn shown_tasks(run: &RunView, state: &State) -> Vec<usize> {
    if let Some(index) = state.selected_task.as_ref().and_then(|task| run.place(task)) {
        return vec![index];
    }
    // Of ten thousand tasks few are at work: the others are not looked at.
    let running = run.under_way().take(FULL_CURVES).filter_map(|task| run.place(&task.id));
    let running: Vec<usize> = running.collect();
    if !running.is_empty() {
        return running;
    }
    let mut ended: Vec<usize> =
        (0..run.tasks.len()).filter(|&index| !run.tasks[index].curves.is_empty()).collect();
    ended.sort_by_key(|&index| std::cmp::Reverse(run.tasks[index].started_at));
    ended.truncate(4);
    ended.sort_unstable();
    ended
}

/// Of some tasks the first that are picked, at work or have a curve, in their order.
fn first_of(run: &RunView, tasks: &[usize], selected: Option<&TaskId>, most: usize) -> Vec<usize> {
    let rank = |index: usize| {
        let task = &run.tasks[index];
        let at_work = matches!(task.state, TaskState::Running | TaskState::Paused);
        (selected != Some(&task.id), !at_work, task.curves.is_empty())
    };
    let mut ranked = tasks.to_vec();
    // Each is looked at once: there may be thousands.
    ranked.sort_by_cached_key(|&index| rank(index));
    ranked.truncate(most);
    ranked.retain(|&index| !run.tasks[index].curves.is_empty());
    ranked.sort_unstable();
    ranked
}
