//! Label, weights and validation as they are chosen in the Strategy panel.

use crate::bench::Window;

#[test]
fn every_label_and_scheme_can_be_chosen_and_is_planned() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");

    window.choose("Predicts", "triple barrier");
    window.set_number("Profit at", "0");
    window.until_says("must be above 0");
    window.set_number("Profit at", "3");
    window.choose("Time runs out", "not learnt from");
    window.choose("Predicts", "direction");
    window.choose("Dead zone", "quantile of train");
    window.set_number("Quantile", "0.3");
    window.choose("Row weights", "by uniqueness");
    window.choose("Scaling", "per symbol");
    window.until_enabled("Start");

    window.choose("Train unit", "days");
    window.set_number("Train", "120");
    window.until_says("Fold 0: train 2015-01-01 to 2015-05-01");
    window.choose("Scheme", "walk-forward, anchored");
    window.until_says("Fold 1: train 2015-01-01");
    window.choose("Scheme", "purged K-fold");
    window.set_number("Folds", "1");
    window.until_says("must lie between 2 and 1000");
    window.set_number("Folds", "4");
    window.until_says("8 tasks");
    window.choose("Scheme", "hold-out by date");
    window.until_says("nothing is left after it to test on");
    window.set_text("Test from", "2016-02-01");
    window.set_text("Validation from", "2015-11-01");
    window.until_says("2 tasks");
    window
        .until_says("Fold 0: train 2015-01-01 to 2015-11-01, validation 2015-11-01 to 2016-02-01");
}
