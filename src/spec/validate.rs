use super::fields::{Range, field};
use super::{DataSource, ExperimentSpec, Pooling, SCHEMA_VERSION, SpecIssue, SyntheticMarket};

/// Longest window and lookback taken, in bars: far beyond any use, near enough to stop a slip of the finger.
pub(super) const MAX_BARS_BACK: u32 = 100_000;

impl ExperimentSpec {
    /// Checks everything that can be known without the data.
    ///
    /// # Errors
    /// Every field that cannot be run, not only the first.
    pub fn validate(&self) -> Result<(), Vec<SpecIssue>> {
        let mut check = Check::default();
        self.check_data(&mut check);
        self.check_features(&mut check);
        self.label.check(&mut check);
        self.weights.check(&mut check);
        self.validation.check(&mut check, self.label.horizon());
        self.model.check(&mut check, self.window);
        self.training.check(&mut check, self);
        self.check_costs_and_resources(&mut check);
        self.sweep.check(&mut check);
        check.into_result()
    }

    fn check_data(&self, check: &mut Check) {
        let name_fits = (1..=64).contains(&self.name.chars().count())
            && self.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_. ".contains(c));
        check.that(name_fits, "name", || {
            format!("`{}` must be 1 to 64 letters, digits, spaces, `-`, `_` and `.`", self.name)
        });
        check.that(self.schema == SCHEMA_VERSION, "schema", || {
            format!("{} is not the one this program reads, {SCHEMA_VERSION}", self.schema)
        });
        if let (Some(from), Some(until)) = (self.data.from, self.data.until) {
            check.that(from < until, "data.until", || {
                format!("{until} is not after data.from = {from}")
            });
        }
        for (field, repeated) in [
            ("data.symbols", first_repeated(&self.data.symbols).map(ToString::to_string)),
            ("data.timeframes", first_repeated(&self.data.timeframes).map(ToString::to_string)),
        ] {
            if let Some(name) = repeated {
                check.fail(field, format!("{name} is listed twice"));
            }
        }
        for (field, message) in self.data.quality.issues() {
            check.fail(&field, message);
        }
        if let DataSource::Synthetic(synthetic) = &self.data.source {
            check.within("data.source.bars", synthetic.bars);
            if let SyntheticMarket::Planted { ic } = synthetic.market {
                check.within("data.source.market.ic", ic);
            }
        }
        let (symbols, timeframes) = (self.data.symbols.len(), self.data.timeframes.len());
        match self.data.pooling {
            Pooling::PerSymbol => {}
            Pooling::Pooled => check.that(symbols != 1, "data.pooling", || {
                "Pooled needs at least two symbols; choose more, or PerSymbol".to_owned()
            }),
            Pooling::PooledTimeframes => check.that(timeframes != 1, "data.pooling", || {
                "PooledTimeframes needs at least two timeframes; choose more, or Pooled".to_owned()
            }),
        }
        check.that(symbols != 1 || self.label.minimum_symbols().is_none(), "label", || {
            "this label compares symbols; choose more than one".to_owned()
        });
    }

    fn check_features(&self, check: &mut Check) {
        check.issues.extend(super::features::problems(&self.features));
        check.within("window", self.window);
    }

    fn check_costs_and_resources(&self, check: &mut Check) {
        check.within("costs.fee_bps", self.costs.fee_bps);
        check.within("costs.half_spread_bps", self.costs.half_spread_bps);
        check.within("resources.threads_per_task", self.resources.threads_per_task);
        check.within("resources.memory_fraction", self.resources.memory_fraction);
        check.within_or_absent("resources.workers", self.resources.workers);
    }
}

/// Gathers what is wrong.
#[derive(Default)]
pub(super) struct Check {
    issues: Vec<SpecIssue>,
}

impl Check {
    /// What was found, if anything.
    pub(super) fn into_result(self) -> Result<(), Vec<SpecIssue>> {
        if self.issues.is_empty() { Ok(()) } else { Err(self.issues) }
    }

    pub(super) fn fail(&mut self, field: &str, message: String) {
        self.issues.push(SpecIssue { field: field.to_owned(), message });
    }

    pub(super) fn that(&mut self, holds: bool, field: &str, message: impl FnOnce() -> String) {
        if !holds {
            self.fail(field, message());
        }
    }

    /// A number that has to lie in the range which the table of fields has for this path.
    pub(super) fn within(&mut self, path: &str, value: impl Into<f64>) {
        self.within_as(path, path, value.into());
    }

    /// The same for one that may be absent.
    pub(super) fn within_or_absent(&mut self, path: &str, value: Option<impl Into<f64>>) {
        let Some(value) = value.map(Into::into) else { return };
        let range = range_of(path);
        self.that(range.contains(value), path, || {
            format!("{value} must {}, or absent", range.demand())
        });
    }

    /// The same as [`Self::within`], told beside another field.
    pub(super) fn within_as(&mut self, path: &str, told_at: &str, value: f64) {
        let range = range_of(path);
        self.that(range.contains(value), told_at, || format!("{value} must {}", range.demand()));
    }
}

fn range_of(path: &str) -> Range {
    field(path).expect("what is checked by its path is in the table").range
}

fn first_repeated<T: PartialEq>(items: &[T]) -> Option<&T> {
    items.iter().enumerate().find(|(index, item)| items[..*index].contains(item)).map(|(_, i)| i)
}

#[cfg(test)]
mod tests {
    use crate::spec::{Assignment, apply, load};

    #[test]
    fn every_impossible_field_is_named() {
        let spec = load("lstm-direction").unwrap();
        for (set, field) in [
            ("schema=3", "schema"),
            ("name=", "name"),
            ("name=a/b", "name"),
            ("window=0", "window"),
            ("label.horizon=0", "label.horizon"),
            ("features=[]", "features"),
            ("features[0].lag=0", "features[0].lag"),
            (r#"features=["TimeGap","TimeGap"]"#, "features"),
            ("validation.test=0", "validation.test"),
            ("validation.test=0d", "validation.test"),
            ("validation.train=1", "validation.train"),
            ("validation.train=101y", "validation.train"),
            ("validation.step=1", "validation.step"),
            ("validation.step=0h", "validation.step"),
            ("validation.max_folds=0", "validation.max_folds"),
            (r#"validation={"PurgedKFold":{"folds":1,"validation":9}}"#, "validation.folds"),
            (r#"validation={"PurgedKFold":{"folds":3,"validation":1.0}}"#, "validation.validation"),
            (
                r#"validation={"HoldOut":{"validation_from":"2024-06-01","test_from":"2024-01-01"}}"#,
                "validation.test_from",
            ),
            (r#"label.dead_zone={"Bps":0.0}"#, "label.dead_zone"),
            (r#"label.dead_zone={"TrainQuantile":1.0}"#, "label.dead_zone"),
            (
                r#"label={"ScaledReturn":{"horizon":4,"volatility_window":1}}"#,
                "label.volatility_window",
            ),
            (
                r#"label={"DemeanedReturn":{"horizon":4,"minimum_symbols":1}}"#,
                "label.minimum_symbols",
            ),
            (
                r#"label={"TripleBarrier":{"horizon":4,"profit_take":0.0,"stop_loss":1.0,"volatility_window":9}}"#,
                "label.profit_take",
            ),
            ("weights.time_decay=-1.0", "weights.time_decay"),
            (r#"data.pooling="PooledTimeframes""#, "data.pooling"),
            ("model.dropout=1.0", "model.dropout"),
            ("model.layers=0", "model.layers"),
            (r#"model={"Gru":{"hidden":0,"layers":1,"dropout":0.0}}"#, "model.hidden"),
            (r#"model={"Tcn":{"channels":[],"kernel_size":3,"dropout":0.0}}"#, "model.channels"),
            (
                r#"model={"Tcn":{"channels":[4,0],"kernel_size":3,"dropout":0.0}}"#,
                "model.channels[1]",
            ),
            (
                // The window has 32 bars, and the sixth block would look 32 back.
                r#"model={"Tcn":{"channels":[4,4,4,4,4,4],"kernel_size":3,"dropout":0.0}}"#,
                "model.channels",
            ),
            (
                r#"model={"Tcn":{"channels":[4],"kernel_size":1,"dropout":0.0}}"#,
                "model.kernel_size",
            ),
            (
                r#"model={"Tcn":{"channels":[4],"kernel_size":33,"dropout":0.0}}"#,
                "model.kernel_size",
            ),
            (
                r#"model={"Transformer":{"d_model":10,"heads":3,"layers":1,"feedforward":8,"dropout":0.0}}"#,
                "model.heads",
            ),
            (
                r#"model={"Transformer":{"d_model":8,"heads":0,"layers":1,"feedforward":8,"dropout":0.0}}"#,
                "model.heads",
            ),
            (
                r#"model={"Transformer":{"d_model":8,"heads":2,"layers":1,"feedforward":8,"dropout":0.0,"tokens":{"Patch":{"length":33,"stride":4}}}}"#,
                "model.tokens.length",
            ),
            (
                r#"model={"Transformer":{"d_model":8,"heads":2,"layers":1,"feedforward":8,"dropout":0.0,"tokens":{"Patch":{"length":4,"stride":5}}}}"#,
                "model.tokens.stride",
            ),
            ("label.inside=Flat", "label.inside"),
            ("training.learning_rate=0.0", "training.learning_rate"),
            ("training.batch_size=0", "training.batch_size"),
            ("training.patience=0", "training.patience"),
            ("costs.fee_bps=-1.0", "costs.fee_bps"),
            ("resources.workers=0", "resources.workers"),
            ("resources.threads_per_task=0", "resources.threads_per_task"),
            (r#"data.symbols=["A","A"]"#, "data.symbols"),
            ("data.quality.not_finite=Keep", "data.quality.not_finite"),
            ("data.quality.split=Drop", "data.quality.split"),
            ("data.quality.most_dropped=1.5", "data.quality.most_dropped"),
        ] {
            let changed = apply(&spec, &[set.parse::<Assignment>().unwrap()]).unwrap();
            let issues = changed.validate().unwrap_err();
            assert!(issues.iter().any(|issue| issue.field == field), "{set}: {issues:?}");
        }
    }

    #[test]
    fn the_hash_ignores_names_workers_and_places() {
        let spec = load("lstm-direction").unwrap();
        let hash = |set: &str| apply(&spec, &[set.parse().unwrap()]).unwrap().content_hash();
        for same in ["name=other", "notes=hello", "resources.workers=7"] {
            assert_eq!(hash(same), spec.content_hash(), "{same}");
        }
        for other in ["seed=8", "window=9", "resources.threads_per_task=2", "costs.fee_bps=9.0"] {
            assert_ne!(hash(other), spec.content_hash(), "{other}");
        }
    }
}
