mod book;
mod lease;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

pub use self::lease::DeviceLease;

use self::book::{Book, Verdict};
use crate::domain::{Bytes, Cancel, Device};

/// A device that tasks may share, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolDevice {
    /// Which.
    pub device: Device,
    /// Memory that all tasks on it may take together. `None`: unknown, so it takes one task at a time, of any size.
    pub limit: Option<Bytes>,
    /// Tasks at once at most; 0 counts as 1.
    pub slots: u32,
}

/// The device memory a task needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Request {
    /// What the task alone takes.
    pub bytes: Bytes,
    /// Key and size of data that tasks share: counted once per device, for as long as somebody holds a lease with that key there.
    pub shared: Option<(u64, Bytes)>,
    /// The devices it may use.
    pub on: DeviceSet,
}

/// Some of a pool's devices; by default all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceSet {
    /// A bit for each; none for all.
    bits: u128,
}

impl DeviceSet {
    /// These devices; all where there is none. Cards beyond the 120th count as one.
    #[must_use]
    pub fn of(devices: &[Device]) -> Self {
        Self { bits: devices.iter().fold(0, |bits, device| bits | Self::bit(*device)) }
    }

    /// Whether the device is one of them.
    #[must_use]
    pub fn contains(self, device: Device) -> bool {
        self.bits == 0 || self.bits & Self::bit(device) != 0
    }

    fn bit(device: Device) -> u128 {
        1 << match device {
            Device::Cpu => 0,
            Device::Mps => 1,
            Device::Cuda(index) => 2 + index.min(120),
        }
    }
}

impl Request {
    /// What the task takes on a device that has nothing of it yet.
    #[must_use]
    pub fn total(&self) -> Bytes {
        self.bytes.saturating_add(self.shared.map_or(Bytes(0), |(_, bytes)| bytes))
    }
}

/// There is no device for a task, and waiting will not bring one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not even an empty device has the room.
    #[error(
        "the task needs {needed}, and {device} has a budget of {limit}: choose a smaller batch size or model, or raise the memory fraction"
    )]
    NeverFits {
        /// What the task takes, shared data included.
        needed: Bytes,
        /// The largest budget there is.
        limit: Bytes,
        /// Whose.
        device: Device,
    },
    /// Every device failed in a way that only a new process survives.
    #[error("no device is left to compute on ({reason}): start Walkforge again")]
    AllLost {
        /// What became of each, in words.
        reason: String,
    },
    /// Whoever asked does not want it any more.
    #[error("cancelled while waiting for a device")]
    Cancelled,
}

/// How much of a device is leased now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolUsage {
    /// Which.
    pub device: Device,
    /// As in [`PoolDevice`].
    pub limit: Option<Bytes>,
    /// Leased by all tasks together, shared data counted once.
    pub leased: Bytes,
    /// Leases.
    pub tasks: u32,
    /// Why nothing is leased on it any more, where that is so.
    pub lost: Option<String>,
}

/// Hands out devices to tasks so that no device is promised more memory than its budget has. It goes by what tasks say they need; what they
/// take is measured elsewhere.
///
/// Whoever waits is served in the order of asking, on the device with the smallest leased share of its budget. One task may pass another
/// that does not fit anywhere yet, a few times; then the device is kept for the one that waits.
#[derive(Debug)]
pub struct DevicePool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    book: Mutex<Book>,
    /// Told whenever a task may start that could not before.
    changed: Condvar,
}

/// How often somebody who waits looks at their cancel flag.
const PATIENCE: Duration = Duration::from_millis(50);

impl DevicePool {
    /// A pool of these devices, of which nothing is leased.
    #[must_use]
    pub fn new(devices: Vec<PoolDevice>) -> Arc<Self> {
        let shared = Shared { book: Mutex::new(Book::new(devices)), changed: Condvar::new() };
        Arc::new(Self { shared: Arc::new(shared) })
    }

    /// Adds devices that are not there yet, and raises what of the others may be used where more is offered: what this program held when it was
    /// measured counted as taken by others. A device that was lost stays so.
    pub fn offer(&self, devices: &[PoolDevice]) {
        self.take_up(devices, Book::offer);
    }

    /// The same, measured while no task was at work: what was said before does not count any more.
    pub fn measured_alone(&self, devices: &[PoolDevice]) {
        self.take_up(devices, Book::replace);
    }

    fn take_up(&self, devices: &[PoolDevice], how: impl Fn(&mut Book, PoolDevice)) {
        let mut book = self.shared.book.lock();
        for device in devices {
            how(&mut book, *device);
        }
        drop(book);
        self.shared.changed.notify_all();
    }

    /// Waits for a device with the room, and leases it until the lease is dropped.
    ///
    /// # Errors
    /// [`Refused`] at once where waiting is of no use, and within a fraction of a second of a cancellation or of the loss of the last device.
    pub fn lease(&self, request: Request, wanted: &Cancel) -> Result<DeviceLease, Refused> {
        self.lease_while(request, || !wanted.is_cancelled())
    }

    /// The same for as long as somebody wants it.
    ///
    /// # Errors
    /// As [`Self::lease`]; [`Refused::Cancelled`] within a fraction of a second of `is_wanted` saying no.
    pub fn lease_while(
        &self,
        request: Request,
        is_wanted: impl Fn() -> bool,
    ) -> Result<DeviceLease, Refused> {
        let place = Place::take(&self.shared, request);
        loop {
            if !is_wanted() {
                return Err(Refused::Cancelled);
            }
            let mut book = self.shared.book.lock();
            if let Some(settled) = self.settle(&mut book, &place) {
                return settled;
            }
            self.shared.changed.wait_for(&mut book, PATIENCE);
        }
    }

    /// Leases a device where one has the room now and nobody has waited longer for it; `None` where somebody would have to wait.
    ///
    /// # Errors
    /// [`Refused`] where waiting would be of no use.
    pub fn try_lease(&self, request: Request) -> Result<Option<DeviceLease>, Refused> {
        let place = Place::take(&self.shared, request);
        let mut book = self.shared.book.lock();
        self.settle(&mut book, &place).transpose()
    }

    /// Leases nothing on this device any more; what is leased on it runs to its end. Whoever waits looks for another one.
    pub fn mark_lost(&self, device: Device, reason: &str) {
        self.shared.book.lock().mark_lost(device, reason);
        self.shared.changed.notify_all();
    }

    /// What a task may take at most besides what it shares, on the emptiest of the devices it may use; `None` where one of unknown size could take it.
    #[must_use]
    pub fn largest(&self, request: &Request) -> Option<Bytes> {
        let usage = self.usage().into_iter().filter(|device| request.on.contains(device.device));
        let shared = request.shared.map_or(0, |(_, bytes)| bytes.0);
        let limits: Option<Vec<Bytes>> = usage.map(|device| device.limit).collect();
        limits?.into_iter().max().map(|most| Bytes(most.0.saturating_sub(shared)))
    }

    /// Every device's state, in the order in which they were given.
    #[must_use]
    pub fn usage(&self) -> Vec<PoolUsage> {
        self.shared.book.lock().usage()
    }

    fn settle(&self, book: &mut Book, place: &Place) -> Option<Result<DeviceLease, Refused>> {
        match book.settle(place.ticket)? {
            Verdict::Start { device, name } => {
                // The next one may fit beside it.
                self.shared.changed.notify_all();
                let shared = Arc::clone(&self.shared);
                Some(Ok(DeviceLease::new(shared, device, name, place.request)))
            }
            Verdict::Refuse(refused) => Some(Err(refused)),
        }
    }
}

/// A place in the queue, given up when it is dropped, whatever became of it.
struct Place {
    shared: Arc<Shared>,
    ticket: u64,
    request: Request,
}

impl Place {
    fn take(shared: &Arc<Shared>, request: Request) -> Self {
        let ticket = shared.book.lock().enqueue(request);
        Self { shared: Arc::clone(shared), ticket, request }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.book.lock().leave(self.ticket);
        // Somebody may have waited behind it only.
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;
