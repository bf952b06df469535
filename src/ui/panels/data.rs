use std::path::PathBuf;

use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use super::{files, policies};
use crate::domain::{Symbol, Timeframe, UtcMillis};
use crate::spec::{DataSource, ExperimentSpec, Pooling, SyntheticMarket, SyntheticSpec};
use crate::ui::commands::{Command, Commands, Purpose};
use crate::ui::icons;
use crate::ui::state::{Choice, Draft, Listing, Source, State};
use crate::ui::theme::{ROW_HEIGHT, Themed, space};
use crate::ui::widgets::{self, Form};

/// With more symbols than this there is a search, and the ticked ones are named above the list.
const LONG_LIST: usize = 8;

/// Where bars come from, and which symbols and timeframes are trained on.
#[derive(Debug, Default)]
pub(in crate::ui) struct DataPanel {
    /// The folder as it is being typed; `None` while it is the draft's.
    folder: Option<String>,
    search: String,
    /// Dates as they are being typed, while they are no dates.
    from: Option<String>,
    until: Option<String>,
}

impl DataPanel {
    /// What was being typed belongs to an experiment that has left the bench.
    pub(in crate::ui) fn forget_typing(&mut self) {
        (self.folder, self.from, self.until) = (None, None, None);
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            self.source(ui, state, commands);
            match &state.source {
                Source::Synthetic => {
                    synthetic(ui, &state.draft, commands);
                    let listing = Listing::of_synthetic(&state.draft.spec().data);
                    self.ticks(ui, &state.draft, &listing, commands);
                }
                Source::Scanning { .. } => {
                    ui.add_space(space::S);
                    ui.weak("Reading the folder…");
                }
                Source::Ready(listing) => {
                    self.ticks(ui, &state.draft, listing, commands);
                    files::show(ui, state, listing);
                    policies::show(ui, &state.draft, commands);
                }
                Source::Failed { message, .. } => {
                    ui.add_space(space::S);
                    widgets::problem(ui, message);
                    if widgets::button(ui, icons::ARROW_COUNTER_CLOCKWISE, "Try again", true)
                        .clicked()
                    {
                        commands.send(Command::Rescan);
                    }
                }
            }
        });
    }

    fn source(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
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

    fn ticks(&mut self, ui: &mut Ui, draft: &Draft, listing: &Listing, commands: &mut Commands) {
        Self::timeframes(ui, draft, listing, commands);
        self.symbols(ui, draft, listing, commands);
        self.options(ui, draft, commands);
        if !listing.skipped.is_empty() {
            let title = format!("{} files passed over", listing.skipped.len());
            ui.collapsing(title, |ui| {
                for skipped in &listing.skipped {
                    let name = skipped.path.file_name().unwrap_or_default().to_string_lossy();
                    ui.add(Label::new(format!("{name}: {}", skipped.reason)).wrap());
                }
            });
        }
    }

    fn timeframes(ui: &mut Ui, draft: &Draft, listing: &Listing, commands: &mut Commands) {
        widgets::section(ui, "Timeframes");
        ui.horizontal_wrapped(|ui| {
            for (timeframe, symbols) in &listing.timeframes {
                let mut ticked = draft.timeframes().contains(timeframe);
                let help = format!("{symbols} symbols have bars of {timeframe}");
                if ui.checkbox(&mut ticked, timeframe.to_string()).on_hover_text(help).changed() {
                    let mut choice: Choice<Timeframe> = draft.timeframes().clone();
                    choice.toggle(timeframe, &listing.all_timeframes());
                    commands.edit(draft.with_timeframes(choice));
                }
            }
        });
        if let Some(message) = draft.issue("data.timeframes") {
            widgets::issue(ui, message);
        }
    }

    fn symbols(&mut self, ui: &mut Ui, draft: &Draft, listing: &Listing, commands: &mut Commands) {
        let all = listing.all_symbols();
        let ticked = draft.symbols().count(all.len());
        ui.horizontal(|ui| {
            widgets::section(ui, "Symbols");
            ui.weak(format!("{ticked} of {}", all.len()));
        });
        if let Some(message) = draft.issue("data.symbols") {
            widgets::issue(ui, message);
        }
        if all.len() > LONG_LIST
            && let Choice::Some(symbols) = draft.symbols()
        {
            // They may stand far down in it.
            let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
            let names = names.join(", ");
            let text = RichText::new(&names).small().color(ui.palette().text_weak);
            ui.add(Label::new(text).truncate()).on_hover_text(names);
        }
        if all.len() > LONG_LIST {
            let field = egui::TextEdit::singleline(&mut self.search)
                .hint_text("search symbols")
                .prefix(icons::MAGNIFYING_GLASS)
                .desired_width(f32::INFINITY);
            let response = ui.add(field);
            widgets::name(&response, egui::Role::SearchInput, "Search symbols");
        } else {
            self.search.clear();
        }
        let needle = self.search.trim().to_lowercase();
        let found: Vec<&(Symbol, Vec<Timeframe>)> = listing
            .symbols
            .iter()
            .filter(|(symbol, _)| symbol.as_str().to_lowercase().contains(&needle))
            .collect();
        Self::all_symbols(ui, draft, &all, commands);
        let rows = found.len().clamp(1, 12);
        let height = rows as f32 * (ROW_HEIGHT + ui.spacing().item_spacing.y);
        let list = ScrollArea::vertical().id_salt("symbols").max_height(height);
        list.auto_shrink([false, false]).show_rows(ui, ROW_HEIGHT, found.len(), |ui, range| {
            for (symbol, timeframes) in found.get(range).unwrap_or_default() {
                symbol_row(ui, draft, &all, symbol, timeframes, commands);
            }
        });
        if found.is_empty() {
            ui.weak(format!("No symbol contains “{}”.", self.search.trim()));
        }
    }

    fn all_symbols(ui: &mut Ui, draft: &Draft, all: &[Symbol], commands: &mut Commands) {
        let ticked = draft.symbols().count(all.len());
        let mut everything = ticked == all.len();
        let partly = ticked > 0 && !everything;
        let tick = egui::Checkbox::new(&mut everything, "All symbols").indeterminate(partly);
        if ui.add(tick).on_hover_text("Every symbol that has the ticked timeframes").changed() {
            let choice = if everything { Choice::All } else { Choice::None };
            commands.edit(draft.with_symbols(choice));
        }
    }

    fn options(&mut self, ui: &mut Ui, draft: &Draft, commands: &mut Commands) {
        let form = Form::new(draft);
        let mut spec = draft.spec().clone();
        widgets::section(ui, "Models and period");
        form.choice(
            ui,
            "Models",
            "data.pooling",
            "A model of its own for each symbol, or one for all of them, cut on one UTC time axis",
            &[
                (Pooling::PerSymbol, "one per symbol".to_owned()),
                (Pooling::Pooled, "one for all symbols".to_owned()),
            ],
            &mut spec.data.pooling,
        );
        let from = &mut spec.data.from;
        date(
            ui,
            form,
            ("From", "data.from", "Only bars that open at or after this"),
            &mut self.from,
            from,
        );
        let until = &mut spec.data.until;
        date(
            ui,
            form,
            ("Until", "data.until", "Only bars that open before this"),
            &mut self.until,
            until,
        );
        send_if_changed(draft, spec, commands);
    }
}

fn symbol_row(
    ui: &mut Ui,
    draft: &Draft,
    all: &[Symbol],
    symbol: &Symbol,
    timeframes: &[Timeframe],
    commands: &mut Commands,
) {
    ui.horizontal(|ui| {
        let mut ticked = draft.symbols().contains(symbol);
        if ui.checkbox(&mut ticked, symbol.as_str()).changed() {
            let mut choice = draft.symbols().clone();
            choice.toggle(symbol, all);
            commands.edit(draft.with_symbols(choice));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let names: Vec<String> = timeframes.iter().map(ToString::to_string).collect();
            let text = RichText::new(names.join("  ")).small().color(ui.palette().text_weak);
            ui.add(Label::new(text).truncate());
        });
    });
}

/// The built-in market's own fields.
fn synthetic(ui: &mut Ui, draft: &Draft, commands: &mut Commands) {
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

/// A date that may be absent. What is typed stays as it is until it is a date.
fn date(
    ui: &mut Ui,
    form: Form<'_>,
    (name, field, help): (&str, &str, &str),
    typed: &mut Option<String>,
    value: &mut Option<UtcMillis>,
) {
    let shown = value.map(|at| at.to_string().replace("T00:00:00Z", "")).unwrap_or_default();
    let mut text = typed.clone().unwrap_or(shown);
    let mut wrong = None;
    form.labelled_row(ui, name, field, help, |ui, label| {
        let edit = egui::TextEdit::singleline(&mut text).hint_text("any, or 2024-06-30 (UTC)");
        let response = ui.add(edit.desired_width(f32::INFINITY)).labelled_by(label);
        if response.changed() {
            *typed = Some(text.clone());
            if text.trim().is_empty() {
                *value = None;
            } else if let Ok(at) = text.parse() {
                *value = Some(at);
            }
        }
        let is_whole = text.trim().is_empty() || text.trim().parse::<UtcMillis>().is_ok();
        if response.lost_focus() && is_whole {
            *typed = None;
        }
    });
    if !text.trim().is_empty()
        && let Err(error) = text.parse::<UtcMillis>()
    {
        wrong = Some(error.to_string());
    }
    if let Some(message) = wrong {
        widgets::issue(ui, &format!("{message}; the last valid date stays in force"));
    }
}

pub(super) fn send_if_changed(draft: &Draft, spec: ExperimentSpec, commands: &mut Commands) {
    if spec != *draft.spec() {
        commands.edit(draft.with_spec(spec));
    }
}
