use super::Update;
use super::contain::contain_panic;
use super::latest::LatestSlot;
use super::loaded::SeriesCache;
use super::look::{LookAt, look};
use super::mailbox::Mailbox;
use crate::spec::ExperimentSpec;

/// A look that somebody asked for.
pub(super) struct LookRequest {
    /// The asker's own count.
    pub(super) ticket: u64,
    pub(super) spec: Box<ExperimentSpec>,
    pub(super) at: LookAt,
}

impl LookRequest {
    /// What is told of one that was given up.
    pub(super) fn stopped(&self) -> Update {
        let look = Err("stopped before it was made; ask for it again".to_owned());
        Update::Looked { ticket: self.ticket, look }
    }
}

/// Looks at whatever is asked for, until the slot is closed. Every look that was begun is answered, one that was given up too.
pub(super) fn look_all(slot: &LatestSlot<LookRequest>, cache: &SeriesCache, mailbox: &Mailbox) {
    while let Some((request, cancel)) = slot.next() {
        let LookRequest { ticket, spec, at } = &request;
        let looked = contain_panic(|| {
            let look = look(spec, at, cache, &cancel);
            look.map(Box::new).map_err(|error| error.to_string())
        });
        mailbox.post(match looked.flatten() {
            Err(_stopped) if cancel.is_cancelled() => request.stopped(),
            look => Update::Looked { ticket: *ticket, look },
        });
    }
}
