use crate::domain::text::UNKNOWN;

/// Finished tasks before one number is told instead of a range.
const ENOUGH: usize = 3;
/// A range whose ends lie closer together than this part of its middle is told as one number.
const NARROW: f64 = 0.2;
/// Standard deviations on either side of the mean: four of five normal values lie within.
const DEVIATIONS: f64 = 1.28;

/// How long something goes on, in seconds, as far as that can be known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum TimeLeft {
    /// Tasks at work are that far from their last epochs, which early stopping may spare.
    AtMost(f64),
    /// Somewhere in between.
    Between(f64, f64),
    /// Close enough to say one number.
    About(f64),
}

/// What the time left of a run is made of. All times in seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace<'a> {
    /// What tasks took that have finished, the shortest first.
    pub(super) took: &'a [f64],
    /// Tasks at work.
    pub(super) at_work: Vec<AtWork>,
    /// Tasks that have not begun.
    pub(super) waiting: usize,
    /// Tasks that can be at work at the same time.
    pub(super) workers: usize,
    /// How long the run has been at work.
    pub(super) elapsed: f64,
}

/// A task at work, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AtWork {
    pub(super) worked: f64,
    /// To its last epoch at its own pace; `None` before that is known.
    pub(super) left_at_most: Option<f64>,
}

/// What one task takes, at least and at most, in seconds.
#[derive(Debug, Clone, Copy)]
struct Span {
    low: f64,
    high: f64,
}

impl Pace<'_> {
    /// How long the run goes on; `None` while nothing is known of it.
    pub(super) fn left(&self) -> Option<TimeLeft> {
        if self.took.is_empty() {
            return self.at_most();
        }
        let one = self.one_task();
        let share = self.at_once();
        let low = self.total(share, one.low, |task| (one.low - task.worked).max(0.0));
        let high = self.total(share, one.high, |task| {
            let left = (one.high - task.worked).max(0.0);
            match task.left_at_most {
                // It has taken longer than any other would: its own pace is all that is known.
                Some(most) if left == 0.0 => most,
                Some(most) => left.min(most),
                None => left,
            }
        });
        let (low, high) = (low.min(high), high);
        let middle = f64::midpoint(low, high);
        let is_stable = self.took.len() >= ENOUGH && high - low < NARROW * middle;
        Some(if is_stable { TimeLeft::About(middle) } else { TimeLeft::Between(low, high) })
    }

    /// Before any task has finished: where all that are at work know their own pace, the others are taken to need no longer than these.
    fn at_most(&self) -> Option<TimeLeft> {
        let known: Option<Vec<(f64, f64)>> =
            self.at_work.iter().map(|task| Some((task.worked, task.left_at_most?))).collect();
        let known = known.filter(|known| !known.is_empty())?;
        let whole = known.iter().map(|(worked, left)| worked + left).fold(0.0, f64::max);
        let workers = self.workers.max(1) as f64;
        let most = self.total(workers, whole, |task| task.left_at_most.unwrap_or(whole));
        Some(TimeLeft::AtMost(most))
    }

    /// The work that is left, shared by those that do it; no less than the longest task needs by itself.
    fn total(&self, at_once: f64, one: f64, left_of: impl Fn(&AtWork) -> f64) -> f64 {
        let (mut sum, mut longest) = (one * self.waiting as f64, 0.0_f64);
        if self.waiting > 0 {
            longest = one;
        }
        for task in &self.at_work {
            let left = left_of(task);
            sum += left;
            longest = longest.max(left);
        }
        (sum / at_once).max(longest)
    }

    /// What a task takes: the mean of those that have finished, give or take how far the mean of the ones to come may lie from it. That is a
    /// prediction interval of a mean, `s · √(1/n + 1/m)`, widened by `1 + 2/n` while few have finished.
    fn one_task(&self) -> Span {
        let finished = self.took.len() as f64;
        let mean = self.took.iter().sum::<f64>() / finished;
        if self.took.len() < ENOUGH {
            // So few say nothing of how different they are.
            let (shortest, longest) = (self.took[0], self.took[self.took.len() - 1]);
            return Span { low: shortest / 2.0, high: 2.0 * longest };
        }
        let squares: f64 = self.took.iter().map(|took| (took - mean).powi(2)).sum();
        let deviation = (squares / (finished - 1.0)).sqrt();
        let to_come = (self.waiting + self.at_work.len()).max(1) as f64;
        let spread = deviation * (1.0 / finished + 1.0 / to_come).sqrt();
        let half = DEVIATIONS * (1.0 + 2.0 / finished) * spread;
        Span { low: (mean - half).max(0.0), high: mean + half }
    }

    /// Tasks at work at the same time, as it was so far: other runs may use the machine as well.
    fn at_once(&self) -> f64 {
        let workers = self.workers.max(1) as f64;
        let busy: f64 = self.took.iter().sum::<f64>()
            + self.at_work.iter().map(|task| task.worked).sum::<f64>();
        if self.took.len() < ENOUGH || self.elapsed <= 0.0 {
            return workers;
        }
        (busy / self.elapsed).clamp(0.1, workers)
    }
}

impl TimeLeft {
    /// In words: `about 4 min left`, `3 to 9 min left`, `at most 12 min left`.
    pub(crate) fn words(self) -> String {
        match self {
            Self::AtMost(most) => format!("at most {} left", rough(most)),
            Self::About(seconds) => format!("about {} left", rough(seconds)),
            Self::Between(low, high) => {
                let (low, high) = (rough(low), rough(high));
                match (low.split_once(' '), high.split_once(' ')) {
                    _ if low == high => format!("about {low} left"),
                    (Some((number, unit)), Some((_, same))) if unit == same => {
                        format!("{number} to {high} left")
                    }
                    _ => format!("{low} to {high} left"),
                }
            }
        }
    }
}

/// A length of time no more exact than it is known: `5 s`, `40 s`, `4 min`, `2.5 h`.
fn rough(seconds: f64) -> String {
    if !seconds.is_finite() {
        return UNKNOWN.to_owned();
    }
    let steps = |step: f64| ((seconds / step).round() * step).max(step);
    if seconds < 10.0 {
        format!("{} s", steps(1.0))
    } else if seconds < 57.5 {
        format!("{} s", steps(5.0))
    } else if seconds < 59.5 * 60.0 {
        format!("{} min", (seconds / 60.0).round())
    } else if seconds < 9.75 * 3600.0 {
        format!("{} h", (seconds / 1800.0).round() / 2.0)
    } else {
        format!("{} h", (seconds / 3600.0).round())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_work(worked: f64, left_at_most: Option<f64>) -> AtWork {
        AtWork { worked, left_at_most }
    }

    #[test]
    fn before_the_first_has_finished_the_pace_of_those_at_work_is_a_bound() {
        let mut pace = Pace { waiting: 6, workers: 2, ..Pace::default() };
        assert_eq!(pace.left(), None, "nothing has begun");
        pace.at_work = vec![at_work(10.0, Some(30.0)), at_work(5.0, None)];
        assert_eq!(pace.left(), None, "one of them does not know its pace");
        pace.at_work[1].left_at_most = Some(15.0);
        // Six of at most 40 seconds and 45 more, two at a time.
        assert_eq!(pace.left(), Some(TimeLeft::AtMost(142.5)));
        pace.waiting = 0;
        assert_eq!(pace.left(), Some(TimeLeft::AtMost(30.0)), "the longest by itself");
    }

    #[test]
    fn few_finished_tasks_give_a_range_and_many_alike_a_number() {
        let left = |took: &[f64]| {
            let elapsed = took.iter().sum::<f64>() / 2.0;
            Pace { took, waiting: 100, workers: 2, elapsed, ..Pace::default() }.left().unwrap()
        };
        assert_eq!(left(&[10.0]), TimeLeft::Between(250.0, 1000.0));
        assert_eq!(left(&[10.0, 12.0]), TimeLeft::Between(250.0, 1200.0));
        assert_eq!(left(&[10.0, 10.0, 10.0]), TimeLeft::About(500.0));
        let TimeLeft::Between(low, high) = left(&[5.0, 10.0, 20.0]) else {
            panic!("they differ too much for one number")
        };
        assert!(low < 100.0 * 35.0 / 6.0 && 100.0 * 35.0 / 6.0 < high, "{low} {high}");
        // As different as before, but many: the mean is known well.
        let mut many: Vec<f64> = [5.0, 10.0, 20.0].repeat(60);
        many.sort_by(f64::total_cmp);
        assert!(matches!(left(&many), TimeLeft::About(_)), "{:?}", left(&many));
    }

    #[test]
    fn a_task_at_work_ends_no_later_than_its_own_pace_says() {
        let took = [10.0, 10.0, 10.0];
        let left = |task: AtWork| {
            let pace = Pace { took: &took, at_work: vec![task], workers: 1, ..Pace::default() };
            pace.left().unwrap()
        };
        assert_eq!(left(at_work(4.0, None)), TimeLeft::About(6.0));
        assert_eq!(left(at_work(4.0, Some(5.9))), TimeLeft::About(5.9));
        assert_eq!(left(at_work(4.0, Some(2.0))), TimeLeft::About(2.0));
        assert_eq!(left(at_work(25.0, Some(30.0))), TimeLeft::Between(0.0, 30.0));
    }

    #[test]
    fn a_machine_that_is_shared_makes_it_longer() {
        let took = [10.0, 10.0, 10.0, 10.0];
        let left = |elapsed| {
            let pace = Pace { took: &took, waiting: 8, workers: 4, elapsed, ..Pace::default() };
            pace.left().unwrap()
        };
        assert_eq!(left(10.0), TimeLeft::About(20.0));
        assert_eq!(left(20.0), TimeLeft::About(40.0));
        assert_eq!(left(0.0), TimeLeft::About(20.0), "no clock, no say");
    }

    #[test]
    fn the_words_are_no_more_exact_than_the_number() {
        for (left, words) in [
            (TimeLeft::About(247.0), "about 4 min left"),
            (TimeLeft::Between(185.0, 540.0), "3 to 9 min left"),
            (TimeLeft::Between(42.0, 130.0), "40 s to 2 min left"),
            (TimeLeft::Between(61.0, 80.0), "about 1 min left"),
            (TimeLeft::Between(0.0, 3.2), "1 to 3 s left"),
            (TimeLeft::AtMost(725.0), "at most 12 min left"),
            (TimeLeft::About(9000.0), "about 2.5 h left"),
            (TimeLeft::About(58.0), "about 1 min left"),
            (TimeLeft::About(3590.0), "about 1 h left"),
        ] {
            assert_eq!(left.words(), words);
        }
    }
}
