//! Where bars come from, and which symbols and timeframes are trained on.

mod catalog;
mod facts;
mod order;
mod period;
mod source;

use egui::{Label, ScrollArea, Ui};
use serde::{Deserialize, Serialize};

use self::catalog::CatalogTable;
use self::order::SeriesSort;
use self::period::Period;
use self::source::SourcePicker;
use super::policies;
use crate::domain::text::count;
use crate::spec::ExperimentSpec;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{Choice, Draft, Listing, Source, State};
use crate::ui::theme::space;
use crate::ui::widgets;

/// The source of bars, the list of its series with what is ticked, and the period.
#[derive(Debug, Default)]
pub(in crate::ui) struct DataPanel {
    pub(in crate::ui) view: DataView,
    source: SourcePicker,
    table: CatalogTable,
    period: Period,
}

/// How the list is shown; survives a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct DataView {
    /// What the series are sorted by; `None`: as the folder lists them.
    sort: Option<SeriesSort>,
}

impl DataPanel {
    pub(in crate::ui) fn new(view: DataView) -> Self {
        Self { view, ..Self::default() }
    }

    /// What was being typed belongs to an experiment that has left the bench.
    pub(in crate::ui) fn forget_typing(&mut self) {
        self.source = SourcePicker::default();
        self.period = Period::default();
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let tall = ui.available_height();
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            self.source.show(ui, state, commands);
            match &state.source {
                Source::Synthetic => {
                    source::synthetic(ui, &state.draft, commands);
                    let listing = Listing::of_synthetic(&state.draft.spec().data);
                    self.listed(ui, state, &listing, tall, commands);
                }
                Source::Scanning { .. } => {
                    ui.add_space(space::S);
                    ui.weak(format!("{}  Reading the folder…", icons::HOURGLASS_MEDIUM));
                }
                Source::Ready(listing) => {
                    self.listed(ui, state, listing, tall, commands);
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

    fn listed(
        &mut self,
        ui: &mut Ui,
        state: &State,
        listing: &Listing,
        tall: f32,
        commands: &mut Commands,
    ) {
        timeframes(ui, &state.draft, listing, commands);
        self.table.show(ui, state, listing, (&mut self.view.sort, tall), commands);
        self.period.show(ui, &state.draft, commands);
        passed_over(ui, listing);
    }
}

fn timeframes(ui: &mut Ui, draft: &Draft, listing: &Listing, commands: &mut Commands) {
    widgets::section(ui, "Timeframes");
    ui.horizontal_wrapped(|ui| {
        for (timeframe, symbols) in &listing.timeframes {
            let mut ticked = draft.timeframes().contains(timeframe);
            let help = format!("{symbols} symbols have bars of {timeframe}");
            if ui.checkbox(&mut ticked, timeframe.to_string()).on_hover_text(help).changed() {
                let mut choice = draft.timeframes().clone();
                choice.toggle(timeframe, &listing.all_timeframes());
                commands.edit(draft.with_timeframes(choice));
            }
        }
    });
    if let Some(message) = draft.issue("data.timeframes") {
        widgets::issue(ui, message);
    }
}

/// Files that are no market files, and why.
fn passed_over(ui: &mut Ui, listing: &Listing) {
    if listing.skipped.is_empty() {
        return;
    }
    let files = if listing.skipped.len() == 1 { "file" } else { "files" };
    let title = format!("{} {files} passed over", count(listing.skipped.len() as u64));
    ui.collapsing(title, |ui| {
        for skipped in &listing.skipped {
            let name = skipped.path.file_name().unwrap_or_default().to_string_lossy();
            ui.add(Label::new(format!("{name}: {}", skipped.reason)).wrap());
        }
    });
}

fn every_symbol(ui: &mut Ui, draft: &Draft, all: usize, commands: &mut Commands) {
    let ticked = draft.symbols().count(all);
    let mut everything = ticked == all;
    let partly = ticked > 0 && !everything;
    let tick = egui::Checkbox::new(&mut everything, "All symbols").indeterminate(partly);
    if ui.add(tick).on_hover_text("Every symbol that has the ticked timeframes").changed() {
        let choice = if everything { Choice::All } else { Choice::None };
        commands.edit(draft.with_symbols(choice));
    }
}

pub(in crate::ui::panels) fn send_if_changed(
    draft: &Draft,
    spec: ExperimentSpec,
    commands: &mut Commands,
) {
    if spec != *draft.spec() {
        commands.edit(draft.with_spec(spec));
    }
}
