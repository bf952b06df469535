use super::Curve;
use crate::domain::EpochRecord;

/// What a task's epochs came to, as lines over the epoch.
#[derive(Debug, Clone)]
pub(crate) struct TaskCurves {
    pub(crate) train_loss: Curve,
    pub(crate) validation_loss: Curve,
    /// The metric that is watched, where it is not the loss.
    pub(crate) monitor: Curve,
    pub(crate) learning_rate: Curve,
    /// Mean norm of the gradient before clipping.
    pub(crate) gradient_norm: Curve,
    /// Seconds at work until the end of the epoch.
    pub(crate) elapsed: Curve,
}

impl Default for TaskCurves {
    fn default() -> Self {
        Self {
            train_loss: Curve::default(),
            validation_loss: Curve::default(),
            monitor: Curve::default(),
            learning_rate: Curve::coarse(),
            gradient_norm: Curve::coarse(),
            elapsed: Curve::coarse(),
        }
    }
}

impl TaskCurves {
    /// Adds an epoch to the right.
    pub(super) fn push(&mut self, record: &EpochRecord) {
        let epoch = f64::from(record.epoch);
        self.train_loss.push(epoch, record.train_loss);
        if let Some(loss) = record.validation_loss {
            self.validation_loss.push(epoch, loss);
        }
        if let Some(watched) = record.monitor {
            self.monitor.push(epoch, watched);
        }
        self.learning_rate.push(epoch, record.learning_rate);
        self.gradient_norm.push(epoch, record.gradient_norm);
        let before = self.elapsed.at(epoch).unwrap_or(0.0);
        self.elapsed.push(epoch, before + record.seconds);
    }

    /// Drops an epoch and those after it: they are learnt once more.
    pub(super) fn cut(&mut self, epoch: u32) {
        for curve in self.all_mut() {
            curve.cut(f64::from(epoch));
        }
    }

    /// Adds what `later` has from an epoch on.
    pub(super) fn extend(&mut self, later: &mut Self, from: u32) {
        let before = self.elapsed.at(f64::from(from)).unwrap_or(0.0);
        for (position, (curve, later)) in
            self.all_mut().into_iter().zip(later.all_mut()).enumerate()
        {
            // The last one counts on.
            let raised = if position == ELAPSED { before } else { 0.0 };
            curve.take_over(later, f64::from(from), raised);
        }
    }

    const fn all_mut(&mut self) -> [&mut Curve; ELAPSED + 1] {
        [
            &mut self.train_loss,
            &mut self.validation_loss,
            &mut self.monitor,
            &mut self.learning_rate,
            &mut self.gradient_norm,
            &mut self.elapsed,
        ]
    }

    /// Whether there is a line to draw. A refit has no validation rows and so the train loss alone.
    pub(crate) fn is_empty(&self) -> bool {
        self.validation_loss.points().is_empty() && self.train_loss.points().is_empty()
    }
}

/// Where the seconds stand among all curves.
const ELAPSED: usize = 5;
