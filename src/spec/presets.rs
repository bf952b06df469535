use std::path::Path;

use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

use super::schema1::Schema1;
use super::{ExperimentSpec, SCHEMA_VERSION, SpecError};

/// A specification that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// What `--preset` takes.
    pub name: &'static str,
    /// What it is a good start for, in a sentence or two.
    pub good_for: &'static str,
    /// The RON text.
    pub text: &'static str,
}

/// Every preset, in the order they are offered.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "mlp-return",
        good_for: "The first experiment on any market: it trains in seconds and bends where a linear model cannot. Compare the others with it.",
        text: include_str!("../../presets/mlp-return.ron"),
    },
    Preset {
        name: "lstm-direction",
        good_for: "Whether the order of the last bars matters: the network reads them one by one and says only up or not.",
        text: include_str!("../../presets/lstm-direction.ron"),
    },
    Preset {
        name: "gru-barrier",
        good_for: "Trades with a profit target and a stop: which of the two comes first, or neither, is what is learnt.",
        text: include_str!("../../presets/gru-barrier.ron"),
    },
    Preset {
        name: "tcn-return",
        good_for: "Long windows at little cost: convolutions see further back from block to block and train faster than recurrent models.",
        text: include_str!("../../presets/tcn-return.ron"),
    },
    Preset {
        name: "transformer-direction",
        good_for: "Patterns that may stand anywhere in the window, and markets that often hardly move: quiet rows are a class of their own.",
        text: include_str!("../../presets/transformer-direction.ron"),
    },
    Preset {
        name: "linear-return",
        good_for: "The yardstick: what a deeper model does not beat clearly is not worth its training.",
        text: include_str!("../../presets/linear-return.ron"),
    },
    Preset {
        name: "cross-section-mlp",
        good_for: "Many symbols at once: which of them does better than the others, whatever the market does. Needs about ten of them.",
        text: include_str!("../../presets/cross-section-mlp.ron"),
    },
];

/// The experiment of the first start: trains in a few seconds on the built-in market.
pub const DEFAULT_PRESET: &str = "mlp-return";

/// Reads a preset by name, or a file by path. Anything that ends in `.ron` or holds a path separator is a file.
///
/// # Errors
/// [`SpecError`] with file, line and column where the text is wrong.
pub fn load(name_or_path: &str) -> Result<ExperimentSpec, SpecError> {
    if let Some(preset) = PRESETS.iter().find(|preset| preset.name == name_or_path) {
        return parse(preset.text, preset.name);
    }
    let path = Path::new(name_or_path);
    let looks_like_a_file = path.extension().is_some_and(|extension| extension == "ron")
        || name_or_path.contains(std::path::MAIN_SEPARATOR);
    if !looks_like_a_file {
        let known = PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ");
        return Err(SpecError::UnknownPreset { name: name_or_path.to_owned(), known });
    }
    read(path)
}

/// Reads a RON file, whatever its name.
///
/// # Errors
/// [`SpecError`] with file, line and column where the text is wrong.
pub fn read(path: &Path) -> Result<ExperimentSpec, SpecError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SpecError::Unreadable { path: path.to_owned(), source })?;
    parse(&text, &path.display().to_string())
}

fn options() -> ron::Options {
    ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME)
}

/// Reads RON; `origin` names the file in errors. A file of schema 1 is converted.
pub(super) fn parse(text: &str, origin: &str) -> Result<ExperimentSpec, SpecError> {
    let spec: ExperimentSpec = match schema_of(text) {
        Some(1) => read_ron::<Schema1>(text, origin)?.into(),
        Some(found) if found != SCHEMA_VERSION => {
            return Err(SpecError::Schema { origin: origin.to_owned(), found });
        }
        _ => read_ron(text, origin)?,
    };
    Ok(spec)
}

/// The version that the text itself names, whatever else is in it.
fn schema_of(text: &str) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: u32,
    }
    options().from_str::<Head>(text).ok().map(|head| head.schema)
}

fn read_ron<T: DeserializeOwned>(text: &str, origin: &str) -> Result<T, SpecError> {
    options().from_str(text).map_err(|error| SpecError::Syntax {
        origin: origin.to_owned(),
        line: error.span.start.line,
        column: error.span.start.col,
        message: error.code.to_string(),
    })
}

impl ExperimentSpec {
    /// The specification as a RON file's text.
    ///
    /// # Panics
    /// Never: every field serialises.
    #[must_use]
    pub fn to_ron(&self) -> String {
        let pretty = ron::ser::PrettyConfig::new().struct_names(false);
        options().to_string_pretty(self, pretty).expect("a spec is plain data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Length;
    use crate::spec::ValidationSpec;

    #[test]
    fn every_preset_parses_validates_and_round_trips() {
        for preset in PRESETS {
            let spec = load(preset.name).unwrap();
            assert_eq!(spec.name, preset.name);
            assert_eq!(spec.validate(), Ok(()));
            assert_eq!(parse(&spec.to_ron(), "round trip").unwrap(), spec);
        }
        assert!(load(DEFAULT_PRESET).is_ok());
    }

    #[test]
    fn errors_name_line_and_column() {
        let broken = PRESETS[0].text.replace("max_epochs", "max_epoch");
        let line = broken.lines().position(|line| line.contains("max_epoch")).unwrap() + 1;
        let error = parse(&broken, "mine.ron").unwrap_err().to_string();
        assert!(error.starts_with(&format!("mine.ron:{line}:")), "{error}");
        assert!(error.contains("max_epoch") && error.contains("max_epochs"), "{error}");
    }

    #[test]
    fn a_file_of_schema_1_is_converted() {
        let new = PRESETS[0].text;
        let old = new.replace("schema: 2", "schema: 1").replace(
            "WalkForward(train: 3000, validation: 500, test: 500)",
            "(train_bars: 3000, validation_bars: 500, test_bars: 500, step_bars: 700, embargo_bars: 24)",
        );
        assert_ne!(old.replace("schema: 1", "schema: 2"), new, "the preset has such a section");
        let mut expected = load(PRESETS[0].name).unwrap();
        let ValidationSpec::WalkForward { step, embargo, .. } = &mut expected.validation else {
            panic!("the preset walks forward")
        };
        (*step, *embargo) = (Some(Length::Bars(700)), Length::Bars(24));
        assert_eq!(parse(&old, "old.ron").unwrap(), expected);
        let broken = old.replace("step_bars", "stap_bars");
        let error = parse(&broken, "old.ron").unwrap_err().to_string();
        assert!(error.starts_with("old.ron:") && error.contains("step_bars"), "{error}");
    }

    #[test]
    fn another_schema_and_an_unknown_preset_are_refused() {
        for schema in [0, 99] {
            let text = PRESETS[0].text.replace("schema: 2", &format!("schema: {schema}"));
            let error = parse(&text, "x").unwrap_err();
            assert!(matches!(error, SpecError::Schema { found, .. } if found == schema), "{error}");
        }
        let later = PRESETS[0].text.replace("schema: 2", "schema: 3").replace("seed:", "luck:");
        let error = parse(&later, "x").unwrap_err();
        assert!(
            matches!(error, SpecError::Schema { found: 3, .. }),
            "its fields are its own: {error}"
        );
        let error = load("lstm").unwrap_err().to_string();
        assert!(error.contains("lstm-direction"), "{error}");
        assert!(matches!(load("no/such.ron"), Err(SpecError::Unreadable { .. })));
    }
}
