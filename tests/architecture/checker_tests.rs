//! The checker on small snippets: a rule that no snippet can break would hold nothing.

use super::checker::{check, module_of, test_files};

/// file | code
const ALLOWED: &str = r#"
src/features/rsi.rs | use crate::market::Bars; use crate::{domain::Symbol, spec::{self, FeatureSpec as F}};
src/features/rsi.rs | use super::Feature; use super::super::market; fn f() { self::g(); self.x(); Self::y() }
src/features/mod.rs | use super::market::Bars; pub(crate) fn f() {} pub(in crate::features) struct S;
src/features/mod.rs | /** Like [`crate::ui`]. */ #[doc = "crate::ui"] fn f() { let s = "crate::ui"; /* crate::ui */ }
src/features/mod.rs | mod inner { use super::super::market::Bars; mod deeper { use super::super::super::spec; } }
src/features/mod.rs | #[cfg(test)] mod tests { use super::*; fn t() { x.unwrap(); println!(""); crate::skip!("no"); } }
src/features/mod.rs | #[cfg(test)] #[path = "mod_tests.rs"] mod tests;
src/features/mod.rs | #[test] fn t() { x.unwrap(); std::thread::spawn(f); }
src/features/mod.rs | fn f() { x.unwrap_or(1); thread::sleep(d); unwrap(); thread::current(); }
src/models/lstm.rs  | use tch::Tensor; fn f(x: crate::torch::Generator) {}
src/torch/ext.rs    | fn f() { unsafe { tch::x() } }
src/workbench/mod.rs| use std::thread::Builder; fn f() { std::thread::Builder::new(); }
src/cli/mod.rs      | use anyhow::Result; fn f() { println!(""); crate::workbench::go(); }
src/main.rs         | use walkforge::{cli, ui}; fn main() { eprintln!(""); }
src/lib.rs          | pub mod ui; #[cfg(test)] #[path = "../tests/support/skip.rs"] mod skip;
"#;

/// file | code | part of the one finding
const FORBIDDEN: &str = r#"
src/features/rsi.rs | use crate::training::Trainer; | src/features/rsi.rs:1: features → training
src/features/rsi.rs | use crate::{domain::Symbol, training::{self, Trainer as T}}; | features → training
src/features/rsi.rs | use {std::fs, crate::training::*}; | features → training
src/features/rsi.rs | use walkforge::training as t; | features → training
src/features/rsi.rs | use super::super::training; | features → training
src/features/rsi.rs | use super::{super::{market, training}}; | features → training
src/features/rsi.rs | fn f(x: &crate::training::Trainer) {} | features → training
src/features/rsi.rs | fn f() -> Vec<u8> { crate::training::go::<u8>() } | features → training
src/features/rsi.rs | fn f() { assert_eq!(1, crate::training::go()); } | features → training
src/features/rsi.rs | macro_rules! m { () => { $crate::training::go() } } | features → training
src/features/rsi.rs | #[serde(default = "crate::training::go")] struct S; | features → training
src/features/rsi.rs | #[cfg(test)] mod tests { use crate::training::Trainer; } | features → training
src/features/rsi.rs | mod inner { use super::super::super::training; } | features → training
src/features/rsi.rs | pub(crate) use crate::training; | features → training
src/ui/app.rs       | use crate::cli; | ui → cli: the front ends are siblings
src/cli/mod.rs      | use crate::ui; | cli → ui: the front ends are siblings
src/spec/mod.rs     | use crate::Engine; | spec → crate::Engine, which is not a room
src/spec/mod.rs     | use crate as root; | the crate root is imported
src/spec/mod.rs     | use super::*; | the crate root is imported
src/spec/mod.rs     | use crate::{self as root}; | the crate root is imported
src/spec/mod.rs     | #[path = "../ui/x.rs"] mod x; | #[path]
src/spec/mod.rs     | fn f() { unsafe { g() } } | `unsafe` stands only
src/spec/mod.rs     | unsafe impl Send for S {} | `unsafe` stands only
src/workbench/mod.rs| fn f(t: &tch::Tensor) {} | `tch` is used in workbench
src/workbench/mod.rs| use tch; | `tch` is used in workbench
src/cli/mod.rs      | use egui_plot::Line; | `egui_plot` is used in cli
src/training/mod.rs | fn f() { std::thread::spawn(g); } | a thread is started in training
src/training/mod.rs | use std::thread::{Builder, sleep}; | a thread is started in training
src/training/mod.rs | fn f() { println!(""); } | `println!` in training
src/training/mod.rs | #[cfg(test)] use x; fn f() { y.unwrap(); } | `.unwrap()` outside tests
src/training/mod.rs | #[cfg(not(test))] fn f() { y.unwrap(); } | `.unwrap()` outside tests
src/training/mod.rs | #[test] fn t() {} fn f() { y.unwrap(); } | `.unwrap()` outside tests
"#;

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.trim().lines().map(|line| line.split('|').map(str::trim).collect())
}

fn findings(path: &str, code: &str) -> Vec<String> {
    check(path, code, module_of(path), false)
}

#[test]
fn what_the_rules_allow_passes() {
    for row in rows(ALLOWED) {
        assert_eq!(findings(row[0], row[1]), Vec::<String>::new(), "{}", row[1]);
    }
}

#[test]
fn what_the_rules_forbid_is_found_once() {
    for row in rows(FORBIDDEN) {
        let found = findings(row[0], row[1]);
        assert!(found.len() == 1 && found[0].contains(row[2]), "{row:?}\nfound: {found:?}");
    }
}

#[test]
fn a_finding_names_its_line() {
    let code = "//! Docs.\n\nuse std::fs;\nuse crate::{\n    domain::Symbol,\n    cli::Args,\n};\n";
    let expected =
        "src/spec/mod.rs:6: spec → cli: a room uses only rooms above it, and cli is below spec";
    assert_eq!(findings("src/spec/mod.rs", code), [expected]);
}

#[test]
fn a_test_file_may_do_what_tests_may_but_keeps_the_order() {
    let code = "mod a; #[cfg(test)] mod golden; #[path = \"b_tests.rs\"] #[cfg(test)] mod tests; #[cfg(test)] mod inline {} mod c;";
    let declared = |path| {
        test_files(path, code)
            .into_iter()
            .map(|(file, module)| (file, module.join("::")))
            .collect::<Vec<_>>()
    };
    let pair = |file: &str, module: &str| (file.to_owned(), module.to_owned());
    assert_eq!(
        declared("src/market/mod.rs"),
        [
            pair("src/market/golden.rs", "market::golden"),
            pair("src/market/b_tests.rs", "market::tests")
        ]
    );
    assert_eq!(
        declared("src/market/b.rs"),
        [
            pair("src/market/b/golden.rs", "market::b::golden"),
            pair("src/market/b_tests.rs", "market::b::tests")
        ]
    );

    let in_tests = |code| {
        check(
            "src/market/b_tests.rs",
            code,
            vec!["market".into(), "b".into(), "tests".into()],
            true,
        )
    };
    assert_eq!(in_tests("use super::super::a; fn t() { x.unwrap(); }"), Vec::<String>::new());
    assert_eq!(in_tests("use super::super::super::cli;").len(), 1);
}
