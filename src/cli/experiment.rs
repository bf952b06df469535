use super::args::{ExperimentArguments, TrainArguments};
use super::{Exit, Printer};
use crate::domain::text::{self, UNKNOWN, minute};
use crate::domain::{Bytes, Cancel, Footprint, Plan, Task};
use crate::spec::{DataSource, ExperimentSpec, apply, load};

/// Tasks listed by `plan`; the rest are counted.
const LISTED_TASKS: usize = 40;

/// The experiment to train: the preset, then the flags, then every `--set` in order.
pub(super) fn spec(arguments: &TrainArguments) -> anyhow::Result<ExperimentSpec> {
    let mut spec = with_flags(&arguments.experiment)?;
    spec.resources.workers = arguments.workers.or(spec.resources.workers);
    spec.resources.device = arguments.device.unwrap_or(spec.resources.device);
    Ok(apply(&spec, &arguments.experiment.set)?)
}

/// The experiment that the arguments describe.
pub(super) fn described(arguments: &ExperimentArguments) -> anyhow::Result<ExperimentSpec> {
    Ok(apply(&with_flags(arguments)?, &arguments.set)?)
}

fn with_flags(arguments: &ExperimentArguments) -> anyhow::Result<ExperimentSpec> {
    let mut spec = load(&arguments.preset)?;
    if let Some(folder) = &arguments.data {
        if matches!(spec.data.source, DataSource::Synthetic(_)) {
            // The made-up market's symbols are not in the folder.
            spec.data.symbols.clear();
        }
        spec.data.source = DataSource::Folder(folder.clone());
    }
    if !arguments.symbols.is_empty() {
        spec.data.symbols.clone_from(&arguments.symbols);
    }
    if !arguments.timeframes.is_empty() {
        spec.data.timeframes.clone_from(&arguments.timeframes);
    }
    Ok(spec)
}

/// `walkforge plan`: what `train` would do.
pub(super) fn plan(arguments: &TrainArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let plan = crate::workbench::plan(&spec(arguments)?, &Cancel::new())?.plan;
    if printer.is_json() {
        printer.json_line(&plan);
        return Ok(Exit::Done);
    }
    print_plan(&plan, printer);
    Ok(Exit::Done)
}

fn print_plan(plan: &Plan, printer: &Printer) {
    for line in describe(plan) {
        printer.line(&line);
    }
    printer.line("");
    let series: Vec<Vec<String>> = plan
        .series
        .iter()
        .map(|series| {
            vec![
                series.symbol.to_string(),
                series.timeframe.to_string(),
                minute(series.first_open),
                minute(series.last_open),
                series.bars.to_string(),
            ]
        })
        .collect();
    printer.table(&["symbol", "timeframe", "first open", "last open", "bars"], 4, &series);
    printer.line("");
    let header = ["task", "train from", "validation from", "test from", "test to", "memory"];
    let tasks: Vec<Vec<String>> = plan.tasks.iter().take(LISTED_TASKS).map(task_row).collect();
    printer.table(&header, 5, &tasks);
    if plan.tasks.len() > LISTED_TASKS {
        printer.line(&format!("… and {} more tasks", plan.tasks.len() - LISTED_TASKS));
    }
    for warning in &plan.warnings {
        printer.warning(warning);
    }
}

fn task_row(task: &Task) -> Vec<String> {
    let fold = &task.fold;
    // A refit has neither validation nor test section.
    let is_tested = !fold.test.is_empty();
    let train = fold.train.first().map_or_else(|| fold.start(), |train| train.start);
    let test_end = if is_tested { minute(fold.test.end) } else { UNKNOWN.to_owned() };
    vec![
        task.id.to_string(),
        minute(if is_tested { fold.start() } else { train }),
        text::section_start(fold.validation),
        text::section_start(fold.test),
        test_end,
        task.memory.to_string(),
    ]
}

/// The plan in a few lines.
pub(super) fn describe(plan: &Plan) -> Vec<String> {
    let parameters = plan.tasks.first().map_or(0, |task| task.parameters);
    let Footprint { total, resident } = plan.footprint();
    let shared = if resident == Bytes::default() {
        String::new()
    } else {
        format!(", of which {resident} resident, shared by folds")
    };
    let noun = if plan.devices.len() > 1 { "Devices" } else { "Device" };
    let mut lines = vec![
        format!(
            "Experiment {}: {} tasks, {parameters} parameters each",
            plan.experiment,
            plan.tasks.len()
        ),
        format!(
            "{noun} {} ({}); workers: {}, threads per task: {}; about {total} of tensors at a time{shared}",
            text::devices(plan),
            plan.device_reason,
            plan.workers,
            plan.threads_per_task
        ),
        format!("Features: {}", plan.features.join(", ")),
    ];
    lines.extend(plan.decisions.iter().map(|decision| format!("Decided: {decision}")));
    let recommended = plan.recommendations.iter();
    lines.extend(recommended.map(|advice| format!("Recommended: {advice}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Device, TaskRole, TimeSpan};

    fn planned() -> Plan {
        let set =
            ["validation.max_folds=1", "resources.device=cpu"].map(|set| set.parse().unwrap());
        let spec = apply(&load("mlp-return").unwrap(), &set).unwrap();
        crate::workbench::plan(&spec, &Cancel::new()).unwrap().plan
    }

    #[test]
    fn a_plan_says_what_was_tried_what_is_recommended_and_every_device() {
        let mut plan = planned();
        assert!(describe(&plan)[1].starts_with("Device cpu ("));
        plan.devices = vec![Device::Cuda(0), Device::Cuda(1)];
        plan.decisions = vec!["batch size 512: 1.8× the samples a second of 256".to_owned()];
        plan.recommendations = vec!["4 workers fit".to_owned()];
        for task in &mut plan.tasks {
            (task.memory, task.resident) = (Bytes(3 << 20), Bytes(1 << 20));
        }
        plan.workers = 1;
        let lines = describe(&plan);
        assert!(lines[1].starts_with("Devices cuda:0, cuda:1 ("), "{lines:?}");
        let memory =
            "about 3.0 MiB of tensors at a time, of which 1.0 MiB resident, shared by folds";
        assert!(lines[1].ends_with(memory), "{lines:?}");
        assert_eq!(lines[3], "Decided: batch size 512: 1.8× the samples a second of 256");
        assert_eq!(lines[4], "Recommended: 4 workers fit");
    }

    #[test]
    fn a_refit_is_listed_by_what_it_trains_on() {
        let mut task = planned().tasks.remove(0);
        let nothing =
            TimeSpan { start: crate::domain::UtcMillis(0), end: crate::domain::UtcMillis(0) };
        let train = minute(task.fold.train[0].start);
        task.role = TaskRole::Refit;
        (task.fold.validation, task.fold.test) = (nothing, nothing);
        let row = task_row(&task);
        assert_eq!(row[1..5], [train.as_str(), UNKNOWN, UNKNOWN, UNKNOWN]);
    }
}
