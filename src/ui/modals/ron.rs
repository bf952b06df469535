use egui::text::{LayoutJob, TextFormat};
use egui::{Label, ScrollArea, TextStyle, Ui};

use super::buttons;
use crate::spec::ExperimentSpec;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::State;
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets;

/// Of what is scrolled, in points.
const HEIGHT: f32 = 540.0;

/// The experiment as the text of a file, written anew when it changes.
#[derive(Debug, Default)]
pub(in crate::ui) struct RonText {
    of: Option<Box<ExperimentSpec>>,
    text: String,
}

impl RonText {
    pub(super) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let spec = state.draft.spec();
        if self.of.as_deref() != Some(spec) {
            self.text = spec.to_ron();
            self.of = Some(Box::new(spec.clone()));
        }
        ui.heading("The experiment as RON");
        let weak = ui.palette().text_weak;
        let about = "What Save writes into a file, and what `walkforge train --preset FILE` reads.";
        ui.add(Label::new(egui::RichText::new(about).color(weak)).wrap());
        ui.add_space(space::S);
        let palette = ui.palette();
        let frame = egui::Frame::new().fill(palette.well).corner_radius(4).inner_margin(space::S);
        frame.show(ui, |ui| {
            ScrollArea::both().max_height(HEIGHT).auto_shrink([false, true]).show(ui, |ui| {
                let job = coloured(&self.text, &TextStyle::Monospace.resolve(ui.style()), palette);
                ui.add(Label::new(job).extend().selectable(true));
            });
        });
        ui.add_space(space::M);
        buttons(ui, |ui| {
            if widgets::primary_button(ui, icons::COPY, "Copy", true).clicked() {
                ui.ctx().copy_text(self.text.clone());
            }
            if ui.button("Close").clicked() {
                commands.send(Command::CloseModal);
            }
        });
    }
}

fn coloured(text: &str, font: &egui::FontId, palette: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (kind, part) in parts(text) {
        let color = match kind {
            Kind::Field => palette.code.field,
            Kind::Name => palette.code.name,
            Kind::Number => palette.code.number,
            Kind::Text => palette.code.text,
            Kind::Other => palette.text,
        };
        job.append(part, 0.0, TextFormat::simple(font.clone(), color));
    }
    job
}

/// What a part of RON is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The name of a field.
    Field,
    /// The name of a variant, `true` and `None`.
    Name,
    Number,
    /// In quotation marks.
    Text,
    /// Brackets, commas, spaces.
    Other,
}

/// Parts RON into pieces that together are the text again.
fn parts(text: &str) -> Vec<(Kind, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            '"' => (Kind::Text, quoted(rest)),
            '0'..='9' | '-' | '+' => (
                Kind::Number,
                run(rest, |letter| letter.is_alphanumeric() || "+-._".contains(letter)),
            ),
            letter if letter.is_alphabetic() || letter == '_' => {
                let length = run(rest, |letter| letter.is_alphanumeric() || letter == '_');
                let is_field = rest[length..].trim_start().starts_with(':');
                (if is_field { Kind::Field } else { Kind::Name }, length)
            }
            _ => {
                let is_other =
                    |letter: char| !(letter.is_alphanumeric() || "\"_-+".contains(letter));
                (Kind::Other, run(rest, is_other))
            }
        };
        // What is neither letter, digit nor sign by these rules, as `²`, stands by itself.
        let (part, after) = rest.split_at(length.max(first.len_utf8()));
        parts.push((kind, part));
        rest = after;
    }
    parts
}

/// Bytes of the letters at the beginning for which this holds.
fn run(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !holds(letter)).unwrap_or(text.len())
}

/// Bytes of the text in quotation marks at the beginning, with them.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            '"' if !escaped => return at + 1,
            _ => escaped = letter == '\\' && !escaped,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{PRESETS, load};

    #[test]
    fn parts_say_what_they_are_and_together_are_the_text() {
        let found =
            parts(r#"(name: "a \"b\" c", model: Mlp(hidden: [64], dropout: -1e-3), x: None)"#);
        let of = |kind: Kind| -> Vec<&str> {
            found.iter().filter(|part| part.0 == kind).map(|part| part.1).collect()
        };
        assert_eq!(of(Kind::Field), ["name", "model", "hidden", "dropout", "x"]);
        assert_eq!(of(Kind::Text), [r#""a \"b\" c""#]);
        assert_eq!(of(Kind::Name), ["Mlp", "None"]);
        assert_eq!(of(Kind::Number), ["64", "-1e-3"]);
        for text in PRESETS.iter().map(|preset| load(preset.name).unwrap().to_ron()) {
            assert_eq!(parts(&text).iter().map(|part| part.1).collect::<String>(), text);
        }
        assert_eq!(parts("\"open"), [(Kind::Text, "\"open")]);
        assert_eq!(parts("²!"), [(Kind::Other, "²"), (Kind::Other, "!")]);
    }
}
