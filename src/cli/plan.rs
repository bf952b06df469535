use std::collections::BTreeMap;

use serde::Serialize;

use super::args::TrainArguments;
use super::format::shortened;
use super::{Exit, Printer, experiment};
use crate::domain::text::{self, UNKNOWN, duration, minute};
use crate::domain::{Bytes, Cancel, Footprint, Plan, RunId, Setting, Task};
use crate::spec::Variant;
use crate::workbench::Planning;

/// Tasks listed by `plan`; the rest are counted.
const LISTED_TASKS: usize = 40;
/// Longest value of a swept field in a table.
const VALUE_WIDTH: usize = 40;

/// `walkforge plan`: what `train` would do.
pub(super) fn plan(arguments: &TrainArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let spec = experiment::spec(arguments)?;
    let variants = spec.variants()?;
    let (planning, cancel) = (Planning::beside(&arguments.runs), Cancel::new());
    if spec.sweep.is_empty() {
        let plan = planning.plan(&spec, &cancel)?;
        if printer.is_json() {
            printer.json_line(&plan);
        } else {
            print_plan(&plan, printer);
        }
        return Ok(Exit::Done);
    }
    let mut plans = Vec::with_capacity(variants.len());
    for (number, Variant { settings, spec }) in variants.iter().enumerate() {
        let plan = planning
            .plan(spec, &cancel)
            .map_err(|error| anyhow::anyhow!("variant {}: {error}", in_words(settings)))?;
        if printer.is_json() {
            printer.json_line(&PlannedVariant { variant: number, settings, plan: &plan });
        }
        plans.push(plan);
    }
    if !printer.is_json() {
        print_variants(&variants, &plans, printer);
    }
    Ok(Exit::Done)
}

/// What `plan --json` prints for each variant of a sweep.
#[derive(Serialize)]
struct PlannedVariant<'a> {
    variant: usize,
    settings: &'a [Setting],
    plan: &'a Plan,
}

/// What a variant sets, in a line.
pub(super) fn in_words(settings: &[Setting]) -> String {
    let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
    settings.join(" ")
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
    let header =
        ["task", "train from", "validation from", "test from", "test to", "memory", "disk", "time"];
    let tasks: Vec<Vec<String>> = plan.tasks.iter().take(LISTED_TASKS).map(task_row).collect();
    printer.table(&header, 5, &tasks);
    if plan.tasks.len() > LISTED_TASKS {
        printer.line(&format!("… and {} more tasks", plan.tasks.len() - LISTED_TASKS));
    }
    printer.line(&Totals::of(std::slice::from_ref(plan)).in_words());
    for (run, tasks) in reused(plan) {
        printer.line(&format!("Reused from run {run}: {}", tasks.join(", ")));
    }
    for warning in &plan.warnings {
        printer.warning(warning);
    }
}

/// The tasks that are taken over, by the run they come from.
fn reused(plan: &Plan) -> BTreeMap<&RunId, Vec<&str>> {
    let mut found: BTreeMap<&RunId, Vec<&str>> = BTreeMap::new();
    for task in &plan.tasks {
        if let Some(stored) = &task.reuse {
            found.entry(&stored.run).or_default().push(stored.task.as_str());
        }
    }
    found
}

fn task_row(task: &Task) -> Vec<String> {
    let fold = &task.fold;
    // A refit has neither validation nor test section.
    let is_tested = !fold.test.is_empty();
    let train = fold.train.first().map_or_else(|| fold.start(), |train| train.start);
    let test_end = if is_tested { minute(fold.test.end) } else { UNKNOWN.to_owned() };
    let time = if task.reuse.is_some() { "reused".to_owned() } else { time(task.expected_ms) };
    vec![
        task.id.to_string(),
        minute(if is_tested { fold.start() } else { train }),
        text::section_start(fold.validation),
        text::section_start(fold.test),
        test_end,
        task.memory.to_string(),
        task.disk.to_string(),
        time,
    ]
}

fn time(milliseconds: Option<u64>) -> String {
    milliseconds.map_or_else(|| UNKNOWN.to_owned(), |ms| duration(ms as f64 / 1000.0))
}

fn print_variants(variants: &[Variant], plans: &[Plan], printer: &Printer) {
    let (Some(first), Some(plan)) = (variants.first(), plans.first()) else { return };
    for line in describe(plan) {
        printer.line(&line);
    }
    printer.line(&format!(
        "{} variants, each a run of its own; the first is described above:",
        variants.len()
    ));
    printer.line("");
    let paths = first.settings.iter().map(|setting| setting.path.as_str());
    let figures = ["tasks", "reused", "parameters", "memory", "disk", "time"];
    let header: Vec<&str> = ["variant"].into_iter().chain(paths).chain(figures).collect();
    let rows: Vec<Vec<String>> = variants
        .iter()
        .zip(plans)
        .enumerate()
        .map(|(number, (variant, plan))| {
            let values = variant.settings.iter().map(|one| shortened(&one.value, VALUE_WIDTH));
            let totals = Totals::of(std::slice::from_ref(plan));
            let figures = [
                totals.tasks.to_string(),
                totals.reused.to_string(),
                plan.tasks.first().map_or(0, |task| task.parameters).to_string(),
                plan.footprint().total.to_string(),
                totals.disk.to_string(),
                time(totals.milliseconds),
            ];
            [(number + 1).to_string()].into_iter().chain(values).chain(figures).collect()
        })
        .collect();
    printer.table(&header, first.settings.len() + 1, &rows);
    printer.line(&Totals::of(plans).in_words());
    let mut told: Vec<&String> = Vec::new();
    for warning in plans.iter().flat_map(|plan| &plan.warnings) {
        if !told.contains(&warning) {
            printer.warning(warning);
            told.push(warning);
        }
    }
}

/// What several plans come to together.
struct Totals {
    runs: usize,
    tasks: usize,
    reused: usize,
    /// Of the tasks that are trained.
    disk: Bytes,
    /// With the plans' workers, one run after another; `None` where a task's time is not known.
    milliseconds: Option<u64>,
}

impl Totals {
    fn of(plans: &[Plan]) -> Self {
        let tasks = || plans.iter().flat_map(|plan| &plan.tasks);
        let trained = || tasks().filter(|task| task.reuse.is_none());
        let time_of = |plan: &Plan| {
            let trained = plan.tasks.iter().filter(|task| task.reuse.is_none());
            let all: Vec<u64> = trained.map(|task| task.expected_ms).collect::<Option<_>>()?;
            let workers = u64::from(plan.workers.max(1)).min(all.len().max(1) as u64);
            // The last task to begin may be the longest.
            Some((all.iter().sum::<u64>() / workers).max(all.into_iter().max().unwrap_or(0)))
        };
        Self {
            runs: plans.len(),
            tasks: tasks().count(),
            reused: tasks().filter(|task| task.reuse.is_some()).count(),
            disk: trained().map(|task| task.disk).fold(Bytes::default(), Bytes::saturating_add),
            milliseconds: plans.iter().map(time_of).sum(),
        }
    }

    fn in_words(&self) -> String {
        let runs = if self.runs > 1 { format!("{} runs, ", self.runs) } else { String::new() };
        let tasks = self.tasks;
        if self.reused == tasks {
            return format!("Total: {runs}{tasks} tasks, all of them reused from earlier runs");
        }
        let reused = match self.reused {
            0 => String::new(),
            reused => format!(", {reused} of them reused from earlier runs"),
        };
        let time = self.milliseconds.map_or_else(
            || "time unknown until a run like it has finished".to_owned(),
            |ms| format!("at most about {}", duration(ms as f64 / 1000.0)),
        );
        format!("Total: {runs}{tasks} tasks{reused}; about {} on disk; {time}", self.disk)
    }
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
    use crate::domain::{Device, StoredTask, TaskId, TaskRole, TimeSpan};
    use crate::spec::{apply, load};

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

    #[test]
    fn totals_count_what_is_trained_and_time_only_where_it_is_known() {
        let mut plan = planned();
        plan.workers = 2;
        let first = plan.tasks[0].clone();
        plan.tasks = vec![first; 3];
        for task in &mut plan.tasks {
            (task.expected_ms, task.disk, task.reuse) = (Some(4_000), Bytes(1 << 20), None);
        }
        let words = |plan: &Plan| Totals::of(std::slice::from_ref(plan)).in_words();
        assert_eq!(words(&plan), "Total: 3 tasks; about 3.0 MiB on disk; at most about 6.0 s");
        plan.tasks[2].expected_ms = Some(9_000);
        assert!(words(&plan).ends_with("at most about 9.0 s"), "{}", words(&plan));
        plan.tasks[2].expected_ms = None;
        assert!(words(&plan).ends_with("time unknown until a run like it has finished"));
        // What is reused takes neither time nor room.
        plan.tasks[2].reuse = Some(StoredTask { run: RunId::new("r"), task: TaskId::new("t") });
        assert_eq!(task_row(&plan.tasks[2])[7], "reused");
        assert_eq!(
            words(&plan),
            "Total: 3 tasks, 1 of them reused from earlier runs; about 2.0 MiB on disk; at most about 4.0 s"
        );
        assert_eq!(reused(&plan).into_iter().next(), Some((&RunId::new("r"), vec!["t"])));
        let both = Totals::of(&[plan.clone(), plan]).in_words();
        assert!(both.starts_with("Total: 2 runs, 6 tasks, 2 of them reused"), "{both}");
    }
}
