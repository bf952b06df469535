mod buttons;
mod cells;
mod facts;
mod order;
mod picked;
mod summary;
mod waiting;

use egui::{Align as EguiAlign, ComboBox, Id, Label, Layout, RichText, TextEdit, Ui};
use serde::{Deserialize, Serialize};

use self::cells::{COLUMNS, word};
use self::order::{Filter, Followed, Order};
use super::run_picker;
use crate::domain::TaskId;
use crate::domain::text::count;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::layout::PanelKind;
use crate::ui::state::{RunView, State, TaskState};
use crate::ui::theme::{Themed, space};
use crate::ui::widgets::{self, Choosing, HiddenColumns, Listed, Selection, Sort, Sorting, Table};

/// Every task of a run: what it is doing, and a way to stop it.
#[derive(Debug, Default)]
pub(in crate::ui) struct QueuePanel {
    pub(in crate::ui) view: QueueView,
    filter: Filter,
    order: Order,
    /// The tasks that the buttons act on, by their places in the plan.
    picked: Selection<usize>,
    counts: picked::Counts,
    /// The task that the other panels were told of last, or told this one of.
    told: Option<TaskId>,
    /// What waits is listed.
    waiting_open: bool,
}

/// How tasks are listed; survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct QueueView {
    /// `None`: what runs first, then what failed.
    sort: Option<Sort>,
    hidden: HiddenColumns,
}

impl QueuePanel {
    pub(in crate::ui) fn new(view: QueueView) -> Self {
        Self { view, ..Self::default() }
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let Some(run) = state.shown_run() else {
            waiting::show(ui, state, &mut self.waiting_open, commands);
            let (title, next) = if !state.resuming.is_empty() {
                ("The run is taken up again", "Its tasks appear here in a moment.")
            } else if !state.launches.is_empty() {
                ("The experiment is being planned", "Its tasks appear here in a moment.")
            } else {
                (
                    "Nothing is queued",
                    "Press Start: every fold of every symbol becomes a task here.",
                )
            };
            widgets::empty_state(ui, icons::QUEUE, title, next);
            return;
        };
        waiting::show(ui, state, &mut self.waiting_open, commands);
        header(ui, state, run, commands);
        self.follow(ui, state, run);
        let scroll_to = self.hear(state, run);
        self.tools(ui, state, run, commands);
        self.about_picked(ui, state, run);
        ui.add_space(space::XS);
        if self.order.shown().is_empty() {
            let next = "Other words, or all states, show more.";
            widgets::empty_state(ui, icons::MAGNIFYING_GLASS, "No task fits", next);
        } else {
            self.table(ui, state, run, scroll_to, commands);
        }
    }

    /// Keeps rows and selection in step with the run.
    fn follow(&mut self, ui: &Ui, state: &State, run: &RunView) {
        let seconds = ui.input(|input| input.time);
        let wanted = (&self.filter, self.view.sort);
        match self.order.follow(run, wanted, (seconds, state.now)) {
            Followed::Same => {}
            Followed::Later(seconds) => {
                ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(seconds));
            }
            Followed::Anew => {
                // What is not in view is not acted on.
                if !self.picked.is_empty() && self.picked.retain(|place| self.order.has(*place)) {
                    self.counts.forget();
                }
            }
            Followed::OtherRun => {
                self.picked.clear();
                self.counts.forget();
                self.told = None;
            }
        }
    }

    /// Another panel may have picked a task: the row to bring into view then.
    fn hear(&mut self, state: &State, run: &RunView) -> Option<usize> {
        if self.told == state.selected_task {
            return None;
        }
        self.told.clone_from(&state.selected_task);
        self.counts.forget();
        let place = self.told.as_ref().and_then(|task| run.place(task));
        match place.filter(|place| self.order.has(*place)) {
            Some(place) => self.picked.set(place),
            None => self.picked.clear(),
        }
        place.and_then(|place| self.order.row_of(place))
    }

    /// Tells the other panels which task is picked; of several the one at the cursor.
    fn tell(&mut self, run: &RunView, commands: &mut Commands) {
        let cursor = self.picked.cursor().filter(|place| self.picked.contains(place));
        let task = cursor.or_else(|| self.picked.iter().next());
        let task = task.and_then(|place| run.tasks.get(*place)).map(|task| task.id.clone());
        if self.told != task {
            self.told.clone_from(&task);
            commands.send(Command::SelectTask(task));
        }
    }

    /// What is listed, and what can be done with what is picked.
    fn tools(&mut self, ui: &mut Ui, state: &State, run: &RunView, commands: &mut Commands) {
        ui.horizontal_wrapped(|ui| {
            let field = TextEdit::singleline(&mut self.filter.text)
                .id(Id::unique("queue search"))
                .hint_text(format!("{}  task, state, failure…", icons::MAGNIFYING_GLASS))
                .desired_width(150.0);
            let field = ui.add(field);
            widgets::name(&field, egui::Role::SearchInput, "Search tasks");
            self.only(ui, run);
            self.view.hidden.menu(ui, "the queue", &COLUMNS);
            if self.picked.len() < 2 {
                self.how_many(ui, run);
                return;
            }
            self.all(ui);
            picked::show(ui, state, run, (&self.picked, &mut self.counts), commands);
        });
    }

    /// How many tasks are listed.
    fn how_many(&self, ui: &mut Ui, run: &RunView) {
        let (shown, all) = (self.order.shown().len(), run.tasks.len());
        let text = match all {
            _ if shown < all => format!("{} of {} tasks", count(shown as u64), count(all as u64)),
            1 => "1 task".to_owned(),
            _ => format!("{} tasks", count(all as u64)),
        };
        let text = RichText::new(text).color(ui.palette().text_weak);
        let help = "Shift and Ctrl pick several, Ctrl+A all that are shown: they can be cancelled, paused and resumed together";
        ui.add(Label::new(text)).on_hover_text(help);
    }

    /// How many tasks are picked, and a button that picks all that are shown.
    fn all(&mut self, ui: &mut Ui) {
        let shown = self.order.shown();
        ui.label(format!("{} selected", count(self.picked.len() as u64)));
        if self.picked.len() == shown.len() {
            return;
        }
        let number = count(shown.len() as u64);
        let button = ui.button(format!("All {number}")).on_hover_text("Ctrl+A in the list");
        widgets::name(&button, egui::Role::Button, &format!("Select all {number} shown"));
        if button.clicked() {
            let key = |row: usize| shown.get(row).copied();
            self.picked.set_all(&Listed { rows: shown.len(), key: &key, many: true });
            self.counts.forget();
        }
    }

    fn only(&mut self, ui: &mut Ui, run: &RunView) {
        let only = &mut self.filter.only;
        let shown = only.map_or("all states", word);
        let combo = ComboBox::from_id_salt("state").selected_text(shown).width(88.0);
        let combo = combo.show_ui(ui, |ui| {
            let all = format!("all states ({})", run.tasks.len());
            ui.selectable_value(only, None, all);
            for state in TaskState::ALL {
                let text = format!("{} ({})", word(state), run.count(state));
                ui.selectable_value(only, Some(state), text);
            }
        });
        widgets::name(&combo.response, egui::Role::ComboBox, "Show tasks in state");
    }

    /// What is known of the only task that is picked and has no column.
    fn about_picked(&self, ui: &mut Ui, state: &State, run: &RunView) {
        if self.picked.len() > 1 {
            return;
        }
        let Some(place) = state.selected_task.as_ref().and_then(|task| run.place(task)) else {
            return;
        };
        match &run.tasks[place].failure {
            Some(failure) => widgets::problem(ui, failure),
            None => facts::show(ui, run, place),
        }
    }

    fn table(
        &mut self,
        ui: &mut Ui,
        state: &State,
        run: &RunView,
        scroll_to: Option<usize>,
        commands: &mut Commands,
    ) {
        let shown = self.order.shown();
        let table = Table {
            id: "queue",
            columns: &COLUMNS,
            leading: None,
            trailing: Some(60.0),
            rows: shown.len(),
            selected: &|_| false,
            sorting: Sorting::By(self.view.sort),
            clickable: true,
            scrolls: true,
        };
        let choosing = Choosing {
            name: "Tasks of the run",
            selection: &mut self.picked,
            key: &|row| shown.get(row).copied(),
            many: true,
            scroll_to,
        };
        let palette = ui.palette();
        let chosen = table.choose(
            ui,
            &self.view.hidden,
            choosing,
            |_, _, _| {},
            |_, row| cells::cells(run, shown[row], state.now, palette),
            |ui, row| buttons::of_task(ui, run, &run.tasks[shown[row]], commands),
        );
        if let Some(column) = chosen.column {
            self.view.sort = Sort::clicked(self.view.sort, column);
        }
        if chosen.changed {
            self.counts.forget();
            self.tell(run, commands);
        }
        if chosen.opened.is_some() {
            commands.send(Command::ShowPanel(PanelKind::Training));
        }
    }
}

/// Which run it is, how far, and what can be done with all of it.
fn header(ui: &mut Ui, state: &State, run: &RunView, commands: &mut Commands) {
    ui.horizontal(|ui| {
        run_picker::show(ui, state, run, commands);
        ui.with_layout(Layout::right_to_left(EguiAlign::Center), |ui| {
            // Under each other with those of the table's rows, which leave room for its scroll bar.
            ui.add_space(ui.spacing().scroll.allocated_width());
            buttons::of_run(ui, state, run, commands);
            ui.with_layout(Layout::left_to_right(EguiAlign::Center), |ui| {
                summary::show(ui, state, run);
            });
        });
    });
    if let Some(message) = &run.broken {
        widgets::problem(ui, message);
    }
}
