//! Everything that can be done, found by a few letters.

mod entries;
mod matching;

use egui::text::LayoutJob;
use egui::{
    Align, FontSelection, Id, Key, Label, Modifiers, RichText, Role, ScrollArea, Sense, TextEdit,
    Ui, UiBuilder, WidgetInfo, vec2,
};

use self::entries::Entry;
use crate::ui::actions::Action;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::State;
use crate::ui::theme::{ROW_HEIGHT, Themed, space, strong_family};
use crate::ui::widgets;

/// Rows in view.
const ROWS: usize = 12;
/// Height of one, in points.
const HEIGHT: f32 = ROW_HEIGHT + space::XS;

/// What was typed, and which of the answers is to be done.
#[derive(Debug, Default)]
pub(in crate::ui) struct Palette {
    typed: String,
    /// Place among the answers.
    chosen: usize,
    has_begun: bool,
}

impl Palette {
    pub(super) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let keys = Keys::pressed(ui);
        if keys.closes {
            commands.send(Command::CloseModal);
        }
        let field = TextEdit::singleline(&mut self.typed)
            .id(Id::unique("palette_search"))
            .hint_text("What would you like to do?")
            .prefix(icons::MAGNIFYING_GLASS)
            .desired_width(f32::INFINITY);
        let field = ui.add(field);
        widgets::name(&field, Role::SearchInput, "Search for what can be done");
        if !std::mem::replace(&mut self.has_begun, true) {
            field.request_focus();
        }
        if field.changed() {
            self.chosen = 0;
        }
        let found = entries::ranked(&self.typed, entries::all(ui.ctx(), state));
        let last = found.len().saturating_sub(1);
        self.chosen = self.chosen.min(last).saturating_add_signed(keys.by).min(last);
        ui.add_space(space::S);
        let done = self.list(ui, &found, keys.by != 0);
        ui.add_space(space::XS);
        let chosen = found.get(self.chosen).map(|(entry, _)| entry);
        foot(ui, chosen);
        let done = done.or_else(|| chosen.filter(|_| keys.does));
        if let Some(entry) = done.filter(|entry| entry.waits_for.is_none()) {
            // First: what is asked for may stand in front of the panels itself.
            commands.send(Command::CloseModal);
            commands.send(entry.command.clone());
        }
    }

    /// The answers; the one that was clicked.
    fn list<'a>(
        &mut self,
        ui: &mut Ui,
        found: &'a [(Entry, Vec<usize>)],
        has_moved: bool,
    ) -> Option<&'a Entry> {
        let height = HEIGHT * ROWS as f32;
        let area = ScrollArea::vertical().max_height(height).min_scrolled_height(height);
        let mut clicked = None;
        // It keeps its height, so that nothing jumps while somebody types.
        area.auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            if found.is_empty() {
                ui.add_space(space::S);
                ui.weak("Nothing is called so. Fewer letters find more.");
            }
            for (place, (entry, places)) in found.iter().enumerate() {
                let response = row(ui, entry, places, place == self.chosen);
                if place == self.chosen && has_moved {
                    response.scroll_to_me(None);
                }
                let pointer = ui.input(|input| input.pointer.delta());
                if response.hovered() && pointer != egui::Vec2::ZERO {
                    self.chosen = place;
                }
                if response.clicked() {
                    clicked = Some(entry);
                }
            }
        });
        clicked
    }
}

/// Keys that the search field must not have.
struct Keys {
    /// How far the choice moves.
    by: isize,
    /// The chosen one is to be done.
    does: bool,
    /// The shortcut that opened the palette closes it.
    closes: bool,
}

impl Keys {
    fn pressed(ui: &Ui) -> Self {
        ui.input_mut(|input| {
            let mut count = |key| {
                isize::try_from(input.count_and_consume_key(Modifiers::NONE, key)).unwrap_or(0)
            };
            let page = ROWS as isize - 1;
            let by = count(Key::ArrowDown) - count(Key::ArrowUp)
                + page * (count(Key::PageDown) - count(Key::PageUp));
            let does = count(Key::Enter) > 0;
            let closes =
                Action::Palette.shortcut().is_some_and(|keys| input.consume_shortcut(&keys));
            Self { by, does, closes }
        })
    }
}

fn row(ui: &mut Ui, entry: &Entry, places: &[usize], is_chosen: bool) -> egui::Response {
    let palette = ui.palette();
    // Tab does not go from the field to the rows: Enter would do the chosen one all the same.
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::CLICK);
    let can = entry.waits_for.is_none();
    response.widget_info(|| {
        let mut info = WidgetInfo::selected(Role::ListBoxOption, can, is_chosen, &entry.name);
        info.hint_text = entry.waits_for.clone().or_else(|| Some(entry.help.clone()));
        info
    });
    if !ui.is_rect_visible(rect) {
        return response;
    }
    if is_chosen {
        ui.painter().rect_filled(rect, ui.visuals().menu_corner_radius, palette.selected);
    }
    let inside = rect.shrink2(vec2(space::S, 0.0));
    let layout = egui::Layout::right_to_left(Align::Center);
    ui.scope_builder(UiBuilder::new().max_rect(inside).layout(layout), |ui| {
        let weak = |text: &str| RichText::new(text).small().color(palette.text_weak);
        if !entry.keys.is_empty() {
            ui.add(Label::new(weak(&entry.keys)));
        }
        ui.with_layout(egui::Layout::left_to_right(Align::Center), |ui| {
            let color = if can { palette.text } else { palette.text_weak };
            ui.label(RichText::new(entry.icon).color(palette.text_weak));
            ui.add(Label::new(emphasised(ui, &entry.name, places, color)).truncate());
            if let Some(why) = &entry.waits_for {
                ui.add(Label::new(weak(&format!("{}  {why}", icons::PROHIBIT))).truncate());
            }
        });
    });
    response
}

/// The name, with the letters that were typed in bold.
fn emphasised(ui: &Ui, name: &str, places: &[usize], color: egui::Color32) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (place, letter) in name.chars().enumerate() {
        let text = RichText::new(letter).color(color);
        let text =
            if places.contains(&place) { text.family(strong_family()).underline() } else { text };
        text.append_to(&mut job, ui.style(), FontSelection::Default, Align::Center);
    }
    job
}

/// What the chosen one does, and how to go about it.
fn foot(ui: &mut Ui, chosen: Option<&Entry>) {
    let weak = ui.palette().text_weak;
    let help = chosen.map_or("", |entry| entry.help.as_str());
    ui.add(Label::new(RichText::new(help).small().color(weak)).truncate());
    let keys = "Up and Down choose, Enter does it, Escape closes.";
    ui.add(Label::new(RichText::new(keys).small().color(weak)).truncate());
}
