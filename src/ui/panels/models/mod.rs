//! The named models: what they are good for, where they come from, and how they compare with the one in use.

mod detail;

use egui::{Align as EguiAlign, Layout, RichText, ScrollArea, TextEdit, Ui};
use serde::{Deserialize, Serialize};

use crate::domain::text::{count, minute};
use crate::export::ExportWhat;
use crate::runs::{ModelEntry, ModelStage};
use crate::ui::commands::{Command, Commands, Noted};
use crate::ui::icons;
use crate::ui::layout::PanelKind;
use crate::ui::state::State;
use crate::ui::theme::{Palette, ROW_HEIGHT, Themed, space};
use crate::ui::widgets::{
    self, Align, Cell, Choosing, Column, HiddenColumns, Selection, Sort, Sorting, Table, column,
};
use crate::workbench::ModelChange;

/// The list takes so many rows at most; the rest of the panel tells of the one selected.
const MOST_ROWS: usize = 9;

const COLUMNS: [Column; 6] = [
    column("Model", "Name and version", 130.0, Align::Left),
    column("Stage", "What it is good for", 100.0, Align::Left),
    column("Task", "The task whose weights it has", 150.0, Align::Left),
    column("Run", "The run it comes from", 150.0, Align::Left),
    column("Named (UTC)", "When it was given its name", 112.0, Align::Left),
    column("Tags", "Short words for finding it again", 70.0, Align::Left),
];

/// How the list is shown.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct ModelsView {
    sort: Option<Sort>,
}

/// The named models.
#[derive(Debug, Default)]
pub(in crate::ui) struct ModelsPanel {
    pub(in crate::ui) view: ModelsView,
    /// Name and version of the one selected.
    selected: Selection<(String, u32)>,
    /// Somebody has picked it.
    is_picked: bool,
    /// Words that must be in those listed.
    words: String,
}

impl ModelsPanel {
    pub(in crate::ui) fn new(view: ModelsView) -> Self {
        Self { view, ..Self::default() }
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        if let Some(error) = &state.models.error {
            widgets::problem(ui, error);
        }
        let models = state.models.all();
        if models.is_empty() {
            let (title, next) = if state.models.entries.is_some() {
                (
                    "No named models yet",
                    "Give a trained model a name in Results or Runs: it is kept here with where it comes from, and compared with the one in use.",
                )
            } else {
                ("Reading the models…", "The list appears in a moment.")
            };
            widgets::empty_state(ui, icons::CUBE, title, next);
            if state.models.entries.is_some() {
                ui.vertical_centered(|ui| {
                    if widgets::button(ui, icons::STACK, "Show the runs", true).clicked() {
                        commands.send(Command::ShowPanel(PanelKind::Runs));
                    }
                });
            }
            return;
        }
        let listed = listed(models, &self.words, self.view.sort);
        if !self.is_picked || !listed.iter().any(|model| self.selected.contains(&key(model))) {
            // One is always told of: the newest, until another is picked.
            let newest = listed.iter().max_by_key(|model| model.registered);
            if let Some(newest) = newest {
                self.selected.set(key(newest));
            }
        }
        // What is not in view is not acted on.
        let selected = listed.iter().copied().find(|model| self.selected.contains(&key(model)));
        self.actions(ui, state, selected, commands);
        ui.add_space(space::XS);
        self.table(ui, &listed, commands);
        ui.add_space(space::S);
        if let Some(model) = selected {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                detail::show(ui, state, model, commands);
            });
        }
    }

    fn table(&mut self, ui: &mut Ui, listed: &[&ModelEntry], commands: &mut Commands) {
        if listed.is_empty() {
            widgets::hint(ui, "No model fits: other words show more.");
            return;
        }
        let height = (listed.len().min(MOST_ROWS) + 1) as f32 * ROW_HEIGHT;
        let size = egui::vec2(ui.available_width(), height);
        let palette = ui.palette();
        let before = self.selected.clone();
        let did = ui.allocate_ui_with_layout(size, Layout::top_down(EguiAlign::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let table = Table {
                id: "models",
                columns: &COLUMNS,
                leading: None,
                trailing: None,
                rows: listed.len(),
                selected: &|_| false,
                sorting: Sorting::By(self.view.sort),
                clickable: true,
                scrolls: listed.len() > MOST_ROWS,
            };
            let choosing = Choosing {
                name: "Named models",
                selection: &mut self.selected,
                key: &|row| listed.get(row).map(|model| key(model)),
                many: false,
                scroll_to: None,
            };
            let hidden = HiddenColumns::default();
            let cells = |_: &Ui, row: usize| {
                listed.get(row).map_or_else(Vec::new, |model| cells(model, palette))
            };
            table.choose(ui, &hidden, choosing, |_, _, _| {}, cells, |_, _| {})
        });
        let did = did.inner;
        if did.changed && self.selected.is_empty() {
            // A second click on the one that is picked lets it stand.
            self.selected = before;
        }
        self.is_picked |= did.changed;
        if let Some(column) = did.column {
            self.view.sort = Sort::clicked(self.view.sort, column);
        }
        if let Some(model) = did.opened.and_then(|row| listed.get(row)) {
            commands.send(Command::LookAt(model.run.clone()));
        }
    }

    fn actions(
        &mut self,
        ui: &mut Ui,
        state: &State,
        selected: Option<&ModelEntry>,
        commands: &mut Commands,
    ) {
        let mut wanted = None;
        ui.horizontal(|ui| {
            let hint = format!("{}  words…", icons::MAGNIFYING_GLASS);
            let field = TextEdit::singleline(&mut self.words).hint_text(hint).desired_width(130.0);
            let field = ui.add(field);
            widgets::name(&field, egui::Role::SearchInput, "Search models");
            field.on_hover_text("Words in name, run, task, tags or notes");
            let count = match state.models.all().len() {
                1 => "1 model".to_owned(),
                several => format!("{} models", count(several as u64)),
            };
            ui.label(RichText::new(count).color(ui.palette().text_weak));
            let Some(model) = selected else { return };
            let is_champion = model.stage == ModelStage::Champion;
            let promote = widgets::button(ui, icons::CROWN, "Make champion", !is_champion);
            let help = "In use from now on; the champion of this name so far is archived";
            let promote = promote.on_hover_text(help).on_disabled_hover_text("It is the champion.");
            if promote.clicked() {
                wanted = Some((model, ModelStage::Champion));
            }
            let (icon, text, to) = if model.stage == ModelStage::Archived {
                (icons::FLAG, "Make candidate", ModelStage::Candidate)
            } else {
                (icons::ARCHIVE, "Archive", ModelStage::Archived)
            };
            if widgets::button(ui, icon, text, true).clicked() {
                wanted = Some((model, to));
            }
            ui.with_layout(Layout::right_to_left(EguiAlign::Center), |ui| {
                Self::icons(ui, state, model, commands);
            });
        });
        if let Some((model, stage)) = wanted {
            let (name, version) = (model.name.clone(), model.version);
            (self.selected, self.is_picked) = (Selection::default(), true);
            self.selected.set((name.clone(), version));
            commands.send(Command::ChangeModels(ModelChange::Stage { name, version, stage }));
        }
    }

    fn icons(ui: &mut Ui, state: &State, model: &ModelEntry, commands: &mut Commands) {
        let remove =
            widgets::icon_action(ui, icons::TRASH, &format!("Remove the name {model}…"), true);
        if remove.clicked() {
            commands.send(Command::AskToRemove(model.name.clone(), model.version));
        }
        if widgets::icon_action(ui, icons::EXPORT, &format!("Export {model}"), !state.exporting)
            .clicked()
        {
            let what = ExportWhat::Task(model.task.clone());
            commands.send(Command::AskToExport(model.run.clone(), what));
        }
        if widgets::icon_action(ui, icons::NOTE_PENCIL, &format!("Tags and notes of {model}"), true)
            .clicked()
        {
            commands.send(Command::EditNotes(Noted::Model(model.name.clone(), model.version)));
        }
        if widgets::icon_action(
            ui,
            icons::CHART_BAR,
            &format!("Results of the run of {model}"),
            true,
        )
        .clicked()
        {
            commands.send(Command::LookAt(model.run.clone()));
        }
    }
}

/// What names a model.
fn key(model: &ModelEntry) -> (String, u32) {
    (model.name.clone(), model.version)
}

/// The models with the words in them, as they are sorted; by name and version first.
fn listed<'a>(models: &'a [ModelEntry], words: &str, sort: Option<Sort>) -> Vec<&'a ModelEntry> {
    let mut listed: Vec<&ModelEntry> =
        models.iter().filter(|model| model.contains_all(words)).collect();
    if let Some(sort) = sort {
        let text = |text: String| (!text.is_empty()).then_some(text);
        // Stable: what is equal stays as it was.
        listed.sort_by(|a, b| match sort.column {
            0 => sort.order(Some(key(a)), Some(key(b))),
            1 => sort.order(Some(a.stage), Some(b.stage)),
            2 => sort.order(Some(&a.task), Some(&b.task)),
            3 => sort.order(Some(&a.run), Some(&b.run)),
            4 => sort.order(Some(a.registered), Some(b.registered)),
            _ => sort.order(text(a.tags.join(", ")), text(b.tags.join(", "))),
        });
    }
    listed
}

fn cells(model: &ModelEntry, palette: &Palette) -> Vec<Cell> {
    vec![
        Cell::new(model.to_string()),
        stage(model.stage, palette),
        Cell::new(model.task.as_str()),
        run_cell(model),
        Cell::new(minute(model.registered)),
        Cell::new(model.tags.join(", ")),
    ]
}

/// The run in a few words: the dates that the names of all runs begin with tell nobody apart.
fn run_cell(model: &ModelEntry) -> Cell {
    let name = model.run.as_str();
    let short = name.splitn(3, '-').nth(2).filter(|rest| !rest.is_empty()).unwrap_or(name);
    Cell::new(short).hover(Some(name.to_owned()))
}

/// A stage with its sign.
fn stage(stage: ModelStage, palette: &Palette) -> Cell {
    let (icon, color) = match stage {
        ModelStage::Candidate => (icons::FLAG, palette.text),
        ModelStage::Champion => (icons::CROWN, palette.success),
        ModelStage::Archived => (icons::ARCHIVE, palette.text_weak),
    };
    Cell::new(format!("{icon}  {}", stage.word())).color(color)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RunId, TaskId, UtcMillis};

    #[test]
    fn models_are_found_by_words_and_sorted_by_any_column() {
        let model = |name: &str, version: u32, stage, registered: i64, tags: &[&str]| ModelEntry {
            name: name.to_owned(),
            version,
            stage,
            run: RunId::new("20260115-093010-mlp-return-5eed"),
            task: TaskId::new(format!("SYN_A-1h-fold0{version}")),
            registered: UtcMillis(registered),
            notes: String::new(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        let models = [
            model("btc", 1, ModelStage::Champion, 30, &[]),
            model("btc", 2, ModelStage::Candidate, 10, &["Live"]),
            model("eth", 1, ModelStage::Archived, 20, &[]),
        ];
        let found = |words: &str, sort: Option<(usize, bool)>| -> Vec<String> {
            let sort = sort.map(|(column, descending)| Sort { column, descending });
            listed(&models, words, sort).into_iter().map(ToString::to_string).collect()
        };
        assert_eq!(found("", None), ["btc@1", "btc@2", "eth@1"]);
        assert_eq!(found("fold01 MLP", None), ["btc@1", "eth@1"]);
        assert_eq!(found("live", Some((0, false))), ["btc@2"]);
        assert_eq!(found("", Some((4, true))), ["btc@1", "eth@1", "btc@2"]);
        assert_eq!(found("", Some((1, false))), ["btc@2", "btc@1", "eth@1"]);
        assert_eq!(found("", Some((5, true))), ["btc@2", "btc@1", "eth@1"], "untagged ones last");
        assert!(found("sol", None).is_empty());
    }
}
