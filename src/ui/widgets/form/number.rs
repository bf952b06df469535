use egui::{DragValue, Ui};

/// Width of every number.
const NUMBER_WIDTH: f32 = 92.0;

/// Draws a number; all of them are equally wide, so that a form has one edge.
pub(in crate::ui) fn number(ui: &mut Ui, value: DragValue<'_>) -> egui::Response {
    let size = egui::vec2(NUMBER_WIDTH, ui.spacing().interact_size.y);
    ui.add(value.min_size(size).update_while_editing(false))
}

pub(in crate::ui) fn integer_field<'a>(value: &'a mut u32, unit: &str) -> DragValue<'a> {
    let speed = (f64::from(*value) * 0.01).max(0.1);
    let unit = if *value == 1 { singular(unit) } else { unit };
    DragValue::new(value).speed(speed).suffix(suffix(unit))
}

/// `epochs` → `epoch`, `batches` → `batch`.
fn singular(unit: &str) -> &str {
    if unit.len() < 2 {
        // Seconds, not a plural of nothing.
        return unit;
    }
    let ends_hissing = unit.ends_with("ches");
    unit.strip_suffix(if ends_hissing { "es" } else { "s" }).unwrap_or(unit)
}

pub(in crate::ui) fn real_field<'a>(value: &'a mut f64, unit: &str) -> DragValue<'a> {
    let speed = (value.abs() * 0.01).max(1e-6);
    // As many digits as the number needs: 0.001, not 0.0010000000.
    DragValue::new(value)
        .speed(speed)
        .custom_formatter(|value, _decimals| format!("{}", round_to_significant(value)))
        .suffix(suffix(unit))
}

fn suffix(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// Twelve significant digits: what dragging adds beyond is noise.
fn round_to_significant(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_kind_has_no_plural() {
        for (unit, one) in [("epochs", "epoch"), ("batches", "batch"), ("bp", "bp"), ("", "")] {
            assert_eq!(singular(unit), one);
        }
        assert_eq!(singular("s"), "s");
    }

    #[test]
    fn numbers_are_shown_without_noise() {
        for (value, shown) in [(0.001, "0.001"), (0.1 + 0.2, "0.3"), (1e-5, "0.00001"), (5.0, "5")]
        {
            assert_eq!(round_to_significant(value).to_string(), shown);
        }
    }
}
