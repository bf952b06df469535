//! TensorBoard's own reader gives back what an experiment recorded.

use std::path::Path;
use std::process::Command as Process;

use serde_json::Value;
use walkforge::domain::{Event, EventKind, TaskId};
use walkforge::export::EventFiles;
use walkforge::workbench::{Command, Update, Workbench};

use crate::require_python;
use crate::support::{spec, wait_for};

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

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export/read_tensorboard.py");
    let read = Process::new(python).arg("-B").arg(script).arg(curves.join(run.as_str())).output();
    let read = read.unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let scalars: Value = serde_json::from_slice(&read.stdout).unwrap();
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
            let point = &scalars[task.as_str()][tag][record.epoch.to_string()];
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
        .map(|points| points.as_object().unwrap().len())
        .sum();
    assert_eq!(read_back, told, "nothing else is there");
}
