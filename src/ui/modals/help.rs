use egui::gui_zoom::kb_shortcuts;
use egui::{Context, Grid, Label, RichText, Ui};

use super::buttons;
use crate::ui::actions::Action;
use crate::ui::commands::{Command, Commands};
use crate::ui::layout::PanelKind;
use crate::ui::state::State;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;

/// Keys within lists and tables, and what the mouse can do besides.
const TABLES: [(&str, &str); 4] = [
    ("Up, Down", "In a table: the row before or after; with Shift, select up to there"),
    ("Ctrl+A", "In a table: select every row that is found"),
    ("Tab, Space", "The next control, and press it"),
    ("Escape", "Close what stands before the panels"),
];

/// What is found where no shortcut leads.
const HINTS: [(&str, &str); 4] = [
    (
        "Drag and drop",
        "Drop a folder of market files on the window to take bars from it, or a RON file to open that experiment.",
    ),
    (
        "Sweeps",
        "Vary a field at the end of Strategy: each variant becomes a run, and Compare puts them in one table.",
    ),
    (
        "Runs",
        "keeps every run: one that was interrupted or cancelled, or that failed, goes on with Resume.",
    ),
    (
        "Models",
        "keeps trained models that were given a name, and compares them with the champion of that name.",
    ),
];

/// All shortcuts, and what is found where none leads.
pub(super) fn show(ui: &mut Ui, state: &State, commands: &mut Commands) {
    ui.heading("Shortcuts and where things are");
    let libtorch = state.machine.inventory.as_ref().map(|found| found.libtorch.clone());
    let libtorch = libtorch.map_or_else(String::new, |version| format!(", libtorch {version}"));
    ui.weak(format!("Version {}{libtorch}", env!("CARGO_PKG_VERSION")));
    ui.add(Label::new(format!("Runs are written to {}", state.runs_folder.display())).truncate());
    ui.add_space(space::S);
    Grid::new("shortcuts").num_columns(2).spacing([space::L, space::XS]).show(ui, |ui| {
        for (keys, name, help) in shortcuts(ui.ctx()) {
            ui.monospace(keys);
            ui.horizontal(|ui| {
                if !name.is_empty() {
                    ui.strong(name);
                }
                let help = RichText::new(help).color(ui.palette().text_weak);
                ui.add(Label::new(help).truncate());
            });
            ui.end_row();
        }
    });
    ui.add_space(space::S);
    for (title, text) in HINTS {
        ui.horizontal_wrapped(|ui| {
            ui.strong(title);
            ui.label(text);
        });
    }
    ui.add_space(space::M);
    buttons(ui, |ui| {
        if widgets::primary_button(ui, "", "Close", true).clicked() {
            commands.send(Command::CloseModal);
        }
        if ui.button(Action::About.name()).clicked() {
            commands.send(Command::Do(Action::About));
        }
    });
}

/// Keys, what they are called, and what they do.
fn shortcuts(ctx: &Context) -> Vec<(String, &'static str, String)> {
    let actions = Action::ALL.into_iter().filter(|action| action.shortcut().is_some());
    let mut all: Vec<_> = actions
        .map(|action| {
            let name = action.name().trim_end_matches('…');
            (action.keys(ctx), name, action.help().to_owned())
        })
        .collect();
    let with_digit: Vec<(String, &str)> = PanelKind::ALL
        .into_iter()
        .filter_map(|kind| Some((ctx.format_shortcut(&kind.shortcut()?), kind.title())))
        .collect();
    if let [(first, _), .., (last, _)] = with_digit.as_slice() {
        let titles: Vec<&str> = with_digit.iter().map(|(_, title)| *title).collect();
        all.push((format!("{first} … {last}"), "Panels", titles.join(", ")));
    }
    let zoom = [kb_shortcuts::ZOOM_IN, kb_shortcuts::ZOOM_OUT, kb_shortcuts::ZOOM_RESET];
    let zoom = zoom.map(|keys| ctx.format_shortcut(&keys)).join(", ");
    all.push((zoom, "Size", "Everything larger, smaller, as usual".to_owned()));
    all.extend(TABLES.map(|(keys, help)| (keys.to_owned(), "", help.to_owned())));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_with_keys_is_listed_and_no_two_have_the_same() {
        let ctx = Context::default();
        let all = shortcuts(&ctx);
        for action in Action::ALL.into_iter().filter(|action| action.shortcut().is_some()) {
            assert!(all.iter().any(|(keys, ..)| *keys == action.keys(&ctx)), "{action:?}");
        }
        let panels = PanelKind::ALL.into_iter().filter_map(PanelKind::shortcut);
        let mut keys: Vec<String> = Action::ALL
            .into_iter()
            .filter_map(Action::shortcut)
            .chain(panels)
            .map(|keys| ctx.format_shortcut(&keys))
            .collect();
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
