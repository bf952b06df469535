use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Printer;
use crate::domain::text::number;
use crate::domain::{EpochRecord, Event, EventKind, Plan, Progress, TaskId, TaskReport};

/// Steps of the overall bar that one task is worth.
const STEPS_PER_TASK: u64 = 1000;

/// Shows a run in the terminal: an overall bar with ETA and a line for each running task; plain lines where nobody watches.
pub(super) struct RunProgress<'a> {
    printer: &'a Printer,
    overall: Option<ProgressBar>,
    running: BTreeMap<TaskId, Running>,
    tasks: u64,
    ended: u64,
    finished: u64,
    /// Tasks cancelled while they waited.
    not_started: u64,
}

struct Running {
    bar: Option<ProgressBar>,
    progress: Option<Progress>,
    last_epoch: Option<EpochRecord>,
}

impl<'a> RunProgress<'a> {
    pub(super) const fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            overall: None,
            running: BTreeMap::new(),
            tasks: 0,
            ended: 0,
            finished: 0,
            not_started: 0,
        }
    }

    pub(super) fn show(&mut self, event: Event) {
        let Event { task, kind, .. } = event;
        match (task, kind) {
            (None, EventKind::Planned { plan }) => self.begin(&plan),
            (None, EventKind::RunEnded { .. }) => {
                self.clear();
                if self.not_started > 0 {
                    self.printer.note(&format!("{} tasks were not started", self.not_started));
                }
            }
            (Some(task), EventKind::Started { .. }) => self.start(task),
            (Some(task), EventKind::Progress(progress)) => {
                self.update(&task, |running| running.progress = Some(progress));
            }
            (Some(task), EventKind::Epoch(record)) => {
                self.update(&task, |running| running.last_epoch = Some(record));
            }
            (Some(task), EventKind::Finished { report }) => {
                self.finished += 1;
                let text = finished(&report);
                self.end(&task, &text);
            }
            (Some(task), EventKind::Failed { message }) => {
                self.end(&task, "failed");
                self.printer.error(&format!("{task}: {message}"));
            }
            (Some(task), EventKind::Paused { steps }) => self.pause(&task, steps),
            (Some(task), EventKind::Cancelled) if self.running.contains_key(&task) => {
                self.end(&task, "cancelled");
            }
            (Some(_), EventKind::Cancelled) => self.not_started += 1,
            (task, EventKind::Warning { message }) => {
                let place = task.map(|task| format!("{task}: ")).unwrap_or_default();
                self.printer.warning(&format!("{place}{message}"));
            }
            _ => {}
        }
    }

    /// Whether there is something to export.
    pub(super) const fn has_finished_tasks(&self) -> bool {
        self.finished > 0
    }

    fn begin(&mut self, plan: &Plan) {
        for line in super::experiment::describe(plan) {
            self.printer.note(&line);
        }
        for warning in &plan.warnings {
            self.printer.warning(warning);
        }
        self.tasks = plan.tasks.len() as u64;
        self.overall = self.printer.bars().map(|bars| {
            let style = style("{bar:30} {percent:>3} %  {msg}, {elapsed} elapsed, {eta} left");
            let bar = bars.add(ProgressBar::new(self.tasks * STEPS_PER_TASK).with_style(style));
            bar.set_message(format!("0 of {} tasks", self.tasks));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
    }

    fn start(&mut self, task: TaskId) {
        let add = |bars: &MultiProgress| {
            let bar = bars.add(ProgressBar::new_spinner().with_style(style("  {msg}")));
            bar.set_message(task.to_string());
            bar
        };
        let bar = self.printer.bars().map(add);
        if let Some(paused) = self.running.get_mut(&task) {
            // It goes on where it stood.
            paused.bar = bar;
            self.printer.note(&format!("{task}: goes on"));
            return;
        }
        self.running.insert(task, Running { bar, progress: None, last_epoch: None });
    }

    /// It keeps its share of the overall bar, and gives up its line.
    fn pause(&mut self, task: &TaskId, steps: u64) {
        if let Some(running) = self.running.get_mut(task)
            && let Some(bar) = running.bar.take()
        {
            bar.finish_and_clear();
        }
        self.printer.note(&format!("{task}: paused after {steps} steps"));
    }

    fn update(&mut self, task: &TaskId, change: impl FnOnce(&mut Running)) {
        if let Some(running) = self.running.get_mut(task) {
            change(running);
            if let Some(bar) = &running.bar {
                bar.set_message(running.describe(task));
            }
        }
        self.move_overall();
    }

    fn end(&mut self, task: &TaskId, how: &str) {
        if let Some(Running { bar: Some(bar), .. }) = self.running.remove(task) {
            bar.finish_and_clear();
        }
        self.ended += 1;
        self.printer.note(&format!("[{}/{}] {task}: {how}", self.ended, self.tasks));
        self.move_overall();
    }

    fn move_overall(&self) {
        if let Some(overall) = &self.overall {
            let running: f64 = self.running.values().map(Running::share).sum();
            let steps = self.ended * STEPS_PER_TASK + (running * STEPS_PER_TASK as f64) as u64;
            overall.set_position(steps);
            overall.set_message(format!("{} of {} tasks", self.ended, self.tasks));
        }
    }

    fn clear(&mut self) {
        for (_, running) in std::mem::take(&mut self.running) {
            if let Some(bar) = running.bar {
                bar.finish_and_clear();
            }
        }
        if let Some(overall) = self.overall.take() {
            overall.finish_and_clear();
        }
    }
}

impl Running {
    /// How much of the task is done at most, 0 to 1.
    fn share(&self) -> f64 {
        self.progress.map_or(0.0, |progress| progress.share())
    }

    fn describe(&self, task: &TaskId) -> String {
        let progress = self.progress.map_or_else(String::new, |progress| {
            let Progress { epoch, max_epochs, samples_per_second, .. } = progress;
            format!("  epoch {epoch}/{max_epochs}, {samples_per_second:.0} samples/s")
        });
        let losses = self.last_epoch.map_or_else(String::new, |epoch| {
            let validation = number(epoch.validation_loss, 4);
            format!(", loss {:.4} train, {validation} validation", epoch.train_loss)
        });
        format!("{task}{progress}{losses}")
    }
}

fn finished(report: &TaskReport) -> String {
    let TaskReport { best_epoch, epochs, seconds, .. } = report;
    let ic = number(report.model.ic_ts, 4);
    let Some(validation) = report.validation_loss else {
        // A refit: nothing is left to validate or test on.
        return format!("{epochs} epochs, train loss {:.4}, {seconds:.1} s", report.train_loss);
    };
    format!(
        "best epoch {best_epoch} of {epochs}, validation loss {validation:.4}, test IC {ic}, {seconds:.1} s"
    )
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates in this file are well-formed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Determinism, Device, Score, TaskRows};

    #[test]
    fn a_paused_task_keeps_its_share_and_goes_on() {
        let printer = Printer::new(false, true);
        let mut shown = RunProgress::new(&printer);
        let task = TaskId::new("A-1h-fold00");
        let mut tell = |kind: EventKind| {
            let (run, at) = (crate::domain::RunId::new("r"), crate::domain::UtcMillis(0));
            shown.show(Event { run, task: Some(task.clone()), seq: 0, at, kind });
            (shown.running.get(&task).map(Running::share), shown.ended)
        };
        let progress =
            Progress { epoch: 3, max_epochs: 4, batch: 0, batches: 9, samples_per_second: 1.0 };
        tell(EventKind::Started { device: Device::Cpu });
        assert_eq!(tell(EventKind::Progress(progress)), (Some(0.5), 0));
        assert_eq!(tell(EventKind::Paused { steps: 18 }), (Some(0.5), 0));
        assert_eq!(tell(EventKind::Started { device: Device::Cpu }), (Some(0.5), 0));
        tell(EventKind::Paused { steps: 20 });
        assert_eq!(tell(EventKind::Cancelled), (None, 1), "a paused task can be cancelled");
    }

    #[test]
    fn a_refit_says_what_it_learnt_and_nothing_of_a_test() {
        let mut report = TaskReport {
            rows: TaskRows::default(),
            epochs: 7,
            best_epoch: 6,
            train_loss: 0.91234,
            validation_loss: Some(0.95),
            stopped_early: false,
            steps: 70,
            seconds: 2.0,
            model: Score { ic_ts: Some(0.05), ..Score::default() },
            baselines: Vec::new(),
            determinism: Determinism::BitForBit,
            peak_memory: None,
        };
        let text = finished(&report);
        assert_eq!(text, "best epoch 6 of 7, validation loss 0.9500, test IC 0.0500, 2.0 s");
        report.validation_loss = None;
        assert_eq!(finished(&report), "7 epochs, train loss 0.9123, 2.0 s");
    }
}
