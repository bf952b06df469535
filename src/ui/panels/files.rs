use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use crate::domain::text::{count, day};
use crate::domain::{Plan, Problem, ProblemCount, UtcMillis};
use crate::ui::icons;
use crate::ui::state::{ListedFile, Listing, State};
use crate::ui::theme::{ROW_HEIGHT, Themed};
use crate::ui::widgets;

/// So many rows are in view at once.
const MOST_ROWS: usize = 10;

/// The files of what is ticked: bars, period, and what is wrong with them. What was assumed while reading them is shown over each.
pub(super) fn show(ui: &mut Ui, state: &State, listing: &Listing) {
    let (symbols, timeframes) = (state.draft.symbols(), state.draft.timeframes());
    let ticked = listing.files.iter().filter(|file| {
        symbols.contains(&file.entry.symbol) && timeframes.contains(&file.entry.timeframe)
    });
    let files: Vec<&ListedFile> = ticked.collect();
    if files.is_empty() {
        return;
    }
    widgets::section(ui, "Files");
    let height = files.len().min(MOST_ROWS) as f32 * (ROW_HEIGHT + ui.spacing().item_spacing.y);
    let list = ScrollArea::vertical().id_salt("files").max_height(height);
    list.auto_shrink([false, true]).show_rows(ui, ROW_HEIGHT, files.len(), |ui, range| {
        for file in files.get(range).unwrap_or_default() {
            row(ui, file, state.preview.plan.as_deref());
        }
    });
}

fn row(ui: &mut Ui, file: &ListedFile, plan: Option<&Plan>) {
    let name = format!("{} {}", file.entry.symbol, file.entry.timeframe);
    let seen = Seen::of(file, plan);
    ui.horizontal(|ui| {
        ui.add(Label::new(&name).truncate());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let palette = ui.palette();
            let (icon, color) = match &seen {
                None => (icons::HOURGLASS_MEDIUM, palette.text_weak),
                Some(seen) if seen.faults().next().is_none() => {
                    (icons::CHECK_CIRCLE, palette.success)
                }
                Some(_) => (icons::WARNING, palette.warning),
            };
            let badge = ui.label(RichText::new(icon).color(color));
            let told = seen.as_ref().map_or_else(|| "not read yet".to_owned(), Seen::in_words);
            widgets::name(&badge, egui::Role::Label, &format!("{name}: {told}"));
            let short = seen.as_ref().map_or_else(|| file.entry.size.to_string(), Seen::in_short);
            let text = RichText::new(short).small().color(palette.text_weak);
            let line = ui.add(Label::new(text).truncate());
            for response in [badge, line] {
                response.on_hover_ui(|ui| about(ui, file, &told));
            }
        });
    });
}

/// Everything that is known of a file.
fn about(ui: &mut Ui, file: &ListedFile, told: &str) {
    ui.label(file.entry.path.display().to_string());
    ui.label(told);
    for note in file.known.iter().flat_map(|known| known.reading.notes()) {
        ui.weak(note);
    }
}

/// What is known of the bars of a file, from the plan of this draft or from an earlier reading.
struct Seen<'a> {
    bars: u64,
    first_open: UtcMillis,
    last_open: UtcMillis,
    quality: &'a [ProblemCount],
}

impl<'a> Seen<'a> {
    fn of(file: &'a ListedFile, plan: Option<&'a Plan>) -> Option<Self> {
        if let Some(known) = &file.known {
            return Some(Self {
                bars: known.bars,
                first_open: known.first_open,
                last_open: known.last_open,
                quality: &known.quality,
            });
        }
        let series = plan?.series.iter().find(|series| {
            (&series.symbol, series.timeframe) == (&file.entry.symbol, file.entry.timeframe)
        })?;
        Some(Self {
            bars: series.bars,
            first_open: series.first_open,
            last_open: series.last_open,
            quality: &series.quality,
        })
    }

    /// What is worth a look; holidays are not.
    fn faults(&self) -> impl Iterator<Item = &ProblemCount> {
        self.quality.iter().filter(|count| count.problem != Problem::Closed)
    }

    fn in_short(&self) -> String {
        format!("{} bars  {} – {}", count(self.bars), day(self.first_open), day(self.last_open))
    }

    fn in_words(&self) -> String {
        let faults: Vec<String> = self.faults().map(ToString::to_string).collect();
        let faults = if faults.is_empty() { "no faults".to_owned() } else { faults.join(", ") };
        let (first, last) = (day(self.first_open), day(self.last_open));
        format!("{} bars from {first} to {last}, {faults}", count(self.bars))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_with_its_faults_and_without_its_holidays() {
        let found = |problem, found, dropped| ProblemCount { problem, found, dropped };
        let told = |quality: &[ProblemCount]| {
            let (first_open, last_open) = (UtcMillis(0), UtcMillis(86_400_000));
            Seen { bars: 25, first_open, last_open, quality }.in_words()
        };
        let closed = found(Problem::Closed, 9, 0);
        assert_eq!(told(&[closed]), "25 bars from 1970-01-01 to 1970-01-02, no faults");
        let broken = [found(Problem::Unreadable, 2, 2), found(Problem::Missing, 2, 0), closed];
        assert!(told(&broken).ends_with(", 2 unreadable rows (dropped), 2 missing bars"));
    }
}
