use egui::{Align as EguiAlign, Layout, RichText, Ui};

use crate::domain::CrossSectionScore;
use crate::domain::text;
use crate::ui::theme::{Themed, space};
use crate::ui::widgets::{Align, Cell, Column, Fitted, column};

/// Rows shown at once; more scroll.
const MOST_ROWS: usize = 9;

const COLUMNS: [Column; 8] = [
    column("Timeframe", "The bar length", 104.0, Align::Left),
    column(
        "Predictor",
        "The model, and what it has to beat on the same moments",
        78.0,
        Align::Left,
    ),
    column("Moments", "Moments at which at least ten symbols had a test row", 60.0, Align::Right),
    column(
        "IC",
        "Correlation (Pearson) of prediction and outcome across symbols, mean over moments",
        52.0,
        Align::Right,
    ),
    column(
        "ICIR",
        "Mean of the IC divided by its standard deviation, per moment",
        52.0,
        Align::Right,
    ),
    column("Rank IC", "The same correlation on ranks (Spearman)", 58.0, Align::Right),
    column(
        "Rank ICIR",
        "Mean of the rank IC divided by its standard deviation, per moment",
        68.0,
        Align::Right,
    ),
    column(
        "Rank IC t",
        "Mean of the rank IC over its standard error by Newey and West, which allows for labels that overlap; beyond 2 it is unlikely to be chance",
        68.0,
        Align::Right,
    ),
];

/// How well each predictor told symbols apart; nothing where there were too few of them.
pub(super) fn show(ui: &mut Ui, sections: &[CrossSectionScore]) {
    let Some(first) = sections.first() else { return };
    ui.add_space(space::M);
    ui.horizontal(|ui| {
        ui.label(RichText::new("Across symbols").strong());
        ui.with_layout(Layout::left_to_right(EguiAlign::Center), |ui| {
            let note = format!("at each moment, averaged; t with {} lags", first.t_lags);
            ui.label(RichText::new(note).small().color(ui.palette().text_weak));
        });
    });
    let table =
        Fitted { id: "cross-sections", columns: &COLUMNS, rows: sections.len(), most: MOST_ROWS };
    table.show(ui, |_ui, index| sections.get(index).map_or_else(Vec::new, cells));
}

fn cells(section: &CrossSectionScore) -> Vec<Cell> {
    let is_model = section.predictor == "model";
    let lead = [section.timeframe.to_string(), section.predictor.replace('_', " ")];
    let cell = |text: String| if is_model { Cell::new(text).strong() } else { Cell::new(text) };
    lead.into_iter().chain(text::cross_section(section)).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_cell_for_each_column() {
        let section = CrossSectionScore {
            timeframe: "1h".parse().unwrap(),
            predictor: "last_return".to_owned(),
            timestamps: 1234,
            ic_cs: 0.01,
            rank_ic_cs: 0.033_5,
            icir: None,
            rank_icir: Some(0.5),
            rank_ic_t: Some(3.25),
            t_lags: 9,
        };
        let cells = cells(&section);
        assert_eq!(cells.len(), COLUMNS.len());
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        assert_eq!(texts[1], "last return");
        assert_eq!(texts[4..], [text::UNKNOWN, "0.0335", "0.500", "3.25"]);
    }
}
