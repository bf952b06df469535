use std::collections::BTreeSet;

use egui::{Label, Layout, RichText, Ui, vec2};

use super::every_symbol;
use super::facts::{Facts, about};
use super::order::{Field, Order, SeriesSort};
use crate::domain::Symbol;
use crate::domain::text::{UNKNOWN, count, day};
use crate::ui::commands::{Command, Commands, DataCommand};
use crate::ui::icons;
use crate::ui::state::{Choice, ListedSeries, Listing, State};
use crate::ui::theme::{Palette, ROW_HEIGHT, Themed, space};
use crate::ui::widgets::{self, Align, Cell, Column, Sort, Sorting, Table, column};
use crate::workbench::MarketSeries;

/// With more symbols than this there is a search, and the ticked ones are named above the list.
const LONG_LIST: usize = 8;
/// So many rows are shown before the list scrolls, in a panel of any height.
const LEAST_ROWS: usize = 10;
/// What else stands in the panel beside the list, in points.
const BESIDE: f32 = 380.0;
/// Series asked for at once.
const MOST_ASKED: usize = 1_000;
/// From this width on the list has dates, and from the next on files.
const WITH_DATES: f32 = 560.0;
const WITH_FILES: f32 = 720.0;
/// Width of the column of ticks.
const TICK_WIDTH: f32 = 20.0;

/// The list of series: what is ticked, what is in them, what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct CatalogTable {
    search: String,
    order: Order,
}

/// What was done to the list in a frame.
#[derive(Default)]
struct Done {
    ticked: Option<usize>,
    clicked: Option<usize>,
    /// Places of the series that were drawn.
    in_view: Vec<usize>,
}

impl CatalogTable {
    /// `sort` is changed by clicks on titles; the list is higher in a panel that is `tall`.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        state: &State,
        listing: &Listing,
        (sort, tall): (&mut Option<SeriesSort>, f32),
        commands: &mut Commands,
    ) {
        let draft = &state.draft;
        self.head(ui, state, listing);
        let timeframes = draft.timeframes();
        self.order.follow(&listing.series, &state.surveys, timeframes, &self.search, *sort);
        ui.horizontal(|ui| {
            every_symbol(ui, draft, listing.symbols.len(), commands);
            self.found(ui, state, listing, commands);
        });
        if self.order.shown().is_empty() {
            ui.weak(format!("No symbol contains “{}”.", self.search.trim()));
            return;
        }
        let most = ((tall - BESIDE) / ROW_HEIGHT).max(LEAST_ROWS as f32) as usize;
        let rows = self.order.shown().len().min(most) + 1;
        let size = vec2(ui.available_width(), rows as f32 * ROW_HEIGHT);
        let done = ui.allocate_ui_with_layout(size, Layout::top_down(egui::Align::Min), |ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 0.0);
            self.rows(ui, state, listing, sort, most)
        });
        self.act(state, listing, *sort, done.inner, commands);
    }

    fn head(&mut self, ui: &mut Ui, state: &State, listing: &Listing) {
        let (draft, all) = (&state.draft, listing.symbols.len());
        ui.horizontal(|ui| {
            widgets::section(ui, "Symbols");
            ui.weak(format!("{} of {all}", draft.symbols().count(all)));
        });
        if let Some(message) = draft.issue("data.symbols") {
            widgets::issue(ui, message);
        }
        if all <= LONG_LIST {
            self.search.clear();
            return;
        }
        if let Choice::Some(symbols) = draft.symbols() {
            // They may stand far down in the list.
            let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
            let names = names.join(", ");
            let text = RichText::new(&names).small().color(ui.palette().text_weak);
            ui.add(Label::new(text).truncate()).on_hover_text(names);
        }
        let field = egui::TextEdit::singleline(&mut self.search)
            .id(egui::Id::unique("search symbols"))
            .hint_text("search symbols")
            .prefix(icons::MAGNIFYING_GLASS)
            .desired_width(f32::INFINITY);
        let response = ui.add(field);
        widgets::name(&response, egui::Role::SearchInput, "Search symbols");
    }

    /// Ticks what the search has found, beside what is ticked.
    fn found(&self, ui: &mut Ui, state: &State, listing: &Listing, commands: &mut Commands) {
        if self.search.trim().is_empty() || self.order.shown().is_empty() {
            return;
        }
        let ticked: &[Symbol] = match state.draft.symbols() {
            Choice::All => return,
            Choice::None => &[],
            Choice::Some(ticked) => ticked,
        };
        let mut known: BTreeSet<&Symbol> = ticked.iter().collect();
        let found = self.order.shown().iter().filter_map(|&index| listing.series.get(index));
        let found = found.map(|listed| listed.series.symbol());
        // In the order of the list; each once, however many series it has.
        let more: Vec<&Symbol> = found.filter(|symbol| known.insert(symbol)).collect();
        let help = "Ticks every symbol that the search has found, beside those that are ticked";
        let text = format!("Tick {} found", count(more.len() as u64));
        if !more.is_empty() && ui.button(text).on_hover_text(help).clicked() {
            let all = ticked.iter().chain(more).cloned().collect();
            commands.edit(state.draft.with_symbols(Choice::Some(all)));
        }
    }

    fn rows(
        &self,
        ui: &mut Ui,
        state: &State,
        listing: &Listing,
        sort: &mut Option<SeriesSort>,
        most: usize,
    ) -> Done {
        let shown = self.order.shown();
        let listed = |row: usize| shown.get(row).and_then(|&index| listing.series.get(index));
        let width = ui.available_width();
        let fields = fields(width, has_several_timeframes(shown, &listing.series));
        let columns: Vec<Column> = fields.iter().map(|field| field.column(width)).collect();
        let now = sort.and_then(|sort| {
            let column = fields.iter().position(|field| *field == sort.by)?;
            Some(Sort { column, descending: sort.descending })
        });
        let table = Table {
            id: "series",
            columns: &columns,
            leading: Some(TICK_WIDTH),
            trailing: Some(spark_width(width)),
            rows: shown.len(),
            selected: &|row| listed(row).is_some_and(|listed| state.examined.is(&listed.series)),
            sorting: Sorting::By(now),
            clickable: true,
            scrolls: shown.len() > most,
        };
        let (palette, mut done) = (ui.palette(), Done::default());
        let (ticked, in_view) = (&mut done.ticked, &mut done.in_view);
        let mut opened = None;
        let clicked = table.show_all(
            ui,
            |ui, row| {
                let Some(listed) = listed(row) else { return };
                let symbol = listed.series.symbol();
                let mut on = state.draft.symbols().contains(symbol);
                let tick = ui.checkbox(&mut on, "");
                widgets::name_toggle(&tick, on, symbol.as_str());
                if tick.clicked() {
                    *ticked = Some(row);
                }
            },
            |_, row| {
                in_view.extend(shown.get(row));
                let cells = listed(row).map(|listed| cells(state, listed, &fields, palette));
                cells.unwrap_or_default()
            },
            |ui, row| {
                if listed(row).is_some_and(|listed| spark(ui, state, listed, palette)) {
                    opened = Some(row);
                }
            },
        );
        if let Some(column) = clicked.column {
            *sort = Sort::clicked(now, column).and_then(|sort| {
                Some(SeriesSort { by: *fields.get(sort.column)?, descending: sort.descending })
            });
        }
        done.clicked = clicked.row.or(opened);
        done
    }

    fn act(
        &self,
        state: &State,
        listing: &Listing,
        sort: Option<SeriesSort>,
        done: Done,
        commands: &mut Commands,
    ) {
        let listed = |row: usize| listing.series.get(*self.order.shown().get(row)?);
        if let Some(listed) = done.ticked.and_then(listed) {
            let mut choice = state.draft.symbols().clone();
            choice.toggle(listed.series.symbol(), &listing.all_symbols());
            commands.edit(state.draft.with_symbols(choice));
        } else if let Some(listed) = done.clicked.and_then(listed) {
            commands.send(Command::Data(DataCommand::Show(listed.series.clone())));
        }
        // What is in view comes first; a place in the list may have to be known of all.
        let mut wanted = done.in_view;
        if sort.is_some_and(SeriesSort::needs_reading) {
            wanted.extend(self.order.shown());
        }
        let is_unknown = |series: &MarketSeries| {
            state.surveys.get(series.symbol(), series.timeframe()).is_none()
        };
        let wanted: Vec<MarketSeries> = wanted
            .into_iter()
            .filter_map(|index| listing.series.get(index))
            .map(|listed| &listed.series)
            .filter(|series| is_unknown(series))
            .take(MOST_ASKED)
            .cloned()
            .collect();
        if !state.surveys.has_asked(&wanted) {
            commands.send(Command::Data(DataCommand::Survey(wanted)));
        }
    }
}

fn has_several_timeframes(shown: &[usize], series: &[ListedSeries]) -> bool {
    let mut timeframes = shown.iter().map(|&index| series[index].series.timeframe());
    let first = timeframes.next();
    timeframes.any(|timeframe| Some(timeframe) != first)
}

/// What there is room for.
fn fields(width: f32, several_timeframes: bool) -> Vec<Field> {
    let (dates, files) = (width >= WITH_DATES, width >= WITH_FILES);
    let all = [
        (Field::Symbol, true),
        (Field::Timeframe, several_timeframes || dates),
        (Field::From, dates),
        (Field::To, dates),
        (Field::Bars, true),
        (Field::Faults, true),
        (Field::File, files),
    ];
    all.into_iter().filter(|(_, fits)| *fits).map(|(field, _)| field).collect()
}

fn spark_width(width: f32) -> f32 {
    if width >= WITH_FILES {
        120.0
    } else if width >= WITH_DATES {
        80.0
    } else {
        44.0
    }
}

impl Field {
    fn column(self, width: f32) -> Column {
        let is_wide = width >= WITH_DATES;
        match self {
            Self::Symbol => column("Symbol", "What is traded", 70.0, Align::Left),
            Self::Timeframe if is_wide => column("Timeframe", "Length of a bar", 70.0, Align::Left),
            Self::Timeframe => column("TF", "Timeframe: the length of a bar", 28.0, Align::Left),
            Self::From => {
                column("From", "The day on which the first bar opens", 76.0, Align::Right)
            }
            Self::To => column("To", "The day on which the last bar opens", 76.0, Align::Right),
            Self::Bars => {
                column("Bars", "Bars in the file that a run would use", 58.0, Align::Right)
            }
            Self::Faults => column(
                "Faults",
                "Rows, bars and places that are worth a look, without holidays; what is done about them stands under Bad rows and odd bars",
                46.0,
                Align::Right,
            ),
            Self::File => column("File", "Kind and size of the file", 110.0, Align::Right),
        }
    }
}

fn cells(state: &State, listed: &ListedSeries, fields: &[Field], palette: &Palette) -> Vec<Cell> {
    let series = &listed.series;
    let facts = Facts::of(listed, &state.surveys);
    let hover = about(listed, facts.as_ref());
    let is_used = state.draft.timeframes().contains(&series.timeframe());
    let known = |text: &dyn Fn(&Facts<'_>) -> String| match &facts {
        None => Cell::new("…").color(palette.text_weak),
        Some(Ok(facts)) => Cell::new(text(facts)),
        Some(Err(_)) => Cell::new(UNKNOWN).color(palette.text_weak),
    };
    let cell = |field: &Field| match field {
        Field::Symbol if is_used => Cell::new(series.symbol().as_str()),
        Field::Symbol => Cell::new(series.symbol().as_str()).color(palette.text_weak),
        Field::Timeframe => Cell::new(series.timeframe().to_string()).color(palette.text_weak),
        Field::From => known(&|facts| day(facts.first_open)),
        Field::To => known(&|facts| day(facts.last_open)),
        Field::Bars => known(&|facts| count(facts.bars)),
        Field::Faults => faults(facts.as_ref(), palette),
        Field::File => Cell::new(file(series)).color(palette.text_weak),
    };
    fields.iter().map(|field| cell(field).hover(Some(hover.clone()))).collect()
}

fn faults(facts: Option<&Result<Facts<'_>, &str>>, palette: &Palette) -> Cell {
    match facts {
        None => Cell::new("…").color(palette.text_weak),
        Some(Err(_)) => Cell::new(icons::X_CIRCLE).color(palette.error),
        Some(Ok(facts)) => match facts.fault_count() {
            0 => Cell::new(icons::CHECK_CIRCLE).color(palette.success),
            found => {
                let text = format!("{} {}", icons::WARNING, short_count(found));
                Cell::new(text).color(palette.warning)
            }
        },
    }
}

/// A count in four letters at most: `999`, `12k`, `3M`.
fn short_count(value: u64) -> String {
    match value {
        0..1_000 => value.to_string(),
        1_000..1_000_000 => format!("{}k", value / 1_000),
        _ => format!("{}M", value / 1_000_000),
    }
}

fn file(series: &MarketSeries) -> String {
    match series {
        MarketSeries::File(entry) => {
            let ending = entry.path.extension().unwrap_or_default().to_string_lossy();
            format!("{} · {}", ending.to_lowercase(), entry.size)
        }
        MarketSeries::Synthetic { .. } => "built-in".to_owned(),
    }
}

/// The closes, with all that is known of the series over them. Whether they were clicked, to look at the series: a way for keys as well.
fn spark(ui: &mut Ui, state: &State, listed: &ListedSeries, palette: &Palette) -> bool {
    let name = format!("{} {}", listed.series.symbol(), listed.series.timeframe());
    let facts = Facts::of(listed, &state.surveys);
    let size = vec2(ui.available_width(), ROW_HEIGHT - space::XS);
    let (values, told) = match &facts {
        Some(Ok(facts)) if !facts.spark.is_empty() => (facts.spark, facts.in_words()),
        Some(Err(message)) => (&[][..], (*message).to_owned()),
        Some(Ok(_)) | None => (&[][..], "being read".to_owned()),
    };
    let drawn = widgets::trend(ui, values, palette.model, size);
    widgets::name(&drawn, egui::Role::Button, &format!("{name}: {told}"));
    drawn.on_hover_text(about(listed, facts.as_ref())).clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_list_has_more_columns_and_they_fit() {
        for (width, several, most) in
            [(290.0, true, 4), (290.0, false, 3), (560.0, false, 6), (720.0, true, 7)]
        {
            let fields = fields(width, several);
            assert_eq!(fields.len(), most, "{width}");
            let own: f32 = fields.iter().map(|field| field.column(width).width).sum();
            let gaps = 6.0 * (fields.len() + 1) as f32;
            let needed = own + gaps + TICK_WIDTH + spark_width(width) + 6.0;
            assert!(needed <= width.max(303.0), "{needed} in {width}");
        }
    }

    #[test]
    fn counts_of_faults_stay_short() {
        for (value, text) in [(7, "7"), (999, "999"), (12_345, "12k"), (3_000_000, "3M")] {
            assert_eq!(short_count(value), text);
        }
    }
}
