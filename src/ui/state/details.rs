use std::collections::BTreeMap;

use crate::domain::{RunId, TaskId};
use crate::runs::{RunResults, TaskResult};

/// More runs than this are not kept; the next one makes room.
const MOST: usize = 64;

/// What is known of the tasks of stored runs that a dialog or the models panel asked for.
#[derive(Debug, Default)]
pub(crate) struct Details {
    runs: BTreeMap<RunId, Detail>,
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
    /// Whether the run has to be asked for; it then counts as being read.
    pub(crate) fn want(&mut self, run: &RunId) -> bool {
        if self.runs.contains_key(run) {
            return false;
        }
        if self.runs.len() >= MOST {
            self.runs.retain(|_, detail| matches!(detail, Detail::Loading));
        }
        self.runs.insert(run.clone(), Detail::Loading);
        true
    }

    pub(crate) fn get(&self, run: &RunId) -> Option<&Detail> {
        self.runs.get(run)
    }

    pub(crate) fn ready(&self, run: &RunId) -> Option<&RunDetail> {
        match self.runs.get(run)? {
            Detail::Ready(detail) => Some(detail),
            Detail::Loading | Detail::Failed(_) => None,
        }
    }

    /// Takes what was loaded, where it was asked for here.
    pub(crate) fn take(&mut self, run: &RunId, results: &Result<Box<RunResults>, String>) {
        let Some(detail) = self.runs.get_mut(run) else { return };
        *detail = match results {
            Ok(results) => Detail::Ready(RunDetail {
                experiment: results.manifest.plan.experiment.clone(),
                tasks: results.tasks.clone(),
            }),
            Err(message) => Detail::Failed(message.clone()),
        };
    }

    /// The run has changed: what is known of it is old.
    pub(crate) fn forget(&mut self, run: &RunId) {
        self.runs.remove(run);
    }
}
