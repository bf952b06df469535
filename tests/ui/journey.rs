//! The whole way of a quant in one story, on real prices: a folder, a leak check, a sweep, training, a comparison, a champion, an export.

use egui::accesskit::Role;
use walkforge::runs::{RunFilter, RunIndex};

use crate::bench::Window;
use crate::runs::make_champion;

#[test]
fn a_folder_a_leak_check_a_sweep_a_comparison_a_champion_and_an_export() {
    let data = crate::require_data!("crypto");
    let (runs, exports) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut window = Window::open(runs.path());
    window.set_text("Data folder", data.to_str().unwrap());
    window.until_says("tick at least one symbol");
    for symbol in ["ETH_USDT", "BTC_USDT"] {
        window.set_search("Search symbols", symbol);
        window.click(Role::CheckBox, symbol);
    }
    window.click(Role::CheckBox, "Set folds at most");
    window.set_number("Folds at most", "2");
    window.set_number("Max epochs", "3");
    window.until_says("4 tasks");

    window.press("Checks");
    window.press("Check for leaks");
    window.until_says("Nothing leaks");

    window.press("Vary a field");
    window.set_text("Field 1", "learning");
    window.press("Vary training.learning_rate");
    window.set_text("Values 1", "0.01, 0.001");
    window.until_says("2 variants");
    window.until_enabled("Start");
    window.press("Start");
    window.until_says("2 runs of the sweep, all finished");

    window.press("Compare the sweep");
    window.until_says("2 runs, 1 setting differs");
    window.press("Curves");
    window.until_says("Validation loss of ");

    // One of its models gets a name and is promoted.
    window.click(Role::Tab, "Runs panel");
    let stored = RunIndex::open(runs.path()).unwrap().runs(&RunFilter::default()).unwrap();
    window.click(Role::CheckBox, &format!("Select {}", stored[0].id));
    window.press("Results of the selected run");
    window.until_says("always long");
    window.click(Role::Tab, "Runs panel");
    make_champion(&mut window, runs.path(), "crypto");

    window.press("Export crypto@1");
    window.until_says("Export trained models");
    let to = exports.path().join("models");
    window.set_text("Folder", to.to_str().unwrap());
    window.until_says("Exported 1 model");
    let bundle = to.read_dir().unwrap().next().unwrap().unwrap().path();
    for file in ["model.pt", "model.onnx", "weights.safetensors", "manifest.json", "score.py"] {
        assert!(bundle.join(file).is_file(), "{file}");
    }
    let stored = RunIndex::open(runs.path()).unwrap().runs(&RunFilter::default()).unwrap();
    assert_eq!((stored.len(), stored.iter().map(|run| run.finished).sum::<u64>()), (2, 8));
}
