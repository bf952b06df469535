use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::task::TaskError;
use crate::domain::{Bytes, Cancel, Device, EventKind, TaskId};
use crate::runs::StoreError;

/// Attempts at a task that ran out of memory: the second and third ask for more, so that fewer tasks run beside them.
const ATTEMPTS_WITHOUT_MEMORY: u32 = 3;
/// Attempts at a task whose device was lost; each goes to another one, while there is one.
const ATTEMPTS_ON_DEVICES: u32 = 9;
/// How long to wait before a result is written again that could not be: somebody may make room meanwhile.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(3)];

/// Why an attempt failed, as far as it says whether another one is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The device was full: with less beside it the task may fit.
    OutOfMemory,
    /// The device is of no more use; another one may be.
    DeviceLost(Device),
    /// The same would happen again.
    ForGood,
}

impl Trouble {
    pub(super) fn of(error: &TaskError, device: Device) -> Self {
        if error.is_device_lost() {
            Self::DeviceLost(device)
        } else if error.is_out_of_memory() {
            Self::OutOfMemory
        } else {
            Self::ForGood
        }
    }
}

/// Which attempt each task of a run is at.
#[derive(Debug, Default)]
pub(super) struct Retries {
    attempts: Mutex<BTreeMap<TaskId, Attempts>>,
}

#[derive(Debug, Default)]
struct Attempts {
    made: u32,
    /// How many of them ran out of memory.
    without_memory: u32,
    /// The number of the last one that was announced; 0 where none was.
    announced: u32,
    /// Why the task failed for good.
    failure: String,
}

impl Retries {
    /// The event that announces another attempt; `None` where there is none.
    pub(super) fn again(
        &self,
        task: &TaskId,
        trouble: Trouble,
        error: &dyn std::fmt::Display,
    ) -> Option<EventKind> {
        let mut attempts = self.attempts.lock();
        let attempts = attempts.entry(task.clone()).or_default();
        attempts.made += 1;
        let remedy = match trouble {
            Trouble::OutOfMemory => {
                attempts.without_memory += 1;
                (attempts.without_memory < ATTEMPTS_WITHOUT_MEMORY)
                    .then(|| "it is tried again with more room".to_owned())
            }
            Trouble::DeviceLost(device) => (attempts.made < ATTEMPTS_ON_DEVICES)
                .then(|| format!("it is tried again elsewhere than on {device}")),
            Trouble::ForGood => None,
        }?;
        Some(attempts.announce(format!("{error}; {remedy}")))
    }

    /// Takes note of why a task failed for good.
    pub(super) fn failed(&self, task: &TaskId, why: &str) {
        why.clone_into(&mut self.attempts.lock().entry(task.clone()).or_default().failure);
    }

    /// The event that announces another attempt at a task that had failed for good, because somebody asked for it. What is short may be there
    /// now, so it asks for no more than at first.
    pub(super) fn asked(&self, task: &TaskId) -> EventKind {
        let mut attempts = self.attempts.lock();
        let attempts = attempts.entry(task.clone()).or_default();
        // One that could not begin, or that panicked, is in no other count.
        attempts.made = attempts.made.max(attempts.announced).max(1);
        attempts.without_memory = 0;
        let message = format!("{}; somebody asked for another attempt", attempts.failure);
        attempts.announce(message)
    }

    /// What to ask for, given what the task says it takes: twice as much after each time that it was not enough, but no more than an empty device
    /// has (`most`), so that in the end it runs alone.
    pub(super) fn enlarged(&self, task: &TaskId, bytes: Bytes, most: Option<Bytes>) -> Bytes {
        let attempts = self.attempts.lock();
        let times = attempts.get(task).map_or(0, |attempts| attempts.without_memory);
        let enlarged = Bytes(bytes.0.saturating_mul(1 << times));
        most.map_or(enlarged, |most| enlarged.min(most).max(bytes))
    }
}

impl Attempts {
    fn announce(&mut self, message: String) -> EventKind {
        self.announced = self.made + 1;
        EventKind::Retrying { message, attempt: self.announced }
    }
}

/// Writes a result, again after a while where it fails: training it again would cost more.
///
/// # Errors
/// The last one's.
pub(super) fn save_patiently(
    cancel: &Cancel,
    save: impl Fn() -> Result<(), StoreError>,
    mut warn: impl FnMut(String),
) -> Result<(), StoreError> {
    for pause in PAUSES {
        let Err(error) = save() else { return Ok(()) };
        warn(format!("{error}; it is tried again in {:.1} s", pause.as_secs_f64()));
        let until = Instant::now() + pause;
        while Instant::now() < until && !cancel.is_cancelled() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    save()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_task_without_memory_asks_for_more_and_gives_up_in_the_end() {
        let (retries, task) = (Retries::default(), TaskId::new("a"));
        let ask = || retries.enlarged(&task, Bytes(10), None);
        assert_eq!(ask(), Bytes(10));
        let again = || retries.again(&task, Trouble::OutOfMemory, &"full");
        let Some(EventKind::Retrying { message, attempt: 2 }) = again() else { panic!("once") };
        assert!(message.starts_with("full; it is tried again"), "{message}");
        assert_eq!(ask(), Bytes(20));
        assert!(matches!(again(), Some(EventKind::Retrying { attempt: 3, .. })));
        assert_eq!(ask(), Bytes(40));
        assert_eq!(again(), None);
        let most = |bytes| retries.enlarged(&task, Bytes(10), Some(Bytes(bytes)));
        assert_eq!((most(25), most(5)), (Bytes(25), Bytes(10)), "alone on the device");
        let other = retries.enlarged(&TaskId::new("b"), Bytes(10), None);
        assert_eq!(other, Bytes(10), "another task");
    }

    #[test]
    fn what_would_happen_again_is_not_tried_again() {
        let (retries, task) = (Retries::default(), TaskId::new("a"));
        assert_eq!(retries.again(&task, Trouble::ForGood, &"NaN"), None);
        let lost = Trouble::DeviceLost(Device::Cuda(1));
        assert!(matches!(retries.again(&task, lost, &"xid 79"), Some(EventKind::Retrying { .. })));
    }

    #[test]
    fn attempts_that_are_asked_for_are_numbered_on_and_begin_with_little_memory() {
        let (retries, task) = (Retries::default(), TaskId::new("a"));
        let asked = || match retries.asked(&task) {
            EventKind::Retrying { message, attempt } => (message, attempt),
            other => panic!("{other:?}"),
        };
        retries.failed(&task, "no weights to begin with");
        assert_eq!(
            asked(),
            ("no weights to begin with; somebody asked for another attempt".to_owned(), 2)
        );
        assert_eq!(asked().1, 3, "it could not begin either");
        for attempt in [4, 5] {
            let again = retries.again(&task, Trouble::OutOfMemory, &"full");
            assert!(
                matches!(again, Some(EventKind::Retrying { attempt: told, .. }) if told == attempt)
            );
        }
        assert_eq!(retries.again(&task, Trouble::OutOfMemory, &"full"), None);
        assert_eq!(asked().1, 6);
        assert_eq!(retries.enlarged(&task, Bytes(10), None), Bytes(10));
    }

    #[test]
    fn a_result_that_cannot_be_written_at_once_is_written_later() {
        let tries = Cell::new(0);
        let save = |fails: u32| {
            tries.set(tries.get() + 1);
            let full = || StoreError::write(Path::new("weights"), &"no space");
            if tries.get() <= fails { Err(full()) } else { Ok(()) }
        };
        let warned = Cell::new(0);
        let cancel = Cancel::new();
        // Nobody waits for a clock here.
        cancel.cancel();
        let write = |fails| {
            tries.set(0);
            save_patiently(&cancel, || save(fails), |_| warned.set(warned.get() + 1))
        };
        assert!(write(2).is_ok());
        assert_eq!((tries.get(), warned.get()), (3, 2));
        assert!(write(9).is_err());
        assert_eq!(tries.get(), PAUSES.len() as u32 + 1);
    }
}
