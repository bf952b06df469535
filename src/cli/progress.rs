use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Printer;
use crate::domain::text::number;
use crate::domain::{EpochRecord, Event, EventKind, Plan, Progress, RunId, TaskId, TaskReport};

/// Steps of the overall bar that one task is worth.
const STEPS_PER_TASK: u64 = 1000;

/// A task among those of all runs.
type Place = (RunId, TaskId);

/// Shows runs in the terminal: an overall bar with ETA and a line for each running task; plain lines where nobody watches.
pub(super) struct RunProgress<'a> {
    printer: &'a Printer,
    overall: Option<ProgressBar>,
    /// Runs there will be.
    expected: usize,
    runs: BTreeMap<RunId, RunCount>,
    running: BTreeMap<Place, Running>,
    /// What plans warned of, told once.
    warnings: Vec<String>,
}

/// How far a run is.
#[derive(Default)]
struct RunCount {
    /// Which of the runs, from 1.
    number: usize,
    tasks: u64,
    ended: u64,
    /// Finished now or before.
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
    /// Of so many runs.
    pub(super) const fn new(printer: &'a Printer, expected: usize) -> Self {
        Self {
            printer,
            overall: None,
            expected,
            runs: BTreeMap::new(),
            running: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    /// Shows what will be done in a run, which is told before anything else of it. `label` says which of several it is.
    pub(super) fn begin(&mut self, run: &RunId, plan: &Plan, label: Option<&str>) {
        let number = self.runs.len() + 1;
        if let Some(label) = label {
            self.printer.note(&format!("Run {number} of {}: {label}", self.expected));
        }
        // The others differ in what their labels say.
        if number == 1 {
            for line in super::plan::describe(plan) {
                self.printer.note(&line);
            }
        }
        for warning in &plan.warnings {
            if !self.warnings.contains(warning) {
                self.printer.warning(warning);
                self.warnings.push(warning.clone());
            }
        }
        let tasks = plan.tasks.len() as u64;
        self.runs.insert(run.clone(), RunCount { number, tasks, ..RunCount::default() });
        let expected = self.tasks_in_all() * STEPS_PER_TASK;
        match &self.overall {
            Some(overall) => overall.set_length(expected),
            None => self.overall = self.printer.bars().map(|bars| overall_bar(bars, expected)),
        }
        self.move_overall();
    }

    pub(super) fn show(&mut self, event: Event) {
        let Event { run, task, kind, .. } = event;
        let Some(task) = task else {
            return match kind {
                EventKind::RunEnded { .. } => self.end_run(&run),
                EventKind::Warning { message } => self.printer.warning(&message),
                _ => {}
            };
        };
        let place = (run, task);
        match kind {
            EventKind::Started { .. } => self.start(place),
            EventKind::Progress(progress) => {
                self.update(&place, |running| running.progress = Some(progress));
            }
            EventKind::Epoch(record) => {
                self.update(&place, |running| running.last_epoch = Some(record));
            }
            EventKind::Finished { report } => self.finish(&place, &finished(&report)),
            EventKind::Kept { report, from } => {
                let source =
                    from.map_or_else(|| "had finished".to_owned(), |from| format!("as {from}"));
                self.finish(&place, &format!("kept, {source}: {}", finished(&report)));
            }
            EventKind::Failed { message } => {
                self.end(&place, "failed");
                self.printer.error(&format!("{}: {message}", self.name(&place)));
            }
            EventKind::Retrying { message, attempt } => {
                self.clear_line(&place);
                self.running.remove(&place);
                let name = self.name(&place);
                self.printer.warning(&format!("{name}: attempt {attempt} follows: {message}"));
            }
            EventKind::Paused { steps } => {
                self.clear_line(&place);
                self.printer.note(&format!("{}: paused after {steps} steps", self.name(&place)));
            }
            EventKind::Cancelled if self.running.contains_key(&place) => {
                self.end(&place, "cancelled");
            }
            EventKind::Cancelled => self.count(&place.0).not_started += 1,
            EventKind::Warning { message } => {
                self.printer.warning(&format!("{}: {message}", self.name(&place)));
            }
            _ => {}
        }
    }

    /// Whether the run has something to export.
    pub(super) fn has_finished_tasks(&self, run: &RunId) -> bool {
        self.runs.get(run).is_some_and(|count| count.finished > 0)
    }

    /// Takes the bars away.
    pub(super) fn clear(&mut self) {
        for (_, running) in std::mem::take(&mut self.running) {
            if let Some(bar) = running.bar {
                bar.finish_and_clear();
            }
        }
        if let Some(overall) = self.overall.take() {
            overall.finish_and_clear();
        }
    }

    fn count(&mut self, run: &RunId) -> &mut RunCount {
        self.runs.entry(run.clone()).or_default()
    }

    /// The task, and where there are several runs, which of them.
    fn name(&self, (run, task): &Place) -> String {
        match self.runs.get(run) {
            Some(count) if self.expected > 1 => format!("run {}, {task}", count.number),
            _ => task.to_string(),
        }
    }

    /// What the bar goes up to: runs that have not begun count as those that have.
    fn tasks_in_all(&self) -> u64 {
        let known: u64 = self.runs.values().map(|count| count.tasks).sum();
        let begun = self.runs.len().max(1) as u64;
        known + (self.expected as u64).saturating_sub(begun) * known / begun
    }

    fn end_run(&mut self, run: &RunId) {
        let not_started = self.count(run).not_started;
        if not_started > 0 {
            self.printer.note(&format!("{not_started} tasks were not started"));
        }
        if self.expected == 1 {
            self.clear();
        }
    }

    fn start(&mut self, place: Place) {
        let name = self.name(&place);
        let add = |bars: &MultiProgress| {
            let bar = bars.add(ProgressBar::new_spinner().with_style(style("  {msg}")));
            bar.set_message(name.clone());
            bar
        };
        let bar = self.printer.bars().map(add);
        if let Some(paused) = self.running.get_mut(&place) {
            // It goes on where it stood.
            paused.bar = bar;
            self.printer.note(&format!("{name}: goes on"));
            return;
        }
        self.running.insert(place, Running { bar, progress: None, last_epoch: None });
    }

    /// It keeps its share of the overall bar, and gives up its line.
    fn clear_line(&mut self, place: &Place) {
        if let Some(bar) = self.running.get_mut(place).and_then(|running| running.bar.take()) {
            bar.finish_and_clear();
        }
    }

    fn update(&mut self, place: &Place, change: impl FnOnce(&mut Running)) {
        let name = self.name(place);
        if let Some(running) = self.running.get_mut(place) {
            change(running);
            if let Some(bar) = &running.bar {
                bar.set_message(running.describe(&name));
            }
        }
        self.move_overall();
    }

    fn finish(&mut self, place: &Place, how: &str) {
        self.count(&place.0).finished += 1;
        self.end(place, how);
    }

    fn end(&mut self, place: &Place, how: &str) {
        self.clear_line(place);
        self.running.remove(place);
        let count = self.count(&place.0);
        count.ended += 1;
        let (ended, tasks) = (count.ended, count.tasks);
        self.printer.note(&format!("[{ended}/{tasks}] {}: {how}", self.name(place)));
        self.move_overall();
    }

    fn move_overall(&self) {
        if let Some(overall) = &self.overall {
            let ended: u64 = self.runs.values().map(|count| count.ended).sum();
            let running: f64 = self.running.values().map(Running::share).sum();
            let steps = ended * STEPS_PER_TASK + (running * STEPS_PER_TASK as f64) as u64;
            overall.set_position(steps);
            let runs = match self.expected {
                1 => String::new(),
                expected => format!("run {} of {expected}, ", self.runs.len()),
            };
            let tasks: u64 = self.runs.values().map(|count| count.tasks).sum();
            overall.set_message(format!("{runs}{ended} of {tasks} tasks"));
        }
    }
}

fn overall_bar(bars: &MultiProgress, length: u64) -> ProgressBar {
    let style = style("{bar:30} {percent:>3} %  {msg}, {elapsed} elapsed, {eta} left");
    let bar = bars.add(ProgressBar::new(length).with_style(style));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

impl Running {
    /// How much of the task is done at most, 0 to 1.
    fn share(&self) -> f64 {
        self.progress.map_or(0.0, |progress| progress.share())
    }

    fn describe(&self, task: &str) -> String {
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

    struct Shown<'a> {
        progress: RunProgress<'a>,
        place: Place,
    }

    impl Shown<'_> {
        /// The share of the task that is done, while it runs, and the tasks that have ended.
        fn tell(&mut self, kind: EventKind) -> (Option<f64>, u64) {
            let (run, task) = self.place.clone();
            let at = crate::domain::UtcMillis(0);
            self.progress.show(Event { run, task: Some(task), seq: 0, at, kind });
            let share = self.progress.running.get(&self.place).map(Running::share);
            (share, self.progress.runs.get(&self.place.0).map_or(0, |count| count.ended))
        }
    }

    fn shown(printer: &Printer) -> Shown<'_> {
        let place = (RunId::new("r"), TaskId::new("A-1h-fold00"));
        Shown { progress: RunProgress::new(printer, 1), place }
    }

    #[test]
    fn a_paused_task_keeps_its_share_and_goes_on() {
        let printer = Printer::new(false, true);
        let mut shown = shown(&printer);
        let progress = Progress {
            epoch: 3,
            max_epochs: 4,
            batch: 0,
            batches: 9,
            samples_per_second: 1.0,
            times: None,
        };
        shown.tell(EventKind::Started { device: Device::Cpu });
        assert_eq!(shown.tell(EventKind::Progress(progress)), (Some(0.5), 0));
        assert_eq!(shown.tell(EventKind::Paused { steps: 18 }), (Some(0.5), 0));
        assert_eq!(shown.tell(EventKind::Started { device: Device::Cpu }), (Some(0.5), 0));
        shown.tell(EventKind::Paused { steps: 20 });
        assert_eq!(shown.tell(EventKind::Cancelled), (None, 1), "a paused task can be cancelled");
    }

    #[test]
    fn a_task_that_is_tried_again_begins_anew_and_one_that_is_kept_has_finished() {
        let printer = Printer::new(false, true);
        let mut shown = shown(&printer);
        let progress = Progress {
            epoch: 3,
            max_epochs: 4,
            batch: 0,
            batches: 9,
            samples_per_second: 1.0,
            times: None,
        };
        shown.tell(EventKind::Started { device: Device::Cpu });
        shown.tell(EventKind::Progress(progress));
        let again = EventKind::Retrying { message: "no memory".to_owned(), attempt: 2 };
        assert_eq!(shown.tell(again), (None, 0));
        assert_eq!(shown.tell(EventKind::Started { device: Device::Cpu }), (Some(0.0), 0));
        let run = shown.place.0.clone();
        assert!(!shown.progress.has_finished_tasks(&run));
        let kept = EventKind::Kept { report: Box::new(report()), from: None };
        assert_eq!(shown.tell(kept), (None, 1));
        assert!(shown.progress.has_finished_tasks(&run));
    }

    #[test]
    fn runs_that_have_not_begun_count_as_those_that_have() {
        let printer = Printer::new(false, true);
        let mut progress = RunProgress::new(&printer, 6);
        for (run, tasks) in [("a", 4), ("b", 8)] {
            progress.runs.insert(RunId::new(run), RunCount { tasks, ..RunCount::default() });
        }
        assert_eq!(progress.tasks_in_all(), 12 + 4 * 6);
    }

    fn report() -> TaskReport {
        TaskReport {
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
        }
    }

    #[test]
    fn a_refit_says_what_it_learnt_and_nothing_of_a_test() {
        let mut report = report();
        let text = finished(&report);
        assert_eq!(text, "best epoch 6 of 7, validation loss 0.9500, test IC 0.0500, 2.0 s");
        report.validation_loss = None;
        assert_eq!(finished(&report), "7 epochs, train loss 0.9123, 2.0 s");
    }
}
