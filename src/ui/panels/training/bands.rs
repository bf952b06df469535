use std::collections::BTreeMap;
use std::time::Duration;

use super::charts::{Chart, Drawing};
use super::groups::Layout;
use crate::domain::RunId;
use crate::ui::plots::band::{Band, band};
use crate::ui::plots::scale::XAxis;

/// Seconds after which a band is made anew while the curves grow: it is made of hundreds of them, and need not follow each.
const FOLLOWS_AFTER: f64 = 1.0;

/// The bands of what is not drawn in full, each made once in a while.
#[derive(Debug, Default)]
pub(super) struct Bands {
    /// By chart and number of its plot.
    made: BTreeMap<(Chart, usize), Made>,
}

#[derive(Debug)]
struct Made {
    /// Run, axis, how tasks are shared among plots, and those that are drawn in full.
    of: (RunId, XAxis, Layout, Vec<usize>),
    /// How often values had changed in the run.
    values: u64,
    /// Seconds since the window opened.
    at: f64,
    band: Option<Band>,
}

impl Bands {
    /// The band of those tasks of a plot that are not drawn in full. There may be ten thousand: they are looked at when it is made.
    pub(super) fn get(
        &mut self,
        ctx: &egui::Context,
        plot: (Chart, usize),
        drawing: &Drawing<'_>,
        (tasks, shown): (impl Iterator<Item = usize>, &[usize]),
    ) -> Option<&Band> {
        let series = plot.0.of_band()?;
        let (run, now) = (drawing.run, ctx.input(|input| input.time));
        let is_current = self.made.get(&plot).is_some_and(|made| {
            let (of, axis, layout, in_full) = &made.of;
            let view = drawing.view;
            if *of != run.id || *axis != view.axis || *layout != view.layout || in_full != shown {
                return false;
            }
            let is_old = made.values != run.changes.values && drawing.until.is_none();
            let left = made.at + FOLLOWS_AFTER - now;
            if is_old && left > 0.0 {
                // The last word of a run is not followed by another one.
                ctx.request_repaint_after(Duration::from_secs_f64(left));
            }
            !is_old || left > 0.0
        });
        if !is_current {
            let curves: Vec<_> = tasks
                .filter(|index| !shown.contains(index))
                .filter_map(|index| Some((series.of(&run.tasks[index]), drawing.scale(index)?)))
                .collect();
            let of = (run.id.clone(), drawing.view.axis, drawing.view.layout, shown.to_vec());
            let made = Made { of, values: run.changes.values, at: now, band: band(&curves) };
            self.made.insert(plot, made);
        }
        self.made.get(&plot)?.band.as_ref()
    }
}
