//! Whether the experiment's numbers can be believed: the leak check, its features and label to look at, and the market files by themselves.

mod choices;
mod contrast;
mod distribution;
mod leaks;
mod market;
mod offer;
mod series;

use std::sync::Arc;

use egui::{RichText, Ui};

use self::leaks::LeaksView;
use self::market::MarketView;
use self::offer::Offer;
use crate::spec::{ExperimentSpec, FeatureSpec};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::plots::feature::FeaturePlot;
use crate::ui::state::State;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;
use crate::workbench::Look;

/// The checks of the experiment on the bench.
#[derive(Debug, Default)]
pub(in crate::ui) struct ChecksPanel {
    view: View,
    /// The leak check also trains on shuffled folds.
    pub(in crate::ui) contrast: bool,
    leaks: LeaksView,
    looking: Looking,
    market: MarketView,
}

/// What is looked at, and how it is drawn.
#[derive(Debug, Default)]
struct Looking {
    choices: choices::Choices,
    /// What can be chosen from.
    offer: Option<Offer>,
    /// The points of what is shown over the price.
    plot: Option<FeaturePlot>,
}

/// What the panel shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum View {
    #[default]
    Leaks,
    Distributions,
    Price,
    Series,
}

impl View {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Leaks, "Leak check", "Does anything know what it cannot have known?"),
        (
            Self::Distributions,
            "Distributions",
            "How a feature and the label are distributed in train, validation and test",
        ),
        (
            Self::Price,
            "Over the price",
            "A feature over time, under the price it was computed from",
        ),
        (
            Self::Series,
            "Market data",
            "One series by itself: its price, what is wrong with its file, how the file is read",
        ),
    ];
}

impl ChecksPanel {
    /// Puts the leak check in front.
    pub(in crate::ui) const fn show_leaks(&mut self) {
        self.view = View::Leaks;
    }

    /// Puts the series chosen in Data in front.
    pub(in crate::ui) const fn show_series(&mut self) {
        self.view = View::Series;
    }

    /// Whether the leak check is in front.
    pub(in crate::ui) fn is_on_leaks(&self) -> bool {
        self.view == View::Leaks
    }

    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, state: &State, commands: &mut Commands) {
        ui.horizontal_wrapped(|ui| {
            for (view, name, help) in View::ALL {
                let tab = ui.selectable_label(self.view == view, name);
                if tab.on_hover_text(help).clicked() {
                    self.view = view;
                }
            }
        });
        ui.add_space(space::XS);
        match self.view {
            View::Leaks => self.leaks.show(ui, state, &mut self.contrast, commands),
            View::Distributions => self.looking.distributions(ui, state, commands),
            View::Price => self.looking.over_the_price(ui, state, commands),
            View::Series => self.market.show(ui, state, commands),
        }
    }
}

impl Looking {
    /// Draws what can be chosen, asks the engine for it, and gives what there is to see so far. `pooling` offers the series' companions as well.
    fn choose<'a>(
        &mut self,
        ui: &mut Ui,
        state: &'a State,
        pooling: bool,
        commands: &mut Commands,
    ) -> Option<&'a Arc<Look>> {
        let Some(plan) = &state.preview.plan else {
            nothing(ui, state);
            return None;
        };
        if self.offer.as_ref().is_none_or(|offer| !Arc::ptr_eq(&offer.plan, plan)) {
            self.offer = Some(Offer::new(plan));
        }
        let offer = self.offer.as_ref()?;
        self.choices.show(ui, offer, pooling);
        let Some(at) = self.choices.at(offer) else {
            let next = "The plan has no task. The Plan panel says what is left out, and why.";
            widgets::empty_state(ui, icons::CHART_BAR, "Nothing to look at", next);
            return None;
        };
        // While a plan is made for a draft that has changed, what is in view stays.
        if !state.preview.pending && !state.looks.has_asked(plan, &at) {
            commands.send(Command::Look(at.clone()));
        }
        if let Some(error) = &state.looks.error {
            widgets::problem(ui, error);
            let again = widgets::button(ui, icons::ARROW_COUNTER_CLOCKWISE, "Look again", true);
            if again.clicked() {
                commands.send(Command::Look(at));
            }
            return None;
        }
        if state.looks.look.is_none() {
            let next = "Bars are read, and features and labels computed.";
            widgets::empty_state(ui, icons::HOURGLASS_MEDIUM, "Looking…", next);
        }
        state.looks.look.as_ref()
    }
}

/// Why there is nothing to look at yet, and what makes it so.
fn nothing(ui: &mut Ui, state: &State) {
    let Some(waits) = state.start_waits_for() else {
        let next = "Bars are read and time is cut into folds.";
        widgets::empty_state(ui, icons::HOURGLASS_MEDIUM, "Planning…", next);
        return;
    };
    let next = format!(
        "{waits}. Features and labels can be looked at as soon as the experiment can be planned."
    );
    widgets::empty_state(ui, icons::CHART_BAR, "Nothing to look at yet", &next);
}

/// Unit or range of a column's values, where the experiment still has its feature.
fn unit(spec: &ExperimentSpec, column: &str) -> Option<&'static str> {
    let has = |feature: &&FeatureSpec| feature.columns().iter().any(|name| name == column);
    spec.features.iter().find(has).map(|feature| feature.kind().unit)
}

/// A sentence of less weight.
fn note(ui: &mut Ui, text: &str) {
    let text = RichText::new(text).small().color(ui.palette().text_weak);
    ui.add(egui::Label::new(text).wrap());
}
