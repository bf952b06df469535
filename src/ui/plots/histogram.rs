use egui::{Pos2, Rect, Role, Sense, Stroke, TextStyle, Ui, WidgetInfo, vec2};
use egui_plot::{Bar, BarChart, HoverPosition, Line, LineStyle, PlotPoint, PlotPoints};

use super::axes::{bottom_axis, bottom_marks, side_axis};
use super::base;
use super::stroke::{LineLook, SAMPLE_WIDTH};
use crate::dataset::Section;
use crate::domain::text::{count, percent, significant};
use crate::ui::theme::{Palette, Themed, space};
use crate::ui::widgets;
use crate::workbench::{Distribution, SectionDistribution};

/// As a heading.
const fn section_name(section: Section) -> &'static str {
    match section {
        Section::Train => "Train",
        Section::Validation => "Validation",
        Section::Test => "Test",
    }
}

/// How solid the train section's bars are.
const TRAIN_OPACITY: f32 = 0.45;

/// How a section's line looks: its colour is that of the fold chart, its style tells it apart without colour. The train section is drawn as bars.
fn look_of(section: Section, palette: &Palette) -> LineLook {
    let (color, width, style) = match section {
        Section::Train => (palette.train, 1.6, LineStyle::Solid),
        Section::Validation => (palette.validation, 1.8, LineStyle::dashed_dense()),
        Section::Test => (palette.test, 1.6, LineStyle::dotted_dense()),
    };
    LineLook { color, width, style }
}

/// Draws how a quantity is distributed in each section: bars for train, steps for the others, whose height is the share of the section's rows, so that sections of different
/// length compare. `name` says of what.
pub(in crate::ui) fn show(ui: &mut Ui, name: &str, data: &Distribution, height: f32) {
    let (Some(first), Some(last)) = (data.edges.first(), data.edges.last()) else { return };
    let palette = ui.palette();
    let font = TextStyle::Small.resolve(ui.style());
    let plot = base::sideways(("histogram", name), height, palette)
        .allow_zoom(false)
        .allow_drag(false)
        .set_margin_fraction(vec2(0.01, 0.06))
        .include_x(*first)
        .include_x(*last)
        .include_y(0.0)
        .x_grid_spacer(|input| bottom_marks(&input))
        .custom_x_axes(vec![bottom_axis(font.clone(), palette)])
        .custom_y_axes(vec![side_axis("% of rows", font, palette)])
        .label_formatter(|hover| readings(hover, data));
    let response = plot.show(ui, |plot| {
        // Train first, under the others.
        for section in data.sections.iter().filter(|section| section.rows > 0) {
            let look = look_of(section.section, palette);
            if section.section == Section::Train {
                let fill = look.color.gamma_multiply(TRAIN_OPACITY);
                let bars =
                    bars(&data.edges, section).map(|bar| bar.fill(fill).stroke(Stroke::NONE));
                let chart = BarChart::new(section_name(section.section), bars.collect());
                plot.bar_chart(chart.allow_hover(false));
                continue;
            }
            let steps = steps(&data.edges, section);
            let line = Line::new(section_name(section.section), PlotPoints::Owned(steps))
                .color(look.color)
                .width(look.width)
                .style(look.style)
                .allow_hover(false);
            plot.line(line);
        }
    });
    let name = format!("Distribution of {name} in train, validation and test");
    widgets::name(&response.response, Role::Image, &name);
}

/// A section's bins, in percent of its rows.
fn bars(edges: &[f64], section: &SectionDistribution) -> impl Iterator<Item = Bar> {
    let rows = section.rows as f64;
    edges.windows(2).zip(&section.counts).map(move |(pair, count)| {
        let middle = f64::midpoint(pair[0], pair[1]);
        Bar::new(middle, 100.0 * *count as f64 / rows).width(pair[1] - pair[0])
    })
}

/// The outline of a section's bins, in percent of its rows.
fn steps(edges: &[f64], section: &SectionDistribution) -> Vec<PlotPoint> {
    let share = |count: &u64| 100.0 * *count as f64 / section.rows as f64;
    let flat = |(pair, count): (&[f64], &u64)| {
        let y = share(count);
        [PlotPoint::new(pair[0], y), PlotPoint::new(pair[1], y)]
    };
    let tops = edges.windows(2).zip(&section.counts).flat_map(flat);
    let ends = (edges.first(), edges.last());
    let ground = |x: &f64| PlotPoint::new(*x, 0.0);
    ends.0.map(ground).into_iter().chain(tops).chain(ends.1.map(ground)).collect()
}

/// The bin under the pointer and every section's share of it.
fn readings(hover: &HoverPosition<'_>, data: &Distribution) -> Option<String> {
    let (HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position }) =
        hover;
    let after = data.edges.partition_point(|edge| *edge <= position.x);
    let (low, high) = (data.edges.get(after.checked_sub(1)?)?, data.edges.get(after)?);
    let span = format!("{} to {}", significant(Some(*low)), significant(Some(*high)));
    let share = |section: &SectionDistribution| {
        let inside = section.counts.get(after - 1).copied().unwrap_or_default();
        let share = (section.rows > 0).then(|| inside as f64 / section.rows as f64);
        format!("{}  {}", section_name(section.section), percent(share))
    };
    let lines: Vec<String> = std::iter::once(span).chain(data.sections.iter().map(share)).collect();
    Some(lines.join("\n"))
}

/// A row of line samples with the sections' names and rows.
pub(in crate::ui) fn legend(ui: &mut Ui, data: &Distribution) {
    for section in &data.sections {
        let palette = ui.palette();
        let font = TextStyle::Small.resolve(ui.style());
        let name = section_name(section.section);
        let text = format!("{name}  {}", count(section.rows));
        let galley = ui.painter().layout_no_wrap(text.clone(), font, palette.text);
        let size = vec2(SAMPLE_WIDTH + space::XS + galley.size().x, galley.size().y + 4.0);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text.as_str()));
        let y = rect.center().y;
        let look = look_of(section.section, palette);
        let left = Pos2::new(rect.left(), y);
        if section.section == Section::Train {
            let sample = Rect::from_min_size(left - vec2(0.0, 5.0), vec2(SAMPLE_WIDTH, 10.0));
            ui.painter().rect_filled(sample, 1.0, look.color.gamma_multiply(TRAIN_OPACITY));
        } else {
            look.sample(ui.painter(), left);
        }
        let x = rect.left() + SAMPLE_WIDTH + space::XS;
        ui.painter().galley(Pos2::new(x, y - galley.size().y / 2.0), galley, palette.text);
        response.on_hover_text("Rows of the section that are used");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_begins_and_ends_on_the_ground_and_stands_at_each_bins_share() {
        let section = SectionDistribution {
            section: Section::Test,
            rows: 8,
            missing: 0,
            mean: None,
            std: None,
            min: None,
            max: None,
            below: 1,
            counts: vec![2, 4],
            above: 1,
            distance: None,
        };
        let found: Vec<(f64, f64)> =
            steps(&[0.0, 1.0, 2.0], &section).iter().map(|point| (point.x, point.y)).collect();
        let expected = [(0.0, 0.0), (0.0, 25.0), (1.0, 25.0), (1.0, 50.0), (2.0, 50.0), (2.0, 0.0)];
        assert_eq!(found, expected);
    }
}
