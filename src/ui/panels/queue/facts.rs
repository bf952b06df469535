use egui::{Label, RichText, Ui};

use crate::domain::TaskRole;
use crate::domain::text::{chosen, number};
use crate::ui::icons;
use crate::ui::state::{RunView, TaskView};
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;

/// What is known of the task that was picked and has no column.
pub(super) fn show(ui: &mut Ui, run: &RunView, index: usize) {
    let Some(task) = run.tasks.get(index) else { return };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::M;
        let palette = ui.palette();
        ui.label(RichText::new(task.id.as_str()).small().color(palette.text));
        if let Some(report) = &task.report {
            widgets::determinism(ui, &report.determinism);
        }
        let waits = run
            .waits_for(index)
            .map(|other| (icons::HOURGLASS_MEDIUM, format!("waits for {}", other.id)));
        for (icon, fact) in waits.into_iter().chain(facts(run, index, task)) {
            let text = RichText::new(format!("{icon}  {fact}")).small().color(palette.text_weak);
            let label = ui.add(Label::new(text));
            widgets::name(&label, egui::Role::Label, &fact);
        }
    });
}

/// An icon and a few words for each.
fn facts(run: &RunView, index: usize, task: &TaskView) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(from) = &task.taken_from {
        facts
            .push((icons::STACK, format!("had been trained before: taken over from {}", from.run)));
    }
    if let Some((attempt, why)) = task.retry.as_ref().filter(|_| task.state.is_open()) {
        facts.push((icons::WARNING, format!("attempt {attempt}, because: {why}")));
    }
    if run.plan.tasks.get(index).is_some_and(|task| task.role == TaskRole::Refit) {
        facts.push((
            icons::INFO,
            "refit on all rows: nothing left to validate or test on".to_owned(),
        ));
    }
    if let Some(peak) = task.report.as_ref().and_then(|report| report.peak_memory) {
        facts.push((icons::MEMORY, format!("peak memory {peak}")));
    }
    if let Some(last) = task.last_epoch {
        let rate = chosen(last.learning_rate);
        facts.push((icons::CHART_LINE, format!("learning rate {rate} in epoch {}", last.epoch)));
    }
    let watched = |epoch: crate::domain::EpochRecord| Some((epoch.epoch, epoch.monitor?));
    if let Some((epoch, value)) = task.best.and_then(watched) {
        let name = run.watched_name();
        let value = number(Some(value), 4);
        facts.push((icons::CHECK_CIRCLE, format!("best {name} {value} in epoch {epoch}")));
    }
    facts
}
