//! What came of a run: the model beside its baselines, equity, and every fold.

mod cross_sections;
mod folds;
mod head;
mod heat;
mod metric;
mod scores;

use std::collections::BTreeSet;

use egui::{ComboBox, Label, RichText, ScrollArea, Ui};
use serde::{Deserialize, Serialize};

use self::folds::{Columns, Finished};
use self::heat::{HeatMap, Known};
use self::metric::Metric;
use crate::domain::{EquityCurve, RunId, Task};
use crate::runs::{RunResults, RunStatus};
use crate::ui::actions::Action;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::plots::equity::{self, EquityPlot, Heights};
use crate::ui::state::{RunView, State};
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets;

/// Height of the charts of equity and of drawdown together, in points.
const CHARTS_HEIGHT: f32 = 300.0;
/// They are never lower, and rather scrolled to.
const LEAST_CHARTS_HEIGHT: f32 = 240.0;
/// How much of it the drawdown has.
const DRAWDOWN_SHARE: f32 = 0.4;
/// Their legend, and what stands between them.
const AROUND_CHARTS: f32 = 42.0;

/// How results are shown.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct ResultsView {
    /// Whose equity is shown, by its name: it stays chosen from run to run.
    equity: Option<String>,
    /// Predictors whose equity is not drawn.
    hidden: BTreeSet<String>,
    /// What the heat map shows.
    metric: Metric,
    columns: Columns,
}

/// What came of a run.
#[derive(Debug, Default)]
pub(in crate::ui) struct ResultsPanel {
    /// The run of this session to show while it trains, instead of one on disk.
    live: Option<RunId>,
    pub(in crate::ui) view: ResultsView,
    heat: HeatMap,
    /// The points of what is shown, and of which run.
    plot: Option<(RunId, EquityPlot)>,
    /// Every failure is listed.
    all_failures: bool,
}

/// What there is to show.
#[derive(Debug, Clone, Copy)]
enum View<'a> {
    /// There is no run at all.
    Nothing,
    /// The run asked for is being read.
    Loading,
    /// A run of this session that trains, or has just ended.
    Live(&'a RunView),
    /// A run on disk, and whether it is the one asked for: else that one is being read.
    Stored(&'a RunResults, bool),
    /// The run asked for cannot be shown.
    Problem(&'a str),
}

impl<'a> View<'a> {
    fn of(state: &'a State, live: Option<&RunId>) -> Self {
        let running = |run: &&RunView| !run.is_over();
        let results = &state.results;
        if let Some(run) = state.runs.iter().filter(running).find(|run| Some(&run.id) == live) {
            return View::Live(run);
        }
        if let Some(error) = &results.error {
            return View::Problem(error);
        }
        if let Some(loaded) = &results.loaded {
            return View::Stored(loaded, results.wanted.as_ref() == Some(&loaded.run));
        }
        let session = match &results.wanted {
            // Until its results have been read.
            Some(wanted) => state.runs.iter().find(|run| run.id == *wanted),
            None => state.runs.iter().rev().find(running),
        };
        match session {
            Some(run) => View::Live(run),
            None if results.wanted.is_some() || !results.stored.is_empty() => View::Loading,
            None => View::Nothing,
        }
    }

    /// The run that is shown.
    fn run(self) -> Option<&'a RunId> {
        match self {
            Self::Live(run) => Some(&run.id),
            Self::Stored(results, _) => Some(&results.run),
            Self::Nothing | Self::Loading | Self::Problem(_) => None,
        }
    }
}

impl ResultsPanel {
    pub(in crate::ui) fn new(view: &ResultsView) -> Self {
        Self { view: view.clone(), ..Self::default() }
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let view = View::of(state, self.live.as_ref());
        if let View::Nothing = view {
            let shortcut = Action::Start.keys(ui.ctx());
            let next = format!(
                "Press Start ({shortcut}): when the run ends, its models stand here beside always long, last return and ridge."
            );
            widgets::empty_state(ui, icons::CHART_BAR, "No results yet", &next);
            return;
        }
        if let (View::Loading, None, Some(newest)) =
            (view, &state.results.wanted, state.results.stored.first())
        {
            commands.send(Command::LookAt(newest.id.clone()));
        }
        head::show(ui, state, view, &mut self.live, commands);
        ui.add_space(space::XS);
        let room = ui.available_height();
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| match view {
            View::Nothing => {}
            View::Loading => {
                let next = "The run's folder is being read.";
                widgets::empty_state(ui, icons::HOURGLASS_MEDIUM, "Loading…", next);
            }
            View::Problem(message) => widgets::problem(ui, message),
            View::Live(run) => self.live_run(ui, run),
            View::Stored(results, is_wanted) => {
                if !is_wanted {
                    ui.multiply_opacity(0.5);
                }
                self.stored_run(ui, results, room);
            }
        });
    }

    fn live_run(&mut self, ui: &mut Ui, run: &RunView) {
        note(ui, "Stitched results come when the run ends. The folds that have finished so far:");
        let tasks = || run.plan.tasks.iter().zip(&run.tasks);
        let failures = tasks().filter_map(|(task, view)| Some((task, view.failure.as_deref()?)));
        folds::failures(ui, &failures.collect::<Vec<_>>(), &mut self.all_failures);
        let finished = |(task, report)| Finished { task, report };
        let finished: Vec<Finished<'_>> = tasks()
            .filter_map(|(task, view)| Some((task, view.report.as_deref()?)))
            .map(finished)
            .collect();
        let known = tasks().map(|(task, view)| Known {
            task,
            report: view.report.as_deref(),
            failure: view.failure.as_deref(),
        });
        self.heat_map(ui, (&run.id, &known.collect::<Vec<_>>()), finished.len());
        self.folds(ui, &finished, run.tasks.len());
    }

    /// `room` is the height in view.
    fn stored_run(&mut self, ui: &mut Ui, results: &RunResults, room: f32) {
        match (&results.summary, results.status) {
            (Some(summary), _) if !summary.series.is_empty() => {
                ui.horizontal_wrapped(|ui| {
                    ui.label(RichText::new("Out of sample").family(strong_family()));
                    note(ui, "test sections stitched, after costs");
                });
                scores::show(ui, summary);
                self.equity(ui, results, room);
            }
            (None, RunStatus::Running) => note(ui, "Stitched results come when the run ends."),
            (None, _) => note(ui, "The run was interrupted, so its folds were never stitched."),
            (Some(_), _) => note(ui, "No fold finished, so there is nothing to compare."),
        }
        let failed = |task: &'_ crate::runs::TaskResult| task.failure.is_some();
        if results.tasks.iter().any(failed) {
            let failures: Vec<(&Task, &str)> = results
                .tasks
                .iter()
                .filter_map(|task| Some((&task.task, task.failure.as_deref()?)))
                .collect();
            folds::failures(ui, &failures, &mut self.all_failures);
        }
        let known = results.tasks.iter().map(|task| Known {
            task: &task.task,
            report: task.report.as_ref(),
            failure: task.failure.as_deref(),
        });
        let known: Vec<Known<'_>> = known.collect();
        let finished: Vec<Finished<'_>> = results
            .tasks
            .iter()
            .filter_map(|task| Some(Finished { task: &task.task, report: task.report.as_ref()? }))
            .collect();
        self.heat_map(ui, (&results.run, &known), finished.len());
        self.folds(ui, &finished, results.tasks.len());
    }

    /// Where any fold has finished.
    fn heat_map(&mut self, ui: &mut Ui, of: (&RunId, &[Known<'_>]), finished: usize) {
        if finished > 0 {
            self.heat.show(ui, of, &mut self.view.metric);
            ui.add_space(space::M);
        }
    }

    fn equity(&mut self, ui: &mut Ui, results: &RunResults, room: f32) {
        let top = ui.min_rect().top();
        ui.add_space(space::S);
        let equity = &results.equity;
        let Some(shown) = chosen(equity, self.view.equity.as_deref()) else {
            note(ui, "There are no equity curves: an earlier version wrote the run without them.");
            return;
        };
        let name = equity::name(shown);
        ui.horizontal_wrapped(|ui| {
            let label = ui.label(RichText::new("Equity of").family(strong_family()));
            let combo =
                ComboBox::from_id_salt(("equity_of", equity.len())).selected_text(name.as_str());
            let combo = combo.width(220.0).truncate().show_ui(ui, |ui| {
                for other in equity.iter().map(equity::name) {
                    if ui.selectable_label(other == name, other.as_str()).clicked() {
                        self.view.equity = Some(other);
                    }
                }
            });
            combo.response.labelled_by(label.id);
            note(ui, "after costs");
        });
        // A run that was taken up again has gone on since.
        let is_other =
            |(run, plot): &(RunId, EquityPlot)| *run != results.run || !plot.is_of(shown);
        if self.plot.as_ref().is_none_or(is_other) {
            self.plot = Some((results.run.clone(), EquityPlot::new(shown)));
        }
        if let Some((_, plot)) = &self.plot {
            ui.push_id(&results.run, |ui| {
                // With its time axis in view where that leaves enough of it.
                let left = room - (ui.cursor().top() - top) - AROUND_CHARTS;
                let height = left.clamp(LEAST_CHARTS_HEIGHT, CHARTS_HEIGHT);
                let drawdown = (DRAWDOWN_SHARE * height).round();
                let heights = Heights { equity: height - drawdown, drawdown };
                equity::show(ui, plot, &mut self.view.hidden, heights);
            });
        }
        ui.add_space(space::S);
    }

    fn folds(&mut self, ui: &mut Ui, finished: &[Finished<'_>], planned: usize) {
        if finished.is_empty() {
            note(ui, &format!("None of {planned} tasks has finished."));
            return;
        }
        let title = format!("Folds: {} of {planned} tasks finished", finished.len());
        folds::show(ui, &title, finished, &mut self.view.columns);
    }
}

/// The entry of this name, else all symbols together, else the first.
fn chosen<'a>(equity: &'a [EquityCurve], wanted: Option<&str>) -> Option<&'a EquityCurve> {
    wanted
        .and_then(|wanted| equity.iter().find(|curve| equity::name(curve) == wanted))
        .or_else(|| equity.iter().find(|plot| plot.symbol.is_none()))
        .or(equity.first())
}

fn note(ui: &mut Ui, text: &str) {
    let text = RichText::new(text).small().color(ui.palette().text_weak);
    ui.add(Label::new(text).wrap());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(symbol: Option<&str>) -> EquityCurve {
        EquityCurve {
            symbol: symbol.map(|symbol| symbol.parse().unwrap()),
            timeframe: "1h".parse().unwrap(),
            times: Vec::new(),
            predictors: Vec::new(),
        }
    }

    #[test]
    fn all_symbols_together_are_shown_unless_one_was_chosen_that_is_there() {
        let plots = [plot(Some("A")), plot(Some("B")), plot(None)];
        let found = |wanted| chosen(&plots, wanted).map(equity::name);
        let all = Some("All symbols, equally weighted · 1h".to_owned());
        assert_eq!(found(None), all);
        assert_eq!(found(Some("C · 1h")), all);
        assert_eq!(found(Some("B · 1h")), Some("B · 1h".to_owned()));
        assert_eq!(chosen(&plots[..2], None).map(equity::name), Some("A · 1h".to_owned()));
        assert!(chosen(&[], None).is_none());
    }
}
