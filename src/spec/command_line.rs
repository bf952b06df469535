use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde_json::Value;

use super::differences::{Difference, changes, tree};
use super::{Assignment, Combine, DataSource, ExperimentSpec, PRESETS, SweepAxis, apply, load};
use crate::domain::{Symbol, Timeframe};

/// Where runs live unless `--runs` says otherwise: beside the work, as other trackers do.
pub const DEFAULT_RUNS: &str = "runs";

/// The `walkforge train` that starts this experiment beside the runs of a folder; `None` as for [`command_line`].
#[must_use]
pub fn command_line_beside(spec: &ExperimentSpec, runs: &Path) -> Option<String> {
    let line = command_line(spec)?;
    if runs == Path::new(DEFAULT_RUNS) {
        return Some(line);
    }
    Some(format!("{line} --runs {}", quoted(runs.to_str()?)))
}

/// The `walkforge train` that starts this experiment: the preset that differs from it least, and what has to be changed in that. Quoted for a
/// POSIX shell. Parsed again it gives the same experiment. `None` where no command line does, as where a folder's path is no Unicode.
#[must_use]
pub fn command_line(spec: &ExperimentSpec) -> Option<String> {
    let candidates = PRESETS.iter().filter_map(|preset| arguments(spec, preset.name));
    // The first of equals is the one offered first.
    let arguments = candidates.min_by_key(Vec::len)?;
    let words: Vec<Cow<'_, str>> = ["walkforge", "train"]
        .into_iter()
        .map(Cow::from)
        .chain(arguments.iter().map(|word| quoted(word)))
        .collect();
    Some(words.join(" "))
}

/// As a shell takes it. Quotes only where a shell would read something else, so not for `path=value`.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-+=:,./@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return Cow::from(word);
    }
    // Only a NUL cannot be quoted, and no shell could pass one on.
    shlex::try_quote(word).unwrap_or_else(|_nul| Cow::from(word.replace('\0', "")))
}

/// What follows `walkforge train`, starting from a preset. `None` where that does not lead to the experiment.
fn arguments(spec: &ExperimentSpec, preset: &str) -> Option<Vec<String>> {
    let mut words = vec!["--preset".to_owned(), preset.to_owned()];
    let base = with_flags(&load(preset).ok()?, spec, &mut words);
    let changes = changes(&tree(&base)?, &tree(spec)?);
    for Difference { path, to, .. } in &changes {
        words.extend(["--set".to_owned(), format!("{path}={}", value_text(to))]);
    }
    let assignments: Vec<Assignment> =
        changes.into_iter().map(|change| Assignment::new(change.path, change.to)).collect();
    (apply(&base, &assignments).ok()? == *spec).then_some(words)
}

/// Writes what has a flag of its own, and gives back what the flags make of the base.
fn with_flags(
    base: &ExperimentSpec,
    spec: &ExperimentSpec,
    words: &mut Vec<String>,
) -> ExperimentSpec {
    let mut base = base.clone();
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if let DataSource::Folder(folder) = &spec.data.source
        && is_plain(&folder.to_string_lossy())
    {
        flag("--data", folder.to_string_lossy().into_owned());
        base.use_folder(folder);
    }
    if base.data.symbols != spec.data.symbols && !spec.data.symbols.is_empty() {
        let symbols: Vec<&str> = spec.data.symbols.iter().map(Symbol::as_str).collect();
        if symbols.iter().all(|symbol| is_plain(symbol) && !symbol.contains(',')) {
            flag("--symbols", symbols.join(","));
            base.data.symbols.clone_from(&spec.data.symbols);
        }
    }
    if base.data.timeframes != spec.data.timeframes && !spec.data.timeframes.is_empty() {
        let timeframes: Vec<String> =
            spec.data.timeframes.iter().map(Timeframe::to_string).collect();
        flag("--timeframes", timeframes.join(","));
        base.data.timeframes.clone_from(&spec.data.timeframes);
    }
    if base.resources.device != spec.resources.device {
        flag("--device", spec.resources.device.to_string());
        base.resources.device = spec.resources.device;
    }
    if let Some(workers) = spec.resources.workers {
        flag("--workers", workers.to_string());
        base.resources.workers = Some(workers);
    }
    if base.resources.reuse && !spec.resources.reuse {
        words.push("--no-reuse".to_owned());
        base.resources.reuse = false;
    }
    // An odd path or value would be read otherwise; then `--set sweep.axes=…` says it.
    let axes = &spec.sweep.axes;
    if !axes.is_empty() && axes.iter().all(|axis| axis.to_string().parse().as_ref() == Ok(axis)) {
        words.extend(axes.iter().flat_map(|axis| ["--sweep".to_owned(), axis.to_string()]));
        base.sweep.axes.clone_from(axes);
        if spec.sweep.combine == Combine::List {
            words.push("--zip".to_owned());
        }
        base.sweep.combine = spec.sweep.combine;
    }
    if !spec.sweep.seeds.is_empty() {
        let seeds: Vec<String> = spec.sweep.seeds.iter().map(u64::to_string).collect();
        words.extend(["--seeds".to_owned(), seeds.join(",")]);
        base.sweep.seeds.clone_from(&spec.sweep.seeds);
    }
    base
}

/// Whether a flag takes it as it is: not empty, and no flag itself.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-')
}

impl ExperimentSpec {
    /// Takes the bars from this folder. The symbols of a made-up market are not in it, so they are dropped.
    pub fn use_folder(&mut self, folder: &Path) {
        if matches!(self.data.source, DataSource::Synthetic(_)) {
            self.data.symbols.clear();
        }
        self.data.source = DataSource::Folder(folder.to_owned());
    }
}

/// As `--set` reads it: plain text where that means the same, else JSON.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text)
            if text.trim() == text
                && !text.is_empty()
                && serde_json::from_str::<Value>(text).is_err() =>
        {
            text.clone()
        }
        other => other.to_string(),
    }
}

impl FromStr for SweepAxis {
    type Err = String;

    /// Reads what `--sweep` takes: `PATH=V1,V2`. Commas inside brackets, braces and quotes do not part values; a JSON list is a list of values.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (path, values) = text
            .split_once('=')
            .map(|(path, values)| (path.trim(), values.trim()))
            .filter(|(path, values)| !path.is_empty() && !values.is_empty())
            .ok_or_else(|| {
                format!(
                    "`{text}` is no axis of a sweep; expected path=value,value, as in training.learning_rate=0.01,0.001"
                )
            })?;
        let values = match serde_json::from_str::<Value>(values) {
            Ok(Value::Array(list)) => list
                .into_iter()
                .map(|value| match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                })
                .collect(),
            _ => parts(values).into_iter().map(|part| part.trim().to_owned()).collect(),
        };
        Ok(Self { path: path.to_owned(), values })
    }
}

/// The text between commas that are inside nothing.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    let (mut quoted, mut escaped) = (false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

impl fmt::Display for SweepAxis {
    /// As `--sweep` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.values.join(",");
        let Self { path, values } = self;
        // One that begins with a bracket may be read as the list of all values.
        let is_plain = !plain.starts_with('[')
            && parts(&plain) == values.iter().map(String::as_str).collect::<Vec<_>>()
            && values.iter().all(|value| value.trim() == value && !value.is_empty());
        if is_plain {
            return write!(f, "{path}={plain}");
        }
        write!(f, "{path}={}", Value::Array(values.iter().map(|value| element(value)).collect()))
    }
}

/// A value in a list: itself where it is written as JSON would be, else its text.
fn element(text: &str) -> Value {
    let written = serde_json::from_str::<Value>(text).ok().map(|value| (value.to_string(), value));
    match written {
        Some((written, value)) if written == text && !value.is_string() => value,
        _ => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(path: &str, values: &[&str]) -> SweepAxis {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        SweepAxis { path: path.to_owned(), values }
    }

    #[test]
    fn an_experiment_is_the_nearest_preset_and_what_differs() {
        let preset = |name| load(name).unwrap();
        let line = command_line(&preset("mlp-return"));
        assert_eq!(line.as_deref(), Some("walkforge train --preset mlp-return"));
        let set = |name, sets: &[&str]| {
            let sets: Vec<Assignment> = sets.iter().map(|set| set.parse().unwrap()).collect();
            command_line(&apply(&preset(name), &sets).unwrap()).unwrap()
        };
        for (name, sets, expected) in [
            (
                "lstm-direction",
                &["model.hidden=16", "features[0].lag=3"][..],
                "--set 'features[0].lag=3' --set model.hidden=16",
            ),
            ("mlp-return", &["model.hidden=[8]"], "--set 'model.hidden=[8]'"),
            (
                "mlp-return",
                &["name=my run", "training.patience=null"],
                "--set 'name=my run' --set training.patience=null",
            ),
            ("mlp-return", &[r#"name="12""#], r#"--set 'name="12"'"#),
            (
                "mlp-return",
                &[r#"label={"Direction":{"horizon":4}}"#],
                r#"--set 'label={"Direction":"#,
            ),
            (
                "gru-barrier",
                &["data.source.market.ic=0.1", "label.timeout=Sign"],
                "--set data.source.market.ic=0.1 --set label.timeout=Sign",
            ),
            (
                "mlp-return",
                &[r#"data.source={"Folder":"my data"}"#, r#"data.symbols=["A"]"#],
                "--data 'my data' --symbols A",
            ),
            ("mlp-return", &[r#"data.source={"Folder":"-x"}"#], "--set 'data.source="),
            (
                "mlp-return",
                &["resources.device=cpu", "resources.workers=3"],
                "--device cpu --workers 3",
            ),
        ] {
            let line = set(name, sets);
            assert!(line.starts_with(&format!("walkforge train --preset {name}")), "{line}");
            assert!(line.contains(expected), "{expected}: {line}");
        }
        assert_eq!(
            set("linear-return", &["seed=8"]),
            "walkforge train --preset linear-return --set seed=8"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_no_command_line_says_has_none() {
        use std::os::unix::ffi::OsStrExt;
        let mut spec = load("mlp-return").unwrap();
        spec.use_folder(Path::new(std::ffi::OsStr::from_bytes(b"/data/\xff")));
        assert_eq!(command_line(&spec), None, "another folder would be another experiment");
    }

    #[test]
    fn axes_are_read_as_they_are_written() {
        for (text, values) in [
            ("0.01,0.001", &["0.01", "0.001"][..]),
            ("0.10", &["0.10"]),
            (r"[[8],[16,16]]", &["[8]", "[16,16]"]),
            (r"[8],[16,16]", &["[8]", "[16,16]"]),
            (
                r#"Relu, "a,b" ,{"Huber":{"delta":1.0}}"#,
                &["Relu", "\"a,b\"", r#"{"Huber":{"delta":1.0}}"#],
            ),
            (r#"["1h","0.10",null]"#, &["1h", "0.10", "null"]),
            ("[]", &[]),
        ] {
            let read: SweepAxis = format!("a.b={text}").parse().unwrap();
            assert_eq!(read, axis("a.b", values), "{text}");
            assert_eq!(read.to_string().parse(), Ok(read.clone()), "{read}");
        }
        assert_eq!(axis("window", &["4", "8"]).to_string(), "window=4,8");
        assert_eq!(axis("model.hidden", &["[8]"]).to_string(), "model.hidden=[[8]]");
        for broken in ["window", "=3", "window=", "window= "] {
            let error = broken.parse::<SweepAxis>().unwrap_err();
            assert!(error.contains("expected path=value,value"), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_values_survive_being_written(values in proptest::collection::vec(r#"[-a-z0-9.,\[\]{}" \\]{0,8}"#, 0..4)) {
            let axis = SweepAxis { path: "a.b".to_owned(), values };
            proptest::prop_assert_eq!(axis.to_string().parse::<SweepAxis>(), Ok(axis.clone()), "{}", axis);
        }
    }
}
