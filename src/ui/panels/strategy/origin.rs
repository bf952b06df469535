use std::cell::RefCell;

use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use crate::spec::{Difference, field};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::Draft;
use crate::ui::theme::{ROW_HEIGHT, Themed, space};
use crate::ui::widgets::{self, Form};

/// Rows of changes shown at a time; the others are scrolled to.
const ROWS: f32 = 8.0;

/// What the experiment began as, and what has been changed since.
pub(super) fn show(
    ui: &mut Ui,
    form: Form<'_>,
    draft: &Draft,
    (open, undone): (&mut bool, &RefCell<Vec<Difference>>),
    commands: &mut Commands,
) {
    let origin = draft.origin();
    let help = "Begin anew from an experiment that comes with the program, or from one of your own";
    form.row(ui, "Preset", "preset", help, |ui| {
        let text = if origin.is_preset() { origin.name() } else { "your own" };
        let text = format!("{text}  {}", icons::CARET_RIGHT);
        let size = egui::vec2(ui.available_width(), ui.spacing().interact_size.y);
        let button = ui.add_sized(size, egui::Button::new(text).truncate());
        widgets::name(&button, egui::Role::Button, "Choose a preset");
        let hover = "Show all presets, what each is good for, and your own experiments";
        if button.on_hover_text(hover).clicked() {
            commands.send(Command::ChoosePreset);
        }
    });
    let differences = draft.differences();
    head(ui, draft, open, commands);
    // Always one child, so that the rows below keep their ids, and with them the focus, when the list comes and goes.
    ui.scope(|ui| {
        if *open && !differences.is_empty() {
            ScrollArea::vertical()
                .id_salt("differences")
                .max_height(ROWS * ROW_HEIGHT)
                .auto_shrink([false, true])
                .show(ui, |ui| list(ui, differences, undone));
        }
    });
    let notes = &draft.spec().notes;
    if !notes.is_empty() {
        let notes = RichText::new(notes).small().color(ui.palette().text_weak);
        ui.add(Label::new(notes).wrap());
    }
}

/// How many changes there are, and a button that takes all of them back. Of a fixed height: nothing below moves with the first change.
fn head(ui: &mut Ui, draft: &Draft, open: &mut bool, commands: &mut Commands) {
    let (origin, differences) = (draft.origin(), draft.differences());
    ui.horizontal(|ui| {
        ui.set_min_height(ROW_HEIGHT);
        let palette = ui.palette();
        if differences.is_empty() {
            let same = if origin.is_preset() {
                "as the preset has it"
            } else {
                "unchanged since it was opened"
            };
            let text = RichText::new(format!("{}  {same}", icons::CHECK_CIRCLE)).small();
            ui.label(text.color(palette.text_weak));
            return;
        }
        let several = match differences.len() {
            1 => "1 field differs".to_owned(),
            several => format!("{several} fields differ"),
        };
        let icon = if *open { icons::CARET_DOWN } else { icons::CARET_RIGHT };
        let text = RichText::new(format!("{icon}  {several}")).color(palette.text);
        let button = ui.add(egui::Button::new(text).frame(false));
        widgets::name(&button, egui::Role::DisclosureTriangle, &several);
        let name = origin.name();
        if button.on_hover_text(format!("What was changed since {name}")).clicked() {
            *open = !*open;
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let reset = widgets::button(ui, icons::ARROW_COUNTER_CLOCKWISE, "Reset all", true);
            let hover = format!(
                "All as {name} has it. Source, symbols, period, name and sweep stay as they are"
            );
            if reset.on_hover_text(hover).clicked() {
                commands.send(Command::TakeBackAll);
            }
        });
    });
}

fn list(ui: &mut Ui, differences: &[Difference], undone: &RefCell<Vec<Difference>>) {
    let palette = ui.palette();
    for difference in differences {
        let title = field(&difference.path)
            .map_or_else(|| widgets::field_title(&difference.path), |field| field.title.to_owned());
        let (now, was) = (difference.to_text(), difference.from_text());
        ui.horizontal(|ui| {
            ui.add_space(space::M);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let name = format!("Take back {}", difference.path);
                let back = widgets::icon_button(ui, icons::ARROW_COUNTER_CLOCKWISE, &name);
                if back.on_hover_text(format!("Back to {was}")).clicked() {
                    undone.borrow_mut().push(difference.clone());
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.label(RichText::new(&title).small().color(palette.text_weak));
                    let values = RichText::new(format!("{now}, was {was}")).small();
                    let values = ui.add(Label::new(values).truncate());
                    let text = format!("{} is {now}, was {was}", difference.path);
                    widgets::name(&values, egui::Role::Label, &text);
                    values.on_hover_text(text);
                });
            });
        });
    }
}
