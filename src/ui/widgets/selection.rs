use std::collections::BTreeSet;

/// Rows that were picked, by what names them and not by where they stand: sorting and filtering leave it as it is.
#[derive(Debug, Clone)]
pub(in crate::ui) struct Selection<K> {
    chosen: BTreeSet<K>,
    /// From where Shift extends.
    anchor: Option<K>,
    /// The row that the keys move from.
    cursor: Option<K>,
}

/// The rows of a table as they stand now.
pub(in crate::ui) struct Listed<'a, K> {
    pub(in crate::ui) rows: usize,
    /// What names a row; `None` past the last one.
    pub(in crate::ui) key: &'a dyn Fn(usize) -> Option<K>,
    /// Whether several can be picked at once.
    pub(in crate::ui) many: bool,
}

/// What a click on a row does to the selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Pick {
    /// The row takes the place of all others; where it was the only one, nothing is left.
    Alone,
    /// The row is added to the others, or taken from them.
    Toggle,
    /// All from the anchor to the row take the place of the others.
    Extend,
    /// All from the anchor to the row are added to the others.
    ExtendBy,
}

/// What a key does to the selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ui) enum Step {
    /// The cursor goes by so many rows.
    By { rows: isize, extends: bool },
    /// The cursor goes to the first row.
    First { extends: bool },
    /// The cursor goes to the last row.
    Last { extends: bool },
    /// All rows that are listed.
    All,
    /// The row at the cursor is added to the others, or taken from them.
    Toggle,
}

impl<K> Default for Selection<K> {
    fn default() -> Self {
        Self { chosen: BTreeSet::new(), anchor: None, cursor: None }
    }
}

impl<K: Ord + Clone> Selection<K> {
    pub(in crate::ui) fn contains(&self, key: &K) -> bool {
        self.chosen.contains(key)
    }

    pub(in crate::ui) fn len(&self) -> usize {
        self.chosen.len()
    }

    pub(in crate::ui) fn is_empty(&self) -> bool {
        self.chosen.is_empty()
    }

    /// In the order of the keys.
    pub(in crate::ui) fn iter(&self) -> impl Iterator<Item = &K> {
        self.chosen.iter()
    }

    /// The row that the keys move from, which may be listed no more.
    pub(in crate::ui) const fn cursor(&self) -> Option<&K> {
        self.cursor.as_ref()
    }

    /// Picks one and nothing else, and puts the cursor there.
    pub(in crate::ui) fn set(&mut self, key: K) {
        self.chosen = BTreeSet::from([key.clone()]);
        (self.anchor, self.cursor) = (Some(key.clone()), Some(key));
    }

    /// Picks all rows that are listed; the cursor stays.
    pub(in crate::ui) fn set_all(&mut self, listed: &Listed<'_, K>) {
        self.chosen = (0..listed.rows).filter_map(listed.key).collect();
    }

    pub(in crate::ui) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Lets go what is not in view: nobody acts on what nobody sees. Whether anything was let go.
    pub(in crate::ui) fn retain(&mut self, keep: impl FnMut(&K) -> bool) -> bool {
        let before = self.chosen.len();
        self.chosen.retain(keep);
        self.chosen.len() != before
    }

    /// A row was clicked. Whether there is such a row.
    pub(in crate::ui) fn pick(&mut self, row: usize, pick: Pick, listed: &Listed<'_, K>) -> bool {
        let Some(key) = (listed.key)(row) else { return false };
        match pick {
            Pick::Extend | Pick::ExtendBy if listed.many => {
                if pick == Pick::Extend {
                    self.chosen.clear();
                }
                self.extend(row, listed);
            }
            Pick::Toggle if listed.many => self.toggle(key),
            _ => {
                let was_alone = self.chosen.len() == 1 && self.chosen.contains(&key);
                self.set(key);
                if was_alone {
                    self.chosen.clear();
                }
            }
        }
        true
    }

    /// A key was pressed. The row at which the cursor stands now, to be brought into view; `None` where no row is listed.
    pub(in crate::ui) fn press(&mut self, step: Step, listed: &Listed<'_, K>) -> Option<usize> {
        let last = listed.rows.checked_sub(1)?;
        let at = self.cursor.as_ref().and_then(|cursor| listed.row_of(cursor));
        match step {
            Step::By { rows, extends } => {
                let row = match at {
                    Some(at) => at.saturating_add_signed(rows).min(last),
                    None if rows < 0 => last,
                    None => 0,
                };
                self.go(row, extends, listed)
            }
            Step::First { extends } => self.go(0, extends, listed),
            Step::Last { extends } => self.go(last, extends, listed),
            Step::All => {
                if listed.many {
                    self.set_all(listed);
                }
                at
            }
            Step::Toggle => {
                let key = at.and_then(listed.key).filter(|_| listed.many)?;
                self.toggle(key);
                at
            }
        }
    }

    fn go(&mut self, row: usize, extends: bool, listed: &Listed<'_, K>) -> Option<usize> {
        if extends && listed.many {
            self.chosen.clear();
            self.extend(row, listed);
        } else {
            self.set((listed.key)(row)?);
        }
        Some(row)
    }

    /// From the anchor to the row; where there is no anchor, the row alone.
    fn extend(&mut self, row: usize, listed: &Listed<'_, K>) {
        let anchor = self.anchor.as_ref().and_then(|anchor| listed.row_of(anchor)).unwrap_or(row);
        self.chosen.extend((anchor.min(row)..=anchor.max(row)).filter_map(listed.key));
        self.anchor = (listed.key)(anchor);
        self.cursor = (listed.key)(row);
    }

    fn toggle(&mut self, key: K) {
        if !self.chosen.remove(&key) {
            self.chosen.insert(key.clone());
        }
        (self.anchor, self.cursor) = (Some(key.clone()), Some(key));
    }
}

impl<K: PartialEq> Listed<'_, K> {
    fn row_of(&self, key: &K) -> Option<usize> {
        (0..self.rows).find(|&row| (self.key)(row).as_ref() == Some(key))
    }
}

impl Pick {
    /// What the keys held down while clicking ask for.
    pub(in crate::ui) const fn of(modifiers: egui::Modifiers) -> Self {
        match (modifiers.shift, modifiers.command) {
            (true, true) => Self::ExtendBy,
            (true, false) => Self::Extend,
            (false, true) => Self::Toggle,
            (false, false) => Self::Alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: [char; 6] = ['a', 'b', 'c', 'd', 'e', 'f'];

    fn letter(row: usize) -> Option<char> {
        LETTERS.get(row).copied()
    }

    fn listed(key: &dyn Fn(usize) -> Option<char>) -> Listed<'_, char> {
        Listed { rows: LETTERS.len(), key, many: true }
    }

    fn chosen(selection: &Selection<char>) -> String {
        selection.iter().collect()
    }

    #[test]
    fn a_click_picks_alone_adds_and_extends() {
        let (mut selection, listed) = (Selection::default(), listed(&letter));
        for (row, pick, expected) in [
            (1, Pick::Alone, "b"),
            (3, Pick::Toggle, "bd"),
            (5, Pick::Extend, "def"),
            (2, Pick::Extend, "cd"),
            (5, Pick::ExtendBy, "cdef"),
            (4, Pick::Toggle, "cdf"),
            (0, Pick::Alone, "a"),
            (0, Pick::Alone, ""),
            (9, Pick::Alone, ""),
        ] {
            let is_there = selection.pick(row, pick, &listed);
            assert_eq!(chosen(&selection), expected, "{row} {pick:?}");
            assert_eq!(is_there, row < LETTERS.len());
        }
    }

    #[test]
    fn keys_move_the_cursor_within_the_rows_and_shift_extends_from_the_anchor() {
        let (mut selection, listed) = (Selection::default(), listed(&letter));
        let by = |rows, extends| Step::By { rows, extends };
        for (step, expected, at) in [
            (by(1, false), "a", Some(0)),
            (by(1, false), "b", Some(1)),
            (by(2, true), "bcd", Some(3)),
            (by(-3, true), "ab", Some(0)),
            (by(-1, false), "a", Some(0)),
            (Step::Last { extends: false }, "f", Some(5)),
            (by(9, false), "f", Some(5)),
            (Step::First { extends: true }, "abcdef", Some(0)),
            (Step::Toggle, "bcdef", Some(0)),
            (Step::First { extends: false }, "a", Some(0)),
            (Step::All, "abcdef", Some(0)),
        ] {
            assert_eq!(selection.press(step, &listed), at, "{step:?}");
            assert_eq!(chosen(&selection), expected, "{step:?}");
        }
        let mut other = Selection::default();
        assert_eq!(other.press(by(-1, false), &listed), Some(5), "up begins at the end");
    }

    #[test]
    fn where_one_can_be_picked_nothing_extends() {
        let mut selection = Selection::default();
        let listed = Listed { many: false, ..listed(&letter) };
        selection.pick(1, Pick::Alone, &listed);
        selection.pick(3, Pick::Extend, &listed);
        assert_eq!(chosen(&selection), "d");
        selection.press(Step::By { rows: 1, extends: true }, &listed);
        assert_eq!(chosen(&selection), "e");
        selection.press(Step::All, &listed);
        assert_eq!(selection.press(Step::Toggle, &listed), None);
        assert_eq!(chosen(&selection), "e");
    }

    #[test]
    fn what_is_listed_no_more_is_let_go_and_the_keys_begin_anew() {
        let mut selection = Selection::default();
        let all = listed(&letter);
        selection.pick(1, Pick::Alone, &all);
        selection.pick(4, Pick::Extend, &all);
        assert!(selection.retain(|letter| *letter < 'd'));
        assert!(!selection.retain(|letter| *letter < 'd'));
        assert_eq!(chosen(&selection), "bc");
        let rest = |row: usize| letter(row).filter(|letter| *letter < 'd');
        let rest = Listed { rows: 3, key: &rest, many: true };
        assert_eq!(selection.press(Step::By { rows: 1, extends: false }, &rest), Some(0));
        let nothing = Listed { rows: 0, key: &|_| None, many: true };
        assert_eq!(selection.press(Step::All, &nothing), None);
    }
}
