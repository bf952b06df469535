use std::collections::BTreeMap;
use std::sync::Arc;

use crate::spec::{ExperimentSpec, SpecError, SpecIssue, SweepAxis, SweepSpec};

/// So many values of a field are tried, and so many variants: a few milliseconds.
const FEW: usize = 32;

/// What came of trying the values of a sweep on the experiment: whoever types into one of them has only that one tried again.
#[derive(Debug, Clone, Default)]
pub(super) struct Tries {
    /// The experiment that they were tried on, without its sweep.
    of: Option<Arc<ExperimentSpec>>,
    /// Path and value, and what is wrong.
    known: BTreeMap<(String, String), Option<Wrong>>,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wrong {
    /// There is no such field.
    Path(String),
    /// The field cannot be that.
    Value(String),
    /// The experiment cannot run like that; together with another field it may.
    Experiment(String),
}

impl PartialEq for Tries {
    fn eq(&self, _: &Self) -> bool {
        // What was found out says nothing of the draft that is not in it.
        true
    }
}

impl Tries {
    /// What is wrong with the values of a sweep, each beside its own field. Every value is tried by itself, which is a sum and not a product; what
    /// only fails together with others is found where there are few enough variants, and else when they are planned.
    pub(super) fn issues(&mut self, spec: &ExperimentSpec) -> Vec<SpecIssue> {
        if spec.sweep.is_empty() {
            *self = Self::default();
            return Vec::new();
        }
        let base = ExperimentSpec { sweep: SweepSpec::default(), ..spec.clone() };
        if self.of.as_deref() != Some(&base) {
            *self = Self { of: Some(Arc::new(base.clone())), ..Self::default() };
        }
        let mut issues = Vec::new();
        for (index, axis) in spec.sweep.axes.iter().enumerate() {
            let field = |part: &str| format!("sweep.axes[{index}].{part}");
            if axis.path.trim().is_empty() {
                let message = "choose the field that differs".to_owned();
                issues.push(SpecIssue { field: field("path"), message });
                continue;
            }
            let wrong = axis.values.iter().take(FEW).find_map(|value| {
                Some(match self.one(&base, &axis.path, value)? {
                    Wrong::Path(message) => ("path", message),
                    Wrong::Experiment(_) if spec.sweep.axes.len() > 1 => return None,
                    Wrong::Value(message) | Wrong::Experiment(message) => ("values", message),
                })
            });
            issues.extend(wrong.map(|(part, message)| SpecIssue { field: field(part), message }));
        }
        if issues.is_empty()
            && spec.sweep.len() <= FEW
            && let Err(error) = spec.variants()
        {
            issues.push(SpecIssue { field: "sweep".to_owned(), message: error.to_string() });
        }
        issues
    }

    fn one(&mut self, base: &ExperimentSpec, path: &str, value: &str) -> Option<Wrong> {
        let known = self.known.entry((path.to_owned(), value.to_owned()));
        known.or_insert_with(|| wrong(base, path, value)).clone()
    }
}

/// What is wrong with the experiment where a field has a value.
fn wrong(base: &ExperimentSpec, path: &str, value: &str) -> Option<Wrong> {
    let axis = SweepAxis { path: path.to_owned(), values: vec![value.to_owned()] };
    let sweep = SweepSpec { axes: vec![axis], ..SweepSpec::default() };
    let error = ExperimentSpec { sweep, ..base.clone() }.variants().err()?;
    Some(match error {
        SpecError::Assignment { message, .. }
            if message.contains("no field") || message.contains("list element") =>
        {
            Wrong::Path(message)
        }
        SpecError::Assignment { message, .. } => Wrong::Value(format!("{value}: {message}")),
        SpecError::Invalid(_) => Wrong::Experiment(error.to_string()),
        other => Wrong::Value(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::load;

    #[test]
    fn whoever_types_has_only_what_is_typed_tried() {
        let axis = |path: &str, values: &[&str]| SweepAxis {
            path: path.to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        };
        let mut spec = load("mlp-return").unwrap();
        let mut tries = Tries::default();
        let mut tried = |spec: &ExperimentSpec| {
            let before = tries.known.len();
            assert_eq!(tries.issues(spec), []);
            tries.known.len().checked_sub(before)
        };
        spec.sweep.axes = vec![axis("window", &["4", "8"]), axis("seed", &["1", "2"])];
        assert_eq!(tried(&spec), Some(4));
        spec.sweep.axes[0].values.push("16".to_owned());
        assert_eq!(tried(&spec), Some(1));
        spec.sweep.seeds = vec![3];
        spec.sweep.axes.pop();
        assert_eq!(tried(&spec), Some(0));
        // On another experiment all of them are tried anew.
        spec.training.max_epochs += 1;
        assert_eq!(tried(&spec), None, "those of before are forgotten");
    }
}
