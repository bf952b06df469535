use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::read::{Places, Unreadable};
use super::super::{MarketError, Place};
use crate::domain::text::minute;
use crate::domain::{Problem, ProblemCount, UtcMillis};
use crate::spec::{Policy, QualitySpec};

/// So many examples of each problem are told.
pub(super) const MOST_EXAMPLES: usize = 5;

/// What is wrong with a file, problem by problem.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QualityReport {
    /// The rows of the file, readable or not.
    pub rows: u64,
    /// What was found, the gravest first. Empty for a file without fault.
    pub findings: Vec<Finding>,
}

/// One problem of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What, how often, and how many rows were left out for it.
    #[serde(flatten)]
    pub count: ProblemCount,
    /// The first ones.
    pub examples: Vec<Example>,
}

/// One place where a problem shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The line or row of the file; `None` for what lies between rows or spans several.
    pub place: Option<Place>,
    /// The open time of the bar, or of the first one after; `None` where it cannot be read.
    pub at: Option<UtcMillis>,
    /// What was found there, with the values.
    pub what: String,
}

impl Finding {
    /// How many there are beyond the examples. `None` where there are no more, and for problems that are counted in bars and told in
    /// stretches.
    #[must_use]
    pub fn more(&self) -> Option<u64> {
        let is_told_in_stretches = matches!(self.count.problem, Problem::Missing | Problem::Stale);
        let more = self.count.found.saturating_sub(self.examples.len() as u64);
        (more > 0 && !is_told_in_stretches).then_some(more)
    }
}

impl fmt::Display for Example {
    /// Where it is and what: `line 17: high 9 below low 10`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.place, self.at) {
            (Some(Place::Line(line)), _) => write!(f, "line {line}: ")?,
            (Some(Place::Row(row)), _) => write!(f, "row {row}: ")?,
            (None, Some(at)) => write!(f, "{}: ", minute(at))?,
            (None, None) => {}
        }
        f.write_str(&self.what)
    }
}

impl QualityReport {
    /// What was found and dropped, without examples.
    #[must_use]
    pub fn counts(&self) -> Vec<ProblemCount> {
        self.findings.iter().map(|finding| finding.count).collect()
    }

    /// How often a problem was found.
    #[must_use]
    pub fn found(&self, problem: Problem) -> u64 {
        let finding = self.findings.iter().find(|finding| finding.count.problem == problem);
        finding.map_or(0, |finding| finding.count.found)
    }

    /// Rows that were left out.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.findings.iter().map(|finding| finding.count.dropped).sum()
    }
}

/// An example whose place is not looked up yet.
#[derive(Debug)]
pub(super) struct Sight {
    pub row: Option<usize>,
    pub at: UtcMillis,
    pub what: String,
}

/// Collects what is found.
#[derive(Debug)]
pub(super) struct Ledger {
    rows: u64,
    unreadable: Unreadable,
    found: BTreeMap<Problem, Found>,
}

#[derive(Debug, Default)]
struct Found {
    count: u64,
    dropped: u64,
    sights: Vec<Sight>,
}

impl Ledger {
    pub fn new(rows: u64) -> Self {
        Self { rows, unreadable: Unreadable::default(), found: BTreeMap::new() }
    }

    /// Rows that the reader could not make values of.
    pub fn unreadable(&mut self, unreadable: Unreadable) {
        self.add(Problem::Unreadable, unreadable.count, unreadable.count, Vec::new());
        self.unreadable = unreadable;
    }

    /// So many of a problem, with the first of them.
    pub fn add(&mut self, problem: Problem, count: u64, dropped: u64, sights: Vec<Sight>) {
        if count > 0 {
            let found = self.found.entry(problem).or_default();
            found.count += count;
            found.dropped += dropped;
            let more = MOST_EXAMPLES.saturating_sub(found.sights.len());
            found.sights.extend(sights.into_iter().take(more));
        }
    }

    /// One of a problem, which drops its row.
    pub fn drop_row(&mut self, problem: Problem, sight: impl FnOnce() -> Sight) {
        let found = self.found.entry(problem).or_default();
        found.count += 1;
        found.dropped += 1;
        if found.sights.len() < MOST_EXAMPLES {
            found.sights.push(sight());
        }
    }

    /// The report, where the policies take the file.
    pub fn verdict(
        self,
        path: &Path,
        places: &Places,
        bars: u64,
        policies: &QualitySpec,
    ) -> Result<QualityReport, MarketError> {
        let report = self.report(places);
        let first = |finding: &Finding| {
            let example = finding.examples.first();
            example.map_or_else(String::new, |example| match (example.place, example.at) {
                (Some(place), _) => format!("{place}: {}", example.what),
                (None, Some(at)) => format!(": {at}: {}", example.what),
                (None, None) => format!(": {}", example.what),
            })
        };
        for finding in &report.findings {
            let ProblemCount { problem, found, .. } = finding.count;
            if policies.policy(problem) == Policy::Reject {
                let first = first(finding);
                return Err(MarketError::Rejected { path: path.to_owned(), problem, found, first });
            }
        }
        let broken: Vec<&Finding> =
            report.findings.iter().filter(|finding| is_broken(finding.count.problem)).collect();
        let told = |findings: &[&Finding]| {
            let told: Vec<String> = findings
                .iter()
                .map(|finding| finding.count.problem.counted(finding.count.found))
                .collect();
            told.join(", ")
        };
        let dropped: u64 = broken.iter().map(|finding| finding.count.dropped).sum();
        let most = (report.rows as f64 * policies.most_dropped).max(1.0);
        if dropped as f64 > most {
            return Err(MarketError::TooManyDropped {
                path: path.to_owned(),
                dropped,
                rows: report.rows,
                counts: told(&broken),
                first: broken.first().map_or_else(String::new, |finding| first(finding)),
                most: policies.most_dropped,
            });
        }
        if bars == 0 {
            let all: Vec<&Finding> = report.findings.iter().collect();
            let (rows, counts) = (report.rows, told(&all));
            return Err(MarketError::NothingLeft { path: path.to_owned(), rows, counts });
        }
        Ok(report)
    }

    fn report(self, places: &Places) -> QualityReport {
        let Self { rows, unreadable, found } = self;
        let unreadable: Vec<Example> = unreadable
            .examples
            .into_iter()
            .take(MOST_EXAMPLES)
            .map(|(place, what)| Example { place: Some(place), at: None, what: what.to_string() })
            .collect();
        let findings = found.into_iter().map(|(problem, found)| {
            let example = |Sight { row, at, what }| Example {
                place: row.map(|row| places.of(row)),
                at: Some(at),
                what,
            };
            let examples = match problem {
                Problem::Unreadable => unreadable.clone(),
                _ => found.sights.into_iter().map(example).collect(),
            };
            let count = ProblemCount { problem, found: found.count, dropped: found.dropped };
            Finding { count, examples }
        });
        QualityReport { rows, findings: findings.collect() }
    }
}

/// What speaks against the whole file when there is much of it. The same row twice does not.
const fn is_broken(problem: Problem) -> bool {
    matches!(
        problem,
        Problem::Unreadable
            | Problem::NotFinite
            | Problem::NotPositive
            | Problem::NegativeVolume
            | Problem::HighBelowLow
            | Problem::OutsideRange
            | Problem::Conflict
    )
}
