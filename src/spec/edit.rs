use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::{ExperimentSpec, SpecError};

/// One `--set path=value`.
///
/// The path is dotted, with `[i]` for list elements: `training.max_epochs`, `features[0].lag`. The name of a variant is left out:
/// `model.hidden=64`, `label.horizon=4`. The value is JSON (`2`, `0.1`, `[64,64]`, `null`, `{"Mlp":{…}}`) or plain text.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    path: String,
    value: Value,
}

impl Assignment {
    /// Sets the field at `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { path: path.into(), value: value.into() }
    }

    /// Sets the field at `path` to what the text says: JSON, or plain text.
    #[must_use]
    pub fn parse_value(path: &str, text: &str) -> Self {
        let value = serde_json::from_str(text).unwrap_or_else(|_plain_text| Value::from(text));
        Self { path: path.to_owned(), value }
    }
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (path, value) =
            text.split_once('=').filter(|(path, _)| !path.trim().is_empty()).ok_or_else(|| {
                format!(
                    "`{text}` is no assignment; expected path=value, as in training.max_epochs=2"
                )
            })?;
        Ok(Self::parse_value(path.trim(), value.trim()))
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path, self.value)
    }
}

/// The specification with every assignment made, in order.
///
/// # Errors
/// [`SpecError::Assignment`] for a path that does not exist (with the names that do) or a value of the wrong type.
pub fn apply(
    spec: &ExperimentSpec,
    assignments: &[Assignment],
) -> Result<ExperimentSpec, SpecError> {
    let mut spec = spec.clone();
    for assignment in assignments {
        spec = apply_one(&spec, assignment).map_err(|message| SpecError::Assignment {
            assignment: assignment.to_string(),
            message,
        })?;
    }
    Ok(spec)
}

fn apply_one(spec: &ExperimentSpec, assignment: &Assignment) -> Result<ExperimentSpec, String> {
    let mut tree = serde_json::to_value(spec).map_err(|error| error.to_string())?;
    let mut place = &mut tree;
    let mut walked = String::new();
    for step in steps(&assignment.path)? {
        place = descend(skip_variant(place, &step), &step, &walked)?;
        walked = match &step {
            Step::Field(name) if walked.is_empty() => name.clone(),
            Step::Field(name) => format!("{walked}.{name}"),
            Step::Index(index) => format!("{walked}[{index}]"),
        };
    }
    *place = assignment.value.clone();
    serde_json::from_value(tree).map_err(|error| {
        format!("{error}; the spec.ron of any run folder shows every field and its type")
    })
}

#[derive(Debug, PartialEq)]
enum Step {
    Field(String),
    Index(usize),
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, indices) = part.split_once('[').map_or((part, None), |(n, i)| (n, Some(i)));
        if !name.is_empty() {
            steps.push(Step::Field(name.to_owned()));
        }
        for index in indices.into_iter().flat_map(|indices| indices.split('[')) {
            let number = index.strip_suffix(']').and_then(|digits| digits.parse().ok());
            steps.push(Step::Index(
                number.ok_or_else(|| format!("`{part}` is no list element; expected name[0]"))?,
            ));
        }
    }
    Ok(steps)
}

/// Steps over `{"Variant": {…}}` when the path names a field inside instead of the variant.
fn skip_variant<'a>(value: &'a mut Value, step: &Step) -> &'a mut Value {
    let Step::Field(name) = step else { return value };
    let variant = match &*value {
        Value::Object(map) if map.len() == 1 && !map.contains_key(name) => map
            .iter()
            .next()
            .filter(|(key, inner)| key.starts_with(char::is_uppercase) && inner.is_object())
            .map(|(key, _)| key.clone()),
        _ => None,
    };
    match variant {
        Some(variant) => &mut value[variant],
        None => value,
    }
}

fn descend<'a>(value: &'a mut Value, step: &Step, walked: &str) -> Result<&'a mut Value, String> {
    let here = if walked.is_empty() { "the experiment" } else { walked };
    match (step, value) {
        (Step::Field(name), Value::Object(map)) => {
            let known = map.keys().cloned().collect::<Vec<_>>().join(", ");
            map.get_mut(name).ok_or_else(|| format!("{here} has no field `{name}`; it has {known}"))
        }
        (Step::Index(index), Value::Array(list)) => {
            let length = list.len();
            list.get_mut(*index)
                .ok_or_else(|| format!("{here} has {length} elements, so no [{index}]"))
        }
        (Step::Field(name), _) => Err(format!("{here} has no fields, so no `{name}`")),
        (Step::Index(_), _) => Err(format!("{here} is no list")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{ModelSpec, load};

    fn set(text: &str) -> Result<ExperimentSpec, SpecError> {
        apply(&load("lstm-direction").unwrap(), &[text.parse().unwrap()])
    }

    #[test]
    fn sets_fields_of_every_kind() {
        assert_eq!(set("training.max_epochs=2").unwrap().training.max_epochs, 2);
        assert_eq!(set("label.horizon=4").unwrap().label.horizon(), 4);
        assert_eq!(set("training.patience=null").unwrap().training.patience, None);
        assert_eq!(set("name=my run").unwrap().name, "my run");
        assert_eq!(set(r#"data.symbols=["A","B"]"#).unwrap().data.symbols.len(), 2);
        assert_eq!(set("resources.device=cpu").unwrap().resources.device.to_string(), "cpu");
        assert_eq!(set("model=Linear").unwrap().model, ModelSpec::Linear);
        assert!(matches!(
            set("model.Lstm.hidden=8").unwrap().model,
            ModelSpec::Lstm { hidden: 8, .. }
        ));
        assert!(matches!(set("model.hidden=8").unwrap().model, ModelSpec::Lstm { hidden: 8, .. }));
        assert!(set("features[0].lag=3").is_ok());
    }

    #[test]
    fn errors_say_what_there_is_instead() {
        for (text, expected) in [
            ("training.max_epoch=2", "training has no field `max_epoch`; it has"),
            ("trainig.max_epochs=2", "the experiment has no field `trainig`"),
            ("training.max_epochs=many", "invalid type"),
            ("training.max_epochs=-1", "invalid value"),
            ("features[99].lag=1", "so no [99]"),
            ("features[x].lag=1", "is no list element"),
            ("seed.value=1", "seed has no fields"),
            ("data.timeframes=[\"1x\"]", "no timeframe"),
        ] {
            let error = set(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(error.starts_with("--set "), "{error}");
        }
        assert!("training.max_epochs".parse::<Assignment>().is_err());
        assert!("=2".parse::<Assignment>().is_err());
    }
}
