use std::fmt::Write;

use super::cells::{state_text, word};
use crate::domain::{Device, RunId, UtcMillis};
use crate::ui::state::{Changes, RunView, TaskState, TaskView};
use crate::ui::widgets::{Sort, SortKey};

/// With no more rows than this they are put in order whenever a task begins or ends.
const FEW: usize = 1000;
/// Seconds between two orders of more rows, and of rows sorted by what changes all the time: what jumps cannot be read.
const CALM: f64 = 0.5;

/// Which tasks are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Words that each must be in the task's name, state, device or failure, in any case.
    pub(super) text: String,
    pub(super) only: Option<TaskState>,
}

/// The rows of the queue: places in the run's plan. Made anew only when something has changed, and not too often: there may be ten thousand.
#[derive(Debug, Default)]
pub(super) struct Order {
    shown: Vec<usize>,
    /// For each task whether it is shown.
    is_shown: Vec<bool>,
    made_for: Option<MadeFor>,
}

/// What the rows depend on.
#[derive(Debug)]
struct MadeFor {
    run: RunId,
    planned_at: UtcMillis,
    filter: Filter,
    sort: Option<Sort>,
    changes: Changes,
    /// Seconds since the window opened.
    at: f64,
}

/// What became of the rows in this frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Followed {
    /// They are as they were.
    Same,
    /// They are old and are made anew in so many seconds.
    Later(f64),
    /// They were made anew.
    Anew,
    /// They are those of another run.
    OtherRun,
}

impl Order {
    pub(super) fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// Whether the task at a place of the plan is listed.
    pub(super) fn has(&self, place: usize) -> bool {
        self.is_shown.get(place).is_some_and(|is_shown| *is_shown)
    }

    /// The row of the task at a place of the plan.
    pub(super) fn row_of(&self, place: usize) -> Option<usize> {
        self.has(place).then(|| self.shown.iter().position(|shown| *shown == place)).flatten()
    }

    /// Makes the rows anew where they are old. `seconds` is the time since the window opened.
    pub(super) fn follow(
        &mut self,
        run: &RunView,
        (filter, sort): (&Filter, Option<Sort>),
        (seconds, now): (f64, UtcMillis),
    ) -> Followed {
        let followed = self
            .made_for
            .as_ref()
            .map_or(Followed::OtherRun, |made| made.follow(run, (filter, sort), seconds));
        if matches!(followed, Followed::Same | Followed::Later(_)) {
            return followed;
        }
        self.make(run, (filter, sort), now);
        self.made_for = Some(MadeFor {
            run: run.id.clone(),
            planned_at: run.planned_at,
            filter: filter.clone(),
            sort,
            changes: run.changes,
            at: seconds,
        });
        followed
    }

    fn make(&mut self, run: &RunView, (filter, sort): (&Filter, Option<Sort>), now: UtcMillis) {
        let words: Vec<String> =
            filter.text.split_whitespace().map(str::to_ascii_lowercase).collect();
        let mut text = String::new();
        let mut fits = |place: usize| {
            filter.only.is_none_or(|only| run.tasks[place].state == only)
                && (words.is_empty() || {
                    search_text(&mut text, run, place);
                    words.iter().all(|word| text.contains(word.as_str()))
                })
        };
        self.is_shown.clear();
        self.is_shown.extend((0..run.tasks.len()).map(&mut fits));
        self.shown.clear();
        self.shown.extend((0..run.tasks.len()).filter(|&place| self.is_shown[place]));
        let tasks = &run.tasks;
        // Stable: what is equal stays in the order of the plan.
        match sort {
            None => self.shown.sort_by_key(|&place| tasks[place].state),
            Some(sort) => {
                let key = |place: usize| Key::of(&tasks[place], place, sort.column, now);
                let mut keyed: Vec<(Option<Key>, usize)> =
                    self.shown.iter().map(|&place| (key(place), place)).collect();
                keyed.sort_by(|(a, _), (b, _)| sort.order(*a, *b));
                self.shown.clear();
                self.shown.extend(keyed.into_iter().map(|(_, place)| place));
            }
        }
    }
}

impl MadeFor {
    fn follow(
        &self,
        run: &RunView,
        (filter, sort): (&Filter, Option<Sort>),
        seconds: f64,
    ) -> Followed {
        if self.run != run.id || self.planned_at != run.planned_at {
            return Followed::OtherRun;
        }
        if self.sort != sort || self.filter != *filter {
            return Followed::Anew;
        }
        let by_values = sort.is_some_and(|sort| Key::is_of_values(sort.column));
        let is_restless = by_values && self.changes.values != run.changes.values;
        let is_old = self.changes.standings != run.changes.standings;
        if is_old && !by_values && run.tasks.len() <= FEW {
            return Followed::Anew;
        }
        match self.at + CALM - seconds {
            _ if !(is_old || is_restless) => Followed::Same,
            wait if wait > 0.0 => Followed::Later(wait),
            _ => Followed::Anew,
        }
    }
}

/// What a row is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Place(usize),
    State(TaskState),
    Device(Device),
    Number(SortKey<'static>),
}

impl Key {
    /// By the column of the table; `None` where the task has nothing there.
    fn of(task: &TaskView, place: usize, column: usize, now: UtcMillis) -> Option<Self> {
        let last = task.last_epoch;
        let number = match column {
            0 => return Some(Self::Place(place)),
            1 => return Some(Self::State(task.state)),
            2 => return task.device.map(Self::Device),
            3 => {
                let trained = task.report.as_ref().map(|report| report.epochs);
                trained.or(task.progress.map(|progress| progress.epoch)).map(f64::from)
            }
            4 => last.map(|epoch| epoch.train_loss),
            5 => last.and_then(|epoch| epoch.validation_loss),
            6 => task.best.map(|best| f64::from(best.epoch)),
            7 => task.progress.map(|progress| progress.samples_per_second),
            _ => task.report.as_ref().map(|report| report.seconds).or(task.seconds_left(now)),
        };
        SortKey::number(number).map(Self::Number)
    }

    /// Whether a column shows what changes all the time.
    const fn is_of_values(column: usize) -> bool {
        column > 2
    }
}

/// What words are looked for in of a task, in small letters.
fn search_text(text: &mut String, run: &RunView, place: usize) {
    let task = &run.tasks[place];
    text.clear();
    let state = (word(task.state), state_text(run, task));
    let told = write!(text, "{} {} {}", task.id, state.0, state.1);
    let told = told.and_then(|()| match task.device {
        Some(device) => write!(text, " {device}"),
        None => Ok(()),
    });
    told.expect("a text grows as needed");
    if let Some(failure) = &task.failure {
        text.push(' ');
        text.push_str(failure);
    }
    text.make_ascii_lowercase();
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
