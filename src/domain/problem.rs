use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::count;

/// What can be wrong with a market file's rows, from what is no bar at all to what only looks odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// A row that cannot be read: no date, no number, the wrong number of fields.
    Unreadable,
    /// A NaN or an infinity among prices or volume.
    NotFinite,
    /// A price of zero or below.
    NotPositive,
    /// A volume below zero.
    NegativeVolume,
    /// A high below the low.
    HighBelowLow,
    /// An open or a close outside of high and low.
    OutsideRange,
    /// A row that is older than the one before it.
    Disorder,
    /// The same row once more.
    Duplicate,
    /// Rows of one open time with different values.
    Conflict,
    /// A bar that opens at another time than nearly all others, seen modulo the timeframe.
    OffGrid,
    /// A bar in which nothing was traded.
    ZeroVolume,
    /// A long stretch with one price and no range.
    Stale,
    /// A jump between two bars that looks like a split the prices are not adjusted for.
    Split,
    /// A bar that is missing within the symbol's own trading hours.
    Missing,
    /// A day, or the end or the beginning of one, without bars in a market that closes regularly: mostly a holiday.
    Closed,
}

/// How often a problem was found in a file and what was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemCount {
    /// What is wrong.
    pub problem: Problem,
    /// How many rows, bars, or closures.
    pub found: u64,
    /// How many rows of the file were left out for it.
    pub dropped: u64,
}

impl Problem {
    /// Every problem, the gravest first.
    pub const ALL: [Self; 15] = [
        Self::Unreadable,
        Self::NotFinite,
        Self::NotPositive,
        Self::NegativeVolume,
        Self::HighBelowLow,
        Self::OutsideRange,
        Self::Disorder,
        Self::Duplicate,
        Self::Conflict,
        Self::OffGrid,
        Self::ZeroVolume,
        Self::Stale,
        Self::Split,
        Self::Missing,
        Self::Closed,
    ];

    /// One of it and several of it.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unreadable => ("unreadable row", "unreadable rows"),
            Self::NotFinite => ("row with a NaN or infinity", "rows with a NaN or infinity"),
            Self::NotPositive => {
                ("row with a price of 0 or below", "rows with a price of 0 or below")
            }
            Self::NegativeVolume => ("row with a volume below 0", "rows with a volume below 0"),
            Self::HighBelowLow => {
                ("row with its high below its low", "rows with their high below their low")
            }
            Self::OutsideRange => (
                "row with open or close outside high and low",
                "rows with open or close outside high and low",
            ),
            Self::Disorder => ("row out of order", "rows out of order"),
            Self::Duplicate => ("repeated row", "repeated rows"),
            Self::Conflict => (
                "row in conflict with another of its time",
                "rows in conflict with others of their time",
            ),
            Self::OffGrid => ("bar off the file's time grid", "bars off the file's time grid"),
            Self::ZeroVolume => ("bar without volume", "bars without volume"),
            Self::Stale => ("bar in a stale stretch", "bars in stale stretches"),
            Self::Split => ("jump like an unadjusted split", "jumps like unadjusted splits"),
            Self::Missing => ("missing bar", "missing bars"),
            Self::Closed => ("day closed in whole or part", "days closed in whole or part"),
        }
    }

    /// So many of it, in words: `3 missing bars`.
    #[must_use]
    pub fn counted(self, found: u64) -> String {
        let (one, several) = self.words();
        format!("{} {}", count(found), if found == 1 { one } else { several })
    }
}

impl fmt::Display for Problem {
    /// The name as fields and JSON have it: `high_below_low`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unreadable => "unreadable",
            Self::NotFinite => "not_finite",
            Self::NotPositive => "not_positive",
            Self::NegativeVolume => "negative_volume",
            Self::HighBelowLow => "high_below_low",
            Self::OutsideRange => "outside_range",
            Self::Disorder => "disorder",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::OffGrid => "off_grid",
            Self::ZeroVolume => "zero_volume",
            Self::Stale => "stale",
            Self::Split => "split",
            Self::Missing => "missing",
            Self::Closed => "closed",
        })
    }
}

impl fmt::Display for ProblemCount {
    /// `3 repeated rows (dropped)`, `7 rows out of order`, `5 bars without volume (2 dropped)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.counted(self.found))?;
        match self.dropped {
            0 => Ok(()),
            dropped if dropped == self.found => f.write_str(" (dropped)"),
            dropped => write!(f, " ({} dropped)", count(dropped)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problems_name_is_that_of_its_field() {
        for problem in Problem::ALL {
            assert_eq!(serde_json::to_value(problem).unwrap(), problem.to_string());
        }
        assert!(Problem::ALL.is_sorted());
    }

    #[test]
    fn counts_are_told_with_what_was_done() {
        let told = |problem, found, dropped| ProblemCount { problem, found, dropped }.to_string();
        assert_eq!(told(Problem::Missing, 1, 0), "1 missing bar");
        assert_eq!(told(Problem::Duplicate, 3, 3), "3 repeated rows (dropped)");
        assert_eq!(told(Problem::ZeroVolume, 5, 2), "5 bars without volume (2 dropped)");
    }
}
