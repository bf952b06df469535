//! TensorBoard's own reader gives back what an experiment recorded.

use std::path::Path;
use std::process::Command as Process;

use serde_json::Value;
use walkforge::domain::{EpochRecord, Event, EventKind, RunId, TaskId, UtcMillis};
use walkforge::export::EventFiles;
use walkforge::workbench::{Command, Update, Workbench};

use crate::require_python;
use crate::support::{spec, wait_for};

/// What TensorBoard shows of a run's folder.
fn read(python: &Path, folder: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/read_tensorboard.py");
    let read = Process::new(python).arg("-B").arg(script).arg(folder).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}

/// A task that is attempted again repeats epochs in the same file; one of a run that is resumed, in another.
#[test]
fn of_a_repeated_epoch_tensorboard_shows_the_later_record_alone() {
    let python = require_python!();
    let folder = tempfile::tempdir().unwrap();
    let run = RunId::new("run");
    let mut told = 0.0;
    for epochs in [&[1, 2, 3, 2, 3, 4][..], &[4, 5], &[6]] {
        let mut files = EventFiles::create(folder.path(), &run).unwrap();
        for &epoch in epochs {
            told += 1.0;
            let record = EpochRecord {
                epoch,
                train_loss: told,
                validation_loss: None,
                monitor: None,
                learning_rate: 0.1,
                gradient_norm: 1.0,
                seconds: 1.0,
                is_best: false,
            };
            let (at, kind) = (UtcMillis(1_700_000_000_000), EventKind::Epoch(record));
            let task = Some(TaskId::new("T"));
            files.record(&Event { run: run.clone(), task, seq: 0, at, kind }).unwrap();
        }
        files.finish().unwrap();
    }
    let scalars = read(&python, &folder.path().join("run"));
    let shown = scalars["T"]["loss/train"].as_array().unwrap().iter();
    let shown: Vec<(i64, f64)> = shown
        .map(|point| (point["step"].as_i64().unwrap(), point["value"].as_f64().unwrap()))
        .collect();
    assert_eq!(shown, [(1, 1.0), (2, 4.0), (3, 5.0), (4, 7.0), (5, 8.0), (6, 9.0)]);
}

#[test]
fn tensorboards_own_reader_gives_the_curves_back() {
    let python = require_python!();
    let spec = spec(
        "mlp-return",
        &[
            "validation.max_folds=2",
            r#"data.symbols=["SYN_A"]"#,
            "training.max_epochs=3",
            "training.monitor=RankIc",
            "resources.device=cpu",
            "resources.workers=2",
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(&folder.path().join("runs"), || {}).unwrap();
    workbench.send(Command::Start(Box::new(spec)));
    // As a front end does: told by events, on its own thread.
    let curves = folder.path().join("curves");
    let files = std::cell::RefCell::new(None::<EventFiles>);
    let epochs = std::cell::RefCell::new(Vec::<Event>::new());
    let run = wait_for(&workbench, |update| match update {
        Update::Event(event) => {
            let mut files = files.borrow_mut();
            let files =
                files.get_or_insert_with(|| EventFiles::create(&curves, &event.run).unwrap());
            files.record(&event).unwrap();
            if matches!(event.kind, EventKind::Epoch(_)) {
                epochs.borrow_mut().push(*event);
            }
            None
        }
        Update::RunDone { run, .. } => Some(run),
        _ => None,
    });
    files.into_inner().unwrap().finish().unwrap();

    let scalars = read(&python, &curves.join(run.as_str()));
    let epochs = epochs.into_inner();
    let mut told = 0;
    for event in &epochs {
        let EventKind::Epoch(record) = &event.kind else { unreachable!("collected above") };
        let task: &TaskId = event.task.as_ref().unwrap();
        for (tag, value) in [
            ("loss/train", Some(record.train_loss)),
            ("loss/validation", record.validation_loss),
            ("monitor", record.monitor),
            ("learning_rate", Some(record.learning_rate)),
            ("gradient_norm", Some(record.gradient_norm)),
        ] {
            let value = value.unwrap_or_else(|| panic!("{tag} of {task}"));
            let point = &scalars[task.as_str()][tag][record.epoch as usize - 1];
            assert_eq!(point["step"], record.epoch, "{task} {tag}");
            assert_eq!(point["value"].as_f64().unwrap() as f32, value as f32, "{task} {tag}");
            assert_eq!(
                point["wall_time"].as_f64(),
                Some(event.at.0 as f64 / 1000.0),
                "{task} {tag}"
            );
            told += 1;
        }
    }
    assert_eq!(told, 2 * 3 * 5);
    let read_back: usize = scalars
        .as_object()
        .unwrap()
        .values()
        .flat_map(|tags| tags.as_object().unwrap().values())
        .map(|points| points.as_array().unwrap().len())
        .sum();
    assert_eq!(read_back, told, "nothing else is there");
}
