use egui::{Label, RichText, ScrollArea, Ui};

use super::super::note;
use crate::domain::Problem;
use crate::domain::text::{count, minute, percent};
use crate::market::{Finding, Quality};
use crate::ui::icons;
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets;

/// The report on a file, as `walkforge data inspect` words it.
pub(super) fn show(ui: &mut Ui, quality: &Quality) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        summary(ui, quality);
        ui.add_space(space::S);
        widgets::section(ui, "Found");
        let (grave, harmless): (Vec<&Finding>, Vec<&Finding>) =
            quality.report.findings.iter().partition(|finding| is_worth_a_look(finding));
        if grave.is_empty() {
            let palette = ui.palette();
            ui.horizontal(|ui| {
                ui.label(RichText::new(icons::CHECK_CIRCLE).color(palette.success));
                ui.label("Nothing is wrong with its rows.");
            });
        }
        for finding in grave.into_iter().chain(harmless) {
            found(ui, finding);
        }
        if !quality.notes.is_empty() {
            ui.add_space(space::S);
            widgets::section(ui, "Assumed while it was read");
            for text in &quality.notes {
                ui.horizontal_top(|ui| {
                    ui.label(RichText::new(icons::INFO).color(ui.palette().text_weak));
                    ui.add(Label::new(text).wrap().selectable(true));
                });
            }
        }
        ui.add_space(space::S);
        note(ui, "What is done about each problem stands in Data, under Bad rows and odd bars.");
    });
}

/// Holidays are not.
fn is_worth_a_look(finding: &Finding) -> bool {
    finding.count.problem != Problem::Closed
}

fn summary(ui: &mut Ui, quality: &Quality) {
    let largest = quality.largest_move.map_or_else(
        || percent(None),
        |largest| {
            let size = percent(Some(largest.log_return.exp_m1()));
            format!("{size} at {} UTC", minute(largest.open_time))
        },
    );
    let rows = [
        ("First open (UTC)", minute(quality.first_open)),
        ("Last open (UTC)", minute(quality.last_open)),
        ("Rows in the file", count(quality.report.rows)),
        ("Dropped", count(quality.report.dropped())),
        ("Bars", count(quality.bars as u64)),
        ("Breaks, where windows end", count(quality.breaks as u64)),
        ("Bars without volume", count(quality.zero_volume_bars as u64)),
        ("Largest move", largest),
    ];
    egui::Grid::new("quality").num_columns(4).spacing([space::L, 4.0]).show(ui, |ui| {
        for pair in rows.chunks(2) {
            for (name, value) in pair {
                ui.label(RichText::new(*name).color(ui.palette().text_weak));
                ui.label(value);
            }
            ui.end_row();
        }
    });
}

fn found(ui: &mut Ui, finding: &Finding) {
    let palette = ui.palette();
    ui.horizontal(|ui| {
        let (icon, color) = if is_worth_a_look(finding) {
            (icons::WARNING, palette.warning)
        } else {
            (icons::CALENDAR_BLANK, palette.text_weak)
        };
        ui.label(RichText::new(icon).color(color));
        ui.label(RichText::new(finding.count.to_string()).family(strong_family()));
    });
    ui.indent(finding.count.problem, |ui| {
        for example in &finding.examples {
            let text = RichText::new(example.to_string()).small();
            ui.add(Label::new(text).wrap().selectable(true));
        }
        if let Some(more) = finding.more() {
            note(ui, &format!("and {} more", count(more)));
        }
    });
}
