//! Exported models say in Python what they say here.

use std::path::Path;
use std::process::Command;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use walkforge::dataset::TaskData;
use walkforge::domain::{Cancel, Device, RunOutcome};
use walkforge::export::{ExportError, ExportWhat, export_run};
use walkforge::runs::RunFolder;
use walkforge::spec::ExperimentSpec;

use crate::require_python;
use crate::support::{prepare, run_to_end, spec};

/// Loads the `model.pt` of each folder as any Python program would and prints the largest difference at each batch size, a line for each.
const CHECK: &str = r#"
import json, sys
import torch
torch.set_num_threads(1)
def check(folder):
    def read(name):
        return torch.frombuffer(bytearray(open(f"{folder}/{name}", "rb").read()), dtype=torch.float32)
    shape = json.load(open(f"{folder}/shape.json"))
    windows, expected = read("windows.f32").reshape(shape), read("expected.f32")
    model = torch.jit.load(f"{folder}/model.pt").eval()
    example = json.load(open(f"{folder}/example.json"))
    differences = {}
    with torch.no_grad():
        for batch in (1, 3, 257):
            parts = [model(windows[i:i + batch]) for i in range(0, len(windows), batch)]
            assert all(part.dim() == 1 for part in parts), "one prediction per sample"
            differences[batch] = (torch.cat(parts) - expected).abs().max().item()
        output = model(torch.tensor(example["input"]).reshape(example["shape"]))
        differences["example"] = (output - torch.tensor(example["output"])).abs().max().item()
    print(json.dumps(differences))
for folder in sys.argv[1:]:
    check(folder)
"#;

const SAMPLES: usize = 257;

const RETURN: &str = r#"{"ForwardReturn":{"horizon":2}}"#;
const UP: &str = r#"{"Direction":{"horizon":2}}"#;
const FLAT: &str =
    r#"{"Direction":{"horizon":2,"dead_zone":{"TrainQuantile":0.3},"inside":"Flat"}}"#;
const BARRIERS: &str = r#"{"TripleBarrier":{"horizon":6,"profit_take":2.0,"stop_loss":1.5,"volatility_window":24,"timeout":"Class"}}"#;

/// Labels and models: every family, and three classes with each kind that reads its window in its own way.
const MODELS: [(&str, &str); 13] = [
    (RETURN, r#""Linear""#),
    (RETURN, r#"{"Mlp":{"hidden":[16,8],"activation":"Gelu","dropout":0.2}}"#),
    (UP, r#"{"Mlp":{"hidden":[16],"activation":"Tanh","dropout":0.0}}"#),
    (FLAT, r#"{"Mlp":{"hidden":[16],"activation":"Relu","dropout":0.0}}"#),
    (UP, r#"{"Lstm":{"hidden":12,"layers":2,"dropout":0.2}}"#),
    (RETURN, r#"{"Lstm":{"hidden":8,"layers":1,"dropout":0.0}}"#),
    (RETURN, r#"{"Gru":{"hidden":12,"layers":2,"dropout":0.2}}"#),
    (BARRIERS, r#"{"Gru":{"hidden":8,"layers":1,"dropout":0.0}}"#),
    (RETURN, r#"{"Tcn":{"channels":[13,8],"kernel_size":3,"dropout":0.2}}"#),
    (FLAT, r#"{"Tcn":{"channels":[8],"kernel_size":2,"dropout":0.0}}"#),
    (
        RETURN,
        r#"{"Transformer":{"d_model":8,"heads":2,"layers":2,"feedforward":16,"dropout":0.2}}"#,
    ),
    (
        UP,
        r#"{"Transformer":{"d_model":8,"heads":4,"layers":1,"feedforward":8,"dropout":0.0,"tokens":{"Patch":{"length":4,"stride":2}}}}"#,
    ),
    (
        BARRIERS,
        r#"{"Transformer":{"d_model":8,"heads":1,"layers":1,"feedforward":8,"dropout":0.0,"tokens":{"Patch":{"length":3,"stride":3}}}}"#,
    ),
];

/// The predictions that the run itself stored, in f32 as the model gives them.
fn stored_predictions(task: &Path) -> Vec<f32> {
    let file = std::fs::File::open(task.join("predictions.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader
        .flat_map(|batch| {
            let batch = batch.unwrap();
            let column = batch.column_by_name("prediction").unwrap();
            let column = column.as_any().downcast_ref::<arrow::array::Float64Array>().unwrap();
            column.values().iter().map(|value| *value as f32).collect::<Vec<_>>()
        })
        .collect()
}

fn write_f32(path: &Path, values: &[f32]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(path, bytes).unwrap();
}

/// Puts the first test windows, their shape and the run's own predictions for them beside the exported model.
fn write_samples(spec: &ExperimentSpec, run: &RunFolder, exported: &Path) {
    let prepared = prepare(spec);
    let task = &prepared.plan.tasks[0];
    let data = TaskData::build(&prepared.series[0], &task.fold, spec, Device::Cpu).unwrap();
    let rows = &data.test()[0].resident()[..SAMPLES];
    let windows = data.windows(&data.index(rows).unwrap()).unwrap();
    let values: Vec<f32> = windows.flatten(0, -1).try_into().unwrap();
    write_f32(&exported.join("windows.f32"), &values);
    write_f32(&exported.join("expected.f32"), &stored_predictions(&run.task(&task.id))[..SAMPLES]);
    let shape = serde_json::to_vec(&windows.size()).unwrap();
    std::fs::write(exported.join("shape.json"), shape).unwrap();
}

#[test]
fn python_gives_the_programs_own_predictions_at_any_batch_size() {
    let python = require_python!();
    let runs = tempfile::tempdir().unwrap();
    let mut folders = Vec::new();
    for (index, (label, model)) in MODELS.iter().enumerate() {
        let spec = spec(
            "mlp-return",
            &[
                r#"data.symbols=["SYN_A"]"#,
                "window=8",
                "validation.max_folds=1",
                "training.max_epochs=2",
                "resources.device=cpu",
                &format!("label={label}"),
                &format!("model={model}"),
            ],
        );
        let (run, outcome) = run_to_end(&spec, runs.path());
        assert_eq!(outcome, RunOutcome::Finished);
        let to = runs.path().join(format!("export{index}"));
        let exported = export_run(&run, &ExportWhat::All, &to, &Cancel::new()).unwrap();
        write_samples(&spec, &run, &exported[0]);
        folders.push(exported[0].clone());
    }
    let check = Command::new(&python).args(["-c", CHECK]).args(&folders).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let differences = String::from_utf8(check.stdout).unwrap();
    assert_eq!(differences.lines().count(), MODELS.len());
    for (differences, (label, model)) in differences.lines().zip(MODELS) {
        println!("{label} {model}: {differences}");
        let differences: serde_json::Value = serde_json::from_str(differences).unwrap();
        for batch in ["1", "3", "257", "example"] {
            let difference = differences[batch].as_f64().unwrap();
            assert!(difference <= 1e-5, "{label} {model}, batch {batch}: {difference}");
        }
    }
}

#[test]
fn an_earlier_export_is_replaced_and_a_users_file_never() {
    let runs = tempfile::tempdir().unwrap();
    let spec = spec(
        "linear-return",
        &[
            r#"data.symbols=["SYN_A"]"#,
            "validation.max_folds=1",
            "training.max_epochs=1",
            "resources.device=cpu",
        ],
    );
    let (run, _) = run_to_end(&spec, runs.path());
    let to = runs.path().join("export");
    let export = || export_run(&run, &ExportWhat::All, &to, &Cancel::new());
    let folder = export().unwrap().remove(0);
    std::fs::write(folder.join("model.pt"), "an older model").unwrap();
    export().unwrap();
    assert!(std::fs::metadata(folder.join("model.pt")).unwrap().len() > 1000, "not replaced");

    std::fs::write(folder.join("notes.txt"), "mine").unwrap();
    let error = export().unwrap_err().to_string();
    assert!(error.contains("notes.txt") && error.contains("move it away"), "{error}");
    assert_eq!(std::fs::read_to_string(folder.join("notes.txt")).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn an_export_that_is_cancelled_between_two_tasks_leaves_the_earlier_one() {
    let runs = tempfile::tempdir().unwrap();
    let spec = spec(
        "linear-return",
        &[
            r#"data.symbols=["SYN_A"]"#,
            "validation.max_folds=12",
            "training.max_epochs=1",
            "resources.device=cpu",
        ],
    );
    let (run, _) = run_to_end(&spec, runs.path());
    let to = runs.path().join("export");
    let folders = export_run(&run, &ExportWhat::All, &to, &Cancel::new()).unwrap();
    assert_eq!(folders.len(), 12);
    // Otherwise the new ones would be the same bytes.
    let readmes: Vec<_> = folders.iter().map(|folder| folder.join("README.md")).collect();
    for readme in &readmes {
        std::fs::write(readme, "an earlier one").unwrap();
    }

    let cancel = Cancel::new();
    let first_is_built = || {
        let mut entries = std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().path());
        let built = entries.find(|path| !folders.contains(path));
        built.is_some_and(|built| {
            built.join(folders[0].file_name().unwrap()).join("manifest.json").exists()
        })
    };
    let exported = std::thread::scope(|scope| {
        let work = || export_run(&run, &ExportWhat::All, &to, &cancel);
        let name = "walkforge-test-export".to_owned();
        let export = std::thread::Builder::new().name(name).spawn_scoped(scope, work).unwrap();
        while !first_is_built() && !export.is_finished() {
            std::thread::yield_now();
        }
        cancel.cancel();
        export.join().unwrap()
    });
    assert!(exported.unwrap_err().is_cancelled());
    for readme in &readmes {
        assert_eq!(std::fs::read_to_string(readme).unwrap(), "an earlier one");
    }
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 12, "nothing is left beside them");
    export_run(&run, &ExportWhat::All, &to, &Cancel::new()).unwrap();
    assert!(readmes.iter().all(|readme| std::fs::metadata(readme).unwrap().len() > 100));
}

#[test]
fn a_run_without_a_finished_task_is_not_exported() {
    let runs = tempfile::tempdir().unwrap();
    let spec = spec(
        "mlp-return",
        &[
            "training.learning_rate=1e30",
            "training.gradient_clip_val=null",
            "validation.max_folds=1",
            "resources.device=cpu",
        ],
    );
    let (run, outcome) = run_to_end(&spec, runs.path());
    assert_eq!(outcome, RunOutcome::Failed);
    let (_, message) = &run.failures().unwrap()[0];
    assert!(message.contains("diverged") && message.contains("learning_rate"), "{message}");
    let to = runs.path().join("export");
    let error = export_run(&run, &ExportWhat::All, &to, &Cancel::new()).unwrap_err();
    assert!(matches!(error, ExportError::NothingFinished { .. }), "{error}");
    assert!(!to.exists(), "nothing exported, nothing made");
}
