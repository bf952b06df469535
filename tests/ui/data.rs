//! Market data in the window: folders, the list of series, one series by itself, what is dropped.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use walkforge::ui::Settings;

use crate::bench::Window;

/// A file as the window system hands it over.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

pub fn drop_on(window: &mut Window, paths: &[&Path]) {
    let input = window.harness.input_mut();
    input.hovered_files.clear();
    for path in paths {
        input.dropped_files.push(Arc::new(Dropped(path.to_path_buf())));
    }
    window.harness.step();
}

pub fn hover(window: &mut Window, path: &Path) {
    let hovered = egui::HoveredFile { path: Some(path.to_owned()), ..Default::default() };
    window.harness.input_mut().hovered_files = vec![hovered];
    window.harness.run_steps(2);
}

/// Waits until every series in view has been read.
#[track_caller]
pub fn until_read(window: &mut Window) {
    window.until("every series in view", |window| {
        !window.says(": being read") && window.says(" bars from ")
    });
}

/// A folder with a file that has a repeated row and a missing bar, and one that is clean.
fn faulty() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let row = |hour: u32, price: u32| {
        format!(
            "2024-01-{:02} {:02}:00,{price},{},1,{price},5\n",
            1 + hour / 24,
            hour % 24,
            price + 9
        )
    };
    let head = "date,open,high,low,close,volume\n";
    let clean: String = (0..200).map(|hour| row(hour, 10 + hour % 7)).collect();
    std::fs::write(folder.path().join("CLEAN-1h.csv"), format!("{head}{clean}")).unwrap();
    let odd = (0..300).filter(|hour| *hour != 150);
    let odd: String =
        odd.map(|hour| row(hour, 20 + hour % 5).repeat(1 + usize::from(hour == 3))).collect();
    std::fs::write(folder.path().join("ODD-1h.csv"), format!("{head}{odd}")).unwrap();
    folder
}

/// The bars of the series in view, as they stand.
fn bars_in_view(window: &Window) -> Vec<u64> {
    let bars = |line: &str| {
        let (before, _) = line.split_once(" bars from ")?;
        let (_, bars) = before.rsplit_once(": ")?;
        bars.replace('\u{202f}', "").parse().ok()
    };
    window.text().lines().filter_map(bars).collect()
}

#[test]
fn a_real_folder_is_listed_sorted_searched_ticked_and_looked_into() {
    let data = crate::require_data!("crypto");
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.set_text("Data folder", data.to_str().unwrap());
    window.until_says("0 of 65");
    until_read(&mut window);

    window.press("Sort by Bars");
    window.press("Sort by Bars");
    window.until("the longest series first", |window| {
        let bars = bars_in_view(window);
        bars.len() >= 8 && bars.is_sorted_by(|a, b| a >= b) && !window.says(": being read")
    });

    window.set_search("Search symbols", "eth_u");
    window.until("one symbol", |window| bars_in_view(window).len() == 1);
    window.click(Role::Label, "ETH_USDT");
    window.until_says("Price of ETH_USDT 1h");
    assert!(window.says("Volume of ETH_USDT 1h") && window.says("Each candle is "));
    window.press("Quality report");
    for expected in ["Rows in the file", "Largest move", "Breaks, where windows end"] {
        assert!(window.says(expected), "no `{expected}` in:\n{}", window.text());
    }
    window.press("Import settings");
    assert!(window.says("How it was read") && window.says("feather"));

    window.click(Role::CheckBox, "ETH_USDT");
    window.until_says("1 of 65");
    window.set_search("Search symbols", "btc_u");
    window.until_says("Tick 1 found");
    window.press("Tick 1 found");
    window.until_says("2 of 65");
    window.set_search("Search symbols", "no such symbol");
    window.until_says("No symbol contains");
}

#[test]
fn faults_are_counted_in_the_list_and_told_with_their_first_places() {
    let (runs, data) = (tempfile::tempdir().unwrap(), faulty());
    let mut window = Window::open(runs.path());
    window.set_text("Data folder", data.path().to_str().unwrap());
    window.until_says("ODD 1h: 299 bars from 2024-01-01 to 2024-01-13");
    assert!(window.says("1 repeated row (dropped), 1 missing bar"), "{}", window.text());
    assert!(window.says("CLEAN 1h: 200 bars from 2024-01-01 to 2024-01-09, no faults"));
    window.press("Sort by Faults");
    window.press("Sort by Faults");
    window.until("the worst first", |window| bars_in_view(window) == [299, 200]);

    window.click(Role::Label, "ODD");
    window.until_says("Price of ODD 1h");
    window.press("Quality report");
    for expected in ["1 repeated row (dropped)", "line 6: ", "1 missing bar", "read as UTC"] {
        assert!(window.says(expected), "no `{expected}` in:\n{}", window.text());
    }
    window.click(Role::Label, "CLEAN");
    window.until_says("Nothing is wrong with its rows.");
}

#[test]
fn how_a_file_is_read_is_tried_written_beside_it_and_read_again() {
    let (runs, data) = (tempfile::tempdir().unwrap(), faulty());
    let mut window = Window::open(runs.path());
    window.set_text("Data folder", data.path().to_str().unwrap());
    until_read(&mut window);
    window.click(Role::Label, "CLEAN");
    window.until_says("Price of CLEAN 1h");
    window.press("Import settings");
    assert!(window.says("UTC, assumed") && !window.is_enabled("Write walkforge.ron"));

    window.set_text("Time zone", "Mars");
    window.until_says("`Mars` is no time zone");
    window.set_text("Time zone", "Europe/Athens");
    window.set_text("Prices divided by", "10");
    window.until_enabled("Try it");
    window.press("Try it");
    window.until_says("200 rows would be read");
    assert!(window.says("2023-12-31 22:00"), "two hours before midnight UTC");
    assert!(!data.path().join("walkforge.ron").exists(), "a trial writes nothing");

    window.press("Write walkforge.ron");
    window.until_says("Wrote ");
    window.until_says("Europe/Athens, by walkforge.ron");
    window.until_says("CLEAN 1h: 200 bars from 2023-12-31");
    let text = std::fs::read_to_string(data.path().join("walkforge.ron")).unwrap();
    assert!(
        text.contains(r#"("CLEAN-1h.csv", (zone: "Europe/Athens", price_divisor: 10.0))"#),
        "{text}"
    );
    assert!(!window.is_enabled("Write walkforge.ron"), "it says so already");
}

#[test]
fn a_series_of_the_built_in_market_has_a_price_and_no_file() {
    let runs = tempfile::tempdir().unwrap();
    let mut window = Window::open(runs.path());
    window.click(Role::Tab, "Checks panel");
    window.press("Market data");
    assert!(window.says("No series is chosen"));
    until_read(&mut window);
    window.click(Role::Label, "SYN_A");
    window.until_says("Price of SYN_A 1h");
    window.press("Quality report");
    window.until_says("it has no file to read");
}

#[test]
fn a_dropped_folder_file_or_experiment_is_used_and_anything_else_is_explained() {
    let (runs, data) = (tempfile::tempdir().unwrap(), faulty());
    let mut window = Window::open(runs.path());
    hover(&mut window, data.path());
    assert!(window.says("Drop to use the folder"), "{}", window.text());
    drop_on(&mut window, &[data.path()]);
    window.until_says("CLEAN 1h: ");
    assert!(!window.says("Drop to use the folder"), "nothing hovers any more");

    window.press("Built-in market");
    window.until_says("SYN_A 1h: ");
    let (clean, odd) = (data.path().join("CLEAN-1h.csv"), data.path().join("ODD-1h.csv"));
    drop_on(&mut window, &[&clean, &odd]);
    window.until_says("ODD 1h: ");

    let experiment = data.path().join("dropped.ron");
    let spec = walkforge::spec::load("lstm-direction").unwrap();
    std::fs::write(&experiment, spec.to_ron()).unwrap();
    drop_on(&mut window, &[&experiment]);
    window.until_says("Opened ");
    window.until_says("SYN_A 1h: ");

    let picture = data.path().join("cat.png");
    std::fs::write(&picture, "cat").unwrap();
    drop_on(&mut window, &[&picture]);
    window.until_says("is neither a folder nor a market file nor an experiment");
    drop_on(&mut window, &[&picture, &experiment]);
    window.until_says("2 things were dropped");
    drop_on(&mut window, &[&data.path().join("gone")]);
    window.until_says("check that it is still there");
}

#[test]
fn recent_folders_survive_a_restart_and_one_that_vanished_can_be_forgotten() {
    let (runs, stays, goes) = (tempfile::tempdir().unwrap(), faulty(), faulty());
    let (kept, gone) = (stays.path().display().to_string(), goes.path().display().to_string());
    let mut window = Window::open(runs.path());
    for folder in [&gone, &kept] {
        window.set_text("Data folder", folder);
        window.until("its series", |window| {
            let shown = window.node(Role::TextInput, "Data folder").value();
            shown.as_ref() == Some(folder) && window.says("ODD 1h: 299 bars")
        });
    }
    window.press("Sort by Bars");
    let settings = window.harness.state().settings().to_text();
    drop(window);
    drop(goes);

    let mut window = Window::again(runs.path(), Settings::from_text(&settings).unwrap());
    window.until("the shortest first", |window| bars_in_view(window) == [200, 299]);
    window.press("Recent folders");
    let missing = format!("{gone} (missing)");
    window.until_says(&missing);
    assert!(!window.is_enabled(&missing) && window.is_enabled(&kept));
    window.press(&format!("Forget {gone}"));
    window.until("the folder is forgotten", |window| !window.says(&gone));
    window.press("Built-in market");
    window.until_says("SYN_A 1h: ");
    if window.harness.query_by_role_and_label(Role::Button, &kept).is_none() {
        window.press("Recent folders");
    }
    window.press(&kept);
    window.until_says("ODD 1h: 299 bars");
}

#[test]
fn a_folder_that_vanished_says_so_and_is_read_again_when_it_is_back() {
    let (runs, data) = (tempfile::tempdir().unwrap(), faulty());
    let folder = data.path().join("later");
    let mut window = Window::open(runs.path());
    window.set_text("Data folder", folder.to_str().unwrap());
    window.until_says("there is no such folder");
    std::fs::create_dir(&folder).unwrap();
    window.press("Try again");
    window.until_says("it is empty");
    std::fs::copy(data.path().join("ODD-1h.csv"), folder.join("ODD-1h.csv")).unwrap();
    window.press("Try again");
    window.until_says("ODD 1h: 299 bars");
    std::fs::remove_file(folder.join("ODD-1h.csv")).unwrap();
    window.click(Role::Label, "ODD");
    window.until_says("Read again");
}
