use egui::{Context, Id, KeyboardShortcut, Memory, Response};

use super::actions::Action;
use super::commands::Command;
use super::layout::PanelKind;

/// What the keys that were pressed ask for. It is carried out in the next frame: until then the field that was being written in gives up its
/// focus, and with it its value.
pub(super) fn shortcut(ctx: &Context) -> Option<Command> {
    let is_pressed = |keys: Option<KeyboardShortcut>| {
        keys.is_some_and(|keys| ctx.input_mut(|input| input.consume_shortcut(&keys)))
    };
    let action = Action::ALL.into_iter().find(|action| is_pressed(action.shortcut()));
    let panel = || PanelKind::ALL.into_iter().find(|kind| is_pressed(kind.shortcut()));
    let pressed = action.map(Command::Do).or_else(|| panel().map(Command::ShowPanel))?;
    // Whoever searches already goes on from where they are.
    if pressed != Command::Do(Action::Find) {
        give_up_focus(ctx);
    }
    ctx.request_repaint();
    Some(pressed)
}

/// When the mouse goes down elsewhere, the field that was being written in gives up its value, before the click there counts. egui by
/// itself waits for the click.
pub(super) fn give_up_focus_on_press(ctx: &Context) {
    let pressed =
        ctx.input(|input| input.pointer.any_pressed().then(|| input.pointer.interact_pos()));
    let focused = ctx.memory(Memory::focused).and_then(|id| ctx.read_response(id));
    if let (Some(Some(at)), Some(field)) = (pressed, focused)
        && !field.rect.contains(at)
    {
        give_up_focus(ctx);
    }
}

fn give_up_focus(ctx: &Context) {
    if let Some(focused) = ctx.memory(Memory::focused) {
        ctx.memory_mut(|memory| memory.surrender_focus(focused));
    }
}

/// The search fields of a frame, in the order drawn.
#[derive(Debug, Clone, Default)]
struct SearchFields {
    /// Which frame.
    pass: u64,
    fields: Vec<Id>,
}

fn search_fields() -> Id {
    Id::unique("search_fields")
}

/// Makes a search field one that Ctrl+F goes to, while any of it is in view.
pub(super) fn remember_search(field: &Response) {
    if !field.interact_rect.is_positive() {
        return;
    }
    let pass = field.ctx.cumulative_pass_nr();
    field.ctx.data_mut(|data| {
        let known: &mut SearchFields = data.get_temp_mut_or_default(search_fields());
        if known.pass != pass {
            *known = SearchFields { pass, fields: Vec::new() };
        }
        known.fields.push(field.id);
    });
}

/// Goes to the search field after the one that has the focus, or else to the first in view. Whether there is one.
pub(super) fn find(ctx: &Context) -> bool {
    let known: SearchFields = ctx.data(|data| data.get_temp(search_fields())).unwrap_or_default();
    if known.fields.is_empty() || known.pass != ctx.cumulative_pass_nr() {
        return false;
    }
    let focused = ctx.memory(Memory::focused);
    let place = known.fields.iter().position(|field| Some(*field) == focused);
    let next = place.map_or(0, |place| place + 1) % known.fields.len();
    ctx.memory_mut(|memory| memory.request_focus(known.fields[next]));
    true
}
