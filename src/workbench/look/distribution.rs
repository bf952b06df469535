use crate::dataset::Section;

/// Bins between the two percentiles.
const BINS: usize = 40;
/// What lies beyond these shares of all rows is counted and not drawn: one outlier would squeeze the rest into one bin.
const DRAWN: (f64, f64) = (0.005, 0.995);

/// How a quantity is distributed in the sections of a fold, over the same bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Bounds of the bins, rising, one more than there are bins: evenly from the 0.5th to the 99.5th percentile of the rows of all sections. Empty
    /// where there is no row. A bin holds its lower bound and not its upper one; the last holds both.
    pub edges: Vec<f64>,
    /// Train, validation and test.
    pub sections: [SectionDistribution; 3],
}

/// The same in one section.
#[derive(Debug, Clone, PartialEq)]
pub struct SectionDistribution {
    /// Which.
    pub section: Section,
    /// Rows used: what the numbers below describe.
    pub rows: u64,
    /// Bars that close inside the section and have no value.
    pub missing: u64,
    /// Mean; `None` without rows, as all that follow.
    pub mean: Option<f64>,
    /// Population standard deviation (divided by the number of rows).
    pub std: Option<f64>,
    /// The least value.
    pub min: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
    /// Rows under the first bin.
    pub below: u64,
    /// Rows in each bin.
    pub counts: Vec<u64>,
    /// Rows over the last bin.
    pub above: u64,
    /// Largest distance between the cumulative distributions of this section and of train, from 0 (equal) to 1 (no overlap): the two-sample
    /// Kolmogorov–Smirnov statistic (Smirnov 1939), as `scipy.stats.ks_2samp`. `None` for train.
    pub distance: Option<f64>,
}

/// A section's values.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    /// Finite, in any order.
    pub(super) values: Vec<f64>,
    /// Bars without one.
    pub(super) missing: u64,
}

impl Distribution {
    /// Of train, validation and test. Costs a sort.
    pub(super) fn of(samples: [Sample; 3], sections: [Section; 3]) -> Self {
        let samples = samples.map(|mut sample| {
            sample.values.sort_unstable_by(f64::total_cmp);
            sample
        });
        let mut all: Vec<f64> = samples.iter().flat_map(|sample| &sample.values).copied().collect();
        // Three runs that rise: the stable sort merges them.
        all.sort_by(f64::total_cmp);
        let edges = edges(&all);
        let mut described = samples.iter().zip(sections).map(|(sample, section)| {
            let against = (section != Section::Train).then_some(samples[0].values.as_slice());
            describe(section, sample, &edges, against)
        });
        let sections = std::array::from_fn(|_| described.next().expect("there are three samples"));
        Self { edges, sections }
    }
}

fn describe(
    section: Section,
    sample: &Sample,
    edges: &[f64],
    against: Option<&[f64]>,
) -> SectionDistribution {
    let values = sample.values.as_slice();
    let count = values.len() as f64;
    // Of distances from one of them: the mean of equal values is just that value.
    let mean = values
        .first()
        .map(|first| first + values.iter().map(|value| value - first).sum::<f64>() / count);
    let squares = |mean: f64| values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    // How many are less than a bound: the values rise.
    let under = |bound: f64| values.partition_point(|value| *value < bound);
    let mut bounds: Vec<usize> = edges.iter().map(|edge| under(*edge)).collect();
    if let (Some(bound), Some(edge)) = (bounds.last_mut(), edges.last()) {
        *bound = values.partition_point(|value| value <= edge);
    }
    SectionDistribution {
        section,
        rows: values.len() as u64,
        missing: sample.missing,
        mean,
        std: mean.map(|mean| (squares(mean) / count).sqrt()),
        min: values.first().copied(),
        max: values.last().copied(),
        below: bounds.first().map_or(0, |bound| *bound as u64),
        counts: bounds.windows(2).map(|pair| (pair[1] - pair[0]) as u64).collect(),
        above: bounds.last().map_or(0, |bound| (values.len() - bound) as u64),
        distance: against.and_then(|other| smirnov(values, other)),
    }
}

/// Bounds of the bins of values that rise.
fn edges(values: &[f64]) -> Vec<f64> {
    let (Some(mut low), Some(mut high)) =
        (percentile(values, DRAWN.0), percentile(values, DRAWN.1))
    else {
        return Vec::new();
    };
    if low == high {
        // As numpy's histogram of a constant, and wider where half a unit would not be seen.
        let half = (low.abs() * 1e-3).max(0.5);
        (low, high) = (low - half, high + half);
    }
    let step = (high - low) / BINS as f64;
    // The last bound exactly, so that the greatest value is inside.
    let bound = |bin: usize| if bin == BINS { high } else { bin as f64 * step + low };
    (0..=BINS).map(bound).collect()
}

/// The value below which a share of the values lies, between neighbours by straight line: numpy's default. `values` rise.
fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let place = share * (values.len().checked_sub(1)?) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let (low, high) = (values[below], *values.get(below + 1).unwrap_or(&values[below]));
    let gap = high - low;
    Some(if part < 0.5 { low + gap * part } else { high - gap * (1.0 - part) })
}

/// The largest distance between the empirical distributions of two samples that rise; `None` where one is empty.
fn smirnov(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let value = a[i].min(b[j]);
        // Equal values step together: between them there is no distance.
        while i < a.len() && a[i] <= value {
            i += 1;
        }
        while j < b.len() && b[j] <= value {
            j += 1;
        }
        largest = largest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    Some(largest)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    const SECTIONS: [Section; 3] = [Section::Train, Section::Validation, Section::Test];

    fn of(samples: [&[f64]; 3]) -> Distribution {
        let sample = |values: &[f64]| Sample { values: values.to_vec(), missing: 0 };
        Distribution::of(samples.map(sample), SECTIONS)
    }

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-12 * expected.abs().max(1.0)
    }

    #[derive(Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        edges: Vec<f64>,
        sections: Vec<Expected>,
    }

    #[derive(Deserialize)]
    struct Expected {
        values: Vec<f64>,
        mean: f64,
        std: f64,
        min: f64,
        max: f64,
        below: u64,
        counts: Vec<u64>,
        above: u64,
        distance: Option<f64>,
    }

    #[test]
    fn distributions_match_numpy_and_scipy() {
        let text =
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/distribution.json"));
        let golden: Golden = serde_json::from_str(text).unwrap();
        assert!(golden.cases.len() >= 5);
        for case in golden.cases {
            let name = &case.name;
            let [train, validation, test] = case.sections.as_slice() else { panic!("{name}") };
            let found = of([&train.values, &validation.values, &test.values]);
            assert_eq!(found.edges.len(), case.edges.len(), "{name}");
            for (ours, theirs) in found.edges.iter().zip(&case.edges) {
                assert!(near(*ours, *theirs), "{name}: {ours} {theirs}");
            }
            for (ours, theirs) in found.sections.iter().zip(&case.sections) {
                let section = ours.section;
                assert_eq!(ours.rows, theirs.values.len() as u64, "{name} {section}");
                for (ours, theirs) in [
                    (ours.mean, theirs.mean),
                    (ours.std, theirs.std),
                    (ours.min, theirs.min),
                    (ours.max, theirs.max),
                ] {
                    assert!(near(ours.unwrap(), theirs), "{name} {section}: {ours:?} {theirs}");
                }
                let counted = (ours.below, &ours.counts, ours.above);
                assert_eq!(
                    counted,
                    (theirs.below, &theirs.counts, theirs.above),
                    "{name} {section}"
                );
                match (ours.distance, theirs.distance) {
                    (Some(ours), Some(theirs)) => assert!(near(ours, theirs), "{name} {section}"),
                    (ours, theirs) => assert_eq!(ours, theirs, "{name} {section}"),
                }
            }
        }
    }

    #[test]
    fn every_row_is_counted_once() {
        let train: Vec<f64> = (0..997).map(|i| (f64::from(i) * 0.37).sin()).collect();
        let found = of([&train, &train[..100], &train[500..]]);
        for section in &found.sections {
            let inside: u64 = section.counts.iter().sum();
            assert_eq!(section.below + inside + section.above, section.rows);
            assert_eq!(section.counts.len() + 1, found.edges.len());
        }
        assert!(found.edges.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_constant_column_is_one_full_bin_in_the_middle() {
        for value in [0.0, -3.5, 1e12, 1e30] {
            let found = of([&[value; 9], &[value; 4], &[value]]);
            assert!(found.edges.is_sorted_by(|a, b| a < b), "{value}");
            for section in &found.sections {
                let full: Vec<u64> = section.counts.iter().copied().filter(|n| *n > 0).collect();
                assert_eq!((full, section.below, section.above), (vec![section.rows], 0, 0));
                assert_eq!((section.mean, section.std), (Some(value), Some(0.0)), "{value}");
            }
            assert_eq!(found.sections.each_ref().map(|s| s.distance), [None, Some(0.0), Some(0.0)]);
        }
    }

    #[test]
    fn without_rows_nothing_is_claimed() {
        let found = of([&[], &[], &[]]);
        assert!(found.edges.is_empty());
        for section in &found.sections {
            let numbers = [section.mean, section.std, section.min, section.max, section.distance];
            assert_eq!((section.rows, section.below, section.above), (0, 0, 0));
            assert!(section.counts.is_empty() && numbers.iter().all(Option::is_none));
        }
    }

    #[test]
    fn one_row_is_a_distribution() {
        let found = of([&[2.0], &[], &[5.0]]);
        let [train, validation, test] = &found.sections;
        assert_eq!((train.rows, validation.rows, test.rows), (1, 0, 1));
        assert_eq!((train.std, train.min, train.max), (Some(0.0), Some(2.0), Some(2.0)));
        assert_eq!((validation.distance, test.distance), (None, Some(1.0)), "they do not overlap");
        let rows = |section: &SectionDistribution| {
            section.below + section.counts.iter().sum::<u64>() + section.above
        };
        assert_eq!((rows(train), rows(validation), rows(test)), (1, 0, 1));
    }
}
