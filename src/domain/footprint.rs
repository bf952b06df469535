use super::{Bytes, Plan, Task};

/// Memory of the tasks that train at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Footprint {
    /// All of it, at its peak.
    pub total: Bytes,
    /// How much of it are resident matrices, each of which is there once for all tasks of the same series.
    pub resident: Bytes,
}

impl Plan {
    /// The most memory that as many neighbours in the queue as there are workers take together, estimated.
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        let workers = (self.workers.max(1) as usize).min(self.tasks.len().max(1));
        self.tasks.windows(workers).map(Footprint::of).max().unwrap_or_default()
    }
}

impl Footprint {
    fn of(tasks: &[Task]) -> Self {
        let mut resident = 0_u64;
        let mut own = 0_u64;
        for (index, task) in tasks.iter().enumerate() {
            own = own.saturating_add(task.memory.0.saturating_sub(task.resident.0));
            let shares = |other: &Task| {
                (other.device, &other.symbols, &other.timeframes)
                    == (task.device, &task.symbols, &task.timeframes)
            };
            if !tasks[..index].iter().any(shares) {
                resident = resident.saturating_add(task.resident.0);
            }
        }
        Self { total: Bytes(own.saturating_add(resident)), resident: Bytes(resident) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        ContentHash, Device, Embargo, FoldIndex, FoldPlan, TaskId, TaskRole, TimeSpan, UtcMillis,
    };

    fn task(symbol: &str, memory: u64, resident: u64) -> Task {
        let span = TimeSpan { start: UtcMillis(0), end: UtcMillis(1) };
        Task {
            id: TaskId::new(symbol),
            key: ContentHash::of(b""),
            symbols: vec![symbol.parse().unwrap()],
            timeframes: vec!["1h".parse().unwrap()],
            fold: FoldPlan {
                index: FoldIndex(0),
                train: vec![span],
                validation: span,
                test: span,
                embargo: Embargo::default(),
            },
            gaps: Vec::new(),
            seed: 0,
            device: Device::Cpu,
            parameters: 1,
            memory: Bytes(memory),
            resident: Bytes(resident),
            role: TaskRole::Fold,
            after: Vec::new(),
            train_rows: 0,
            shape: None,
            disk: Bytes::default(),
            expected_ms: None,
            reuse: None,
        }
    }

    fn plan(workers: u32, tasks: Vec<Task>) -> Plan {
        Plan {
            experiment: "x".to_owned(),
            spec: ContentHash::of(b""),
            device: Device::Cpu,
            device_reason: String::new(),
            workers,
            threads_per_task: 1,
            features: Vec::new(),
            series: Vec::new(),
            tasks,
            warnings: Vec::new(),
            devices: Vec::new(),
            decisions: Vec::new(),
            recommendations: Vec::new(),
        }
    }

    #[test]
    fn a_resident_matrix_counts_once_for_the_folds_that_share_it() {
        let tasks = || vec![task("A", 10, 6), task("A", 10, 6), task("B", 9, 5)];
        for (workers, total, resident) in [(1, 10, 6), (2, 19, 11), (3, 23, 11), (9, 23, 11)] {
            let found = plan(workers, tasks()).footprint();
            assert_eq!((found.total.0, found.resident.0), (total, resident), "{workers} workers");
        }
        let folds = plan(2, tasks()[..2].to_vec()).footprint();
        assert_eq!((folds.total.0, folds.resident.0), (14, 6));
        assert_eq!(plan(2, Vec::new()).footprint(), Footprint::default());
    }
}
