use super::{RowTimes, Sections};
use crate::domain::UtcMillis;

/// A row that learns or chooses, and knows something of a row that is to be judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// Position of the series.
    pub series: usize,
    /// Its row.
    pub row: u32,
    /// `train` or `validation`: the section the row is in.
    pub section: &'static str,
    /// `validation` or `test`: the section it knows something of.
    pub reaches: &'static str,
    /// From when on the row knows: the decision of the oldest bar that its window and lookbacks reach.
    pub from: UtcMillis,
    /// When its label is known.
    pub until: UtcMillis,
}

/// Every train row that knows something of a validation or test row, and every validation row that knows something of a test row, of whatever
/// series. Nothing is taken on trust from what cut the rows: no fold, no embargo; rows may lie anywhere.
///
/// A row knows the time from the oldest bar that its features reach (`back` bars before it) to the end of its label. The row it is held against
/// stands for the time from its decision to the end of its label. Time before a section is anybody's: a test row's features may
/// reach into train rows.
///
/// # Panics
/// If a section names a row that the series does not have.
#[must_use]
pub fn overlaps(series: &[RowTimes<'_>], sections: &[Sections], back: u32) -> Vec<Overlap> {
    let of = |rows_of: fn(&Sections) -> &Vec<u32>| {
        let labels = series.iter().zip(sections).flat_map(move |(rows, part)| {
            let times = |row: &u32| (rows.decision[*row as usize], rows.label_end[*row as usize]);
            rows_of(part).iter().map(times)
        });
        Intervals::new(labels.collect())
    };
    let (validation, test) = (of(|part| &part.validation), of(|part| &part.test));
    let mut found = Vec::new();
    for (position, (rows, part)) in series.iter().zip(sections).enumerate() {
        for (section, members, reaches, judged) in [
            ("train", &part.train, "validation", &validation),
            ("train", &part.train, "test", &test),
            ("validation", &part.validation, "test", &test),
        ] {
            for &row in members {
                let oldest = (row as usize).saturating_sub(back as usize);
                let (from, until) = (rows.decision[oldest], rows.label_end[row as usize]);
                if judged.any_within(from, until) {
                    found.push(Overlap { series: position, row, section, reaches, from, until });
                }
            }
        }
    }
    found
}

/// Spans of time, ends included, that answer whether one of them meets another.
struct Intervals {
    starts: Vec<UtcMillis>,
    /// The latest end of the spans up to this one.
    latest: Vec<UtcMillis>,
}

impl Intervals {
    fn new(mut spans: Vec<(UtcMillis, UtcMillis)>) -> Self {
        spans.sort_unstable();
        let mut latest = UtcMillis(i64::MIN);
        let ends = spans.iter().map(|(_, end)| {
            latest = latest.max(*end);
            latest
        });
        Self { latest: ends.collect(), starts: spans.iter().map(|(start, _)| *start).collect() }
    }

    fn any_within(&self, from: UtcMillis, until: UtcMillis) -> bool {
        let begun = self.starts.partition_point(|start| *start <= until);
        begun.checked_sub(1).is_some_and(|last| self.latest[last] >= from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(values: impl IntoIterator<Item = i64>) -> Vec<UtcMillis> {
        values.into_iter().map(UtcMillis).collect()
    }

    /// Row t decides at t and its label ends at t + 2.
    fn found(sections: &Sections, back: u32) -> Vec<(&'static str, &'static str, u32)> {
        let (decision, label_end) = (times(0..30), times(2..32));
        let rows = RowTimes {
            decision: &decision,
            label_end: &label_end,
            scorable: &[true; 30],
            learnable: &[true; 30],
        };
        let found = overlaps(&[rows], std::slice::from_ref(sections), back);
        found.iter().map(|overlap| (overlap.section, overlap.reaches, overlap.row)).collect()
    }

    fn sections(train: &[u32], validation: &[u32], test: &[u32]) -> Sections {
        let [train, validation, test] = [train, validation, test].map(<[u32]>::to_vec);
        Sections { train, validation, test, purged: 0 }
    }

    #[test]
    fn labels_and_windows_that_reach_another_section_are_found() {
        for (train, validation, test, back, expected) in [
            (&[1, 2, 3][..], &[6, 7][..], &[10, 11][..], 5, vec![]),
            (&[1, 4], &[6, 7], &[10, 11], 0, vec![("train", "validation", 4)]),
            (&[1], &[7, 8], &[10, 11], 0, vec![("validation", "test", 8)]),
            // After the test section: its last label ends at 13.
            (&[14, 15], &[1], &[10, 11], 0, vec![]),
            (&[13, 15], &[1], &[10, 11], 0, vec![("train", "test", 13)]),
            (&[16, 17], &[1], &[10, 11], 3, vec![("train", "test", 16)]),
            // Shuffled rows: neighbours share two bars.
            (&[1, 11], &[20], &[10, 15], 0, vec![("train", "test", 11)]),
        ] {
            assert_eq!(found(&sections(train, validation, test), back), expected, "{train:?}");
        }
    }

    proptest! {
        #[test]
        fn it_is_what_every_pair_says(places in prop::collection::vec(0..4_u8, 30), back in 0..5_u32) {
            let of = |place: u8| (0..30_u32).filter(|row| places[*row as usize] == place).collect::<Vec<_>>();
            let sections = sections(&of(1), &of(2), &of(3));
            let meets = |row: &u32, other: &u32| {
                let (row, other) = (i64::from(*row), i64::from(*other));
                (row - i64::from(back)).max(0) <= other + 2 && other <= row + 2
            };
            let mut expected = Vec::new();
            for (section, rows, reaches, judged) in [
                ("train", &sections.train, "validation", &sections.validation),
                ("train", &sections.train, "test", &sections.test),
                ("validation", &sections.validation, "test", &sections.test),
            ] {
                let reaching = rows.iter().filter(|row| judged.iter().any(|other| meets(row, other)));
                expected.extend(reaching.map(|row| (section, reaches, *row)));
            }
            prop_assert_eq!(found(&sections, back), expected);
        }
    }
}
