//! Who has leased what and who waits, as plain data: no locks and no time, so that every order of events can be tested.

use std::collections::{BTreeMap, VecDeque};

use super::{PoolDevice, PoolUsage, Refused, Request};
use crate::domain::{Bytes, Device};

/// Tasks that may start before one that came earlier, on devices it could use, while it does not fit.
pub(super) const PASSES: u32 = 8;

#[derive(Debug)]
pub(super) struct Book {
    entries: Vec<Entry>,
    /// In the order in which they came.
    queue: VecDeque<Waiter>,
    next_ticket: u64,
}

/// What becomes of somebody who waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The lease is written down already.
    Start {
        /// The device's number.
        device: usize,
        name: Device,
    },
    Refuse(Refused),
}

#[derive(Debug)]
struct Entry {
    device: Device,
    limit: Option<Bytes>,
    slots: u32,
    /// Of the tasks alone.
    own: Bytes,
    tasks: u32,
    /// Data that tasks share, by its key.
    resident: BTreeMap<u64, Resident>,
    lost: Option<String>,
}

#[derive(Debug)]
struct Resident {
    bytes: Bytes,
    holders: u32,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    request: Request,
    /// How many that came later started before it.
    passed: u32,
}

impl Book {
    pub(super) fn new(devices: Vec<PoolDevice>) -> Self {
        Self {
            entries: devices.into_iter().map(Entry::new).collect(),
            queue: VecDeque::new(),
            next_ticket: 0,
        }
    }

    /// Adds a device, or allows more of one that is there.
    pub(super) fn offer(&mut self, device: PoolDevice) {
        match self.entries.iter_mut().find(|entry| entry.device == device.device) {
            Some(entry) if entry.limit.is_some() => {
                entry.limit = entry.limit.max(device.limit);
                entry.slots = entry.slots.max(device.slots);
            }
            Some(_) => {}
            None => self.entries.push(Entry::new(device)),
        }
    }

    /// Adds a device, or says anew how much of one may be used.
    pub(super) fn replace(&mut self, device: PoolDevice) {
        let offered = Entry::new(device);
        match self.entries.iter_mut().find(|entry| entry.device == offered.device) {
            Some(entry) => (entry.limit, entry.slots) = (offered.limit, offered.slots),
            None => self.entries.push(offered),
        }
    }

    /// Puts a request at the end of the queue.
    pub(super) fn enqueue(&mut self, request: Request) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.queue.push_back(Waiter { ticket, request, passed: 0 });
        ticket
    }

    /// Takes somebody out of the queue, where they still are in it.
    pub(super) fn leave(&mut self, ticket: u64) {
        self.queue.retain(|waiter| waiter.ticket != ticket);
    }

    /// Starts or refuses whoever has the ticket, and takes them out of the queue; `None` where they have to wait.
    pub(super) fn settle(&mut self, ticket: u64) -> Option<Verdict> {
        let position = self.queue.iter().position(|waiter| waiter.ticket == ticket)?;
        let request = self.queue[position].request;
        if let Some(refused) = self.refusal(&request) {
            self.queue.remove(position);
            return Some(Verdict::Refuse(refused));
        }
        let device = self.device_for(position)?;
        let entry = &mut self.entries[device];
        for earlier in self.queue.iter_mut().take(position) {
            if entry.could_ever_take(&earlier.request) {
                earlier.passed += 1;
            }
        }
        self.queue.remove(position);
        entry.take(&request);
        Some(Verdict::Start { device, name: entry.device })
    }

    /// The least loaded device on which the one at this place in the queue may start now.
    fn device_for(&self, position: usize) -> Option<usize> {
        let request = &self.queue[position].request;
        let is_next = |entry: &Entry| {
            self.queue.iter().take(position).all(|earlier| {
                !entry.could_ever_take(&earlier.request)
                    || (earlier.passed < PASSES && !self.fits_somewhere(&earlier.request))
            })
        };
        let free = self.entries.iter().enumerate();
        let free = free.filter(|(_, entry)| entry.fits(request) && is_next(entry));
        free.min_by(|(_, a), (_, b)| a.load().total_cmp(&b.load())).map(|(device, _)| device)
    }

    fn fits_somewhere(&self, request: &Request) -> bool {
        self.entries.iter().any(|entry| entry.fits(request))
    }

    /// Why this request will never be met, if so.
    fn refusal(&self, request: &Request) -> Option<Refused> {
        let wanted = |entry: &&Entry| request.on.contains(entry.device);
        let mut left =
            self.entries.iter().filter(wanted).filter(|entry| entry.lost.is_none()).peekable();
        if left.peek().is_none() {
            return Some(Refused::AllLost { reason: self.what_became_of_all(request) });
        }
        let mut largest: Option<(Bytes, Device)> = None;
        for entry in left {
            // `could_ever_take` is true where the limit is unknown.
            let limit = entry.limit.filter(|_| !entry.could_ever_take(request))?;
            if largest.is_none_or(|(most, _)| limit > most) {
                largest = Some((limit, entry.device));
            }
        }
        largest.map(|(limit, device)| Refused::NeverFits { needed: request.total(), limit, device })
    }

    fn what_became_of_all(&self, request: &Request) -> String {
        let told = self.entries.iter().filter(|entry| request.on.contains(entry.device));
        let told = told.map(|entry| {
            format!("{}: {}", entry.device, entry.lost.as_deref().unwrap_or("in order"))
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() { "the pool was given none".to_owned() } else { told.join("; ") }
    }

    pub(super) fn release(&mut self, device: usize, request: &Request) {
        self.entries[device].give_back(request);
    }

    pub(super) fn mark_lost(&mut self, device: Device, reason: &str) {
        for entry in self.entries.iter_mut().filter(|entry| entry.device == device) {
            // The first reason is the cause; what fails afterwards fails because of it.
            entry.lost.get_or_insert_with(|| reason.to_owned());
        }
    }

    pub(super) fn usage(&self) -> Vec<PoolUsage> {
        self.entries
            .iter()
            .map(|entry| PoolUsage {
                device: entry.device,
                limit: entry.limit,
                leased: entry.leased(),
                tasks: entry.tasks,
                lost: entry.lost.clone(),
            })
            .collect()
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> Vec<u64> {
        self.queue.iter().map(|waiter| waiter.ticket).collect()
    }
}

impl Entry {
    fn new(device: PoolDevice) -> Self {
        Self {
            device: device.device,
            limit: device.limit,
            // A device of unknown size could be full with its first task.
            slots: if device.limit.is_some() { device.slots.max(1) } else { 1 },
            own: Bytes(0),
            tasks: 0,
            resident: BTreeMap::new(),
            lost: None,
        }
    }

    /// Whether the request fits when nothing else is leased.
    fn could_ever_take(&self, request: &Request) -> bool {
        request.on.contains(self.device)
            && self.lost.is_none()
            && self.limit.is_none_or(|limit| request.total() <= limit)
    }

    /// Whether it fits now.
    fn fits(&self, request: &Request) -> bool {
        let with_it = self.leased().saturating_add(request.bytes);
        let with_it = with_it.saturating_add(self.missing(request));
        self.could_ever_take(request)
            && self.tasks < self.slots
            && self.limit.is_none_or(|limit| with_it <= limit)
    }

    /// What of the shared data is not on the device yet.
    fn missing(&self, request: &Request) -> Bytes {
        let Some((key, bytes)) = request.shared else { return Bytes(0) };
        let there = self.resident.get(&key).map_or(0, |resident| resident.bytes.0);
        Bytes(bytes.0.saturating_sub(there))
    }

    fn leased(&self) -> Bytes {
        let resident = self.resident.values().map(|resident| resident.bytes);
        resident.fold(self.own, Bytes::saturating_add)
    }

    /// The leased share of the limit.
    fn load(&self) -> f64 {
        match self.limit {
            Some(limit) => self.leased().0 as f64 / (limit.0.max(1)) as f64,
            None => f64::from(self.tasks),
        }
    }

    fn take(&mut self, request: &Request) {
        self.tasks += 1;
        self.own = self.own.saturating_add(request.bytes);
        if let Some((key, bytes)) = request.shared {
            let resident =
                self.resident.entry(key).or_insert(Resident { bytes: Bytes(0), holders: 0 });
            resident.holders += 1;
            // Whoever says more of the same data is believed, until the last of them is gone.
            resident.bytes = resident.bytes.max(bytes);
        }
    }

    fn give_back(&mut self, request: &Request) {
        self.tasks -= 1;
        self.own = Bytes(self.own.0.saturating_sub(request.bytes.0));
        let Some((key, _)) = request.shared else { return };
        if let Some(resident) = self.resident.get_mut(&key) {
            resident.holders -= 1;
            if resident.holders == 0 {
                self.resident.remove(&key);
            }
        }
    }
}
