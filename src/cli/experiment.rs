use super::args::{ExperimentArguments, TrainArguments};
use super::{Exit, Printer};
use crate::domain::text::minute;
use crate::domain::{Bytes, Cancel, Plan, Task};
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
    vec![
        task.id.to_string(),
        minute(fold.start()),
        minute(fold.validation.start),
        minute(fold.test.start),
        minute(fold.test.end),
        task.memory.to_string(),
    ]
}

/// The plan in a few lines.
pub(super) fn describe(plan: &Plan) -> Vec<String> {
    let parameters = plan.tasks.first().map_or(0, |task| task.parameters);
    let largest = plan.tasks.iter().map(|task| task.memory).max().unwrap_or_default();
    let at_once = Bytes(largest.0.saturating_mul(u64::from(plan.workers)));
    vec![
        format!(
            "Experiment {}: {} tasks, {parameters} parameters each",
            plan.experiment,
            plan.tasks.len()
        ),
        format!(
            "Device {} ({}); workers: {}, threads per task: {}; about {at_once} of tensors at a time",
            plan.device, plan.device_reason, plan.workers, plan.threads_per_task
        ),
        format!("Features: {}", plan.features.join(", ")),
    ]
}
