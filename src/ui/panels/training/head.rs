use egui::{Label, RichText, Sense, Ui, vec2};

use super::super::run_picker;
use crate::domain::text::{count, number};
use crate::domain::{EpochRecord, StepTimes};
use crate::ui::commands::Commands;
use crate::ui::state::{RunView, State, TaskState};
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets;

/// Height of the bar that shows where the time goes, in points.
const BAR_HEIGHT: f32 = 6.0;
/// Its width, in points.
const BAR_WIDTH: f32 = 120.0;

/// Which run, which of its tasks, and how they do.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    run: &RunView,
    shown: &[usize],
    commands: &mut Commands,
) {
    ui.horizontal(|ui| {
        run_picker::show(ui, state, run, commands);
        if let [only] = shown
            && let Some(report) = &run.tasks[*only].report
        {
            widgets::determinism(ui, &report.determinism);
        }
        ui.add(Label::new(title(run, shown, state)).truncate());
    });
}

fn title(run: &RunView, shown: &[usize], state: &State) -> String {
    match shown {
        [] => "Waiting for the first epoch…".to_owned(),
        [only] => {
            let task = &run.tasks[*only];
            let best = task.best.map_or_else(String::new, |best| best_epoch(run, best));
            let paused = if task.state == TaskState::Paused { " (paused)" } else { "" };
            format!("{}{paused}{best}", task.id)
        }
        several if run.count(TaskState::Running) > 0 => {
            format!("{} tasks in training", several.len())
        }
        several if run.count(TaskState::Paused) > 0 => format!("{} tasks paused", several.len()),
        several => {
            let pick = if state.selected_task.is_none() { "; pick one in the queue" } else { "" };
            format!("The last {} tasks{pick}", several.len())
        }
    }
}

/// Which epoch's weights are kept, and how good it was.
fn best_epoch(run: &RunView, best: EpochRecord) -> String {
    let epoch = best.epoch;
    let loss = match best.validation_loss {
        Some(loss) => format!("validation loss {}", number(Some(loss), 4)),
        None => format!("train loss {}", number(Some(best.train_loss), 4)),
    };
    match best.monitor {
        Some(value) => {
            let value = number(Some(value), 4);
            format!(", best epoch {epoch} with {} {value}, {loss}", run.watched_name())
        }
        None => format!(", best epoch {epoch} with {loss}"),
    }
}

/// Samples a second of what is at work, and where the time of the tasks in view goes.
pub(super) fn times(ui: &mut Ui, run: &RunView, shown: &[usize]) {
    let at_work = run.under_way().filter(|task| task.state == TaskState::Running);
    let rate: f64 =
        at_work.filter_map(|task| task.progress).map(|told| told.samples_per_second).sum();
    let told = shown.iter().filter_map(|&index| run.tasks[index].progress?.times);
    let Some(times) = told.reduce(sum).filter(|times| times.total > 0.0) else { return };
    let palette = ui.palette();
    let parts = parts(times, palette);
    ui.horizontal(|ui| {
        if rate > 0.0 {
            let text = format!("{} samples/s", count(rate.round() as u64));
            let help = "Training samples a second, of all tasks at work together";
            ui.label(RichText::new(text).small()).on_hover_text(help);
        }
        let (rect, bar) = ui.allocate_exact_size(vec2(BAR_WIDTH, BAR_HEIGHT), Sense::hover());
        let mut left = rect.left();
        for part in &parts {
            let width = rect.width() * part.share as f32;
            let area = egui::Rect::from_x_y_ranges(left..=left + width, rect.y_range());
            ui.painter().rect_filled(area, 0.0, part.color);
            left += width;
        }
        let words = |part: &Part| format!("{} {:.0} %", part.name, 100.0 * part.share);
        let all: Vec<String> = parts.iter().map(words).collect();
        let all = format!("Time of training: {}", all.join(", "));
        widgets::name(&bar, egui::Role::Image, &all);
        for part in &parts {
            ui.spacing_mut().item_spacing.x = space::XS;
            let (dot, _) = ui.allocate_exact_size(vec2(BAR_HEIGHT, BAR_HEIGHT), Sense::hover());
            ui.painter().rect_filled(dot, 1.0, part.color);
            let text = RichText::new(words(part)).small().color(palette.text_weak);
            ui.add(Label::new(text).sense(Sense::hover())).on_hover_text(part.help);
            ui.add_space(space::XS);
        }
    });
}

/// Where a part of the time goes.
struct Part {
    name: &'static str,
    help: &'static str,
    share: f64,
    color: egui::Color32,
}

fn parts(times: StepTimes, palette: &Palette) -> [Part; 5] {
    let known = times.data + times.forward + times.backward + times.optimizer;
    let total = times.total.max(known);
    let part = |name, help, seconds: f64, color| Part { name, help, share: seconds / total, color };
    let [first, second, third, fourth, ..] = palette.series;
    [
        part("data", "Gathering windows, labels and weights of each batch", times.data, first),
        part("forward", "Through the network to the loss", times.forward, second),
        part("backward", "Gradients", times.backward, third),
        part("optimizer", "Clipping and the optimizer's step", times.optimizer, fourth),
        part(
            "other",
            "Validation, checkpoints, and waiting for a graphics card, which works behind the thread that is measured",
            total - known,
            palette.text_weak,
        ),
    ]
}

fn sum(a: StepTimes, b: StepTimes) -> StepTimes {
    StepTimes {
        data: a.data + b.data,
        forward: a.forward + b.forward,
        backward: a.backward + b.backward,
        optimizer: a.optimizer + b.optimizer,
        total: a.total + b.total,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_of_the_four_is_something_else_and_all_is_the_whole() {
        let times =
            StepTimes { data: 1.0, forward: 2.0, backward: 3.0, optimizer: 1.0, total: 10.0 };
        let palette = egui::Visuals::dark().palette();
        let shares = parts(times, palette).map(|part| part.share);
        for (found, expected) in shares.into_iter().zip([0.1, 0.2, 0.3, 0.1, 0.3]) {
            assert!((found - expected).abs() < 1e-12);
        }
        let both = sum(times, times);
        assert_eq!((both.total, both.backward), (20.0, 6.0));
    }
}
