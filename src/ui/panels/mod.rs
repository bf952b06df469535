//! The panels: each a struct with what only it needs to remember, drawn from the state, sending commands.

pub(super) mod checks;
pub(super) mod compare;
pub(super) mod data;
pub(super) mod devices;
mod features;
pub(super) mod log;
pub(super) mod models;
pub(super) mod plan;
mod policies;
pub(super) mod queue;
pub(super) mod results;
mod run_picker;
pub(super) mod runs;
pub(super) mod strategy;
pub(super) mod training;

use serde::{Deserialize, Serialize};

use super::commands::Commands;
use super::layout::PanelKind;
use super::state::State;

/// How the panels show what they show; survives a restart.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct PanelViews {
    pub(super) data: data::DataView,
    pub(super) strategy: strategy::StrategyView,
    pub(super) training: training::TrainingView,
    pub(super) runs: runs::RunsView,
    pub(super) compare: compare::CompareView,
    pub(super) results: results::ResultsView,
    pub(super) models: models::ModelsView,
    pub(super) queue: queue::QueueView,
}

/// Every panel.
#[derive(Debug)]
pub(super) struct Panels {
    pub(super) data: data::DataPanel,
    pub(super) strategy: strategy::StrategyPanel,
    pub(super) plan: plan::PlanPanel,
    pub(super) checks: checks::ChecksPanel,
    pub(super) training: training::TrainingPanel,
    pub(super) results: results::ResultsPanel,
    pub(super) runs: runs::RunsPanel,
    pub(super) compare: compare::ComparePanel,
    pub(super) models: models::ModelsPanel,
    pub(super) queue: queue::QueuePanel,
    pub(super) log: log::LogPanel,
}

impl Panels {
    pub(super) fn new(views: &PanelViews) -> Self {
        Self {
            data: data::DataPanel::new(views.data),
            strategy: strategy::StrategyPanel::new(views.strategy),
            plan: plan::PlanPanel::default(),
            checks: checks::ChecksPanel::default(),
            training: training::TrainingPanel::new(views.training.clone()),
            results: results::ResultsPanel::new(&views.results),
            runs: runs::RunsPanel::new(&views.runs),
            compare: compare::ComparePanel::new(views.compare),
            models: models::ModelsPanel::new(views.models),
            queue: queue::QueuePanel::new(views.queue.clone()),
            log: log::LogPanel::default(),
        }
    }

    /// What to remember of them.
    pub(super) fn views(&self) -> PanelViews {
        PanelViews {
            data: self.data.view,
            strategy: self.strategy.view,
            training: self.training.view.clone(),
            runs: self.runs.view.clone(),
            compare: self.compare.view,
            results: self.results.view.clone(),
            models: self.models.view,
            queue: self.queue.view.clone(),
        }
    }

    /// Draws one of them.
    pub(super) fn show(
        &mut self,
        kind: PanelKind,
        ui: &mut egui::Ui,
        state: &State,
        commands: &mut Commands,
    ) {
        match kind {
            PanelKind::Data => self.data.show(ui, state, commands),
            PanelKind::Strategy => self.strategy.show(ui, state, commands),
            PanelKind::Plan => self.plan.show(ui, state, commands),
            PanelKind::Checks => self.checks.show(ui, state, commands),
            PanelKind::Training => self.training.show(ui, state, commands),
            PanelKind::Results => self.results.show(ui, state, commands),
            PanelKind::Runs => self.runs.show(ui, state, commands),
            PanelKind::Compare => self.compare.show(ui, state, commands),
            PanelKind::Models => self.models.show(ui, state, commands),
            PanelKind::Queue => self.queue.show(ui, state, commands),
            PanelKind::Devices => devices::DevicesPanel::show(ui, state, commands),
            PanelKind::Log => self.log.show(ui, state),
        }
    }
}
