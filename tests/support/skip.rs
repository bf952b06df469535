//! One way for a test to step aside: it says why, and `make test` prints the count and the reasons.
//!
//! Unit tests and integration tests include this very file, each as a module named `skip`:
//! `#[path = "support/skip.rs"] mod skip;` in `tests/*.rs`. The macros are then `crate::skip!` and so on;
//! they return from the test that calls them, so that test must return `()`.

#![allow(dead_code, reason = "no test program uses every helper, so `expect` would fail in some")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Skips the calling test: `skip!("no CUDA device")`.
///
/// `skip!(data: "…")` is for tests that lack their market data: with `CI=true` it fails, because there
/// a missing data folder means that the tests check nothing.
#[macro_export]
macro_rules! skip {
    (data: $($reason:tt)+) => {{
        assert!(
            !$crate::skip::on_ci(),
            "a skipped data test is a failure on CI: {}\nNext step: let WALKFORGE_DATA name the data folder.",
            format!($($reason)+)
        );
        $crate::skip!($($reason)+)
    }};
    ($($reason:tt)+) => {{
        struct Here;
        let reason = format!($($reason)+);
        println!("SKIPPED: {reason}");
        $crate::skip::record(std::any::type_name::<Here>(), &reason);
        return;
    }};
}

/// The folder of real market data (`WALKFORGE_DATA`) as a `PathBuf`, or a skip.
/// With an argument, that file or folder inside it: `require_data!("crypto")`.
#[macro_export]
macro_rules! require_data {
    () => {
        $crate::require_data!("")
    };
    ($inside:expr) => {
        match $crate::skip::data($inside) {
            Ok(path) => path,
            Err(reason) => $crate::skip!(data: "{reason}"),
        }
    };
}

/// The Python interpreter that has `PyTorch` as a `PathBuf`, or a skip: for tests that read our exports from Python.
#[macro_export]
macro_rules! require_python {
    () => {
        match $crate::skip::python() {
            Ok(path) => path,
            Err(reason) => $crate::skip!("{reason}"),
        }
    };
}

pub fn on_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// The folder of real market data, when there is one.
pub fn data_dir() -> Option<PathBuf> {
    std::env::var_os("WALKFORGE_DATA").filter(|dir| !dir.is_empty()).map(PathBuf::from)
}

pub fn data(inside: &str) -> Result<PathBuf, String> {
    let dir = data_dir().ok_or("WALKFORGE_DATA does not name a folder of market data")?;
    // Joining "" would leave a trailing slash, which shows in messages.
    let path = if inside.is_empty() { dir } else { dir.join(inside) };
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} does not exist (from WALKFORGE_DATA)", path.display()))
    }
}

pub fn python() -> Result<PathBuf, String> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    if python.exists() {
        Ok(python)
    } else {
        Err(format!("no Python with PyTorch at {}", python.display()))
    }
}

/// Appends `test<TAB>reason` to the file that `WALKFORGE_SKIP_LOG` names; `scripts/test-report` reads it.
pub fn record(marker: &str, reason: &str) {
    let Some(log) = std::env::var_os("WALKFORGE_SKIP_LOG") else {
        return;
    };
    // The marker type stands inside the test function (and perhaps a closure): `krate::tests::name::Here`.
    let test = marker.trim_end_matches("::Here").replace("::{{closure}}", "");
    let line = format!("{test}\t{}\n", reason.replace(['\n', '\t'], " "));
    // One write in append mode: lines of tests that run at once do not mix.
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = written {
        panic!(
            "a skip must not get lost, but {} cannot be written: {error}",
            Path::new(&log).display()
        );
    }
}
