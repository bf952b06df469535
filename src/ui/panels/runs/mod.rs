//! Every run on disk: found, chosen, and taken up again, compared, annotated, exported or deleted.

mod actions;
mod columns;
mod order;
mod search;

use egui::{ComboBox, Label, Pos2, RichText, Sense, Ui, vec2};
use serde::{Deserialize, Serialize};

use self::columns::SortedBy;
use self::order::{Filter, Order};
use self::search::Search;
use crate::domain::RunId;
use crate::domain::text::{UNKNOWN, count, minute};
use crate::runs::RunEntry;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{Standing, State};
use crate::ui::theme::{ROW_HEIGHT, Themed, space};
use crate::ui::widgets::{self, Choosing, HiddenColumns, Listed, Pick, Selection, Sorting, Table};

/// Room for a tick and the run's colour, in points.
const LEADING_WIDTH: f32 = 44.0;

/// How the list is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct RunsView {
    hidden: HiddenColumns,
    sort: Option<SortedBy>,
}

impl Default for RunsView {
    fn default() -> Self {
        Self { hidden: columns::hidden_at_first(), sort: None }
    }
}

/// Every run on disk.
#[derive(Debug, Default)]
pub(in crate::ui) struct RunsPanel {
    pub(in crate::ui) view: RunsView,
    search: Search,
    only: Option<Standing>,
    order: Order,
    /// The runs that the buttons act on.
    chosen: Selection<RunId>,
    /// Their places among the stored runs, newest first; made anew only when they are old: there may be ten thousand.
    places: Vec<usize>,
    /// Others were chosen since the places were made.
    is_rechosen: bool,
    /// All runs in view are to be chosen.
    choose_all: bool,
}

impl RunsPanel {
    pub(in crate::ui) fn new(view: &RunsView) -> Self {
        Self { view: view.clone(), ..Self::default() }
    }

    /// Shows the runs that stand so, and chooses all of them.
    pub(in crate::ui) fn show_only(&mut self, standing: Standing) {
        self.search.clear();
        self.only = Some(standing);
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
        // The counts in the head are of the list as it is now, and what is typed there changes the rows below.
        self.follow(state);
        self.head(ui, state);
        self.search.problem(ui);
        self.follow(state);
        let chosen: Vec<&RunEntry> =
            self.places.iter().filter_map(|&place| state.results.stored.get(place)).collect();
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
            self.table(ui, state, commands);
        });
        if let Some(about) = about {
            let text = RichText::new(&about).small().color(ui.palette().text_weak);
            let label = ui.add(Label::new(text).truncate());
            widgets::name(&label, egui::Role::Label, &about);
        }
    }

    /// Makes the rows anew where they are old, and lets go what is listed no more.
    fn follow(&mut self, state: &State) {
        let filter = Filter { query: self.search.query().clone(), only: self.only };
        let is_new = self.order.follow(state, &filter, self.view.sort);
        let (stored, shown) = (&state.results.stored, self.order.shown());
        let id = |row: usize| Some(stored.get(*shown.get(row)?)?.id.clone());
        if std::mem::take(&mut self.choose_all) {
            self.chosen.set_all(&Listed { rows: shown.len(), key: &id, many: true });
            self.is_rechosen = true;
        } else if is_new && !self.chosen.is_empty() {
            // What is not in view is not acted on.
            let kept: std::collections::BTreeSet<&RunId> =
                shown.iter().filter_map(|&index| Some(&stored.get(index)?.id)).collect();
            self.chosen.retain(|run| kept.contains(run));
        }
        if is_new || std::mem::take(&mut self.is_rechosen) {
            let is_chosen = |place: &usize| self.chosen.contains(&stored[*place].id);
            self.places = if self.chosen.is_empty() {
                Vec::new()
            } else {
                (0..stored.len()).filter(is_chosen).collect()
            };
        }
    }

    fn head(&mut self, ui: &mut Ui, state: &State) {
        ui.horizontal(|ui| {
            self.search.field(ui);
            let shown = self.only.map_or("all states", Standing::word);
            let combo = ComboBox::from_id_salt("runs_state").selected_text(shown).width(110.0);
            let combo = combo.show_ui(ui, |ui| {
                ui.selectable_value(&mut self.only, None, "all states");
                for standing in Standing::ALL {
                    ui.selectable_value(&mut self.only, Some(standing), standing.word());
                }
            });
            widgets::name(&combo.response, egui::Role::ComboBox, "Show runs in state");
            self.view.hidden.menu(ui, "the runs", &columns::HEADINGS);
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

    fn table(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let Self { view, order, chosen, is_rechosen, .. } = self;
        let (stored, shown) = (&state.results.stored, order.shown());
        let entry = |row: usize| shown.get(row).and_then(|&index| stored.get(index));
        let key = |row: usize| entry(row).map(|entry| entry.id.clone());
        let table = Table {
            id: "runs",
            columns: &columns::HEADINGS,
            leading: Some(LEADING_WIDTH),
            trailing: None,
            rows: shown.len(),
            selected: &|_| false,
            sorting: Sorting::By(view.sort.map(SortedBy::sort)),
            clickable: true,
            scrolls: true,
        };
        let palette = ui.palette();
        let mut ticked = None;
        let choosing =
            Choosing { name: "Runs", selection: chosen, key: &key, many: true, scroll_to: None };
        let did = table.choose(
            ui,
            &view.hidden,
            choosing,
            |ui, row, is_chosen| {
                let Some(entry) = entry(row) else { return };
                let mut on = is_chosen;
                let tick = ui.checkbox(&mut on, "");
                widgets::name_toggle(&tick, on, &format!("Select {}", entry.id));
                if tick.clicked() {
                    ticked = Some(row);
                }
                color_dot(ui, state, &entry.id, commands);
            },
            |_, row| {
                entry(row).map(|entry| columns::cells(state, entry, palette)).unwrap_or_default()
            },
            |_, _| {},
        );
        if let Some(column) = did.column {
            view.sort = SortedBy::clicked(view.sort, column);
        }
        *is_rechosen |= did.changed || ticked.is_some();
        if let Some(row) = ticked {
            let extends = ui.input(|input| input.modifiers.shift);
            let pick = if extends { Pick::ExtendBy } else { Pick::Toggle };
            chosen.pick(row, pick, &Listed { rows: shown.len(), key: &key, many: true });
        }
        if let Some(entry) = did.opened.and_then(entry) {
            commands.send(Command::LookAt(entry.id.clone()));
        }
    }
}

/// The run's colour; a click gives it the next one.
fn color_dot(ui: &mut Ui, state: &State, run: &RunId, commands: &mut Commands) {
    // The keyboard does not stop at every dot.
    let (rect, response) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::CLICK);
    let color = state.run_colors.of(run, ui.palette());
    let radius = if response.hovered() { 6.0 } else { 5.0 };
    let center = Pos2::new(rect.center().x, rect.center().y);
    ui.painter().circle_filled(center, radius, color);
    widgets::name(&response, egui::Role::Button, &format!("Colour of {run}"));
    let help = "Its colour wherever runs are drawn together; a click gives it the next one";
    if response.on_hover_text(help).clicked() {
        commands.send(Command::TurnColor(run.clone()));
    }
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
