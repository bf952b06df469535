use serde_json::Value;

use super::command_line::value_text;
use super::{Assignment, ExperimentSpec};

/// A field in which two specifications differ; a whole section where one has other fields than the other, as a model of another family.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// As `--set` takes it.
    pub path: String,
    /// In the first specification.
    pub from: Value,
    /// In the second one.
    pub to: Value,
}

impl Difference {
    /// What the first specification has, as `--set` takes it.
    #[must_use]
    pub fn from_text(&self) -> String {
        value_text(&self.from)
    }

    /// What the second specification has, as `--set` takes it.
    #[must_use]
    pub fn to_text(&self) -> String {
        value_text(&self.to)
    }

    /// What makes the field of the second specification as it is in the first.
    #[must_use]
    pub fn undo(&self) -> Assignment {
        Assignment::new(self.path.as_str(), self.from.clone())
    }

    /// The same for one element, where this is a list of which `path` names an element: `model.hidden[1]` of `model.hidden`. `None` where
    /// that element is the same in both, or not in both.
    #[must_use]
    pub fn of_element(&self, path: &str) -> Option<Self> {
        let place = path.strip_prefix(self.path.as_str())?.strip_prefix('[')?.strip_suffix(']')?;
        let place: usize = place.parse().ok()?;
        let (from, to) = (self.from.get(place)?, self.to.get(place)?);
        (from != to).then(|| Self { path: path.to_owned(), from: from.clone(), to: to.clone() })
    }
}

/// Every field in which two specifications differ, in the order of their paths.
#[must_use]
pub fn differences(from: &ExperimentSpec, to: &ExperimentSpec) -> Vec<Difference> {
    match (tree(from), tree(to)) {
        (Some(from), Some(to)) => changes(&from, &to),
        _ => Vec::new(),
    }
}

pub(super) fn tree(spec: &ExperimentSpec) -> Option<Value> {
    serde_json::to_value(spec).ok()
}

/// What has to be set in `old` to make it `new`, in the order of the paths.
pub(super) fn changes(old: &Value, new: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect("", old, new, &mut found);
    found
}

fn collect(path: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Value::Object(before), Value::Object(after)) if before.keys().eq(after.keys()) => {
            for ((name, old), new) in before.iter().zip(after.values()) {
                // `--set` steps over a variant's name where a field inside is named.
                match inside(after, name, new) {
                    true => collect(path, old, new, found),
                    false if path.is_empty() => collect(name, old, new, found),
                    false => collect(&format!("{path}.{name}"), old, new, found),
                }
            }
        }
        (Value::Array(before), Value::Array(after))
            if before.len() == after.len() && after.iter().any(Value::is_object) =>
        {
            for (index, (old, new)) in before.iter().zip(after).enumerate() {
                collect(&format!("{path}[{index}]"), old, new, found);
            }
        }
        _ => found.push(Difference { path: path.to_owned(), from: old.clone(), to: new.clone() }),
    }
}

/// Whether this is the only entry of a variant with named fields, none of which is a variant's name again.
fn inside(object: &serde_json::Map<String, Value>, name: &str, value: &Value) -> bool {
    let fields = value.as_object();
    object.len() == 1
        && name.starts_with(char::is_uppercase)
        && fields.is_some_and(|fields| {
            !fields.is_empty() && !fields.keys().any(|field| field.starts_with(char::is_uppercase))
        })
}

/// What the field at a path is where a file does not name it, as `--set` takes it; `None` where it has to be named.
///
/// Asked of the types themselves: the specification is read again without the field, or without the part of it that the field is in.
#[must_use]
pub fn default_of(spec: &ExperimentSpec, path: &str) -> Option<String> {
    let whole = tree(spec)?;
    let (parent, name) = parts(path);
    let (above, section) = parts(parent);
    let without = |parent: &str, name: &str| {
        let mut tree_without = whole.clone();
        place(&mut tree_without, parent)?.as_object_mut()?.remove(name)?;
        let read: ExperimentSpec = serde_json::from_value(tree_without).ok()?;
        tree(&read)
    };
    let mut read = without(parent, name).or_else(|| without(above, section))?;
    place(&mut read, parent)?.get(name).map(value_text)
}

fn parts(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

/// The object that has the fields of a path, inside of a variant's name.
fn place<'a>(tree: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let steps = path.split('.').filter(|step| !step.is_empty());
    steps.map(Some).chain([None]).try_fold(tree, |place, step| {
        let object = place.as_object()?;
        let variant = object.iter().next().filter(|(name, value)| inside(object, name, value));
        let variant = variant.map(|(name, _)| name.clone());
        let place = match variant {
            Some(variant) => place.get_mut(variant)?,
            None => place,
        };
        match step {
            Some(step) => place.get_mut(step),
            None => Some(place),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{apply, load};

    fn changed(preset: &str, sets: &[&str]) -> (ExperimentSpec, ExperimentSpec) {
        let from = load(preset).unwrap();
        let sets: Vec<Assignment> = sets.iter().map(|set| set.parse().unwrap()).collect();
        let to = apply(&from, &sets).unwrap();
        (from, to)
    }

    #[test]
    fn a_difference_names_its_field_and_both_values_and_can_be_undone() {
        for (preset, sets, expected) in [
            ("mlp-return", &["window=8"][..], vec![("window", "4", "8")]),
            (
                "lstm-direction",
                &["model.hidden=16", "features[0].lag=3"],
                vec![("features[0].lag", "1", "3"), ("model.hidden", "32", "16")],
            ),
            ("mlp-return", &["model=Linear"], vec![("model", "", "Linear")]),
            ("mlp-return", &["training.patience=null"], vec![("training.patience", "", "null")]),
            ("mlp-return", &["model.hidden=[64,16]"], vec![("model.hidden", "[64,32]", "[64,16]")]),
        ] {
            let (from, to) = changed(preset, sets);
            let found = differences(&from, &to);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (difference, (path, before, after)) in found.iter().zip(expected) {
                assert_eq!(
                    (difference.path.as_str(), difference.to_text().as_str()),
                    (path, after)
                );
                assert!(before.is_empty() || difference.from_text() == before, "{difference:?}");
            }
            let undone: Vec<Assignment> = found.iter().map(Difference::undo).collect();
            assert_eq!(apply(&to, &undone).unwrap(), from);
        }
        let (same, _) = changed("mlp-return", &[]);
        assert_eq!(differences(&same, &same), []);
    }

    #[test]
    fn of_a_list_each_element_has_its_own_difference() {
        let (from, to) = changed("mlp-return", &["model.hidden=[64,16]"]);
        let found = differences(&from, &to).remove(0);
        assert_eq!(found.of_element("model.hidden[0]"), None);
        let second = found.of_element("model.hidden[1]").unwrap();
        assert_eq!((second.from_text().as_str(), second.to_text().as_str()), ("32", "16"));
        assert_eq!(apply(&to, &[second.undo()]).unwrap(), from);
        assert_eq!(found.of_element("model.hidden[2]"), None);
        assert_eq!(found.of_element("model.dropout"), None);
    }

    #[test]
    fn defaults_are_those_of_the_types() {
        let (spec, _) = changed("gru-barrier", &[]);
        for (path, value) in [
            ("costs.fee_bps", Some("5.0")),
            ("resources.memory_fraction", Some("0.9")),
            ("resources.workers", Some("null")),
            ("training.precision", Some("F32")),
            ("training.min_delta", Some("0.0")),
            ("label.timeout", Some("Sign")),
            ("validation.embargo", Some("0")),
            ("training.learning_rate", None),
            ("model.hidden", None),
            ("scaling", Some("Global")),
        ] {
            assert_eq!(default_of(&spec, path).as_deref(), value, "{path}");
        }
    }
}
