use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::runs::{ComparedFigure, Comparison};
use crate::ui::widgets::{Sort, SortKey};

/// A line of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    /// One of the runs, by its place; whether it stands under a mean over seeds.
    Run(usize, bool),
    /// The mean over the seeds of one of the groups, by its place.
    Mean(usize),
}

/// Which lines are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Show {
    /// Each mean over its runs.
    #[default]
    Both,
    /// Means, and runs that have none.
    Means,
    /// Every run by itself.
    Runs,
}

impl Show {
    pub(super) const ALL: [Self; 3] = [Self::Both, Self::Means, Self::Runs];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Both => "runs and means over seeds",
            Self::Means => "means over seeds",
            Self::Runs => "runs",
        }
    }
}

/// The lines of a comparison. Columns: the run, its settings, its figures.
pub(super) fn rows(of: &Comparison, show: Show, sort: Option<Sort>) -> Vec<Row> {
    let groups = of.seed_groups.iter().enumerate();
    let group_of: BTreeMap<usize, usize> =
        groups.flat_map(|(group, seeds)| seeds.runs.iter().map(move |&run| (run, group))).collect();
    // A mean and its runs stand together.
    let mut blocks: Vec<(Row, Vec<Row>)> = Vec::new();
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for run in 0..of.runs.len() {
        match group_of.get(&run).filter(|_| show != Show::Runs) {
            None => blocks.push((Row::Run(run, false), Vec::new())),
            Some(&group) => {
                let place = *places.entry(group).or_insert_with(|| {
                    blocks.push((Row::Mean(group), Vec::new()));
                    blocks.len() - 1
                });
                if show == Show::Both {
                    blocks[place].1.push(Row::Run(run, true));
                }
            }
        }
    }
    if let Some(sort) = sort {
        blocks.sort_by(|(a, _), (b, _)| compare(of, sort, *a, *b));
        for (_, runs) in &mut blocks {
            runs.sort_by(|a, b| compare(of, sort, *a, *b));
        }
    }
    blocks.into_iter().flat_map(|(head, runs)| std::iter::once(head).chain(runs)).collect()
}

fn compare(of: &Comparison, sort: Sort, a: Row, b: Row) -> Ordering {
    let Some(column) = sort.column.checked_sub(1) else {
        return sort.order(Some(first_run(of, a)), Some(first_run(of, b)));
    };
    let key = |row: Row| match column.checked_sub(of.settings.len()) {
        Some(figure) => SortKey::number(value(of, row, figure)),
        None => setting(of, row, column).map(SortKey::text),
    };
    sort.order(key(a), key(b))
}

/// The place of the first run that a line stands for.
pub(super) fn first_run(of: &Comparison, row: Row) -> usize {
    match row {
        Row::Run(run, _) => run,
        Row::Mean(group) => of.seed_groups[group].runs.first().copied().unwrap_or_default(),
    }
}

/// What a line has set: of a mean what all of its runs have set, and nothing where they differ.
pub(super) fn setting(of: &Comparison, row: Row, setting: usize) -> Option<&str> {
    let values = &of.settings.get(setting)?.values;
    let value = |run: usize| values.get(run).and_then(Option::as_deref);
    match row {
        Row::Run(run, _) => value(run),
        Row::Mean(group) => {
            let runs = &of.seed_groups[group].runs;
            let first = value(*runs.first()?)?;
            runs.iter().all(|&run| value(run) == Some(first)).then_some(first)
        }
    }
}

/// A line's figure; of a mean the mean.
pub(super) fn value(of: &Comparison, row: Row, figure: usize) -> Option<f64> {
    match row {
        Row::Run(run, _) => of.figures.get(figure)?.values.get(run).copied().flatten(),
        Row::Mean(group) => of.seed_groups[group].means.get(figure).copied().flatten(),
    }
}

/// The best value among lines of one kind, where one of them is better than another.
pub(super) fn best(of: &Comparison, rows: &[Row], figure: usize, means: bool) -> Option<f64> {
    let ComparedFigure { more_is_better, .. } = of.figures.get(figure)?;
    let more_is_better = (*more_is_better)?;
    let of_kind = rows.iter().filter(|row| matches!(row, Row::Mean(_)) == means);
    let values: Vec<f64> = of_kind
        .filter_map(|row| value(of, *row, figure))
        .filter(|value| value.is_finite())
        .collect();
    let highest = values.iter().copied().max_by(f64::total_cmp)?;
    let lowest = values.iter().copied().min_by(f64::total_cmp)?;
    (highest > lowest).then_some(if more_is_better { highest } else { lowest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunId;
    use crate::runs::{ComparedRun, ComparedSetting, SeedGroup};

    /// Two learning rates with two seeds each, and a run of its own.
    fn comparison() -> Comparison {
        let run = |name: &str| ComparedRun { id: RunId::new(name), experiment: "e".to_owned() };
        let setting = |path: &str, values: [Option<&str>; 5]| ComparedSetting {
            path: path.to_owned(),
            values: values.map(|value| value.map(str::to_owned)).to_vec(),
        };
        let group = |runs: [usize; 2], mean: f64| SeedGroup {
            runs: runs.to_vec(),
            means: vec![Some(mean), None],
            deviations: vec![Some(0.1), None],
        };
        Comparison {
            runs: ["a", "b", "c", "d", "e"].map(run).to_vec(),
            settings: vec![
                setting("rate", [Some("0.1"), Some("0.1"), Some("0.01"), Some("0.01"), None]),
                setting("seed", [Some("9"), Some("10"), Some("9"), Some("10"), Some("9")]),
            ],
            figures: vec![
                ComparedFigure {
                    name: "rank IC".to_owned(),
                    more_is_better: Some(true),
                    values: vec![Some(0.1), Some(0.3), Some(0.5), Some(0.4), None],
                },
                ComparedFigure {
                    name: "loss".to_owned(),
                    more_is_better: Some(false),
                    values: vec![Some(2.0); 5],
                },
            ],
            seed_groups: vec![group([0, 1], 0.2), group([2, 3], 0.45)],
        }
    }

    #[test]
    fn a_mean_stands_over_its_runs_and_moves_with_them() {
        let of = comparison();
        let member = |run| Row::Run(run, true);
        let (first, second) = (Row::Mean(0), Row::Mean(1));
        let alone = Row::Run(4, false);
        assert_eq!(
            rows(&of, Show::Both, None),
            [first, member(0), member(1), second, member(2), member(3), alone]
        );
        assert_eq!(rows(&of, Show::Means, None), [first, second, alone]);
        let best_first = Some(Sort { column: 3, descending: true });
        assert_eq!(
            rows(&of, Show::Both, best_first),
            [second, member(2), member(3), first, member(1), member(0), alone]
        );
        let by_rate = Some(Sort { column: 1, descending: false });
        assert_eq!(
            rows(&of, Show::Means, by_rate),
            [second, first, alone],
            "what has none is last"
        );
        let by_seed = Some(Sort { column: 2, descending: false });
        let seeds: Vec<usize> =
            rows(&of, Show::Runs, by_seed).into_iter().map(|row| first_run(&of, row)).collect();
        assert_eq!(seeds, [0, 2, 4, 1, 3], "9 before 10: they are numbers");
    }

    #[test]
    fn the_best_is_marked_among_its_own_kind_and_only_where_there_is_a_difference() {
        let of = comparison();
        let rows = rows(&of, Show::Both, None);
        assert_eq!(best(&of, &rows, 0, false), Some(0.5));
        assert_eq!(best(&of, &rows, 0, true), Some(0.45));
        assert_eq!(best(&of, &rows, 1, false), None, "all are equal");
        assert_eq!(setting(&of, Row::Mean(0), 0), Some("0.1"));
        assert_eq!(setting(&of, Row::Mean(0), 1), None, "seeds differ");
    }

    proptest::proptest! {
        /// Of whatever values runs have: a sort by an order that is none panics.
        #[test]
        fn every_column_sorts_whatever_stands_in_it(
            texts in proptest::collection::vec(
                proptest::option::of(
                    proptest::sample::select(
                        vec!["500", "2000", "30d", "nan", "-0", "0", "inf", "1e2", "[8]", "", "x"],
                    ),
                ),
                2..80,
            ),
            figures in proptest::collection::vec(
                proptest::option::of(proptest::num::f64::ANY), 80,
            ),
            descending: bool,
        ) {
            let count = texts.len();
            let run = |place: usize| ComparedRun {
                id: RunId::new(format!("{place:03}")),
                experiment: "e".to_owned(),
            };
            let of = Comparison {
                runs: (0..count).map(run).collect(),
                settings: vec![ComparedSetting {
                    path: "p".to_owned(),
                    values: texts.iter().map(|text| text.map(str::to_owned)).collect(),
                }],
                figures: vec![ComparedFigure {
                    name: "f".to_owned(),
                    more_is_better: None,
                    values: figures[..count].to_vec(),
                }],
                seed_groups: Vec::new(),
            };
            for column in 0..3 {
                let sort = Sort { column, descending };
                let shown = rows(&of, Show::Runs, Some(sort));
                proptest::prop_assert_eq!(shown.len(), count);
                for pair in shown.windows(2) {
                    proptest::prop_assert!(compare(&of, sort, pair[0], pair[1]).is_le());
                }
            }
            // Numbers by their size, whatever else stands between them.
            let sorted = rows(&of, Show::Runs, Some(Sort { column: 1, descending }));
            let sizes: Vec<f64> = sorted
                .into_iter()
                .filter_map(|row| setting(&of, row, 0)?.parse().ok())
                .filter(|size: &f64| !size.is_nan())
                .collect();
            let is_sorted = sizes.is_sorted_by(|a, b| if descending { a >= b } else { a <= b });
            proptest::prop_assert!(is_sorted);
        }
    }
}
