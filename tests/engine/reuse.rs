//! Results that are taken over instead of being trained again, and what makes a task the same.

use walkforge::domain::RunId;
use walkforge::runs::RunFolder;
use walkforge::spec::{SweepAxis, SweepSpec};
use walkforge::workbench::{Command, Workbench};

use crate::support::{folder, run_to_end};
use crate::told::{Told, experiment, results};

#[test]
fn what_an_earlier_run_trained_is_taken_over_unless_it_is_to_be_trained_again() {
    let runs = tempfile::tempdir().unwrap();
    let reuse = ["resources.reuse=true", "training.max_epochs=2"];
    let (first, _) = run_to_end(&experiment(&reuse), runs.path());
    let second = |set: &[&str]| {
        let workbench = Workbench::open(runs.path(), || {}).unwrap();
        workbench.send(Command::Start(Box::new(experiment(set))));
        let mut told = Told::default();
        told.until(&workbench, |told| !told.ended.is_empty());
        (folder(runs.path(), &told.runs[0]), told)
    };
    let tasks = first.manifest().unwrap().plan.tasks.len();
    let (taken_over, told) = second(&reuse);
    assert_eq!((told.trained.len(), told.kept.len()), (0, tasks));
    let id = first.manifest().unwrap().run;
    assert!(told.kept.values().all(|from| from.as_ref() == Some(&id)), "{:?}", told.kept);
    assert!(results(&first) == results(&taken_over));
    let manifest = taken_over.manifest().unwrap();
    assert!(manifest.plan.tasks.iter().all(|task| task.reuse.is_some()));
    assert!(manifest.plan.tasks.iter().all(|task| task.expected_ms.is_some_and(|ms| ms > 0)));
    let (dear, told) = second(&[&reuse[..], &["costs.fee_bps=50.0"]].concat());
    assert_eq!((told.trained.len(), told.kept.len()), (0, tasks), "costs change no model");
    let report = |run: &RunFolder| {
        let task = run.manifest().unwrap().plan.tasks[0].id.clone();
        run.metadata(&task).unwrap().unwrap().report
    };
    assert!(report(&dear).model.total_return < report(&first).model.total_return);
    assert_eq!(report(&dear).model.ic_ts, report(&first).model.ic_ts);
    let (again, told) = second(&["resources.reuse=false", "training.max_epochs=2"]);
    assert_eq!((told.trained.len(), told.kept.len()), (tasks, 0));
    assert!(results(&first) == results(&again));
    let (_, told) = second(&["resources.reuse=true", "training.max_epochs=3"]);
    assert_eq!(
        (told.trained.len(), told.kept.len()),
        (tasks, 0),
        "another training is another task"
    );
}

#[test]
fn the_other_symbols_of_a_panel_are_part_of_a_tasks_key_where_it_compares_them() {
    let key = |symbols: &str, set: &[&str]| {
        let symbols = format!("data.symbols={symbols}");
        let all: Vec<&str> = [symbols.as_str()].into_iter().chain(set.iter().copied()).collect();
        crate::support::prepare(&experiment(&all)).plan.tasks[0].key
    };
    let named = |count: u8| {
        let names: Vec<String> =
            (b'A'..b'A' + count).map(|c| format!(r#""SYN_{}""#, char::from(c))).collect();
        format!("[{}]", names.join(","))
    };
    let (fewer, more) = (&named(11), &named(12));
    assert_eq!(key(fewer, &[]), key(more, &[]), "each symbol stands for itself");
    let demeaned = [r#"label={"DemeanedReturn":{"horizon":1,"minimum_symbols":2}}"#];
    assert_ne!(key(fewer, &demeaned), key(more, &demeaned));
    let ranked = [r#"features[0]={"CrossRank":{"of":{"LogReturn":{"lag":4}}}}"#];
    assert_ne!(key(fewer, &ranked), key(more, &ranked));
}

/// The weights are not read when a result is taken over, so nothing else would notice.
#[test]
fn damaged_results_are_not_taken_over() {
    let runs = tempfile::tempdir().unwrap();
    let reuse = ["resources.reuse=true", "training.max_epochs=2"];
    let (first, _) = run_to_end(&experiment(&reuse), runs.path());
    let tasks = first.manifest().unwrap().plan.tasks;
    let damage = |task: usize, name: &str, harm: &dyn Fn(&mut Vec<u8>)| {
        let path = first.task(&tasks[task].id).join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        harm(&mut bytes);
        std::fs::write(path, bytes).unwrap();
    };
    let undamaged = results(&first);
    damage(0, "weights.safetensors", &|bytes| bytes.clear());
    damage(1, "weights.safetensors", &|bytes| *bytes.last_mut().unwrap() ^= 1);
    damage(2, "predictions.parquet", &|bytes| bytes.truncate(bytes.len() / 2));
    std::fs::remove_file(first.task(&tasks[3].id).join("weights.safetensors")).unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(experiment(&reuse))));
    let mut told = Told::default();
    told.until(&workbench, |told| !told.ended.is_empty());
    assert_eq!((told.trained.len(), told.kept.len()), (4, tasks.len() - 4));
    assert_eq!(told.warnings.len(), 3, "{:?}", told.warnings);
    assert!(told.warnings.iter().all(|text| text.contains("so it is trained again")));
    assert!(undamaged == results(&folder(runs.path(), &told.runs[0])));
}

/// All variants are planned before the first of them has finished anything.
#[test]
fn a_sweep_over_costs_trains_every_task_once() {
    let mut spec = experiment(&["resources.reuse=true", "training.max_epochs=3"]);
    let values = ["1", "2", "5", "10"].map(str::to_owned).to_vec();
    let axes = vec![SweepAxis { path: "costs.fee_bps".to_owned(), values }];
    spec.sweep = SweepSpec { axes, ..SweepSpec::default() };
    let runs = tempfile::tempdir().unwrap();
    let workbench = Workbench::open(runs.path(), || {}).unwrap();
    workbench.send(Command::Start(Box::new(spec)));
    let mut told = Told::default();
    told.until(&workbench, |told| told.ended.len() == 4);
    let tasks = folder(runs.path(), &told.runs[0]).manifest().unwrap().plan.tasks.len();
    assert_eq!((told.trained.len(), told.kept.len()), (tasks, 3 * tasks));
    let net = |run: &RunId| {
        let summary = folder(runs.path(), run).outcome().unwrap().unwrap().summary;
        summary.series[0].model.total_return
    };
    let returns: Vec<f64> = told.runs.iter().filter_map(net).collect();
    assert!(returns.windows(2).all(|pair| pair[0] > pair[1]), "{returns:?}");
}
