//! Runs side by side: where their settings differ, and what came of it.

mod curves;
mod rows;
mod titles;

use std::sync::Arc;

use egui::{Color32, ComboBox, Label, Layout, RichText, Ui};
use serde::{Deserialize, Serialize};

use self::curves::Curves;
use self::rows::{Row, Show};
use self::titles::Titles;
use crate::domain::text::UNKNOWN;
use crate::runs::{ComparedFigure, ComparedRun, Comparison};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::layout::PanelKind;
use crate::ui::state::State;
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets::{
    self, Cell, Choosing, Heading, HiddenColumns, Selection, Sort, Sorting, Table,
};

/// How runs are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Tab {
    /// Settings and figures.
    #[default]
    Table,
    /// Losses and equity over each other.
    Curves,
}

/// How the comparison is shown.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct CompareView {
    tab: Tab,
    show: Show,
}

/// Runs side by side.
#[derive(Debug, Default)]
pub(in crate::ui) struct ComparePanel {
    pub(in crate::ui) view: CompareView,
    curves: Curves,
    /// The line that the keys stand at.
    picked: Selection<Row>,
    sort: Option<Sort>,
    /// The lines, and what they were made of.
    rows: Vec<Row>,
    /// The best value of each figure among the lines that are runs and among those that are means.
    marks: Vec<[Option<f64>; 2]>,
    made_for: Option<(Arc<Comparison>, Show, Option<Sort>)>,
}

impl ComparePanel {
    pub(in crate::ui) fn new(view: CompareView) -> Self {
        Self { view, ..Self::default() }
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        if let Some(error) = &state.compared.error {
            widgets::problem(ui, error);
        }
        let Some(of) = &state.compared.loaded else {
            nothing(ui, state, commands);
            return;
        };
        self.follow(of);
        let titles = Titles::of(of);
        let has_means = !of.seed_groups.is_empty() && self.view.show != Show::Runs;
        let headings = titles.headings(has_means);
        let needed: f32 = headings.iter().map(|heading| heading.width + space::S).sum();
        let is_narrow = needed > ui.available_width();
        self.head(ui, state, (of, is_narrow), commands);
        ui.add_space(space::XS);
        if self.view.tab == Tab::Curves {
            self.curves.show(ui, state, (of, &self.rows), commands);
            return;
        }
        self.table(ui, state, (of, &headings), commands);
    }

    fn table(
        &mut self,
        ui: &mut Ui,
        state: &State,
        (of, headings): (&Comparison, &[Heading<'_>]),
        commands: &mut Commands,
    ) {
        let palette = ui.palette();
        let Self { rows, marks, picked, sort, .. } = self;
        let table = Table {
            id: "compare",
            columns: headings,
            leading: None,
            trailing: Some(28.0),
            rows: rows.len(),
            selected: &|_| false,
            sorting: Sorting::By(*sort),
            clickable: true,
            scrolls: true,
        };
        let run_at = |row: usize| match rows.get(row) {
            Some(Row::Run(run, _)) => of.runs.get(*run),
            Some(Row::Mean(_)) | None => None,
        };
        let choosing = Choosing {
            name: "Compared runs",
            selection: picked,
            key: &|row| rows.get(row).copied(),
            many: false,
            scroll_to: None,
        };
        let did = table.choose(
            ui,
            &HiddenColumns::default(),
            choosing,
            |_, _, _| {},
            |_, row| {
                let Some(found) = rows.get(row) else { return Vec::new() };
                let dot = run_at(row).map(|run| state.run_colors.of(&run.id, palette));
                cells(of, *found, marks, (palette, dot))
            },
            |ui, row| {
                if let Some(run) = run_at(row) {
                    let name = format!("Results of {}", run.id);
                    let button = widgets::icon_button(ui, icons::CHART_BAR, &name);
                    if button.on_hover_text(name).clicked() {
                        commands.send(Command::LookAt(run.id.clone()));
                    }
                }
            },
        );
        if let Some(column) = did.column {
            *sort = Sort::clicked(*sort, column);
        }
        if let Some(run) = did.opened.and_then(run_at) {
            commands.send(Command::LookAt(run.id.clone()));
        }
    }

    /// Makes the lines anew where they are old.
    fn follow(&mut self, of: &Arc<Comparison>) {
        let is_current = self.made_for.as_ref().is_some_and(|(made_of, show, sort)| {
            Arc::ptr_eq(made_of, of) && *show == self.view.show && *sort == self.sort
        });
        if is_current {
            return;
        }
        let is_other = self.made_for.as_ref().is_none_or(|(made_of, ..)| !Arc::ptr_eq(made_of, of));
        let columns = 1 + of.settings.len() + of.figures.len();
        if is_other && self.sort.is_some_and(|sort| sort.column >= columns) {
            self.sort = None;
        }
        if is_other {
            self.picked.clear();
        }
        self.rows = rows::rows(of, self.view.show, self.sort);
        let best = |figure| [false, true].map(|means| rows::best(of, &self.rows, figure, means));
        self.marks = (0..of.figures.len()).map(best).collect();
        self.made_for = Some((Arc::clone(of), self.view.show, self.sort));
    }

    fn head(
        &mut self,
        ui: &mut Ui,
        state: &State,
        (of, is_narrow): (&Comparison, bool),
        commands: &mut Commands,
    ) {
        ui.horizontal(|ui| {
            let weak = ui.palette().text_weak;
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                let again = widgets::icon_button(
                    ui,
                    icons::ARROW_COUNTER_CLOCKWISE,
                    "Compare the same runs again",
                );
                if again.on_hover_text("Compare the same runs again").clicked() {
                    commands.send(Command::Compare(state.compared.asked.clone()));
                }
                if !of.seed_groups.is_empty() && self.view.tab == Tab::Table {
                    let combo = ComboBox::from_id_salt("compare_rows");
                    let combo = combo.selected_text(self.view.show.word()).width(190.0);
                    let combo = combo.show_ui(ui, |ui| {
                        for show in Show::ALL {
                            ui.selectable_value(&mut self.view.show, show, show.word());
                        }
                    });
                    widgets::name(&combo.response, egui::Role::ComboBox, "Rows to show");
                }
                if state.compared.pending {
                    let text = format!("{}  reading…", icons::HOURGLASS_MEDIUM);
                    ui.label(RichText::new(text).small().color(weak));
                }
                ui.with_layout(Layout::left_to_right(egui::Align::Center), |ui| {
                    let differ = match of.settings.len() {
                        0 => "no setting differs".to_owned(),
                        1 => "1 setting differs".to_owned(),
                        several => format!("{several} settings differ"),
                    };
                    for (tab, word) in [(Tab::Table, "Table"), (Tab::Curves, "Curves")] {
                        ui.selectable_value(&mut self.view.tab, tab, word);
                    }
                    let title = format!("{} runs, {differ}", of.runs.len());
                    ui.label(title);
                    if self.view.tab == Tab::Curves {
                        return;
                    }
                    let best = format!("{} best of its column", icons::TROPHY);
                    let more = if is_narrow { "; more columns to the right" } else { "" };
                    let text = RichText::new(format!("{best}{more}")).small().color(weak);
                    ui.add(Label::new(text).truncate());
                });
            });
        });
    }
}

fn nothing(ui: &mut Ui, state: &State, commands: &mut Commands) {
    if state.compared.pending {
        let next = "Specifications and results of the runs are being read.";
        widgets::empty_state(ui, icons::HOURGLASS_MEDIUM, "Comparing…", next);
    } else if state.compared.error.is_none() {
        let next = "Select two runs or more in Runs, or one run of a sweep, and press Compare.";
        widgets::empty_state(ui, icons::SCALES, "Nothing to compare yet", next);
        ui.vertical_centered(|ui| {
            if widgets::button(ui, icons::STACK, "Show the runs", true).clicked() {
                commands.send(Command::ShowPanel(PanelKind::Runs));
            }
        });
    }
}

fn cells(
    of: &Comparison,
    row: Row,
    marks: &[[Option<f64>; 2]],
    (palette, dot): (&Palette, Option<Color32>),
) -> Vec<Cell> {
    let is_mean = matches!(row, Row::Mean(_));
    let shape = |cell: Cell| if is_mean { cell.strong() } else { cell };
    let name = shape(name(of, row));
    let mut cells = vec![match dot {
        Some(color) => name.dot(color),
        None => name,
    }];
    for (index, setting) in of.settings.iter().enumerate() {
        let text = match (rows::setting(of, row, index), row) {
            (Some(text), _) => text.to_owned(),
            (None, Row::Mean(group)) if setting.path == "seed" => {
                format!("{} seeds", of.seed_groups[group].runs.len())
            }
            (None, _) => UNKNOWN.to_owned(),
        };
        cells.push(shape(
            Cell::new(text.as_str()).hover(Some(format!("{} = {text}", setting.path))),
        ));
    }
    for (index, figure) in of.figures.iter().enumerate() {
        let value = rows::value(of, row, index);
        let text = match row {
            Row::Mean(group) => {
                match of.seed_groups[group].deviations.get(index).copied().flatten() {
                    Some(deviation) => with_deviation(figure, value, deviation),
                    None => figure.shown(value),
                }
            }
            Row::Run(..) => figure.shown(value),
        };
        let best = marks.get(index).and_then(|marks| marks[usize::from(is_mean)]);
        let cell = if value.is_some() && value == best {
            let among = if is_mean { "means over seeds" } else { "runs" };
            Cell::new(format!("{} {text}", icons::TROPHY))
                .color(palette.success)
                .strong()
                .hover(Some(format!("Best {} of the {among} shown", figure.name)))
        } else {
            shape(Cell::new(text))
        };
        cells.push(cell);
    }
    cells
}

/// A mean with its standard deviation; a unit stands once.
fn with_deviation(figure: &ComparedFigure, mean: Option<f64>, deviation: f64) -> String {
    let (mean, deviation) = (figure.shown(mean), figure.shown(Some(deviation)));
    let number = mean.strip_suffix(" %").unwrap_or(&mean);
    format!("{number} ± {deviation}")
}

/// The run in a few words: those of a sweep share all but their last letters.
fn name(of: &Comparison, row: Row) -> Cell {
    match row {
        Row::Run(index, indented) => {
            let Some(run) = of.runs.get(index) else { return Cell::new("") };
            let indent = if indented { "     " } else { "" };
            Cell::new(format!("{indent}{}", short_name(run))).hover(Some(run.id.to_string()))
        }
        Row::Mean(group) => {
            let runs = &of.seed_groups[group].runs;
            let ids: Vec<&str> =
                runs.iter().filter_map(|&run| Some(of.runs.get(run)?.id.as_str())).collect();
            let text = format!("mean ± σ of {} seeds", runs.len());
            Cell::new(text).hover(Some(ids.join("\n")))
        }
    }
}

/// The experiment and the run's own letters.
fn short_name(run: &ComparedRun) -> String {
    let letters = run.id.as_str().rsplit('-').next().unwrap_or_default();
    format!("{} · {letters}", run.experiment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_and_its_deviation_have_the_unit_once() {
        let shown = |name: &str, mean: f64, deviation: f64| {
            let figure =
                ComparedFigure { name: name.to_owned(), more_is_better: None, values: Vec::new() };
            with_deviation(&figure, Some(mean), deviation)
        };
        assert_eq!(shown("net return", 0.092, 0.0126), "9.2 ± 1.3 %");
        assert_eq!(shown("rank IC", 0.0232, 0.003), "0.0232 ± 0.0030");
        assert_eq!(shown("turnover", 2338.4, 12.0), "2338 ± 12");
    }
}
