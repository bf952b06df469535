//! Named models: registered, promoted, shown with their lineage, used to predict.

use serde_json::Value;

use crate::market::csv;
use crate::program::{Scratch, assert_snapshot};

/// A run of two folds on a folder of market files, and its name.
fn trained(scratch: &Scratch, more: &str) -> String {
    scratch.write("data/AAA-1h.csv", csv(900));
    let small = "--device cpu --data data --set validation.train=500 --set validation.validation=100 \
        --set validation.test=100 --set training.max_epochs=2";
    let done = scratch.run(&format!("train --json {small} {more}")).exits(0);
    done.json()[0]["run"].as_str().expect("events name the run").to_owned()
}

#[test]
fn a_model_is_named_promoted_shown_and_removed() {
    let scratch = Scratch::new();
    assert_eq!(
        scratch.run("models list").exits(0).out,
        "There are no named models in runs; `walkforge models register NAME --run RUN` names one.\n"
    );
    let run = trained(&scratch, "");
    let several = format!("run {run} has 3 finished models: AAA-1h-fold00, ");
    let _error = scratch
        .run(&format!("models register gold --run {run}"))
        .refuses(&[&several, "say which with --task"]);
    for (fold, version) in [("00", "gold@1"), ("01", "gold@2")] {
        let register = format!("models register gold --run {run} --task AAA-1h-fold{fold}");
        let done = scratch.run(&register).exits(0);
        assert_eq!(done.out, format!("{version} is AAA-1h-fold{fold} of run {run}\n"));
        done.says(&[&format!("Next: walkforge models promote {version}")]);
    }
    let _which = scratch.run("models promote gold").refuses(&["gold@1, gold@2", "say which"]);
    assert_eq!(scratch.run("models promote gold@1").out, "gold@1 is champion (was candidate)\n");
    assert_eq!(
        scratch.run("models promote gold@2").out,
        "gold@2 is champion (was candidate); gold@1 is archived\n"
    );
    let promoted = scratch.run("models promote gold@1 --to candidate").exits(0).out;
    assert_eq!(promoted, "gold@1 is candidate (was archived)\n");
    let _done = scratch.run("models annotate gold@1 --tags live,btc --notes first").exits(0);
    let _done = scratch.run("models tag gold@1 --notes second").exits(0);

    let listed = scratch.run("models list --json").exits(0).json();
    let told: Vec<(&Value, &Value)> =
        listed.iter().map(|model| (&model["stage"], &model["notes"])).collect();
    assert_eq!(told, [(&"candidate".into(), &"second".into()), (&"champion".into(), &"".into())]);
    assert_eq!(listed[0]["tags"], serde_json::json!(["live", "btc"]), "tags stay");
    assert_eq!(scratch.run("models list --json --stage champion").exits(0).json().len(), 1);
    assert_eq!(scratch.run("models list --json --filter fold00").exits(0).json().len(), 1);
    assert!(scratch.run("models list --filter nothing").exits(0).out.starts_with("No model fits"));

    let list = scratch.run("models list").exits(0);
    let show = scratch.run("models show gold@1").exits(0);
    assert_snapshot(
        "cli_models",
        &[("list", &list.out), ("show", &show.out)],
        &[
            (r"\d{8}-\d{6}-mlp-return-[0-9a-f]{4}", "[run]"),
            (r"(registered) \d{4}-\d\d-\d\d \d\d:\d\d", "$1 [minute]"),
            (r"(candidate|champion) +\d{4}-\d\d-\d\d \d\d:\d\d", "$1  [minute]"),
            (r"(fold0\d) +[-\d.—]+ +[-\d.—]+", "$1  [figures]"),
            (r"(gold@\d(?: \(champion\))? +\d+) .*", "$1  [figures]"),
            (r" {2,}", "  "),
        ],
    );
    let shown = scratch.run("models show gold@1 --json").exits(0).one_json();
    assert_eq!(shown["champion"]["model"], "gold@2");
    assert_eq!(shown["lineage"]["task"]["id"], "AAA-1h-fold00");
    assert_eq!(shown["lineage"]["data"][0]["symbol"], "AAA");
    // A name alone is the champion.
    assert_eq!(scratch.run("models show gold --json").exits(0).one_json()["version"], 2);

    scratch
        .run(&format!("runs delete {run} --yes"))
        .exits(2)
        .says(&["model `gold@1` comes from it", "walkforge models remove gold@1"]);
    let _asks = scratch.run("models remove gold@1").refuses(&["--yes"]);
    assert_eq!(scratch.run("models remove gold@1 --yes").exits(0).out, "gold@1 removed\n");
    assert_eq!(
        scratch.run("models archive gold").exits(0).out,
        "gold@2 is archived (was champion)\n"
    );
    let _gone = scratch.run("models show gold@1").refuses(&["there is no model `gold@1` in runs"]);
}

#[test]
fn models_that_cannot_be_named_or_found() {
    let scratch = Scratch::new();
    for (arguments, expected) in [
        ("models register x --run nothing", "there is no run `nothing`"),
        ("models show nothing", "there is no model `nothing` in runs"),
        ("models promote nothing@1", "there is no model `nothing@1` in runs"),
        (
            "models promote x@1 --to best",
            "`best` is no stage; expected candidate, champion or archived",
        ),
        ("models annotate x@1", "--tags"),
        ("models list --runs file/x --stage none", "`none` is no stage"),
    ] {
        let _error = scratch.run(arguments).refuses(&[expected]);
    }
    assert!(!scratch.path("runs").exists(), "looking creates nothing");
}

#[test]
fn a_named_model_and_its_bundle_predict_the_same() {
    let scratch = Scratch::new();
    let run = trained(&scratch, "--set validation.max_folds=1");
    let _done = scratch.run(&format!("models register gold --run {run}")).exits(0);
    let _done = scratch.run(&format!("runs export {run} --to out")).exits(0);
    let predict = |model: &str, out: &str| {
        let done = scratch.run(&format!("predict {model} --data data --out {out}")).exits(0);
        assert!(done.out.starts_with(&format!("{out}: ")) && done.out.ends_with(" predictions\n"));
        std::fs::read(scratch.path(out)).unwrap()
    };
    let named = predict("gold", "named.csv");
    assert_eq!(predict("gold@1", "again.csv"), named);
    assert_eq!(predict("out/AAA-1h-fold00", "bundle.csv"), named);
    assert_eq!(predict("out/AAA-1h-fold00/model.pt", "file.csv"), named);
    let lines = String::from_utf8(named).unwrap().lines().count();
    assert!(lines > 800, "{lines}");

    let shown = scratch.run("models predict gold --data data").exits(0);
    assert_eq!(shown.out.lines().count(), 6, "the last five: {shown}");
    shown.says(&["--out FILE writes all of them"]);
    for (arguments, expected) in [
        ("predict gold --data nowhere", &["nowhere: there is no such folder"][..]),
        (
            "predict silver --data data",
            &["`silver` is neither the folder", "walkforge models list"],
        ),
        ("predict silver --data data --runs it's", &[r#"`walkforge models list --runs "it's"`"#]),
        ("predict out --data data", &["out"]),
        ("predict data/AAA-1h.csv --data data", &["is neither the folder"]),
        ("predict gold --data data --out x.xlsx", &[".parquet or .csv"]),
        ("predict gold --data data --symbols NONE", &["NONE"]),
    ] {
        let _error = scratch.run(arguments).refuses(expected);
    }
}

#[test]
fn a_name_means_no_archived_version_while_there_is_another() {
    let scratch = Scratch::new();
    let run = trained(&scratch, "--set validation.max_folds=1");
    for _ in 0..2 {
        let _done = scratch.run(&format!("models register gold --run {run}")).exits(0);
    }
    let meant = || scratch.run("models show gold --json").exits(0).one_json()["version"].clone();
    assert_eq!(meant(), 2);
    let _done = scratch.run("models archive gold@2").exits(0);
    assert_eq!(meant(), 1);
    let used = scratch.run("predict gold --data data").exits(0);
    assert!(!used.err.contains("archived"), "{used}");
    let _done = scratch.run("models archive gold@1").exits(0);
    assert_eq!(meant(), 2);
    scratch.run("predict gold --data data").exits(0).says(&["warning: gold@2 is archived"]);
}

#[test]
fn features_and_predictions_tell_what_they_passed_over() {
    let scratch = Scratch::new();
    let run = trained(&scratch, "--set validation.max_folds=1");
    let _done = scratch.run(&format!("models register gold --run {run}")).exits(0);
    scratch.write("data/odd name.csv", "not,bars\n");
    scratch.write("data/BBB-1h.csv", csv(300));
    let told = ["passed over: data/odd name.csv"];
    scratch.run("features --data data --out f.csv").exits(0).says(&told);
    scratch.run("predict gold --data data").exits(0).says(&told);
    scratch
        .run("predict gold --data data --symbols BBB")
        .exits(0)
        .says(&["warning: the model was not trained on BBB, only on AAA at 1h"]);
}

#[test]
fn features_are_written_as_the_issue_asks() {
    let scratch = Scratch::new();
    scratch.write("data/AAA-1h.csv", csv(300));
    let done = scratch.run("features --preset mlp-return --data data --out f.csv").exits(0);
    assert_eq!(done.out.replace('\u{202f}', " "), "f.csv: 300 rows\n");
    let text = std::fs::read_to_string(scratch.path("f.csv")).unwrap();
    assert!(text.starts_with("time,symbol,timeframe,bar,log_return_1,"), "{}", &text[..80]);
    assert_eq!(text.lines().count(), 301);
    let _done = scratch.run("features --preset mlp-return --data data --out f.parquet").exits(0);
    assert!(std::fs::read(scratch.path("f.parquet")).unwrap().starts_with(b"PAR1"));
    for (arguments, expected) in [
        ("features", "give --out FILE.parquet or FILE.csv"),
        ("features --out f.txt --data data", ".parquet or .csv"),
        ("features --out f.csv --data nowhere", "there is no such folder"),
        ("features --out no/such/f.csv --data data", "no/such"),
        ("features --out f.csv list", "cannot be used with"),
    ] {
        let _error = scratch.run(arguments).refuses(&[expected]);
    }
}
