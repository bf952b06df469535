use egui::{ComboBox, Label, RichText, Ui};

use super::metric::{Metric, Scale};
use crate::domain::text::{UNKNOWN, day};
use crate::domain::{FoldIndex, RunId, Task, TaskReport, TaskRole};
use crate::ui::plots::heat::{self, Grid, HeatCell};
use crate::ui::theme::{Themed, strong_family};
use crate::ui::widgets;

/// A task of a run and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) task: &'a Task,
    pub(super) report: Option<&'a TaskReport>,
    pub(super) failure: Option<&'a str>,
}

/// Folds beside each other and symbols below each other, coloured by one of their figures.
#[derive(Debug, Default)]
pub(super) struct HeatMap {
    made: Option<(MadeFor, Grid, Option<Scale>)>,
}

/// What the cells depend on.
#[derive(Debug, PartialEq)]
struct MadeFor {
    run: RunId,
    metric: Metric,
    finished: usize,
    failed: usize,
}

impl HeatMap {
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        (run, tasks): (&RunId, &[Known<'_>]),
        metric: &mut Metric,
    ) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Folds by symbol").family(strong_family()));
            let combo = ComboBox::from_id_salt("heat_metric").selected_text(metric.word());
            let combo = combo.width(120.0).show_ui(ui, |ui| {
                for other in Metric::ALL {
                    let row = ui.selectable_value(metric, other, other.word());
                    row.on_hover_text(other.help());
                }
            });
            widgets::name(&combo.response, egui::Role::ComboBox, "Figure of the heat map");
            combo.response.on_hover_text(metric.help());
            self.follow(run, tasks, *metric);
            if let Some((_, _, Some(scale))) = &self.made {
                let scale = [scale.worst(), scale.middle, scale.best()];
                heat::scale(ui, &scale.map(|value| metric.text(Some(value))));
            }
        });
        let Some((_, grid, scale)) = &self.made else { return };
        if grid.rows.is_empty() {
            let text = RichText::new("The run has no folds to compare.").small();
            ui.add(Label::new(text.color(ui.palette().text_weak)));
            return;
        }
        if scale.is_none() {
            let text = format!("No finished fold has a {}.", metric.word());
            widgets::hint(ui, &text);
        }
        let response = heat::show(ui, grid);
        widgets::name(&response, egui::Role::Image, &grid.name);
    }

    /// Makes the cells anew where they are old.
    fn follow(&mut self, run: &RunId, tasks: &[Known<'_>], metric: Metric) {
        let wanted = MadeFor {
            run: run.clone(),
            metric,
            finished: tasks.iter().filter(|known| known.report.is_some()).count(),
            failed: tasks.iter().filter(|known| known.failure.is_some()).count(),
        };
        if self.made.as_ref().is_none_or(|(made_for, ..)| *made_for != wanted) {
            let (grid, scale) = grid(tasks, metric);
            self.made = Some((wanted, grid, scale));
        }
    }
}

/// The cells, and what their colours mean.
fn grid(tasks: &[Known<'_>], metric: Metric) -> (Grid, Option<Scale>) {
    let folds = || tasks.iter().filter(|known| known.task.role == TaskRole::Fold);
    let value = |known: &Known<'_>| known.report.and_then(|report| metric.of(report));
    let scale = metric.scale(folds().filter_map(value));
    let mut columns: Vec<FoldIndex> = folds().map(|known| known.task.fold.index).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut grid = Grid {
        name: String::new(),
        columns: columns.iter().map(ToString::to_string).collect(),
        rows: Vec::new(),
        cells: Vec::new(),
    };
    for known in folds() {
        let row = row_name(known.task);
        let place = grid.rows.iter().position(|known| *known == row).unwrap_or_else(|| {
            grid.rows.push(row.clone());
            let unplanned = || HeatCell { value: None, about: format!("{row}: no such fold") };
            grid.cells.extend(columns.iter().map(|_| unplanned()));
            grid.rows.len() - 1
        });
        let column = columns.binary_search(&known.task.fold.index).unwrap_or_default();
        let value = value(known).zip(scale);
        grid.cells[place * columns.len() + column] = HeatCell {
            value: value.map(|(value, scale)| (scale.place(value), metric.short_text(value))),
            about: about(known, metric),
        };
    }
    let (rows, folds) = (grid.rows.len(), columns.len());
    let range = scale.map_or_else(
        || "nothing known".to_owned(),
        |scale| {
            let [worst, best] = [scale.worst(), scale.best()].map(|end| metric.text(Some(end)));
            format!("scale from {worst} to {best}")
        },
    );
    let word = metric.word();
    let folds = if folds == 1 { "1 fold".to_owned() } else { format!("{folds} folds") };
    grid.name = format!("{word} of {rows} series in {folds}, {range}");
    (grid, scale)
}

fn row_name(task: &Task) -> String {
    let symbols = match task.symbols.as_slice() {
        [only] => only.to_string(),
        several => format!("{} symbols pooled", several.len()),
    };
    format!("{symbols} · {}", task.timeframe_text())
}

/// What a cell is, for the pointer and for those who do not see it.
fn about(known: &Known<'_>, metric: Metric) -> String {
    let task = known.task;
    let test = task.fold.test;
    // The end is the first moment after.
    let period = format!("{} → {}", day(test.start), day(test.end.plus_millis(-1)));
    let head = format!("{}, fold {}, tested {period}", row_name(task), task.fold.index);
    let figures = match (known.report, known.failure) {
        (Some(report), _) => {
            let own = format!("{} {}", metric.word(), metric.text(metric.of(report)));
            let others = Metric::ALL.iter().filter(|other| **other != metric);
            let other =
                |other: &Metric| format!("{} {}", other.word(), other.text(other.of(report)));
            std::iter::once(own).chain(others.map(other)).collect::<Vec<_>>().join("\n")
        }
        (None, Some(failure)) => format!("{UNKNOWN} it failed: {failure}"),
        (None, None) => format!("{UNKNOWN} it has not finished"),
    };
    format!("{head}\n{figures}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Determinism, Score, TaskRows};
    use crate::ui::testing::plan;

    fn report(rank_ic: Option<f64>) -> TaskReport {
        TaskReport {
            rows: TaskRows::default(),
            epochs: 1,
            best_epoch: 1,
            train_loss: 1.0,
            validation_loss: None,
            stopped_early: false,
            steps: 1,
            seconds: 1.0,
            model: Score { rank_ic_ts: rank_ic, ..Score::default() },
            baselines: Vec::new(),
            determinism: Determinism::Unknown,
            peak_memory: None,
        }
    }

    #[test]
    fn every_fold_has_a_cell_and_what_is_unknown_says_why() {
        let plan = plan();
        let [first, second] = plan.tasks.as_slice() else { panic!("{:?}", plan.tasks) };
        let good = report(Some(0.05));
        let known = |task, report, failure| Known { task, report, failure };
        let tasks = [known(first, Some(&good), None), known(second, None, Some("out of memory"))];
        let (found, scale) = grid(&tasks, Metric::RankIc);
        assert_eq!((found.rows.len(), found.columns.len(), found.cells.len()), (2, 1, 2));
        assert_eq!(found.cells[0].value, Some((1.0, "0.050".to_owned())));
        assert!(found.cells[0].about.contains("Rank IC 0.0500\nIC —"), "{}", found.cells[0].about);
        assert!(found.cells[1].value.is_none());
        assert!(found.cells[1].about.ends_with("it failed: out of memory"));
        assert_eq!(found.name, "Rank IC of 2 series in 1 fold, scale from -0.0500 to 0.0500");
        assert!(scale.is_some());
        let nan = report(Some(f64::NAN));
        let (found, scale) = grid(&[known(first, Some(&nan), None)], Metric::RankIc);
        assert!(scale.is_none() && found.cells[0].value.is_none());
        assert!(grid(&[], Metric::RankIc).0.rows.is_empty());
    }
}
