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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::Cancel;
    use crate::spec::{Assignment, apply, load};
    use crate::workbench::load::Sources;

    /// Files are read once, by whoever comes first.
    #[test]
    fn a_look_takes_the_series_that_are_at_hand() {
        let bars = ["train", "validation", "test"]
            .map(|field| Assignment::new(format!("validation.{field}"), 100_u32));
        let spec = apply(&load("linear-return").unwrap(), &bars).unwrap();
        let cache = SeriesCache::default();
        let sources = Sources::find(&spec).unwrap();
        let (series, _) = cache.series(&spec, &sources, &Cancel::new()).unwrap();
        let at = LookAt {
            symbol: series[0].symbol().clone(),
            timeframe: series[0].timeframe(),
            pooled: false,
            column: series[0].matrix().names()[0].clone(),
            fold: None,
        };
        assert!(look(&spec, &at, &cache, &Cancel::new()).is_ok());
        let (after, _) = cache.series(&spec, &sources, &Cancel::new()).unwrap();
        assert!(Arc::ptr_eq(&series[0], &after[0]), "the look read nothing anew");
        let other = apply(&spec, &[Assignment::new("window", 3_u32)]).unwrap();
        assert!(look(&other, &at, &cache, &Cancel::new()).is_ok());
        let (others, _) = cache.series(&other, &sources, &Cancel::new()).unwrap();
        assert!(!Arc::ptr_eq(&series[0], &others[0]), "another window, other rows");
    }
}
