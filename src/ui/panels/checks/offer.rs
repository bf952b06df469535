use std::ops::Range;
use std::sync::Arc;

use crate::domain::{Plan, SeriesPlan, Symbol, Task, TaskRole, Timeframe};

/// What a plan offers to look at, found out once: a plan may have many thousands of tasks.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) plan: Arc<Plan>,
    /// Each once, in the plan's order.
    pub(super) series: Vec<Offered>,
}

/// A series that a model is trained on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Offered {
    /// `BTC_USDT · 1h`.
    pub(super) name: String,
    pub(super) symbol: Symbol,
    pub(super) timeframe: Timeframe,
    /// Series that share its model, itself among them.
    pub(super) pooled: usize,
    /// The tasks it is part of: its folds.
    pub(super) tasks: Range<usize>,
}

impl Offer {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let mut series = Vec::new();
        let mut first = 0;
        let same_model =
            |a: &Task, b: &Task| a.timeframes == b.timeframes && a.symbols == b.symbols;
        let is_refit = |task: &&Task| task.role == TaskRole::Refit;
        for folds in plan.tasks.chunk_by(same_model) {
            let tasks = first..first + folds.len();
            first = tasks.end;
            let task = &folds[0];
            // A refit has no sections to compare.
            let tasks = tasks.start..tasks.end - folds.iter().rev().take_while(is_refit).count();
            if tasks.is_empty() {
                continue;
            }
            // Where timeframes are pooled, not every symbol has each of them.
            let is_part = |series: &&SeriesPlan| {
                task.symbols.contains(&series.symbol) && task.timeframes.contains(&series.timeframe)
            };
            let pooled = plan.series.iter().filter(is_part).count();
            series.extend(plan.series.iter().filter(is_part).map(|series| Offered {
                name: format!("{} · {}", series.symbol, series.timeframe),
                symbol: series.symbol.clone(),
                timeframe: series.timeframe,
                pooled,
                tasks: tasks.clone(),
            }));
        }
        Self { plan: Arc::clone(plan), series }
    }
}
