use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::ContentHash;

/// The tasks at work in this process, by their keys. Another one of the same key, of another run, waits for the result instead of training it again.
#[derive(Debug, Default)]
pub(super) struct Twins {
    /// How many of a key: a run may have been told to train everything again.
    at_work: Mutex<BTreeMap<ContentHash, usize>>,
}

impl Twins {
    /// Whether one of this key is at work.
    pub(super) fn has(&self, key: ContentHash) -> bool {
        self.at_work.lock().contains_key(&key)
    }

    pub(super) fn begin(&self, key: ContentHash) {
        *self.at_work.lock().entry(key).or_default() += 1;
    }

    pub(super) fn end(&self, key: ContentHash) {
        let mut at_work = self.at_work.lock();
        if let Some(count) = at_work.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                at_work.remove(&key);
            }
        }
    }
}
