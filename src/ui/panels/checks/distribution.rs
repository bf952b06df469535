use egui::{RichText, ScrollArea, Ui};

use super::{Looking, note, unit};
use crate::dataset::Section;
use crate::domain::text::{count, number, percent, significant};
use crate::spec::LabelSpec;
use crate::ui::commands::Commands;
use crate::ui::plots::histogram::{self, section_name};
use crate::ui::state::State;
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets::{Align, Cell, Column, Fitted, column};
use crate::workbench::{ClassShare, Distribution, Look, SectionDistribution};

/// What stands around the two histograms, in points: on a higher panel they get the rest.
const AROUND: f32 = 292.0;
const LEAST_HEIGHT: f32 = 110.0;
const MOST_HEIGHT: f32 = 260.0;

const COLUMNS: [Column; 9] = [
    column("Section", "Of the fold chosen above", 78.0, Align::Left),
    column(
        "Rows",
        "Rows used: with a whole window and a label, and not purged",
        58.0,
        Align::Right,
    ),
    column("Missing", "Bars of the section that have no value", 54.0, Align::Right),
    column("Mean", "Mean of the rows used", 74.0, Align::Right),
    column("Std", "Population standard deviation of the rows used", 74.0, Align::Right),
    column("Min", "The least value of the rows used", 74.0, Align::Right),
    column("Max", "The greatest value of the rows used", 74.0, Align::Right),
    column(
        "Not drawn",
        "Rows below / above what is drawn, which is from the 0.5th to the 99.5th percentile of all sections",
        72.0,
        Align::Right,
    ),
    column(
        "KS to train",
        "Kolmogorov–Smirnov distance to the train rows: the largest gap between the two cumulative distributions, from 0 (the same) to 1 (no overlap). Near 0 the model meets what it was trained on",
        72.0,
        Align::Right,
    ),
];

const CLASS_COLUMNS: [Column; 4] = [
    column("Label", "What the model is to tell apart", 120.0, Align::Left),
    column("Train", "Share of the train rows", 90.0, Align::Right),
    column("Validation", "Share of the validation rows", 90.0, Align::Right),
    column("Test", "Share of the test rows", 90.0, Align::Right),
];

impl Looking {
    /// A feature and the label, in each section of a fold.
    pub(super) fn distributions(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let room = ui.available_height();
        let Some(look) = self.choose(ui, state, true, commands) else { return };
        let height = ((room - AROUND) / 2.0).clamp(LEAST_HEIGHT, MOST_HEIGHT);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            if state.looks.pending {
                ui.multiply_opacity(0.5);
            }
            feature(ui, look, unit(state.draft.spec(), &look.at.column), height);
            ui.add_space(space::S);
            label(ui, look, state.draft.spec().label, height);
        });
    }
}

fn feature(ui: &mut Ui, look: &Look, unit: Option<&str>, height: f32) {
    let name = look.at.column.as_str();
    let unit = unit.map_or_else(|| "unscaled".to_owned(), |unit| format!("{unit}, unscaled"));
    let about = match look.series {
        1 => unit,
        several => format!("{unit}, rows of {several} series"),
    };
    head(ui, name, &about, &look.feature);
    drawn(ui, name, &look.feature, height);
    table(ui, "feature", &look.feature);
}

fn label(ui: &mut Ui, look: &Look, spec: LabelSpec, height: f32) {
    let horizon = spec.horizon();
    let bars = if horizon == 1 { "bar" } else { "bars" };
    let about = format!("{}, horizon {horizon} {bars}", spec.name());
    head(ui, "Label", &about, &look.label);
    if look.classes.is_empty() {
        drawn(ui, "the label", &look.label, height);
    } else {
        classes(ui, &look.classes);
    }
    table(ui, "label", &look.label);
}

/// What is drawn, and the legend.
fn head(ui: &mut Ui, name: &str, about: &str, data: &Distribution) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(name).family(strong_family()));
        ui.label(RichText::new(about).small().color(ui.palette().text_weak));
        ui.add_space(space::S);
        histogram::legend(ui, data);
    });
}

fn drawn(ui: &mut Ui, name: &str, data: &Distribution, height: f32) {
    if data.edges.is_empty() {
        note(ui, "No row of any section has a value, so there is nothing to draw.");
    } else {
        histogram::show(ui, name, data, height);
    }
}

fn table(ui: &mut Ui, id: &str, data: &Distribution) {
    let rows = data.sections.len();
    Fitted { id, columns: &COLUMNS, rows, most: rows }
        .show(ui, |_, row| data.sections.get(row).map_or_else(Vec::new, cells));
}

fn cells(section: &SectionDistribution) -> Vec<Cell> {
    let distance = match section.section {
        Section::Train => String::new(),
        Section::Validation | Section::Test => number(section.distance, 3),
    };
    vec![
        Cell::new(section_name(section.section)),
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
            cells(section).into_iter().map(|cell| cell.text).collect::<Vec<_>>()
        };
        let empty = texts(&section);
        assert_eq!(empty.len(), COLUMNS.len());
        assert_eq!(empty[2..4], ["7", UNKNOWN]);
        assert_eq!(empty[8], UNKNOWN);
        section.section = Section::Train;
        assert_eq!(texts(&section)[8], "", "train has no distance to itself");
    }
}
