use super::app::App;
use super::commands::Command;
use super::layout::{self, PanelKind};
use super::state::{Level, Listing, Notice, RunView, Source, TaskState, Trouble};
use crate::domain::text::{self, count, duration, number};
use crate::domain::{Event, EventKind, Plan, RunId, RunOutcome, UtcMillis};
use crate::spec::DataSource;
use crate::workbench::{self, LeakReport, Update};

impl App {
    /// Takes one thing the engine has to say.
    pub fn apply(&mut self, update: Update) {
        match update {
            Update::Event(event) => self.apply_event(*event),
            Update::StartFailed { experiment, message, cancelled } => {
                self.state.waiting = self.state.waiting.saturating_sub(1);
                self.state.monitors.pop_front();
                if cancelled {
                    self.note(Level::Info, format!("{experiment}: stopped before it began"));
                } else {
                    self.tell(Level::Error, format!("{experiment} could not start: {message}"));
                }
            }
            Update::RunBroken { run, message } => {
                self.end_run(&run, Some(message.clone()));
                self.tell(Level::Error, format!("{run}: {message}"));
            }
            Update::RunDone { run, outcome } => self.run_done(&run, outcome),
            Update::Exported { run, folders } => {
                self.state.exporting = false;
                let place = folders.first().and_then(|folder| folder.parent());
                let place = place.map_or_else(String::new, |to| format!(" to {}", to.display()));
                let models = if folders.len() == 1 { "model" } else { "models" };
                let text = format!("Exported {} {models} of {run}{place}", folders.len());
                self.tell(Level::Success, text);
            }
            Update::ExportFailed { message, cancelled } => {
                self.state.exporting = false;
                if cancelled {
                    self.note(Level::Info, "the export was stopped".to_owned());
                } else {
                    self.tell(Level::Error, format!("The export failed: {message}"));
                }
            }
            Update::Previewed { ticket, plan } => self.state.preview.answer(ticket, plan),
            Update::CheckingLeaks { ticket, stage } => self.state.checks.at_stage(ticket, stage),
            Update::LeaksChecked { ticket, report, cancelled } => {
                let outcome = report.map_err(|message| {
                    if cancelled { Trouble::Stopped } else { Trouble::Failed(message) }
                });
                self.leaks_checked(ticket, outcome);
            }
            Update::Looked { ticket, look } => self.state.looks.answer(ticket, look),
            Update::Scanned { folder, catalog } => {
                // Another folder may have been chosen since, in this very frame perhaps.
                if self.state.draft.spec().data.source != DataSource::Folder(folder.clone()) {
                    return;
                }
                match catalog {
                    Ok(catalog) => self.take_listing(Listing::of_catalog(&catalog)),
                    Err(message) => {
                        self.note(Level::Error, message.clone());
                        self.state.source = Source::Failed { folder, message };
                    }
                }
            }
            Update::ExperimentOpened { path, spec } => match spec {
                Ok(spec) => {
                    self.put_on_bench(*spec);
                    self.tell(Level::Success, format!("Opened {}", path.display()));
                }
                Err(message) => self.tell(Level::Error, message),
            },
            Update::ExperimentSaved { path, saved } => match saved {
                Ok(()) => self.tell(Level::Success, format!("Saved {}", path.display())),
                Err(message) => self.tell(Level::Error, message),
            },
            Update::RunsListed { runs, broken } => {
                for problem in broken {
                    if self.state.results.told_broken.insert(problem.clone()) {
                        self.note(Level::Warning, problem);
                    }
                }
                match runs {
                    Ok(runs) => self.state.results.stored = runs,
                    Err(message) => self.note(Level::Error, message),
                }
            }
            Update::ResultsLoaded { run, results } => self.state.results.take(&run, results),
            _ => {}
        }
    }

    fn apply_event(&mut self, event: Event) {
        let at = event.at;
        if let EventKind::Planned { plan } = event.kind {
            return self.run_planned(event.run, *plan, at);
        }
        let run = self.state.runs.iter_mut().find(|run| run.id == event.run);
        let before = run.as_ref().zip(event.task.as_ref()).and_then(|(run, task)| run.task(task));
        let was_paused = before.is_some_and(|task| task.state == TaskState::Paused);
        let journal = &mut self.state.journal;
        let name = event.task.as_ref().map_or_else(String::new, |task| format!("{task}: "));
        match &event.kind {
            EventKind::Warning { message } => {
                journal.add(at, Level::Warning, format!("{name}{message}"));
            }
            EventKind::Failed { message } => {
                journal.add(at, Level::Error, format!("{name}{message}"));
            }
            EventKind::Started { device } => {
                let verb = if was_paused { "goes on" } else { "training" };
                journal.add(at, Level::Info, format!("{name}{verb} on {device}"));
            }
            EventKind::Finished { report } => {
                let loss = report.validation_loss.map_or_else(
                    || format!("train loss {}", number(Some(report.train_loss), 4)),
                    |loss| format!("validation loss {}", number(Some(loss), 4)),
                );
                let (best, all) = (report.best_epoch, report.epochs);
                let took = duration(report.seconds);
                let text = format!("{name}best epoch {best} of {all}, {loss}, {took}");
                journal.add(at, Level::Success, text);
            }
            EventKind::Paused { steps } => {
                let steps = count(*steps);
                journal.add(at, Level::Info, format!("{name}paused after {steps} steps"));
            }
            EventKind::Cancelled => journal.add(at, Level::Info, format!("{name}cancelled")),
            _ => {}
        }
        if let Some(run) = run {
            run.apply(event);
        }
    }

    fn run_planned(&mut self, run: RunId, plan: Plan, at: UtcMillis) {
        let journal = &mut self.state.journal;
        let devices = text::devices(&plan);
        let text = format!("{run}: {} tasks on {devices}", plan.tasks.len());
        journal.add(at, Level::Info, text);
        for decision in &plan.decisions {
            journal.add(at, Level::Info, decision.clone());
        }
        for warning in &plan.warnings {
            journal.add(at, Level::Warning, warning.clone());
        }
        self.state.waiting = self.state.waiting.saturating_sub(1);
        let monitor = self.state.monitors.pop_front();
        let mut run = RunView::new(run, plan, at);
        run.monitor = monitor;
        self.state.runs.push(run);
    }

    fn run_done(&mut self, id: &RunId, outcome: RunOutcome) {
        self.end_run(id, None);
        let Some(run) = self.state.runs.iter().find(|run| run.id == *id) else { return };
        let (all, finished) = (run.tasks.len(), run.count(TaskState::Finished));
        let failed = run.count(TaskState::Failed);
        let took = duration(run.elapsed_seconds(self.state.now));
        let name = &run.plan.experiment;
        let (level, text) = match outcome {
            RunOutcome::Finished => {
                (Level::Success, format!("{name} finished: {all} tasks in {took}"))
            }
            RunOutcome::Failed => (
                Level::Error,
                format!("{name}: {failed} of {all} tasks failed; the queue says why"),
            ),
            RunOutcome::Cancelled => {
                (Level::Info, format!("{name} cancelled: {finished} of {all} tasks are kept"))
            }
        };
        if finished > 0 {
            let action = Some(("Show results", Command::LookAt(id.clone())));
            self.state.journal.add(self.state.now, level, text.clone());
            self.state.notice = Some(Notice { level, text, action });
            // Whoever looks at another run is left there.
            if !self.state.results.chosen {
                self.look_at(id.clone());
            }
        } else {
            self.tell(level, text);
        }
    }

    fn leaks_checked(&mut self, ticket: u64, outcome: Result<Box<LeakReport>, Trouble>) {
        let told = match &outcome {
            Ok(report) => summary(report),
            Err(Trouble::Stopped) => (Level::Info, "the leak check was stopped".to_owned()),
            Err(Trouble::Failed(message)) => {
                (Level::Error, format!("The leak check failed: {message}"))
            }
        };
        let (current, now) = (self.state.draft.spec(), self.state.now);
        if !self.state.checks.end(ticket, outcome, current, now) {
            return;
        }
        let (level, text) = told;
        self.note(level, text.clone());
        let is_in_view = layout::is_in_front(&self.layout, PanelKind::Checks)
            && self.panels.checks.is_on_leaks();
        if level != Level::Info && !is_in_view {
            let action = Some(("Show the report", Command::ShowChecks));
            self.state.notice = Some(Notice { level, text, action });
        }
    }

    /// The run says nothing more.
    fn end_run(&mut self, id: &RunId, broken: Option<String>) {
        if let Some(run) = self.state.runs.iter_mut().find(|run| run.id == *id) {
            run.broken = broken;
        }
        self.engine.send(workbench::Command::ListRuns);
        if let Some(frames) = self.frames.report() {
            self.note(Level::Info, frames);
        }
    }

    /// In the log only.
    fn note(&mut self, level: Level, text: String) {
        self.state.journal.add(self.state.now, level, text);
    }

    /// In the log and under the top bar.
    pub(super) fn tell(&mut self, level: Level, text: String) {
        self.note(level, text.clone());
        self.state.notice = Some(Notice { level, text, action: None });
    }
}

/// What a report comes to, in a sentence.
fn summary(report: &LeakReport) -> (Level, String) {
    let name = &report.experiment;
    let leaks: Vec<&str> = report.leaks().map(|check| check.name.as_str()).collect();
    match (report.checks.len(), leaks.as_slice()) {
        (0, _) => (Level::Warning, format!("{name}: the leak check found nothing to check")),
        (all, []) => (Level::Success, format!("{name}: {all} checks, and nothing leaks")),
        (_, [only]) => (Level::Error, format!("{name} leaks: {only}")),
        (_, [first, rest @ ..]) => {
            (Level::Error, format!("{name} leaks: {first} and {} more", rest.len()))
        }
    }
}
