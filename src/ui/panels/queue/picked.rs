//! What can be done with the tasks that are picked.

use egui::Ui;

use crate::domain::TaskId;
use crate::domain::text::count;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{RunView, State, TaskState, TaskView};
use crate::ui::widgets::{self, Selection};

/// What is done with several tasks at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Cancel,
    Pause,
    Resume,
    Retry,
}

/// Of how many of the picked tasks each act makes sense. Kept until something changes: ten thousand may be picked.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// By [`Act`].
    counts: [usize; Act::ALL.len()],
    /// [`Changes::standings`], and whether nothing more is to come of the run.
    counted_for: Option<(u64, bool)>,
}

impl Act {
    const ALL: [Self; 4] = [Self::Cancel, Self::Pause, Self::Resume, Self::Retry];

    const fn verb(self) -> &'static str {
        match self {
            Self::Cancel => "Cancel",
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Retry => "Retry",
        }
    }

    const fn icon(self) -> &'static str {
        match self {
            Self::Cancel => icons::X,
            Self::Pause => icons::PAUSE,
            Self::Resume => icons::PLAY,
            Self::Retry => icons::ARROW_COUNTER_CLOCKWISE,
        }
    }

    const fn help(self, run: &RunView) -> &'static str {
        match self {
            Self::Retry if run.is_over() => {
                "The run is taken up again: these and all others that did not finish go on from their checkpoints or begin"
            }
            Self::Cancel => "Stops them within a batch; the others go on",
            Self::Pause => {
                "Those at work stop at a checkpoint and give their devices back; those that wait do not begin"
            }
            Self::Resume => "They go on from their checkpoints, or may begin",
            Self::Retry => "They are tried again, from their checkpoints where they have any",
        }
    }

    /// Whether it makes sense for a task.
    const fn fits(self, run: &RunView, task: &TaskView) -> bool {
        if matches!(self, Self::Retry) {
            return match task.state {
                TaskState::Failed => run.is_over() || !run.stopping,
                // What was cancelled stays so until the run is taken up again.
                TaskState::Cancelled => run.is_over(),
                _ => false,
            };
        }
        let can_be_told = task.state.is_open() && !task.stopping && !run.stopping && !run.is_over();
        let is_held = task.pausing || matches!(task.state, TaskState::Paused);
        can_be_told
            && match self {
                Self::Pause => !is_held && !run.pausing,
                // A run that is paused is resumed as a whole.
                Self::Resume => is_held && !run.pausing,
                Self::Cancel | Self::Retry => true,
            }
    }

    fn command(self, run: &RunView, tasks: Vec<TaskId>) -> Command {
        let id = run.id.clone();
        match self {
            Self::Cancel => Command::CancelTasks(id, tasks),
            Self::Pause => Command::HoldTasks(id, tasks, true),
            Self::Resume => Command::HoldTasks(id, tasks, false),
            Self::Retry if run.is_over() => Command::TakeUp(vec![id]),
            Self::Retry => Command::RetryTasks(id, tasks),
        }
    }
}

impl Counts {
    /// The selection is another one.
    pub(super) const fn forget(&mut self) {
        self.counted_for = None;
    }

    fn follow(&mut self, run: &RunView, picked: &Selection<usize>) {
        let wanted = Some((run.changes.standings, run.stopping || run.is_over()));
        if self.counted_for == wanted {
            return;
        }
        self.counts = Act::ALL.map(|act| tasks(run, picked, act).count());
        self.counted_for = wanted;
    }
}

/// A button for each thing that can be done with any of them.
pub(super) fn show(
    ui: &mut Ui,
    state: &State,
    run: &RunView,
    (picked, counts): (&Selection<usize>, &mut Counts),
    commands: &mut Commands,
) {
    counts.follow(run, picked);
    for (act, number) in Act::ALL.into_iter().zip(counts.counts) {
        if number == 0 || (act == Act::Retry && state.resuming.contains(&run.id)) {
            continue;
        }
        let (verb, number) = (act.verb(), count(number as u64));
        let text = format!("{}  {verb} {number}", act.icon());
        let button = ui.button(text).on_hover_text(act.help(run));
        widgets::name(&button, egui::Role::Button, &format!("{verb} {number} selected"));
        if button.clicked() {
            let tasks = tasks(run, picked, act).map(|task| task.id.clone()).collect();
            commands.send(act.command(run, tasks));
        }
    }
}

/// The picked tasks for which an act makes sense.
fn tasks<'a>(
    run: &'a RunView,
    picked: &'a Selection<usize>,
    act: Act,
) -> impl Iterator<Item = &'a TaskView> {
    let tasks = picked.iter().filter_map(|&place| run.tasks.get(place));
    tasks.filter(move |task| act.fits(run, task))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Device, Event, EventKind, RunOutcome, UtcMillis};
    use crate::ui::testing::run_of;
    use crate::ui::widgets::{Listed, Pick};

    #[test]
    fn each_act_counts_the_tasks_that_it_makes_sense_for() {
        let mut run = run_of(6);
        let tell = |run: &mut RunView, place: Option<usize>, kind| {
            let task = place.map(|place| run.tasks[place].id.clone());
            run.apply(Event { run: run.id.clone(), task, seq: 0, at: UtcMillis(0), kind });
        };
        let mut picked = Selection::default();
        let listed = Listed { rows: 6, key: &Some, many: true };
        picked.pick(0, Pick::Alone, &listed);
        picked.pick(5, Pick::Extend, &listed);
        let mut counts = Counts::default();
        let mut of = |run: &RunView| {
            counts.follow(run, &picked);
            counts.counts
        };
        assert_eq!(of(&run), [6, 6, 0, 0], "what waits can be cancelled and held");
        tell(&mut run, Some(0), EventKind::Started { device: Device::Cpu });
        tell(&mut run, Some(1), EventKind::Failed { message: "why".to_owned() });
        tell(&mut run, Some(2), EventKind::Paused { steps: 3 });
        assert_eq!(of(&run), [5, 4, 1, 1]);
        let held = [run.tasks[3].id.clone()];
        run.ask_to_pause(&held, true);
        assert_eq!(of(&run), [5, 3, 2, 1]);
        run.ask_to_stop(&held);
        assert_eq!(of(&run), [4, 3, 1, 1]);
        run.pausing = true;
        run.changes.standings += 1;
        assert_eq!(of(&run), [4, 0, 0, 1], "the run goes on as a whole");
        let ended = EventKind::RunEnded { outcome: RunOutcome::Failed, summary: Box::default() };
        tell(&mut run, None, ended);
        assert_eq!(of(&run), [0, 0, 0, 1]);
    }
}
