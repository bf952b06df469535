use std::collections::VecDeque;
use std::sync::Arc;

use crate::devices::{Inventory, MachineReading, NvmlReading};
use crate::domain::Device;

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

    /// What a card says now; `None` where the latest reading does not have it.
    pub(crate) fn card(&self, device: Device) -> Option<&NvmlReading> {
        of_card(self.now()?, device)
    }

    /// The same of a card, wherever it stands among the others.
    pub(crate) fn card_history(
        &self,
        device: Device,
        value: impl Fn(&NvmlReading) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        self.history(|reading| of_card(reading, device).and_then(&value))
    }

    pub(crate) const fn capacity() -> usize {
        CAPACITY
    }
}

fn of_card(reading: &MachineReading, device: Device) -> Option<&NvmlReading> {
    reading.cuda.iter().find(|(card, _)| *card == device).map(|(_, card)| card)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::HostReading;
    use crate::domain::UtcMillis;

    #[test]
    fn a_card_is_found_by_its_name_when_another_is_lost() {
        let mut machine = Machine::default();
        let card =
            |percent| NvmlReading { utilization_percent: Some(percent), ..NvmlReading::default() };
        for cuda in [
            vec![(Device::Cuda(0), card(10)), (Device::Cuda(1), card(20))],
            vec![(Device::Cuda(1), card(30))],
        ] {
            machine.add(MachineReading { at: UtcMillis(0), host: HostReading::default(), cuda });
        }
        let load = |card: &NvmlReading| card.utilization_percent.map(f64::from);
        let history = |index| machine.card_history(Device::Cuda(index), load);
        assert_eq!(history(0), [Some(10.0), None]);
        assert_eq!(history(1), [Some(20.0), Some(30.0)]);
        assert_eq!(machine.card(Device::Cuda(0)), None);
        assert_eq!(machine.card(Device::Cuda(1)), Some(&card(30)));
    }
}
