//! What to run: [`ExperimentSpec`] and every specification in it, presets, `--set`, validation with the place of each error.
//!
//! A specification is plain serde data, written in RON. This room uses `domain` only; it must never know libtorch, threads or market files.

mod command_line;
mod differences;
mod edit;
mod error;
mod experiment;
mod features;
mod fields;
mod label;
mod model;
mod presets;
mod quality;
mod schema1;
mod sweep;
mod training;
mod validate;
mod validation;
mod weights;

pub(crate) use command_line::value_text;
pub use command_line::{DEFAULT_RUNS, command_line, command_line_beside};
pub use differences::{Difference, default_of, differences};
pub use edit::{Assignment, apply};
pub use error::{SpecError, SpecIssue};
pub use experiment::{
    CostSpec, DataSource, DataSpec, DeviceChoice, ExperimentSpec, Pooling, ResourceSpec,
    SCHEMA_VERSION, SyntheticMarket, SyntheticSpec,
};
pub use features::{
    ALPHA158_WINDOWS, FEATURES, FeatureGroup, FeatureKind, FeatureSpec, Parameter, ParameterMut,
    ParameterValue, ParameterValueMut,
};
pub use fields::{FIELDS, Field, Range, field};
pub use label::{DeadZone, InsideDeadZone, LabelSpec, Timeout};
pub use model::{Activation, ModelSpec, Tokens};
pub use presets::{DEFAULT_PRESET, PRESETS, Preset, load, read};
pub use quality::{Policy, QualitySpec};
pub use sweep::{Combine, MOST_VARIANTS, SweepAxis, SweepSpec, Variant};
pub use training::{LossSpec, Monitor, OptimizerSpec, Precision, ScheduleSpec, TrainingSpec};
pub use validation::{Portion, ValidationSpec};
pub use weights::{Scaling, WeightSpec};
