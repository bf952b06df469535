//! Every run on disk: found, chosen, and taken up again, compared, annotated, exported or deleted.

mod actions;
mod order;

use std::collections::BTreeSet;

use egui::{ComboBox, Label, RichText, TextEdit, Ui};

use self::order::{Filter, Order};
use crate::domain::RunId;
use crate::domain::text::{UNKNOWN, count, minute, number};
use crate::runs::RunEntry;
use crate::ui::commands::Commands;
use crate::ui::icons;
use crate::ui::state::{Standing, State};
use crate::ui::theme::{Palette, ROW_HEIGHT, Themed, space};
use crate::ui::widgets::{self, Align, Cell, Column, Sort, Sorting, Table, column};

const COLUMNS: [Column; 8] = [
    column(
        "Experiment",
        "The experiment's name; the run's own name stands over it",
        96.0,
        Align::Left,
    ),
    column("Started (UTC)", "When the run was started", 114.0, Align::Left),
    column("Status", "How the run stands", 130.0, Align::Left),
    column(
        "Variant",
        "What this run of a sweep sets, in the order of its fields",
        88.0,
        Align::Left,
    ),
    column("Tags", "Short words for finding it again", 64.0, Align::Left),
    column("Tasks", "Finished, of all", 50.0, Align::Right),
    column("Rank IC", "Out of sample, the mean over the run's series", 54.0, Align::Right),
    column("Sharpe", "Out of sample, annualised, after costs", 48.0, Align::Right),
];

/// Every run on disk.
#[derive(Debug, Default)]
pub(in crate::ui) struct RunsPanel {
    filter: Filter,
    sort: Option<Sort>,
    order: Order,
    /// The runs that the buttons act on.
    chosen: BTreeSet<RunId>,
    /// The one clicked last: Shift extends from there.
    anchor: Option<RunId>,
    /// All runs in view are to be chosen.
    choose_all: bool,
}

impl RunsPanel {
    /// Shows the runs that stand so, and chooses all of them.
    pub(in crate::ui) fn show_only(&mut self, standing: Standing) {
        self.filter = Filter { text: String::new(), only: Some(standing) };
        self.choose_all = true;
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        if state.results.stored.is_empty() {
            let (title, next) = if state.results.is_listed {
                ("No runs yet", "Press Start: every run is kept here, whatever becomes of it.")
            } else {
                ("Reading the runs folder…", "The list appears in a moment.")
            };
            widgets::empty_state(ui, icons::STACK, title, next);
            return;
        }
        self.head(ui, state);
        if self.order.follow(state, &self.filter, self.sort) || self.choose_all {
            let stored = &state.results.stored;
            let shown = self.order.shown().iter().filter_map(|&index| stored.get(index));
            // What is not in view is not acted on.
            let all = std::mem::take(&mut self.choose_all);
            let kept = shown.filter(|entry| all || self.chosen.contains(&entry.id));
            self.chosen = kept.map(|entry| entry.id.clone()).collect();
        }
        let chosen = self.chosen_entries(state);
        actions::show(ui, state, &chosen, commands);
        ui.add_space(space::XS);
        let about = about(&chosen);
        if self.order.shown().is_empty() {
            let next = "Other words, or all states, show more.";
            widgets::empty_state(ui, icons::MAGNIFYING_GLASS, "No run fits", next);
            return;
        }
        let room = ui.available_height() - if about.is_some() { ROW_HEIGHT } else { 0.0 };
        let size = egui::vec2(ui.available_width(), room);
        let layout = egui::Layout::top_down(egui::Align::Min);
        ui.allocate_ui_with_layout(size, layout, |ui| {
            ui.set_min_height(room);
            self.table(ui, state);
        });
        if let Some(about) = about {
            let text = RichText::new(&about).small().color(ui.palette().text_weak);
            let label = ui.add(Label::new(text).truncate());
            widgets::name(&label, egui::Role::Label, &about);
        }
    }

    /// The chosen runs, newest first.
    fn chosen_entries<'a>(&self, state: &'a State) -> Vec<&'a RunEntry> {
        if self.chosen.is_empty() {
            return Vec::new();
        }
        let stored = state.results.stored.iter();
        stored.filter(|entry| self.chosen.contains(&entry.id)).collect()
    }

    fn head(&mut self, ui: &mut Ui, state: &State) {
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.filter.text)
                .hint_text(format!("{}  name, tag, note, setting…", icons::MAGNIFYING_GLASS))
                .desired_width(220.0);
            let field = ui.add(field);
            widgets::name(&field, egui::Role::SearchInput, "Search runs");
            let shown = self.filter.only.map_or("all states", Standing::word);
            let combo = ComboBox::from_id_salt("runs_state").selected_text(shown).width(110.0);
            let combo = combo.show_ui(ui, |ui| {
                ui.selectable_value(&mut self.filter.only, None, "all states");
                for standing in Standing::ALL {
                    let value = &mut self.filter.only;
                    ui.selectable_value(value, Some(standing), standing.word());
                }
            });
            widgets::name(&combo.response, egui::Role::ComboBox, "Show runs in state");
            let (all, shown) = (state.results.stored.len(), self.order.shown().len());
            let text = if shown == all {
                format!("{} {}", count(all as u64), if all == 1 { "run" } else { "runs" })
            } else {
                format!("{} of {} runs", count(shown as u64), count(all as u64))
            };
            let text = match self.chosen.len() {
                0 => text,
                chosen => format!("{text}, {} selected", count(chosen as u64)),
            };
            ui.add(Label::new(RichText::new(text).color(ui.palette().text_weak)).truncate());
        });
    }

    fn table(&mut self, ui: &mut Ui, state: &State) {
        let stored = &state.results.stored;
        let entry = |row: usize| self.order.shown().get(row).and_then(|&index| stored.get(index));
        let is_chosen =
            |row: usize| entry(row).is_some_and(|entry| self.chosen.contains(&entry.id));
        let table = Table {
            id: "runs",
            columns: &COLUMNS,
            leading: Some(20.0),
            trailing: None,
            rows: self.order.shown().len(),
            selected: &is_chosen,
            sorting: Sorting::By(self.sort),
            clickable: true,
            scrolls: true,
        };
        let palette = ui.palette();
        let mut ticked = None;
        let clicked = table.show_all(
            ui,
            |ui, row| {
                let Some(entry) = entry(row) else { return };
                let mut on = is_chosen(row);
                let tick = ui.checkbox(&mut on, "");
                widgets::name_toggle(&tick, on, &format!("Select {}", entry.id));
                if tick.clicked() {
                    ticked = Some(row);
                }
            },
            |_, row| entry(row).map(|entry| cells(state, entry, palette)).unwrap_or_default(),
            |_, _| {},
        );
        if let Some(column) = clicked.column {
            self.sort = Sort::clicked(self.sort, column);
        }
        let (extends, adds) = ui.input(|input| (input.modifiers.shift, input.modifiers.command));
        match (ticked, clicked.row) {
            (Some(row), _) => self.choose(state, row, extends, true),
            (None, Some(row)) => self.choose(state, row, extends, adds),
            (None, None) => {}
        }
    }

    /// A row was clicked: alone, added to the others or taken from them, or with all from the one clicked before.
    fn choose(&mut self, state: &State, row: usize, extends: bool, adds: bool) {
        let id = |row: usize| {
            let index = self.order.shown().get(row)?;
            state.results.stored.get(*index).map(|entry| entry.id.clone())
        };
        let Some(clicked) = id(row) else { return };
        let anchor = self.anchor.as_ref().filter(|_| extends);
        let anchor = anchor.and_then(|anchor| {
            (0..self.order.shown().len()).find(|&row| id(row).as_ref() == Some(anchor))
        });
        if let Some(anchor) = anchor {
            let rows = anchor.min(row)..=anchor.max(row);
            self.chosen.extend(rows.filter_map(id).collect::<Vec<_>>());
            return;
        }
        if adds {
            if !self.chosen.remove(&clicked) {
                self.chosen.insert(clicked.clone());
            }
        } else {
            let was_alone = self.chosen.len() == 1 && self.chosen.contains(&clicked);
            self.chosen.clear();
            if !was_alone {
                self.chosen.insert(clicked.clone());
            }
        }
        self.anchor = Some(clicked);
    }
}

fn cells(state: &State, entry: &RunEntry, palette: &Palette) -> Vec<Cell> {
    let standing = state.standing(entry);
    let (icon, color) = widgets::standing(standing, palette);
    let live = state.runs.iter().find(|run| run.id == entry.id && !run.is_over());
    let finished =
        live.map_or(entry.finished, |run| run.count(crate::ui::state::TaskState::Finished) as u64);
    let score = entry.score;
    let elsewhere = (standing == Standing::Elsewhere).then(|| {
        "Another program works on it, a terminal or a second window; it can be stopped there"
            .to_owned()
    });
    let variant = entry.sweep.as_ref().map(|member| {
        let settings: Vec<String> = member.settings.iter().map(ToString::to_string).collect();
        let place = format!("Variant {} of {}", member.variant + 1, member.variants);
        format!("{place}: {}", settings.join(", "))
    });
    vec![
        Cell::new(entry.experiment.as_str()).hover(Some(entry.id.to_string())),
        Cell::new(minute(entry.created)),
        Cell::new(format!("{icon}  {}", standing.word())).color(color).hover(elsewhere),
        Cell::new(order::settings(entry)).hover(variant),
        Cell::new(entry.tags.join(", "))
            .hover((!entry.tags.is_empty()).then(|| entry.tags.join(", "))),
        Cell::new(format!("{finished}/{}", entry.tasks)),
        Cell::new(number(score.and_then(|score| score.rank_ic_ts), 4)),
        Cell::new(number(score.and_then(|score| score.sharpe), 2)),
    ]
}

/// What is known of the only chosen run and has no column.
fn about(chosen: &[&RunEntry]) -> Option<String> {
    let [entry] = chosen else { return None };
    let ended = entry.ended.map_or_else(|| UNKNOWN.to_owned(), minute);
    let mut text = format!("{} · on {} · ended {ended}", entry.id, entry.device);
    if !entry.notes.is_empty() {
        let first = entry.notes.lines().next().unwrap_or_default();
        text = format!("{text} · {first}");
    }
    Some(text)
}
