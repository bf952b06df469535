//! Pictures of market data: real files, copied to a place that is called the same on every machine.

use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui::{Theme, pos2};
use walkforge::ui::Settings;

use crate::bench::Window;
use crate::data::{hover, until_read};
use crate::pictures::compare;

/// Symbols with one file of a day and one of an hour each.
const SYMBOLS: [&str; 12] = [
    "1000SATS_USDT",
    "AAVE_USDT",
    "APT_USDT",
    "ARKM_USDT",
    "ATOM_USDT",
    "BTC_USDT",
    "ETH_USDT",
    "LINK_USDT",
    "LTC_USDT",
    "SHIB_USDT",
    "SOL_USDT",
    "UNI_USDT",
];

/// Copies files into a folder of their own under `target`, relative to the package, where tests run.
fn folder(name: &str, files: &[PathBuf]) -> PathBuf {
    let folder = Path::new("target/tmp/pictures").join(name);
    let _left_from_before = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    for file in files.iter().filter(|file| file.is_file()) {
        std::fs::copy(file, folder.join(file.file_name().unwrap())).unwrap();
    }
    folder
}

fn crypto(name: &str, data: &Path) -> PathBuf {
    let files = SYMBOLS.iter().flat_map(|symbol| {
        ["1h", "1d"].map(|timeframe| data.join(format!("{symbol}-{timeframe}.feather")))
    });
    folder(name, &files.collect::<Vec<_>>())
}

fn open(runs: &Path, theme: Theme) -> Window {
    let moment = "2026-01-15T09:29:00Z".parse().unwrap();
    let settings = Settings::default().with_theme(theme);
    let set = ["resources.device=cpu", "resources.workers=2"].map(|text| text.parse().unwrap());
    let spec = walkforge::spec::load("mlp-return").unwrap();
    let spec = walkforge::spec::apply(&spec, &set).unwrap();
    Window::built(runs, Some(spec), settings, Some(moment))
}

/// Opens a folder and waits until its series are read.
fn listed(window: &mut Window, folder: &Path) {
    window.set_text("Data folder", folder.to_str().unwrap());
    until_read(window);
}

fn real_folder(theme: Theme, name: &str) {
    let data = crate::require_data!("crypto");
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), theme);
    listed(&mut window, &crypto(name, &data));
    compare(&mut window, name);
}

#[test]
fn data_dark() {
    real_folder(Theme::Dark, "data");
}

#[test]
fn data_light() {
    real_folder(Theme::Light, "data-light");
}

#[test]
fn data_wide() {
    let data = crate::require_data!("crypto");
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), Theme::Dark);
    listed(&mut window, &crypto("data-wide", &data));
    // The edge between the first two columns.
    let edge = pos2(337.0, 300.0);
    window.harness.hover_at(edge);
    window.harness.step();
    window.harness.drag_at(edge);
    window.harness.step();
    let to = pos2(1040.0, 300.0);
    window.harness.hover_at(to);
    window.harness.step();
    window.harness.drop_at(to);
    window.harness.run_steps(4);
    until_read(&mut window);
    window.press("Sort by Bars");
    window.until_says("Sort by File");
    until_read(&mut window);
    compare(&mut window, "data-wide");
}

/// The series of one file, in front.
fn shown(window: &mut Window, symbol: &str) {
    window.click(Role::Label, symbol);
    window.until_says(&format!("Price of {symbol} 1h"));
}

#[test]
fn price_chart() {
    let data = crate::require_data!("crypto");
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), Theme::Dark);
    listed(&mut window, &crypto("price", &data));
    window.set_search("Search symbols", "ETH_U");
    shown(&mut window, "ETH_USDT");
    compare(&mut window, "price-chart");
}

#[test]
fn quality_report_and_import_settings() {
    let data = crate::require_data!("fx");
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), Theme::Dark);
    let files = ["XAUUSDh1.csv", "GBPUSDh1.csv"].map(|name| data.join(name));
    listed(&mut window, &folder("fx", &files));
    shown(&mut window, "XAUUSD");
    window.press("Quality report");
    compare(&mut window, "quality-report");
    window.press("Import settings");
    window.set_text("Prices divided by", "100");
    window.press("Try it");
    window.until_says("rows would be read");
    compare(&mut window, "import-settings");
}

#[test]
fn drop_hint() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), Theme::Dark);
    window.until_says("34 tasks");
    until_read(&mut window);
    hover(&mut window, Path::new("/data/kraken"));
    window.until_says("Drop to use the folder kraken");
    compare(&mut window, "drop-hint");
}

#[test]
fn folders_without_market_files() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), Theme::Dark);
    let empty = folder("empty", &[]);
    window.set_text("Data folder", empty.to_str().unwrap());
    window.until_says("it is empty");
    compare(&mut window, "data-empty-folder");
    let recent = folder("recent", &[]);
    let row = "2024-01-01 00:00,10,12,9,11,5\n2024-01-01 01:00,11,12,9,10,5\n";
    let text = format!("date,open,high,low,close,volume\n{row}");
    let long = "A_SYMBOL_WITH_A_NAME_THAT_NOBODY_WOULD_EVER_CHOOSE_FOR_IT-1h.csv";
    std::fs::write(recent.join(long), &text).unwrap();
    std::fs::write(recent.join("BROKEN-1h.csv"), "date,open\n1,2\n").unwrap();
    std::fs::write(recent.join("notes.md"), "notes").unwrap();
    listed(&mut window, &recent);
    window.click(Role::Label, "BROKEN");
    window.until_says("Read again");
    compare(&mut window, "data-error-file");
}
