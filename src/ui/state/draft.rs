use serde::{Deserialize, Serialize};

use super::tries::Tries;
use super::{Choice, Origin};
use crate::domain::{Symbol, Timeframe};
use crate::spec::{Assignment, DataSource, Difference, ExperimentSpec, SpecIssue, apply};

/// The experiment on the bench, with what is wrong with it. Panels edit a copy and hand it back whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    spec: ExperimentSpec,
    symbols: Choice<Symbol>,
    timeframes: Choice<Timeframe>,
    issues: Vec<SpecIssue>,
    /// What it began as.
    origin: Origin,
    /// What has been changed since.
    differences: Vec<Difference>,
    /// What came of trying the sweep's values one by one.
    tries: Tries,
}

/// What of a draft outlives the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredDraft {
    spec: ExperimentSpec,
    no_symbol: bool,
    no_timeframe: bool,
    /// What it began as; absent in what was stored before that was remembered.
    #[serde(default)]
    origin: Option<ExperimentSpec>,
}

impl Draft {
    pub(crate) fn new(spec: ExperimentSpec) -> Self {
        let symbols = Choice::of(&spec.data.symbols);
        let timeframes = Choice::of(&spec.data.timeframes);
        let origin = Origin::of(&spec);
        Self::checked(spec, symbols, timeframes, (origin, Tries::default()))
    }

    /// As it was left.
    pub(crate) fn restore(stored: StoredDraft) -> Self {
        let mut draft = Self::new(stored.spec);
        if stored.no_symbol {
            draft.symbols = Choice::None;
        }
        if stored.no_timeframe {
            draft.timeframes = Choice::None;
        }
        let origin = stored.origin.map_or(draft.origin, Origin::new);
        Self::checked(draft.spec, draft.symbols, draft.timeframes, (origin, draft.tries))
    }

    pub(crate) fn store(&self) -> StoredDraft {
        StoredDraft {
            spec: self.spec.clone(),
            no_symbol: self.symbols == Choice::None,
            no_timeframe: self.timeframes == Choice::None,
            origin: Some(self.origin.spec().clone()),
        }
    }

    fn checked(
        mut spec: ExperimentSpec,
        symbols: Choice<Symbol>,
        timeframes: Choice<Timeframe>,
        (origin, mut tries): (Origin, Tries),
    ) -> Self {
        // An empty list of timeframes means one thing to the built-in market, hourly bars, and not all that could be ticked.
        let timeframes = match (timeframes, &spec.data.source) {
            (Choice::All, DataSource::Synthetic(_)) => {
                Choice::Some(Timeframe::from_minutes(60).into_iter().collect())
            }
            (other, _) => other,
        };
        spec.data.symbols = symbols.to_list();
        spec.data.timeframes = timeframes.to_list();
        let mut issues = spec.validate().err().unwrap_or_default();
        if issues.is_empty() {
            issues = tries.issues(&spec);
        }
        let mut nothing = |is_none: bool, field: &str, message: &str| {
            if is_none {
                issues.insert(0, SpecIssue { field: field.into(), message: message.into() });
            }
        };
        nothing(timeframes == Choice::None, "data.timeframes", "tick at least one timeframe");
        nothing(symbols == Choice::None, "data.symbols", "tick at least one symbol");
        let differences = origin.differences(&spec);
        Self { spec, symbols, timeframes, issues, origin, differences, tries }
    }

    /// What does not depend on the fields.
    fn kept(&self) -> (Origin, Tries) {
        (self.origin.clone(), self.tries.clone())
    }

    pub(crate) const fn spec(&self) -> &ExperimentSpec {
        &self.spec
    }

    pub(crate) const fn symbols(&self) -> &Choice<Symbol> {
        &self.symbols
    }

    pub(crate) const fn timeframes(&self) -> &Choice<Timeframe> {
        &self.timeframes
    }

    /// The same with another specification; what is ticked stays.
    pub(crate) fn with_spec(&self, spec: ExperimentSpec) -> Self {
        Self::checked(spec, self.symbols.clone(), self.timeframes.clone(), self.kept())
    }

    pub(crate) fn with_symbols(&self, symbols: Choice<Symbol>) -> Self {
        Self::checked(self.spec.clone(), symbols, self.timeframes.clone(), self.kept())
    }

    pub(crate) fn with_timeframes(&self, timeframes: Choice<Timeframe>) -> Self {
        Self::checked(self.spec.clone(), self.symbols.clone(), timeframes, self.kept())
    }

    /// The same on another source, whose symbols are still to be ticked.
    pub(crate) fn with_source(&self, source: DataSource) -> Self {
        let mut spec = self.spec.clone();
        let symbols = match source {
            // The built-in market's own symbols.
            DataSource::Synthetic(_) => Choice::All,
            DataSource::Folder(_) => Choice::None,
        };
        spec.data.source = source;
        Self::checked(spec, symbols, self.timeframes.clone(), self.kept())
    }

    /// This draft with what `edited` changed of `base`, field by field: two panels may each have edited a copy of the same draft.
    pub(crate) fn merged(&self, base: &Self, edited: &Self) -> Self {
        if self == base {
            // Nobody else has edited it: checked already.
            return edited.clone();
        }
        let (mut spec, from, to) = (self.spec.clone(), &base.spec, &edited.spec);
        macro_rules! take {
            ($($field:ident).+) => {
                if from.$($field).+ != to.$($field).+ {
                    spec.$($field).+.clone_from(&to.$($field).+);
                }
            };
        }
        take!(name);
        take!(notes);
        take!(data.source);
        take!(data.pooling);
        take!(data.from);
        take!(data.until);
        take!(data.quality);
        take!(features);
        take!(window);
        take!(scaling);
        take!(label);
        take!(weights);
        take!(validation);
        take!(model);
        take!(training);
        take!(costs);
        take!(resources);
        take!(seed);
        take!(sweep);
        let symbols = if base.symbols == edited.symbols { self } else { edited }.symbols.clone();
        let timeframes =
            if base.timeframes == edited.timeframes { self } else { edited }.timeframes.clone();
        Self::checked(spec, symbols, timeframes, edited.kept())
    }

    /// What it began as.
    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What has been changed since it began, but for the data it is trained on, its name and notes, and its sweep.
    pub(crate) fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// How a field, given by its path, differs from what it was at first; `None` where it does not.
    pub(crate) fn difference(&self, field: &str) -> Option<Difference> {
        self.differences.iter().find_map(|difference| {
            if difference.path == field {
                Some(difference.clone())
            } else {
                difference.of_element(field)
            }
        })
    }

    /// The same with these fields as they were at first.
    pub(crate) fn without(&self, differences: &[Difference]) -> Self {
        let undone: Vec<Assignment> = differences.iter().map(Difference::undo).collect();
        // What was there can be set: the check of what may stand beside it comes after.
        apply(&self.spec, &undone).map_or_else(|_never| self.clone(), |spec| self.with_spec(spec))
    }

    /// Every field that cannot be run.
    pub(crate) fn issues(&self) -> &[SpecIssue] {
        &self.issues
    }

    /// What is wrong with a field, given by its path as in `validation.train`.
    pub(crate) fn issue(&self, field: &str) -> Option<&str> {
        self.issues.iter().find(|issue| issue.field == field).map(|issue| issue.message.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{SweepAxis, SweepSpec, load};

    #[test]
    fn what_is_wrong_with_a_sweep_stands_beside_its_field() {
        let axis = |path: &str, values: &[&str]| SweepAxis {
            path: path.to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        };
        let found = |axes: Vec<SweepAxis>| {
            let sweep = SweepSpec { axes, ..SweepSpec::default() };
            let spec = ExperimentSpec { sweep, ..load("mlp-return").unwrap() };
            let issues = Draft::new(spec).issues().to_vec();
            issues.into_iter().map(|issue| (issue.field, issue.message)).collect::<Vec<_>>()
        };
        assert_eq!(found(vec![axis("window", &["4", "8"])]), []);
        for (axes, field, says) in [
            (vec![axis("window", &[])], "sweep.axes[0].values", "there is none"),
            (vec![axis("windw", &["3"])], "sweep.axes[0].path", "windw"),
            (
                vec![axis("window", &["4"]), axis("seed", &["1", "x"])],
                "sweep.axes[1].values",
                "x: ",
            ),
            (vec![axis("window", &["0"])], "sweep.axes[0].values", "window"),
            (vec![axis("window", &["0"]), axis("seed", &["1"])], "sweep", "window=0"),
        ] {
            let issues = found(axes);
            assert_eq!(issues.len(), 1, "{issues:?}");
            let (place, message) = &issues[0];
            assert!(place == field && message.contains(says), "{place}: {message}");
        }
    }

    #[test]
    fn what_was_changed_is_known_and_can_be_taken_back_one_by_one() {
        let base = Draft::new(load("mlp-return").unwrap());
        assert!(base.origin().is_preset() && base.differences().is_empty());
        let mut spec = base.spec().clone();
        spec.window = 8;
        spec.name = "mine".to_owned();
        spec.costs.fee_bps = 1.0;
        spec.data.source = DataSource::Folder("x".into());
        let draft = base.with_spec(spec);
        let paths = |draft: &Draft| -> Vec<String> {
            draft.differences().iter().map(|difference| difference.path.clone()).collect()
        };
        assert_eq!(paths(&draft), ["costs.fee_bps", "window"]);
        let window = draft.difference("window").unwrap();
        assert_eq!((window.from_text().as_str(), window.to_text().as_str()), ("4", "8"));
        let one = draft.without(&[window]);
        assert_eq!((paths(&one), one.spec().window), (vec!["costs.fee_bps".to_owned()], 4));
        let none = draft.without(draft.differences());
        assert!(none.differences().is_empty() && none.spec().name == "mine");
        // Also after a restart, under another name.
        let text = ron::to_string(&draft.store()).unwrap();
        let restored = Draft::restore(ron::from_str(&text).unwrap());
        assert_eq!((restored.origin().name(), paths(&restored)), ("mlp-return", paths(&draft)));
    }

    #[test]
    fn a_draft_stored_before_its_origin_was_is_compared_with_the_preset_of_its_name() {
        let mut spec = load("gru-barrier").unwrap();
        spec.window = 9;
        let text = ron::to_string(&Draft::new(spec).store()).unwrap();
        let cut = text.find(",origin:").unwrap();
        let old = format!("{})", &text[..cut]);
        let restored = Draft::restore(ron::from_str(&old).unwrap());
        assert_eq!(restored.differences().len(), 1, "{old}");
    }

    #[test]
    fn edits_of_two_panels_in_one_frame_are_both_kept() {
        let base = Draft::new(load("mlp-return").unwrap());
        let ticked = base.with_symbols(Choice::None);
        let mut spec = base.spec().clone();
        spec.training.max_epochs = 7;
        let both = base.merged(&base, &ticked).merged(&base, &base.with_spec(spec));
        assert_eq!((both.spec().training.max_epochs, both.symbols()), (7, &Choice::None));
    }

    #[test]
    fn the_built_in_market_has_hourly_bars_where_none_are_named() {
        let mut spec = load("mlp-return").unwrap();
        spec.data.timeframes.clear();
        assert_eq!(Draft::new(spec).timeframes().count(4), 1);
    }

    #[test]
    fn nothing_ticked_is_told_and_survives_a_restart() {
        let draft = Draft::new(load("mlp-return").unwrap());
        assert!(draft.issues().is_empty());
        let empty = draft.with_source(DataSource::Folder("x".into()));
        assert_eq!(empty.issue("data.symbols"), Some("tick at least one symbol"));
        assert!(empty.spec().data.symbols.is_empty());
        let text = ron::to_string(&empty.store()).unwrap();
        assert_eq!(Draft::restore(ron::from_str(&text).unwrap()), empty);
        let one = empty.with_symbols(Choice::Some(vec!["BTC".parse().unwrap()]));
        assert!(one.issues().is_empty());
        assert_eq!(one.spec().data.symbols.len(), 1);
    }
}
