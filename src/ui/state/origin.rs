use std::sync::Arc;

use crate::spec::{Difference, ExperimentSpec, PRESETS, differences, load};

/// What is chosen elsewhere than in the strategy, or says nothing of it: no change of what an experiment began as.
const PASSED_OVER: [&str; 9] = [
    "schema",
    "name",
    "notes",
    "sweep",
    "data.source",
    "data.symbols",
    "data.timeframes",
    "data.from",
    "data.until",
];

/// What a draft began as: a preset, or an experiment from a file.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    spec: Arc<ExperimentSpec>,
    is_preset: bool,
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spec, &other.spec) || self.spec == other.spec
    }
}

impl Origin {
    pub(crate) fn new(spec: ExperimentSpec) -> Self {
        let is_preset = PRESETS.iter().any(|preset| preset.name == spec.name)
            && load(&spec.name).is_ok_and(|preset| preset == spec);
        Self { spec: Arc::new(spec), is_preset }
    }

    /// Of an experiment that has been put on the bench: the preset whose name it has, else itself.
    pub(crate) fn of(spec: &ExperimentSpec) -> Self {
        let preset = PRESETS.iter().find(|preset| preset.name == spec.name);
        let preset = preset.and_then(|preset| load(preset.name).ok());
        Self::new(preset.unwrap_or_else(|| spec.clone()))
    }

    pub(crate) fn spec(&self) -> &ExperimentSpec {
        &self.spec
    }

    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    /// Whether it came with the program.
    pub(crate) const fn is_preset(&self) -> bool {
        self.is_preset
    }

    /// What has been changed since.
    pub(super) fn differences(&self, spec: &ExperimentSpec) -> Vec<Difference> {
        let mut found = differences(&self.spec, spec);
        found.retain(|difference| {
            !PASSED_OVER.iter().any(|&passed| {
                let rest = difference.path.strip_prefix(passed);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
        });
        found
    }
}
