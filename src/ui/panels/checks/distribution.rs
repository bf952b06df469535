use egui::{Label, RichText, ScrollArea, Ui};

use super::{Looking, note, unit};
use crate::dataset::Section;
use crate::domain::text::{count, number, percent, significant};
use crate::spec::LabelSpec;
use crate::ui::commands::Commands;
use crate::ui::plots::histogram;
use crate::ui::state::State;
use crate::ui::theme::{ROW_HEIGHT, Themed, space, strong_family};
use crate::ui::widgets::{Align, Cell, Column, Fitted, column};
use crate::workbench::{ClassShare, Distribution, Look, SectionDistribution};

/// What stands under the two histograms, in points: on a higher panel they get the rest.
const BELOW: f32 = 7.0 * ROW_HEIGHT + 40.0;
const LEAST_HEIGHT: f32 = 110.0;
const MOST_HEIGHT: f32 = 340.0;

const COLUMNS: [Column; 9] = [
    column("Of", "The feature or the label, in a section of the fold", 104.0, Align::Left),
    column(
        "Rows",
        "Rows used: with a whole window and a label, and not purged",
        56.0,
        Align::Right,
    ),
    column("Missing", "Bars of the section that have no value", 52.0, Align::Right),
    column("Mean", "Mean of the rows used", 72.0, Align::Right),
    column("Std", "Population standard deviation of the rows used", 72.0, Align::Right),
    column("Min", "The least value of the rows used", 72.0, Align::Right),
    column("Max", "The greatest value of the rows used", 72.0, Align::Right),
    column(
        "Not drawn",
        "Rows below / above what is drawn, which is from the 0.5th to the 99.5th percentile of all sections",
        68.0,
        Align::Right,
    ),
    column(
        "KS to train",
        "Kolmogorov–Smirnov distance to the train rows: the largest gap between the two cumulative distributions, from 0 (the same) to 1 (no overlap). Near 0 the model meets what it was trained on",
        68.0,
        Align::Right,
    ),
];

const CLASS_COLUMNS: [Column; 4] = [
    column("Class", "What the model is to tell apart", 90.0, Align::Left),
    column("Train", "Share of the train rows", 70.0, Align::Right),
    column("Validation", "Share of the validation rows", 70.0, Align::Right),
    column("Test", "Share of the test rows", 70.0, Align::Right),
];

impl Looking {
    /// A feature and the label, in each section of a fold.
    pub(super) fn distributions(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let Some(look) = self.choose(ui, state, true, commands) else { return };
        let spec = state.draft.spec();
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            if state.looks.pending {
                ui.multiply_opacity(0.5);
            }
            ui.horizontal_wrapped(|ui| {
                histogram::legend(ui, &look.feature);
                if look.series > 1 {
                    note(ui, &format!("rows of {} series", look.series));
                }
            });
            let height = (ui.available_height() - BELOW).clamp(LEAST_HEIGHT, MOST_HEIGHT);
            ui.columns(2, |sides| {
                feature(&mut sides[0], look, unit(spec, &look.at.column), height);
                label(&mut sides[1], look, spec.label, height);
            });
            ui.add_space(space::XS);
            table(ui, look);
        });
    }
}

fn feature(ui: &mut Ui, look: &Look, unit: Option<&str>, height: f32) {
    let name = look.at.column.as_str();
    head(ui, name, &format!("{}, unscaled", unit.unwrap_or("raw")));
    drawn(ui, name, &look.feature, height);
}

fn label(ui: &mut Ui, look: &Look, spec: LabelSpec, height: f32) {
    let horizon = spec.horizon();
    let bars = if horizon == 1 { "bar" } else { "bars" };
    head(ui, "Label", &format!("{}, horizon {horizon} {bars}", spec.name()));
    if look.classes.is_empty() {
        drawn(ui, "the label", &look.label, height);
    } else {
        classes(ui, &look.classes);
    }
}

/// What is drawn, and in what unit.
fn head(ui: &mut Ui, name: &str, about: &str) {
    ui.horizontal(|ui| {
        // A long name leaves room for what it is measured in.
        let most = ui.available_width() * 0.6;
        ui.scope(|ui| {
            ui.set_max_width(most);
            ui.add(Label::new(RichText::new(name).family(strong_family())).truncate());
        });
        let about = RichText::new(about).small().color(ui.palette().text_weak);
        ui.add(Label::new(about).truncate());
    });
}

fn drawn(ui: &mut Ui, name: &str, data: &Distribution, height: f32) {
    if data.edges.is_empty() {
        note(ui, "No row of any section has a value, so there is nothing to draw.");
    } else {
        histogram::show(ui, name, data, height);
    }
}

/// The numbers behind both.
fn table(ui: &mut Ui, look: &Look) {
    let features = look.feature.sections.iter().map(|section| ("Feature", section));
    let labels = look.label.sections.iter().map(|section| ("Label", section));
    let rows: Vec<(&str, &SectionDistribution)> = features.chain(labels).collect();
    Fitted { id: "distributions", columns: &COLUMNS, rows: rows.len(), most: rows.len() }
        .show(ui, |_, row| {
            rows.get(row).map_or_else(Vec::new, |(name, section)| cells(name, section))
        });
}

fn cells(name: &str, section: &SectionDistribution) -> Vec<Cell> {
    let distance = match section.section {
        Section::Train => String::new(),
        Section::Validation | Section::Test => number(section.distance, 3),
    };
    vec![
        Cell::new(format!("{name}, {}", section.section)),
        Cell::new(count(section.rows)),
        Cell::new(count(section.missing)),
        Cell::new(significant(section.mean)),
        Cell::new(significant(section.std)),
        Cell::new(significant(section.min)),
        Cell::new(significant(section.max)),
        Cell::new(format!("{} / {}", count(section.below), count(section.above))),
        Cell::new(distance),
    ]
}

fn classes(ui: &mut Ui, classes: &[ClassShare]) {
    let table =
        Fitted { id: "classes", columns: &CLASS_COLUMNS, rows: classes.len(), most: classes.len() };
    table.show(ui, |_, row| {
        let Some(class) = classes.get(row) else { return Vec::new() };
        let shares = class.shares.map(|share| Cell::new(percent(share)));
        std::iter::once(Cell::new(class.name).strong()).chain(shares).collect()
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::UNKNOWN;

    #[test]
    fn there_is_a_cell_for_each_column_and_nothing_is_made_up() {
        let mut section = SectionDistribution {
            section: Section::Validation,
            rows: 0,
            missing: 7,
            mean: None,
            std: None,
            min: None,
            max: None,
            below: 0,
            counts: Vec::new(),
            above: 0,
            distance: None,
        };
        let texts = |section: &SectionDistribution| {
            cells("Label", section).into_iter().map(|cell| cell.text).collect::<Vec<_>>()
        };
        let empty = texts(&section);
        assert_eq!(empty.len(), COLUMNS.len());
        assert_eq!(empty[2..4], ["7", UNKNOWN]);
        assert_eq!(empty[8], UNKNOWN);
        section.section = Section::Train;
        assert_eq!(texts(&section)[8], "", "train has no distance to itself");
    }
}
