//! The same specification gives the same bits, whatever the worker count, the order of the tasks or the front end.

use std::collections::BTreeMap;

use walkforge::domain::{RunOutcome, TaskId};
use walkforge::spec::ExperimentSpec;

use crate::support::{bits, prepare, run, run_to_end, spec};

/// Two symbols, a few folds, dropout on: everything random is in play.
fn experiment(set: &[&str]) -> ExperimentSpec {
    let common = [
        r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":2600,"seed":5}}"#,
        "validation.train=1000",
        "validation.validation=300",
        "validation.test=300",
        "training.max_epochs=3",
        "resources.device=cpu",
    ];
    let all: Vec<&str> = common.iter().chain(set).copied().collect();
    spec("mlp-return", &all)
}

const LSTM: &str = r#"model={"Lstm":{"hidden":8,"layers":2,"dropout":0.3}}"#;
const TCN: &str = r#"model={"Tcn":{"channels":[8,8],"kernel_size":2,"dropout":0.3}}"#;
const TRANSFORMER: &str = r#"model={"Transformer":{"d_model":8,"heads":2,"layers":1,"feedforward":16,"dropout":0.3,"tokens":"Causal"}}"#;

/// The stored weights and predictions of every task, byte for byte.
fn stored_weights(spec: &ExperimentSpec) -> BTreeMap<TaskId, [Vec<u8>; 2]> {
    let runs = tempfile::tempdir().unwrap();
    let (folder, outcome) = run_to_end(spec, runs.path());
    assert_eq!(outcome, RunOutcome::Finished);
    let tasks = folder.manifest().unwrap().plan.tasks;
    let weights = |task: &TaskId| {
        ["weights.safetensors", "predictions.parquet"]
            .map(|name| std::fs::read(folder.task(task).join(name)).unwrap())
    };
    tasks.into_iter().map(|task| (task.id.clone(), weights(&task.id))).collect()
}

#[test]
fn weights_do_not_depend_on_the_number_of_workers() {
    for model in [r#"name="mlp""#, LSTM, TCN, TRANSFORMER] {
        let with_workers = |workers: u32| {
            stored_weights(&experiment(&[model, &format!("resources.workers={workers}")]))
        };
        let one = with_workers(1);
        assert!(one.len() >= 8, "{} tasks are too few to interleave", one.len());
        for workers in [2, 4] {
            assert!(
                one == with_workers(workers),
                "{workers} workers changed the weights of {model}"
            );
        }
        assert!(
            one != stored_weights(&experiment(&[model, "seed=8"])),
            "another seed must give other weights, or this test shows nothing"
        );
    }
}

#[test]
fn weights_do_not_depend_on_the_order_of_the_tasks() {
    let prepared = prepare(&experiment(&[LSTM]));
    let count = prepared.plan.tasks.len();
    let forward: Vec<_> = (0..count).map(|task| bits(&run(&prepared, task))).collect();
    // Something else draws from the global generator meanwhile.
    drop(tch::Tensor::rand([1000], (tch::Kind::Float, tch::Device::Cpu)));
    for task in (0..count).rev() {
        assert!(
            forward[task] == bits(&run(&prepared, task)),
            "task {task} depends on what ran before"
        );
    }
}

#[test]
fn a_task_keeps_its_seed_when_others_join() {
    let seeds = |set: &[&str]| {
        let tasks = prepare(&experiment(set)).plan.tasks;
        tasks.into_iter().map(|task| (task.id, (task.seed, task.key))).collect::<BTreeMap<_, _>>()
    };
    let alone = seeds(&[r#"data.symbols=["SYN_B"]"#]);
    let both = seeds(&[]);
    for (task, seed) in &alone {
        assert_eq!(both.get(task), Some(seed), "{task}");
    }
    let mut all: Vec<u64> = both.values().map(|(seed, _)| *seed).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), both.len(), "every task has a seed of its own");
}

#[test]
fn a_tasks_key_changes_with_whatever_changes_its_predictions() {
    let keys = |set: &[&str]| -> Vec<_> {
        prepare(&experiment(set)).plan.tasks.into_iter().map(|task| task.key).collect()
    };
    let key = |set: &[&str]| keys(set)[0];
    let base = keys(&[]);
    for same in ["name=other", "resources.workers=2", "costs.fee_bps=9.0"] {
        assert_eq!(base, keys(&[same]), "{same}");
    }
    for other in [
        "seed=8",
        "window=3",
        "features[0].lag=3",
        "label.horizon=2",
        "model.dropout=0.2",
        "training.learning_rate=0.002",
        "validation.train=999",
        "validation.train=999h",
        "weights.uniqueness=true",
        "weights.time_decay=0.5",
        r#"scaling="PerSymbol""#,
        r#"label={"ScaledReturn":{"horizon":1,"volatility_window":24}}"#,
        "validation.embargo=1",
        "resources.threads_per_task=2",
        r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":2600,"seed":6}}"#,
    ] {
        assert_ne!(base[0], key(&[other]), "{other}");
    }
    // A shorter test section that begins at the same bar.
    let step = "validation.step=300";
    assert_ne!(key(&[step]), key(&[step, "validation.test=200"]));
}
