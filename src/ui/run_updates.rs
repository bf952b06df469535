//! What the engine has to say of runs, tasks and named models.

use std::collections::{BTreeMap, BTreeSet};

use super::app::App;
use super::commands::Command;
use super::state::{Level, RunView, TaskState};
use crate::domain::text::{self, count, duration, number};
use crate::domain::{Event, EventKind, Plan, RunId, RunOutcome, SweepId, UtcMillis};
use crate::runs::{RunEntry, RunStatus};
use crate::workbench::{self, Update};

impl App {
    /// Takes what concerns runs; everything else is taken before it comes here.
    pub(super) fn apply_to_runs(&mut self, update: Update) {
        match update {
            Update::Event(event) => self.apply_event(*event),
            Update::StoreMended(warning) => self.tell(Level::Warning, warning),
            Update::RunBroken { run, message } => {
                self.end_run(&run, Some(message.clone()));
                self.tell(Level::Error, format!("{run}: {message}"));
            }
            Update::RunDone { run, outcome } => self.run_done(&run, outcome),
            Update::Waiting(waiting) => self.state.launches.told(waiting),
            Update::ResumeFailed { run, message } => {
                self.state.resuming.remove(&run);
                self.state.launches.nobody_to_follow();
                self.tell(Level::Error, format!("{run} cannot go on: {message}"));
                self.list_runs();
            }
            Update::Stopped => self.all_stopped(),
            Update::RunsListed { runs, searched, broken } => {
                self.runs_listed(runs.map(|runs| (runs, searched)), broken);
            }
            Update::ResultsLoaded { run, results } => {
                self.state.details.take(&run, &results);
                self.state.results.take(&run, results);
            }
            Update::CurvesLoaded { run, curves } => match curves {
                Ok(curves) => {
                    if let Some(run) = self.state.runs.iter_mut().find(|view| view.id == run) {
                        run.remember(&curves);
                    }
                }
                Err(message) => self.note(Level::Warning, message),
            },
            Update::OutlineLoaded { run, outline } => {
                self.state.compared.take_outline(&run, outline);
            }
            Update::Compared(comparison) => self.runs_compared(comparison),
            Update::RunsDeleted { runs, problems } => self.runs_deleted(&runs, &problems),
            Update::AnnotateFailed { run, message } => {
                self.tell(Level::Error, format!("{run}: {message}"));
            }
            Update::ModelsListed { models, problem } => {
                match models {
                    Ok(models) => {
                        (self.state.models.entries, self.state.models.error) = (Some(models), None);
                    }
                    Err(message) => self.state.models.error = Some(message),
                }
                if let Some(problem) = problem {
                    self.tell(Level::Error, problem);
                }
            }
            // Taken before it comes here. Named one by one: a new update is not to be forgotten.
            Update::StartFailed { .. }
            | Update::Exported { .. }
            | Update::ExportFailed { .. }
            | Update::Previewed { .. }
            | Update::VariantsPlanned { .. }
            | Update::CheckingLeaks { .. }
            | Update::LeaksChecked { .. }
            | Update::Looked { .. }
            | Update::Surveyed { .. }
            | Update::Examined { .. }
            | Update::ImportTried { .. }
            | Update::OverridesSaved { .. }
            | Update::FoldersLookedFor { .. }
            | Update::PathLookedAt { .. }
            | Update::Scanned { .. }
            | Update::ExperimentOpened { .. }
            | Update::ExperimentSaved { .. }
            | Update::FileSaved { .. } => {}
        }
    }

    fn apply_event(&mut self, event: Event) {
        let at = event.at;
        if let EventKind::Planned { plan } = event.kind {
            return self.run_planned(event.run, *plan, at);
        }
        self.log_event(&event);
        if matches!(event.kind, EventKind::Finished { .. } | EventKind::Kept { .. }) {
            // It has one model more.
            self.state.details.forget(&event.run);
        }
        if let Some(run) = self.state.runs.iter_mut().find(|run| run.id == event.run) {
            run.apply(event);
        }
    }

    fn log_event(&mut self, event: &Event) {
        let at = event.at;
        let run = self.state.runs.iter().find(|run| run.id == event.run);
        let before = run.zip(event.task.as_ref()).and_then(|(run, task)| run.task(task));
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
            EventKind::Retrying { message, attempt } => {
                let text = format!("{name}{message}; attempt {attempt} follows");
                journal.add(at, Level::Warning, text);
            }
            EventKind::Kept { from: Some(from), .. } => {
                let text = format!("{name}has been trained before, taken over from {}", from.run);
                journal.add(at, Level::Info, text);
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
    }

    /// A run begins, or one on disk is taken up again.
    fn run_planned(&mut self, id: RunId, plan: Plan, at: UtcMillis) {
        let goes_on = self.state.resuming.remove(&id);
        let sweep = self.state.results.entry(&id).and_then(|entry| entry.sweep.as_ref());
        if let Some(sweep) = sweep.map(|member| member.sweep.clone()) {
            // Whose end may have been told: it has another one before it now.
            self.state.results.told_sweeps.remove(&sweep);
        }
        let journal = &mut self.state.journal;
        let devices = text::devices(&plan);
        let verb = if goes_on { " goes on" } else { "" };
        let text = format!("{id}{verb}: {} tasks on {devices}", plan.tasks.len());
        journal.add(at, Level::Info, text);
        for decision in &plan.decisions {
            journal.add(at, Level::Info, decision.clone());
        }
        for warning in &plan.warnings {
            journal.add(at, Level::Warning, warning.clone());
        }
        if !goes_on {
            self.state.launches.answered();
        }
        let mut run = RunView::new(id.clone(), plan, at);
        run.monitor = self.state.launches.monitor(&run.plan.experiment);
        self.state.runs.retain(|earlier| earlier.id != id);
        self.state.runs.push(run);
        self.state.release_old_runs();
        self.state.details.forget(&id);
        if goes_on {
            self.engine.send(workbench::Command::LoadCurves(id.clone()));
        }
        if std::mem::take(&mut self.state.launches.follow_next) {
            self.state.followed = Some(id);
        }
        self.list_runs();
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
        let mut actions = Vec::new();
        if finished > 0 {
            actions.push(("Show results", Command::LookAt(id.clone())));
            // Whoever looks at another run is left there.
            if !self.state.results.chosen {
                self.look_at(id.clone());
            }
        }
        if outcome != RunOutcome::Finished {
            actions.push(("Resume this run", Command::TakeUp(vec![id.clone()])));
        }
        // Of a sweep one hears when its last run has ended, and before only of what went wrong.
        let results = &self.state.results;
        let sweep = results.entry(id).and_then(|entry| entry.sweep.as_ref());
        let is_told = sweep.is_some_and(|member| {
            outcome == RunOutcome::Finished || results.told_sweeps.contains(&member.sweep)
        });
        if is_told || (outcome == RunOutcome::Finished && self.is_looked_at(id)) {
            self.note(level, text);
        } else {
            self.offer(level, text, actions);
        }
    }

    /// The run says nothing more.
    fn end_run(&mut self, id: &RunId, broken: Option<String>) {
        self.state.resuming.remove(id);
        self.state.details.forget(id);
        if let Some(run) = self.state.runs.iter_mut().find(|run| run.id == *id) {
            run.broken = broken;
            run.listed_from = Some(self.state.results.next_list());
        }
        self.list_runs();
        if !self.state.is_busy() {
            // What has been trained need not be trained again, and what that took is known.
            self.ask_for_preview();
        }
        if let Some(frames) = self.frames.report() {
            self.note(Level::Info, frames);
        }
    }

    /// Takes a list of the stored runs with what words are looked for in.
    fn runs_listed(
        &mut self,
        runs: Result<(Vec<RunEntry>, Vec<String>), String>,
        broken: Vec<String>,
    ) {
        for problem in broken {
            if self.state.results.told_broken.insert(problem.clone()) {
                self.note(Level::Warning, problem);
            }
        }
        let is_first = !self.state.results.is_listed;
        if self.state.results.is_unasked() {
            // Named models are in the same index.
            self.engine.send(workbench::Command::ListModels);
        }
        match runs {
            Ok((runs, searched)) => {
                self.mind_changed_runs(&runs);
                self.state.run_colors.bound(&runs);
                if self.state.results.listed(runs, searched) {
                    self.list_runs();
                }
            }
            Err(message) => {
                self.state.results.not_listed();
                self.note(Level::Error, message);
                return;
            }
        }
        if is_first {
            self.offer_to_resume();
        }
        self.tell_of_sweeps();
    }

    /// What a new list says of runs that are known here: another program may have changed or deleted them.
    fn mind_changed_runs(&mut self, listed: &[RunEntry]) {
        let listed: BTreeMap<&RunId, &RunEntry> =
            listed.iter().map(|entry| (&entry.id, entry)).collect();
        let is_as_it_was = |before: &RunEntry| {
            listed
                .get(&before.id)
                .is_some_and(|now| (now.finished, now.status) == (before.finished, before.status))
        };
        let changed: Vec<&RunEntry> =
            self.state.results.stored.iter().filter(|before| !is_as_it_was(before)).collect();
        for entry in changed {
            self.state.details.forget(&entry.id);
        }
        for run in &mut self.state.runs {
            run.was_listed |= listed.contains_key(&run.id);
        }
        // One that has ended and is listed no more was deleted elsewhere.
        self.state
            .runs
            .retain(|run| !run.is_over() || !run.was_listed || listed.contains_key(&run.id));
    }

    /// Runs that a crash or a power cut has interrupted are offered once, when the window opens.
    fn offer_to_resume(&mut self) {
        let stored = &self.state.results.stored;
        let interrupted: Vec<&RunEntry> =
            stored.iter().filter(|run| run.status == RunStatus::Interrupted).collect();
        let text = match interrupted.as_slice() {
            [] => return,
            [only] => format!(
                "A run was interrupted: {}, {} of {} tasks finished. It goes on where it stopped.",
                only.experiment, only.finished, only.tasks
            ),
            several => {
                let (finished, tasks) = several.iter().fold((0, 0), |(finished, tasks), run| {
                    (finished + run.finished, tasks + run.tasks)
                });
                let runs = several.len();
                format!(
                    "{runs} runs were interrupted, {finished} of their {tasks} tasks are finished. They go on where they stopped."
                )
            }
        };
        let resume = if interrupted.len() == 1 { "Resume" } else { "Resume all" };
        let runs: Vec<RunId> = interrupted.iter().map(|run| run.id.clone()).collect();
        let actions =
            vec![(resume, Command::TakeUp(runs)), ("Show the runs", Command::ShowInterrupted)];
        self.offer(Level::Warning, text, actions);
    }

    /// Says when the last run of a sweep of this session has ended.
    fn tell_of_sweeps(&mut self) {
        let stored = &self.state.results.stored;
        let ids: BTreeSet<&RunId> = stored.iter().map(|run| &run.id).collect();
        if self.state.runs.iter().any(|run| !ids.contains(&run.id)) {
            // The list is older than what is known here.
            return;
        }
        let here: BTreeSet<&RunId> = self.state.runs.iter().map(|run| &run.id).collect();
        let of_session = stored.iter().filter(|run| here.contains(&run.id));
        let sweeps: BTreeSet<SweepId> = of_session
            .filter_map(|run| Some(run.sweep.as_ref()?.sweep.clone()))
            .filter(|sweep| !self.state.results.told_sweeps.contains(sweep))
            .collect();
        for sweep in sweeps {
            let waits = self.state.launches.waiting.iter();
            let mut waits = waits.filter_map(|waiting| waiting.sweep.as_ref());
            let runs = self.state.results.of_sweep(&sweep);
            let goes_on = waits.any(|member| member.sweep == sweep)
                || runs.iter().any(|run| self.state.resuming.contains(&run.id))
                || self.state.standings(runs.iter().copied()).iter().any(|how| how.is_alive());
            let Some(first) = runs.first().filter(|_| !goes_on) else { continue };
            let finished = runs.iter().filter(|run| run.status == RunStatus::Finished).count();
            let (level, how) = if finished == runs.len() {
                (Level::Success, "all finished".to_owned())
            } else {
                (Level::Warning, format!("{finished} finished"))
            };
            let text = format!("{}: {} runs of the sweep, {how}", first.experiment, runs.len());
            let actions = vec![("Compare the sweep", Command::CompareSweep(sweep.clone()))];
            self.state.results.told_sweeps.insert(sweep);
            self.offer(level, text, actions);
        }
    }

    fn runs_deleted(&mut self, runs: &[RunId], problems: &[String]) {
        self.state.deleting.pop_front();
        // Their results cannot be taken over any more.
        self.ask_for_preview();
        for run in runs {
            self.state.details.forget(run);
            self.state.runs.retain(|view| view.id != *run || !view.is_over());
        }
        let results = &mut self.state.results;
        if results.loaded.as_ref().is_some_and(|loaded| runs.contains(&loaded.run)) {
            (results.loaded, results.wanted, results.chosen) = (None, None, false);
        }
        self.withdraw(|offer| match offer {
            Command::LookAt(run) => runs.contains(run),
            Command::TakeUp(offered) => offered.iter().all(|run| runs.contains(run)),
            _ => false,
        });
        let compared = &mut self.state.compared;
        if compared.asked.iter().any(|run| runs.contains(run)) {
            compared.clear();
        }
        match (runs, problems) {
            ([], []) => {}
            (gone, []) => {
                let what = if gone.len() == 1 { "run" } else { "runs" };
                self.tell(Level::Success, format!("Deleted {} {what}", gone.len()));
            }
            (_, [first, rest @ ..]) => {
                for problem in rest {
                    self.note(Level::Error, problem.clone());
                }
                let more = if rest.is_empty() { "" } else { "; the log has the others" };
                self.tell(Level::Error, format!("{first}{more}"));
            }
        }
    }
}

#[cfg(test)]
#[path = "run_updates_tests.rs"]
mod tests;
