use super::*;
use crate::domain::{Determinism, Progress};
use crate::spec::{Assignment, apply, load};
use crate::torch::faults::{Place, Plan};
use crate::workbench::plan;
use crate::workbench::planner::Prepared;

const CARD_SHORT: &str = "CUDA out of memory. Tried to allocate 8.00 GiB.";

fn prepared() -> Prepared {
    let set = [
        r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":900,"seed":5}}"#,
        r#"data.symbols=["SYN_A"]"#,
        "validation.train=300",
        "validation.validation=100",
        "validation.test=100",
        "training.max_epochs=1",
        "resources.device=cpu",
    ];
    let set: Vec<Assignment> = set.iter().map(|text| text.parse().unwrap()).collect();
    plan(&apply(&load("mlp-return").unwrap(), &set).unwrap(), &Cancel::new()).unwrap()
}

struct Silent;

impl Observer for Silent {
    fn progress(&mut self, _: Progress) {}

    fn epoch(&mut self, _: EpochRecord) {}
}

impl TaskObserver for Silent {
    fn stage(&mut self, _: Stage) {}
}

fn run(prepared: &Prepared) -> Result<TaskOutput, TaskError> {
    let (task, series) = (&prepared.plan.tasks[0], &prepared.series[0]);
    run_task(task, &prepared.spec, series, &Cancel::new(), &mut Silent)
}

#[test]
fn memory_that_is_short_for_a_moment_costs_nothing_but_another_try() {
    let prepared = prepared();
    let undisturbed = run(&prepared).unwrap();
    for place in [Place::Resident, Place::Network] {
        let faults = Plan::new(&[(place, 0, CARD_SHORT); 2]);
        let output = run(&prepared).unwrap();
        assert_eq!(faults.happened(), 2);
        assert_eq!(output.report.determinism, Determinism::BitForBit);
        assert_eq!(output.predictions.prediction, undisturbed.predictions.prediction, "{place:?}");
    }
}

#[test]
fn memory_that_stays_short_fails_the_task_with_advice() {
    let prepared = prepared();
    for (place, doing) in [(Place::Resident, "the data"), (Place::Network, "the network")] {
        let _faults = Plan::new(&[(place, 0, CARD_SHORT); 3]);
        let error = run(&prepared).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, TaskError::OutOfMemory { .. }), "{message}");
        for part in [doing, "8.00 GiB", "resources.workers"] {
            assert!(message.contains(part), "{message}");
        }
    }
    // While predicting, after all was learnt.
    let _faults = Plan::new(&[(Place::Evaluation, 1, CARD_SHORT); 3]);
    let message = run(&prepared).unwrap_err().to_string();
    assert!(message.contains("while evaluating"), "{message}");
}

#[test]
fn predictions_in_smaller_parts_are_not_called_repeatable() {
    let prepared = prepared();
    // The first evaluation is the validation's; the second predicts.
    let faults = Plan::new(&[(Place::Evaluation, 1, CARD_SHORT)]);
    let report = run(&prepared).unwrap().report;
    assert_eq!(faults.happened(), 1);
    let Determinism::No { because } = report.determinism else { panic!("{report:?}") };
    assert!(because.contains("test rows"), "{because}");
}

#[test]
fn a_lost_device_is_recognised_wherever_it_shows() {
    let prepared = prepared();
    for place in [Place::Resident, Place::Network, Place::Step, Place::Evaluation] {
        let _faults = Plan::new(&[(place, 0, "CUDA error: uncorrectable ECC error encountered")]);
        let error = run(&prepared).unwrap_err();
        assert!(error.is_device_lost(), "{place:?}: {error}");
    }
}

#[test]
fn the_peak_is_measured_and_of_the_estimates_size() {
    let prepared = prepared();
    let task = &prepared.plan.tasks[0];
    let peak = run(&prepared).unwrap().report.peak_memory.unwrap();
    let estimate = task.memory.0 - task.resident.0;
    let share = peak.0 as f64 / estimate as f64;
    assert!((0.5..2.0).contains(&share), "{peak} measured, {estimate} bytes estimated");
}
