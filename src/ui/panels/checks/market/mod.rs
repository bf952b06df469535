//! One series of the data source by itself: its price, what is wrong with its file, and how the file is read.

mod form;
mod import;
mod quality;

use egui::{Label, RichText, Ui};

use self::import::ImportView;
use super::note;
use crate::domain::text::count;
use crate::ui::commands::{Command, Commands, DataCommand};
use crate::ui::icons;
use crate::ui::plots::candles;
use crate::ui::state::State;
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets;
use crate::workbench::{Candles, MarketSeries};

/// What stands under the chart, in points.
const BELOW: f32 = 22.0;
const LEAST_HEIGHT: f32 = 220.0;

/// What is shown of the series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Price,
    Quality,
    Import,
}

impl Part {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Price, "Price", "The bars over time, with their volume"),
        (
            Self::Quality,
            "Quality report",
            "What is wrong with the file's rows, with the first places",
        ),
        (
            Self::Import,
            "Import settings",
            "How the file is read, what was guessed, and how to say otherwise",
        ),
    ];
}

/// The series that was chosen in Data.
#[derive(Debug, Default)]
pub(super) struct MarketView {
    part: Part,
    import: ImportView,
}

impl MarketView {
    pub(super) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let Some((series, policies)) = &state.examined.wanted else {
            let next = "Click a row of the list in Data: its price, what is wrong with its file and how it is read are shown here.";
            widgets::empty_state(ui, icons::CHART_LINE, "No series is chosen", next);
            return;
        };
        if *policies != state.draft.spec().data.quality && !state.examined.pending {
            commands.send(Command::Data(DataCommand::Examine(series.clone())));
        }
        self.head(ui, state, series);
        ui.add_space(space::XS);
        if let Some(message) = &state.examined.error {
            unreadable(ui, series, message, commands);
            return;
        }
        let Some(found) = state.examined.found.as_ref().filter(|found| found.series == *series)
        else {
            let next = "Its bars are read and judged.";
            widgets::empty_state(ui, icons::HOURGLASS_MEDIUM, "Reading…", next);
            return;
        };
        if state.examined.pending {
            ui.multiply_opacity(0.5);
        }
        let contents = match &found.contents {
            Ok(contents) => contents,
            Err(message) => {
                unreadable(ui, series, message, commands);
                // It may need other settings.
                if let MarketSeries::File(entry) = series {
                    ui.add_space(space::S);
                    self.import.show(ui, state, entry, (found, None), commands);
                }
                return;
            }
        };
        match (self.part, &contents.quality, series) {
            (Part::Price, ..) => price(ui, series, &contents.candles),
            (Part::Quality, Some(quality), _) => quality::show(ui, quality),
            (Part::Import, Some(quality), MarketSeries::File(entry)) => {
                let reading = Some(&quality.reading);
                self.import.show(ui, state, entry, (found, reading), commands);
            }
            (Part::Quality | Part::Import, ..) => {
                let next = "The built-in market is made up from its seed: it has no file to read and no faults. Choose a folder in Data to check files.";
                widgets::empty_state(ui, icons::DATABASE, "No file", next);
            }
        }
    }

    fn head(&mut self, ui: &mut Ui, state: &State, series: &MarketSeries) {
        ui.horizontal_wrapped(|ui| {
            for (part, name, help) in Part::ALL {
                let tab = ui.selectable_label(self.part == part, name);
                if tab.on_hover_text(help).clicked() {
                    self.part = part;
                }
            }
        });
        ui.horizontal(|ui| {
            let name = format!("{} · {}", series.symbol(), series.timeframe());
            ui.label(RichText::new(name).family(strong_family()));
            let found = state.examined.found.as_ref().filter(|found| found.series == *series);
            let contents = found.and_then(|found| found.contents.as_ref().ok());
            let bars = contents.map(|contents| contents.candles.bars() as u64);
            let bars = bars.map(|bars| format!("{} bars", count(bars)));
            let place = place(series);
            let about: Vec<String> = bars.into_iter().chain([place.clone()]).collect();
            let about = RichText::new(about.join(", ")).small().color(ui.palette().text_weak);
            ui.add(Label::new(about).truncate()).on_hover_text(place);
        });
    }
}

/// Where it comes from.
fn place(series: &MarketSeries) -> String {
    match series {
        MarketSeries::File(entry) => entry.path.display().to_string(),
        MarketSeries::Synthetic { .. } => "built-in market".to_owned(),
    }
}

/// Why it cannot be read, and a way to try again.
fn unreadable(ui: &mut Ui, series: &MarketSeries, message: &str, commands: &mut Commands) {
    widgets::problem(ui, message);
    if widgets::button(ui, icons::ARROW_COUNTER_CLOCKWISE, "Read again", true).clicked() {
        commands.send(Command::Data(DataCommand::Examine(series.clone())));
    }
}

fn price(ui: &mut Ui, series: &MarketSeries, candles: &Candles) {
    let name = format!("{} {}", series.symbol(), series.timeframe());
    let height = (ui.available_height() - BELOW).max(LEAST_HEIGHT);
    // A series of the same name in another folder begins whole.
    let merged = ui.push_id(place(series), |ui| candles::show(ui, &name, candles, height)).inner;
    let candle = candles::candle_in_words(merged);
    note(
        ui,
        &format!(
            "{candle}: hollow where the price rose, filled where it fell. Drag to move, Ctrl and scroll to zoom, double-click to see all. UTC."
        ),
    );
}
