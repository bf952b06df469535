use serde::Deserialize;

use super::{
    CostSpec, DataSpec, ExperimentSpec, FeatureSpec, LabelSpec, ModelSpec, ResourceSpec,
    SCHEMA_VERSION, SweepSpec, TrainingSpec, ValidationSpec,
};
use crate::domain::Length;

/// An experiment as versions up to 0.2 wrote it: walk-forward was the only scheme, and its lengths were bars.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schema1 {
    /// Read before, to know which version this is.
    #[serde(rename = "schema")]
    _schema: u32,
    name: String,
    #[serde(default)]
    notes: String,
    data: DataSpec,
    features: Vec<FeatureSpec>,
    window: u32,
    label: LabelSpec,
    validation: WalkForwardInBars,
    model: ModelSpec,
    training: TrainingSpec,
    #[serde(default)]
    costs: CostSpec,
    #[serde(default)]
    resources: ResourceSpec,
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WalkForwardInBars {
    train_bars: u32,
    validation_bars: u32,
    test_bars: u32,
    #[serde(default)]
    step_bars: Option<u32>,
    #[serde(default)]
    embargo_bars: u32,
    #[serde(default)]
    max_folds: Option<u32>,
}

impl From<Schema1> for ExperimentSpec {
    fn from(old: Schema1) -> Self {
        let folds = old.validation;
        Self {
            schema: SCHEMA_VERSION,
            name: old.name,
            notes: old.notes,
            data: old.data,
            features: old.features,
            window: old.window,
            scaling: super::Scaling::default(),
            label: old.label,
            weights: super::WeightSpec::default(),
            validation: ValidationSpec::WalkForward {
                anchored: false,
                train: Length::Bars(folds.train_bars),
                validation: Length::Bars(folds.validation_bars),
                test: Length::Bars(folds.test_bars),
                step: folds.step_bars.map(Length::Bars),
                embargo: Length::Bars(folds.embargo_bars),
                max_folds: folds.max_folds,
            },
            model: old.model,
            training: old.training,
            costs: old.costs,
            resources: old.resources,
            seed: old.seed,
            sweep: SweepSpec::default(),
        }
    }
}
