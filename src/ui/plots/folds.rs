use egui::{
    Align2, Color32, CornerRadius, Pos2, Rect, Response, RichText, Role, ScrollArea, Sense, Stroke,
    TextStyle, Ui, WidgetInfo, vec2,
};

use super::time_axis::{Tick, ticks};
use crate::domain::text::{day, minute};
use crate::domain::{FoldPlan, Task, TimeSpan, UtcMillis};
use crate::ui::theme::{Palette, Themed, space, strong_family};

/// Height of a fold's row, in points.
pub(in crate::ui) const FOLD_ROW: f32 = 18.0;
const BAR_HEIGHT: f32 = 10.0;
const AXIS_HEIGHT: f32 = 20.0;
/// Room for the folds' numbers.
const NUMBER_WIDTH: f32 = 44.0;
/// Room for the scroll bar.
const END_WIDTH: f32 = 14.0;
/// Distance between two dates at least.
const TICK_WIDTH: f32 = 96.0;
/// A section is never drawn narrower.
const LEAST_WIDTH: f32 = 1.5;

/// Folds of one series on a time axis, a row each.
pub(in crate::ui) struct FoldChart<'a> {
    /// The tasks of the series, in the order of their folds.
    pub(in crate::ui) tasks: &'a [Task],
    /// How long the train, validation and test section were to be; empty where that is not known.
    pub(in crate::ui) lengths: &'a [String],
    /// Height of the rows in view at most.
    pub(in crate::ui) height: f32,
}

impl FoldChart<'_> {
    pub(in crate::ui) fn show(&self, ui: &mut Ui) {
        let size = vec2(ui.available_width(), AXIS_HEIGHT);
        let (axis, _) = ui.allocate_exact_size(size, Sense::hover());
        let Some(scale) = Scale::new(self.tasks, axis) else { return };
        let most = ((scale.right - scale.left) / TICK_WIDTH) as usize;
        let (from, until) = (seconds(scale.from), seconds(scale.until));
        let ticks = ticks(from, until, most.max(1));
        paint_axis(ui, axis, &scale, &ticks);
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ScrollArea::vertical()
                .id_salt("folds")
                .max_height(self.height)
                .min_scrolled_height(self.height)
                .auto_shrink([false, true])
                .show_rows(ui, FOLD_ROW, self.tasks.len(), |ui, rows| {
                    for row in rows {
                        self.row(ui, row, &scale, &ticks);
                    }
                });
        });
    }

    fn row(&self, ui: &mut Ui, row: usize, scale: &Scale, ticks: &[Tick]) {
        let Some(task) = self.tasks.get(row) else { return };
        let fold = &task.fold;
        let size = vec2(ui.available_width(), FOLD_ROW);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, fold_name(fold)));
        let palette = ui.palette();
        let painter = ui.painter();
        if response.hovered() {
            painter.rect_filled(rect, CornerRadius::ZERO, palette.selected);
        } else if row % 2 == 1 {
            painter.rect_filled(rect, CornerRadius::ZERO, palette.raised.gamma_multiply(0.6));
        }
        for tick in ticks {
            let stroke = Stroke::new(1.0, palette.line);
            painter.vline(scale.x_of_seconds(tick.at), rect.y_range(), stroke);
        }
        let number = Pos2::new(rect.left() + NUMBER_WIDTH - space::S, rect.center().y);
        let font = TextStyle::Small.resolve(ui.style());
        let color = if response.hovered() { palette.text } else { palette.text_weak };
        painter.text(number, Align2::RIGHT_CENTER, fold.index, font, color);
        for (_, span, color) in spans(fold, palette) {
            let (left, right) = (scale.x(span.start), scale.x(span.end));
            let right = right.max(left + LEAST_WIDTH);
            let bar = Rect::from_x_y_ranges(left..=right, rect.y_range());
            painter.rect_filled(bar.shrink2(vec2(0.0, (FOLD_ROW - BAR_HEIGHT) / 2.0)), 1.0, color);
        }
        self.tooltip(response, fold);
    }

    fn tooltip(&self, response: Response, fold: &FoldPlan) {
        response.on_hover_ui_at_pointer(|ui| {
            ui.label(RichText::new(format!("Fold {}", fold.index)).family(strong_family()));
            egui::Grid::new("sections").num_columns(3).show(ui, |ui| {
                let palette = ui.palette();
                for (section, span, color) in spans(fold, palette) {
                    ui.horizontal(|ui| {
                        square(ui, color);
                        ui.label(section.name());
                    });
                    ui.label(format!("{} → {} UTC", minute(span.start), minute(span.end)));
                    if let Some(length) = self.lengths.get(section as usize) {
                        ui.label(length);
                    }
                    ui.end_row();
                }
            });
            let note =
                "A bar belongs to the section in which it closes; the end is not part of it.";
            ui.label(RichText::new(note).small().color(ui.palette().text_weak));
        });
    }
}

/// What the colours mean, in the order in which the sections follow each other.
pub(in crate::ui) fn legend(ui: &mut Ui) {
    let palette = ui.palette();
    let font = TextStyle::Small.resolve(ui.style());
    for (prefix, name, color) in [
        ("", "Train", palette.train),
        ("→", "Validation", palette.validation),
        ("→", "Test", palette.test),
    ] {
        // In one piece, so that a line never breaks between a square and its word.
        let lay =
            |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), palette.text);
        let (arrow, word) = (lay(prefix), lay(name));
        let gap = if prefix.is_empty() { 0.0 } else { space::S };
        let square = arrow.size().x + gap;
        let text = square + BAR_HEIGHT + space::XS;
        let size = vec2(text + word.size().x, word.size().y);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
        let at = |x: f32| Pos2::new(rect.left() + x, rect.top());
        let painter = ui.painter();
        painter.galley(at(0.0), arrow, palette.text);
        let corner = Pos2::new(rect.left() + square, rect.center().y - BAR_HEIGHT / 2.0);
        let size = vec2(BAR_HEIGHT, BAR_HEIGHT);
        painter.rect_filled(Rect::from_min_size(corner, size), 1.0, color);
        painter.galley(at(text), word, palette.text);
    }
}

fn square(ui: &mut Ui, color: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(BAR_HEIGHT, BAR_HEIGHT), Sense::hover());
    ui.painter().rect_filled(rect, 1.0, color);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Train,
    Validation,
    Test,
}

impl Section {
    const fn name(self) -> &'static str {
        match self {
            Self::Train => "Train",
            Self::Validation => "Validation",
            Self::Test => "Test",
        }
    }
}

/// What is drawn, in the order of time.
fn spans(fold: &FoldPlan, palette: &Palette) -> Vec<(Section, TimeSpan, Color32)> {
    let mut spans: Vec<(Section, TimeSpan, Color32)> =
        fold.train.iter().map(|span| (Section::Train, *span, palette.train)).collect();
    spans.push((Section::Validation, fold.validation, palette.validation));
    spans.push((Section::Test, fold.test, palette.test));
    spans.sort_by_key(|(_, span, _)| span.start);
    spans
}

fn fold_name(fold: &FoldPlan) -> String {
    let span = |span: TimeSpan| format!("{} to {}", day(span.start), day(span.end));
    let train: Vec<String> = fold.train.iter().map(|part| span(*part)).collect();
    format!(
        "Fold {}: train {}, validation {}, test {}",
        fold.index,
        train.join(" and "),
        span(fold.validation),
        span(fold.test)
    )
}

fn paint_axis(ui: &Ui, axis: Rect, scale: &Scale, ticks: &[Tick]) {
    let palette = ui.palette();
    let painter = ui.painter();
    let font = TextStyle::Small.resolve(ui.style());
    let bottom = axis.bottom() - 4.0;
    let corner = Pos2::new(axis.left() + NUMBER_WIDTH - space::S, bottom);
    painter.text(corner, Align2::RIGHT_BOTTOM, "Fold", font.clone(), palette.text_weak);
    for tick in ticks {
        let x = scale.x_of_seconds(tick.at);
        let galley = painter.layout_no_wrap(tick.label(), font.clone(), palette.text_weak);
        let half = galley.size().x / 2.0;
        // The outermost dates stay inside the chart.
        let center = x.max(scale.left + half).min(axis.right() - half);
        let corner = Pos2::new(center - half, bottom - galley.size().y);
        painter.galley(corner, galley, palette.text_weak);
        painter.vline(x, bottom..=axis.bottom(), Stroke::new(1.0, palette.text_weak));
    }
}

/// From time to the screen.
#[derive(Debug, Clone, Copy)]
struct Scale {
    left: f32,
    right: f32,
    from: UtcMillis,
    until: UtcMillis,
}

impl Scale {
    /// Of all folds; `None` where there are none.
    fn new(tasks: &[Task], axis: Rect) -> Option<Self> {
        let (first, rest) = tasks.split_first()?;
        let mut scale = Self {
            left: axis.left() + NUMBER_WIDTH,
            right: (axis.right() - END_WIDTH).max(axis.left() + NUMBER_WIDTH + 1.0),
            from: first.fold.start(),
            until: first.fold.end(),
        };
        for task in rest {
            scale.from = scale.from.min(task.fold.start());
            scale.until = scale.until.max(task.fold.end());
        }
        Some(scale)
    }

    fn x(&self, at: UtcMillis) -> f32 {
        self.x_of_seconds(seconds(at))
    }

    fn x_of_seconds(&self, at: f64) -> f32 {
        let (from, until) = (seconds(self.from), seconds(self.until));
        let share = (at - from) / (until - from).max(0.001);
        self.left + share as f32 * (self.right - self.left)
    }
}

fn seconds(at: UtcMillis) -> f64 {
    at.0 as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Embargo, FoldIndex};

    fn fold(train: i64) -> FoldPlan {
        let day = |day: i64| UtcMillis(day * 86_400_000);
        let span = |from: i64, until: i64| TimeSpan { start: day(from), end: day(until) };
        FoldPlan {
            index: FoldIndex(3),
            train: vec![span(train, train + 10)],
            validation: span(train + 11, train + 15),
            test: span(train + 16, train + 20),
            embargo: Embargo::default(),
        }
    }

    #[test]
    fn a_row_says_its_sections() {
        assert_eq!(
            fold_name(&fold(0)),
            "Fold 3: train 1970-01-01 to 1970-01-11, validation 1970-01-12 to 1970-01-16, \
             test 1970-01-17 to 1970-01-21"
        );
        let around = FoldPlan { train: vec![fold(0).train[0], fold(25).train[0]], ..fold(0) };
        let name = fold_name(&around);
        assert!(name.contains("1970-01-11 and 1970-01-26 to 1970-02-05"), "{name}");
    }

    #[test]
    fn time_runs_from_left_to_right_over_the_whole_width() {
        let scale =
            Scale { left: 100.0, right: 300.0, from: fold(0).start(), until: fold(20).test.end };
        assert_eq!((scale.x(fold(0).start()), scale.x(fold(20).test.end)), (100.0, 300.0));
        assert_eq!(scale.x(fold(0).test.end), 200.0);
    }
}
