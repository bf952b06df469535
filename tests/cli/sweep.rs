//! Sweeps: planned as a table, trained as runs, compared side by side; and runs compared by name.

use serde_json::{Value, json};

use crate::program::{SMALL, Scratch, assert_snapshot};

const SWEEP: &str = "--sweep training.learning_rate=0.01,0.001,0.0001 --sweep model.hidden=[[8],[16,16]] --seeds 1,2";

const FILTERS: &[(&str, &str)] = &[
    (r"\d{8}-\d{6}-mlp-return-[0-9a-f]{4}", "[name]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "[minute]"),
    // What was learnt depends on the processor, and so does the width of the columns.
    (r" {2,}", "  "),
    (r" [-—\d][\d.—-]*( %)?( ± \d[\d.]*( %)?)?( |\n)", " #$4"),
    (r" [-—\d][\d.—-]*( %)?( ± \d[\d.]*( %)?)?( |\n)", " #$4"),
];

#[test]
fn a_sweep_is_planned_as_a_table() {
    let scratch = Scratch::new();
    let done = scratch.run(&format!("plan {SMALL} --workers 2 {SWEEP}")).exits(0);
    assert_eq!(done.err, "");
    assert_snapshot("cli_plan_sweep", &[("stdout", &done.out)], &[]);
    let variants = scratch.run(&format!("plan --json {SMALL} {SWEEP}")).exits(0).json();
    assert_eq!(variants.len(), 12);
    assert_eq!(variants[1]["variant"], 1);
    assert_eq!(variants[1]["settings"][2], json!({ "path": "seed", "value": "2" }));
    assert_eq!(variants[1]["plan"]["tasks"].as_array().unwrap().len(), 4);
    assert!(!scratch.path("runs").exists(), "a plan creates no folder for runs");
}

#[test]
fn a_sweep_of_twelve_trains_and_is_compared_in_one_table() {
    let scratch = Scratch::new();
    let done = scratch.run(&format!("train {SMALL} --workers 2 {SWEEP}")).exits(0);
    done.says(&[
        "Run 1 of 12: training.learning_rate=0.01 model.hidden=[8] seed=1",
        "Run 12 of 12: training.learning_rate=0.0001 model.hidden=[16,16] seed=2",
        "Next: walkforge runs compare --sweep ",
    ]);
    assert_eq!(scratch.run_folders().len(), 12);
    assert!(!done.out.contains("Out of sample, test sections stitched"), "one table: {done}");

    let entries = scratch.run("runs list --json").exits(0).json();
    let sweep = entries[0]["sweep"]["sweep"].as_str().unwrap();
    let compared = scratch.run(&format!("runs compare --sweep {sweep}")).exits(0);
    assert_eq!(compared.out, done.out);
    let lines: Vec<&str> = compared.out.lines().collect();
    assert!(lines[1].starts_with("run ") && lines[1].contains("model.hidden"), "{}", lines[1]);
    let rows = lines[2..14].iter().filter(|line| line.contains("-mlp-return-")).count();
    assert_eq!(rows, 12, "{compared}");
    assert_eq!(lines[15], "Over the seeds, mean ± standard deviation:");
    assert_eq!(lines.len(), 17 + 6, "six groups of two seeds: {compared}");

    let value = scratch.run(&format!("runs compare --sweep {sweep} --json")).exits(0).one_json();
    let paths: Vec<&str> =
        value["settings"].as_array().unwrap().iter().map(|s| s["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["model.hidden", "training.learning_rate", "seed"]);
    assert_eq!(value["seed_groups"].as_array().unwrap().len(), 6);
    // In the order of the variants, whichever ended first.
    let seeds: Vec<&Value> = value["settings"][2]["values"].as_array().unwrap().iter().collect();
    assert_eq!(seeds[..4], ["1", "2", "1", "2"]);

    let csv = scratch.run(&format!("runs compare --sweep {sweep} --csv")).exits(0).out;
    let csv: Vec<&str> = csv.lines().collect();
    assert_eq!(csv.len(), 13);
    assert!(csv[0].starts_with("run,experiment,model.hidden,training.learning_rate,seed,IC,"));
    assert!(csv[3].contains(",\"[16,16]\",0.01,1,"), "{}", csv[3]);

    let of_sweep = scratch.run(&format!("runs list --sweep {sweep} --json --limit 5")).exits(0);
    assert_eq!(of_sweep.json().len(), 5);
    let one = entries[3]["id"].as_str().unwrap();
    let shown = scratch.run(&format!("runs show {one}")).exits(0);
    assert!(shown.out.contains(&format!("Sweep: {sweep}, variant ")), "{shown}");
    // Once more, everything is there already.
    let again = scratch.run(&format!("train --json {SMALL} {SWEEP}")).exits(0);
    assert!(!again.out.contains("\"kind\":\"started\""), "nothing is trained twice");
    let plan = scratch.run(&format!("plan {SMALL} {SWEEP}")).exits(0).out;
    assert!(
        plan.contains("Total: 12 runs, 48 tasks, all of them reused from earlier runs"),
        "{plan}"
    );
    let anew = scratch.run(&format!("plan {SMALL} {SWEEP} --no-reuse")).exits(0).out;
    assert!(anew.contains("Total: 12 runs, 48 tasks; about "), "{anew}");
    assert!(anew.contains("; at most about "), "its time is known by now: {anew}");
}

#[test]
fn lists_go_through_their_values_together() {
    let scratch = Scratch::new();
    let list = "--sweep window=4,8 --sweep label.horizon=1,2 --zip";
    let done = scratch.run(&format!("train {SMALL} {list} --set validation.max_folds=1")).exits(0);
    done.says(&["Run 2 of 2: window=8 label.horizon=2"]);
    assert_snapshot("cli_compare", &[("stdout", &done.out)], FILTERS);
}

#[test]
fn sweeps_that_cannot_be_are_refused_before_anything_is_trained() {
    let scratch = Scratch::new();
    for (arguments, expected) in [
        ("--sweep window=4,0", "(in the variant window=0)"),
        ("--sweep windw=4", "has no field `windw`"),
        ("--sweep window=4,8 --sweep label.horizon=1 --zip", "equally many values"),
        ("--seeds 1,1", "a seed is there twice"),
        ("--seeds one", "invalid value 'one' for '--seeds <1,2>'"),
        ("--sweep window", "expected path=value,value"),
        ("--zip", "--sweep <PATH=V1,V2>"),
    ] {
        let _error = scratch.run(&format!("train {SMALL} {arguments}")).refuses(&[expected]);
    }
    assert!(!scratch.path("runs").exists());
}

#[test]
fn the_exit_code_of_a_sweep_is_that_of_its_worst_run() {
    let scratch = Scratch::new();
    let diverging = "--sweep training.learning_rate=0.001,1e30 --set validation.max_folds=1";
    let done = scratch.run(&format!("train {SMALL} {diverging}")).exits(1);
    done.says(&["error: run 2, SYN_A-1h-fold00: training diverged"]);
    assert!(done.out.lines().nth(3).unwrap().contains('—'), "no figures: {done}");
}

#[test]
fn runs_are_compared_by_name() {
    let scratch = Scratch::new();
    for (name, set) in [("first", "window=4"), ("second", "model=Linear")] {
        let one = format!("{SMALL} --set validation.max_folds=1 --set name={name} --set {set}");
        let _done = scratch.run(&format!("train --json {one}")).exits(0);
    }
    let ids: Vec<String> = scratch
        .run_folders()
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let [first, second] = ids.as_slice() else { panic!("{ids:?}") };
    let compared = scratch.run(&format!("runs compare {first} {second}")).exits(0);
    let header = compared.out.lines().nth(1).unwrap();
    assert!(header.contains("experiment") && header.contains("model "), "{compared}");
    assert!(compared.out.contains("Mlp") && compared.out.contains("Linear"), "{compared}");
    assert!(!compared.out.contains("Over the seeds"), "{compared}");
    for (arguments, expected) in [
        ("runs compare nothing".to_owned(), "there is no run `nothing`"),
        ("runs compare".to_owned(), "walkforge runs compare [OPTIONS] --sweep <ID>"),
        ("runs compare --sweep nothing".to_owned(), "there is no run of sweep `nothing`"),
        (format!("runs compare {first} --sweep x"), "cannot be used with"),
        (format!("runs compare {first} --runs nowhere"), "in nowhere"),
    ] {
        let _error = scratch.run(&arguments).refuses(&[expected]);
    }
}
