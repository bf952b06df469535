use std::collections::BTreeMap;

use super::charts::{Chart, Drawing};
use crate::domain::RunId;
use crate::ui::plots::band::{Band, band};
use crate::ui::plots::scale::XAxis;

/// Seconds after which a band is made anew while the curves grow: it is made of hundreds of them, and need not follow each.
const FOLLOWS_AFTER: f64 = 0.5;

/// The bands of what is not drawn in full, each made once in a while.
#[derive(Debug, Default)]
pub(super) struct Bands {
    /// By chart and number of its plot.
    made: BTreeMap<(Chart, usize), Made>,
}

#[derive(Debug)]
struct Made {
    of: (RunId, XAxis, Vec<usize>, usize),
    at: f64,
    band: Option<Band>,
}

impl Bands {
    /// The band of some tasks in a plot.
    pub(super) fn get(
        &mut self,
        plot: (Chart, usize),
        drawing: &Drawing<'_>,
        tasks: &[usize],
        now: f64,
    ) -> Option<&Band> {
        let series = plot.0.of_band()?;
        let run = drawing.run;
        let is_current = self.made.get(&plot).is_some_and(|made| {
            let (of, axis, among, ended) = &made.of;
            *of == run.id
                && *axis == drawing.view.axis
                && among == tasks
                && (drawing.until.is_some()
                    || (run.is_over() && *ended == run.ended())
                    || now - made.at < FOLLOWS_AFTER)
        });
        if !is_current {
            let curves: Vec<_> = tasks
                .iter()
                .map(|&index| (series.of(&run.tasks[index]), drawing.scale(index)))
                .collect();
            let of = (run.id.clone(), drawing.view.axis, tasks.to_vec(), run.ended());
            self.made.insert(plot, Made { of, at: now, band: band(&curves) });
        }
        self.made.get(&plot)?.band.as_ref()
    }
}
