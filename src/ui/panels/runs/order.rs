use super::columns::{RunColumn, SortedBy};
use crate::runs::RunQuery;
use crate::ui::state::{Standing, State};

/// Which runs are listed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Filter {
    /// What must hold of them.
    pub(super) query: RunQuery,
    pub(super) only: Option<Standing>,
}

/// The rows of the list: places in the stored runs. Made anew only when something has changed: there may be ten thousand.
#[derive(Debug, Default)]
pub(super) struct Order {
    shown: Vec<usize>,
    made_for: Option<MadeFor>,
}

/// What the rows depend on.
#[derive(Debug, PartialEq)]
struct MadeFor {
    generation: u64,
    filter: Filter,
    sort: Option<SortedBy>,
    /// How many runs of this session there are, are open, and are paused: their standing does not wait for the list.
    session: (usize, usize, usize),
    resuming: usize,
}

impl Order {
    pub(super) fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// Makes the rows anew where they are old. Whether they were.
    pub(super) fn follow(
        &mut self,
        state: &State,
        filter: &Filter,
        sort: Option<SortedBy>,
    ) -> bool {
        let open = state.runs.iter().filter(|run| !run.is_over());
        let paused = open.clone().filter(|run| run.is_paused()).count();
        let wanted = MadeFor {
            generation: state.results.generation,
            filter: filter.clone(),
            sort,
            session: (state.runs.len(), open.count(), paused),
            resuming: state.resuming.len(),
        };
        if self.made_for.as_ref() == Some(&wanted) {
            return false;
        }
        let stored = &state.results.stored;
        // Where nothing depends on it, nobody looks.
        let by_standing = filter.only.is_some()
            || filter.query.asks_for_status()
            || sort.is_some_and(|sort| sort.column == RunColumn::Status);
        let standings = if by_standing { state.standings(stored) } else { Vec::new() };
        let fits = |index: &usize| {
            let standing = standings.get(*index);
            let searched = state.results.searched.get(*index).map_or("", String::as_str);
            let word = standing.map_or("", |standing| standing.word());
            filter.only.is_none_or(|only| standing == Some(&only))
                && filter.query.fits(&stored[*index], searched, word)
        };
        self.shown = (0..stored.len()).filter(fits).collect();
        if let Some(sort) = sort {
            let of = |index: usize| (&stored[index], standings.get(index).copied());
            // Stable: what is equal stays newest first.
            self.shown.sort_by(|&a, &b| sort.compare(of(a), of(b)));
        }
        self.made_for = Some(wanted);
        true
    }
}
