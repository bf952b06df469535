//! The named models: what they are good for, where they come from, and how they compare with the one in use.

mod detail;

use egui::{Align as EguiAlign, Layout, RichText, ScrollArea, Ui};

use crate::domain::text::{count, minute};
use crate::export::ExportWhat;
use crate::runs::{ModelEntry, ModelStage};
use crate::ui::commands::{Command, Commands, Noted};
use crate::ui::icons;
use crate::ui::layout::PanelKind;
use crate::ui::state::State;
use crate::ui::theme::{Palette, ROW_HEIGHT, Themed, space};
use crate::ui::widgets::{self, Align, Cell, Column, Sorting, Table, column};
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

/// The named models.
#[derive(Debug, Default)]
pub(in crate::ui) struct ModelsPanel {
    /// Name and version of the one selected.
    selected: Option<(String, u32)>,
}

impl ModelsPanel {
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
        let selected = self.selected.as_ref();
        let selected = selected.and_then(|(name, version)| state.models.find(name, *version));
        // One is always told of: the newest, until another is picked.
        let selected = selected.or_else(|| models.iter().max_by_key(|model| model.registered));
        self.actions(ui, state, selected, commands);
        ui.add_space(space::XS);
        self.table(ui, models, selected);
        ui.add_space(space::S);
        if let Some(model) = selected {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                detail::show(ui, state, model, commands);
            });
        }
    }

    fn table(&mut self, ui: &mut Ui, models: &[ModelEntry], selected: Option<&ModelEntry>) {
        let height = (models.len().min(MOST_ROWS) + 1) as f32 * ROW_HEIGHT;
        let size = egui::vec2(ui.available_width(), height);
        let is_selected = |row: usize| models.get(row) == selected;
        let clicked = ui.allocate_ui_with_layout(size, Layout::top_down(EguiAlign::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let table = Table {
                id: "models",
                columns: &COLUMNS,
                leading: None,
                trailing: None,
                rows: models.len(),
                selected: &is_selected,
                sorting: Sorting::No,
                clickable: true,
                scrolls: models.len() > MOST_ROWS,
            };
            let palette = ui.palette();
            let row = |row: usize| models.get(row).map(|model| cells(model, palette));
            table.show(ui, |_, index| row(index).unwrap_or_default(), |_, _| {})
        });
        if let Some(model) = clicked.inner.and_then(|row| models.get(row)) {
            self.selected = Some((model.name.clone(), model.version));
        }
    }

    fn actions(
        &mut self,
        ui: &mut Ui,
        state: &State,
        selected: Option<&ModelEntry>,
        commands: &mut Commands,
    ) {
        let Some(model) = selected else { return };
        let mut wanted = None;
        ui.horizontal(|ui| {
            let count = match state.models.all().len() {
                1 => "1 model".to_owned(),
                several => format!("{} models", count(several as u64)),
            };
            ui.label(RichText::new(count).color(ui.palette().text_weak));
            let is_champion = model.stage == ModelStage::Champion;
            let promote = widgets::button(ui, icons::CROWN, "Make champion", !is_champion);
            let help = "In use from now on; the champion of this name so far is archived";
            let promote = promote.on_hover_text(help).on_disabled_hover_text("It is the champion.");
            if promote.clicked() {
                wanted = Some(ModelStage::Champion);
            }
            let (icon, text, to) = if model.stage == ModelStage::Archived {
                (icons::FLAG, "Make candidate", ModelStage::Candidate)
            } else {
                (icons::ARCHIVE, "Archive", ModelStage::Archived)
            };
            if widgets::button(ui, icon, text, true).clicked() {
                wanted = Some(to);
            }
            ui.with_layout(Layout::right_to_left(EguiAlign::Center), |ui| {
                Self::icons(ui, state, model, commands);
            });
        });
        if let Some(stage) = wanted {
            let (name, version) = (model.name.clone(), model.version);
            self.selected = Some((name.clone(), version));
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
