use serde::{Deserialize, Serialize};

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ui) struct Sort {
    pub(in crate::ui) column: usize,
    pub(in crate::ui) descending: bool,
}

/// Whether a click on a title means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Sorting {
    /// The rows stand as they stand.
    No,
    /// It sorts: by which column the rows stand now, if by any.
    By(Option<Sort>),
}

impl Sort {
    /// What a click on a title makes of it: up, down, and as it was at first.
    pub(in crate::ui) fn clicked(now: Option<Self>, column: usize) -> Option<Self> {
        match now.filter(|sort| sort.column == column) {
            None => Some(Self { column, descending: false }),
            Some(Self { descending: false, .. }) => Some(Self { column, descending: true }),
            Some(_) => None,
        }
    }

    /// In the direction asked for; what is not known stands last either way. Total, or a sort would panic.
    pub(in crate::ui) fn order<T: Ord>(self, a: Option<T>, b: Option<T>) -> std::cmp::Ordering {
        use std::cmp::Ordering;
        match (a, b) {
            (Some(a), Some(b)) => {
                if self.descending {
                    b.cmp(&a)
                } else {
                    a.cmp(&b)
                }
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

/// What a cell is sorted by: numbers by their size, before words by their letters. One key for each cell and not for each pair of them: only
/// then the order is total.
#[derive(Debug, Clone, Copy)]
pub(in crate::ui) enum SortKey<'a> {
    Number(f64),
    Text(&'a str),
}

impl<'a> SortKey<'a> {
    /// Of a number; what is none, as after a loss that diverged, counts as not known.
    pub(in crate::ui) fn number(number: Option<f64>) -> Option<Self> {
        number.filter(|number| !number.is_nan()).map(Self::Number)
    }

    /// Of text that may be a number.
    pub(in crate::ui) fn text(text: &'a str) -> Self {
        let number = text.parse::<f64>().ok().filter(|number| !number.is_nan());
        number.map_or(Self::Text(text), Self::Number)
    }
}

impl Ord for SortKey<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        use std::cmp::Ordering;
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for SortKey<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SortKey<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for SortKey<'_> {}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    #[test]
    fn a_title_sorts_up_down_and_not_at_all_and_what_is_unknown_stands_last() {
        let up = Sort::clicked(None, 2);
        assert_eq!(up, Some(Sort { column: 2, descending: false }));
        let down = Sort::clicked(up, 2);
        assert_eq!(down, Some(Sort { column: 2, descending: true }));
        assert_eq!(Sort::clicked(down, 2), None);
        assert_eq!(Sort::clicked(down, 1), Some(Sort { column: 1, descending: false }));
        for (sort, expected) in [(up, Ordering::Less), (down, Ordering::Greater)] {
            let sort = sort.unwrap();
            assert_eq!(sort.order(Some(1), Some(2)), expected);
            assert_eq!(sort.order(Some(1), None), Ordering::Less);
            assert_eq!(sort.order(None, Some(1)), Ordering::Greater);
        }
    }

    #[test]
    fn numbers_stand_by_size_before_words_and_what_is_no_number_is_not_known() {
        let mut keys = ["30d", "2000", "nan", "-inf", "500", "1e3", "a"].map(SortKey::text);
        keys.sort();
        let shown = keys.map(|key| match key {
            SortKey::Number(number) => number.to_string(),
            SortKey::Text(text) => text.to_owned(),
        });
        assert_eq!(shown, ["-inf", "500", "1000", "2000", "30d", "a", "nan"]);
        assert_eq!(SortKey::number(Some(f64::NAN)), None);
        assert_eq!(SortKey::number(Some(0.5)), Some(SortKey::text("0.5")));
    }
}
