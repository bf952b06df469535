use crate::domain::text;
use crate::domain::{BaselineScore, CrossSectionScore, RunSummary, Score};

/// Columns of [`score_cells`].
pub(super) const SCORE_HEADER: [&str; 8] =
    ["rows", "IC", "rank IC", "hit rate", "net return", "Sharpe", "max drawdown", "turnover"];

pub(super) fn score_cells(score: &Score) -> [String; 8] {
    let [ic, rank_ic, hit_rate, net, sharpe, drawdown, turnover] = text::score(score);
    [score.rows.to_string(), ic, rank_ic, hit_rate, net, sharpe, drawdown, turnover]
}

/// The model's row and those of its baselines, with the same leading cells on the first one only.
pub(super) fn score_rows(
    lead: &[String],
    model: &Score,
    baselines: &[BaselineScore],
) -> Vec<Vec<String>> {
    let names = baselines.iter().map(|baseline| baseline.name.replace('_', " "));
    let rows = std::iter::once(("model".to_owned(), model))
        .chain(names.zip(baselines.iter().map(|baseline| &baseline.score)));
    rows.enumerate()
        .map(|(index, (name, score))| {
            let lead =
                lead.iter().map(|cell| if index == 0 { cell.clone() } else { String::new() });
            lead.chain([name]).chain(score_cells(score)).collect()
        })
        .collect()
}

/// Prints a run's out-of-sample result.
pub(super) fn print_summary(printer: &super::printer::Printer, summary: &RunSummary) {
    if summary.series.is_empty() {
        return;
    }
    let header: Vec<&str> =
        ["symbol", "timeframe", "folds", "predictor"].into_iter().chain(SCORE_HEADER).collect();
    let rows: Vec<Vec<String>> = summary
        .series
        .iter()
        .flat_map(|series| {
            let lead =
                [series.symbol.to_string(), series.timeframe.to_string(), series.folds.to_string()];
            score_rows(&lead, &series.model, &series.baselines)
        })
        .collect();
    printer.line("Out of sample, test sections stitched, after costs:");
    printer.table(&header, 4, &rows);
    print_cross_sections(printer, &summary.cross_sections);
}

/// Prints how well each predictor told symbols apart; nothing where there were too few of them.
pub(super) fn print_cross_sections(
    printer: &super::printer::Printer,
    sections: &[CrossSectionScore],
) {
    let Some(first) = sections.first() else { return };
    let header: Vec<&str> =
        ["timeframe", "predictor"].into_iter().chain(text::CROSS_SECTION_HEADER).collect();
    let row = |section: &CrossSectionScore| {
        let lead = [section.timeframe.to_string(), section.predictor.replace('_', " ")];
        lead.into_iter().chain(text::cross_section(section)).collect()
    };
    let rows: Vec<Vec<String>> = sections.iter().map(row).collect();
    printer.line(&format!(
        "Across symbols at each moment, averaged; t by Newey and West with {} lags:",
        first.t_lags
    ));
    printer.table(&header, 2, &rows);
}

/// The text, its end replaced by `…` where it has more letters than this.
pub(super) fn shortened(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters.saturating_sub(1)) {
        Some((at, _)) if text.chars().count() > letters => format!("{}…", &text[..at]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_texts_are_shortened() {
        for (text, expected) in [("", ""), ("äbcd", "äbcd"), ("äbcde", "äbc…")] {
            assert_eq!(shortened(text, 4), expected);
        }
    }
}
