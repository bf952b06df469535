use serde::{Deserialize, Serialize};

/// Watches a metric of the validation rows: knows the best epoch and when to stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct EarlyStopping {
    patience: Option<u32>,
    min_delta: f64,
    lower_is_better: bool,
    best: Option<Best>,
    epochs_without_improvement: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Best {
    epoch: u32,
    value: f64,
}

impl EarlyStopping {
    pub(super) const fn new(patience: Option<u32>, min_delta: f64, lower_is_better: bool) -> Self {
        Self { patience, min_delta, lower_is_better, best: None, epochs_without_improvement: 0 }
    }

    /// Takes an epoch's value and tells whether it is the best so far: better by more than `min_delta`. One that could not be computed is not.
    pub(super) fn improved(&mut self, epoch: u32, value: Option<f64>) -> bool {
        let better = |value: f64, best: f64| {
            if self.lower_is_better {
                value < best - self.min_delta
            } else {
                value > best + self.min_delta
            }
        };
        let improved =
            value.filter(|&value| self.best.is_none_or(|best| better(value, best.value)));
        if let Some(value) = improved {
            self.best = Some(Best { epoch, value });
            self.epochs_without_improvement = 0;
        } else {
            self.epochs_without_improvement += 1;
        }
        improved.is_some()
    }

    /// Whether patience has run out.
    pub(super) fn should_stop(&self) -> bool {
        self.patience.is_some_and(|patience| self.epochs_without_improvement >= patience)
    }

    /// The best epoch, from 1; `None` where no value could be computed.
    pub(super) fn best_epoch(&self) -> Option<u32> {
        self.best.map(|best| best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mut stopping: EarlyStopping, values: &[f64]) -> (u32, Option<u32>) {
        for (epoch, value) in (1..).zip(values) {
            stopping.improved(epoch, Some(*value).filter(|value| !value.is_nan()));
            if stopping.should_stop() {
                return (epoch, stopping.best_epoch());
            }
        }
        (values.len() as u32, stopping.best_epoch())
    }

    #[test]
    fn stops_after_patience_epochs_without_a_better_one() {
        for (patience, min_delta, losses, expected) in [
            (Some(2), 0.0, vec![1.0, 0.9, 0.95, 0.9, 0.1], (4, Some(2))),
            (Some(2), 0.0, vec![1.0, 0.9, 0.95, 0.8, 0.9], (5, Some(4))),
            (Some(1), 0.2, vec![1.0, 0.9, 0.5], (2, Some(1))),
            (None, 0.0, vec![1.0, 2.0, 3.0], (3, Some(1))),
            (Some(2), 0.0, vec![f64::NAN, f64::NAN, 0.1], (2, None)),
        ] {
            assert_eq!(run(EarlyStopping::new(patience, min_delta, true), &losses), expected);
        }
    }

    #[test]
    fn a_metric_that_should_rise_is_watched_the_other_way() {
        let rising = EarlyStopping::new(Some(2), 0.01, false);
        assert_eq!(run(rising, &[0.02, 0.025, 0.05, 0.04, 0.03]), (5, Some(3)));
    }
}
