//! `train`: the stream of events, the summary, and what stays on disk.

use std::collections::BTreeMap;

use serde_json::Value;
use walkforge::domain::{Event, EventKind, RunId, RunOutcome, RunSummary, Score, TaskReport};
use walkforge::runs::RunIndex;

use crate::program::{Done, SMALL, Scratch, assert_snapshot};
use crate::require_data;

/// Every line of stdout as an event; a line with a field that events lack is none.
#[track_caller]
fn events(done: &Done) -> Vec<Event> {
    let parse = |line: Value| {
        let event: Event = serde_json::from_value(line.clone()).expect("it is an event");
        assert_eq!(serde_json::to_value(&event).expect("events serialise"), line);
        event
    };
    done.json().into_iter().map(parse).collect()
}

/// What is told of a task, without measurements: repeated epochs count once.
fn story(events: &[Event], task: &str) -> Vec<String> {
    let mut story: Vec<String> = events
        .iter()
        .filter(|event| event.task.as_ref().is_some_and(|id| id.as_str() == task))
        .map(|event| match serde_json::to_value(&event.kind).expect("events serialise") {
            Value::Object(fields) => match (&fields["kind"], fields.get("stage")) {
                (Value::String(_), Some(Value::String(stage))) => format!("stage {stage}"),
                (Value::String(kind), _) => kind.clone(),
                other => panic!("no kind: {other:?}"),
            },
            other => panic!("no object: {other}"),
        })
        .filter(|kind| kind != "progress")
        .collect();
    story.dedup();
    story
}

/// Checks the whole stream of a run in which every task finished, and returns its summary.
#[track_caller]
fn check_finished_run(done: &Done) -> RunSummary {
    let events = events(done);
    let [first, .., last] = events.as_slice() else { panic!("{done}") };
    let EventKind::Planned { plan } = &first.kind else { panic!("{first:?}") };
    let EventKind::RunEnded { outcome, summary } = &last.kind else { panic!("{last:?}") };
    assert_eq!((first.seq, *outcome), (0, RunOutcome::Finished));
    assert!(events.iter().all(|event| event.run == first.run));
    assert!(events.is_sorted_by(|a, b| a.seq < b.seq && a.at <= b.at), "{done}");

    let of_the_run = events.iter().filter(|event| event.task.is_none()).count();
    assert_eq!(of_the_run, 2, "only the first and the last event concern no task: {done}");
    assert!(!plan.tasks.is_empty());
    for task in &plan.tasks {
        assert_eq!(
            story(&events, task.id.as_str()),
            [
                "queued",
                "started",
                "stage dataset",
                "stage training",
                "epoch",
                "stage evaluation",
                "stage saving",
                "finished"
            ],
            "{}",
            task.id
        );
        let own = || events.iter().filter(|event| event.task.as_ref() == Some(&task.id));
        let epochs: Vec<u32> = own()
            .filter_map(|event| match &event.kind {
                EventKind::Epoch(record) => Some(record.epoch),
                _ => None,
            })
            .collect();
        let report = own().find_map(report_of).expect("its story ends so");
        assert_eq!(epochs, (1..=report.epochs).collect::<Vec<_>>());
        assert_eq!(report.model.rows, report.rows.test);
    }
    assert!(!summary.series.is_empty());
    for series in &summary.series {
        assert_baselines(&series.model, &series.baselines);
    }
    *summary.clone()
}

fn report_of(event: &Event) -> Option<TaskReport> {
    match &event.kind {
        EventKind::Finished { report } => Some(*report.clone()),
        _ => None,
    }
}

/// The model's score is whole and stands beside every baseline's on the same rows.
#[track_caller]
fn assert_baselines(model: &Score, baselines: &[walkforge::domain::BaselineScore]) {
    let names: Vec<&str> = baselines.iter().map(|baseline| baseline.name.as_str()).collect();
    assert_eq!(names, ["always_long", "last_return", "ridge"]);
    assert!(model.rows > 0);
    let whole = |score: &Score| {
        let metrics =
            [score.hit_rate, score.total_return, score.sharpe, score.max_drawdown, score.turnover];
        score.rows == model.rows && metrics.into_iter().all(|metric| metric.is_some())
    };
    assert!(whole(model) && model.ic_ts.is_some() && model.rank_ic_ts.is_some(), "{model:?}");
    for baseline in baselines {
        assert!(whole(&baseline.score), "{baseline:?}");
        // A constant prediction has no correlation: unknown, not 0.
        assert_eq!(baseline.score.ic_ts.is_some(), baseline.name != "always_long", "{baseline:?}");
    }
}

#[test]
fn every_line_of_json_is_an_event_and_tells_a_whole_story() {
    let scratch = Scratch::new();
    for preset in ["linear-return", "mlp-return", "lstm-direction"] {
        let done =
            scratch.run(&format!("train --json --preset {preset} {SMALL} --workers 2")).exits(0);
        assert_eq!(done.err, "", "{done}");
        let summary = check_finished_run(&done);
        let series: Vec<_> = summary.series.iter().map(|s| (s.symbol.as_str(), s.folds)).collect();
        assert_eq!(series, [("SYN_A", 2), ("SYN_B", 2)], "{preset}");
    }
}

#[test]
fn what_is_told_is_on_disk() {
    let scratch = Scratch::new();
    let done = scratch.run(&format!("train --json {SMALL}")).exits(0);
    let run = scratch.only_run();
    let index = RunIndex::open(&scratch.path("runs")).unwrap();
    let curves = index.curves(&RunId::new(run.file_name().unwrap().to_str().unwrap())).unwrap();
    let epochs = events(&done).into_iter().filter_map(|event| match event.kind {
        EventKind::Epoch(record) => Some((event.task?, record)),
        _ => None,
    });
    for (task, record) in epochs {
        assert!(curves[&task].contains(&record), "told but not kept: {task}, {record:?}");
    }
    for task in ["SYN_A-1h-fold00", "SYN_A-1h-fold01", "SYN_B-1h-fold00", "SYN_B-1h-fold01"] {
        for file in
            ["weights.safetensors", "history.parquet", "predictions.parquet", "metadata.json"]
        {
            assert!(run.join("tasks").join(task).join(file).is_file(), "{task}/{file}");
        }
    }
    for file in ["spec.ron", "manifest.json", "outcome.json"] {
        assert!(run.join(file).is_file(), "{file}");
    }
    // The stored specification is a preset: the same run comes of it, and all of it is there already.
    let again = scratch.run(&format!("plan --json --preset {}/spec.ron", run.display())).exits(0);
    let mut again = again.one_json();
    for task in again["tasks"].as_array_mut().unwrap() {
        let task = task.as_object_mut().unwrap();
        assert_eq!(task.remove("reuse").unwrap()["task"], task["id"]);
        assert!(task.remove("expected_ms").is_some_and(|time| time.as_u64() > Some(0)));
    }
    assert_eq!(again, done.json()[0]["plan"]);
}

#[test]
fn real_crypto_data_trains() {
    let folder = require_data!("crypto");
    real_data(
        &folder,
        "--symbols BTC_USDT,ETH_USDT --timeframes 1h",
        &[("BTC_USDT", "1h", 4), ("ETH_USDT", "1h", 4)],
    );
}

#[test]
fn real_gold_data_trains() {
    let folder = require_data!("fx");
    real_data(&folder, "--symbols XAUUSD --timeframes 4h", &[("XAUUSD", "4h", 21)]);
}

#[track_caller]
fn real_data(folder: &std::path::Path, selection: &str, expected: &[(&str, &str, u32)]) {
    let scratch = Scratch::new();
    let done = scratch
        .run(&format!(
            "train --json --preset lstm-direction --data {} {selection} --device cpu \
             --set training.max_epochs=1",
            folder.display()
        ))
        .exits(0);
    let summary = check_finished_run(&done);
    let series: BTreeMap<_, _> = summary
        .series
        .iter()
        .map(|series| ((series.symbol.as_str(), series.timeframe.to_string()), series.folds))
        .collect();
    // Every fold that fits: (bars - train - validation - test) / test + 1, none left out.
    let expected: BTreeMap<_, _> = expected
        .iter()
        .map(|&(symbol, timeframe, folds)| ((symbol, timeframe.to_owned()), folds))
        .collect();
    assert_eq!(series, expected);
    let planned = done.out.lines().next().unwrap_or_default();
    assert!(
        planned.contains(r#""kind":"planned""#) && planned.contains(r#""warnings":[]"#),
        "{planned}"
    );
}

#[test]
fn people_get_notes_and_a_table_and_quiet_keeps_the_table_only() {
    let scratch = Scratch::new();
    let arguments = "train --symbols SYN_A --set validation.max_folds=2 --set training.max_epochs=1 --device cpu --workers 1";
    let done = scratch.run(arguments).exits(0);
    // What the model learnt depends on the processor; the baselines and the shape do not.
    assert_snapshot(
        "cli_train",
        &[("stdout", &done.out), ("stderr", &done.err)],
        &[
            (r"(SYN_A +1h +2 +model +998) .*", "$1 [the model's metrics]"),
            (r"validation loss .*", "validation loss [and so on]"),
            (r"\d{8}-\d{6}-mlp-return-[0-9a-f]{4}", "[run]"),
            // Columns are as wide as the model's metrics.
            (r"\n {20,}", "\n    "),
            (r" {2,}", "  "),
        ],
    );
    let quiet = scratch.run(&format!("{arguments} --quiet")).exits(0);
    assert_eq!((quiet.out, quiet.err.as_str()), (done.out, ""));
}

#[test]
fn event_files_for_tensorboard_follow_the_run() {
    let scratch = Scratch::new();
    let _done = scratch.run(&format!("train --quiet {SMALL} --tensorboard tb")).exits(0);
    let run = scratch.only_run();
    let board = scratch.path("tb").join(run.file_name().unwrap());
    for task in ["SYN_A-1h-fold00", "SYN_B-1h-fold01"] {
        let files: Vec<_> = std::fs::read_dir(board.join(task)).unwrap().flatten().collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert!(files[0].file_name().to_string_lossy().starts_with("events.out.tfevents."));
        // The version, and two epochs.
        let bytes = std::fs::read(files[0].path()).unwrap();
        let epochs = bytes.windows(10).filter(|window| window == b"loss/train").count();
        assert_eq!(epochs, 2);
    }
    scratch.write("file", "");
    let _error = scratch
        .run(&format!("train {SMALL} --set seed=9 --tensorboard file/tb"))
        .refuses(&["file/tb: cannot be written", "--tensorboard"]);
    assert_eq!(scratch.run_folders().len(), 1, "nothing is trained");
}
