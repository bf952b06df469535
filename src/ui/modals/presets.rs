use std::path::Path;
use std::sync::LazyLock;

use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use super::buttons;
use crate::domain::text::count;
use crate::models::{InputShape, parameter_count};
use crate::spec::{DataSource, ExperimentSpec, PRESETS, Preset, load};
use crate::ui::actions::Action;
use crate::ui::commands::{Command, Commands, Purpose};
use crate::ui::icons;
use crate::ui::state::{Draft, State};
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets;

/// Of what is scrolled, in points.
const HEIGHT: f32 = 520.0;

/// A preset as its card shows it.
struct Card {
    preset: &'static Preset,
    /// `MLP · forward return · rolling walk-forward`.
    kind: String,
    /// `12 features in 14 columns · window 4 · …`.
    size: String,
    notes: String,
}

static CARDS: LazyLock<Vec<Card>> = LazyLock::new(|| {
    let card = |preset: &'static Preset| {
        let spec = load(preset.name).expect("presets are tested");
        let kind =
            format!("{} · {} · {}", spec.model.name(), spec.label.name(), spec.validation.name());
        Card { preset, kind, size: size(&spec), notes: spec.notes }
    };
    PRESETS.iter().map(card).collect()
});

/// How large an experiment is: features, window, parameters of a model, data.
fn size(spec: &ExperimentSpec) -> String {
    let columns: usize = spec.features.iter().map(|feature| feature.columns().len()).sum();
    let input = InputShape { window: spec.window, features: columns as u32 };
    let parameters = parameter_count(&spec.model, input, spec.label.outputs());
    let window = match spec.window {
        1 => "one bar".to_owned(),
        bars => format!("{} bars", count(bars.into())),
    };
    let data = match &spec.data.source {
        DataSource::Synthetic(market) => format!(
            "{} built-in symbols of {} bars",
            spec.data.symbols.len(),
            count(market.bars.into())
        ),
        DataSource::Folder(folder) => folder.display().to_string(),
    };
    format!(
        "{} features in {columns} columns · sees {window} · {} parameters · {data}",
        spec.features.len(),
        count(parameters)
    )
}

/// What there is to begin from: presets, and experiments of one's own.
pub(super) fn show(ui: &mut Ui, state: &State, commands: &mut Commands) {
    let weak = ui.palette().text_weak;
    ui.heading("Begin from");
    ui.add(Label::new(RichText::new(replaces(&state.draft)).color(weak)).wrap());
    ui.add_space(space::S);
    ScrollArea::vertical().max_height(HEIGHT).auto_shrink([false, true]).show(ui, |ui| {
        for card in CARDS.iter() {
            card.show(ui, &state.draft, commands);
        }
        if !state.experiments.is_empty() {
            ui.add_space(space::XS);
            widgets::section(ui, "Your experiments");
            for path in &state.experiments {
                own(ui, path, commands);
            }
        }
    });
    ui.add_space(space::M);
    buttons(ui, |ui| {
        if ui.button("Close").clicked() {
            commands.send(Command::CloseModal);
        }
        if widgets::button(ui, icons::FOLDER_OPEN, "Open a file…", true).clicked() {
            commands.send(Command::Do(Action::Open));
        }
    });
}

/// What becomes of the experiment on the bench.
fn replaces(draft: &Draft) -> String {
    let name = &draft.spec().name;
    match draft.differences().len() {
        0 => format!("What you choose takes the place of {name}."),
        1 => format!(
            "What you choose takes the place of {name}, which has 1 change. It can be brought back."
        ),
        several => format!(
            "What you choose takes the place of {name}, which has {several} changes. It can be brought back."
        ),
    }
}

impl Card {
    fn show(&self, ui: &mut Ui, draft: &Draft, commands: &mut Commands) {
        let palette = ui.palette();
        let name = self.preset.name;
        let is_on_bench = draft.origin().is_preset() && draft.origin().name() == name;
        let line = if is_on_bench { palette.accent } else { palette.line };
        let frame = egui::Frame::new()
            .fill(palette.raised)
            .stroke(egui::Stroke::new(1.0, line))
            .corner_radius(6)
            .inner_margin(space::M);
        frame.show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 3.0;
            ui.horizontal(|ui| {
                ui.label(RichText::new(name).family(strong_family()));
                ui.label(RichText::new(&self.kind).color(palette.text_weak));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let use_it = widgets::button(ui, "", "Use", true);
                    widgets::name(&use_it, egui::Role::Button, &format!("Use {name}"));
                    if use_it.on_hover_text(&self.notes).clicked() {
                        commands.send(Command::UsePreset(name));
                    }
                    if is_on_bench {
                        let text = match draft.differences().len() {
                            0 => "on the bench".to_owned(),
                            1 => "on the bench, 1 change".to_owned(),
                            several => format!("on the bench, {several} changes"),
                        };
                        let label = format!("{}  {text}", icons::CHECK_CIRCLE);
                        let label = ui.label(RichText::new(label).small().color(palette.accent));
                        widgets::name(&label, egui::Role::Label, &format!("{name} is {text}"));
                    }
                });
            });
            ui.add(Label::new(self.preset.good_for).wrap());
            ui.add(Label::new(RichText::new(&self.size).small().color(palette.text_weak)).wrap());
        });
    }
}

/// An experiment in a file.
fn own(ui: &mut Ui, path: &Path, commands: &mut Commands) {
    ui.horizontal(|ui| {
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let open = widgets::button(ui, icons::FOLDER_OPEN, &file, true);
        widgets::name(&open, egui::Role::Button, &format!("Open {file}"));
        if open.clicked() {
            commands.send(Command::Chosen(Purpose::Open, path.to_owned()));
        }
        let folder = path.parent().map_or_else(String::new, |folder| folder.display().to_string());
        let folder = RichText::new(folder).small().color(ui.palette().text_weak);
        ui.add(Label::new(folder).truncate());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_says_what_it_is_and_how_large() {
        for card in CARDS.iter() {
            assert!(!card.notes.is_empty() && card.preset.good_for.ends_with('.'), "{}", card.kind);
        }
        let default = &CARDS[0];
        assert_eq!(default.kind, "MLP · forward return · rolling walk-forward");
        assert!(default.size.starts_with("12 features in "), "{}", default.size);
        assert!(default.size.ends_with("2 built-in symbols of 12\u{202f}000 bars"));
    }
}
