use egui::{Label, RichText, Role, Ui};

use super::Form;
use crate::spec::{Difference, default_of, field};
use crate::ui::icons;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;

/// The mark of a field that is not what it was when the draft began; where the form can, it takes the change back.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, name: &str, difference: &Difference) {
    let color = ui.palette().accent;
    let was = was(form, difference);
    ui.spacing_mut().item_spacing.x = space::XS;
    let Some(undone) = form.undone else {
        let dot = ui.label(RichText::new("•").color(color));
        widgets::name(&dot, Role::Label, &was);
        dot.on_hover_text(was);
        return;
    };
    let response = ui.scope(|ui| {
        ui.spacing_mut().button_padding.x = 1.0;
        let icon = RichText::new(icons::ARROW_COUNTER_CLOCKWISE).small().color(color);
        ui.add(egui::Button::new(icon).small().frame_when_inactive(false))
    });
    let response = response.inner;
    widgets::name(&response, Role::Button, &format!("Reset {name}"));
    if response.on_hover_text(format!("{was}. Click to take it back.")).clicked() {
        undone.borrow_mut().push(difference.clone());
    }
}

/// What a field does, what it may be, what it is by default and was at first.
pub(super) fn help(
    ui: &mut Ui,
    form: Form<'_>,
    (path, help): (&str, &str),
    difference: Option<&Difference>,
) {
    ui.set_max_width(ui.spacing().tooltip_width);
    ui.add(Label::new(help).wrap());
    let known = field(path);
    let mut facts = Vec::new();
    if let Some(known) = known {
        let range = known.range.to_string();
        if !range.is_empty() {
            facts.push(format!("Range: {range} {}", known.unit).trim_end().to_owned());
        }
        if let Some(default) = default_of(form.draft.spec(), path) {
            facts.push(format!("Default: {default}"));
        }
    }
    facts.extend(difference.map(|difference| was(form, difference)));
    // As `--set` and a sweep take it.
    facts.extend(known.map(|_| path.to_owned()));
    let weak = ui.palette().text_weak;
    for fact in facts {
        ui.add(Label::new(RichText::new(fact).small().color(weak)).wrap());
    }
}

/// `Differs from preset mlp-return: 8`.
fn was(form: Form<'_>, difference: &Difference) -> String {
    let origin = form.draft.origin();
    let kind = if origin.is_preset() { "preset " } else { "" };
    format!("Differs from {kind}{}: {}", origin.name(), difference.from_text())
}
