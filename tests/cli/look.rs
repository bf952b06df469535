//! Commands that only look: `plan`, `data inspect`, `features list`, `devices`.

use serde_json::json;
use walkforge::domain::Plan;

use crate::market::{Lines, csv, csv_with, write_feather};
use crate::program::{SMALL, Scratch, assert_snapshot};

#[test]
fn wrong_command_lines_are_refused() {
    let scratch = Scratch::new();
    for (arguments, expected) in [
        ("trian", "unrecognized subcommand 'trian'"),
        ("train --json extra", "unexpected argument 'extra'"),
        ("train --workers many", "invalid value 'many' for '--workers <N>'"),
        ("train --symbols BTC/USDT", "`BTC/USDT` cannot name a symbol"),
        ("train --timeframes 1x", "`1x` is no timeframe; expected a number and m, h, d or w"),
        ("train --device gpu", "`gpu` is no device; expected auto, cpu, cuda:N or mps"),
        ("export some-run", "--to <DIR>"),
    ] {
        let done = scratch.run(arguments).refuses(&[expected, "--help"]);
        assert!(!done.err.contains('\u{1b}'), "no colours in a pipe: {done}");
    }
    // Without a command of its own, `runs` shows which there are.
    let done = scratch.run("runs").exits(2);
    assert_eq!(done.out, "");
    done.says(&["Usage: walkforge runs <COMMAND>", "list", "show"]);
    assert_eq!(scratch.run_folders(), <[std::path::PathBuf; 0]>::default());
}

#[test]
fn a_window_that_was_asked_for_and_cannot_be_opened_is_an_error() {
    let scratch = Scratch::new();
    // Tests have no display.
    let _no_display = scratch
        .run("window --preset linear-return --set seed=3")
        .refuses(&["the window cannot be opened: ", "`walkforge train`"]);
    // What it would be opened on is looked at first.
    for (arguments, expected) in [
        ("window --preset lstm", "there is no preset `lstm`"),
        ("window --set training.max_epoch=2", "training has no field `max_epoch`"),
        ("window --workers 2", "unexpected argument '--workers'"),
    ] {
        let _error = scratch.run(arguments).refuses(&[expected]);
    }
    assert!(!scratch.path("runs").exists(), "nothing is made for a window that is not there");
}

#[test]
fn features_are_listed_and_found_by_words() {
    let scratch = Scratch::new();
    let all = scratch.run("features list").exits(0);
    for written in ["LogReturn(lag: 1)", "Macd(fast: 12, slow: 26, signal: 9)", "Alpha158"] {
        assert!(all.out.contains(written), "{all}");
    }
    let found = scratch.run("features list wilder index").exits(0).out;
    assert!(found.contains("Rsi(period: 14)") && !found.contains("LogReturn"), "{found}");
    let rsi = scratch.run("features list --json wilder relative strength").exits(0).one_json();
    assert_eq!(rsi["example"], "Rsi(period: 14)");
    assert_eq!(rsi["columns"], json!(["rsi_14"]));
    assert_eq!(rsi["parameters"][0]["least"], json!(2.0));
    let _error = scratch
        .run("features list nonsense")
        .refuses(&["no feature is called or described by `nonsense`", "`walkforge features list`"]);
}

#[test]
fn plan_shows_every_task_and_touches_nothing() {
    let scratch = Scratch::new();
    let arguments = "--device cpu --workers 2 --set validation.max_folds=2";
    let done = scratch.run(&format!("plan {arguments}")).exits(0);
    assert_snapshot("cli_plan", &[("stdout", &done.out), ("stderr", &done.err)], &[]);

    let shown = scratch.run(&format!("plan --json {arguments}")).exits(0);
    assert_eq!(shown.err, "");
    let value = shown.one_json();
    let plan: Plan = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&plan).unwrap(), value);
    let tasks: Vec<&str> = plan.tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(tasks, ["SYN_A-1h-fold00", "SYN_A-1h-fold01", "SYN_B-1h-fold00", "SYN_B-1h-fold01"]);
    assert!(!scratch.path("runs").exists(), "a plan creates no folder for runs");
}

#[test]
fn a_run_does_what_was_planned() {
    let scratch = Scratch::new();
    let arguments = format!("--json {SMALL} --workers 1 --symbols SYN_B");
    let planned = scratch.run(&format!("plan {arguments}")).exits(0).one_json();
    let trained = scratch.run(&format!("train {arguments}")).exits(0).json();
    assert_eq!(trained[0]["plan"], planned);
}

#[test]
fn what_cannot_be_planned_beside_what_can_is_a_warning() {
    let scratch = Scratch::new();
    scratch.write("data/LONG-1h.csv", csv(1000));
    scratch.write("data/SHORT-1h.csv", csv(300));
    let arguments = format!("plan --data data {SMALL}");
    let done = scratch.run(&arguments).exits(0);
    done.says(&["warning: left out: SHORT 1h", "needs 700 bars", "there are 300"]);
    assert!(!done.out.contains("SHORT-1h-fold"), "{done}");
    let json = scratch.run(&format!("{arguments} --json")).exits(0);
    assert_eq!(json.one_json()["warnings"].as_array().map(Vec::len), Some(1), "{json}");
}

/// A symbol, what is done to its file, and what must be said of it.
type Broken = (&'static str, fn(&mut Lines), &'static str);

#[test]
fn inspect_reports_sound_files_beside_broken_ones() {
    let scratch = Scratch::new();
    scratch.write("data/AAA-1h.csv", csv(300));
    write_feather(&scratch.path("data/BBB-1h.feather"), 200);
    // One bad row costs a line of the report, not the file.
    let spoilt: [Broken; 3] = [
        ("TEXT", |lines| lines[16][1] = "abc".to_owned(), "open is `abc`"),
        ("GAP", |lines| lines[16][5].clear(), "volume is empty"),
        ("CUT", |lines| lines[16].truncate(3), "3 fields under a header of 6"),
    ];
    let broken: [Broken; 2] = [
        ("NONE", |lines| lines.truncate(1), ": holds no bars, only a header"),
        (
            "MANY",
            |lines| (10..14).for_each(|line| lines[line][2] = "1".to_owned()),
            ":11: high 1 is below low",
        ),
    ];
    for (symbol, change, _) in spoilt.into_iter().chain(broken) {
        scratch.write(&format!("data/{symbol}-1h.csv"), csv_with(300, change));
    }
    let done = scratch.run("data inspect data --json").exits(2);
    let files = done.json();
    assert_eq!(files.len(), 7, "{done}");
    let file = |name: &str| {
        let path = format!("data/{name}");
        files.iter().find(|file| file["path"] == path.as_str()).expect("it is reported").clone()
    };
    for (name, symbol, format, bars) in
        [("AAA-1h.csv", "AAA", "csv", 300), ("BBB-1h.feather", "BBB", "feather", 200)]
    {
        let file = file(name);
        let found = (&file["symbol"], &file["format"], &file["bars"], file.get("error"));
        assert_eq!(found, (&json!(symbol), &json!(format), &json!(bars), None));
    }
    for (symbol, _, expected) in broken {
        let file = file(&format!("{symbol}-1h.csv"));
        let error = file["error"].as_str().unwrap();
        assert!(error.starts_with(&format!("data/{symbol}-1h.csv{expected}")), "{error}");
        assert_eq!(file.get("bars"), None);
    }
    for (symbol, _, expected) in spoilt {
        let file = file(&format!("{symbol}-1h.csv"));
        assert_eq!((&file["bars"], file.get("error")), (&json!(299), None));
        let finding = &file["report"]["findings"][0];
        assert_eq!((&finding["problem"], &finding["dropped"]), (&json!("unreadable"), &json!(1)));
        let example = &finding["examples"][0];
        assert_eq!(example["place"], json!({ "line": 17 }));
        assert!(example["what"].as_str().unwrap().starts_with(expected), "{example}");
    }
    let people = scratch.run("data inspect data").exits(2);
    assert_snapshot("cli_data_inspect", &[("stdout", &people.out), ("stderr", &people.err)], &[]);
    // One sound file is all well; one broken file is an error of its own.
    assert_eq!(scratch.run("data inspect data/AAA-1h.csv --json").exits(0).json().len(), 1);
    let one = scratch.run("data inspect data/TEXT-1h.csv").exits(0).out;
    for expected in
        ["found: 1 unreadable row (dropped)", "  line 17: open is `abc`", "found: 1 missing bar"]
    {
        assert!(one.contains(expected), "{one}");
    }
    let _error = scratch
        .run("data inspect data/MANY-1h.csv --json")
        .refuses(&["data/MANY-1h.csv:11: high 1 is below low", "4 of its 300 rows are like that"]);
}

#[test]
fn a_plan_tells_what_was_dropped_and_what_bars_were_made_from() {
    let scratch = Scratch::new();
    scratch.write("data/AAA-1h.csv", csv_with(3700, |lines| lines[16][1] = "abc".to_owned()));
    let plan = format!("plan {SMALL} --data data --timeframes 1h,4h");
    let people = scratch.run(&plan).exits(0);
    for expected in [
        "AAA 4h: made from its 1h bars",
        "AAA 1h: 1 unreadable row (dropped); `walkforge data inspect` shows where",
    ] {
        assert!(people.err.contains(expected), "{people}");
    }
    let plan: Plan =
        serde_json::from_value(scratch.run(&format!("{plan} --json")).one_json()).unwrap();
    let told: Vec<String> = plan
        .series
        .iter()
        .map(|series| {
            let made = series.made_from.map(|from| format!(" from {from}")).unwrap_or_default();
            let quality: Vec<String> = series.quality.iter().map(ToString::to_string).collect();
            format!("{} {}{made}: {}", series.timeframe, series.bars, quality.join(", "))
        })
        .collect();
    let quality = "1 unreadable row (dropped), 1 missing bar";
    assert_eq!(told, [format!("1h 3699: {quality}"), format!("4h 925 from 1h: {quality}")]);
}

#[test]
fn what_was_read_is_kept_and_can_be_removed() {
    let scratch = Scratch::new();
    for symbol in ["AAA", "BBB"] {
        scratch.write(&format!("data/{symbol}-1h.csv"), csv(300));
    }
    let first = scratch.run("data inspect data --json").exits(0).out;
    let size = || scratch.run("data cache --json").exits(0).one_json();
    let (entries, bytes) = (size()["entries"].clone(), size()["bytes"].as_u64().unwrap());
    assert_eq!(entries, json!(2));
    assert!(bytes > 2 * 300 * 48, "{bytes}");
    assert_eq!(scratch.run("data inspect data --json").exits(0).out, first);
    let people = scratch.run("data cache").exits(0).out;
    assert!(
        people.contains("cache: holds the bars of 2 files, ") && people.contains("at most 4.0 GiB"),
        "{people}"
    );
    let people = scratch.run("data cache clear").exits(0).out;
    assert!(people.contains("cache: cleared of the bars of 2 files"), "{people}");
    assert_eq!(size()["entries"], json!(0));
    assert_eq!(scratch.run("data inspect data --json").exits(0).out, first);
    let _error = scratch
        .run_after("export WALKFORGE_CACHE=off", "data cache")
        .refuses(&["there is no cache", "set WALKFORGE_CACHE to a folder"]);
}

#[test]
fn two_programs_may_read_into_one_cache_at_once() {
    let scratch = Scratch::new();
    for i in 0..40 {
        scratch.write(&format!("data/S{i:02}-1h.csv"), csv(200 + i));
    }
    let expected =
        scratch.run_after("export WALKFORGE_CACHE=off", "data inspect data --json").exits(0).out;
    let both = "for i in 1 2 3 4; do \"$0\" data inspect data --json > out$i & done; wait; true";
    let last = scratch.run_after(both, "data inspect data --json").exits(0).out;
    assert_eq!(last, expected);
    for i in 1..=4 {
        let out = std::fs::read_to_string(scratch.path(&format!("out{i}"))).unwrap();
        assert_eq!(out, expected, "program {i}");
    }
    assert_eq!(scratch.run("data cache --json").one_json()["entries"], json!(40));
}

#[test]
fn inspect_refuses_a_path_with_nothing_to_inspect() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("empty")).unwrap();
    scratch.write("notes.md", "hello");
    for (path, expected) in [
        ("empty", &["empty: holds no market file", "choose another folder"][..]),
        ("nowhere", &["nowhere: ", "check the path"]),
        ("notes.md", &["notes.md: its name ends in .md", "convert the file"]),
    ] {
        let _error = scratch.run(&format!("data inspect --json {path}")).refuses(expected);
    }
}

#[test]
fn devices_say_what_there_is_and_what_would_be_taken() {
    let scratch = Scratch::new();
    let found = scratch.run("devices --json").exits(0).one_json();
    assert!(found["cpu"]["cores"].as_u64().unwrap() > 0, "{found}");
    let cards = found["cuda"].as_array().unwrap();
    // A device that is missing has a reason, one that is there has none.
    assert_eq!(found["no_cuda_because"].is_string(), cards.is_empty(), "{found}");
    assert_ne!(found["mps"]["available"] == true, found["mps"]["reason"].is_string(), "{found}");

    let people = scratch.run("devices").exits(0);
    assert_eq!(people.err, "");
    let libtorch = found["libtorch"].as_str().unwrap();
    let choice = format!("libtorch {libtorch}; `--device auto` takes ");
    let chosen = people.out.lines().last().and_then(|line| line.strip_prefix(choice.as_str()));
    let planned = scratch.run(&format!("plan --json {SMALL} --set resources.device=auto"));
    let device = planned.exits(0).one_json()["device"].as_str().unwrap().to_owned();
    assert!(chosen.is_some_and(|chosen| chosen.starts_with(&device)), "{device}: {people}");
}
