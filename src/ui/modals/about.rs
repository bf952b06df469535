use egui::{Grid, Label, RichText, Ui};

use super::buttons;
use crate::domain::text::UNKNOWN;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{Machine, State};
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;

/// Whose work is inside, and under which terms.
const PARTS: &str = "Trains with libtorch (BSD). Set in IBM Plex (SIL Open Font License) with Phosphor icons (MIT).";

/// What this program is, on what it runs, and all of it as text for a bug report.
pub(super) fn show(ui: &mut Ui, state: &State, commands: &mut Commands) {
    let weak = ui.palette().text_weak;
    ui.heading("Walkforge");
    ui.add(Label::new(RichText::new(env!("CARGO_PKG_DESCRIPTION")).color(weak)).wrap());
    ui.add_space(space::S);
    let facts = facts(&state.machine, &state.runs_folder.display().to_string());
    Grid::new("about").num_columns(2).spacing([space::L, space::XS]).show(ui, |ui| {
        for (name, fact) in &facts {
            ui.label(RichText::new(*name).color(weak));
            ui.add(Label::new(fact.as_str()).wrap().selectable(true));
            ui.end_row();
        }
    });
    ui.add_space(space::S);
    ui.add(Label::new(RichText::new(PARTS).small().color(weak)).wrap());
    if let Some(repository) = repository() {
        ui.hyperlink_to("Source code and issues", repository);
    }
    ui.add_space(space::M);
    buttons(ui, |ui| {
        if widgets::primary_button(ui, "", "Close", true).clicked() {
            commands.send(Command::CloseModal);
        }
        if widgets::button(ui, icons::COPY, "Copy details for a bug report", true).clicked() {
            commands.send(Command::Copy(report(&facts)));
        }
    });
}

/// Where the package says its source is.
fn repository() -> Option<&'static str> {
    Some(env!("CARGO_PKG_REPOSITORY")).filter(|address| !address.is_empty())
}

/// What matters of program and machine. No name of a user or a host.
fn facts(machine: &Machine, runs_folder: &str) -> Vec<(&'static str, String)> {
    let unknown = || UNKNOWN.to_owned();
    let inventory = machine.inventory.as_deref();
    let memory = inventory.and_then(|found| found.cpu.memory_total);
    let memory = memory.map_or_else(unknown, |memory| memory.to_string());
    let mut facts = vec![
        ("Version", env!("CARGO_PKG_VERSION").to_owned()),
        ("Licence", env!("CARGO_PKG_LICENSE").to_owned()),
        ("libtorch", inventory.map_or_else(unknown, |found| found.libtorch.clone())),
        ("System", format!("{}, {}", std::env::consts::OS, std::env::consts::ARCH)),
    ];
    if let Some(found) = inventory {
        facts.push(("Processor", format!("{} cores, {memory}", found.cpu.cores)));
        for card in &found.cuda {
            let name = card.reading.name.clone().unwrap_or_else(unknown);
            facts.push(("GPU", format!("{}: {name}", card.device)));
        }
        match (&found.driver_version, &found.no_cuda_because) {
            (Some(driver), _) => facts.push(("GPU driver", driver.clone())),
            (None, Some(reason)) => facts.push(("GPU", reason.clone())),
            (None, None) => {}
        }
    }
    facts.push(("Runs", runs_folder.to_owned()));
    facts
}

/// The same as lines of text.
fn report(facts: &[(&str, String)]) -> String {
    let lines: Vec<String> = facts.iter().map(|(name, fact)| format!("{name}: {fact}")).collect();
    format!("Walkforge\n{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_report_has_version_and_licence_whatever_is_known_of_the_machine() {
        let text = report(&facts(&Machine::default(), "runs"));
        let version = format!("Version: {}", env!("CARGO_PKG_VERSION"));
        for line in [version.as_str(), "Licence: MIT OR Apache-2.0", "libtorch: —", "Runs: runs"]
        {
            assert!(text.lines().any(|found| found == line), "{line} in:\n{text}");
        }
    }
}
