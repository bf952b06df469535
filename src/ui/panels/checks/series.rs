use std::sync::Arc;

use egui::{Label, RichText, Ui};

use super::{Looking, unit};
use crate::domain::text::count;
use crate::ui::commands::Commands;
use crate::ui::plots::feature::FeaturePlot;
use crate::ui::plots::folds;
use crate::ui::state::State;
use crate::ui::theme::{Themed, space, strong_family};
use crate::workbench::Look;

/// What stands under the plots, in points.
const BELOW: f32 = 22.0;
const LEAST_HEIGHT: f32 = 240.0;
/// Width of the series' name at most, in points.
const NAME_WIDTH: f32 = 180.0;

impl Looking {
    /// A feature over time, under the price.
    pub(super) fn over_the_price(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        let Some(look) = self.choose(ui, state, false, commands) else { return };
        if self.plot.as_ref().is_none_or(|plot| !Arc::ptr_eq(&plot.look, look)) {
            self.plot = Some(FeaturePlot::new(look));
        }
        let Some(plot) = &self.plot else { return };
        if state.looks.pending {
            ui.multiply_opacity(0.5);
        }
        ui.horizontal(|ui| {
            let name = format!("{} · {}", look.curve.symbol, look.curve.timeframe);
            ui.scope(|ui| {
                ui.set_max_width(NAME_WIDTH);
                ui.add(Label::new(RichText::new(name).family(strong_family())).truncate());
            });
            ui.add_space(space::S);
            folds::legend(ui);
            ui.add_space(space::S);
            let about = about(look, unit(state.draft.spec(), &look.at.column));
            let about = RichText::new(about).small().color(ui.palette().text_weak);
            ui.add(Label::new(about).truncate());
        });
        plot.show(ui, (ui.available_height() - BELOW).max(LEAST_HEIGHT));
        let hint = "Drag to move, Ctrl and scroll to zoom, double-click to see all. Times are those at which a bar closes, UTC.";
        super::note(ui, hint);
    }
}

/// What the feature is measured in, how many bars there are, and of how many neighbours only the extremes are drawn.
fn about(look: &Look, unit: Option<&str>) -> String {
    let bars = format!("{} bars", count(look.curve.bars as u64));
    let merged = match look.curve.close.merged {
        1 => String::new(),
        merged => format!(", the lowest and highest of every {merged} drawn"),
    };
    let unit = unit.map_or_else(String::new, |unit| format!("; feature: {unit}"));
    format!("{bars}{merged}{unit}")
}
