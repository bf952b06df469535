use serde_json::Value;

use std::ops::Bound;

use crate::domain::text::chosen;
use crate::spec::{ExperimentSpec, Range, SweepSpec, field};

/// What decides no result, or is not for a sweep to decide.
const LEFT_OUT: [&str; 6] = ["schema", "name", "notes", "sweep", "resources", "data.source"];

/// Every field of a specification that can be varied, with its value now: read from how the specification is written.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// Path, as `--set` takes it, and value.
    all: Vec<(String, String)>,
    of: Option<ExperimentSpec>,
}

impl Fields {
    /// Reads the fields anew where the specification is another one.
    pub(super) fn follow(&mut self, spec: &ExperimentSpec) {
        let spec = ExperimentSpec { sweep: SweepSpec::default(), ..spec.clone() };
        if self.of.as_ref() == Some(&spec) {
            return;
        }
        self.all.clear();
        if let Ok(tree) = serde_json::to_value(&spec) {
            collect(&tree, "", &mut self.all);
        }
        self.of = Some(spec);
    }

    /// The value of a field now; `None` where there is no such field.
    pub(super) fn current(&self, path: &str) -> Option<&str> {
        self.all.iter().find(|(name, _)| name == path).map(|(_, value)| value.as_str())
    }

    /// Values to begin with: of a number some below and above what it is, as far as its range lets; of a switch both. `None` where nobody can
    /// say.
    pub(super) fn proposal(&self, path: &str) -> Option<Vec<String>> {
        let now = self.current(path)?;
        if let Ok(now) = now.parse::<bool>() {
            return Some(vec![now.to_string(), (!now).to_string()]);
        }
        let range = field(path).map_or(Range::ANY, |field| field.range);
        let mut values: Vec<String> = if let Ok(now) = now.parse::<u64>() {
            let near = [now / 2, now, now.saturating_mul(2)];
            // Of what has no range, as a feature's lag, 0 is rarely meant.
            let is_meant = |value: u64| value > 0 || now == 0 || range != Range::ANY;
            let fits = |value: &u64| range.contains(*value as f64) && is_meant(*value);
            let inside = near.into_iter().filter(fits);
            inside.map(|value| value.to_string()).collect()
        } else {
            let now = now.parse::<f64>().ok().filter(|now| now.is_finite() && *now != 0.0)?;
            // A share has an end; what has none, as a learning rate, is varied by its magnitude.
            let factors =
                if range.most == Bound::Unbounded { [0.3, 1.0, 3.0] } else { [0.5, 1.0, 2.0] };
            let near = factors.map(|factor| now * factor);
            near.into_iter().filter(|value| range.contains(*value)).map(chosen).collect()
        };
        values.dedup();
        (values.len() > 1).then_some(values)
    }

    /// Fields whose paths have every word that is typed, those that begin with them first.
    pub(super) fn matching<'a>(&'a self, typed: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let typed = typed.trim().to_lowercase();
        let words: Vec<String> =
            typed.split([' ', '.']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let fits = |path: &str| words.iter().all(|word| path.contains(word.as_str()));
        let mut found: Vec<(&str, &str)> = self
            .all
            .iter()
            .filter(|(path, _)| fits(path))
            .map(|(path, value)| (path.as_str(), value.as_str()))
            .collect();
        let begins = |path: &str| {
            path.starts_with(&typed)
                || path.rsplit('.').next().is_some_and(|last| last.starts_with(&typed))
        };
        // What people vary most comes first while nothing is typed.
        let usual = |path: &str| path.starts_with("training.") || path.starts_with("model.");
        found.sort_by_key(|(path, _)| if typed.is_empty() { !usual(path) } else { !begins(path) });
        found.into_iter()
    }
}

fn collect(value: &Value, path: &str, all: &mut Vec<(String, String)>) {
    if LEFT_OUT.contains(&path) {
        return;
    }
    match value {
        Value::Object(map) => {
            // `{"Mlp":{…}}`: the name of a variant is no step of the path.
            if let Some((key, inner)) = map.iter().next()
                && map.len() == 1
                && key.starts_with(char::is_uppercase)
                && inner.is_object()
                && !path.is_empty()
            {
                collect(inner, path, all);
                return;
            }
            for (name, inner) in map {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(inner, &path, all);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{path}[{index}]"), all);
            }
        }
        Value::String(text) => all.push((path.to_owned(), text.clone())),
        leaf => all.push((path.to_owned(), leaf.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Assignment, PRESETS, apply, load};

    fn fields(preset: &str) -> Fields {
        let mut fields = Fields::default();
        fields.follow(&load(preset).unwrap());
        fields
    }

    /// A suggestion that could not be set would be a trap.
    #[test]
    fn every_field_that_is_suggested_can_be_set_to_what_it_is() {
        for preset in PRESETS {
            let spec = load(preset.name).unwrap();
            let fields = fields(preset.name);
            assert!(fields.all.len() > 30, "{}", fields.all.len());
            for (path, value) in &fields.all {
                let same = apply(&spec, &[Assignment::parse_value(path, value)])
                    .unwrap_or_else(|error| panic!("{}: {path}={value}: {error}", preset.name));
                assert_eq!(same, spec, "{}: {path}={value}", preset.name);
            }
        }
    }

    #[test]
    fn what_is_proposed_lies_around_what_is_and_can_be_run() {
        let fields = fields("mlp-return");
        let of = |path: &str| fields.proposal(path).unwrap_or_default().join(", ");
        for (path, expected) in [
            ("window", "2, 4, 8"),
            ("model.dropout", "0.05, 0.1, 0.2"),
            ("label.horizon", "1, 2"),
            ("weights.uniqueness", "false, true"),
            ("training.precision", ""),
            ("training.min_delta", ""),
            ("no.such", ""),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
        assert_eq!(of("training.learning_rate").split(", ").count(), 3);
        let spec = load("mlp-return").unwrap();
        for (path, _) in &fields.all {
            for value in fields.proposal(path).unwrap_or_default() {
                let set = apply(&spec, &[Assignment::parse_value(path, &value)]);
                assert!(set.is_ok(), "{path}={value}: {set:?}");
            }
        }
    }

    #[test]
    fn words_find_fields_and_what_begins_with_them_comes_first() {
        let fields = fields("mlp-return");
        let first = |typed: &str| fields.matching(typed).next().map(|(path, _)| path.to_owned());
        assert_eq!(first("learning").as_deref(), Some("training.learning_rate"));
        assert_eq!(first("training.batch").as_deref(), Some("training.batch_size"));
        assert_eq!(first("hidden").as_deref(), Some("model.hidden"));
        assert_eq!(first("no such field"), None);
        assert!(first("").unwrap().starts_with("model."));
        assert!(fields.matching("name").all(|(path, _)| path != "name"));
        assert!(fields.current("training.learning_rate").is_some());
        assert_eq!(fields.current("training.learning"), None);
    }
}
