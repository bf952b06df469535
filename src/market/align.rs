use crate::domain::UtcMillis;

/// Several series on one time axis: which of them have a row at each moment, and which row it is. Calendars may differ.
///
/// Memory: 8 bytes for each row of each series and 16 for each moment, however unlike the calendars are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    times: Vec<UtcMillis>,
    /// Where the members of each moment begin in `members`, and where the last ones end.
    starts: Vec<usize>,
    members: Vec<Member>,
}

/// A series that has a row at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Position of the series in the list that was aligned.
    pub series: u32,
    /// Its row at that moment.
    pub row: u32,
}

impl Alignment {
    /// Aligns series by the times of their rows, such as the bars' close times. Each list rises without repetition.
    ///
    /// # Panics
    /// With more than `u32::MAX` series, or rows in one of them.
    #[must_use]
    pub fn of(series: &[&[UtcMillis]]) -> Self {
        let count = |n: usize| u32::try_from(n).expect("series and rows are counted in u32");
        let mut rows: Vec<(UtcMillis, Member)> = Vec::new();
        for (position, times) in series.iter().enumerate() {
            let series = count(position);
            count(times.len());
            let members = (0..).zip(*times).map(|(row, at)| (*at, Member { series, row }));
            rows.extend(members);
        }
        rows.sort_unstable_by_key(|(at, member)| (*at, member.series));
        let mut times: Vec<UtcMillis> = Vec::new();
        let mut starts = Vec::new();
        for (position, (at, _)) in rows.iter().enumerate() {
            if times.last() != Some(at) {
                times.push(*at);
                starts.push(position);
            }
        }
        starts.push(rows.len());
        Self { times, starts, members: rows.into_iter().map(|(_, member)| member).collect() }
    }

    /// Every moment at which any series has a row, rising.
    #[must_use]
    pub fn times(&self) -> &[UtcMillis] {
        &self.times
    }

    /// Which series have a row at each moment, in the order of [`Self::times`]; in each moment by series.
    pub fn moments(&self) -> impl ExactSizeIterator<Item = &[Member]> {
        self.starts.windows(2).map(|ends| &self.members[ends[0]..ends[1]])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(times: &[i64]) -> Vec<UtcMillis> {
        times.iter().copied().map(UtcMillis).collect()
    }

    #[test]
    fn each_moment_knows_who_is_there() {
        let (always, weekdays) = (times(&[1, 2, 4, 9]), times(&[0, 2, 4]));
        let aligned = Alignment::of(&[&always, &weekdays]);
        assert_eq!(aligned.times(), times(&[0, 1, 2, 4, 9]));
        let found: Vec<Vec<(u32, u32)>> = aligned
            .moments()
            .map(|members| members.iter().map(|member| (member.series, member.row)).collect())
            .collect();
        let expected: [&[(u32, u32)]; 5] =
            [&[(1, 0)], &[(0, 0)], &[(0, 1), (1, 1)], &[(0, 2), (1, 2)], &[(0, 3)]];
        assert_eq!(found, expected);
        assert_eq!(Alignment::of(&[]).moments().len(), 0);
        assert_eq!(Alignment::of(&[&[], &[]]).times(), []);
    }

    proptest! {
        #[test]
        fn every_row_is_there_once_at_its_own_time(
            calendars in prop::collection::vec(prop::collection::btree_set(0..60_i64, 0..40), 0..5),
        ) {
            let calendars: Vec<Vec<UtcMillis>> =
                calendars.iter().map(|set| set.iter().copied().map(UtcMillis).collect()).collect();
            let slices: Vec<&[UtcMillis]> = calendars.iter().map(Vec::as_slice).collect();
            let aligned = Alignment::of(&slices);
            prop_assert!(aligned.times().is_sorted_by(|a, b| a < b));
            let mut seen = 0;
            for (at, members) in aligned.times().iter().zip(aligned.moments()) {
                prop_assert!(!members.is_empty() && members.is_sorted_by(|a, b| a.series < b.series));
                for member in members {
                    prop_assert_eq!(calendars[member.series as usize][member.row as usize], *at);
                    seen += 1;
                }
            }
            prop_assert_eq!(seen, calendars.iter().map(Vec::len).sum::<usize>());
        }
    }
}
