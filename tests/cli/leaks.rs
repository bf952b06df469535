//! `walkforge data check-leaks`.

use serde_json::Value;

use crate::program::Scratch;

const SMALL: &str = "--preset linear-return --set resources.device=cpu --set data.source.bars=1500 \
    --set validation.train=500 --set validation.validation=100 --set validation.test=100 \
    --set training.max_epochs=2";

#[test]
fn a_clean_experiment_is_said_to_be_clean_and_why_that_can_be_believed() {
    let scratch = Scratch::new();
    let done = scratch.run(&format!("data check-leaks {SMALL}")).exits(0);
    for expected in [
        "Leak check of linear-return",
        "Features: ",
        "Label: 1 of 1 clean",
        "Folds: ",
        "Fitted on train rows: ",
        "Honest folds against shuffled 5-fold: rank IC over each symbol's test rows, averaged",
        "No leak was found.",
    ] {
        assert!(done.out.contains(expected), "{expected}: {done}");
    }
    assert!(!done.out.contains("LEAK"), "{done}");
    assert!(done.err.contains("training"), "the stages are told: {done}");
    assert!(scratch.run_folders().is_empty(), "a check leaves no run behind");
}

#[test]
fn as_json_the_report_is_one_object() {
    let scratch = Scratch::new();
    let done = scratch.run(&format!("data check-leaks --json --skip-contrast {SMALL}")).exits(0);
    let report: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(report["experiment"], "linear-return");
    assert_eq!(report["contrast"], Value::Null);
    let checks = report["checks"].as_array().unwrap();
    for subject in ["feature", "label", "fold", "fit"] {
        let of_subject = checks.iter().filter(|check| check["subject"] == subject);
        assert!(of_subject.clone().count() > 0, "{subject}");
        assert!(of_subject.clone().all(|check| check["culprit"].is_null()), "{subject}");
    }
}

#[test]
fn what_cannot_be_planned_cannot_be_checked() {
    let scratch = Scratch::new();
    let done = scratch.run("data check-leaks --set validation.train=1000000").exits(2);
    done.says(&["error: SYN_A 1h: a fold needs 1001000 bars", "or give more data"]);
}
