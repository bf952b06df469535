mod legend;
mod parts;

use egui::{
    Align2, CornerRadius, Pos2, Rect, Response, RichText, Role, ScrollArea, Sense, Stroke,
    TextStyle, Ui, WidgetInfo, vec2,
};

pub(in crate::ui) use self::legend::legend;
use self::parts::{Part, parts, row_name};
use super::time_axis::{Tick, ticks};
use crate::domain::text::{count, minute};
use crate::domain::{Task, TaskRole, UtcMillis};
use crate::ui::theme::{Themed, space, strong_family};

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
const LEAST_WIDTH: f32 = 2.0;
const TOOLTIP_WIDTH: f32 = 520.0;

/// Folds of one series on a time axis, a row each.
pub(in crate::ui) struct FoldChart<'a> {
    /// The tasks of the plan.
    pub(in crate::ui) plan: &'a [Task],
    /// Those of the series, in the order of their folds.
    pub(in crate::ui) rows: &'a [usize],
    /// How long the train, validation and test section were to be; empty where that is not known.
    pub(in crate::ui) lengths: &'a [String],
    /// Height of the rows in view at most.
    pub(in crate::ui) height: f32,
}

impl FoldChart<'_> {
    pub(in crate::ui) fn show(&self, ui: &mut Ui) {
        let size = vec2(ui.available_width(), AXIS_HEIGHT);
        let (axis, _) = ui.allocate_exact_size(size, Sense::hover());
        let tasks = self.rows.iter().filter_map(|&row| self.plan.get(row));
        let Some(scale) = Scale::new(tasks, axis) else { return };
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
                .show_rows(ui, FOLD_ROW, self.rows.len(), |ui, rows| {
                    for row in rows {
                        self.row(ui, row, &scale, &ticks);
                    }
                });
        });
    }

    fn row(&self, ui: &mut Ui, row: usize, scale: &Scale, ticks: &[Tick]) {
        let Some(task) = self.rows.get(row).and_then(|&row| self.plan.get(row)) else { return };
        let fold = &task.fold;
        let size = vec2(ui.available_width(), FOLD_ROW);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, row_name(task)));
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
        let number_text = match task.role {
            TaskRole::Fold => fold.index.to_string(),
            TaskRole::Refit => "Refit".to_owned(),
        };
        painter.text(number, Align2::RIGHT_CENTER, number_text, font, color);
        for part in parts(task) {
            let (left, right) = (scale.x(part.span.start), scale.x(part.span.end));
            // What is left out ends where the next section begins: it is widened to the left.
            let (left, right) = if part.section.is_gap() {
                (left.min(right - LEAST_WIDTH).max(scale.left), right)
            } else {
                (left, right.max(left + LEAST_WIDTH))
            };
            let bar = Rect::from_x_y_ranges(left..=right, rect.y_range());
            legend::paint(ui, bar.shrink2(vec2(0.0, (FOLD_ROW - BAR_HEIGHT) / 2.0)), part.section);
        }
        self.tooltip(response, task);
    }

    fn tooltip(&self, response: Response, task: &Task) {
        let fold = &task.fold;
        response.on_hover_ui_at_pointer(|ui| {
            // A date in full is wider than a tooltip's text is otherwise.
            ui.set_max_width(TOOLTIP_WIDTH);
            let title = match task.role {
                TaskRole::Fold => format!("Fold {}", fold.index),
                TaskRole::Refit => "Refit on all rows, for export".to_owned(),
            };
            ui.label(RichText::new(title).family(strong_family()));
            egui::Grid::new("sections").num_columns(3).show(ui, |ui| {
                for Part { section, span, gap } in parts(task) {
                    ui.horizontal(|ui| {
                        legend::square(ui, section);
                        ui.label(section.name());
                    });
                    ui.label(format!("{} → {} UTC", minute(span.start), minute(span.end)));
                    let length = self.lengths.get(section as usize);
                    match (gap, length.filter(|_| task.role == TaskRole::Fold)) {
                        (Some(gap), _) => {
                            let bars = if gap.bars == 1 { "bar" } else { "bars" };
                            ui.label(format!("{} {bars} {}", count(gap.bars), gap.place.name()));
                        }
                        (None, Some(length)) => {
                            ui.label(length);
                        }
                        (None, None) => {}
                    }
                    ui.end_row();
                }
            });
            let note = "A bar belongs to the section in which it closes; the end is not part of it. Purged bars lie within the section's dates and are not learnt from.";
            ui.label(RichText::new(note).small().color(ui.palette().text_weak));
        });
    }
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
    fn new<'t>(tasks: impl Iterator<Item = &'t Task> + Clone, axis: Rect) -> Option<Self> {
        let spans = tasks.flat_map(|task| {
            let fold = &task.fold;
            fold.train.iter().copied().chain([fold.validation, fold.test])
        });
        let spans = spans.filter(|span| !span.is_empty());
        Some(Self {
            left: axis.left() + NUMBER_WIDTH,
            right: (axis.right() - END_WIDTH).max(axis.left() + NUMBER_WIDTH + 1.0),
            from: spans.clone().map(|span| span.start).min()?,
            until: spans.map(|span| span.end).max()?,
        })
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
    use super::parts::Section;
    use super::*;
    use crate::domain::{
        Bytes, ContentHash, Device, Embargo, FoldGap, FoldIndex, FoldPlan, GapKind, GapPlace,
        TaskId, TimeSpan,
    };

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

    fn task(fold: FoldPlan) -> Task {
        Task {
            id: TaskId::new("x"),
            key: ContentHash::of(b""),
            symbols: Vec::new(),
            timeframes: Vec::new(),
            fold,
            gaps: Vec::new(),
            seed: 0,
            device: Device::Cpu,
            parameters: 0,
            memory: Bytes(0),
            resident: Bytes(0),
            role: TaskRole::Fold,
            after: Vec::new(),
            train_rows: 0,
            shape: None,
            disk: Bytes::default(),
            expected_ms: None,
            reuse: None,
        }
    }

    /// What is learnt from days 0 to 20 and neither validated nor tested; where nothing is stands at no time.
    fn refit() -> Task {
        let nothing = TimeSpan { start: UtcMillis(0), end: UtcMillis(0) };
        let train = vec![TimeSpan { start: fold(5).start(), end: fold(5).end() }];
        let fold = FoldPlan { train, validation: nothing, test: nothing, ..fold(0) };
        Task { role: TaskRole::Refit, ..task(fold) }
    }

    #[test]
    fn a_row_says_its_sections() {
        assert_eq!(
            row_name(&task(fold(0))),
            "Fold 3: train 1970-01-01 to 1970-01-11, validation 1970-01-12 to 1970-01-16, \
             test 1970-01-17 to 1970-01-21"
        );
        let around = FoldPlan { train: vec![fold(0).train[0], fold(25).train[0]], ..fold(0) };
        let name = row_name(&task(around));
        assert!(name.contains("1970-01-11 and 1970-01-26 to 1970-02-05"), "{name}");
    }

    #[test]
    fn what_is_left_out_is_drawn_over_the_sections_and_told_with_its_bars() {
        let gap = |kind, place, from: i64, until: i64, bars| {
            let at = |day: i64| UtcMillis(day * 86_400_000);
            FoldGap { kind, place, span: TimeSpan { start: at(from), end: at(until) }, bars }
        };
        let gaps = vec![
            gap(GapKind::Purge, GapPlace::BeforeValidation, 9, 10, 1),
            gap(GapKind::Embargo, GapPlace::BeforeValidation, 10, 11, 24),
            gap(GapKind::Purge, GapPlace::BeforeTest, 14, 15, 1200),
        ];
        let task = Task { gaps, ..task(fold(0)) };
        let name = row_name(&task);
        let expected = ", test 1970-01-17 to 1970-01-21, purged 1 bar before validation and 1\u{202f}200 before test, embargo 24 bars before validation";
        assert!(name.ends_with(expected), "{name}");
        let drawn: Vec<Section> = parts(&task).iter().map(|part| part.section).collect();
        let sections = [Section::Train, Section::Validation, Section::Test];
        assert_eq!(drawn[..3], sections);
        assert_eq!(drawn[3..], [Section::Purge, Section::Embargo, Section::Purge]);
    }

    #[test]
    fn a_refit_is_one_bar_and_does_not_stretch_the_axis() {
        let refit = refit();
        assert_eq!(row_name(&refit), "Refit: train 1970-01-06 to 1970-01-26, nothing left to test");
        let drawn = parts(&refit);
        assert_eq!(drawn.iter().map(|part| part.section).collect::<Vec<_>>(), [Section::Train]);
        let axis = Rect::from_min_max(Pos2::ZERO, Pos2::new(500.0, 20.0));
        let scale = Scale::new([task(fold(7)), refit].iter(), axis).unwrap();
        assert_eq!((scale.from, scale.until), (fold(5).start(), fold(7).test.end));
        assert!(Scale::new([].iter(), axis).is_none());
    }

    #[test]
    fn time_runs_from_left_to_right_over_the_whole_width() {
        let scale =
            Scale { left: 100.0, right: 300.0, from: fold(0).start(), until: fold(20).test.end };
        assert_eq!((scale.x(fold(0).start()), scale.x(fold(20).test.end)), (100.0, 300.0));
        assert_eq!(scale.x(fold(0).test.end), 200.0);
    }
}
