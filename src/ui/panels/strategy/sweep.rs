//! What is varied: fields with their values, and seeds. Every variant becomes a run of its own.

mod fields;
mod values;

use std::collections::BTreeMap;

use egui::{Align, Label, Layout, RichText, TextEdit, TextStyle, Ui};

use self::fields::Fields;
use crate::domain::text::count;
use crate::spec::{Combine, ExperimentSpec, Field, MOST_VARIANTS, SweepAxis, SweepSpec, field};
use crate::ui::icons;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets::{self, Form};

/// Suggestions shown at a time.
const SUGGESTED: usize = 6;

/// Letters that a field has room for.
const LONG_PATH: usize = 22;

/// The sweep's part of the form, with what is being typed.
#[derive(Debug, Default)]
pub(super) struct SweepEditor {
    /// The fields there are, and of which specification.
    fields: Fields,
    /// Texts in fields that have the focus, by the path of what they write: a text half-written is no list of values yet.
    typed: BTreeMap<String, String>,
}

impl SweepEditor {
    pub(super) fn show(&mut self, ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
        let mut sweep = spec.sweep.clone();
        ui.horizontal(|ui| {
            widgets::section(ui, "Sweep");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let add = widgets::button(ui, icons::PLUS, "Vary a field", true);
                let help = "Train a variant for each value of a field; Start begins all of them";
                if add.on_hover_text(help).clicked() {
                    sweep.axes.push(SweepAxis::default());
                }
                if !sweep.is_empty() {
                    let reset = widgets::icon_button(
                        ui,
                        icons::ARROW_COUNTER_CLOCKWISE,
                        "Remove the sweep",
                    );
                    if reset.on_hover_text("Remove the sweep").clicked() {
                        sweep = SweepSpec::default();
                        self.typed.clear();
                    }
                }
            });
        });
        if !sweep.axes.is_empty() {
            self.fields.follow(spec);
        }
        let mut removed = None;
        for (index, axis) in sweep.axes.iter_mut().enumerate() {
            if self.axis(ui, form, index, axis) {
                removed = Some(index);
            }
        }
        if let Some(index) = removed {
            sweep.axes.remove(index);
            // The texts of those after it belong to other places now.
            self.typed.clear();
        }
        if sweep.axes.len() > 1 {
            let options = [
                (Combine::Grid, "every combination".to_owned()),
                (Combine::List, "side by side, as a list".to_owned()),
            ];
            let help = "Every value with every other one, or the first values of all fields together, then the second ones, and so on";
            form.choice(ui, "Combine", "sweep.combine", help, &options, &mut sweep.combine);
        }
        form.note(ui, "sweep.axes");
        self.seeds(ui, form, &mut sweep.seeds);
        summary(ui, form, &sweep);
        form.note(ui, "sweep");
        spec.sweep = sweep;
    }

    /// A field and its values. Whether it is to be removed.
    fn axis(&mut self, ui: &mut Ui, form: Form<'_>, index: usize, axis: &mut SweepAxis) -> bool {
        let mut removed = false;
        let name = format!("Field {}", index + 1);
        let field = format!("sweep.axes[{index}].path");
        let help = "The field that differs, as --set takes it: training.learning_rate";
        form.labelled_row(ui, &name, &field, help, |ui, label| {
            // A long path is written smaller: its end is what tells it from others.
            let style =
                if axis.path.len() > LONG_PATH { TextStyle::Small } else { TextStyle::Body };
            let edit = TextEdit::singleline(&mut axis.path).hint_text("type to search").font(style);
            let edit = ui.add(edit.desired_width(f32::INFINITY)).labelled_by(label);
            if !axis.path.is_empty() {
                edit.on_hover_text(about(&axis.path));
            }
        });
        if self.fields.current(&axis.path).is_none() {
            self.suggest(ui, &mut axis.path);
        }
        let now = self.fields.current(&axis.path).map(str::to_owned);
        let name = format!("Values {}", index + 1);
        let field = format!("sweep.axes[{index}].values");
        let help = "Its values with commas between them, each as --set takes it: 0.001, 0.01 or [64,64], [32] or Huber";
        let hint = now.as_ref().map_or_else(|| "0.1, 0.2".to_owned(), |now| format!("now {now}"));
        form.labelled_row(ui, &name, &field, help, |ui, label| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let remove = format!("Remove field {}", index + 1);
                let button = widgets::icon_button(ui, icons::TRASH, &remove);
                removed = button.on_hover_text("Remove").clicked();
                let text = values::join(&axis.values);
                if let Some(typed) = self.text(ui, &field, &text, &hint, label) {
                    axis.values = values::split(&typed);
                }
            });
        });
        if axis.values.is_empty()
            && !self.typed.contains_key(&field)
            && let Some(values) = self.fields.proposal(&axis.path)
        {
            propose(ui, values, &mut axis.values);
        }
        removed
    }

    /// Fields that what is typed may mean.
    fn suggest(&self, ui: &mut Ui, path: &mut String) {
        let found: Vec<(&str, &str)> = self.fields.matching(path).take(SUGGESTED + 1).collect();
        for (name, now) in found.iter().take(SUGGESTED) {
            ui.horizontal(|ui| {
                ui.add_space(space::M);
                let weak = ui.palette().text_weak;
                let button = egui::Button::new(RichText::new(*name).small());
                let button = ui.add(button.frame_when_inactive(false));
                widgets::name(&button, egui::Role::Button, &format!("Vary {name}"));
                let button = button.on_hover_text(about(name));
                ui.add(Label::new(RichText::new(*now).small().color(weak)).truncate());
                if button.clicked() {
                    path.clear();
                    path.push_str(name);
                }
            });
        }
        if found.len() > SUGGESTED {
            ui.horizontal(|ui| {
                ui.add_space(space::M + space::S);
                ui.weak(RichText::new("type more to find others").small());
            });
        }
    }

    fn seeds(&mut self, ui: &mut Ui, form: Form<'_>, seeds: &mut Vec<u64>) {
        let field = "sweep.seeds";
        let help = "Every variant once with each of these seeds, to see what is luck; empty: with the experiment's own seed";
        let mut problem = None;
        form.labelled_row(ui, "Seeds", field, help, |ui, label| {
            let texts: Vec<String> = seeds.iter().map(ToString::to_string).collect();
            let typed = self.text(ui, field, &texts.join(", "), "the experiment's own", label);
            if let Some(typed) = typed {
                match values::numbers(&typed) {
                    Ok(numbers) => *seeds = numbers,
                    Err(message) => problem = Some(message),
                }
            }
        });
        if let Some(problem) = problem {
            widgets::issue(ui, &problem);
        }
    }

    /// A text that stands for something else. What was typed, while and when it has the focus.
    fn text(
        &mut self,
        ui: &mut Ui,
        key: &str,
        shown: &str,
        hint: &str,
        label: egui::Id,
    ) -> Option<String> {
        let mut text = self.typed.get(key).cloned().unwrap_or_else(|| shown.to_owned());
        let edit = TextEdit::singleline(&mut text).hint_text(hint).desired_width(f32::INFINITY);
        let response = ui.add(edit).labelled_by(label);
        if response.changed() {
            self.typed.insert(key.to_owned(), text);
        }
        let typed = self.typed.get(key).cloned();
        if !response.has_focus() {
            self.typed.remove(key);
        }
        typed
    }
}

/// What is known of a field, for a tooltip.
fn about(path: &str) -> String {
    let Some(known) = field(path) else { return path.to_owned() };
    let Field { title, unit, help, range, .. } = known;
    let range = match range.to_string() {
        range if range.is_empty() => range,
        range => format!("\nRange: {range} {unit}").trim_end().to_owned(),
    };
    format!("{path}\n{title}: {help}{range}")
}

/// Offers values around what the field is now.
fn propose(ui: &mut Ui, proposed: Vec<String>, values: &mut Vec<String>) {
    ui.horizontal(|ui| {
        ui.add_space(space::M);
        let text = format!("Try {}", values::join(&proposed));
        let button = egui::Button::new(RichText::new(&text).small()).frame_when_inactive(false);
        let button = ui.add(button);
        widgets::name(&button, egui::Role::Button, &text);
        if button.on_hover_text("Values around what the field is now").clicked() {
            *values = proposed;
        }
    });
}

/// How many runs it makes, and how that comes about.
fn summary(ui: &mut Ui, form: Form<'_>, sweep: &SweepSpec) {
    if sweep.is_empty() {
        return;
    }
    let is_wrong = form.is_wrong("sweep")
        || form.is_wrong("sweep.axes")
        || sweep.axes.iter().enumerate().any(|(index, _)| {
            form.is_wrong(&format!("sweep.axes[{index}].path"))
                || form.is_wrong(&format!("sweep.axes[{index}].values"))
        });
    if is_wrong || sweep.len() > MOST_VARIANTS {
        return;
    }
    let lengths: Vec<String> =
        sweep.axes.iter().map(|axis| axis.values.len().to_string()).collect();
    let mut factors = match sweep.combine {
        Combine::Grid => lengths,
        Combine::List => lengths.into_iter().take(1).collect(),
    };
    match sweep.seeds.len() {
        0 => {}
        1 => factors.push("1 seed".to_owned()),
        several => factors.push(format!("{several} seeds")),
    }
    let runs = match sweep.len() {
        1 => "1 variant".to_owned(),
        several => format!("{} variants", count(several as u64)),
    };
    let how =
        if factors.len() > 1 { format!(" ({})", factors.join(" × ")) } else { String::new() };
    widgets::hint(ui, &format!("{runs}{how}, each a run of its own"));
}
