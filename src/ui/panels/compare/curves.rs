use std::collections::BTreeSet;
use std::sync::Arc;

use egui::{ComboBox, Label, RichText, ScrollArea, Ui};

use super::rows::Row;
use super::short_name;
use crate::domain::{RunId, Timeframe};
use crate::runs::{Comparison, RunOutline};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::plots::overlay::{self, Overlaid, OverlaidRun};
use crate::ui::state::{Compared, Outline, State};
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets;

/// Runs drawn at once.
const MOST_RUNS: usize = 12;
/// Both plots stand beside each other where there is so much room, in points.
const SIDE_BY_SIDE: f32 = 1000.0;
/// Neither plot is lower, in points: the panel rather scrolls.
const LEAST_HEIGHT: f32 = 140.0;
/// A plot's title and what stands between.
const AROUND_PLOT: f32 = 36.0;

/// The curves of runs that are compared.
#[derive(Debug, Default)]
pub(super) struct Curves {
    /// Runs that are not drawn.
    hidden: BTreeSet<RunId>,
    /// Whose equity is drawn, where the runs have several timeframes.
    timeframe: Option<Timeframe>,
    /// The points of what is drawn, and what they were made of.
    made: Vec<(Arc<RunOutline>, OverlaidRun)>,
}

impl Curves {
    /// `rows` are the lines of the table, whose first runs are drawn.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        state: &State,
        (of, rows): (&Comparison, &[Row]),
        commands: &mut Commands,
    ) {
        let runs = first_runs(of, rows);
        let unknown: Vec<RunId> = runs
            .iter()
            .map(|&run| of.runs[run].id.clone())
            .filter(|run| state.compared.outline(run).is_none())
            .collect();
        if !unknown.is_empty() {
            commands.send(Command::NeedOutlines(unknown));
        }
        self.follow(&state.compared, of, &runs);
        self.notes(ui, &state.compared, of, &runs);
        if self.made.is_empty() {
            return;
        }
        let palette = ui.palette();
        let mut overlaid: Vec<Overlaid<'_>> = Vec::new();
        for (_, run) in &self.made {
            let color = state.run_colors.of(&run.id, palette);
            let repeat = overlaid.iter().filter(|other| other.color == color).count();
            overlaid.push(Overlaid { run, color, repeat });
        }
        overlay::legend(ui, &overlaid, &mut self.hidden);
        overlaid.retain(|overlaid| !self.hidden.contains(&overlaid.run.id));
        ui.add_space(space::XS);
        let timeframe = &mut self.timeframe;
        let room = ui.available_size();
        if room.x >= SIDE_BY_SIDE {
            let height = (room.y - AROUND_PLOT).max(LEAST_HEIGHT);
            ui.columns(2, |columns| {
                losses(&mut columns[0], &overlaid, height);
                equity(&mut columns[1], &overlaid, timeframe, height);
            });
        } else {
            let height = (room.y / 2.0 - AROUND_PLOT).max(LEAST_HEIGHT);
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                losses(ui, &overlaid, height);
                ui.add_space(space::XS);
                equity(ui, &overlaid, timeframe, height);
            });
        }
    }

    /// Makes points of what has been read since.
    fn follow(&mut self, compared: &Compared, of: &Comparison, runs: &[usize]) {
        let mut before = std::mem::take(&mut self.made);
        for &run in runs {
            let run = &of.runs[run];
            let Some(Outline::Ready(outline)) = compared.outline(&run.id) else { continue };
            let is_same = |(of, made): &(Arc<RunOutline>, OverlaidRun)| {
                Arc::ptr_eq(of, outline) && made.id == run.id
            };
            self.made.push(if let Some(known) = before.iter().position(is_same) {
                before.swap_remove(known)
            } else {
                let made = OverlaidRun::new(run.id.clone(), short_name(run), outline);
                (Arc::clone(outline), made)
            });
        }
    }

    /// What is not drawn, and why.
    fn notes(&self, ui: &mut Ui, compared: &Compared, of: &Comparison, runs: &[usize]) {
        for &run in runs {
            if let Some(Outline::Failed(message)) = compared.outline(&of.runs[run].id) {
                widgets::problem(ui, &format!("{}: {message}", short_name(&of.runs[run])));
            }
        }
        let reads = |run: &&usize| {
            matches!(compared.outline(&of.runs[**run].id), None | Some(Outline::Loading))
        };
        let missing = runs.iter().filter(reads).count();
        if missing > 0 && self.made.is_empty() {
            let next = "Losses and equity of the runs are being read.";
            widgets::empty_state(ui, icons::HOURGLASS_MEDIUM, "Reading curves…", next);
        } else if missing > 0 {
            note(ui, &format!("{}  reading {missing} more…", icons::HOURGLASS_MEDIUM));
        }
        if of.runs.len() > runs.len() {
            let (drawn, all) = (runs.len(), of.runs.len());
            note(
                ui,
                &format!(
                    "{drawn} of {all} runs are drawn: the first ones of the table, as it is sorted."
                ),
            );
        }
    }
}

/// The places of the runs that stand first in the table.
fn first_runs(of: &Comparison, rows: &[Row]) -> Vec<usize> {
    let mut runs = Vec::new();
    for row in rows {
        let of_row: &[usize] = match row {
            Row::Run(run, _) => &[*run],
            Row::Mean(group) => &of.seed_groups[*group].runs,
        };
        for run in of_row {
            if !runs.contains(run) && runs.len() < MOST_RUNS {
                runs.push(*run);
            }
        }
    }
    runs
}

fn losses(ui: &mut Ui, runs: &[Overlaid<'_>], height: f32) {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Validation loss").family(strong_family()));
        note(ui, "mean over a run's tasks; ◊ lowest; band: the middle 80 %, from 5 tasks on");
    });
    if runs.iter().any(|overlaid| overlaid.run.has_losses()) {
        overlay::losses(ui, runs, height);
    } else {
        note(ui, "None of the runs drawn has validated an epoch yet.");
    }
}

fn equity(ui: &mut Ui, runs: &[Overlaid<'_>], wanted: &mut Option<Timeframe>, height: f32) {
    let all: BTreeSet<Timeframe> =
        runs.iter().flat_map(|overlaid| overlaid.run.timeframes()).collect();
    let shown = wanted.filter(|wanted| all.contains(wanted)).or_else(|| all.first().copied());
    ui.horizontal(|ui| {
        ui.label(RichText::new("Equity").family(strong_family()));
        if let Some(shown) = shown.filter(|_| all.len() > 1) {
            let combo = ComboBox::from_id_salt(("overlaid_timeframe", all.len()));
            let combo = combo.selected_text(shown.to_string()).width(70.0).show_ui(ui, |ui| {
                for timeframe in &all {
                    ui.selectable_value(wanted, Some(*timeframe), timeframe.to_string());
                }
            });
            widgets::name(&combo.response, egui::Role::ComboBox, "Timeframe of the equity");
        }
        note(ui, "the model after costs; all symbols, equally weighted, where a run has several");
    });
    match shown {
        Some(timeframe) => overlay::equity(ui, runs, timeframe, height),
        None => note(ui, "None of the runs drawn has equity yet: it is written when a run ends."),
    }
}

fn note(ui: &mut Ui, text: &str) {
    let text = RichText::new(text).small().color(ui.palette().text_weak);
    ui.add(Label::new(text).truncate());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{ComparedRun, SeedGroup};

    #[test]
    fn the_first_twelve_runs_are_drawn_also_where_the_table_shows_means_alone() {
        let run = |place: usize| ComparedRun {
            id: RunId::new(place.to_string()),
            experiment: "e".into(),
        };
        let group = |runs: Vec<usize>| SeedGroup { runs, means: vec![], deviations: vec![] };
        let of = Comparison {
            runs: (0..20).map(run).collect(),
            seed_groups: vec![group(vec![4, 5]), group(vec![0, 1])],
            ..Comparison::default()
        };
        let rows = [Row::Mean(0), Row::Mean(1), Row::Run(3, false)];
        assert_eq!(first_runs(&of, &rows), [4, 5, 0, 1, 3]);
        let both = [Row::Mean(0), Row::Run(4, true), Row::Run(5, true)];
        assert_eq!(first_runs(&of, &both), [4, 5]);
        let all: Vec<Row> = (0..20).map(|run| Row::Run(run, false)).collect();
        assert_eq!(first_runs(&of, &all).len(), MOST_RUNS);
    }
}
