use std::path::Path;

use egui::{Label, RichText, ScrollArea, TextEdit, Ui};

use super::super::note;
use super::form::ImportForm;
use crate::domain::text::{count, minute, significant};
use crate::market::{DateOrder, Entry, Layout, Reading, Trial, TrialRow};
use crate::ui::commands::{Command, Commands, DataCommand};
use crate::ui::icons;
use crate::ui::state::State;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets::{self, Align, Cell, Fitted, column};
use crate::workbench::Examination;

const NAME_WIDTH: f32 = 128.0;
const FIELD_WIDTH: f32 = 168.0;
const COLUMN_WIDTH: f32 = 92.0;

const COLUMNS: [widgets::Column; 6] = [
    column("Opens (UTC)", "When the bar opens", 124.0, Align::Left),
    column("Open", "The first price", 84.0, Align::Right),
    column("High", "The highest price", 84.0, Align::Right),
    column("Low", "The lowest price", 84.0, Align::Right),
    column("Close", "The last price", 84.0, Align::Right),
    column("Volume", "What was traded", 84.0, Align::Right),
];

const LAYOUTS: [Layout; 8] = [
    Layout::Generic,
    Layout::Freqtrade,
    Layout::BinanceKlines,
    Layout::MetaTrader,
    Layout::Lean,
    Layout::LeanQuotes,
    Layout::CryptoDataDownload,
    Layout::EjtraderPoints,
];

/// How a file is read, and the form that says otherwise.
#[derive(Debug, Default)]
pub(super) struct ImportView {
    form: Option<ImportForm>,
}

impl ImportView {
    /// `reading` is how the file was read; `None` where it cannot be.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        state: &State,
        entry: &Entry,
        (found, reading): (&Examination, Option<&Reading>),
        commands: &mut Commands,
    ) {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            if let Some(reading) = reading {
                facts(ui, reading);
                ui.add_space(space::S);
            }
            self.form_of(&entry.path, found.overrides.as_deref()).show(ui, state, commands);
        });
    }

    /// Another file, or another text beside it, begins anew; what the form holds for stays while the file does.
    fn form_of(&mut self, file: &Path, before: Option<&str>) -> &mut ImportForm {
        let is_same = |form: &ImportForm| form.file == file && form.before.as_deref() == before;
        let old = self.form.take();
        let whole_folder = old.as_ref().is_some_and(|old| old.file == file && old.whole_folder);
        let begun = || ImportForm::new(file.to_owned(), before.map(str::to_owned), whole_folder);
        self.form.insert(old.filter(is_same).unwrap_or_else(begun))
    }
}

/// What was found out about a file, and how.
fn facts(ui: &mut Ui, reading: &Reading) {
    let told = |value: String, origin: String| format!("{value}, {origin}");
    let format = format!("{:?}", reading.format).to_lowercase();
    let packed = reading.member.as_ref().map(|member| format!(" ({member} in an archive)"));
    let mut rows = vec![
        ("Format", format!("{format}{}", packed.unwrap_or_default())),
        ("Layout", told(reading.layout.value.to_string(), reading.layout.origin.to_string())),
        ("Time zone", told(reading.zone.value.clone(), reading.zone.origin.to_string())),
        ("Dates", reading.time_format.clone()),
        (
            "Prices divided by",
            told(reading.price_divisor.value.to_string(), reading.price_divisor.origin.to_string()),
        ),
    ];
    if let Some(encoding) = &reading.encoding {
        rows.push(("Encoding", encoding.clone()));
    }
    if let Some(separator) = reading.separator {
        let header = if reading.header { "with a header" } else { "without a header" };
        rows.push(("Separator", format!("{separator:?}, {header}")));
    }
    if let Some(symbol) = &reading.symbol {
        rows.push(("Symbol", told(symbol.value.to_string(), symbol.origin.to_string())));
    }
    if let Some(timeframe) = &reading.timeframe {
        let told = told(timeframe.value.to_string(), timeframe.origin.to_string());
        rows.push(("Timeframe", told));
    }
    widgets::section(ui, "How it was read");
    egui::Grid::new("import facts").num_columns(4).spacing([space::L, 4.0]).show(ui, |ui| {
        for pair in rows.chunks(2) {
            for (name, value) in pair {
                ui.label(RichText::new(*name).color(ui.palette().text_weak));
                ui.label(value);
            }
            ui.end_row();
        }
    });
}

impl ImportForm {
    fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        widgets::section(ui, "Read it otherwise");
        note(
            ui,
            "What is left empty is found out from the file. A file walkforge.ron beside the market files keeps what is said here; it holds for the terminal as well.",
        );
        self.scope(ui);
        self.fields(ui);
        let text = self.text();
        ui.add_space(space::XS);
        match &text {
            Err(message) => widgets::issue(ui, message),
            Ok(text) => self.buttons(ui, state, text, commands),
        }
        if let Some(outcome) = state.examined.trial.outcome.as_ref().filter(|_| {
            text.as_ref().is_ok_and(|text| state.examined.trial.is_of(text))
                && !state.examined.trial.pending
        }) {
            match outcome {
                Ok(trial) => tried(ui, trial),
                Err(message) => widgets::problem(ui, message),
            }
        }
        if let Ok(text) = &text {
            ui.collapsing("The text of walkforge.ron", |ui| {
                ui.add(Label::new(RichText::new(text).monospace()).selectable(true).wrap());
                if widgets::button(ui, icons::COPY, "Copy the text", true).clicked() {
                    ui.copy_text(text.clone());
                }
            });
        }
    }

    fn scope(&mut self, ui: &mut Ui) {
        let mut whole = self.whole_folder;
        row(ui, "It holds for", "One file, or every file of the folder", |ui| {
            let text = if whole { "every file of the folder" } else { "this file" };
            let combo = egui::ComboBox::from_id_salt("import scope").selected_text(text);
            let combo = combo.width(FIELD_WIDTH).show_ui(ui, |ui| {
                ui.selectable_value(&mut whole, false, "this file");
                ui.selectable_value(&mut whole, true, "every file of the folder");
            });
            widgets::name(&combo.response, egui::Role::ComboBox, "It holds for");
        });
        if whole != self.whole_folder {
            self.whole_folder = whole;
            self.fill();
        }
    }

    fn fields(&mut self, ui: &mut Ui) {
        let said = &mut self.said;
        optional(
            ui,
            "Layout",
            "Whose way of writing bars it is",
            &mut said.layout,
            &LAYOUTS,
            |l| l.to_string(),
        );
        row(ui, "Time zone", "Of dates that name none: UTC, or an IANA name", |ui| {
            text_field(ui, "Time zone", "UTC, Europe/Athens…", &mut self.zone, FIELD_WIDTH);
        });
        let orders = [DateOrder::YearMonthDay, DateOrder::DayMonthYear, DateOrder::MonthDayYear];
        let order = |order: DateOrder| {
            match order {
                DateOrder::YearMonthDay => "2024-06-30",
                DateOrder::DayMonthYear => "30.06.2024",
                DateOrder::MonthDayYear => "06/30/2024",
            }
            .to_owned()
        };
        let help = "In which order day, month and year stand";
        optional(ui, "Dates as", help, &mut said.date_order, &orders, order);
        let help = "What stands between the fields of a line";
        let separators = [',', ';', '\t', '|'];
        optional(ui, "Separator", help, &mut said.separator, &separators, |c| format!("{c:?}"));
        let help = "10000 where the file says 1363000 for 136.30";
        row(ui, "Prices divided by", help, |ui| {
            let (name, value) = ("Prices divided by", &mut self.price_divisor);
            text_field(ui, name, "1", value, FIELD_WIDTH);
        });
        let help = "Which columns hold what: the name in the header, or the position from 1";
        row(ui, "Columns", help, |ui| {
            ui.horizontal_wrapped(|ui| {
                let names = ["time", "time of day", "open", "high", "low", "close", "volume"];
                for (name, value) in names.into_iter().zip(&mut self.columns) {
                    let called = format!("Column of the {name}");
                    text_field(ui, &called, name, value, COLUMN_WIDTH);
                }
            });
        });
    }

    fn buttons(&self, ui: &mut Ui, state: &State, text: &str, commands: &mut Commands) {
        let trial = &state.examined.trial;
        let is_said = self.overrides().is_ok_and(|overrides| overrides.to_ron() == text);
        ui.horizontal(|ui| {
            let can = !trial.pending || !trial.is_of(text);
            let help = "Reads the file this way and shows its first rows; nothing is written";
            let button = widgets::button(ui, icons::PLAY, "Try it", can);
            if button.on_hover_text(help).clicked() {
                let (file, text) = (self.file.clone(), text.to_owned());
                commands.send(Command::Data(DataCommand::TryImport { file, text }));
            }
            let write = widgets::button(ui, icons::FLOPPY_DISK, "Write walkforge.ron", !is_said);
            let write = write
                .on_hover_text("Writes it beside the market files and reads the folder again")
                .on_disabled_hover_text("It says nothing that the folder's file does not say");
            if write.clicked() {
                let folder = self.file.parent().map(Path::to_owned).unwrap_or_default();
                let (before, text) = (self.before.clone(), text.to_owned());
                commands.send(Command::Data(DataCommand::SaveOverrides { folder, before, text }));
            }
            if trial.pending {
                ui.weak(format!("{}  Reading the file…", icons::HOURGLASS_MEDIUM));
            }
        });
        let has_comments = |text: &String| text.contains("//") || text.contains("/*");
        if !is_said && self.before.as_ref().is_some_and(has_comments) {
            widgets::hint(
                ui,
                "The folder's walkforge.ron has comments. Writing it from here leaves them out: to keep them, copy the text below into the file.",
            );
        }
    }
}

/// The file as it would be read.
fn tried(ui: &mut Ui, trial: &Trial) {
    let rows = format!("{} rows would be read", count(trial.rows));
    let unreadable = match trial.unreadable {
        0 => String::new(),
        some => format!(", {} not", count(some)),
    };
    ui.label(format!("{rows}{unreadable}. The first of them:"));
    Fitted { id: "trial", columns: &COLUMNS, rows: trial.first.len(), most: trial.first.len() }
        .show(ui, |_, row| trial.first.get(row).map(cells).unwrap_or_default());
    for text in trial.reading.notes() {
        note(ui, &text);
    }
}

fn cells(row: &TrialRow) -> Vec<Cell> {
    let time = Cell::new(minute(row.open_time));
    let values = row.values.iter().map(|value| Cell::new(significant(Some(*value))));
    std::iter::once(time).chain(values).collect()
}

fn row(ui: &mut Ui, name: &str, help: &str, add: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        let size = egui::vec2(NAME_WIDTH, ui.spacing().interact_size.y);
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(size, layout, |ui| {
            ui.set_min_width(NAME_WIDTH);
            let text = RichText::new(name).color(ui.palette().text_weak);
            ui.add(Label::new(text).truncate()).on_hover_text(help);
        });
        add(ui);
    });
}

fn text_field(ui: &mut Ui, name: &str, hint: &str, value: &mut String, width: f32) {
    let field = TextEdit::singleline(value).hint_text(hint).desired_width(width);
    let field = ui.add(field.id_salt(("import", name)));
    widgets::name(&field, egui::Role::TextInput, name);
}

/// One of several, or whatever the file shows.
fn optional<T: PartialEq + Copy>(
    ui: &mut Ui,
    name: &str,
    help: &str,
    value: &mut Option<T>,
    all: &[T],
    in_words: impl Fn(T) -> String,
) {
    const FOUND_OUT: &str = "found out";
    row(ui, name, help, |ui| {
        let shown = value.map_or_else(|| FOUND_OUT.to_owned(), &in_words);
        let combo = egui::ComboBox::from_id_salt(("import", name)).selected_text(shown);
        let combo = combo.width(FIELD_WIDTH).show_ui(ui, |ui| {
            ui.selectable_value(value, None, FOUND_OUT);
            for option in all {
                ui.selectable_value(value, Some(*option), in_words(*option));
            }
        });
        widgets::name(&combo.response, egui::Role::ComboBox, name);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_form_holds_for_stays_when_the_text_beside_the_file_is_another() {
        let mut view = ImportView::default();
        let (file, other) = (Path::new("/data/A-1h.csv"), Path::new("/data/B-1h.csv"));
        view.form_of(file, None).whole_folder = true;
        let form = view.form_of(file, Some("(all: (price_divisor: 10))"));
        assert!(form.whole_folder && form.price_divisor == "10", "{form:?}");
        form.zone = "UTC".to_owned();
        assert_eq!(view.form_of(file, Some("(all: (price_divisor: 10))")).zone, "UTC");
        assert!(!view.form_of(other, None).whole_folder);
    }
}
