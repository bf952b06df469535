use crate::domain::UtcMillis;
use crate::spec::{ExperimentSpec, SweepSpec};
use crate::workbench::LeakReport;

/// The leak check: the one at work, and what came of the last one.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    /// Names the latest request.
    ticket: u64,
    /// The check at work.
    pub(crate) running: Option<Running>,
    /// The last report there was.
    pub(crate) report: Option<Checked>,
    /// Why the last check made no report.
    pub(crate) trouble: Option<Trouble>,
}

/// A check at work.
#[derive(Debug)]
pub(crate) struct Running {
    spec: ExperimentSpec,
    /// It trains on shuffled folds as well.
    pub(crate) contrast: bool,
    /// What is being done, in words.
    pub(crate) stage: String,
    /// Somebody asked it to stop.
    pub(crate) stopping: bool,
}

/// A report, and what it is about.
#[derive(Debug)]
pub(crate) struct Checked {
    spec: ExperimentSpec,
    pub(crate) report: Box<LeakReport>,
    /// When it was made.
    pub(crate) at: UtcMillis,
    /// The experiment on the bench is no longer the one that was checked.
    pub(crate) is_outdated: bool,
}

/// Why a check made no report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Somebody asked it to stop.
    Stopped,
    /// It failed: why, and the next step.
    Failed(String),
}

impl Checks {
    /// A new check of this experiment: its ticket.
    pub(crate) fn begin(&mut self, spec: &ExperimentSpec, contrast: bool) -> u64 {
        self.ticket += 1;
        self.trouble = None;
        let stage = "waiting for its turn".to_owned();
        self.running =
            Some(Running { spec: what_is_checked(spec), contrast, stage, stopping: false });
        self.ticket
    }

    /// Somebody asked the check at work to stop.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = &mut self.running {
            running.stopping = true;
        }
    }

    /// How far the check is.
    pub(crate) fn at_stage(&mut self, ticket: u64, stage: String) {
        if let Some(running) = self.running.as_mut().filter(|_| ticket == self.ticket) {
            running.stage = stage;
        }
    }

    /// Takes what came of a check, unless another one has been asked for since: whether it was taken. `current` is on the bench now.
    pub(crate) fn end(
        &mut self,
        ticket: u64,
        outcome: Result<Box<LeakReport>, Trouble>,
        current: &ExperimentSpec,
        at: UtcMillis,
    ) -> bool {
        if ticket != self.ticket {
            return false;
        }
        let Some(Running { spec, .. }) = self.running.take() else { return false };
        match outcome {
            Ok(report) => {
                self.report = Some(Checked { spec, report, at, is_outdated: false });
                self.follow(current);
            }
            Err(trouble) => self.trouble = Some(trouble),
        }
        true
    }

    /// Another experiment may be on the bench.
    pub(crate) fn follow(&mut self, current: &ExperimentSpec) {
        if let Some(checked) = &mut self.report {
            checked.is_outdated = checked.spec != what_is_checked(current);
        }
    }
}

/// The experiment without what changes no result.
fn what_is_checked(spec: &ExperimentSpec) -> ExperimentSpec {
    let mut spec = spec.clone();
    spec.name.clear();
    spec.notes.clear();
    spec.resources.workers = None;
    // It checks the experiment, not its variants.
    spec.sweep = SweepSpec::default();
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load;

    fn report() -> LeakReport {
        LeakReport { experiment: "x".to_owned(), checks: Vec::new(), contrast: None }
    }

    #[test]
    fn a_report_of_another_experiment_says_so_and_a_name_makes_no_other() {
        let mut spec = load("mlp-return").unwrap();
        let mut checks = Checks::default();
        let ticket = checks.begin(&spec, false);
        assert!(checks.end(ticket, Ok(Box::new(report())), &spec, UtcMillis(0)));
        let outdated = |checks: &Checks| checks.report.as_ref().unwrap().is_outdated;
        spec.name.push('2');
        spec.resources.workers = Some(7);
        checks.follow(&spec);
        assert!(!outdated(&checks));
        spec.window += 1;
        checks.follow(&spec);
        assert!(outdated(&checks));
        spec.window -= 1;
        checks.follow(&spec);
        assert!(!outdated(&checks), "it was changed back");

        let ticket = checks.begin(&spec, false);
        spec.seed += 1;
        assert!(checks.end(ticket, Ok(Box::new(report())), &spec, UtcMillis(0)));
        assert!(outdated(&checks), "it was changed while it was being checked");
    }

    #[test]
    fn only_the_latest_check_is_listened_to_and_a_stop_keeps_the_last_report() {
        let spec = load("mlp-return").unwrap();
        let mut checks = Checks::default();
        let old = checks.begin(&spec, false);
        let new = checks.begin(&spec, true);
        checks.at_stage(old, "old".to_owned());
        assert!(!checks.end(old, Err(Trouble::Stopped), &spec, UtcMillis(0)));
        assert_ne!(checks.running.as_ref().unwrap().stage, "old");
        checks.at_stage(new, "new".to_owned());
        assert_eq!(checks.running.as_ref().unwrap().stage, "new");
        assert!(checks.end(new, Ok(Box::new(report())), &spec, UtcMillis(0)));
        assert!(
            !checks.end(new, Ok(Box::new(report())), &spec, UtcMillis(0)),
            "it has ended already"
        );
        let third = checks.begin(&spec, false);
        checks.stop();
        assert!(checks.running.as_ref().unwrap().stopping);
        assert!(checks.end(third, Err(Trouble::Stopped), &spec, UtcMillis(0)));
        assert!(checks.report.is_some() && checks.running.is_none());
        assert_eq!(checks.trouble, Some(Trouble::Stopped));
    }
}
