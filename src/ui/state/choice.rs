/// Which items of a list are ticked. The specification writes "all" as an empty list, so "none" needs a word of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice<T> {
    /// Whatever there is.
    All,
    /// Nothing yet: not an experiment that can run.
    None,
    /// These, in the order they were ticked.
    Some(Vec<T>),
}

impl<T: Clone + PartialEq> Choice<T> {
    /// What the specification's list says.
    pub(crate) fn of(list: &[T]) -> Self {
        if list.is_empty() { Self::All } else { Self::Some(list.to_vec()) }
    }

    /// The list as the specification writes it.
    pub(crate) fn to_list(&self) -> Vec<T> {
        match self {
            Self::All | Self::None => Vec::new(),
            Self::Some(items) => items.clone(),
        }
    }

    pub(crate) fn contains(&self, item: &T) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Some(items) => items.contains(item),
        }
    }

    /// What is ticked and exists; where nothing is left, nothing is ticked.
    pub(crate) fn among(&self, all: &[T]) -> Self {
        match self {
            Self::Some(items) => {
                let kept: Vec<T> =
                    items.iter().filter(|item| all.contains(item)).cloned().collect();
                if kept.is_empty() { Self::None } else { Self::Some(kept) }
            }
            other => other.clone(),
        }
    }

    /// Ticks or unticks one of `all`.
    pub(crate) fn toggle(&mut self, item: &T, all: &[T]) {
        let mut items = match self {
            Self::All => all.to_vec(),
            Self::None => Vec::new(),
            Self::Some(items) => std::mem::take(items),
        };
        match items.iter().position(|ticked| ticked == item) {
            Some(index) => {
                items.remove(index);
            }
            None => items.push(item.clone()),
        }
        *self = if items.is_empty() { Self::None } else { Self::Some(items) };
    }

    /// How many of so many.
    pub(crate) fn count(&self, all: usize) -> usize {
        match self {
            Self::All => all,
            Self::None => 0,
            Self::Some(items) => items.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticking_goes_from_all_to_some_to_none_and_back() {
        let all = ['a', 'b'];
        let mut choice = Choice::of(&[]);
        assert!(choice.contains(&'b') && choice.count(2) == 2);
        choice.toggle(&'a', &all);
        assert_eq!(choice, Choice::Some(vec!['b']));
        choice.toggle(&'b', &all);
        assert_eq!((choice.clone(), choice.count(2)), (Choice::None, 0));
        choice.toggle(&'a', &all);
        assert_eq!((choice.contains(&'a'), choice.contains(&'b')), (true, false));
        assert_eq!(choice.to_list(), ['a']);
    }
}
