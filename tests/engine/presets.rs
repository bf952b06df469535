//! The experiments that come with the program can be run.

use walkforge::domain::Device;
use walkforge::spec::PRESETS;

use crate::support::{prepare, run, spec};

#[test]
fn every_preset_is_planned_and_its_first_task_trains() {
    for preset in PRESETS {
        let spec = spec(
            preset.name,
            &["validation.max_folds=1", "training.max_epochs=1", "resources.device=cpu"],
        );
        let prepared = prepare(&spec);
        let task = &prepared.plan.tasks[0];
        assert_eq!(task.device, Device::Cpu);
        assert!(task.parameters > 0 && task.memory.0 > 0, "{}", preset.name);
        let output = run(&prepared, 0);
        // The matrix is not the task's alone, and what is smaller than some vectors is not worth an estimate.
        let taken = output.report.peak_memory.unwrap().0 as f64;
        let estimated = (task.memory.0 - task.resident.0) as f64;
        println!("{}: {taken} bytes taken, {estimated} estimated", preset.name);
        assert!(
            (estimated - taken).abs() <= 0.2 * taken + 131_072.0,
            "{}: {taken} bytes taken, {estimated} estimated",
            preset.name
        );
        let values = output.predictions.prediction.iter();
        assert!(output.predictions.prediction.len() > 300, "{}", preset.name);
        assert!(values.clone().all(|value| value.is_finite()), "{}", preset.name);
        assert!(values.clone().any(|value| *value != output.predictions.prediction[0]));
    }
}
