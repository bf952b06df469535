use egui::{ComboBox, Layout as Direction, RichText, Slider, Ui};

use super::charts::Chart;
use super::groups::Layout;
use super::{TrainingPanel, watches};
use crate::ui::commands::{Command, Commands, Purpose};
use crate::ui::icons;
use crate::ui::plots::scale::XAxis;
use crate::ui::state::{RunView, State};
use crate::ui::theme::Themed;
use crate::ui::widgets;

/// Room for the slider, in points.
const SLIDER_WIDTH: f32 = 60.0;

impl TrainingPanel {
    /// How curves are drawn, and ways out of the window.
    pub(super) fn controls(
        &mut self,
        ui: &mut Ui,
        state: &State,
        (run, shown): (&RunView, &[usize]),
        commands: &mut Commands,
    ) {
        ui.horizontal(|ui| {
            self.charts_menu(ui, run, shown);
            let view = &mut self.view;
            let combo = ComboBox::from_id_salt("axis").width(58.0).selected_text(view.axis.name());
            let combo = combo.show_ui(ui, |ui| {
                for axis in XAxis::ALL {
                    ui.selectable_value(&mut view.axis, axis, axis.name());
                }
            });
            let response = combo.response.on_hover_text(
                "What curves are drawn over: epochs, optimizer steps, or the time at work without pauses",
            );
            widgets::name(&response, egui::Role::ComboBox, "Curves over");
            let combo =
                ComboBox::from_id_salt("layout").width(76.0).selected_text(view.layout.name());
            let combo = combo.show_ui(ui, |ui| {
                for layout in Layout::ALL {
                    ui.selectable_value(&mut view.layout, layout, layout.name());
                }
            });
            let response = combo.response.on_hover_text(
                "All tasks in one plot, or the losses of each symbol or fold in a plot of their own",
            );
            widgets::name(&response, egui::Role::ComboBox, "Plots");
            ui.label(RichText::new("Smooth").color(ui.palette().text_weak));
            ui.spacing_mut().slider_width = SLIDER_WIDTH;
            let slider = Slider::new(&mut view.smoothing, 0.0..=0.99).show_value(false);
            let slider = ui.add(slider).on_hover_text(format!(
                "Smoothing {:.2}: the weight of what was in an exponentially weighted mean; the raw line stays beneath",
                view.smoothing
            ));
            widgets::name(&slider, egui::Role::Slider, "Smoothing");
            ui.checkbox(&mut view.log, "Log loss");
            ui.checkbox(&mut view.validation_only, "Validation only").on_hover_text(
                "Thin lines are training losses, bold ones validation losses, ◊ the epoch whose weights are kept",
            );
            ui.with_layout(Direction::right_to_left(egui::Align::Center), |ui| {
                self.ways_out(ui, state, (run, shown), commands);
            });
        });
    }

    /// Which metrics have a plot besides the losses.
    fn charts_menu(&mut self, ui: &mut Ui, run: &RunView, shown: &[usize]) {
        let is_alone = self.view.layout != Layout::Together;
        let menu = ui.menu_button("Charts", |ui| {
            let watched = watches(run, shown);
            let of_watched = if watched {
                widgets::capital(run.watched_name())
            } else {
                "Watched metric: the loss itself".to_owned()
            };
            for (chart, text, is_known) in [
                (Chart::Watched, of_watched.as_str(), watched),
                (Chart::LearningRate, "Learning rate", true),
                (Chart::GradientNorm, "Gradient norm, before clipping", true),
            ] {
                let beneath = &mut self.view.beneath;
                let mut is_on = beneath.contains(&chart);
                let check = egui::Checkbox::new(&mut is_on, text);
                if ui.add_enabled(is_known && !is_alone, check).changed() {
                    if is_on {
                        beneath.insert(chart);
                    } else {
                        beneath.remove(&chart);
                    }
                }
            }
            if is_alone {
                widgets::hint(ui, "Beside the losses in one plot");
            }
        });
        let response = menu.response.on_hover_text("What is drawn beneath the losses");
        widgets::name(&response, egui::Role::Button, "Charts");
    }

    fn ways_out(
        &mut self,
        ui: &mut Ui,
        state: &State,
        (run, shown): (&RunView, &[usize]),
        commands: &mut Commands,
    ) {
        let menu = ui.menu_button(icons::EXPORT, |ui| {
            if widgets::button(ui, icons::CHART_LINE, "Charts as PNG…", true).clicked() {
                commands.send(Command::AskForPath(Purpose::Picture, format!("{}.png", run.id)));
                ui.close();
            }
            if widgets::button(ui, icons::TERMINAL_WINDOW, "Curves as CSV or Parquet…", true)
                .clicked()
            {
                let purpose = Purpose::Curves(run.id.clone());
                commands.send(Command::AskForPath(purpose, format!("{}-curves.csv", run.id)));
                ui.close();
            }
        });
        let response = menu.response.on_hover_text("Export charts or curves");
        widgets::name(&response, egui::Role::Button, "Export curves");
        let (icon, text, help) = if self.frozen.is_some() {
            (icons::PLAY, "Follow", "Let the curves go on growing")
        } else {
            (icons::SNOWFLAKE, "Freeze", "Let the curves stand still; training goes on")
        };
        let button = widgets::icon_button(ui, icon, text).on_hover_text(help);
        if button.clicked() {
            self.freeze(state, run, shown);
        }
    }
}
