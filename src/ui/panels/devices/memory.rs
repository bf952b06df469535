use egui::{Color32, Label, Pos2, Rect, RichText, Role, Sense, Shape, Stroke, Ui, vec2};

use super::bytes;
use super::gauge::{Gauge, row, unknown};
use crate::devices::{DiskReading, MemoryBudget};
use crate::domain::Bytes;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;

/// Height of a bar, in points.
const BAR: f32 = 12.0;

/// Who has a device's memory, and how much of it tasks may have.
pub(super) struct Memory<'a> {
    /// Whose it is.
    pub(super) of: &'a str,
    pub(super) name: &'a str,
    pub(super) used: Option<Bytes>,
    pub(super) total: Option<Bytes>,
    /// What this program has; `None` where nobody knows, which is not nothing.
    pub(super) own: Option<Bytes>,
    pub(super) budget: Option<MemoryBudget>,
    pub(super) why_unknown: &'a str,
    /// What was used, oldest first.
    pub(super) history: &'a [Option<f64>],
}

/// A part of a bar.
struct Share {
    name: &'static str,
    size: Bytes,
    /// `None` for what is free.
    color: Option<Color32>,
}

impl Memory<'_> {
    pub(super) fn show(&self, ui: &mut Ui) {
        let known = self.used.zip(self.total);
        Gauge {
            of: self.of,
            name: self.name,
            value: known.map(|(used, total)| of_total(used, total)),
            why_unknown: self.why_unknown,
            values: self.history,
            top: bytes(self.total).unwrap_or(1.0),
            color: ui.palette().series[2],
        }
        .show(ui);
        let Some((used, total)) = known else { return };
        let shares = self.shares(ui, used, total);
        // The line stands where others' memory ends and our budget is used up.
        let budget = self.budget.map(|budget| (budget.limit(), budget.others.0 + budget.limit().0));
        bar(ui, self.name, &shares, total, budget.map(|(_, line)| line));
        legend(ui, &shares);
        row(ui, "Budget", |ui| {
            let hint = "The dashed line: 90 % of what other programs leave free, unless the experiment sets another share. A task waits until \
                        it fits beside the others.";
            match budget {
                Some((limit, _)) => {
                    ui.add(Label::new(limit.to_string()).truncate()).on_hover_text(hint);
                }
                None => {
                    unknown(ui, self.of, "Budget", self.why_unknown);
                }
            }
        });
    }

    /// From the left: what others have, what is ours, what is free.
    fn shares(&self, ui: &Ui, used: Bytes, total: Bytes) -> Vec<Share> {
        let palette = ui.palette();
        let free = Bytes(total.0.saturating_sub(used.0));
        let used = match self.own {
            Some(own) => {
                let others = Bytes(used.0.saturating_sub(own.0));
                vec![
                    Share { name: "Others", size: others, color: Some(palette.text_weak) },
                    Share { name: "Ours", size: own, color: Some(palette.series[2]) },
                ]
            }
            None => vec![Share { name: "In use", size: used, color: Some(palette.text_weak) }],
        };
        used.into_iter().chain([Share { name: "Free", size: free, color: None }]).collect()
    }
}

/// The space on the file system of the runs.
pub(super) fn disk(ui: &mut Ui, disk: Option<DiskReading>) {
    const NAME: &str = "Disk of the runs";
    let Some(DiskReading { total, free }) = disk else {
        row(ui, NAME, |ui| {
            let why = "The system does not tell how full the disk is; of a network share it is not asked, because that may hang";
            unknown(ui, "Host", NAME, why);
        });
        return;
    };
    let used = Bytes(total.0.saturating_sub(free.0));
    row(ui, NAME, |ui| {
        let text = format!("{free} free");
        ui.add(Label::new(text).truncate()).on_hover_text(of_total(free, total));
    });
    let color = ui.palette().text_weak;
    let shares = [
        Share { name: "Used", size: used, color: Some(color) },
        Share { name: "Free", size: free, color: None },
    ];
    bar(ui, NAME, &shares, total, None);
}

/// `9.0 of 80.0 GiB`: the unit stands once where both have it.
fn of_total(part: Bytes, total: Bytes) -> String {
    let (part, total) = (part.to_string(), total.to_string());
    match (part.split_once(' '), total.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} of {total}"),
        _ => format!("{part} of {total}"),
    }
}

fn bar(ui: &mut Ui, name: &str, shares: &[Share], total: Bytes, line: Option<u64>) {
    let palette = ui.palette();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), BAR), Sense::hover());
    let parts: Vec<String> =
        shares.iter().map(|share| format!("{} {}", share.name, share.size)).collect();
    let text = format!("{name}: {}", parts.join(", "));
    widgets::name(&response, Role::Image, &text);
    response.on_hover_text(text);
    if !ui.is_rect_visible(rect) {
        return;
    }
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, ui.visuals().widgets.inactive.corner_radius, palette.well);
    let at = |size: u64| {
        let share = if total.0 == 0 { 0.0 } else { (size as f64 / total.0 as f64).min(1.0) };
        rect.left() + share as f32 * rect.width()
    };
    let mut before = 0;
    for share in shares {
        let after = before + share.size.0;
        if let Some(color) = share.color {
            let part = Rect::from_x_y_ranges(at(before)..=at(after), rect.y_range());
            painter.rect_filled(part, 0.0, color);
        }
        before = after;
    }
    if let Some(line) = line {
        let x = at(line);
        let ends = [Pos2::new(x, rect.top()), Pos2::new(x, rect.bottom())];
        painter.extend(Shape::dashed_line(&ends, Stroke::new(2.0, palette.warning), 3.0, 2.0));
    }
}

fn legend(ui: &mut Ui, shares: &[Share]) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        let palette = ui.palette();
        for share in shares {
            let (rect, _) = ui.allocate_exact_size(vec2(space::S, space::S), Sense::hover());
            match share.color {
                Some(color) => ui.painter().rect_filled(rect, 0.0, color),
                None => ui.painter().rect(
                    rect,
                    0.0,
                    palette.well,
                    Stroke::new(1.0, palette.line),
                    egui::StrokeKind::Inside,
                ),
            };
            let text = RichText::new(format!("{} {}", share.name, share.size)).small();
            ui.label(text.color(palette.text_weak));
            ui.add_space(space::XS);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_both_have_stands_once() {
        for (part, total, text) in [
            (9 << 30, 80 << 30, "9.0 of 80.0 GiB"),
            (512 << 20, 80 << 30, "512.0 MiB of 80.0 GiB"),
            (0, 80 << 30, "0 B of 80.0 GiB"),
        ] {
            assert_eq!(of_total(Bytes(part), Bytes(total)), text);
        }
    }
}
