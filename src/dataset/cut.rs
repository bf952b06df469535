use std::sync::Arc;

use super::Series;
use crate::domain::{FoldGap, FoldPlan, TaskRows};
use crate::labels::{
    WeightedRows, class_in_fold, dead_zone_threshold, is_learnable, sample_weights,
};
use crate::spec::{LabelSpec, WeightSpec};
use crate::validation::{RowTimes, Sections, cut};

/// The rows of every series of a task by section, and what was found out on its train rows to choose them.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskCut {
    /// One for each series, in their order.
    pub sections: Vec<Sections>,
    /// The absolute outcome up to which train and validation rows were left out, or are a class of their own; `None` where the label has no dead
    /// zone.
    pub dead_zone: Option<f64>,
    /// What is left out beside the sections; nothing where the rows were chosen by other means.
    pub gaps: Vec<FoldGap>,
    /// Whether the fold has no validation and no test section at all, as that of a refit.
    pub only_train: bool,
    /// Train and validation rows left out for it.
    pub inside_dead_zone: u64,
}

impl TaskCut {
    /// Cuts a fold out of the series: sections, purge, and then the dead zone, whose quantile is learnt from the train rows that are left.
    #[must_use]
    pub fn of(series: &[Arc<Series>], fold: &FoldPlan, label: LabelSpec) -> Self {
        let rows: Vec<RowTimes<'_>> = series.iter().map(|series| series.row_times()).collect();
        let only_train = fold.validation.is_empty() && fold.test.is_empty();
        let (sections, gaps) = cut(fold, &rows);
        Self { gaps, only_train, ..Self::of_sections(series, sections, label) }
    }

    /// The same of rows chosen by other means.
    ///
    /// # Panics
    /// If there is not one set of sections for each series, or a row is not there.
    #[must_use]
    pub fn of_sections(
        series: &[Arc<Series>],
        mut sections: Vec<Sections>,
        label: LabelSpec,
    ) -> Self {
        assert_eq!(series.len(), sections.len(), "sections of each series");
        let outcome = |part: usize, row: u32| series[part].labels().outcome[row as usize];
        let train = sections.iter().enumerate();
        let outcomes =
            train.flat_map(|(part, rows)| rows.train.iter().map(move |row| (part, *row)));
        let outcomes = outcomes.map(|(part, row)| outcome(part, row));
        let dead_zone = dead_zone_threshold(label.dead_zone(), outcomes);
        let mut inside = 0;
        // Three classes: what is inside is learnt as well.
        let kept = if label.has_flat_class() { None } else { dead_zone };
        for (part, sections) in sections.iter_mut().enumerate() {
            for rows in [&mut sections.train, &mut sections.validation] {
                let before = rows.len();
                rows.retain(|row| is_learnable(outcome(part, *row), kept));
                inside += (before - rows.len()) as u64;
            }
        }
        Self { sections, gaps: Vec::new(), only_train: false, dead_zone, inside_dead_zone: inside }
    }

    /// The labels of every bar of a series as they are in this fold: what its dead zone makes a class of its own is one.
    #[must_use]
    pub fn labels(&self, series: &Series, label: LabelSpec) -> Vec<f32> {
        let labels = series.labels();
        if !label.has_flat_class() {
            return labels.value.clone();
        }
        let rows = labels.value.iter().zip(&labels.outcome);
        rows.map(|(value, outcome)| class_in_fold(*value, *outcome, self.dead_zone)).collect()
    }

    /// Rows by section, over all series.
    #[must_use]
    pub fn rows(&self) -> TaskRows {
        let sum = |rows: fn(&Sections) -> usize| {
            self.sections.iter().map(|part| rows(part) as u64).sum::<u64>()
        };
        TaskRows {
            train: sum(|part| part.train.len()),
            validation: sum(|part| part.validation.len()),
            test: sum(|part| part.test.len()),
            purged: sum(|part| part.purged),
            inside_dead_zone: self.inside_dead_zone,
        }
    }

    /// Mean and population standard deviation of the train labels; the latter is 1 where the label never changes.
    #[must_use]
    pub fn label_moments(&self, series: &[Arc<Series>]) -> (f64, f64) {
        moments(series.iter().zip(&self.sections).flat_map(|(series, part)| {
            part.train.iter().map(|&row| f64::from(series.labels().value[row as usize]))
        }))
    }

    /// The weight of each train row of each series, 1 on average; `None` where every row counts alike.
    #[must_use]
    pub fn train_weights(&self, series: &[Arc<Series>], spec: WeightSpec) -> Option<Vec<Vec<f64>>> {
        let weighted: Vec<WeightedRows<'_>> = series
            .iter()
            .zip(&self.sections)
            .map(|(series, part)| WeightedRows {
                timeframe: series.timeframe(),
                decision: series.decision(),
                end_time: &series.labels().end_time,
                rows: &part.train,
            })
            .collect();
        sample_weights(spec, &weighted)
    }
}

/// Mean and population standard deviation in two passes; a deviation of 0 becomes 1.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (count, sum) =
        values.clone().fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    let mean = if count > 0.0 { sum / count } else { 0.0 };
    let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
    let std = if count > 0.0 { (squares / count).sqrt() } else { 0.0 };
    (mean, if std > 0.0 { std } else { 1.0 })
}
