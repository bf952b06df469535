use std::sync::Arc;

use super::{Request, Shared};
use crate::domain::{Bytes, Device};

/// A task's right to a device's memory. Given back when it is dropped, after a panic too.
#[derive(Debug)]
#[must_use = "the device is given back when the lease is dropped"]
pub struct DeviceLease {
    shared: Arc<Shared>,
    /// The device's number in the pool.
    index: usize,
    device: Device,
    request: Request,
}

impl DeviceLease {
    pub(super) const fn new(
        shared: Arc<Shared>,
        index: usize,
        device: Device,
        request: Request,
    ) -> Self {
        Self { shared, index, device, request }
    }

    /// Where the task is to compute.
    #[must_use]
    pub const fn device(&self) -> Device {
        self.device
    }

    /// What the task alone may take there; what it shares comes on top.
    #[must_use]
    pub const fn bytes(&self) -> Bytes {
        self.request.bytes
    }
}

impl Drop for DeviceLease {
    fn drop(&mut self) {
        self.shared.book.lock().release(self.index, &self.request);
        self.shared.changed.notify_all();
    }
}
