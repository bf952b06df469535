use super::actions::Action;

/// The action whose keys were pressed. It is carried out in the next frame: until then the field that was being written in gives up its
/// focus, and with it its value.
pub(super) fn shortcut(ctx: &egui::Context) -> Option<Action> {
    let pressed = Action::ALL
        .into_iter()
        .find(|action| ctx.input_mut(|input| input.consume_shortcut(&action.shortcut())))?;
    give_up_focus(ctx);
    ctx.request_repaint();
    Some(pressed)
}

/// When the mouse goes down elsewhere, the field that was being written in gives up its value, before the click there counts. egui by
/// itself waits for the click.
pub(super) fn give_up_focus_on_press(ctx: &egui::Context) {
    let pressed =
        ctx.input(|input| input.pointer.any_pressed().then(|| input.pointer.interact_pos()));
    let focused = ctx.memory(egui::Memory::focused).and_then(|id| ctx.read_response(id));
    if let (Some(Some(at)), Some(field)) = (pressed, focused)
        && !field.rect.contains(at)
    {
        give_up_focus(ctx);
    }
}

fn give_up_focus(ctx: &egui::Context) {
    if let Some(focused) = ctx.memory(egui::Memory::focused) {
        ctx.memory_mut(|memory| memory.surrender_focus(focused));
    }
}
