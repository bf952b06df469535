use super::{HostReading, Inventory, NvmlReading};
use crate::domain::{Bytes, Device};
use crate::torch::{AllocatorStatistics, memory_statistics};

/// How much of a memory this program means to use: a share of what others leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryBudget {
    /// All there is.
    pub total: Bytes,
    /// What others have now.
    pub others: Bytes,
    /// The share to use of what they leave, from 0 to 1.
    pub fraction: f64,
}

impl MemoryBudget {
    /// Leaves a tenth for what cannot be foreseen: fragmentation, libraries, other programs.
    pub const DEFAULT_FRACTION: f64 = 0.9;

    /// What this process takes of a card for its CUDA context, its kernels and cuBLAS' and cuDNN's handles, before the first tensor. Some 300
    /// to 600 MiB, more on newer cards; this much is set aside until it can be measured.
    pub const CONTEXT: Bytes = Bytes(600 << 20);

    /// The same memory with another share of it.
    #[must_use]
    pub const fn with_fraction(self, fraction: f64) -> Self {
        Self { fraction, ..self }
    }

    /// The budget: fraction × (total − others), 0 where others have everything.
    #[must_use]
    pub fn limit(&self) -> Bytes {
        let left = self.total.0.saturating_sub(self.others.0);
        // A float becomes the nearest integer there is: 0 for a negative fraction or none (NaN).
        Bytes((self.fraction * left as f64) as u64)
    }

    /// The host's memory; `None` where total or use are unknown.
    #[must_use]
    pub fn of_host(reading: &HostReading) -> Option<Self> {
        Self::of(reading.memory_total, reading.memory_used, reading.memory_own)
    }

    /// A card's memory; `None` where total or use are unknown.
    #[must_use]
    pub fn of_card(reading: &NvmlReading) -> Option<Self> {
        Self::of(reading.memory_total, reading.memory_used, reading.memory_own)
    }

    /// Own use that is unknown counts as that of others: the budget is then too small rather than too large.
    fn of(total: Option<Bytes>, used: Option<Bytes>, own: Option<Bytes>) -> Option<Self> {
        let others = Bytes(used?.0.saturating_sub(own.unwrap_or_default().0));
        Some(Self { total: total?, others, fraction: Self::DEFAULT_FRACTION })
    }
}

/// What all tasks together may take of the device's memory: this share of what others leave, less what the process itself needs there. As
/// the inventory found it, so let it be a fresh one. `None` where nobody knows: on Apple's GPU, and on a card whose driver does not tell.
///
/// On the host, what this program has already counts as gone; so ask while no task runs.
#[must_use]
pub fn budget_of(device: Device, inventory: &Inventory, fraction: f64) -> Option<Bytes> {
    match device {
        Device::Mps => None,
        Device::Cpu => {
            let total = inventory.cpu.memory_total?;
            let others = Bytes(total.0.saturating_sub(inventory.cpu.memory_available?.0));
            Some(MemoryBudget { total, others, fraction }.limit())
        }
        Device::Cuda(_) => {
            let card = inventory.cuda.iter().find(|card| card.device == device)?;
            of_tasks_on_a_card(&card.reading, memory_statistics(device), fraction)
        }
    }
}

/// What libtorch's allocator has of the card is the tasks' own, the rest of what this process has there is not.
fn of_tasks_on_a_card(
    reading: &NvmlReading,
    allocator: Option<AllocatorStatistics>,
    fraction: f64,
) -> Option<Bytes> {
    let reserved = allocator.unwrap_or_default().reserved;
    // A driver that does not list this process cannot tell a context that is there from none; tensors can.
    let own = reading
        .memory_own
        .or_else(|| (reserved > Bytes(0)).then(|| reserved.saturating_add(MemoryBudget::CONTEXT)));
    let overhead = own.map_or(MemoryBudget::CONTEXT.0, |own| own.0.saturating_sub(reserved.0));
    let budget = MemoryBudget::of(reading.memory_total, reading.memory_used, own)?;
    Some(Bytes(budget.with_fraction(fraction).limit().0.saturating_sub(overhead)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_a_share_of_what_others_leave() {
        for (total, others, fraction, limit) in [
            (1000, 200, 0.9, 720),
            (1000, 0, 1.0, 1000),
            (1000, 1000, 0.9, 0),
            (1000, 1200, 0.9, 0),
            (1000, 0, -1.0, 0),
            (1000, 0, f64::NAN, 0),
            (u64::MAX, 0, 2.0, u64::MAX),
        ] {
            let budget = MemoryBudget { total: Bytes(total), others: Bytes(others), fraction };
            assert_eq!(budget.limit(), Bytes(limit), "{budget:?}");
        }
    }

    #[test]
    fn own_memory_is_not_that_of_others_and_unknown_own_memory_is() {
        for (total, used, own, others) in [
            (Some(1000), Some(500), Some(200), Some(300)),
            (Some(1000), Some(500), None, Some(500)),
            // The two are not read at the same moment.
            (Some(1000), Some(500), Some(600), Some(0)),
            (None, Some(500), Some(200), None),
            (Some(1000), None, Some(200), None),
        ] {
            let [total, used, own, others] =
                [total, used, own, others].map(|bytes| bytes.map(Bytes));
            let host = HostReading {
                memory_total: total,
                memory_used: used,
                memory_own: own,
                ..HostReading::default()
            };
            let card = NvmlReading {
                memory_total: total,
                memory_used: used,
                memory_own: own,
                ..NvmlReading::default()
            };
            for budget in [MemoryBudget::of_host(&host), MemoryBudget::of_card(&card)] {
                assert_eq!(budget.map(|budget| budget.others), others);
                assert!(budget.is_none_or(|budget| Some(budget.total) == total));
            }
        }
    }

    #[test]
    fn tasks_get_what_a_card_has_left_without_the_context() {
        const MIB: u64 = 1 << 20;
        // In MiB: total, used, own as the driver tells, reserved by the allocator, fraction, budget.
        for (total, used, own, reserved, fraction, expected) in [
            // Before the first tensor the context is still to come.
            (10_000, 1_000, None, None, 0.9, Some(8_100 - 600)),
            (10_000, 1_000, None, Some(0), 1.0, Some(9_000 - 600)),
            // Afterwards it is measured.
            (10_000, 3_400, Some(2_400), Some(2_000), 1.0, Some(9_000 - 400)),
            // In a container nobody tells what is our own, but the allocator knows its part.
            (10_000, 3_600, None, Some(2_000), 1.0, Some(9_000 - 600)),
            (1_000, 500, None, None, 1.0, Some(0)),
            (0, 0, None, None, 1.0, Some(0)),
        ] {
            let mib = |count: u64| Bytes(count * MIB);
            let reading = NvmlReading {
                memory_total: Some(mib(total)),
                memory_used: Some(mib(used)),
                memory_own: own.map(mib),
                ..NvmlReading::default()
            };
            let allocator = reserved.map(|reserved| AllocatorStatistics {
                reserved: mib(reserved),
                ..AllocatorStatistics::default()
            });
            let budget = of_tasks_on_a_card(&reading, allocator, fraction);
            assert_eq!(budget, expected.map(mib), "{reading:?} {allocator:?}");
        }
        let silent = NvmlReading { memory_total: Some(Bytes(MIB)), ..NvmlReading::default() };
        assert_eq!(of_tasks_on_a_card(&silent, None, 0.9), None);
    }

    #[test]
    fn tasks_get_their_share_of_what_the_host_has_left() {
        let mut inventory = Inventory::detect();
        inventory.cpu.memory_total = Some(Bytes(1000));
        inventory.cpu.memory_available = Some(Bytes(400));
        assert_eq!(budget_of(Device::Cpu, &inventory, 0.5), Some(Bytes(200)));
        inventory.cpu.memory_available = None;
        assert_eq!(budget_of(Device::Cpu, &inventory, 0.5), None);
        assert_eq!(budget_of(Device::Mps, &inventory, 0.5), None);
        assert_eq!(budget_of(Device::Cuda(99), &inventory, 0.5), None);
    }
}
