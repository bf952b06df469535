use egui::Ui;

use super::cross_sections;
use crate::domain::text;
use crate::domain::{BaselineScore, RunSummary, SeriesSummary};
use crate::ui::theme::Themed;
use crate::ui::widgets::{Align, Cell, Column, Fitted, column};

/// Rows shown at once; more scroll.
const MOST_ROWS: usize = 12;

/// What the numbers mean, wherever they stand in a head.
pub(super) mod help {
    pub(in super::super) const ROWS: &str = "Test rows that the numbers were computed on";
    pub(in super::super) const IC: &str = "Information coefficient: correlation (Pearson) of prediction and forward return over the test rows of one symbol; 0 is no skill";
    pub(in super::super) const RANK_IC: &str =
        "The same correlation on ranks (Spearman): outliers count no more than other rows";
    pub(in super::super) const HIT_RATE: &str =
        "Share of test rows whose predicted direction came true";
    pub(in super::super) const NET_RETURN: &str = "Return after costs of going long or short by the prediction's sign, filled at the next open, as a share of the starting equity";
    pub(in super::super) const SHARPE: &str =
        "Annualised Sharpe ratio of the net bar returns, with a risk-free rate of 0";
    pub(in super::super) const MAX_DRAWDOWN: &str =
        "Largest fall of the equity from a peak, as a share of that peak";
    pub(in super::super) const TURNOVER: &str =
        "Units of equity traded: 1 is an entry from flat, 2 a flip";
}

const COLUMNS: [Column; 10] = [
    column("Symbol · timeframe", "All folds of it, stitched in time order", 104.0, Align::Left),
    column("Predictor", "The model, and what it has to beat on the same rows", 78.0, Align::Left),
    column("Rows", help::ROWS, 46.0, Align::Right),
    column("IC", help::IC, 52.0, Align::Right),
    column("Rank IC", help::RANK_IC, 52.0, Align::Right),
    column("Hit rate", help::HIT_RATE, 52.0, Align::Right),
    column("Net return", help::NET_RETURN, 64.0, Align::Right),
    column("Sharpe", help::SHARPE, 48.0, Align::Right),
    column("Max drawdown", help::MAX_DRAWDOWN, 82.0, Align::Right),
    column("Turnover", help::TURNOVER, 54.0, Align::Right),
];

/// The stitched out-of-sample result, model beside baselines.
pub(super) fn show(ui: &mut Ui, summary: &RunSummary) {
    let rows = rows(&summary.series);
    let table = Fitted { id: "scores", columns: &COLUMNS, rows: rows.len(), most: MOST_ROWS };
    table.show(ui, |ui, index| {
        rows.get(index).map_or_else(Vec::new, |row| row.cells(ui.palette().text_weak))
    });
    cross_sections::show(ui, &summary.cross_sections);
}

/// A predictor of a series.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    series: &'a SeriesSummary,
    /// Among the series' own rows, from 0.
    position: usize,
    /// `None` is the model.
    baseline: Option<&'a BaselineScore>,
}

/// The model's row of each series, then those of its baselines.
fn rows(series: &[SeriesSummary]) -> Vec<Row<'_>> {
    let rows = series.iter().flat_map(|series| {
        let baselines = series.baselines.iter().map(Some);
        let predictors = std::iter::once(None).chain(baselines).enumerate();
        predictors.map(move |(position, baseline)| Row { series, position, baseline })
    });
    rows.collect()
}

impl Row<'_> {
    /// What stands first: the series once, and under it how many folds it has.
    fn lead(&self) -> String {
        match self.position {
            0 => format!("{} · {}", self.series.symbol, self.series.timeframe),
            1 if self.series.folds == 1 => "1 fold".to_owned(),
            1 => format!("{} folds", self.series.folds),
            _ => String::new(),
        }
    }

    fn cells(&self, weak: egui::Color32) -> Vec<Cell> {
        let is_model = self.baseline.is_none();
        let lead = Cell::new(self.lead());
        let lead = if is_model { lead.strong() } else { lead.color(weak) };
        let name = self.baseline.map_or("model", |baseline| baseline.name.as_str());
        let score = self.baseline.map_or(&self.series.model, |baseline| &baseline.score);
        let texts = [name.replace('_', " "), text::count(score.rows)];
        let numbers = texts.into_iter().chain(text::score(score));
        let cell = |text: String| if is_model { Cell::new(text).strong() } else { Cell::new(text) };
        std::iter::once(lead).chain(numbers.map(cell)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Score;
    use crate::domain::text::UNKNOWN;

    fn series(symbol: &str, folds: u32, baselines: &[&str]) -> SeriesSummary {
        let score = Score { rows: 1234, ic_ts: Some(0.012_34), ..Score::default() };
        let baseline = |name: &&str| BaselineScore { name: (*name).to_owned(), score };
        SeriesSummary {
            symbol: symbol.parse().unwrap(),
            timeframe: "1h".parse().unwrap(),
            folds,
            model: score,
            baselines: baselines.iter().map(baseline).collect(),
        }
    }

    #[test]
    fn a_series_is_written_once_over_its_predictors() {
        let all = [series("A", 17, &["always_long", "last_return", "ridge"]), series("B", 1, &[])];
        let rows = rows(&all);
        let weak = egui::Color32::PLACEHOLDER;
        let found: Vec<(String, String)> = rows
            .iter()
            .map(|row| {
                let cells = row.cells(weak);
                (cells[0].text.clone(), cells[1].text.clone())
            })
            .collect();
        let expected = [
            ("A · 1h", "model"),
            ("17 folds", "always long"),
            ("", "last return"),
            ("", "ridge"),
            ("B · 1h", "model"),
        ];
        assert_eq!(found, expected.map(|(lead, name)| (lead.to_owned(), name.to_owned())));
    }

    #[test]
    fn numbers_are_rounded_as_in_the_terminal_and_unknown_ones_stay_unknown() {
        let all = [series("A", 1, &[])];
        let cells = rows(&all)[0].cells(egui::Color32::PLACEHOLDER);
        assert_eq!(cells.len(), COLUMNS.len());
        assert_eq!(cells[3].text, "0.0123");
        assert!(cells[4..].iter().all(|cell| cell.text == UNKNOWN));
        assert!(cells.iter().all(|cell| cell.strong), "the model stands out");
    }
}
