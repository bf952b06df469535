use std::path::Path;

use serde::Serialize;

use super::args::{ListModelsArguments, ModelsCommand, RegisterArguments, ShowModelArguments};
use super::format::{SCORE_HEADER, score_cells};
use super::{Exit, Printer, confirm, predict};
use crate::domain::text::{UNKNOWN, minute, number};
use crate::domain::{Score, SeriesPlan, Task, TaskId, TaskRole, TimeSpan};
use crate::runs::{
    Manifest, ModelEntry, ModelStage, RunFolder, RunIndex, RunStore, TaskMetadata, annotate_model,
    register_model, remove_model, set_stage,
};

/// `walkforge models …`.
pub(super) fn models(command: &ModelsCommand, printer: &Printer) -> anyhow::Result<Exit> {
    match command {
        ModelsCommand::List(arguments) => list(arguments, printer),
        ModelsCommand::Show(arguments) => show(arguments, printer),
        ModelsCommand::Register(arguments) => register(arguments, printer),
        ModelsCommand::Promote(arguments) => {
            stage(&arguments.place.runs, &arguments.model, arguments.to, printer)
        }
        ModelsCommand::Archive(arguments) => {
            stage(&arguments.place.runs, &arguments.model, ModelStage::Archived, printer)
        }
        ModelsCommand::Annotate(arguments) => {
            let root = &arguments.place.runs;
            let model = exactly(root, &arguments.model)?;
            let (tags, notes) = arguments.said.over(&model.tags, &model.notes);
            annotate_model(root, &model.name, model.version, &tags, &notes)?;
            Ok(Exit::Done)
        }
        ModelsCommand::Remove(arguments) => {
            let root = &arguments.place.runs;
            let model = exactly(root, &arguments.model)?;
            let question = format!("Forget {model}? The run {} keeps its files.", model.run);
            if !confirm::confirm(&question, arguments.yes, printer)? {
                return Ok(Exit::Cancelled);
            }
            remove_model(root, &model.name, model.version)?;
            printer.line(&format!("{model} removed"));
            Ok(Exit::Done)
        }
        ModelsCommand::Predict(arguments) => predict::predict(arguments, printer),
    }
}

/// One by its name and version. A name alone is enough where it has one version: what changes a model must not guess.
fn exactly(root: &Path, wanted: &str) -> anyhow::Result<ModelEntry> {
    let index = RunIndex::open(root)?;
    if !wanted.contains('@') {
        let versions: Vec<String> = index
            .models()?
            .iter()
            .filter(|model| model.name == wanted)
            .map(ToString::to_string)
            .collect();
        anyhow::ensure!(
            versions.len() < 2,
            "`{wanted}` has several versions: {}; say which",
            versions.join(", ")
        );
    }
    Ok(index.model(wanted)?)
}

fn stage(root: &Path, wanted: &str, to: ModelStage, printer: &Printer) -> anyhow::Result<Exit> {
    let model = exactly(root, wanted)?;
    let index = RunIndex::open(root)?;
    let champions = index.models()?.into_iter().filter(|other| {
        other.name == model.name
            && other.version != model.version
            && other.stage == ModelStage::Champion
    });
    let replaced: Vec<String> = champions.map(|other| other.to_string()).collect();
    set_stage(root, &model.name, model.version, to)?;
    let instead = match to {
        ModelStage::Champion if !replaced.is_empty() => {
            format!("; {} is archived", replaced.join(", "))
        }
        _ => String::new(),
    };
    printer.line(&format!("{model} is {} (was {}){instead}", to.word(), model.stage.word()));
    Ok(Exit::Done)
}

fn list(arguments: &ListModelsArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let root = &arguments.place.runs;
    let fits = |model: &ModelEntry| {
        model.contains_all(&arguments.filter)
            && arguments.stage.is_none_or(|stage| stage == model.stage)
    };
    let all = RunIndex::open(root)?.models()?;
    let is_empty = all.is_empty();
    let found: Vec<ModelEntry> = all.into_iter().filter(fits).collect();
    if printer.is_json() {
        for model in &found {
            printer.json_line(model);
        }
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        printer.line(&if is_empty {
            format!(
                "There are no named models in {}; `walkforge models register NAME --run RUN` names one.",
                root.display()
            )
        } else {
            "No model fits; leave --filter and --stage out to see all of them.".to_owned()
        });
        return Ok(Exit::Done);
    }
    let header = ["model", "stage", "registered (UTC)", "run", "task", "rank IC", "Sharpe", "tags"];
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|model| {
            // The list is of names; a run that cannot be read is told by `show`.
            let score = metadata(root, model).ok().map(|found| found.report.model);
            vec![
                model.to_string(),
                model.stage.word().to_owned(),
                minute(model.registered),
                model.run.to_string(),
                model.task.to_string(),
                number(score.and_then(|score| score.rank_ic_ts), 4),
                number(score.and_then(|score| score.sharpe), 2),
                model.tags.join(", "),
            ]
        })
        .collect();
    printer.table(&header, header.len(), &rows);
    Ok(Exit::Done)
}

fn metadata(root: &Path, model: &ModelEntry) -> anyhow::Result<TaskMetadata> {
    metadata_in(&RunStore::find(root, model.run.as_str())?, model)
}

fn metadata_in(run: &RunFolder, model: &ModelEntry) -> anyhow::Result<TaskMetadata> {
    run.metadata(&model.task)?.ok_or_else(|| {
        anyhow::anyhow!(
            "{model}: task {} of run {} is gone; remove the name with `walkforge models remove {model}`",
            model.task,
            model.run
        )
    })
}

fn register(arguments: &RegisterArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let root = &arguments.place.runs;
    let run = RunStore::find(root, &arguments.run)?;
    let manifest = run.manifest()?;
    let task = match &arguments.task {
        Some(task) => task.clone(),
        None => the_model(&run, &manifest)?,
    };
    let model = register_model(root, &arguments.name, &manifest.run, &task)?;
    printer.line(&format!("{model} is {task} of run {}", manifest.run));
    printer.note(&format!("Next: walkforge models promote {model}{}", super::drive::place(root)));
    Ok(Exit::Done)
}

/// The task that is meant where none is named.
fn the_model(run: &RunFolder, manifest: &Manifest) -> anyhow::Result<TaskId> {
    let finished = run.finished(&manifest.plan)?;
    let finished: Vec<&Task> = finished.iter().map(|found| &found.task).collect();
    let refits = finished.iter().filter(|task| task.role == TaskRole::Refit);
    let refits: Vec<&Task> = refits.copied().collect();
    match (finished.as_slice(), refits.as_slice()) {
        ([only], _) | (_, [only]) => Ok(only.id.clone()),
        ([], _) => anyhow::bail!(
            "run {} has no finished task; `walkforge runs show {}` says what became of them",
            manifest.run,
            manifest.run
        ),
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|task| task.id.as_str()).collect();
            anyhow::bail!(
                "run {} has {} finished models: {}; say which with --task",
                manifest.run,
                names.len(),
                names.join(", ")
            )
        }
    }
}

/// What `models show --json` prints.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    model: &'a ModelEntry,
    lineage: Lineage<'a>,
    score: &'a Score,
    /// The champion of the same name, where that is another version.
    champion: Option<Champion>,
}

#[derive(Serialize)]
struct Lineage<'a> {
    experiment: &'a str,
    spec: String,
    walkforge: &'a str,
    libtorch: &'a str,
    task: &'a Task,
    features: &'a [String],
    /// The series it was trained on, with the hashes of their bars.
    data: Vec<&'a SeriesPlan>,
}

#[derive(Serialize)]
struct Champion {
    model: String,
    score: Score,
}

fn show(arguments: &ShowModelArguments, printer: &Printer) -> anyhow::Result<Exit> {
    let root = &arguments.place.runs;
    let index = RunIndex::open(root)?;
    let model = index.model(&arguments.model)?;
    let run = RunStore::find(root, model.run.as_str())?;
    let (manifest, found) = (run.manifest()?, metadata_in(&run, &model)?);
    let champion = champion_beside(root, &index.models()?, &model)?;
    let task = &found.task;
    let is_its = |series: &&SeriesPlan| {
        task.symbols.contains(&series.symbol) && task.timeframes.contains(&series.timeframe)
    };
    let lineage = Lineage {
        experiment: &manifest.plan.experiment,
        spec: run.path().join("spec.ron").display().to_string(),
        walkforge: &manifest.walkforge,
        libtorch: &manifest.libtorch,
        task,
        features: &found.features,
        data: manifest.plan.series.iter().filter(is_its).collect(),
    };
    let shown = Shown { model: &model, lineage, score: &found.report.model, champion };
    if printer.is_json() {
        printer.json_line(&shown);
    } else {
        print(&shown, printer);
    }
    Ok(Exit::Done)
}

fn champion_beside(
    root: &Path,
    models: &[ModelEntry],
    model: &ModelEntry,
) -> anyhow::Result<Option<Champion>> {
    let champion = models.iter().find(|other| {
        other.name == model.name
            && other.stage == ModelStage::Champion
            && other.version != model.version
    });
    let Some(champion) = champion else { return Ok(None) };
    let score = metadata(root, champion)?.report.model;
    Ok(Some(Champion { model: champion.to_string(), score }))
}

fn print(shown: &Shown<'_>, printer: &Printer) {
    let Shown { model, lineage, score, champion } = shown;
    let task = lineage.task;
    printer.line(&format!(
        "Model {model}: {}, registered {} UTC",
        model.stage.word(),
        minute(model.registered)
    ));
    if !model.tags.is_empty() {
        printer.line(&format!("Tags: {}", model.tags.join(", ")));
    }
    if !model.notes.is_empty() {
        printer.line(&format!("Notes: {}", model.notes));
    }
    printer.line(&format!(
        "From: task {} of run {} (experiment {}), walkforge {}, libtorch {}",
        model.task, model.run, lineage.experiment, lineage.walkforge, lineage.libtorch
    ));
    printer.line(&format!("Specification: {}", lineage.spec));
    printer.line(&format!("Features: {}", lineage.features.join(", ")));
    let span = |span: TimeSpan| {
        if span.is_empty() {
            UNKNOWN.to_owned()
        } else {
            format!("{} to {}", minute(span.start), minute(span.end))
        }
    };
    let train: Vec<String> = task.fold.train.iter().map(|train| span(*train)).collect();
    printer.line(&format!("Trained on: {} UTC", train.join(" and ")));
    printer.line(&format!("Validated on: {} UTC", span(task.fold.validation)));
    printer.line(&format!("Tested on: {} UTC", span(task.fold.test)));
    printer.line("");
    let rows: Vec<Vec<String>> = lineage
        .data
        .iter()
        .map(|series| {
            vec![
                series.symbol.to_string(),
                series.timeframe.to_string(),
                series.bars.to_string(),
                series.data.to_string(),
            ]
        })
        .collect();
    printer.table(&["symbol", "timeframe", "bars", "hash of the bars"], 4, &rows);
    printer.line("");
    let header: Vec<&str> = ["model"].into_iter().chain(SCORE_HEADER).collect();
    let row = |name: String, score: &Score| -> Vec<String> {
        std::iter::once(name).chain(score_cells(score)).collect()
    };
    let mut rows = vec![row(model.to_string(), score)];
    if let Some(champion) = champion {
        rows.push(row(format!("{} (champion)", champion.model), &champion.score));
    }
    printer.line("On its own test section, after costs:");
    printer.table(&header, 1, &rows);
}
