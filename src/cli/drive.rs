use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::DEFAULT_RUNS;
use super::format::print_summary;
use super::interrupt::{Manner, Watch};
use super::progress::RunProgress;
use super::tensorboard::TensorBoard;
use super::{Exit, Printer};
use crate::domain::{Event, EventKind, Plan, RunId, RunOutcome, SweepMember};
use crate::runs::RunStore;
use crate::workbench::{Command, Update, Workbench};

/// How runs are followed to their end.
pub(super) struct Drive<'a> {
    /// Folder for runs.
    pub(super) runs: &'a Path,
    /// Only the result, and trouble.
    pub(super) quiet: bool,
    /// Where TensorBoard's files go.
    pub(super) tensorboard: Option<PathBuf>,
    /// Runs that the command starts.
    pub(super) expected: usize,
    pub(super) printer: &'a Printer,
}

/// What became of the runs.
pub(super) struct Driven {
    /// Of all of them, the worst.
    pub(super) exit: Exit,
    /// In the order in which they began.
    pub(super) runs: Vec<RunId>,
    /// Which sweep they are of.
    pub(super) sweep: Option<SweepMember>,
}

impl Drive<'_> {
    /// Opens the engine, gives the command and shows what comes of it until all of it has ended.
    pub(super) fn drive(&self, command: Command) -> anyhow::Result<Driven> {
        let tensorboard = self.tensorboard.as_deref().map(TensorBoard::open).transpose()?;
        let workbench = Workbench::open(self.runs, || {})?;
        let mut watch = Watch::new(&workbench, self.printer, Manner::CheckpointFirst)?;
        workbench.send(command);
        let mut following = Following {
            drive: self,
            progress: RunProgress::new(self.printer, self.expected),
            tensorboard,
            runs: Vec::new(),
            outcomes: BTreeMap::new(),
            not_started: 0,
            sweep: None,
            exit: Exit::Done,
        };
        let mut is_over = false;
        while !is_over {
            let updates = watch.updates();
            for update in updates {
                is_over |= following.take(update, watch.is_stopping())?;
            }
        }
        following.progress.clear();
        if let Some(tensorboard) = following.tensorboard.take() {
            tensorboard.finish(self.printer);
        }
        following.say_what_is_next(watch.is_stopping());
        let exit = if watch.is_stopping() && following.is_unfinished() {
            Exit::Cancelled
        } else {
            following.exit
        };
        Ok(Driven { exit, runs: following.runs, sweep: following.sweep })
    }

    /// ` --runs DIR`, where a command needs it.
    pub(super) fn place(&self) -> String {
        place(self.runs)
    }
}

/// ` --runs DIR` as a command needs it; empty for the usual place.
pub(super) fn place(runs: &Path) -> String {
    if runs == Path::new(DEFAULT_RUNS) {
        return String::new();
    }
    let shown = runs.display().to_string();
    format!(" --runs {}", shlex::try_quote(&shown).unwrap_or(std::borrow::Cow::from(&shown)))
}

struct Following<'a> {
    drive: &'a Drive<'a>,
    progress: RunProgress<'a>,
    tensorboard: Option<TensorBoard>,
    runs: Vec<RunId>,
    /// Of the runs that have ended.
    outcomes: BTreeMap<RunId, RunOutcome>,
    /// Runs that will not be.
    not_started: usize,
    sweep: Option<SweepMember>,
    exit: Exit,
}

impl Following<'_> {
    /// Whether that was the last there is to know.
    fn take(&mut self, update: Update, is_stopping: bool) -> anyhow::Result<bool> {
        let printer = self.drive.printer;
        match update {
            Update::Event(event) => self.show(*event),
            Update::StartFailed { cancelled: true, .. } => {
                self.not_started += 1;
                self.exit = self.exit.max(Exit::Cancelled);
            }
            Update::StartFailed { message, .. } if self.drive.expected == 1 => {
                anyhow::bail!(message)
            }
            Update::StartFailed { experiment, message, .. } => {
                printer.error(&format!("{experiment}: {message}"));
                self.not_started += 1;
                self.exit = self.exit.max(Exit::BadInput);
            }
            Update::ResumeFailed { .. } if is_stopping => self.not_started += 1,
            Update::ResumeFailed { message, .. } => anyhow::bail!(message),
            Update::StoreMended(warning) => printer.warning(&warning),
            Update::RunBroken { run, message } => {
                printer.error(&format!("{run}: {message}"));
                self.end(run, RunOutcome::Failed);
            }
            Update::RunDone { run, outcome } => self.end(run, outcome),
            Update::Stopped => return Ok(true),
            // Answers to what was not asked.
            _ => {}
        }
        Ok(self.outcomes.len() + self.not_started >= self.drive.expected)
    }

    fn end(&mut self, run: RunId, outcome: RunOutcome) {
        self.exit = self.exit.max(match outcome {
            RunOutcome::Finished => Exit::Done,
            RunOutcome::Failed => Exit::TaskFailed,
            RunOutcome::Cancelled => Exit::Cancelled,
        });
        self.outcomes.insert(run, outcome);
    }

    /// Whether anything that was asked for has not come to an end of its own.
    fn is_unfinished(&self) -> bool {
        let ended = |outcome: &&RunOutcome| **outcome != RunOutcome::Cancelled;
        self.outcomes.values().filter(ended).count() < self.drive.expected
    }

    fn show(&mut self, event: Event) {
        let printer = self.drive.printer;
        if let Some(tensorboard) = &mut self.tensorboard {
            tensorboard.record(&event, printer);
        }
        if !self.runs.contains(&event.run) {
            self.begin(&event);
        }
        if printer.is_json() {
            printer.json_line(&event);
            return;
        }
        let summary = match &event.kind {
            EventKind::RunEnded { summary, .. } if self.drive.expected == 1 => {
                Some(summary.clone())
            }
            _ => None,
        };
        let is_trouble = matches!(
            event.kind,
            EventKind::Failed { .. } | EventKind::Warning { .. } | EventKind::Retrying { .. }
        );
        if !self.drive.quiet || is_trouble {
            self.progress.show(event);
        }
        if let Some(summary) = summary {
            print_summary(printer, &summary);
        }
    }

    /// Something is told of a run for the first time. One that is taken up again may have been planned long ago.
    fn begin(&mut self, event: &Event) {
        let run = &event.run;
        self.runs.push(run.clone());
        let manifest =
            RunStore::find(self.drive.runs, run.as_str()).and_then(|folder| folder.manifest());
        let (stored, member) = match manifest {
            Ok(manifest) => (Some(manifest.plan), manifest.sweep),
            // The folder is the engine's matter, and it will tell what is wrong with it.
            Err(_) => (None, None),
        };
        let plan = match &event.kind {
            EventKind::Planned { plan } => Some(plan.as_ref()),
            _ => stored.as_ref(),
        };
        if let Some(plan) = plan {
            self.tell_plan(run, plan, member.as_ref());
        }
        self.sweep = self.sweep.take().or(member);
    }

    fn tell_plan(&mut self, run: &RunId, plan: &Plan, member: Option<&SweepMember>) {
        let printer = self.drive.printer;
        if printer.is_json() {
            return;
        }
        if self.drive.quiet {
            // Quiet or not: what is left out must be known.
            plan.warnings.iter().for_each(|warning| printer.warning(warning));
            return;
        }
        let label = member.map(|member| super::plan::in_words(&member.settings));
        let label = label.filter(|_| self.drive.expected > 1);
        self.progress.begin(run, plan, label.as_deref());
    }

    /// What there is now, and the commands that go on with it.
    fn say_what_is_next(&self, is_stopped: bool) {
        let (printer, place) = (self.drive.printer, self.drive.place());
        for run in &self.runs {
            let outcome = self.outcomes.get(run);
            if self.drive.expected == 1 || outcome.is_none() {
                let path = self.drive.runs.join(run.as_str());
                printer.note(&format!("Run {run} in {}", path.display()));
            }
            match outcome {
                Some(RunOutcome::Finished) if self.drive.expected > 1 => {}
                Some(RunOutcome::Finished) => {
                    if self.progress.has_finished_tasks(run) {
                        printer.note(&format!("Next: walkforge export {run} --to DIR{place}"));
                    }
                }
                _ => printer.note(&format!("Go on: walkforge runs resume {run}{place}")),
            }
        }
        let missing = self.drive.expected.saturating_sub(self.runs.len());
        if is_stopped && self.drive.expected > 1 && missing > 0 {
            printer.note(&format!(
                "{missing} runs were not started; the same command trains them, and keeps what is finished"
            ));
        }
    }
}
