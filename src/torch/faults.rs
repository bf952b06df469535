//! Where a test makes memory short or a device fail. In the program itself nothing ever does: the checks are empty.

use super::TorchError;

/// A place that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The series' matrix goes to the device.
    Resident,
    /// A network is made.
    Network,
    /// A batch goes through the network to learn.
    Step,
    /// Rows go through the network to be evaluated.
    Evaluation,
}

/// Fails where a test wants it.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
pub(crate) const fn check(_: Place) -> Result<(), TorchError> {
    Ok(())
}

#[cfg(test)]
pub(crate) use plan::{Plan, check};

#[cfg(test)]
mod plan {
    use std::cell::RefCell;

    use super::{Place, TorchError};

    thread_local! {
        static PLAN: RefCell<Vec<(Place, u32, &'static str)>> = const { RefCell::new(Vec::new()) };
    }

    /// Faults to come on this thread, until it is dropped.
    pub(crate) struct Plan {
        planned: usize,
    }

    impl Plan {
        /// At the place, the call after so many others fails with the message; one entry a failure.
        pub(crate) fn new(faults: &[(Place, u32, &'static str)]) -> Self {
            PLAN.with_borrow_mut(|plan| plan.extend_from_slice(faults));
            Self { planned: faults.len() }
        }

        /// Faults that have happened.
        pub(crate) fn happened(&self) -> usize {
            self.planned - PLAN.with_borrow(Vec::len)
        }
    }

    impl Drop for Plan {
        fn drop(&mut self) {
            PLAN.with_borrow_mut(Vec::clear);
        }
    }

    pub(crate) fn check(place: Place) -> Result<(), TorchError> {
        PLAN.with_borrow_mut(|plan| {
            let Some(index) = plan.iter().position(|(planned, _, _)| *planned == place) else {
                return Ok(());
            };
            if plan[index].1 > 0 {
                plan[index].1 -= 1;
                return Ok(());
            }
            let (_, _, message) = plan.remove(index);
            Err(TorchError::from_message(message))
        })
    }
}
