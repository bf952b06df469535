use std::cell::Cell;

use egui::{Color32, Role, Stroke, TextStyle, Ui, vec2};
use egui_plot::{Bar, BarChart, BoxElem, BoxPlot, BoxSpread, HoverPosition, PlotUi};

use super::axes::{date_axis, side_axis};
use super::base;
use crate::domain::UtcMillis;
use crate::domain::text::{count, minute, significant};
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets;
use crate::workbench::{Candle, CandleLevel, Candles};

/// Distance between two candles at least, in points.
const CANDLE_WIDTH: f32 = 4.0;
/// Share of the height that the volume takes.
const VOLUME: f32 = 0.22;
/// Share of a candle's time that its body takes.
const BODY: f64 = 0.7;

/// Draws prices as candles with the volume below; what is zoomed or dragged in one is in the other. Returns how many bars a candle stands for,
/// which follows from the zoom. `name` says whose price it is.
pub(in crate::ui) fn show(ui: &mut Ui, name: &str, candles: &Candles, height: f32) -> usize {
    let merged = Cell::new(0);
    let has_volume = candles
        .levels
        .last()
        .is_some_and(|level| level.candles.iter().any(|candle| candle.volume > 0.0));
    let gap = space::XS;
    let volume = if has_volume { (height * VOLUME).round() } else { 0.0 };
    let chart = Chart { name, candles, merged: &merged };
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = gap;
        let below = if has_volume { volume + gap } else { 0.0 };
        chart.pane(ui, Pane::Price { has_dates: !has_volume }, height - below);
        if has_volume {
            chart.pane(ui, Pane::Volume, volume);
        }
    });
    merged.get()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pane {
    Price { has_dates: bool },
    Volume,
}

struct Chart<'a> {
    name: &'a str,
    candles: &'a Candles,
    /// Bars behind each candle in view.
    merged: &'a Cell<usize>,
}

impl Chart<'_> {
    fn pane(&self, ui: &mut Ui, pane: Pane, height: f32) {
        let palette = ui.palette();
        let font = TextStyle::Small.resolve(ui.style());
        let whole = self.candles.span_secs().unwrap_or((0.0, 1.0));
        // Another series begins whole.
        let group = ui.unique_id().with(("candles", self.name));
        let (title, of) = match pane {
            Pane::Price { .. } => ("Price", "Price"),
            Pane::Volume => ("Volume", "Volume"),
        };
        let plot = base::over_dates((self.name, title), height, whole, palette);
        let mut plot = base::linked(plot, group)
            .set_margin_fraction(vec2(0.01, 0.08))
            .custom_y_axes(vec![side_axis(title, font.clone(), palette)])
            .label_formatter(|hover| self.readings(hover));
        plot = match pane {
            Pane::Price { has_dates: false } => plot.show_axes([false, true]),
            Pane::Price { has_dates: true } | Pane::Volume => {
                plot.custom_x_axes(vec![date_axis(font, palette)])
            }
        };
        if pane == Pane::Volume {
            plot = plot.include_y(0.0);
        }
        let response = plot.show(ui, |plot| {
            let Some((level, range)) = self.in_view(plot, whole) else { return };
            self.merged.set(level.merged);
            let candles = level.candles.get(range).unwrap_or_default();
            match pane {
                Pane::Price { .. } => bodies(plot, candles, palette),
                Pane::Volume => volumes(plot, candles, palette),
            }
        });
        let name = format!("{of} of {}", self.name);
        widgets::name(&response.response, Role::Image, &name);
    }

    fn in_view(
        &self,
        plot: &PlotUi<'_>,
        whole: (f64, f64),
    ) -> Option<(&CandleLevel, std::ops::Range<usize>)> {
        let view = base::in_view(plot, whole);
        let width = plot.response().rect.width();
        self.candles.in_view(view, (width / CANDLE_WIDTH).max(1.0) as usize)
    }

    /// The candle under the pointer.
    fn readings(&self, hover: &HoverPosition<'_>) -> Option<String> {
        let (HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position }) =
            hover;
        let level = self.candles.levels.iter().find(|level| level.merged == self.merged.get())?;
        let after = level.candles.partition_point(|candle| candle.from_secs <= position.x);
        let candle = level.candles.get(after.checked_sub(1)?)?;
        Some(in_words(candle, level.merged))
    }
}

fn in_words(candle: &Candle, merged: usize) -> String {
    let moment = |secs: f64| minute(UtcMillis((1000.0 * secs).round() as i64));
    let price = |value: f64| significant(Some(value));
    let span = if merged == 1 {
        format!("{} UTC", moment(candle.from_secs))
    } else {
        format!("{} to {} UTC", moment(candle.from_secs), moment(candle.until_secs))
    };
    format!(
        "{span}\nopen  {}\nhigh  {}\nlow  {}\nclose  {}\nvolume  {}",
        price(candle.open),
        price(candle.high),
        price(candle.low),
        price(candle.close),
        price(candle.volume)
    )
}

/// Rising candles are hollow and falling ones filled, so that no colour is needed to tell them apart.
fn bodies(plot: &mut PlotUi<'_>, candles: &[Candle], palette: &Palette) {
    let body = |candle: &Candle, color: Color32, fill: Color32| {
        let (low, high) = (candle.open.min(candle.close), candle.open.max(candle.close));
        let spread = BoxSpread::new(candle.low, low, candle.close, high, candle.high);
        BoxElem::new(middle(candle), spread)
            .whisker_width(0.0)
            .box_width(BODY * (candle.until_secs - candle.from_secs))
            .stroke(Stroke::new(1.0, color))
            .fill(fill)
    };
    let (rising, falling): (Vec<&Candle>, Vec<&Candle>) =
        candles.iter().partition(|candle| candle.close >= candle.open);
    let (up, down) = (palette.series[2], palette.series[5]);
    let rising = rising.into_iter().map(|candle| body(candle, up, palette.surface)).collect();
    let falling = falling.into_iter().map(|candle| body(candle, down, down)).collect();
    plot.box_plot(BoxPlot::new("rising", rising).allow_hover(false));
    plot.box_plot(BoxPlot::new("falling", falling).allow_hover(false));
}

fn volumes(plot: &mut PlotUi<'_>, candles: &[Candle], palette: &Palette) {
    let bar = |candle: &Candle| {
        let width = BODY * (candle.until_secs - candle.from_secs);
        let fill = palette.text_weak.gamma_multiply(0.7);
        Bar::new(middle(candle), candle.volume).width(width).fill(fill).stroke(Stroke::NONE)
    };
    let bars = candles.iter().map(bar).collect();
    plot.bar_chart(BarChart::new("volume", bars).allow_hover(false));
}

fn middle(candle: &Candle) -> f64 {
    f64::midpoint(candle.from_secs, candle.until_secs)
}

/// How a candle stands for bars, in words.
pub(in crate::ui) fn candle_in_words(merged: usize) -> String {
    match merged {
        0 | 1 => "Each candle is a bar".to_owned(),
        merged => format!("Each candle is {} bars", count(merged as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candle_says_when_and_what_and_a_merged_one_until_when() {
        let candle = Candle {
            from_secs: 0.0,
            until_secs: 14_400.0,
            open: 1.0,
            high: 2.5,
            low: 0.5,
            close: 2.0,
            volume: 10.0,
        };
        let merged = in_words(&candle, 4);
        assert!(merged.starts_with("1970-01-01 00:00 to 1970-01-01 04:00 UTC\nopen  1.000"));
        assert!(merged.ends_with("close  2.000\nvolume  10.00"), "{merged}");
        assert!(in_words(&candle, 1).starts_with("1970-01-01 00:00 UTC\n"));
        assert_eq!(candle_in_words(1), "Each candle is a bar");
        assert_eq!(candle_in_words(64), "Each candle is 64 bars");
    }
}
