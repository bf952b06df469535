use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{RunId, Task, TaskRole};
use crate::ui::state::RunView;

/// How tasks are shared among plots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Layout {
    /// All in one.
    #[default]
    Together,
    /// A plot for each symbol and timeframe.
    BySymbol,
    /// A plot for each fold.
    ByFold,
}

impl Layout {
    pub(super) const ALL: [Self; 3] = [Self::Together, Self::BySymbol, Self::ByFold];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Together => "one plot",
            Self::BySymbol => "by symbol",
            Self::ByFold => "by fold",
        }
    }
}

/// The tasks of one plot.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) title: String,
    /// In the plan's order.
    pub(super) tasks: Vec<usize>,
}

/// The groups of the run in view; a plan does not change.
#[derive(Debug, Default)]
pub(super) struct Groups {
    of: Option<(RunId, Layout)>,
    groups: Vec<Group>,
}

impl Groups {
    pub(super) fn of(&mut self, run: &RunView, layout: Layout) -> &[Group] {
        let wanted = Some((run.id.clone(), layout));
        if self.of != wanted {
            self.of = wanted;
            self.groups = group(&run.plan.tasks, layout);
        }
        &self.groups
    }
}

/// In the order in which the plan names them first.
fn group(tasks: &[Task], layout: Layout) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, task) in tasks.iter().enumerate() {
        let title = title(task, layout);
        let place = *places.entry(title.clone()).or_insert_with(|| {
            groups.push(Group { title, tasks: Vec::new() });
            groups.len() - 1
        });
        groups[place].tasks.push(index);
    }
    groups
}

fn title(task: &Task, layout: Layout) -> String {
    match layout {
        Layout::Together => String::new(),
        Layout::BySymbol => {
            let symbols =
                task.symbols.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let timeframes = task.timeframes.iter().map(ToString::to_string).collect::<Vec<_>>();
            format!("{symbols} · {}", timeframes.join(", "))
        }
        Layout::ByFold if task.role == TaskRole::Refit => "Refit on all rows".to_owned(),
        Layout::ByFold => format!("Fold {}", task.fold.index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cancel, UtcMillis};
    use crate::spec::{apply, load};

    #[test]
    fn tasks_are_shared_among_plots_by_symbol_and_by_fold() {
        let folds = "validation.max_folds=3".parse().unwrap();
        let spec = apply(&load("linear-return").unwrap(), &[folds]).unwrap();
        let plan = crate::workbench::plan(&spec, &Cancel::new()).unwrap().plan;
        let run = RunView::new(RunId::new("r"), plan, UtcMillis(0));
        let mut groups = Groups::default();
        let mut sizes = |layout| -> Vec<(String, usize)> {
            let groups = groups.of(&run, layout);
            groups.iter().map(|group| (group.title.clone(), group.tasks.len())).collect()
        };
        let by_symbol = [("SYN_A · 1h", 3), ("SYN_B · 1h", 3)].map(|(t, n)| (t.to_owned(), n));
        assert_eq!(sizes(Layout::BySymbol), by_symbol);
        let by_fold = [("Fold 0", 2), ("Fold 1", 2), ("Fold 2", 2)].map(|(t, n)| (t.to_owned(), n));
        assert_eq!(sizes(Layout::ByFold), by_fold);
    }
}
