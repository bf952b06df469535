use std::collections::VecDeque;
use std::sync::Arc;

use crate::devices::{Inventory, MachineReading};

/// Readings kept: five minutes at one a second.
const CAPACITY: usize = 300;

/// The machine and its last readings.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    /// What there is; `None` until it has been looked at.
    pub(crate) inventory: Option<Arc<Inventory>>,
    readings: VecDeque<MachineReading>,
    /// Why there will be no readings.
    pub(crate) no_telemetry_because: Option<String>,
}

impl Machine {
    pub(crate) fn add(&mut self, reading: MachineReading) {
        if self.readings.len() == CAPACITY {
            self.readings.pop_front();
        }
        self.readings.push_back(reading);
    }

    /// The latest reading.
    pub(crate) fn now(&self) -> Option<&MachineReading> {
        self.readings.back()
    }

    /// One value of each reading, oldest first; `None` where it is not known.
    pub(crate) fn history(
        &self,
        value: impl Fn(&MachineReading) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        self.readings.iter().map(value).collect()
    }

    pub(crate) const fn capacity() -> usize {
        CAPACITY
    }
}
