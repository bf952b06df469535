use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{Error, IntoDeserializer, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::validate::Check;
use crate::domain::{CalendarTime, Length, UtcMillis};

/// How time is cut into folds. The purge follows from the labels and is not set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ValidationSpec {
    /// Train, validation and test follow each other and move forward fold by fold.
    WalkForward {
        /// Whether the train section keeps its start and grows (anchored, expanding) instead of rolling along.
        #[serde(default)]
        anchored: bool,
        /// Length of the train section; of the first fold's where anchored.
        train: Length,
        /// Length of the validation section.
        validation: Length,
        /// Length of the test section.
        test: Length,
        /// From one fold to the next, at least `test`; absent: `test`.
        #[serde(default)]
        step: Option<Length>,
        /// Left out between two sections, on top of the purge.
        #[serde(default = "nothing")]
        embargo: Length,
        /// Only the latest so many folds; absent: all that fit.
        #[serde(default)]
        max_folds: Option<u32>,
    },
    /// Each of so many equal parts is tested once, by a model that learns from the parts before and after it (López de Prado 2018, §7.4). Not
    /// how one trades, where the future is not there to learn from.
    PurgedKFold {
        /// Parts, at least 2.
        folds: u32,
        /// The section right before the test section (after it in the first fold) that early stopping sees.
        validation: Portion,
        /// How long rows wait after a test section's last label has ended, where that is longer than window and longest lookback, which they
        /// wait in any case.
        #[serde(default)]
        embargo: Option<Length>,
    },
    /// One fold, cut at two dates.
    HoldOut {
        /// Where the validation section begins.
        validation_from: UtcMillis,
        /// Where the test section begins.
        test_from: UtcMillis,
        /// Left out before each of the two, on top of the purge.
        #[serde(default = "nothing")]
        embargo: Length,
    },
}

const fn nothing() -> Length {
    Length::Bars(0)
}

/// A length, or a share of the decisions outside the test section. Written `500`, `"30d"`, or as a fraction: `0.1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Portion {
    /// So long.
    Length(Length),
    /// This share, above 0 and below 1.
    Share(f64),
}

impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => length.fmt(f),
            Self::Share(share) => f.pad(&format!("{} %", share * 100.0)),
        }
    }
}

impl Serialize for Portion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Length(length) => length.serialize(serializer),
            Self::Share(share) => serializer.serialize_f64(*share),
        }
    }
}

impl<'de> Deserialize<'de> for Portion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PortionVisitor;

        impl Visitor<'_> for PortionVisitor {
            type Value = Portion;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a whole number of bars, calendar time as in \"30d\", or a share as in 0.1",
                )
            }

            fn visit_u64<E: Error>(self, bars: u64) -> Result<Portion, E> {
                Length::deserialize(bars.into_deserializer()).map(Portion::Length)
            }

            fn visit_i64<E: Error>(self, bars: i64) -> Result<Portion, E> {
                Length::deserialize(bars.into_deserializer()).map(Portion::Length)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Portion, E> {
                let text: StrDeserializer<'_, E> = text.into_deserializer();
                Length::deserialize(text).map(Portion::Length)
            }

            fn visit_f64<E: Error>(self, share: f64) -> Result<Portion, E> {
                Ok(Portion::Share(share))
            }
        }

        deserializer.deserialize_any(PortionVisitor)
    }
}

impl ValidationSpec {
    /// The scheme's name, as people read it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WalkForward { anchored: false, .. } => "rolling walk-forward",
            Self::WalkForward { anchored: true, .. } => "anchored walk-forward",
            Self::PurgedKFold { .. } => "purged K-fold",
            Self::HoldOut { .. } => "hold-out",
        }
    }

    /// `horizon`: bars that a label spans at most.
    pub(super) fn check(&self, check: &mut Check, horizon: u32) {
        match *self {
            Self::WalkForward { train, validation, test, step, embargo, max_folds, .. } => {
                for (field, length) in [
                    ("validation.train", train),
                    ("validation.validation", validation),
                    ("validation.test", test),
                ] {
                    check.at_least_one(field, length);
                }
                if let Length::Bars(bars) = train {
                    check.that(bars > horizon, "validation.train", || {
                        format!(
                            "{bars} bars leave no row after the purge of {horizon} bars that the label needs"
                        )
                    });
                }
                if let Some(step) = step {
                    check.at_least_one("validation.step", step);
                    check.that(step.is_below(test) != Some(true), "validation.step", || {
                        format!("{step} is below test = {test}: test rows would be seen twice")
                    });
                }
                check.not_too_long("validation.embargo", Some(embargo));
                check.within_or_absent("validation.max_folds", max_folds);
            }
            Self::PurgedKFold { folds, validation, embargo } => {
                check.within("validation.folds", folds);
                match validation {
                    Portion::Length(length) => check.at_least_one("validation.validation", length),
                    Portion::Share(share) => {
                        check.that(share > 0.0 && share < 1.0, "validation.validation", || {
                            format!("the share {share} must lie between 0 and 1, exclusive")
                        });
                    }
                }
                check.not_too_long("validation.embargo", embargo);
            }
            Self::HoldOut { validation_from, test_from, embargo } => {
                check.that(validation_from < test_from, "validation.test_from", || {
                    format!("{test_from} is not after validation_from = {validation_from}")
                });
                check.not_too_long("validation.embargo", Some(embargo));
            }
        }
    }
}

impl Check {
    fn at_least_one(&mut self, field: &str, length: Length) {
        self.that(!length.is_zero(), field, || match length {
            Length::Bars(_) => "must be at least 1 bar".to_owned(),
            Length::Time(CalendarTime { unit, .. }) => {
                format!("must be at least 1{}", unit.suffix())
            }
        });
        self.not_too_long(field, Some(length));
    }

    /// A slip of the finger must not reach the end of the calendar.
    fn not_too_long(&mut self, field: &str, length: Option<Length>) {
        if let Some(Length::Time(time)) = length {
            let epoch = UtcMillis(0);
            let century = epoch.plus_millis(100 * 366 * 86_400_000);
            self.that(time.after(epoch, 1) <= century, field, || {
                format!("{time} is longer than a hundred years")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_reads_with_its_defaults_and_round_trips() {
        let options = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        for (text, name) in [
            ("WalkForward(train: 3000, validation: 500, test: 500)", "rolling walk-forward"),
            (
                r#"WalkForward(anchored: true, train: "180d", validation: "4w", test: "1mo", step: "1mo", embargo: 24, max_folds: 3)"#,
                "anchored walk-forward",
            ),
            ("PurgedKFold(folds: 5, validation: 0.1)", "purged K-fold"),
            (r#"PurgedKFold(folds: 5, validation: "30d", embargo: 48)"#, "purged K-fold"),
            ("PurgedKFold(folds: 5, validation: 500)", "purged K-fold"),
            (r#"HoldOut(validation_from: "2024-01-01", test_from: "2024-06-01")"#, "hold-out"),
        ] {
            let spec: ValidationSpec = options.from_str(text).unwrap();
            assert_eq!(spec.name(), name);
            let written = options.to_string(&spec).unwrap();
            assert_eq!(options.from_str::<ValidationSpec>(&written).unwrap(), spec, "{written}");
            let json = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<ValidationSpec>(&json).unwrap(), spec, "{json}");
        }
        for wrong in [
            "WalkForward(train: 1.5, validation: 500, test: 500)",
            "WalkForward(train: 3000, validation: 500, test: \"5x\")",
            "PurgedKFold(folds: 5, validation: \"half\")",
        ] {
            assert!(options.from_str::<ValidationSpec>(wrong).is_err(), "{wrong}");
        }
    }
}
