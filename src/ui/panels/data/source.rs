use std::path::{Path, PathBuf};

use egui::{Align, Button, Layout, RichText, Ui};

use super::send_if_changed;
use crate::spec::{DataSource, SyntheticMarket, SyntheticSpec};
use crate::ui::commands::{Command, Commands, DataCommand, Purpose};
use crate::ui::icons;
use crate::ui::state::{Draft, State};
use crate::ui::theme::Themed;
use crate::ui::widgets::{self, Form};

/// Width of the list of recent folders, in points.
const RECENT_WIDTH: f32 = 340.0;

/// The built-in market, or a folder.
#[derive(Debug, Default)]
pub(super) struct SourcePicker {
    /// The folder as it is being typed; `None` while it is the draft's.
    folder: Option<String>,
}

impl SourcePicker {
    pub(super) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let source = &state.draft.spec().data.source;
        let is_synthetic = matches!(source, DataSource::Synthetic(_));
        ui.horizontal(|ui| {
            if ui.selectable_label(is_synthetic, "Built-in market").clicked() {
                self.folder = None;
                commands.send(Command::UseSynthetic);
            }
            if ui.selectable_label(!is_synthetic, "Folder").clicked() && is_synthetic {
                commands.send(Command::Browse(Purpose::Data));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                recent_folders(ui, state, commands);
            });
        });
        let current = match source {
            DataSource::Folder(folder) => folder.display().to_string(),
            DataSource::Synthetic(_) => String::new(),
        };
        let help = "A folder with one file per symbol and timeframe, such as BTC_USDT-1h.feather. Enter opens it.";
        Form::new(&state.draft).labelled_row(
            ui,
            "Data folder",
            "data.source",
            help,
            |ui, label| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let browse =
                        widgets::icon_button(ui, icons::FOLDER_OPEN, "Browse for a folder");
                    if browse.on_hover_text("Browse for a folder").clicked() {
                        commands.send(Command::Browse(Purpose::Data));
                    }
                    let mut text = self.folder.clone().unwrap_or_else(|| current.clone());
                    let field = egui::TextEdit::singleline(&mut text)
                        .hint_text("path, or browse")
                        .desired_width(f32::INFINITY);
                    let field = ui.add(field).labelled_by(label).on_hover_text(current.as_str());
                    if field.changed() {
                        self.folder = Some(text.clone());
                    }
                    if field.lost_focus() {
                        let typed = text.trim();
                        if ui.input(|input| input.key_pressed(egui::Key::Enter))
                            && !typed.is_empty()
                        {
                            commands.send(Command::UseFolder(PathBuf::from(typed)));
                        }
                        self.folder = None;
                    }
                });
            },
        );
    }
}

/// The folders used last, and the built-in market. Those that are gone are shown as gone and can be taken off the list.
fn recent_folders(ui: &mut Ui, state: &State, commands: &mut Commands) {
    let text = format!("{}  Recent", icons::CARET_DOWN);
    let menu = ui.menu_button(text, |ui| {
        ui.set_width(RECENT_WIDTH);
        if widgets::button(ui, icons::SHUFFLE, "Use the built-in market", true).clicked() {
            commands.send(Command::UseSynthetic);
            ui.close();
        }
        ui.separator();
        let folders = state.recents.folders();
        if folders.is_empty() {
            ui.weak("Folders that you open are listed here.");
        }
        for folder in folders {
            ui.horizontal(|ui| recent_folder(ui, state, folder, commands));
        }
    });
    if menu.response.clicked() {
        commands.send(Command::Data(DataCommand::LookForFolders));
    }
    let response = menu.response.on_hover_text("The data folders used last");
    widgets::name(&response, egui::Role::Button, "Recent folders");
}

fn recent_folder(ui: &mut Ui, state: &State, folder: &Path, commands: &mut Commands) {
    let is_missing = state.recents.is_missing(folder);
    let shown = folder.display().to_string();
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let forget = widgets::icon_button(ui, icons::X, &format!("Forget {shown}"));
        if forget.on_hover_text("Take it off this list; the folder stays").clicked() {
            commands.send(Command::Data(DataCommand::ForgetFolder(folder.to_owned())));
        }
        ui.with_layout(Layout::left_to_right(Align::Center).with_main_justify(true), |ui| {
            let palette = ui.palette();
            let name = folder
                .file_name()
                .map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned());
            let parent = folder.parent().map(|parent| parent.display().to_string());
            let parent = parent.unwrap_or_default();
            let (text, named) = if is_missing {
                let text = format!("{}  {name}  (missing)", icons::WARNING);
                (RichText::new(text).color(palette.text_weak), format!("{shown} (missing)"))
            } else {
                let text = RichText::new(format!("{}  {name}", icons::FOLDER_OPEN));
                (text, shown.clone())
            };
            let button = Button::new(text).frame_when_inactive(false).truncate();
            let button = button.right_text(RichText::new(parent).small().color(palette.text_weak));
            let button = ui.add_enabled(!is_missing, button);
            widgets::name(&button, egui::Role::Button, &named);
            let gone = format!("{shown} was not there when it was last looked for");
            if button.on_hover_text(shown.as_str()).on_disabled_hover_text(gone).clicked() {
                commands.send(Command::UseFolder(folder.to_owned()));
                ui.close();
            }
        });
    });
}

/// The built-in market's own fields.
pub(super) fn synthetic(ui: &mut Ui, draft: &Draft, commands: &mut Commands) {
    let mut spec = draft.spec().clone();
    let DataSource::Synthetic(SyntheticSpec { market, bars, seed }) = &mut spec.data.source else {
        return;
    };
    let form = Form::new(draft);
    let mut planted = matches!(market, SyntheticMarket::Planted { .. });
    form.choice(
        ui,
        "Market",
        "data.source.market",
        "Made up from a seed, the same on every machine. Planted: the next return depends on the volume \
         surprise. Null: nothing predicts anything",
        &[(true, "planted signal".to_owned()), (false, "null: a random walk".to_owned())],
        &mut planted,
    );
    match (planted, &mut *market) {
        (true, SyntheticMarket::Planted { ic }) => {
            let help = "Correlation of the best possible prediction with the outcome at horizon 1";
            form.real(ui, "Signal IC", "data.source.market.ic", ("", help), ic);
        }
        (true, SyntheticMarket::Null) => *market = SyntheticMarket::Planted { ic: 0.3 },
        (false, _) => *market = SyntheticMarket::Null,
    }
    let help = "Bars of each symbol";
    form.integer(ui, "Length", "data.source.bars", ("bars", help), bars);
    form.row(ui, "Market seed", "data.source.seed", "Another seed, another market", |ui| {
        widgets::number(ui, egui::DragValue::new(seed).speed(0.1));
    });
    send_if_changed(draft, spec, commands);
}
