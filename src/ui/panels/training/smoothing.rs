use std::collections::BTreeMap;

use super::charts::Series;
use crate::domain::RunId;
use crate::ui::plots::smooth::Smoothed;
use crate::ui::state::Curve;

/// Smoothed curves of what was drawn last, so that each point is looked at once.
#[derive(Debug, Default)]
pub(super) struct Smoothing {
    run: Option<RunId>,
    weight: f64,
    /// By task and series; whether this frame has drawn it.
    curves: BTreeMap<(usize, Series), (Smoothed, bool)>,
}

impl Smoothing {
    /// Before a frame: another run or weight begins anew.
    pub(super) fn begin(&mut self, run: &RunId, weight: f64) {
        if self.run.as_ref() != Some(run) || self.weight != weight {
            *self = Self { run: Some(run.clone()), weight, curves: BTreeMap::new() };
        }
        for (_, is_drawn) in self.curves.values_mut() {
            *is_drawn = false;
        }
    }

    /// After a frame: what was not drawn is forgotten.
    pub(super) fn end(&mut self) {
        self.curves.retain(|_, (_, is_drawn)| *is_drawn);
    }

    /// Takes what has come to a task's curve since.
    pub(super) fn follow(&mut self, task: usize, series: Series, raw: &Curve) {
        if self.weight <= 0.0 {
            return;
        }
        let fresh = || (Smoothed::new(self.weight), true);
        let (smoothed, is_drawn) = self.curves.entry((task, series)).or_insert_with(fresh);
        *is_drawn = true;
        smoothed.follow(raw);
    }

    /// The smoothed curve; none where lines are drawn as they are.
    pub(super) fn get(&self, task: usize, series: Series) -> Option<&Curve> {
        self.curves.get(&(task, series)).map(|(smoothed, _)| &smoothed.curve)
    }
}
