use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::memory::Demand;
use crate::domain::text::count;
use crate::domain::{Plan, Symbol, Task, TaskRole, Timeframe};
use crate::workbench::{PlanTotals, PlannedVariant};

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
    /// What the largest task takes.
    pub(super) largest: Demand,
    /// What it adds up to.
    pub(super) totals: PlanTotals,
    /// The runs of the sweep, where there is one.
    pub(super) sweep: Option<Sweep>,
}

/// What the runs of a sweep add up to.
#[derive(Debug)]
pub(super) struct Sweep {
    pub(super) variants: Arc<[PlannedVariant]>,
    /// Together; `None` where there are more than were planned.
    pub(super) totals: Option<PlanTotals>,
}

impl Sweep {
    fn of(variants: &Arc<[PlannedVariant]>) -> Self {
        let mut all = variants.iter().map(|variant| variant.totals.as_ref());
        let totals = all.try_fold(PlanTotals::default(), |sum, one| Some(sum.and(one?)));
        Self { variants: Arc::clone(variants), totals }
    }
}

/// The folds of one model's data.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SeriesTasks {
    /// `BTC_USDT · 1h`, or `12 symbols pooled · 1h`.
    pub(super) name: String,
    /// Its tasks in the plan: folds in their order, then the refit where there is one.
    pub(super) tasks: Vec<usize>,
}

impl Digest {
    pub(super) fn new(plan: &Arc<Plan>, variants: Option<&Arc<[PlannedVariant]>>) -> Self {
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
            largest: Demand::of(tasks),
            totals: PlanTotals::of(plan),
            sweep: variants.map(Sweep::of),
        }
    }

    /// Whether it is of these.
    pub(super) fn is_of(&self, plan: &Arc<Plan>, variants: Option<&Arc<[PlannedVariant]>>) -> bool {
        let of_sweep = self.sweep.as_ref().map(|sweep| &sweep.variants);
        Arc::ptr_eq(&self.plan, plan)
            && match (of_sweep, variants) {
                (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
                (ours, theirs) => ours.is_none() && theirs.is_none(),
            }
    }
}

/// A number and what it counts.
pub(super) fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

/// What tasks that share their data have in common.
type Data<'a> = (&'a [Timeframe], &'a [Symbol]);

fn data(task: &Task) -> Data<'_> {
    (&task.timeframes, &task.symbols)
}

/// The folds of each model's data. Refits may stand anywhere among them.
fn by_series(tasks: &[Task]) -> Vec<Vec<&Task>> {
    let folds: Vec<&Task> = tasks.iter().filter(|task| task.role == TaskRole::Fold).collect();
    folds.chunk_by(|a, b| data(a) == data(b)).map(<[&Task]>::to_vec).collect()
}

fn series(tasks: &[Task]) -> Vec<SeriesTasks> {
    let mut places: BTreeMap<Data<'_>, usize> = BTreeMap::new();
    let mut series: Vec<SeriesTasks> = Vec::new();
    let by_role = |role| tasks.iter().enumerate().filter(move |(_, task)| task.role == role);
    for (index, task) in by_role(TaskRole::Fold).chain(by_role(TaskRole::Refit)) {
        let place = *places.entry(data(task)).or_insert(series.len());
        if place == series.len() {
            let symbols = match task.symbols.as_slice() {
                [only] => only.to_string(),
                several => format!("{} symbols pooled", several.len()),
            };
            let name = format!("{symbols} · {}", task.timeframe_text());
            series.push(SeriesTasks { name, tasks: Vec::new() });
        }
        series[place].tasks.push(index);
    }
    series
}

/// `2 symbols × 17 folds`, where it is that simple.
fn shape(tasks: &[Task]) -> String {
    let series = by_series(tasks);
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
    let fewest = series.iter().map(Vec::len).min().unwrap_or_default();
    let most = series.iter().map(Vec::len).max().unwrap_or_default();
    let product = if fewest == most {
        format!("{factors} × {}", plural(most, "fold", "folds"))
    } else {
        format!("{factors}, {}–{} folds each", count(fewest as u64), count(most as u64))
    };
    let refits = tasks.iter().filter(|task| task.role == TaskRole::Refit).count();
    let product = match refits {
        0 => product,
        refits => format!("{product} + {}", plural(refits, "refit", "refits")),
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
        Bytes, ContentHash, Device, Embargo, FoldIndex, FoldPlan, Symbol, TaskId, TimeSpan,
        UtcMillis,
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
            train_rows: 0,
            shape: None,
            disk: Bytes::default(),
            expected_ms: None,
            reuse: None,
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
            gaps: Vec::new(),
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
    fn a_sweep_adds_up_where_every_variant_is_planned() {
        let variant = |totals: Option<PlanTotals>| PlannedVariant { settings: Vec::new(), totals };
        let totals = PlanTotals { tasks: 4, millis: 1_000, known: 4, ..PlanTotals::default() };
        let known = || variant(Some(totals.clone()));
        let sum = |variants: Vec<PlannedVariant>| Sweep::of(&Arc::from(variants)).totals;
        let both = sum(vec![known(), known()]).unwrap();
        assert_eq!((both.tasks, both.millis), (8, 2_000));
        assert_eq!(sum(vec![known(), variant(None)]), None);
    }

    #[test]
    fn series_are_named_and_found_in_the_plan() {
        let tasks = [folds("A", "1h", 2), folds("A", "4h", 1), folds("B C", "4h", 3)].concat();
        let named = |name: &str, tasks: &[usize]| SeriesTasks {
            name: name.to_owned(),
            tasks: tasks.to_vec(),
        };
        assert_eq!(
            series(&tasks),
            [
                named("A · 1h", &[0, 1]),
                named("A · 4h", &[2]),
                named("2 symbols pooled · 4h", &[3, 4, 5])
            ]
        );
    }

    #[test]
    fn refits_stand_with_their_folds_wherever_the_plan_has_them() {
        let refit = |symbol: &str| {
            let task = folds(symbol, "1h", 1).remove(0);
            vec![Task { role: TaskRole::Refit, ..task }]
        };
        let apart = [folds("A", "1h", 2), folds("B", "1h", 2), refit("A"), refit("B")].concat();
        let within = [folds("A", "1h", 2), refit("A"), folds("B", "1h", 2), refit("B")].concat();
        for tasks in [&apart, &within] {
            assert_eq!(shape(tasks), "2 symbols × 2 folds + 2 refits");
        }
        let named = |name: &str, tasks: &[usize]| SeriesTasks {
            name: name.to_owned(),
            tasks: tasks.to_vec(),
        };
        assert_eq!(series(&apart), [named("A · 1h", &[0, 1, 4]), named("B · 1h", &[2, 3, 5])]);
        assert_eq!(series(&within), [named("A · 1h", &[0, 1, 2]), named("B · 1h", &[3, 4, 5])]);
    }
}
