use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use crate::domain::text::count;
use crate::domain::{Bytes, Plan, Task};

/// What a plan's tasks add up to, found out once: a plan may have many thousands.
#[derive(Debug)]
pub(super) struct Digest {
    pub(super) plan: Arc<Plan>,
    /// Tasks that train on the same symbols and timeframe.
    pub(super) series: Vec<SeriesTasks>,
    /// How the number of tasks comes about.
    pub(super) shape: String,
    /// The fewest and the most parameters a model has.
    pub(super) parameters: (u64, u64),
    /// Memory of the largest task.
    pub(super) largest: Bytes,
}

/// The folds of one model's data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SeriesTasks {
    /// `BTC_USDT · 1h`, or `12 symbols pooled · 1h`.
    pub(super) name: String,
    /// Its tasks in the plan.
    pub(super) tasks: Range<usize>,
}

impl Digest {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let tasks = &plan.tasks;
        let parameters = tasks.iter().map(|task| task.parameters);
        Self {
            plan: Arc::clone(plan),
            series: series(tasks),
            shape: shape(tasks),
            parameters: (
                parameters.clone().min().unwrap_or_default(),
                parameters.max().unwrap_or_default(),
            ),
            largest: tasks.iter().map(|task| task.memory).max().unwrap_or_default(),
        }
    }

    /// Memory of as many of the largest tasks as train at a time.
    pub(super) fn at_once(&self) -> Bytes {
        Bytes(self.largest.0.saturating_mul(u64::from(self.plan.workers)))
    }
}

/// A number and what it counts.
pub(super) fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

fn by_series(tasks: &[Task]) -> impl Iterator<Item = &[Task]> {
    tasks.chunk_by(|a, b| a.timeframes == b.timeframes && a.symbols == b.symbols)
}

fn series(tasks: &[Task]) -> Vec<SeriesTasks> {
    let mut first = 0;
    let named = |folds: &[Task]| {
        let symbols = match folds[0].symbols.as_slice() {
            [only] => only.to_string(),
            several => format!("{} symbols pooled", several.len()),
        };
        let tasks = first..first + folds.len();
        first = tasks.end;
        SeriesTasks { name: format!("{symbols} · {}", folds[0].timeframe_text()), tasks }
    };
    by_series(tasks).map(named).collect()
}

/// `2 symbols × 17 folds`, where it is that simple.
fn shape(tasks: &[Task]) -> String {
    let series: Vec<&[Task]> = by_series(tasks).collect();
    let Some(first) = series.first() else { return String::new() };
    let pooled = series.iter().any(|folds| folds[0].symbols.len() > 1);
    let timeframes: BTreeSet<_> = series.iter().flat_map(|folds| &folds[0].timeframes).collect();
    let symbols: BTreeSet<_> = series.iter().flat_map(|folds| &folds[0].symbols).collect();
    let several_timeframes = plural(timeframes.len(), "timeframe", "timeframes");
    let factors = if pooled {
        vec![several_timeframes]
    } else if symbols.len() * timeframes.len() != series.len() {
        vec![plural(series.len(), "series", "series")]
    } else if timeframes.len() == 1 {
        vec![plural(symbols.len(), "symbol", "symbols")]
    } else {
        vec![plural(symbols.len(), "symbol", "symbols"), several_timeframes]
    };
    let factors = factors.join(" × ");
    let fewest = series.iter().map(|folds| folds.len()).min().unwrap_or_default();
    let most = series.iter().map(|folds| folds.len()).max().unwrap_or_default();
    let product = if fewest == most {
        format!("{factors} × {}", plural(most, "fold", "folds"))
    } else {
        format!("{factors}, {}–{} folds each", count(fewest as u64), count(most as u64))
    };
    let same_size = series.iter().all(|folds| folds[0].symbols.len() == first[0].symbols.len());
    match (pooled, same_size) {
        (false, _) => product,
        (true, true) => format!("{product}, {} symbols pooled", first[0].symbols.len()),
        (true, false) => format!("{product}, symbols pooled"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        ContentHash, Device, Embargo, FoldIndex, FoldPlan, Symbol, TaskId, TimeSpan, UtcMillis,
    };

    const SPAN: TimeSpan = TimeSpan { start: UtcMillis(0), end: UtcMillis(1) };

    /// Tasks of one series: its symbols and timeframe, and how many folds.
    fn folds(symbols: &str, timeframe: &str, count: u32) -> Vec<Task> {
        let symbols: Vec<Symbol> =
            symbols.split(' ').map(|symbol| symbol.parse().unwrap()).collect();
        let task = |index: u32| Task {
            resident: crate::domain::Bytes::default(),
            role: crate::domain::TaskRole::Fold,
            after: Vec::new(),
            id: TaskId::new(format!("{}-{timeframe}-fold{index:02}", symbols[0])),
            key: ContentHash::of(b""),
            symbols: symbols.clone(),
            timeframes: timeframe.split('+').map(|one| one.parse().unwrap()).collect(),
            fold: FoldPlan {
                index: FoldIndex(index),
                train: vec![SPAN],
                validation: SPAN,
                test: SPAN,
                embargo: Embargo::default(),
            },
            seed: 0,
            device: Device::Cpu,
            parameters: 10,
            memory: Bytes(u64::from(index)),
        };
        (0..count).map(task).collect()
    }

    #[test]
    fn the_number_of_tasks_is_explained_where_it_is_a_product_and_never_wrongly() {
        for (tasks, expected) in [
            (vec![folds("A", "1h", 1)], "1 symbol × 1 fold"),
            (vec![folds("A", "1h", 17), folds("B", "1h", 17)], "2 symbols × 17 folds"),
            (
                vec![
                    folds("A", "1h", 3),
                    folds("B", "1h", 3),
                    folds("A", "4h", 3),
                    folds("B", "4h", 3),
                ],
                "2 symbols × 2 timeframes × 3 folds",
            ),
            (vec![folds("A", "1h", 12), folds("B", "1h", 17)], "2 symbols, 12–17 folds each"),
            // B has no 4h bars.
            (
                vec![folds("A", "1h", 3), folds("B", "1h", 3), folds("A", "4h", 3)],
                "3 series × 3 folds",
            ),
            (vec![folds("A B C", "1h", 9)], "1 timeframe × 9 folds, 3 symbols pooled"),
            (
                vec![folds("A B C", "1h", 9), folds("A B", "4h", 4)],
                "2 timeframes, 4–9 folds each, symbols pooled",
            ),
            (vec![folds("A B", "1h+4h", 3)], "2 timeframes × 3 folds, 2 symbols pooled"),
            (vec![], ""),
        ] {
            assert_eq!(shape(&tasks.concat()), expected);
        }
    }

    #[test]
    fn series_are_named_and_found_in_the_plan() {
        let tasks = [folds("A", "1h", 2), folds("A", "4h", 1), folds("B C", "4h", 3)].concat();
        let named = |name: &str, tasks| SeriesTasks { name: name.to_owned(), tasks };
        assert_eq!(
            series(&tasks),
            [named("A · 1h", 0..2), named("A · 4h", 2..3), named("2 symbols pooled · 4h", 3..6)]
        );
    }
}
