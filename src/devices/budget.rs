use super::{HostReading, NvmlReading};
use crate::domain::Bytes;

/// How much of a memory this program means to use: a share of what others leave. Shown, and not enforced yet: tasks that need more are
/// started all the same.
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
}
