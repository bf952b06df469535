use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stand still, shared by whoever may ask and whoever must obey. Unlike [`super::Cancel`] it can be taken back.
#[derive(Debug, Clone, Default)]
pub struct Pause {
    raised: Arc<AtomicBool>,
}

impl Pause {
    /// Asks everyone who holds this flag to stand still.
    pub fn pause(&self) {
        self.raised.store(true, Ordering::Release);
    }

    /// Takes it back.
    pub fn resume(&self) {
        self.raised.store(false, Ordering::Release);
    }

    /// Whether somebody asked to stand still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }
}
