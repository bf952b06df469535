//! The house rules that the compiler cannot hold: which room uses which, and what stays in one room.
//!
//! The lists here are the rules; `checker` reads the code, and `checker_tests` shows that it can fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "architecture/checker.rs"]
mod checker;
#[path = "architecture/checker_tests.rs"]
mod checker_tests;

use checker::{check, module_of, room_of, test_files};

/// The rooms in their order: a room may use those before it.
const ROOMS: &[&str] = &[
    "domain",
    "spec",
    "market",
    "features",
    "labels",
    "validation",
    "evaluation",
    "torch",
    "devices",
    "dataset",
    "models",
    "training",
    "runs",
    "export",
    "workbench",
    "ui",
    "cli",
];

/// The front ends stand side by side: neither uses the other.
const SIBLINGS: &[&str] = &["ui", "cli"];

/// Macros that stand at the crate root in tests (`tests/support/skip.rs`).
const ROOT_MACROS: &[&str] = &["skip", "require_data", "require_python"];

/// Crates that only some rooms know.
const CRATES: &[(&str, &[&str])] = &[
    ("tch", &["torch", "devices", "dataset", "models", "training", "runs", "export"]),
    ("torch_sys", &["torch"]),
    ("nvml_wrapper", &["devices"]),
    ("rusqlite", &["runs"]),
    ("prost", &["export"]),
    ("crc32c", &["export"]),
    ("eframe", &["ui", "main"]),
    ("egui", &["ui"]),
    ("egui_extras", &["ui"]),
    ("egui_plot", &["ui"]),
    ("egui_tiles", &["ui"]),
    ("rfd", &["ui"]),
    ("indicatif", &["cli"]),
    ("comfy_table", &["cli"]),
    ("anyhow", &["cli", "main"]),
];

const THREAD_ROOMS: &[&str] = &["devices", "runs", "workbench"];
const PRINT_ROOMS: &[&str] = &["cli", "main"];
const UNSAFE_ROOMS: &[&str] = &["torch"];

#[test]
fn rooms_use_only_rooms_above_them() {
    let files = source_files();
    let tests: BTreeMap<_, _> =
        files.iter().flat_map(|file| test_files(&file.path, &file.text)).collect();
    let findings: Vec<String> = files
        .iter()
        .flat_map(|file| match tests.get(&file.path) {
            Some(module) => check(&file.path, &file.text, module.clone(), true),
            None => check(&file.path, &file.text, module_of(&file.path), false),
        })
        .collect();
    assert!(findings.is_empty(), "the house rules are in ARCHITECTURE.md\n{}", findings.join("\n"));
}

#[test]
fn every_entry_of_src_is_a_known_room_that_says_what_it_is_for() {
    let mut findings = vec![];
    for file in source_files() {
        let inside = file.path.trim_start_matches("src/");
        if inside == "main.rs" || inside == "lib.rs" {
            continue;
        }
        let room = room_of(&file.path);
        if !ROOMS.contains(&room.as_str()) {
            findings.push(format!(
                "{}: `{room}` is not in the list of rooms in tests/architecture.rs",
                file.path
            ));
        }
        let is_head = inside == format!("{room}/mod.rs") || inside == format!("{room}.rs");
        if is_head && !file.text.starts_with("//!") {
            findings.push(format!(
                "{}:1: a room begins with a `//!` doc: what it is for and what it never knows",
                file.path
            ));
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn architecture_md_names_every_room() {
    let path = root().join("ARCHITECTURE.md");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let missing: Vec<_> = ROOMS
        .iter()
        .filter(|room| {
            !text.contains(&format!("`{room}`")) && !text.contains(&format!("`{room}/`"))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md does not name these rooms (as `room` or `room/`): {missing:?}"
    );
}

// --- files ---------------------------------------------------------------------------------------

struct SourceFile {
    /// Relative to the repository, with `/`.
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn source_files() -> Vec<SourceFile> {
    let mut files = vec![];
    collect(&root().join("src"), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 2, "src/ was not found under {}", root().display());
    files
}

fn collect(folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.expect("a folder that opened can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let inside = path.strip_prefix(root()).expect("it was found under the root");
            files.push(SourceFile { path: inside.to_string_lossy().replace('\\', "/"), text });
        }
    }
}
