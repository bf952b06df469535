use egui::{ProgressBar, Ui};

use crate::domain::text::duration;
use crate::domain::{RunOutcome, UtcMillis};
use crate::ui::state::{RunView, State, TaskState};
use crate::ui::theme::Themed;
use crate::ui::widgets;

/// How far the run is, as a bar and in words.
pub(super) fn show(ui: &mut Ui, state: &State, run: &RunView) {
    // Of a run that has ended only what it kept counts.
    let share = if run.is_over() {
        run.count(TaskState::Finished) as f64 / run.tasks.len().max(1) as f64
    } else {
        run.share()
    };
    // Where several runs can be chosen from, the name of the one in view says how far it is as well.
    let bar = ProgressBar::new(share as f32)
        .desired_width(if state.runs.len() > 1 { 40.0 } else { 140.0 })
        .desired_height(8.0);
    let bar = ui.add(bar.fill(ui.palette().accent));
    widgets::name(&bar, egui::Role::ProgressIndicator, "Progress of the run");
    ui.add(egui::Label::new(words(run, state.now)).truncate());
}

/// How far the run is, in one line.
fn words(run: &RunView, now: UtcMillis) -> String {
    let (ended, all) = (run.ended(), run.tasks.len());
    let took = duration(run.elapsed_seconds(now));
    let failed = match run.count(TaskState::Failed) {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    match run.outcome {
        Some(RunOutcome::Finished) => format!("finished: {all} tasks in {took}"),
        Some(RunOutcome::Failed) => format!("ended: {ended} of {all} tasks{failed}"),
        Some(RunOutcome::Cancelled) => {
            format!("cancelled: {} of {all} tasks are kept{failed}", run.count(TaskState::Finished))
        }
        None if run.is_paused() => format!("paused: {ended} of {all} tasks{failed}, {took}"),
        None if run.pausing => format!("pausing: {ended} of {all} tasks{failed}, {took}"),
        None => {
            let left = run.time_left(now).map(|left| format!(", {}", left.words()));
            format!("{ended} of {all} tasks{failed}, {took}{}", left.unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells::{state_cell, watched};
    use super::*;
    use crate::domain::{Device, EpochRecord, Event, EventKind};
    use crate::spec::Monitor;
    use crate::ui::icons;
    use crate::ui::testing::run_of;

    #[test]
    fn a_paused_run_says_so_and_how_long_it_worked() {
        let mut run = run_of(2);
        let task = Some(run.tasks[0].id.clone());
        let tell = |run: &mut RunView, seconds: i64, kind| {
            let (task, at) = (task.clone(), UtcMillis(1000 * seconds));
            run.apply(Event { run: run.id.clone(), task, seq: 0, at, kind });
        };
        tell(&mut run, 1, EventKind::Started { device: Device::Cpu });
        let palette = egui::Visuals::dark().palette();
        let state = |run: &RunView| state_cell(run, 0, palette).text;
        assert!(state(&run).ends_with("training"), "{}", state(&run));
        run.pausing = true;
        assert!(state(&run).ends_with("pausing"), "{}", state(&run));
        assert_eq!(words(&run, UtcMillis(5000)), "pausing: 0 of 2 tasks, 5.0 s");
        tell(&mut run, 6, EventKind::Paused { steps: 3 });
        assert!(state(&run).starts_with(icons::PAUSE) && state(&run).ends_with("paused"));
        assert_eq!(words(&run, UtcMillis(99_000)), "paused: 0 of 2 tasks, 6.0 s");
    }

    #[test]
    fn what_is_watched_is_named_where_it_is_known_and_not_the_loss() {
        let mut run = run_of(2);
        let mut epoch = EpochRecord {
            epoch: 4,
            train_loss: 1.0,
            validation_loss: Some(1.0),
            monitor: None,
            learning_rate: 0.1,
            gradient_norm: 1.0,
            seconds: 1.0,
            is_best: true,
        };
        assert_eq!(watched(&run, epoch), None);
        epoch.monitor = Some(0.0312);
        assert_eq!(watched(&run, epoch).unwrap(), "watched metric 0.0312 in epoch 4");
        run.monitor = Some(Monitor::RankIc);
        assert_eq!(watched(&run, epoch).unwrap(), "rank IC 0.0312 in epoch 4");
    }
}
