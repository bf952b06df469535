use rand::seq::SliceRandom;

use super::TaskSeeds;
use crate::dataset::TaskData;
use crate::domain::UtcMillis;

/// Fewest symbols at a moment whose correlation is learnt from.
const LEAST_SYMBOLS: usize = 3;

/// The order in which the train rows are learnt from in each epoch, cut into optimizer steps. It follows from the task's seed and the epoch alone,
/// so that a checkpoint need not hold it.
#[derive(Debug)]
pub(super) enum Order {
    /// Rows one by one; samples of an optimizer step.
    Rows { rows: Vec<i64>, step: usize },
    /// Rows of a moment stay together: as many moments a step as have at most so many samples, and at least one.
    Moments { moments: Vec<Vec<i64>>, step: usize },
}

impl Order {
    /// Every train row alone.
    pub(super) fn of_rows(data: &TaskData, step: usize) -> Self {
        Self::Rows { rows: data.train().to_vec(), step }
    }

    /// The train rows of each moment together; moments with fewer than three symbols are left out.
    pub(super) fn of_moments(data: &TaskData, step: usize) -> Self {
        let mut rows: Vec<(UtcMillis, i64)> =
            data.moments(data.train()).into_iter().zip(data.train().iter().copied()).collect();
        rows.sort_unstable();
        let moments = rows
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|moment| moment.len() >= LEAST_SYMBOLS)
            .map(|moment| moment.iter().map(|(_, row)| *row).collect())
            .collect();
        Self::Moments { moments, step }
    }

    /// Rows of each optimizer step of an epoch, counted from 1.
    pub(super) fn epoch(&self, seeds: TaskSeeds, epoch: u32) -> EpochOrder {
        let mut random = seeds.order(epoch);
        match self {
            Self::Rows { rows, step } => {
                let mut rows = rows.clone();
                rows.shuffle(&mut random);
                let ends = (1..=rows.len().div_ceil(*step)).map(|n| (n * step).min(rows.len()));
                let ends = ends.collect();
                EpochOrder { rows, ends }
            }
            Self::Moments { moments, step } => {
                let mut places: Vec<usize> = (0..moments.len()).collect();
                places.shuffle(&mut random);
                let mut order = EpochOrder { rows: Vec::new(), ends: Vec::new() };
                let mut begin = 0;
                for moment in places.into_iter().map(|place| &moments[place]) {
                    let filled = order.rows.len() - begin;
                    if filled > 0 && filled + moment.len() > *step {
                        begin = order.rows.len();
                        order.ends.push(begin);
                    }
                    order.rows.extend_from_slice(moment);
                }
                order.ends.push(order.rows.len());
                order
            }
        }
    }

    /// Whether there is nothing to learn from.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Rows { rows, .. } => rows.is_empty(),
            Self::Moments { moments, .. } => moments.is_empty(),
        }
    }
}

/// One epoch's rows, one optimizer step after another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EpochOrder {
    pub(super) rows: Vec<i64>,
    /// Where each step's rows end.
    ends: Vec<usize>,
}

impl EpochOrder {
    /// Optimizer steps in the epoch.
    pub(super) fn steps(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// First row of a step and how many it has; steps count from 0.
    pub(super) fn step(&self, step: u32) -> (i64, i64) {
        let step = step as usize;
        let from = if step == 0 { 0 } else { self.ends[step - 1] };
        (from as i64, (self.ends[step] - from) as i64)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn steps(order: &EpochOrder) -> Vec<Vec<i64>> {
        (0..order.steps())
            .map(|step| {
                let (from, count) = order.step(step);
                order.rows[from as usize..(from + count) as usize].to_vec()
            })
            .collect()
    }

    #[test]
    fn every_row_is_learnt_from_once_an_epoch_and_each_epoch_differs() {
        let order = Order::Rows { rows: (10..30).collect(), step: 8 };
        let epochs: Vec<EpochOrder> =
            (1..=3).map(|epoch| order.epoch(TaskSeeds::new(5), epoch)).collect();
        for epoch in &epochs {
            assert_eq!(epoch.rows.iter().copied().collect::<BTreeSet<_>>(), (10..30).collect());
            assert_eq!(steps(epoch).iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 4]);
        }
        assert!(epochs[0] != epochs[1] && epochs[1] != epochs[2]);
        assert_eq!(epochs[1], order.epoch(TaskSeeds::new(5), 2), "nothing but seed and epoch");
        assert_ne!(epochs[1], order.epoch(TaskSeeds::new(6), 2));
    }

    #[test]
    fn moments_are_never_torn_apart() {
        let moments: Vec<Vec<i64>> = [3_i64, 5, 4, 3, 20]
            .iter()
            .scan(0, |next, &count| {
                let moment = (*next..*next + count).collect();
                *next += count;
                Some(moment)
            })
            .collect();
        let order = Order::Moments { moments: moments.clone(), step: 8 };
        for epoch in 1..20 {
            let order = order.epoch(TaskSeeds::new(1), epoch);
            let steps = steps(&order);
            let rows: BTreeSet<i64> = order.rows.iter().copied().collect();
            assert_eq!((rows.len(), order.rows.len()), (35, 35));
            for step in steps {
                let whole = moments.iter().filter(|moment| step.contains(&moment[0]));
                let (count, samples) = whole
                    .fold((0, 0), |(count, samples), moment| (count + 1, samples + moment.len()));
                assert_eq!(samples, step.len(), "a moment in two steps");
                assert!(samples <= 8 || count == 1, "{step:?}");
            }
        }
    }
}
