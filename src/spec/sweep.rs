use serde::{Deserialize, Serialize};

use super::validate::Check;
use super::{Assignment, ExperimentSpec, SpecError, SpecIssue, apply};
use crate::domain::Setting;

/// More variants than this are a mistake in typing: each is a run.
pub const MOST_VARIANTS: usize = 10_000;

/// Variants of an experiment: values for some of its fields, and seeds. Without any, the experiment is itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepSpec {
    /// How the axes make variants.
    #[serde(default)]
    pub combine: Combine,
    /// The fields that differ, and their values.
    #[serde(default)]
    pub axes: Vec<SweepAxis>,
    /// Every variant once with each of these seeds; empty: with the experiment's own.
    #[serde(default)]
    pub seeds: Vec<u64>,
}

/// How axes make variants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Combine {
    /// Every value of each axis with every value of the others, the last axis changing fastest.
    #[default]
    Grid,
    /// The first values of all axes together, then the second ones, and so on: all axes have as many.
    List,
}

/// A field and the values it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepAxis {
    /// The field as `--set` takes it: `training.learning_rate`.
    pub path: String,
    /// The values as `--set` takes them: `0.001`, `[64,64]`, `Huber`.
    pub values: Vec<String>,
}

/// One experiment of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// What it sets, axis by axis, and last the seed where there are several.
    pub settings: Vec<Setting>,
    /// The experiment, without a sweep.
    pub spec: ExperimentSpec,
}

impl SweepSpec {
    /// Whether there is nothing to vary.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.axes.is_empty() && self.seeds.is_empty()
    }

    /// How many variants there are: 1 where there is nothing to vary.
    #[must_use]
    pub fn len(&self) -> usize {
        let lengths = self.axes.iter().map(|axis| axis.values.len());
        let combined = match self.combine {
            Combine::Grid => lengths.fold(1_usize, usize::saturating_mul),
            Combine::List => lengths.max().unwrap_or(1),
        };
        combined.saturating_mul(self.seeds.len().max(1))
    }

    /// The settings of every variant, in order.
    fn table(&self) -> Vec<Vec<Setting>> {
        let mut rows: Vec<Vec<Setting>> = match self.combine {
            Combine::Grid => self.axes.iter().fold(vec![Vec::new()], |rows, axis| {
                let extend = |row: &Vec<Setting>| {
                    let row = row.clone();
                    axis.values.iter().map(move |value| with(row.clone(), &axis.path, value))
                };
                rows.iter().flat_map(extend).collect()
            }),
            Combine::List => (0..self.axes.first().map_or(1, |axis| axis.values.len()))
                .map(|place| {
                    let settings = self.axes.iter().filter_map(|axis| {
                        Some(Setting {
                            path: axis.path.clone(),
                            value: axis.values.get(place)?.clone(),
                        })
                    });
                    settings.collect()
                })
                .collect(),
        };
        if !self.seeds.is_empty() {
            let with_seeds = |row: Vec<Setting>| {
                self.seeds.iter().map(move |seed| with(row.clone(), "seed", &seed.to_string()))
            };
            rows = rows.into_iter().flat_map(with_seeds).collect();
        }
        rows
    }

    /// What is wrong with the sweep itself, whatever its experiment.
    pub(super) fn check(&self, check: &mut Check) {
        for (index, axis) in self.axes.iter().enumerate() {
            let field = |name: &str| format!("sweep.axes[{index}].{name}");
            if axis.values.is_empty() {
                check.fail(
                    &field("values"),
                    "there is none; give at least one, or remove the axis".to_owned(),
                );
            }
            if axis.path == "sweep" || axis.path.starts_with("sweep.") {
                check.fail(
                    &field("path"),
                    "a sweep cannot vary itself; name another field".to_owned(),
                );
            }
            if axis.path == "seed" && !self.seeds.is_empty() {
                check.fail(
                    &field("path"),
                    "seeds are in sweep.seeds already; keep one of the two".to_owned(),
                );
            }
            if self.axes[..index].iter().any(|earlier| earlier.path == axis.path) {
                check.fail(
                    &field("path"),
                    format!("`{}` has an axis already; put its values there", axis.path),
                );
            }
        }
        let mut lengths = self.axes.iter().map(|axis| axis.values.len());
        let first = lengths.next().unwrap_or(0);
        if self.combine == Combine::List && lengths.any(|length| length != first) {
            let all: Vec<String> = self
                .axes
                .iter()
                .map(|axis| format!("{} has {}", axis.path, axis.values.len()))
                .collect();
            check.fail(
                "sweep.axes",
                format!("a list needs equally many values on every axis: {}", all.join(", ")),
            );
        }
        let mut seeds = self.seeds.clone();
        seeds.sort_unstable();
        seeds.dedup();
        if seeds.len() < self.seeds.len() {
            check.fail(
                "sweep.seeds",
                "a seed is there twice, which trains the same twice".to_owned(),
            );
        }
        if self.len() > MOST_VARIANTS {
            check.fail(
                "sweep",
                format!("{} variants are more than {MOST_VARIANTS}; leave values out", self.len()),
            );
        }
    }
}

fn with(mut row: Vec<Setting>, path: &str, value: &str) -> Vec<Setting> {
    row.push(Setting { path: path.to_owned(), value: value.to_owned() });
    row
}

impl ExperimentSpec {
    /// Every variant of the experiment's sweep as an experiment of its own; the experiment itself where there is nothing to vary.
    ///
    /// # Errors
    /// [`SpecError`] naming the axis that is wrong, the value that its field cannot take, or the variant that cannot run.
    pub fn variants(&self) -> Result<Vec<Variant>, SpecError> {
        let mut check = Check::default();
        self.sweep.check(&mut check);
        check.into_result().map_err(SpecError::Invalid)?;
        let base = Self { sweep: SweepSpec::default(), ..self.clone() };
        let variant = |settings: Vec<Setting>| {
            let assignments: Vec<Assignment> = settings
                .iter()
                .map(|setting| Assignment::parse_value(&setting.path, &setting.value))
                .collect();
            let spec = apply(&base, &assignments)?;
            spec.validate().map_err(|issues| {
                SpecError::Invalid(
                    issues.into_iter().map(|issue| in_variant(issue, &settings)).collect(),
                )
            })?;
            Ok(Variant { settings, spec })
        };
        self.sweep.table().into_iter().map(variant).collect()
    }
}

fn in_variant(issue: SpecIssue, settings: &[Setting]) -> SpecIssue {
    if settings.is_empty() {
        return issue;
    }
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    SpecIssue {
        message: format!("{} (in the variant {})", issue.message, settings.join(" ")),
        ..issue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load;

    fn swept(sweep: SweepSpec) -> ExperimentSpec {
        ExperimentSpec { sweep, ..load("mlp-return").unwrap() }
    }

    fn axis(path: &str, values: &[&str]) -> SweepAxis {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        SweepAxis { path: path.to_owned(), values }
    }

    #[test]
    fn a_grid_has_every_combination_and_each_seed() {
        let axes = vec![
            axis("training.learning_rate", &["0.01", "0.001", "0.0001"]),
            axis("model.hidden", &["[8]", "[16,16]"]),
        ];
        let spec = swept(SweepSpec { combine: Combine::Grid, axes, seeds: vec![1, 2] });
        let variants = spec.variants().unwrap();
        assert_eq!((variants.len(), spec.sweep.len()), (12, 12));
        let text = |at: usize| {
            let settings: Vec<String> =
                variants[at].settings.iter().map(ToString::to_string).collect();
            settings.join(" ")
        };
        assert_eq!(text(0), "training.learning_rate=0.01 model.hidden=[8] seed=1");
        assert_eq!(text(1), "training.learning_rate=0.01 model.hidden=[8] seed=2");
        assert_eq!(text(11), "training.learning_rate=0.0001 model.hidden=[16,16] seed=2");
        assert_eq!(variants[11].spec.training.learning_rate, 1e-4);
        assert_eq!(variants[11].spec.seed, 2);
        assert!(variants.iter().all(|variant| variant.spec.sweep.is_empty()));
        let hashes: std::collections::BTreeSet<_> =
            variants.iter().map(|variant| variant.spec.content_hash()).collect();
        assert_eq!(hashes.len(), 12);
    }

    #[test]
    fn a_list_goes_through_its_axes_together() {
        let axes = vec![axis("window", &["4", "8"]), axis("label.horizon", &["1", "2"])];
        let spec = swept(SweepSpec { combine: Combine::List, axes, seeds: Vec::new() });
        let seen: Vec<_> = spec
            .variants()
            .unwrap()
            .iter()
            .map(|v| (v.spec.window, v.spec.label.horizon()))
            .collect();
        assert_eq!(seen, [(4, 1), (8, 2)]);
    }

    #[test]
    fn nothing_to_vary_is_the_experiment_itself() {
        let spec = load("mlp-return").unwrap();
        let variants = spec.variants().unwrap();
        assert_eq!(variants, [Variant { settings: Vec::new(), spec }]);
    }

    #[test]
    fn what_cannot_be_swept_is_named() {
        let list = |axes| SweepSpec { combine: Combine::List, axes, seeds: Vec::new() };
        let grid = |axes| SweepSpec { axes, ..SweepSpec::default() };
        let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (sweep, expected) in [
            (grid(vec![axis("window", &[])]), "sweep.axes[0].values: there is none"),
            (grid(vec![axis("windw", &["3"])]), "has no field `windw`"),
            (grid(vec![axis("window", &["0"])]), "(in the variant window=0)"),
            (grid(vec![axis("window", &["3"]), axis("window", &["4"])]), "has an axis already"),
            (grid(vec![axis("sweep.seeds", &["[1]"])]), "cannot vary itself"),
            (list(vec![axis("window", &["3"]), axis("seed", &["4", "5"])]), "equally many values"),
            (
                grid(vec![axis("window", &many), axis("seed", &many)]),
                "10201 variants are more than",
            ),
            (SweepSpec { seeds: vec![4, 4], ..SweepSpec::default() }, "twice"),
            (
                SweepSpec {
                    seeds: vec![4],
                    axes: vec![axis("seed", &["5"])],
                    ..SweepSpec::default()
                },
                "sweep.seeds already",
            ),
        ] {
            let error = swept(sweep).variants().unwrap_err().to_string();
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}
