/// Watches the validation loss: knows the best epoch and when to stop.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EarlyStopping {
    patience: Option<u32>,
    min_delta: f64,
    best: Option<Best>,
    epochs_without_improvement: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Best {
    epoch: u32,
    loss: f64,
}

impl EarlyStopping {
    pub(super) const fn new(patience: Option<u32>, min_delta: f64) -> Self {
        Self { patience, min_delta, best: None, epochs_without_improvement: 0 }
    }

    /// Takes an epoch's loss and tells whether it is the best so far: lower by more than `min_delta`.
    pub(super) fn improved(&mut self, epoch: u32, loss: f64) -> bool {
        let better = self.best.is_none_or(|best| loss < best.loss - self.min_delta);
        if better {
            self.best = Some(Best { epoch, loss });
            self.epochs_without_improvement = 0;
        } else {
            self.epochs_without_improvement += 1;
        }
        better
    }

    /// Whether patience has run out.
    pub(super) fn should_stop(&self) -> bool {
        self.patience.is_some_and(|patience| self.epochs_without_improvement >= patience)
    }

    /// The best epoch, from 1.
    pub(super) fn best_epoch(&self) -> Option<u32> {
        self.best.map(|best| best.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(patience: Option<u32>, min_delta: f64, losses: &[f64]) -> (u32, Option<u32>) {
        let mut stopping = EarlyStopping::new(patience, min_delta);
        for (epoch, loss) in (1..).zip(losses) {
            stopping.improved(epoch, *loss);
            if stopping.should_stop() {
                return (epoch, stopping.best_epoch());
            }
        }
        (losses.len() as u32, stopping.best_epoch())
    }

    #[test]
    fn stops_after_patience_epochs_without_a_better_one() {
        for (patience, min_delta, losses, expected) in [
            (Some(2), 0.0, vec![1.0, 0.9, 0.95, 0.9, 0.1], (4, Some(2))),
            (Some(2), 0.0, vec![1.0, 0.9, 0.95, 0.8, 0.9], (5, Some(4))),
            (Some(1), 0.2, vec![1.0, 0.9, 0.5], (2, Some(1))),
            (None, 0.0, vec![1.0, 2.0, 3.0], (3, Some(1))),
        ] {
            assert_eq!(run(patience, min_delta, &losses), expected);
        }
    }
}
