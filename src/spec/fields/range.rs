use std::fmt;
use std::ops::Bound;

use crate::domain::text::count;

/// Numbers from one to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The lower end.
    pub least: Bound<f64>,
    /// The upper end.
    pub most: Bound<f64>,
}

impl Range {
    /// Whatever the type takes.
    pub const ANY: Self = Self { least: Bound::Unbounded, most: Bound::Unbounded };
    /// Above 0.
    pub const POSITIVE: Self = Self { least: Bound::Excluded(0.0), most: Bound::Unbounded };
    /// At least 0.
    pub const NOT_NEGATIVE: Self = Self::at_least(0.0);
    /// At least 0 and below 1.
    pub const BELOW_ONE: Self = Self { least: Bound::Included(0.0), most: Bound::Excluded(1.0) };
    /// From 0 to 1.
    pub const SHARE: Self = Self::from_to(0.0, 1.0);
    /// Between 0 and 1, both left out.
    pub const INSIDE_ONE: Self = Self { least: Bound::Excluded(0.0), most: Bound::Excluded(1.0) };

    /// This number or more.
    #[must_use]
    pub const fn at_least(least: f64) -> Self {
        Self { least: Bound::Included(least), most: Bound::Unbounded }
    }

    /// Both included.
    #[must_use]
    pub const fn from_to(least: f64, most: f64) -> Self {
        Self { least: Bound::Included(least), most: Bound::Included(most) }
    }

    /// The first left out, the second included.
    #[must_use]
    pub const fn above_to(least: f64, most: f64) -> Self {
        Self { least: Bound::Excluded(least), most: Bound::Included(most) }
    }

    /// Whether a number is inside. A number that is none (NaN) or infinite never is, unless anything is.
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        self == Self::ANY
            || value.is_finite()
                && match self.least {
                    Bound::Included(least) => value >= least,
                    Bound::Excluded(least) => value > least,
                    Bound::Unbounded => true,
                }
                && match self.most {
                    Bound::Included(most) => value <= most,
                    Bound::Excluded(most) => value < most,
                    Bound::Unbounded => true,
                }
    }

    /// What a number has to do to be inside, to be put after `must`.
    pub(in crate::spec) fn demand(self) -> String {
        match (self.least, self.most) {
            (Bound::Included(least), Bound::Included(most)) => {
                format!("lie between {least} and {most}")
            }
            (Bound::Excluded(least), Bound::Excluded(most)) => {
                format!("lie between {least} and {most}, exclusive")
            }
            _ => format!("be {}", words(self, |number| number.to_string())),
        }
    }
}

/// The range in words: `at least 0 and below 1`.
fn words(range: Range, number: impl Fn(f64) -> String) -> String {
    let least = match range.least {
        Bound::Included(least) => Some(format!("at least {}", number(least))),
        Bound::Excluded(least) => Some(format!("above {}", number(least))),
        Bound::Unbounded => None,
    };
    let most = match range.most {
        Bound::Included(most) => Some(format!("at most {}", number(most))),
        Bound::Excluded(most) => Some(format!("below {}", number(most))),
        Bound::Unbounded => None,
    };
    least.into_iter().chain(most).collect::<Vec<_>>().join(" and ")
}

impl fmt::Display for Range {
    /// For people: `1 to 65 536`, `above 0`, `at least 0 and below 1`. Nothing for [`Range::ANY`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: f64| {
            if value.fract() == 0.0 && value >= 0.0 {
                count(value as u64)
            } else {
                value.to_string()
            }
        };
        match (self.least, self.most) {
            (Bound::Included(least), Bound::Included(most)) => {
                write!(f, "{} to {}", number(least), number(most))
            }
            _ => f.write_str(&words(*self, number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_says_what_it_contains() {
        for (range, inside, outside, shown, demand) in [
            (
                Range::from_to(1.0, 65_536.0),
                vec![1.0, 65_536.0],
                vec![0.0, 65_537.0],
                "1 to 65\u{202f}536",
                "lie between 1 and 65536",
            ),
            (Range::POSITIVE, vec![1e-9, 1e9], vec![0.0, -1.0], "above 0", "be above 0"),
            (Range::NOT_NEGATIVE, vec![0.0], vec![-1e-9], "at least 0", "be at least 0"),
            (
                Range::BELOW_ONE,
                vec![0.0, 0.99],
                vec![1.0, -0.1],
                "at least 0 and below 1",
                "be at least 0 and below 1",
            ),
            (
                Range::INSIDE_ONE,
                vec![0.5],
                vec![0.0, 1.0],
                "above 0 and below 1",
                "lie between 0 and 1, exclusive",
            ),
            (
                Range::above_to(-1.0, 1.0),
                vec![1.0, -0.99],
                vec![-1.0, 1.01],
                "above -1 and at most 1",
                "be above -1 and at most 1",
            ),
        ] {
            assert_eq!((range.to_string().as_str(), range.demand().as_str()), (shown, demand));
            assert!(inside.iter().all(|value| range.contains(*value)), "{shown}");
            assert!(!outside.iter().any(|value| range.contains(*value)), "{shown}");
            assert!(!range.contains(f64::NAN) && !range.contains(f64::INFINITY), "{shown}");
        }
        assert!(Range::ANY.contains(f64::NAN) && Range::ANY.to_string().is_empty());
    }
}
