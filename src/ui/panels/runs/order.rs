use std::cmp::Ordering;

use crate::domain::Setting;
use crate::runs::RunEntry;
use crate::ui::state::{Standing, State};
use crate::ui::widgets::{Sort, SortKey};

/// Which runs are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Words that each must be in it somewhere, in any case.
    pub(super) text: String,
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
    sort: Option<Sort>,
    /// How many runs of this session there are, are open, and are paused: their standing does not wait for the list.
    session: (usize, usize, usize),
    resuming: usize,
}

/// The column of the table that says how a run stands.
const STANDING_COLUMN: usize = 2;

impl Order {
    pub(super) fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// Makes the rows anew where they are old. Whether they were.
    pub(super) fn follow(&mut self, state: &State, filter: &Filter, sort: Option<Sort>) -> bool {
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
        let by_standing =
            filter.only.is_some() || sort.is_some_and(|sort| sort.column == STANDING_COLUMN);
        let standings = if by_standing { state.standings(stored) } else { Vec::new() };
        let words: Vec<String> = filter.text.split_whitespace().map(str::to_lowercase).collect();
        let fits = |index: &usize| {
            let text = state.results.searched.get(*index);
            let has = |word: &String| text.is_some_and(|text| text.contains(word.as_str()));
            words.iter().all(has)
                && filter.only.is_none_or(|only| standings.get(*index) == Some(&only))
        };
        self.shown = (0..stored.len()).filter(fits).collect();
        if let Some(sort) = sort {
            // Stable: what is equal stays newest first.
            self.shown.sort_by(|&a, &b| match sort.column {
                STANDING_COLUMN => sort.order(standings.get(a), standings.get(b)),
                _ => compare(sort, &stored[a], &stored[b]),
            });
        }
        self.made_for = Some(wanted);
        true
    }
}

/// By the column of the table.
fn compare(sort: Sort, a: &RunEntry, b: &RunEntry) -> Ordering {
    let text = |text: String| (!text.is_empty()).then_some(text);
    match sort.column {
        0 => sort.order(Some(&a.experiment), Some(&b.experiment)),
        1 => sort.order(Some(a.created), Some(b.created)),
        4 => sort.order(text(a.tags.join(", ")), text(b.tags.join(", "))),
        5 => sort.order(Some(a.finished), Some(b.finished)),
        3 => {
            let variant = |entry: &RunEntry| {
                entry.sweep.as_ref().map(|member| (member.sweep.clone(), member.variant))
            };
            sort.order(variant(a), variant(b))
        }
        6 => {
            let rank_ic = |entry: &RunEntry| entry.score.and_then(|score| score.rank_ic_ts);
            sort.order(SortKey::number(rank_ic(a)), SortKey::number(rank_ic(b)))
        }
        _ => {
            let sharpe = |entry: &RunEntry| entry.score.and_then(|score| score.sharpe);
            sort.order(SortKey::number(sharpe(a)), SortKey::number(sharpe(b)))
        }
    }
}

/// What a run of a sweep sets, in short: `0.01, seed 1`. The fields are the same for all of its runs and stand over the cell.
pub(super) fn settings(entry: &RunEntry) -> String {
    let short = |setting: &Setting| match setting.path.as_str() {
        "seed" => format!("seed {}", setting.value),
        _ => setting.value.clone(),
    };
    let settings = entry.sweep.iter().flat_map(|member| &member.settings);
    settings.map(short).collect::<Vec<_>>().join(", ")
}
