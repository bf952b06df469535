use egui::{Align, Color32, Label, Layout, Response, RichText, Role, Ui, vec2};

use crate::domain::text::UNKNOWN;
use crate::ui::state::Machine;
use crate::ui::theme::{ROW_HEIGHT, Themed, space};
use crate::ui::widgets::{self, Sparkline};

/// Room for a name, in points.
const NAME: f32 = 98.0;
/// Room for a value.
const VALUE: f32 = 100.0;
/// A line narrower than this says nothing.
const NARROWEST: f32 = 24.0;

/// One reading: its name, the last five minutes, its value now.
pub(super) struct Gauge<'a> {
    /// Whose reading it is, for those who hear it.
    pub(super) of: &'a str,
    pub(super) name: &'a str,
    /// With its unit; `None` where it is not known.
    pub(super) value: Option<String>,
    /// Why it would not be known, in words.
    pub(super) why_unknown: &'a str,
    /// Oldest first.
    pub(super) values: &'a [Option<f64>],
    /// The top of the scale; the bottom is 0.
    pub(super) top: f64,
    pub(super) color: Color32,
}

impl Gauge<'_> {
    pub(super) fn show(&self, ui: &mut Ui) {
        row(ui, self.name, |ui| {
            value(ui, self.of, self.name, self.value.as_deref(), self.why_unknown);
            let is_known = self.values.iter().any(Option::is_some);
            if !is_known || ui.available_width() < NARROWEST {
                return;
            }
            let line = Sparkline {
                values: self.values,
                capacity: Machine::capacity(),
                top: self.top,
                limit: None,
                color: self.color,
                height: ROW_HEIGHT - space::XS,
            };
            let response = line.show(ui);
            let response = response.on_hover_text("The last five minutes, one reading a second");
            let now = self.value.as_deref().unwrap_or("unknown now");
            let name = format!("{} {}, five minutes: {now}", self.of, self.name);
            widgets::name(&response, Role::Image, &name);
        });
    }
}

/// A name on the left; what is added fills the line from the right.
pub(super) fn row(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        ui.set_min_height(ROW_HEIGHT);
        ui.allocate_ui_with_layout(
            vec2(NAME, ROW_HEIGHT),
            Layout::left_to_right(Align::Center),
            |ui| {
                ui.set_min_width(NAME);
                let text = RichText::new(name).color(ui.palette().text_weak);
                ui.add(Label::new(text).truncate());
            },
        );
        ui.with_layout(Layout::right_to_left(Align::Center), add);
    });
}

/// A value in its column, or a dash that says on hover why there is none.
pub(super) fn value(ui: &mut Ui, of: &str, name: &str, value: Option<&str>, why_unknown: &str) {
    let layout = Layout::right_to_left(Align::Center);
    let room = vec2(VALUE.min(ui.available_width()), ROW_HEIGHT);
    ui.allocate_ui_with_layout(room, layout, |ui| {
        ui.set_min_width(room.x);
        match value {
            Some(value) => {
                ui.add(Label::new(value).truncate()).on_hover_text(value);
            }
            None => {
                unknown(ui, of, name, why_unknown);
            }
        }
    });
}

/// The dash for what is not known.
pub(super) fn unknown(ui: &mut Ui, of: &str, name: &str, why: &str) -> Response {
    let dash = ui.label(RichText::new(UNKNOWN).color(ui.palette().text_weak));
    widgets::name(&dash, Role::Label, &format!("{of} {name}: unknown. {why}"));
    dash.on_hover_text(why)
}
