use egui::{DragValue, TextEdit, Ui};

use crate::domain::{CalendarTime, CalendarUnit, Length, UtcMillis};
use crate::spec::{ExperimentSpec, Portion, ValidationSpec};
use crate::ui::widgets::{self, Form, Row};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Rolling,
    Anchored,
    PurgedKFold,
    HoldOut,
}

impl Scheme {
    const fn of(spec: &ValidationSpec) -> Self {
        match spec {
            ValidationSpec::WalkForward { anchored: false, .. } => Self::Rolling,
            ValidationSpec::WalkForward { anchored: true, .. } => Self::Anchored,
            ValidationSpec::PurgedKFold { .. } => Self::PurgedKFold,
            ValidationSpec::HoldOut { .. } => Self::HoldOut,
        }
    }

    /// What to begin with when this scheme is chosen; between the two kinds of walk-forward everything else stays.
    fn begin(self, known: ValidationSpec) -> ValidationSpec {
        let anchored = self == Self::Anchored;
        match (self, known) {
            (
                Self::Rolling | Self::Anchored,
                ValidationSpec::WalkForward {
                    train,
                    validation,
                    test,
                    step,
                    embargo,
                    max_folds,
                    ..
                },
            ) => ValidationSpec::WalkForward {
                anchored,
                train,
                validation,
                test,
                step,
                embargo,
                max_folds,
            },
            (Self::Rolling | Self::Anchored, _) => ValidationSpec::WalkForward {
                anchored,
                train: Length::Bars(3000),
                validation: Length::Bars(500),
                test: Length::Bars(500),
                step: None,
                embargo: Length::Bars(0),
                max_folds: None,
            },
            (Self::PurgedKFold, _) => ValidationSpec::PurgedKFold {
                folds: 5,
                validation: Portion::Share(0.1),
                embargo: None,
            },
            (Self::HoldOut, _) => ValidationSpec::HoldOut {
                // 2024-01-01 and 2024-07-01.
                validation_from: UtcMillis(1_704_067_200_000),
                test_from: UtcMillis(1_719_792_000_000),
                embargo: Length::Bars(0),
            },
        }
    }
}

/// How time is cut.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, spec: &mut ExperimentSpec) {
    widgets::section(ui, "Validation");
    let known = Scheme::of(&spec.validation);
    let mut scheme = known;
    // Rolling or anchored is one field of walk-forward, and all else are schemes of their own.
    let path =
        if form.differs("validation.anchored") { "validation.anchored" } else { "validation" };
    form.of(path).choice(
        ui,
        &[
            (Scheme::Rolling, "walk-forward, rolling".to_owned()),
            (Scheme::Anchored, "walk-forward, anchored".to_owned()),
            (Scheme::PurgedKFold, "purged K-fold".to_owned()),
            (Scheme::HoldOut, "hold-out by date".to_owned()),
        ],
        &mut scheme,
    );
    if scheme != known {
        spec.validation = scheme.begin(spec.validation);
    }
    match &mut spec.validation {
        ValidationSpec::WalkForward {
            anchored,
            train,
            validation,
            test,
            step,
            embargo,
            max_folds,
        } => {
            let help = if *anchored {
                "What the model learns from in the first fold; in each later one a step more"
            } else {
                "What the model learns from in each fold"
            };
            length(ui, form.of("validation.train").help(help), train);
            length(ui, form.of("validation.validation"), validation);
            length(ui, form.of("validation.test"), test);
            let row = form.of("validation.step");
            optional_length(ui, row, ("as long as the test", *test), step);
            length(ui, form.of("validation.embargo"), embargo);
            let row = form.of("validation.max_folds");
            row.optional_integer(ui, ("all that fit", 4), max_folds);
        }
        ValidationSpec::PurgedKFold { folds, validation, embargo } => {
            form.of("validation.folds").integer(ui, folds);
            portion(ui, form, validation);
            let help = "How long rows wait after a test section's last label has ended, if longer than window and longest lookback";
            let row = form.of("validation.embargo").help(help);
            optional_length(ui, row, ("window + longest lookback", Length::Bars(100)), embargo);
        }
        ValidationSpec::HoldOut { validation_from, test_from, embargo } => {
            date(ui, form, "validation.validation_from", validation_from);
            date(ui, form, "validation.test_from", test_from);
            length(ui, form.of("validation.embargo"), embargo);
        }
    }
}

/// What a length is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Bars,
    Time(CalendarUnit),
    /// Percent of what is not tested.
    Share,
}

const UNITS: [(Unit, &str); 8] = [
    (Unit::Bars, "bars"),
    (Unit::Time(CalendarUnit::Minute), "minutes"),
    (Unit::Time(CalendarUnit::Hour), "hours"),
    (Unit::Time(CalendarUnit::Day), "days"),
    (Unit::Time(CalendarUnit::Week), "weeks"),
    (Unit::Time(CalendarUnit::Month), "months"),
    (Unit::Time(CalendarUnit::Year), "years"),
    (Unit::Share, "% of the rest"),
];

/// A number and its unit. A change of the unit keeps the number.
fn measure(
    ui: &mut Ui,
    name: &str,
    label: egui::Id,
    (count, unit): (&mut u32, &mut Unit),
    units: &[(Unit, &str)],
) {
    let speed = (f64::from(*count) * 0.01).max(0.1);
    widgets::number(ui, DragValue::new(count).speed(speed)).labelled_by(label);
    let shown = units.iter().find(|(known, _)| known == unit).map_or("", |(_, name)| name);
    let combo = egui::ComboBox::from_id_salt((name, "unit")).selected_text(shown);
    let combo = combo.width(ui.available_width()).truncate().show_ui(ui, |ui| {
        for (known, text) in units {
            ui.selectable_value(unit, *known, *text);
        }
    });
    widgets::name(&combo.response, egui::Role::ComboBox, &format!("{name} unit"));
}

const fn parts(length: Length) -> (u32, Unit) {
    match length {
        Length::Bars(bars) => (bars, Unit::Bars),
        Length::Time(CalendarTime { count, unit }) => (count, Unit::Time(unit)),
    }
}

const fn joined(count: u32, unit: Unit) -> Length {
    match unit {
        Unit::Time(unit) => Length::Time(CalendarTime { count, unit }),
        Unit::Bars | Unit::Share => Length::Bars(count),
    }
}

fn length(ui: &mut Ui, row: Row<'_>, value: &mut Length) {
    let name = row.title();
    row.labelled(ui, |ui, label| length_field(ui, &name, label, value));
}

fn length_field(ui: &mut Ui, name: &str, label: egui::Id, value: &mut Length) {
    let (mut count, mut unit) = parts(*value);
    measure(ui, name, label, (&mut count, &mut unit), &UNITS[..7]);
    *value = joined(count, unit);
}

fn optional_length(ui: &mut Ui, row: Row<'_>, absent: (&str, Length), value: &mut Option<Length>) {
    let name = row.title();
    row.optional(ui, absent, value, |ui, value, label| length_field(ui, &name, label, value));
}

fn portion(ui: &mut Ui, form: Form<'_>, value: &mut Portion) {
    let help =
        "Right before the test section (after it in the first fold): what early stopping sees";
    form.of("validation.validation").help(help).labelled(ui, |ui, label| {
        let before = match *value {
            Portion::Length(length) => parts(length),
            Portion::Share(share) => ((share * 100.0).round() as u32, Unit::Share),
        };
        let (mut count, mut unit) = before;
        measure(ui, "Validation", label, (&mut count, &mut unit), &UNITS);
        // A share of a fraction of a percent stays as it is until somebody changes it.
        if (count, unit) != before {
            *value = match unit {
                Unit::Share => Portion::Share(f64::from(count) / 100.0),
                _ => Portion::Length(joined(count, unit)),
            };
        }
    });
}

/// A date typed as text; what cannot be read stays in the field until it can, and changes nothing.
fn date(ui: &mut Ui, form: Form<'_>, field: &str, value: &mut UtcMillis) {
    form.of(field).labelled(ui, |ui, label| {
        let id = ui.make_persistent_id(field);
        let shown = day_or_minute(*value);
        let typed: Option<String> = ui.data(|data| data.get_temp(id));
        let mut text = typed.unwrap_or_else(|| shown.clone());
        let edit =
            TextEdit::singleline(&mut text).desired_width(f32::INFINITY).hint_text("2024-06-30");
        let response = ui.add(edit).labelled_by(label);
        let read = text.parse::<UtcMillis>();
        if response.has_focus() {
            ui.data_mut(|data| data.insert_temp(id, text));
        } else {
            ui.data_mut(|data| data.remove::<String>(id));
        }
        if let (true, Ok(read)) = (response.changed(), read) {
            *value = read;
        }
    });
}

/// `2024-06-30`, and the time of day where it is not midnight.
fn day_or_minute(at: UtcMillis) -> String {
    let text = at.to_string();
    text.strip_suffix("T00:00:00Z").map_or_else(|| text.clone(), ToOwned::to_owned)
}
