//! What is known of the specification's fields beyond their types: one table that the check, the forms and the sweep editor read.

mod range;
mod table;

pub use range::Range;
pub use table::FIELDS;

/// A field of the specification, as people meet it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// As `--set` takes it, without the name of a variant; `[]` stands for any element of a list.
    pub path: &'static str,
    /// What forms call it.
    pub title: &'static str,
    /// What it is counted in, in the plural; empty where it is a plain number or no number.
    pub unit: &'static str,
    /// The numbers that can be run; those that depend on other fields are checked on top.
    pub range: Range,
    /// What it does, in a sentence.
    pub help: &'static str,
}

impl Field {
    /// A field of any value.
    pub(super) const fn new(path: &'static str, title: &'static str, help: &'static str) -> Self {
        Self { path, title, unit: "", range: Range::ANY, help }
    }

    /// The same, counted in this.
    pub(super) const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// The same, where only these numbers can be run.
    pub(super) const fn range(self, range: Range) -> Self {
        Self { range, ..self }
    }
}

/// What is known of the field at a path as `--set` takes it; `None` where nothing is.
#[must_use]
pub fn field(path: &str) -> Option<&'static Field> {
    let known = |path: &str| FIELDS.iter().find(|field| field.path == path);
    known(path).or_else(|| known(&without_places(path)))
}

/// `model.hidden[3]` → `model.hidden[]`.
fn without_places(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|letter| {
            let is_place = inside && letter.is_ascii_digit();
            inside = *letter == '[' || is_place;
            !is_place
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::ops::Bound;

    use super::*;
    use crate::spec::{Assignment, ExperimentSpec, PRESETS, apply, load};

    /// Experiments that have every field there is between them.
    fn experiments() -> Vec<ExperimentSpec> {
        let mut all: Vec<ExperimentSpec> =
            PRESETS.iter().map(|preset| load(preset.name).unwrap()).collect();
        for (preset, sets) in [
            (
                "mlp-return",
                &[
                    r#"label={"ScaledReturn":{"horizon":4,"volatility_window":24}}"#,
                    r#"training.loss={"Huber":{"delta":1.0}}"#,
                    r#"training.schedule={"Plateau":{"factor":0.5,"patience":2}}"#,
                    r#"training.optimizer={"Sgd":{"momentum":0.9,"nesterov":true}}"#,
                    r#"validation={"PurgedKFold":{"folds":5,"validation":100}}"#,
                ][..],
            ),
            (
                "linear-return",
                &[
                    r#"validation={"HoldOut":{"validation_from":"2015-06-01","test_from":"2015-09-01"}}"#,
                ],
            ),
            (
                "cross-section-mlp",
                &[
                    r#"label={"RankedReturn":{"horizon":4}}"#,
                    r#"training.schedule={"Cosine":{"warmup_epochs":1.0,"final_share":0.1}}"#,
                ],
            ),
            (
                "transformer-direction",
                &[
                    r#"label={"Direction":{"horizon":4,"dead_zone":{"Bps":5.0}}}"#,
                    "model.tokens={\"Patch\":{\"length\":4,\"stride\":4}}",
                ],
            ),
        ] {
            let sets: Vec<Assignment> = sets.iter().map(|set| set.parse().unwrap()).collect();
            all.push(apply(&load(preset).unwrap(), &sets).unwrap());
        }
        all
    }

    fn with(spec: &ExperimentSpec, path: &str, value: f64) -> Option<ExperimentSpec> {
        // A whole number where the field takes one, else any.
        let whole = (value.fract() == 0.0)
            .then(|| apply(spec, &[Assignment::new(path, value as i64)]).ok())
            .flatten();
        whole.or_else(|| apply(spec, &[Assignment::new(path, value)]).ok())
    }

    /// The nearest number beyond an end of the range.
    fn beyond(end: Bound<f64>, direction: f64, whole: bool) -> Option<f64> {
        match end {
            Bound::Unbounded => None,
            Bound::Excluded(value) => Some(value),
            Bound::Included(value) if whole => Some(value + direction),
            Bound::Included(value) => Some(value + direction * 1e-6),
        }
    }

    #[test]
    fn what_a_range_leaves_out_cannot_be_run() {
        let mut tried = std::collections::BTreeSet::new();
        for spec in experiments() {
            assert_eq!(spec.validate(), Ok(()), "{}", spec.name);
            for field in FIELDS.iter().filter(|field| field.range != Range::ANY) {
                let path = field.path.replace("[]", "[0]");
                let Range { least, most } = field.range;
                let whole = with(&spec, &path, 1.5).is_none();
                for number in [beyond(least, -1.0, whole), beyond(most, 1.0, whole)] {
                    let Some(changed) = number.and_then(|number| with(&spec, &path, number)) else {
                        continue;
                    };
                    let issues = changed.validate().unwrap_err();
                    let place = path.split(".dead_zone.").next().unwrap_or(&path);
                    let is_told = |issue: &crate::spec::SpecIssue| {
                        issue.field == path
                            || path.starts_with("label.dead_zone.")
                                && issue.field.starts_with(place)
                            || path.starts_with(&format!("{}[", issue.field))
                    };
                    assert!(issues.iter().any(is_told), "{path} = {number:?}: {issues:?}");
                    tried.insert(field.path);
                }
            }
        }
        for field in FIELDS.iter().filter(|field| field.range != Range::ANY) {
            // Of an optional one there may be no experiment with a value, but it can be set in any.
            assert!(tried.contains(field.path), "{} was never tried", field.path);
        }
    }

    #[test]
    fn every_field_of_the_table_is_in_some_specification_and_none_is_there_twice() {
        let experiments = experiments();
        for (index, field) in FIELDS.iter().enumerate() {
            assert!(!FIELDS[..index].iter().any(|other| other.path == field.path));
            assert!(!field.title.is_empty() && !field.help.is_empty(), "{}", field.path);
            let path = field.path.replace("[]", "[0]");
            let is_there = experiments.iter().any(|spec| {
                // Of a wrong type or not: what is not there is told apart by its message.
                match apply(spec, &[Assignment::new(path.as_str(), "?")]) {
                    Ok(_) => true,
                    Err(error) => {
                        let error = error.to_string();
                        !["no field", "no list", "so no ["].iter().any(|no| error.contains(no))
                    }
                }
            });
            assert!(is_there, "{}", field.path);
        }
    }

    #[test]
    fn elements_of_a_list_are_known_by_the_list() {
        assert_eq!(field("model.hidden[12]").map(|field| field.path), Some("model.hidden[]"));
        assert_eq!(field("model.hidden").map(|field| field.title), Some("Units"));
        assert_eq!(field("features[3]"), None);
    }
}
