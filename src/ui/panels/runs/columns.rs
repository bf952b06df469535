use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::domain::Score;
use crate::domain::text::{UNKNOWN, duration, minute, number, percent};
use crate::runs::RunEntry;
use crate::ui::state::{Standing, State, TaskState};
use crate::ui::theme::Palette;
use crate::ui::widgets::{self, Align, Cell, Column, HiddenColumns, Sort, SortKey, column};

/// A column of the list, in the order of [`HEADINGS`]. Its name is what is remembered of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ui) enum RunColumn {
    Experiment,
    Started,
    Ended,
    Took,
    Status,
    Variant,
    Tags,
    Notes,
    Device,
    Tasks,
    Failed,
    Ic,
    RankIc,
    HitRate,
    NetReturn,
    Sharpe,
    MaxDrawdown,
    Turnover,
}

impl RunColumn {
    const ALL: [Self; 18] = [
        Self::Experiment,
        Self::Started,
        Self::Ended,
        Self::Took,
        Self::Status,
        Self::Variant,
        Self::Tags,
        Self::Notes,
        Self::Device,
        Self::Tasks,
        Self::Failed,
        Self::Ic,
        Self::RankIc,
        Self::HitRate,
        Self::NetReturn,
        Self::Sharpe,
        Self::MaxDrawdown,
        Self::Turnover,
    ];

    /// The figure of a run's score that stands in the column.
    fn figure(self, entry: &RunEntry) -> Option<f64> {
        let Score {
            ic_ts, rank_ic_ts, hit_rate, total_return, sharpe, max_drawdown, turnover, ..
        } = entry.score?;
        match self {
            Self::Ic => ic_ts,
            Self::RankIc => rank_ic_ts,
            Self::HitRate => hit_rate,
            Self::NetReturn => total_return,
            Self::Sharpe => sharpe,
            Self::MaxDrawdown => max_drawdown,
            Self::Turnover => turnover,
            _ => None,
        }
    }
}

pub(super) const HEADINGS: [Column; 18] = [
    column(
        "Experiment",
        "The experiment's name; the run's own name stands over it",
        96.0,
        Align::Left,
    ),
    column("Started (UTC)", "When the run was started", 114.0, Align::Left),
    column("Ended (UTC)", "When the run ended", 114.0, Align::Left),
    column("Took", "From start to end", 86.0, Align::Right),
    column("Status", "How the run stands", 130.0, Align::Left),
    column(
        "Variant",
        "What this run of a sweep sets, in the order of its fields",
        88.0,
        Align::Left,
    ),
    column("Tags", "Short words for finding it again", 64.0, Align::Left),
    column("Notes", "The first line of its notes", 120.0, Align::Left),
    column("Device", "Where its tasks compute", 56.0, Align::Left),
    column("Tasks", "Finished, of all", 50.0, Align::Right),
    column("Failed", "Tasks that failed", 48.0, Align::Right),
    column("IC", "Out of sample, the mean over the run's series", 54.0, Align::Right),
    column("Rank IC", "Out of sample, the mean over the run's series", 54.0, Align::Right),
    column("Hit rate", "Share of directions that came true, out of sample", 54.0, Align::Right),
    column("Net return", "Out of sample, after costs", 66.0, Align::Right),
    column("Sharpe", "Out of sample, annualised, after costs", 48.0, Align::Right),
    column("Max drawdown", "Largest fall of the equity from a peak", 88.0, Align::Right),
    column("Turnover", "Units of equity traded", 62.0, Align::Right),
];

/// What is not shown until somebody asks for it: all columns would not fit beside each other.
pub(super) fn hidden_at_first() -> HiddenColumns {
    HiddenColumns::of(&[
        "Ended (UTC)",
        "Took",
        "Notes",
        "Device",
        "Failed",
        "IC",
        "Hit rate",
        "Net return",
        "Max drawdown",
        "Turnover",
    ])
}

/// What the rows are sorted by, as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ui) struct SortedBy {
    pub(super) column: RunColumn,
    pub(super) descending: bool,
}

impl SortedBy {
    /// For the table.
    pub(super) const fn sort(self) -> Sort {
        Sort { column: self.column as usize, descending: self.descending }
    }

    /// What a click on a title makes of it.
    pub(super) fn clicked(now: Option<Self>, column: usize) -> Option<Self> {
        let Sort { column, descending } = Sort::clicked(now.map(Self::sort), column)?;
        Some(Self { column: *RunColumn::ALL.get(column)?, descending })
    }

    /// Of two runs; how they stand is known to whoever asks.
    pub(super) fn compare<'e>(
        self,
        a: (&'e RunEntry, Option<Standing>),
        b: (&'e RunEntry, Option<Standing>),
    ) -> Ordering {
        let sort = self.sort();
        let ((a, standing_a), (b, standing_b)) = (a, b);
        match self.column {
            RunColumn::Experiment => sort.order(Some(&a.experiment), Some(&b.experiment)),
            RunColumn::Started => sort.order(Some(a.created), Some(b.created)),
            RunColumn::Ended => sort.order(a.ended, b.ended),
            RunColumn::Took => sort.order(took_millis(a), took_millis(b)),
            RunColumn::Status => sort.order(standing_a, standing_b),
            RunColumn::Variant => {
                let variant = |entry: &'e RunEntry| {
                    entry.sweep.as_ref().map(|member| (&member.sweep, member.variant))
                };
                sort.order(variant(a), variant(b))
            }
            RunColumn::Tags => {
                let tags = |entry: &'e RunEntry| Some(&entry.tags).filter(|tags| !tags.is_empty());
                sort.order(tags(a), tags(b))
            }
            RunColumn::Notes => {
                let notes = |entry: &'e RunEntry| Some(&entry.notes).filter(|n| !n.is_empty());
                sort.order(notes(a), notes(b))
            }
            RunColumn::Device => sort.order(Some(a.device), Some(b.device)),
            RunColumn::Tasks => sort.order(Some(a.finished), Some(b.finished)),
            RunColumn::Failed => sort.order(Some(a.failed), Some(b.failed)),
            RunColumn::Ic
            | RunColumn::RankIc
            | RunColumn::HitRate
            | RunColumn::NetReturn
            | RunColumn::Sharpe
            | RunColumn::MaxDrawdown
            | RunColumn::Turnover => {
                let key = |entry: &RunEntry| SortKey::number(self.column.figure(entry));
                sort.order(key(a), key(b))
            }
        }
    }
}

fn took_millis(entry: &RunEntry) -> Option<i64> {
    entry.ended.map(|ended| ended.0 - entry.created.0)
}

/// A row's cells, in the order of [`HEADINGS`].
pub(super) fn cells(state: &State, entry: &RunEntry, palette: &Palette) -> Vec<Cell> {
    let standing = state.standing(entry);
    let live = state.runs.iter().find(|run| run.id == entry.id && !run.is_over());
    let finished = live.map_or(entry.finished, |run| run.count(TaskState::Finished) as u64);
    let cell = |column: &RunColumn| {
        let figure = column.figure(entry);
        match column {
            RunColumn::Experiment => {
                Cell::new(entry.experiment.as_str()).hover(Some(entry.id.to_string()))
            }
            RunColumn::Started => Cell::new(minute(entry.created)),
            RunColumn::Ended => Cell::new(entry.ended.map_or_else(|| UNKNOWN.to_owned(), minute)),
            RunColumn::Took => Cell::new(
                took_millis(entry)
                    .map_or_else(|| UNKNOWN.to_owned(), |millis| duration(millis as f64 / 1e3)),
            ),
            RunColumn::Status => status(standing, palette),
            RunColumn::Variant => Cell::new(settings(entry)).hover(variant(entry)),
            RunColumn::Tags => {
                let tags = entry.tags.join(", ");
                Cell::new(tags.as_str()).hover((!tags.is_empty()).then_some(tags))
            }
            RunColumn::Notes => {
                let first = entry.notes.lines().next().unwrap_or_default();
                Cell::new(first).hover((!first.is_empty()).then(|| entry.notes.clone()))
            }
            RunColumn::Device => Cell::new(entry.device.to_string()),
            RunColumn::Tasks => Cell::new(format!("{finished}/{}", entry.tasks)),
            RunColumn::Failed => Cell::new(entry.failed.to_string()),
            RunColumn::Ic | RunColumn::RankIc => Cell::new(number(figure, 4)),
            RunColumn::HitRate | RunColumn::NetReturn | RunColumn::MaxDrawdown => {
                Cell::new(percent(figure))
            }
            RunColumn::Sharpe => Cell::new(number(figure, 2)),
            RunColumn::Turnover => Cell::new(number(figure, 0)),
        }
    };
    RunColumn::ALL.iter().map(cell).collect()
}

fn status(standing: Standing, palette: &Palette) -> Cell {
    let (icon, color) = widgets::standing(standing, palette);
    let elsewhere = (standing == Standing::Elsewhere).then(|| {
        "Another program works on it, a terminal or a second window; it can be stopped there"
            .to_owned()
    });
    Cell::new(format!("{icon}  {}", standing.word())).color(color).hover(elsewhere)
}

fn variant(entry: &RunEntry) -> Option<String> {
    let member = entry.sweep.as_ref()?;
    let settings: Vec<String> = member.settings.iter().map(ToString::to_string).collect();
    let place = format!("Variant {} of {}", member.variant + 1, member.variants);
    Some(format!("{place}: {}", settings.join(", ")))
}

/// What a run of a sweep sets, in short: `0.01, seed 1`. The fields are the same for all of its runs and stand over the cell.
fn settings(entry: &RunEntry) -> String {
    let short = |setting: &crate::domain::Setting| match setting.path.as_str() {
        "seed" => format!("seed {}", setting.value),
        _ => setting.value.clone(),
    };
    let settings = entry.sweep.iter().flat_map(|member| &member.settings);
    settings.map(short).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::RunStatus;
    use crate::ui::testing::entry;

    #[test]
    fn columns_and_their_headings_stand_in_one_order() {
        for (place, column) in RunColumn::ALL.iter().enumerate() {
            assert_eq!(*column as usize, place, "{column:?}");
        }
        assert_eq!(HEADINGS[RunColumn::MaxDrawdown as usize].title, "Max drawdown");
        assert_eq!(HEADINGS[RunColumn::Status as usize].title, "Status");
        let hidden = hidden_at_first();
        let text = ron::to_string(&hidden).unwrap();
        let titles: Vec<String> = ron::from_str(&text).unwrap();
        let is_heading = |title: &String| HEADINGS.iter().any(|heading| heading.title == title);
        assert!(titles.iter().all(is_heading), "{titles:?}");
    }

    #[test]
    fn what_is_not_known_stands_last_whichever_way_a_column_is_sorted() {
        let known = RunEntry {
            score: Some(Score { sharpe: Some(1.0), ..Score::default() }),
            ended: Some(crate::domain::UtcMillis(5)),
            tags: vec!["good".to_owned()],
            notes: "longer".to_owned(),
            ..entry("a", RunStatus::Finished)
        };
        let unknown = entry("b", RunStatus::Running);
        for column in [
            RunColumn::Sharpe,
            RunColumn::Ended,
            RunColumn::Took,
            RunColumn::Tags,
            RunColumn::Notes,
            RunColumn::Ic,
        ] {
            for descending in [false, true] {
                let by = SortedBy { column, descending };
                let order = by.compare((&known, None), (&unknown, None));
                let expected =
                    if column == RunColumn::Ic { Ordering::Equal } else { Ordering::Less };
                assert_eq!(order, expected, "{column:?} {descending}");
            }
        }
    }

    #[test]
    fn a_sort_is_remembered_by_the_name_of_its_column() {
        let by = SortedBy::clicked(None, RunColumn::RankIc as usize).unwrap();
        let text = ron::to_string(&by).unwrap();
        assert!(text.contains("RankIc"), "{text}");
        assert_eq!(ron::from_str::<SortedBy>(&text).unwrap(), by);
        let down = SortedBy::clicked(Some(by), RunColumn::RankIc as usize).unwrap();
        assert!(
            down.descending && SortedBy::clicked(Some(down), RunColumn::RankIc as usize).is_none()
        );
    }
}
