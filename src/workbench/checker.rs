use super::contain::contain_panic;
use super::latest::LatestSlot;
use super::mailbox::Mailbox;
use super::{PlanError, Update, check_leaks};
use crate::spec::ExperimentSpec;

/// A leak check that somebody asked for.
pub(super) struct CheckRequest {
    /// The asker's own count.
    pub(super) ticket: u64,
    pub(super) spec: Box<ExperimentSpec>,
    pub(super) contrast: bool,
}

impl CheckRequest {
    /// What is told of one that somebody stopped.
    pub(super) fn stopped(&self) -> Update {
        let report = Err(PlanError::Cancelled.to_string());
        Update::LeaksChecked { ticket: self.ticket, report, cancelled: true }
    }
}

/// Checks whatever is asked for, until the slot is closed. Every check is answered once, one that was given up too.
pub(super) fn check_all(slot: &LatestSlot<CheckRequest>, mailbox: &Mailbox) {
    while let Some((request, cancel)) = slot.next() {
        let CheckRequest { ticket, spec, contrast } = &request;
        let mut stage = |stage| {
            if !cancel.is_cancelled() {
                mailbox.post(Update::CheckingLeaks { ticket: *ticket, stage });
            }
        };
        let checked = contain_panic(|| {
            let report = check_leaks(spec, *contrast, &cancel, &mut stage);
            report.map(Box::new).map_err(|error| error.to_string())
        });
        mailbox.post(match checked.flatten() {
            // Whatever it failed of, it was to stop.
            Err(_stopped) if cancel.is_cancelled() => request.stopped(),
            report => Update::LeaksChecked { ticket: *ticket, report, cancelled: false },
        });
    }
}
