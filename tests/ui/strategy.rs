//! Label, weights, validation and model as they are chosen in the Strategy panel.

use egui::accesskit::Role;

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

#[test]
fn every_model_can_be_chosen_and_is_planned() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");
    for family in ["linear", "LSTM", "GRU", "TCN", "Transformer", "MLP"] {
        window.choose("Model", family);
        window.until_enabled("Start");
    }

    window.choose("Model", "GRU");
    window.set_number("Units", "0");
    window.until_says("must lie between 1 and 65536");
    window.choose("Model", "TCN");
    window.press("Add a block");
    window.until_enabled("Start");
    window.press("Add a block");
    window.until_says("block 3 reads steps 4 bars apart, and the window has 4");
    window.click(Role::Button, "Remove block 3");
    window.set_number("Kernel", "5");
    window.until_says("5 must lie between 2 and the window's 4 bars");

    window.choose("Model", "Transformer");
    window.set_number("Heads", "5");
    window.until_says("5 heads must share d_model = 32 without a remainder");
    window.set_number("Heads", "2");
    window.choose("Tokens", "patches of bars");
    window.until_enabled("Start");
    window.set_number("Stride", "5");
    window.until_says("bars between patches are not seen");
    window.choose("Tokens", "bars");
    window.until_enabled("Start");
}

#[test]
fn a_third_class_can_be_chosen_and_is_shown_by_its_share() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.until_says("34 tasks");
    window.choose("Predicts", "direction");
    window.choose("Dead zone", "quantile of train");
    window.choose("Inside it", "a third class");
    window.choose("Dead zone", "none");
    window.until_says("Flat needs a dead zone");
    window.choose("Dead zone", "quantile of train");
    window.until_enabled("Start");
    window.click(Role::Tab, "Checks panel");
    window.press("Distributions");
    window.until_says("flat");
    // The quantile that a dead zone begins with, of the train rows.
    window.until_says("20.0 %");

    window.choose("Predicts", "triple barrier");
    window.choose("Time runs out", "a third class");
    window.until_says("neither");
}
