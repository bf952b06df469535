use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;
use serde::Serialize;

use super::host::HostReader;
use super::{HostReading, Inventory, Nvml, NvmlReading};
use crate::domain::{Device, UtcMillis};

/// Readings kept for a front end that does not fetch them: five minutes at one a second.
const CAPACITY: usize = 300;

/// Reads the machine on a thread of its own, over and over. Dropping it ends the thread within milliseconds, or, while it is still looking
/// for devices, when that is done.
#[derive(Debug)]
pub struct Telemetry {
    shared: Arc<Shared>,
    /// Nothing is ever sent: the thread ends when this is dropped.
    stop: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

/// What the machine was doing at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MachineReading {
    /// When.
    pub at: UtcMillis,
    /// Processors, host memory and disk.
    pub host: HostReading,
    /// Every CUDA card of the inventory, in its order.
    pub cuda: Vec<(Device, NvmlReading)>,
}

#[derive(Debug, Default)]
struct Shared {
    inventory: OnceLock<Arc<Inventory>>,
    readings: Mutex<VecDeque<MachineReading>>,
}

impl Telemetry {
    /// Starts the thread. It detects the [`Inventory`], which may take a second, and then reads the machine every `period`, the
    /// space on the file system of `folder` with it. `wake` is called after either, from that thread, and must return at once.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        period: Duration,
        folder: PathBuf,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = bounded(0);
        let thread = std::thread::Builder::new().name("walkforge-telemetry".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || watch(&shared, period, folder, &stopped, &wake)
        })?;
        Ok(Self { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// What there is to compute on; `None` until it has been detected.
    #[must_use]
    pub fn inventory(&self) -> Option<Arc<Inventory>> {
        self.shared.inventory.get().cloned()
    }

    /// The readings since the last call, oldest first. Of those that nobody fetches the newest 300 are kept.
    #[must_use]
    pub fn drain(&self) -> Vec<MachineReading> {
        self.shared.readings.lock().drain(..).collect()
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // Waited for, so that the process does not end while libtorch looks for cards. A panic has been told on its way.
            let _panicked = thread.join();
        }
    }
}

fn watch(
    shared: &Shared,
    period: Duration,
    folder: PathBuf,
    stopped: &Receiver<Infallible>,
    wake: &dyn Fn(),
) {
    let nvml = Nvml::open();
    let inventory = Arc::new(Inventory::detect_with(nvml.as_ref()));
    let cards: Vec<Device> = inventory.cuda.iter().map(|card| card.device).collect();
    let mut host = HostReader::new(folder);
    // It is the only one that sets it.
    let _first = shared.inventory.set(inventory);
    wake();
    loop {
        let reading = MachineReading {
            at: UtcMillis::now(),
            host: host.read(),
            cuda: cards.iter().map(|&card| (card, read_card(card, nvml.as_ref()))).collect(),
        };
        shared.keep(reading);
        wake();
        match stopped.recv_timeout(period) {
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(never) => match never {},
        }
    }
}

fn read_card(card: Device, nvml: Result<&Nvml, &String>) -> NvmlReading {
    match (card, nvml) {
        (Device::Cuda(index), Ok(nvml)) => nvml.read(index),
        (_, Err(reason)) => NvmlReading::silent(reason),
        (_, Ok(_)) => NvmlReading::default(),
    }
}

impl Shared {
    fn keep(&self, reading: MachineReading) {
        let mut readings = self.readings.lock();
        if readings.len() == CAPACITY {
            readings.pop_front();
        }
        readings.push_back(reading);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Never comes in a test.
    const AGES: Duration = Duration::from_secs(1_000_000);

    fn reading(at: i64) -> MachineReading {
        MachineReading { at: UtcMillis(at), host: HostReading::default(), cuda: Vec::new() }
    }

    #[test]
    fn the_oldest_readings_go_first() {
        let shared = Shared::default();
        for at in 0..CAPACITY as i64 + 2 {
            shared.keep(reading(at));
        }
        let readings = shared.readings.lock();
        assert_eq!((readings.len(), readings.front()), (CAPACITY, Some(&reading(2))));
        assert_eq!(readings.back(), Some(&reading(CAPACITY as i64 + 1)));
    }

    #[test]
    fn the_inventory_comes_first_and_dropping_it_does_not_wait_for_the_period() {
        let (woken, wakes) = bounded(16);
        let telemetry =
            Telemetry::start(AGES, PathBuf::new(), move || woken.send(()).unwrap()).unwrap();
        wakes.recv().unwrap();
        let inventory = telemetry.inventory().unwrap();
        wakes.recv().unwrap();
        let readings = telemetry.drain();
        let cards: Vec<Device> = readings[0].cuda.iter().map(|(card, _)| *card).collect();
        assert_eq!(cards, inventory.cuda.iter().map(|card| card.device).collect::<Vec<_>>());
        assert_eq!((readings.len(), telemetry.drain().len()), (1, 0));
        // Waits for the thread: with the period in between this test would never end.
        drop(telemetry);
        assert!(wakes.recv().is_err(), "the thread is gone, and with it whoever woke");
    }

    #[test]
    fn readings_come_period_after_period() {
        let (woken, wakes) = bounded(0);
        let telemetry = Telemetry::start(Duration::ZERO, PathBuf::new(), move || {
            // Nobody listens any more at the end.
            let _gone = woken.send(());
        })
        .unwrap();
        let mut readings = Vec::new();
        for _ in 0..4 {
            wakes.recv().unwrap();
            readings.extend(telemetry.drain());
        }
        assert!(readings.len() >= 2, "{readings:?}");
        assert!(readings.is_sorted_by_key(|reading| reading.at));
        drop(wakes);
    }
}
