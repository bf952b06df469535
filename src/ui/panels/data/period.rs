use egui::Ui;

use super::send_if_changed;
use crate::domain::UtcMillis;
use crate::spec::Pooling;
use crate::ui::commands::Commands;
use crate::ui::state::Draft;
use crate::ui::widgets::{self, Form};

/// How symbols share models, and from when until when bars are used.
#[derive(Debug, Default)]
pub(super) struct Period {
    /// Dates as they are being typed, while they are no dates.
    from: Option<String>,
    until: Option<String>,
}

impl Period {
    pub(super) fn show(&mut self, ui: &mut Ui, draft: &Draft, commands: &mut Commands) {
        let form = Form::new(draft);
        let mut spec = draft.spec().clone();
        widgets::section(ui, "Models and period");
        form.choice(
            ui,
            "Models",
            "data.pooling",
            "A model of its own for each symbol, or one for all of them, cut on one UTC time axis",
            &[
                (Pooling::PerSymbol, "one per symbol".to_owned()),
                (Pooling::Pooled, "one for all symbols".to_owned()),
            ],
            &mut spec.data.pooling,
        );
        let from = &mut spec.data.from;
        date(
            ui,
            form,
            ("From", "data.from", "Only bars that open at or after this"),
            &mut self.from,
            from,
        );
        let until = &mut spec.data.until;
        date(
            ui,
            form,
            ("Until", "data.until", "Only bars that open before this"),
            &mut self.until,
            until,
        );
        send_if_changed(draft, spec, commands);
    }
}

/// A date that may be absent. What is typed stays as it is until it is a date.
fn date(
    ui: &mut Ui,
    form: Form<'_>,
    (name, field, help): (&str, &str, &str),
    typed: &mut Option<String>,
    value: &mut Option<UtcMillis>,
) {
    let shown = value.map(|at| at.to_string().replace("T00:00:00Z", "")).unwrap_or_default();
    let mut text = typed.clone().unwrap_or(shown);
    let mut wrong = None;
    form.labelled_row(ui, name, field, help, |ui, label| {
        let edit = egui::TextEdit::singleline(&mut text).hint_text("any, or 2024-06-30 (UTC)");
        let response = ui.add(edit.desired_width(f32::INFINITY)).labelled_by(label);
        if response.changed() {
            *typed = Some(text.clone());
            if text.trim().is_empty() {
                *value = None;
            } else if let Ok(at) = text.parse() {
                *value = Some(at);
            }
        }
        let is_whole = text.trim().is_empty() || text.trim().parse::<UtcMillis>().is_ok();
        if response.lost_focus() && is_whole {
            *typed = None;
        }
    });
    if !text.trim().is_empty()
        && let Err(error) = text.parse::<UtcMillis>()
    {
        wrong = Some(error.to_string());
    }
    if let Some(message) = wrong {
        widgets::issue(ui, &format!("{message}; the last valid date stays in force"));
    }
}
