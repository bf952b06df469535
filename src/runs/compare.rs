use std::path::Path;

use serde_json::Value;

use super::{
    ComparedFigure, ComparedRun, ComparedSetting, Comparison, RunFolder, RunStore, SeedGroup,
    StoreError,
};
use crate::domain::{ContentHash, RunId, Score};
use crate::spec::{DataSource, ExperimentSpec};

/// What a figure is called, whether more of it is better, and where a score has it.
type Figure = (&'static str, Option<bool>, fn(&Score) -> Option<f64>);

const FIGURES: [Figure; 7] = [
    ("IC", Some(true), |score| score.ic_ts),
    ("rank IC", Some(true), |score| score.rank_ic_ts),
    ("hit rate", Some(true), |score| score.hit_rate),
    ("net return", Some(true), |score| score.total_return),
    ("Sharpe ratio", Some(true), |score| score.sharpe),
    ("max drawdown", Some(false), |score| score.max_drawdown),
    ("turnover", None, |score| score.turnover),
];

/// The mean over the tasks, after the figures of the test sections.
const VALIDATION_LOSS: &str = "validation loss";

/// Fields that change no result, and the name, which stands beside each run.
const PASSED_OVER: [&str; 7] = [
    "name",
    "notes",
    "sweep",
    "resources.workers",
    "resources.memory_fraction",
    "resources.checkpoint_secs",
    "resources.reuse",
];

/// The parts of a specification, as it has them.
const ORDER: [&str; 12] = [
    "data",
    "features",
    "window",
    "scaling",
    "label",
    "weights",
    "validation",
    "model",
    "training",
    "costs",
    "resources",
    "seed",
];

/// Puts runs side by side: the fields of their specifications that differ, their out-of-sample figures, and what those are over the seeds.
/// A run that has not ended has no figures but its tasks' validation loss.
///
/// # Errors
/// [`StoreError`] naming the run that is not there or the file that cannot be read.
pub fn compare(root: &Path, runs: &[RunId]) -> Result<Comparison, StoreError> {
    let read = |run: &RunId| Read::of(run, &RunStore::find(root, run.as_str())?);
    let read: Vec<Read> = runs.iter().map(read).collect::<Result<_, _>>()?;
    let settings = settings(&read);
    let figures = figures(&read);
    let seed_groups = seed_groups(&read, &figures);
    let runs = read
        .into_iter()
        .map(|read| ComparedRun { id: read.run, experiment: read.spec.name })
        .collect();
    Ok(Comparison { runs, settings, figures, seed_groups })
}

/// What is compared of a run.
struct Read {
    run: RunId,
    spec: ExperimentSpec,
    tree: Value,
    /// The model's, per symbol and timeframe.
    scores: Vec<Score>,
    validation_losses: Vec<f64>,
}

impl Read {
    fn of(run: &RunId, folder: &RunFolder) -> Result<Self, StoreError> {
        let path = folder.path().join("spec.ron");
        let spec = crate::spec::read(&path).map_err(|error| StoreError::damaged(&path, &error))?;
        let tree =
            serde_json::to_value(&spec).map_err(|error| StoreError::damaged(&path, &error))?;
        let manifest = folder.manifest()?;
        let mut validation_losses = Vec::new();
        for task in &manifest.plan.tasks {
            let metadata = folder.metadata(&task.id)?;
            validation_losses.extend(metadata.and_then(|found| found.report.validation_loss));
        }
        let summary = folder.outcome()?.map(|outcome| outcome.summary).unwrap_or_default();
        let scores = summary.series.into_iter().map(|series| series.model).collect();
        Ok(Self { run: run.clone(), spec, tree, scores, validation_losses })
    }

    /// The same for runs that differ in nothing but their seeds.
    fn hash_without_seed(&self) -> (ContentHash, Option<&Path>) {
        let spec = ExperimentSpec { seed: 0, ..self.spec.clone() };
        let folder = match &self.spec.data.source {
            DataSource::Folder(folder) => Some(folder.as_path()),
            DataSource::Synthetic(_) => None,
        };
        (spec.content_hash(), folder)
    }
}

fn figures(read: &[Read]) -> Vec<ComparedFigure> {
    let of_tests = FIGURES.iter().map(|&(name, more_is_better, value)| ComparedFigure {
        name: name.to_owned(),
        more_is_better,
        values: read.iter().map(|run| mean(run.scores.iter().filter_map(value))).collect(),
    });
    let loss = ComparedFigure {
        name: VALIDATION_LOSS.to_owned(),
        more_is_better: Some(false),
        values: read.iter().map(|run| mean(run.validation_losses.iter().copied())).collect(),
    };
    of_tests.chain([loss]).collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Of a sample; `None` for fewer than two values.
fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values.iter().copied()).filter(|_| values.len() >= 2)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

fn seed_groups(read: &[Read], figures: &[ComparedFigure]) -> Vec<SeedGroup> {
    let hashes: Vec<_> = read.iter().map(Read::hash_without_seed).collect();
    let is_first = |&place: &usize| !hashes[..place].contains(&hashes[place]);
    let groups = (0..read.len()).filter(is_first).map(|first| {
        let same = |&place: &usize| hashes[place] == hashes[first];
        (first..read.len()).filter(same).collect::<Vec<usize>>()
    });
    let has_several_seeds = |group: &Vec<usize>| {
        group.iter().any(|&place| read[place].spec.seed != read[group[0]].spec.seed)
    };
    groups
        .filter(has_several_seeds)
        .map(|runs| {
            let known = figures.iter().map(|figure| {
                runs.iter().filter_map(|&place| figure.values[place]).collect::<Vec<f64>>()
            });
            let known: Vec<Vec<f64>> = known.collect();
            SeedGroup {
                means: known.iter().map(|values| mean(values.iter().copied())).collect(),
                deviations: known.iter().map(|values| deviation(values)).collect(),
                runs,
            }
        })
        .collect()
}

fn settings(read: &[Read]) -> Vec<ComparedSetting> {
    let trees: Vec<Option<&Value>> = read.iter().map(|run| Some(&run.tree)).collect();
    let mut found = Vec::new();
    collect("", &trees, &mut found);
    // Trees are in alphabetical order. What is not in the list comes last.
    found.sort_by_key(|setting| {
        let part = setting.path.split(['.', '[']).next();
        ORDER.iter().position(|&known| Some(known) == part).unwrap_or(ORDER.len())
    });
    found.retain(|setting| {
        !PASSED_OVER.iter().any(|&passed| {
            let rest = setting.path.strip_prefix(passed);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    });
    found
}

/// Goes down the specifications together for as long as they have the same fields.
fn collect(path: &str, values: &[Option<&Value>], found: &mut Vec<ComparedSetting>) {
    if values.iter().all(|value| value == &values[0]) {
        return;
    }
    let kinds: Vec<Option<Kind<'_>>> = values.iter().map(|value| value.map(Kind::of)).collect();
    let present = || kinds.iter().flatten();
    if present().all(|kind| matches!(kind, Kind::Fields(_) | Kind::Variant(..))) {
        let mut names: Vec<Option<&str>> = present().map(Kind::variant).collect();
        names.dedup();
        let is_absent_somewhere = kinds.iter().any(Option::is_none);
        if names.len() > 1 || (is_absent_somewhere && names != [None]) {
            // Another model, say: what it is, and then the fields that it has.
            let name = |kind: &Option<Kind<'_>>| Some(kind.as_ref()?.variant()?.to_owned());
            found.push(ComparedSetting {
                path: path.to_owned(),
                values: kinds.iter().map(name).collect(),
            });
        }
        let mut fields: Vec<&str> = Vec::new();
        for name in present().flat_map(Kind::fields) {
            if !fields.contains(&name) {
                fields.push(name);
            }
        }
        for name in fields {
            let inner: Vec<Option<&Value>> =
                kinds.iter().map(|kind| kind.as_ref()?.field(name)).collect();
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            collect(&path, &inner, found);
        }
        return;
    }
    let lists: Option<Vec<&Vec<Value>>> =
        values.iter().map(|value| value.as_ref()?.as_array()).collect();
    match lists {
        Some(lists)
            if lists.iter().all(|list| list.len() == lists[0].len())
                && lists.iter().any(|list| list.iter().any(Value::is_object)) =>
        {
            for index in 0..lists[0].len() {
                let inner: Vec<Option<&Value>> = lists.iter().map(|list| list.get(index)).collect();
                collect(&format!("{path}[{index}]"), &inner, found);
            }
        }
        _ => found.push(ComparedSetting {
            path: path.to_owned(),
            values: values.iter().map(|value| value.map(crate::spec::value_text)).collect(),
        }),
    }
}

/// What a value of a specification is.
enum Kind<'a> {
    /// A struct, or a choice that is only a word.
    Fields(&'a serde_json::Map<String, Value>),
    /// One of several, by its name, with what is inside.
    Variant(&'a str, Option<&'a serde_json::Map<String, Value>>),
    /// Anything else.
    Plain,
}

impl<'a> Kind<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Object(map) => match map.iter().next() {
                Some((name, Value::Object(inner)))
                    if map.len() == 1 && name.starts_with(char::is_uppercase) =>
                {
                    Kind::Variant(name, Some(inner))
                }
                Some((name, _)) if map.len() == 1 && name.starts_with(char::is_uppercase) => {
                    Kind::Plain
                }
                _ => Kind::Fields(map),
            },
            Value::String(name) if name.starts_with(char::is_uppercase) => {
                Kind::Variant(name, None)
            }
            _ => Kind::Plain,
        }
    }

    fn variant(&self) -> Option<&'a str> {
        match self {
            Kind::Variant(name, _) => Some(name),
            _ => None,
        }
    }

    fn map(&self) -> Option<&'a serde_json::Map<String, Value>> {
        match self {
            Kind::Fields(map) | Kind::Variant(_, Some(map)) => Some(map),
            _ => None,
        }
    }

    fn fields(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.map().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    fn field(&self, name: &str) -> Option<&'a Value> {
        self.map()?.get(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Assignment, apply, load};

    fn read(name: &str, preset: &str, sets: &[&str], sharpe: Option<f64>) -> Read {
        let sets: Vec<Assignment> = sets.iter().map(|set| set.parse().unwrap()).collect();
        let spec = apply(&load(preset).unwrap(), &sets).unwrap();
        let tree = serde_json::to_value(&spec).unwrap();
        let scores = vec![Score { sharpe, ..Score::default() }, Score::default()];
        Read { run: RunId::new(name), spec, tree, scores, validation_losses: vec![0.5, 1.5] }
    }

    fn told(found: &[ComparedSetting]) -> Vec<String> {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "—".to_owned());
        found
            .iter()
            .map(|setting| {
                let values: Vec<String> = setting.values.iter().map(value).collect();
                format!("{}: {}", setting.path, values.join(" | "))
            })
            .collect()
    }

    #[test]
    fn only_what_differs_is_told_by_its_path() {
        let runs = [
            read("a", "mlp-return", &["training.learning_rate=0.01", "name=x"], None),
            read("b", "mlp-return", &["model.hidden=[8]", "resources.workers=2"], None),
            read("c", "mlp-return", &["features[0].lag=3", "data.symbols=[\"SYN_A\"]"], None),
        ];
        assert_eq!(
            told(&settings(&runs)),
            [
                r#"data.symbols: ["SYN_A","SYN_B"] | ["SYN_A","SYN_B"] | ["SYN_A"]"#,
                "features[0].lag: 1 | 1 | 3",
                "model.hidden: [64,32] | [8] | [64,32]",
                "training.learning_rate: 0.01 | 0.001 | 0.001",
            ]
        );
        assert!(settings(&runs[..1]).is_empty());
    }

    #[test]
    fn another_model_has_other_fields() {
        let lstm = r#"model={"Lstm":{"hidden":16,"layers":1,"dropout":0.1}}"#;
        let sets: [&[&str]; 3] = [&[], &[lstm], &["model=Linear"]];
        let runs = sets.map(|sets| read("a", "mlp-return", sets, None));
        assert_eq!(
            told(&settings(&runs)),
            [
                "model: Mlp | Lstm | Linear",
                "model.activation: Relu | — | —",
                "model.dropout: 0.1 | 0.1 | —",
                "model.hidden: [64,32] | 16 | —",
                "model.layers: — | 1 | —",
            ]
        );
    }

    #[test]
    fn runs_that_differ_in_seeds_only_are_summed_up() {
        let runs = [
            read("a", "mlp-return", &["seed=1", "window=3"], Some(1.0)),
            read("b", "mlp-return", &["seed=1"], Some(5.0)),
            read("c", "mlp-return", &["seed=2", "window=3", "name=other"], Some(2.0)),
            read("d", "mlp-return", &["seed=3", "window=3"], None),
            read("e", "linear-return", &["seed=4"], None),
            read("f", "linear-return", &["seed=4"], None),
        ];
        let figures = figures(&runs);
        let names: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
        let sharpe = names.iter().position(|&name| name == "Sharpe ratio").unwrap();
        // The mean over the series that have one.
        assert_eq!(figures[sharpe].values[..4], [Some(1.0), Some(5.0), Some(2.0), None]);
        assert_eq!(figures.last().unwrap().values[0], Some(1.0), "the mean validation loss");
        let groups = seed_groups(&runs, &figures);
        assert_eq!(groups.len(), 1, "the same seed twice says nothing of seeds: {groups:?}");
        assert_eq!(groups[0].runs, [0, 2, 3]);
        assert_eq!(groups[0].means[sharpe], Some(1.5));
        let deviation = groups[0].deviations[sharpe].unwrap();
        assert!((deviation - 0.5_f64.sqrt()).abs() < 1e-12, "{deviation}");
        assert_eq!((groups[0].means[0], groups[0].deviations[0]), (None, None));
    }
}
