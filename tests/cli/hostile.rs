//! Input that cannot be used: exit code 2, nothing on stdout, no run begun, and a message that names the place and the next step.

use crate::market::{Lines, csv, csv_with, write_feather};
use crate::program::{SMALL, Scratch};

/// An experiment that must be refused.
struct Case {
    /// Makes the files there are.
    files: fn(&Scratch),
    arguments: &'static str,
    /// Where it is and what was found there.
    place: &'static [&'static str],
    next_step: &'static str,
}

#[track_caller]
fn check(cases: &[Case]) {
    for case in cases {
        let scratch = Scratch::new();
        (case.files)(&scratch);
        let done = scratch.run(&format!("train --json {SMALL} {}", case.arguments));
        let done = done.refuses(case.place);
        done.says(&[case.next_step]);
        assert_eq!(scratch.run_folders().len(), 0, "a run was begun: {done}");
    }
}

/// Writes `data/AAA-1h.csv` after a change to its lines, of which the first is the header.
fn broken(scratch: &Scratch, change: impl FnOnce(&mut Lines)) {
    scratch.write("data/AAA-1h.csv", csv_with(900, change));
}

fn no_files(_scratch: &Scratch) {}

fn two_symbols(scratch: &Scratch) {
    scratch.write("data/BTC_USDT-1h.csv", csv(900));
    scratch.write("data/ETH_USDT-1h.csv", csv(900));
}

#[test]
fn a_label_that_compares_symbols_says_when_there_are_too_few() {
    let scratch = Scratch::new();
    let few = "plan --preset cross-section-mlp --symbols SYN_A,SYN_B,SYN_C";
    let _error = scratch.run(few).refuses(&[
        "the label compares at least 10 symbols at a moment, and at 1h there are 3",
        "lower label.minimum_symbols",
    ]);
}

#[test]
fn folders_without_usable_files() {
    check(&[
        Case {
            files: |scratch| std::fs::create_dir(scratch.path("data")).unwrap(),
            arguments: "--data data",
            place: &["data: holds no market file", "it is empty"],
            next_step: "choose another folder",
        },
        Case {
            files: |scratch| scratch.write("data/notes.txt", "hello"),
            arguments: "--data data",
            place: &["data: holds no market file", "notes.txt"],
            next_step: "choose another folder",
        },
        Case {
            files: no_files,
            arguments: "--data nowhere",
            place: &["nowhere: there is no such folder"],
            next_step: "name the folder that holds your market files",
        },
    ]);
}

/// What refuses an experiment is the same for every command and way of printing.
#[test]
fn train_and_plan_refuse_alike() {
    let scratch = Scratch::new();
    let errors = ["train --json", "train", "plan --json", "plan"].map(|command| {
        scratch.run(&format!("{command} --data nowhere")).refuses(&["nowhere: "]).err
    });
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
}

#[test]
fn rows_that_are_no_bars_are_named_by_line() {
    check(&[
        Case {
            files: |scratch| {
                broken(scratch, |lines| lines.iter_mut().for_each(|line| drop(line.remove(4))));
            },
            arguments: "--data data",
            place: &["data/AAA-1h.csv:1: no column for the close", "found `date`, `open`"],
            next_step: "rename or add the column",
        },
        Case {
            files: |scratch| broken(scratch, |lines| lines[16][1] = "abc".to_owned()),
            arguments: "--data data --set data.quality.unreadable=Reject",
            place: &["data/AAA-1h.csv:17: open is `abc`", "expected a number"],
            next_step: "mend the file, or choose another policy in data.quality.unreadable",
        },
        Case {
            files: |scratch| broken(scratch, |lines| lines[16][0] = lines[15][0].clone()),
            arguments: "--data data --set data.quality.conflict=Reject",
            place: &["data/AAA-1h.csv:16: 2024-01-01T14:00:00Z stands in 2 rows"],
            next_step: "choose another policy in data.quality.conflict",
        },
        Case {
            files: |scratch| broken(scratch, |lines| lines.swap(16, 17)),
            arguments: "--data data --set data.quality.disorder=Reject",
            place: &["data/AAA-1h.csv:18: 2024-01-01T15:00:00Z follows 2024-01-01T16:00:00Z"],
            next_step: "mend the file",
        },
        Case {
            files: |scratch| broken(scratch, |lines| lines[16][2] = "1".to_owned()),
            arguments: "--data data --set data.quality.high_below_low=Reject",
            place: &["data/AAA-1h.csv:17: high 1 is below"],
            next_step: "mend the file",
        },
        Case {
            files: |scratch| {
                broken(scratch, |lines| (10..30).for_each(|line| lines[line][2] = "1".to_owned()));
            },
            arguments: "--data data",
            place: &[
                "data/AAA-1h.csv:11: high 1 is below low",
                "20 of its 900 rows are like that",
                "more than the share of data.quality.most_dropped = 0.01",
            ],
            next_step: "check that the file is what its name says",
        },
        Case {
            files: |scratch| broken(scratch, |_lines| {}),
            arguments: "--data data --set data.quality.split=Drop",
            place: &["data.quality.split: Drop is not possible"],
            next_step: "choose Reject or Keep",
        },
    ]);
}

#[test]
fn feather_files_that_were_cut_short() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("data")).unwrap();
    let path = scratch.path("data/AAA-1h.feather");
    write_feather(&path, 900);
    let plan = format!("plan {SMALL} --data data");
    let whole = scratch.run(&plan).exits(0);
    assert!(whole.out.contains("AAA-1h-fold01"), "{whole}");
    let bytes = std::fs::read(&path).unwrap();
    for kept in [5, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..kept]).unwrap();
        let done = scratch.run(&plan).refuses(&["data/AAA-1h.feather: "]);
        done.says(&["is truncated", "download or write it again"]);
    }
}

#[test]
fn selections_that_the_data_cannot_serve() {
    check(&[
        Case {
            files: two_symbols,
            arguments: "--data data --symbols BTCUSDT",
            place: &["data: there is no symbol BTCUSDT"],
            next_step: "did you mean BTC_USDT?",
        },
        Case {
            files: two_symbols,
            arguments: "--data data --symbols GOLD",
            place: &["data: there is no symbol GOLD; it has BTC_USDT, ETH_USDT"],
            next_step: "choose among them",
        },
        Case {
            files: two_symbols,
            arguments: "--data data --timeframes 5m",
            place: &["data: there is no timeframe 5m; it has 1h"],
            next_step: "choose among them",
        },
        Case {
            files: two_symbols,
            arguments: "--data data --symbols BTC_USDT --set validation.train=3000",
            place: &[
                "BTC_USDT 1h: a fold needs 3200 bars",
                "validation.train 3000",
                "there are 900",
            ],
            next_step: "lower these fields by 2300 bars in all, or give more data",
        },
        Case {
            files: two_symbols,
            arguments: "--data data --set data.from=2030-01-01",
            place: &["no bars in the chosen period"],
            next_step: "widen data.from and data.until",
        },
        Case {
            files: no_files,
            arguments: "--set window=5000 --set validation.test=1",
            place: &["there is no task to run"],
            next_step: "lower `window`",
        },
    ]);
}

#[test]
fn presets_and_settings_that_do_not_exist() {
    const PRESET: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/presets/mlp-return.ron"));
    let scratch = Scratch::new();
    scratch.write("mine.ron", PRESET.replace("max_epochs", "max_epoch"));
    let line = PRESET.lines().position(|line| line.contains("max_epochs")).unwrap() + 1;
    let place = format!("mine.ron:{line}:9: ");
    let _error = scratch.run("plan --preset mine.ron").refuses(&[
        &place,
        "`max_epoch`",
        "`max_epochs`",
        "mend the file there",
    ]);

    check(&[
        Case {
            files: no_files,
            arguments: "--preset lstm",
            place: &["there is no preset `lstm`", "presets are mlp-return, lstm-direction"],
            next_step: "a file of your own ends in .ron",
        },
        Case {
            files: no_files,
            arguments: "--preset nowhere.ron",
            place: &["nowhere.ron: cannot be read"],
            next_step: "check the path",
        },
        Case {
            files: no_files,
            arguments: "--set training.epochs=2",
            place: &["--set training.epochs=2: training has no field `epochs`"],
            next_step: "it has accumulate_grad_batches, batch_size, find_batch_size",
        },
        Case {
            files: no_files,
            arguments: "--set training.max_epochs=many",
            place: &["--set training.max_epochs=", "many", "expected u32"],
            next_step: "shows every field and its type",
        },
        Case {
            files: no_files,
            arguments: "--set training.max_epochs",
            place: &["`training.max_epochs` is no assignment"],
            next_step: "expected path=value, as in training.max_epochs=2",
        },
        Case {
            files: no_files,
            arguments: "--workers 0 --set training.learning_rate=0",
            place: &[
                "resources.workers: 0 must lie between 1 and 256",
                "training.learning_rate: 0 must be above 0",
            ],
            next_step: "must",
        },
    ]);
}

#[test]
fn a_device_that_is_not_there() {
    let scratch = Scratch::new();
    let cards = scratch.run("devices --json").exits(0).one_json()["cuda"].clone();
    let count = cards.as_array().map_or(0, Vec::len);
    for arguments in [
        format!("train --json --device cuda:{count}"),
        format!("plan --set resources.device=cuda:{count}"),
    ] {
        let place = format!("cuda:{count} cannot be used: ");
        let _error = scratch.run(&arguments).refuses(&[&place, "use --device auto, or one of "]);
    }
    assert_eq!(scratch.run_folders().len(), 0);
}

#[test]
fn a_runs_folder_that_cannot_be_written() {
    check(&[
        Case {
            files: |scratch| scratch.write("file", ""),
            arguments: "--runs file/runs",
            place: &["file/runs: cannot be written"],
            next_step: "choose another folder with --runs",
        },
        Case {
            files: |scratch| scratch.write("file", ""),
            arguments: "--runs file",
            place: &["file: cannot be written"],
            next_step: "choose another folder with --runs",
        },
    ]);
}

/// The cause is part of the message; printing the chain of causes after it would say it again.
#[test]
fn a_cause_is_told_once() {
    let scratch = Scratch::new();
    for (arguments, cause) in [
        ("plan --preset nowhere.ron", "No such file"),
        ("data inspect nowhere", "No such file"),
        ("plan --set validation.train=30000", "a fold needs"),
    ] {
        let done = scratch.run(arguments).exits(2);
        assert_eq!(done.err.matches(cause).count(), 1, "{done}");
    }
}
