use std::collections::BTreeMap;

use crate::domain::{RunId, TaskId};
use crate::runs::{RunResults, TaskResult};

/// More runs than this are not kept; the next one makes room.
const MOST: usize = 64;

/// What is known of the tasks of stored runs that a dialog or the models panel asked for.
#[derive(Debug, Default)]
pub(crate) struct Details {
    runs: BTreeMap<RunId, Known>,
}

#[derive(Debug)]
struct Known {
    detail: Detail,
    /// The run has changed since it was asked for. What is known stays in view until it has been read anew.
    is_old: bool,
}

/// A run that was asked for.
#[derive(Debug)]
pub(crate) enum Detail {
    Loading,
    Ready(RunDetail),
    Failed(String),
}

/// Of a stored run what concerns its models.
#[derive(Debug)]
pub(crate) struct RunDetail {
    pub(crate) experiment: String,
    pub(crate) tasks: Vec<TaskResult>,
}

impl RunDetail {
    /// Tasks with a model.
    pub(crate) fn finished(&self) -> impl Iterator<Item = &TaskResult> {
        self.tasks.iter().filter(|task| task.report.is_some())
    }

    pub(crate) fn task(&self, id: &TaskId) -> Option<&TaskResult> {
        self.tasks.iter().find(|task| task.task.id == *id)
    }
}

impl Details {
    /// Whether whoever shows the run should ask for it: nobody has, or it has changed since. What could not be read is only asked for again by
    /// whoever opens a dialog on it, or it would be asked for in every frame.
    pub(crate) fn lacks(&self, run: &RunId) -> bool {
        self.runs.get(run).is_none_or(|known| known.is_old)
    }

    /// Whether the run has to be asked for; it then counts as being read.
    pub(crate) fn want(&mut self, run: &RunId) -> bool {
        if let Some(known) = self.runs.get_mut(run) {
            let failed = matches!(known.detail, Detail::Failed(_));
            if !known.is_old && !failed {
                return false;
            }
            known.is_old = false;
            if failed {
                known.detail = Detail::Loading;
            }
            return true;
        }
        if self.runs.len() >= MOST {
            self.runs.retain(|_, known| matches!(known.detail, Detail::Loading));
        }
        self.runs.insert(run.clone(), Known { detail: Detail::Loading, is_old: false });
        true
    }

    pub(crate) fn get(&self, run: &RunId) -> Option<&Detail> {
        self.runs.get(run).map(|known| &known.detail)
    }

    pub(crate) fn ready(&self, run: &RunId) -> Option<&RunDetail> {
        match self.get(run)? {
            Detail::Ready(detail) => Some(detail),
            Detail::Loading | Detail::Failed(_) => None,
        }
    }

    /// Takes what was loaded, where it was asked for here.
    pub(crate) fn take(&mut self, run: &RunId, results: &Result<Box<RunResults>, String>) {
        let Some(known) = self.runs.get_mut(run) else { return };
        known.detail = match results {
            Ok(results) => Detail::Ready(RunDetail {
                experiment: results.manifest.plan.experiment.clone(),
                tasks: results.tasks.clone(),
            }),
            Err(message) => Detail::Failed(message.clone()),
        };
    }

    /// The run has changed: what is known of it, or is just being read, is old.
    pub(crate) fn forget(&mut self, run: &RunId) {
        if let Some(known) = self.runs.get_mut(run) {
            known.is_old = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_changed_is_asked_for_again_and_what_failed_by_whoever_opens_a_dialog() {
        let mut details = Details::default();
        let run = RunId::new("r");
        assert!(details.lacks(&run) && details.want(&run));
        assert!(!details.lacks(&run) && !details.want(&run), "it is under way");
        // It changes while it is read: what comes is old already.
        details.forget(&run);
        details.take(&run, &Err("gone".to_owned()));
        assert!(details.lacks(&run) && details.want(&run));
        assert!(matches!(details.get(&run), Some(Detail::Loading)));
        details.take(&run, &Err("gone".to_owned()));
        assert!(!details.lacks(&run), "not in every frame");
        assert!(details.want(&run), "but by a dialog");
        assert!(matches!(details.get(&run), Some(Detail::Loading)));
        details.forget(&RunId::new("other"));
        assert!(details.get(&RunId::new("other")).is_none());
    }
}
