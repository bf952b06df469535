use egui::{Label, RichText, Ui};

use super::note;
use crate::domain::text::number;
use crate::ui::icons;
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets::{Align, Cell, Column, Fitted, column};
use crate::workbench::{Contrast, PredictorContrast};

const COLUMNS: [Column; 6] = [
    column("Predictor", "The model and what it is compared with", 110.0, Align::Left),
    column("Timeframe", "Length of a bar", 74.0, Align::Left),
    column("Honest folds", "By the experiment's own folds", 100.0, Align::Right),
    column(
        "t",
        "Mean over its standard error by Newey and West, of the honest folds; beyond 2 it is unlikely to be chance",
        70.0,
        Align::Right,
    ),
    column(
        "Shuffled folds",
        "By folds whose rows were shuffled: neighbours of test rows are among the train rows",
        100.0,
        Align::Right,
    ),
    column("Shuffled / honest", "How many times as high", 110.0, Align::Right),
];

/// What shuffled folds would have made of the experiment.
pub(super) fn show(ui: &mut Ui, contrast: &Contrast) {
    ui.add_space(space::M);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("What shuffled folds would have shown").family(strong_family()));
        let about = format!("{}, {} shuffled folds", contrast.metric, contrast.shuffled_folds);
        ui.label(RichText::new(about).small().color(ui.palette().text_weak));
    });
    let predictors = &contrast.predictors;
    if predictors.is_empty() {
        note(ui, "Nothing was trained on both, so there is nothing to compare.");
        return;
    }
    Fitted { id: "contrast", columns: &COLUMNS, rows: predictors.len(), most: 8 }
        .show(ui, |_, row| predictors.get(row).map_or_else(Vec::new, cells));
    ui.add_space(space::XS);
    for predictor in predictors {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icons::INFO).color(ui.palette().text_weak));
            let text = format!("{}: {}.", named(predictor, predictors), predictor.verdict());
            ui.add(Label::new(text).wrap().selectable(true));
        });
    }
}

/// A predictor's name, with its timeframe where there are several.
fn named(predictor: &PredictorContrast, all: &[PredictorContrast]) -> String {
    let name = predictor.name.replace('_', " ");
    let is_alone = all.iter().all(|other| other.timeframe == predictor.timeframe);
    if is_alone { name } else { format!("{name} at {}", predictor.timeframe) }
}

fn cells(predictor: &PredictorContrast) -> Vec<Cell> {
    let is_model = predictor.name == "model";
    let texts = [
        predictor.name.replace('_', " "),
        predictor.timeframe.to_string(),
        number(predictor.honest, 4),
        number(predictor.honest_t, 2),
        number(predictor.shuffled, 4),
        predictor.ratio().map_or_else(|| number(None, 1), |ratio| format!("{ratio:.1} ×")),
    ];
    let cell = |text: String| if is_model { Cell::new(text).strong() } else { Cell::new(text) };
    texts.into_iter().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::UNKNOWN;

    #[test]
    fn a_ratio_is_shown_only_where_it_means_something() {
        let texts = |honest: Option<f64>| {
            let predictor = PredictorContrast {
                name: "ridge".to_owned(),
                timeframe: "1h".parse().unwrap(),
                honest,
                honest_t: None,
                shuffled: Some(0.1),
            };
            cells(&predictor).into_iter().map(|cell| cell.text).collect::<Vec<_>>()
        };
        assert_eq!(texts(Some(0.04)), ["ridge", "1h", "0.0400", UNKNOWN, "0.1000", "2.5 ×"]);
        assert_eq!(texts(Some(-0.04))[5], UNKNOWN);
        assert_eq!(texts(Some(0.04)).len(), COLUMNS.len());
    }
}
