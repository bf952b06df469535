use egui::{Label, RichText, Ui};

use super::stage;
use crate::domain::text::{UNKNOWN, count, minute, number, percent};
use crate::domain::{TaskReport, TaskRole, TimeSpan};
use crate::runs::{ModelEntry, TaskResult};
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{Detail, State};
use crate::ui::theme::{ROW_HEIGHT, Themed, space, strong_family};
use crate::ui::widgets::{self, Align, Cell, Column, Fitted, column};

/// Where the selected model comes from, and how it compares with the champion of its name.
pub(super) fn show(ui: &mut Ui, state: &State, model: &ModelEntry, commands: &mut Commands) {
    let champion = state.models.champion(&model.name).filter(|champion| *champion != model);
    for entry in std::iter::once(model).chain(champion) {
        if state.details.lacks(&entry.run) {
            commands.send(Command::Need(entry.run.clone()));
        }
    }
    ui.label(RichText::new(model.to_string()).family(strong_family()));
    if !model.notes.is_empty() {
        let notes = RichText::new(&model.notes).color(ui.palette().text_weak);
        ui.add(Label::new(notes).wrap().selectable(true));
    }
    if let Some(Detail::Failed(message)) = state.details.get(&model.run) {
        widgets::problem(ui, message);
        return;
    }
    let of = |entry: &ModelEntry| {
        let detail = state.details.ready(&entry.run)?;
        detail.task(&entry.task).map(|task| (detail.experiment.clone(), task))
    };
    let Some(own) = of(model) else {
        if state.details.ready(&model.run).is_some() {
            widgets::problem(ui, &format!("{} has no task {} any more.", model.run, model.task));
        } else {
            ui.weak("Reading the run it comes from…");
        }
        return;
    };
    let other = champion.and_then(|champion| Some((champion, of(champion)?)));
    if let Some(champion) = champion.filter(|_| other.is_none()) {
        without_champion(ui, state, champion);
    }
    let beside = other.as_ref().map(|(champion, (_, task))| (*champion, *task));
    figures(ui, model, own.1, champion, beside);
    ui.add_space(space::S);
    lineage(ui, model, &own, other.as_ref());
}

/// Why the champion's figures are not beside those of the model.
fn without_champion(ui: &mut Ui, state: &State, champion: &ModelEntry) {
    match state.details.get(&champion.run) {
        Some(Detail::Failed(message)) => {
            widgets::problem(ui, &format!("The champion {champion} cannot be read: {message}"));
        }
        Some(Detail::Ready(_)) => {
            let text = format!("{} has no task {} any more.", champion.run, champion.task);
            widgets::problem(ui, &format!("The champion {champion} cannot be read: {text}"));
        }
        Some(Detail::Loading) | None => {
            ui.weak(format!("Reading the run of the champion {champion}…"));
        }
    }
}

const LINEAGE: [Column; 3] = [
    column("", "", 120.0, Align::Left),
    column("This model", "The one selected", 270.0, Align::Left),
    column("Champion", "The model of this name that is in use", 270.0, Align::Left),
];

/// Run, fold and periods of a model, and of the champion beside it.
fn lineage(
    ui: &mut Ui,
    model: &ModelEntry,
    own: &(String, &TaskResult),
    other: Option<&(&ModelEntry, (String, &TaskResult))>,
) {
    widgets::section(ui, "Where it comes from");
    let mine = sources(model, own);
    let theirs = other.map(|(champion, of)| sources(champion, of));
    let columns = if theirs.is_some() { 3 } else { 2 };
    let table = Fitted {
        id: "lineage",
        columns: &LINEAGE[..columns],
        rows: mine.len() + 1,
        most: mine.len() + 1,
    };
    let weak = ui.palette().text_weak;
    table.show(ui, |ui, row| {
        if row == 0 {
            let palette = ui.palette();
            let champion = other.map(|(champion, _)| stage(champion.stage, palette));
            let name = Cell::new("Stage").color(weak);
            return [name, stage(model.stage, palette)].into_iter().chain(champion).collect();
        }
        let value = |of: &Vec<(&str, String)>| {
            let text = of.get(row - 1).map(|(_, value)| value.clone()).unwrap_or_default();
            Cell::new(text.as_str()).hover(Some(text))
        };
        let Some((name, _)) = mine.get(row - 1) else { return Vec::new() };
        let own = [Cell::new(*name).color(weak), value(&mine)];
        own.into_iter().chain(theirs.as_ref().map(value)).collect()
    });
}

fn sources(
    model: &ModelEntry,
    (experiment, task): &(String, &TaskResult),
) -> Vec<(&'static str, String)> {
    let fold = &task.task.fold;
    let span = |span: &TimeSpan| {
        if span.is_empty() {
            UNKNOWN.to_owned()
        } else {
            format!("{} to {}", minute(span.start), minute(span.end))
        }
    };
    let train: Vec<String> = fold.train.iter().map(span).collect();
    let is_refit = task.task.role == TaskRole::Refit;
    let fold_text = if is_refit { "refit on all rows".to_owned() } else { fold.index.to_string() };
    let symbols = match task.task.symbols.as_slice() {
        [only] => only.to_string(),
        several => format!("{} symbols pooled", several.len()),
    };
    vec![
        ("Experiment", experiment.clone()),
        ("Run", model.run.to_string()),
        ("Series", format!("{symbols} · {}", task.task.timeframe_text())),
        ("Fold", fold_text),
        ("Trained on (UTC)", train.join(", ")),
        ("Validated on (UTC)", span(&fold.validation)),
        ("Tested on (UTC)", span(&fold.test)),
    ]
}

const FIGURES: [Column; 3] = [
    column("Figure", "Of the task alone", 120.0, Align::Left),
    column("This model", "The one selected", 130.0, Align::Right),
    column("Champion", "The model of this name that is in use", 130.0, Align::Right),
];

/// Numbers that are compared stand near each other.
const FIGURES_WIDTH: f32 = 460.0;

/// A figure's name, whether more is better, how it is read and how it is written.
type Figure =
    (&'static str, Option<bool>, fn(&TaskReport) -> Option<f64>, fn(Option<f64>) -> String);

const ALL_FIGURES: [Figure; 10] = [
    ("Test rows", None, |report| Some(report.model.rows as f64), rows_text),
    ("IC", Some(true), |report| report.model.ic_ts, |ic| number(ic, 4)),
    ("Rank IC", Some(true), |report| report.model.rank_ic_ts, |ic| number(ic, 4)),
    ("Hit rate", Some(true), |report| report.model.hit_rate, percent),
    ("Net return", Some(true), |report| report.model.total_return, percent),
    ("Sharpe", Some(true), |report| report.model.sharpe, |sharpe| number(sharpe, 2)),
    ("Max drawdown", Some(false), |report| report.model.max_drawdown, percent),
    ("Turnover", None, |report| report.model.turnover, |turnover| number(turnover, 0)),
    ("Validation loss", Some(false), |report| report.validation_loss, |loss| number(loss, 4)),
    ("Train loss", None, |report| Some(report.train_loss), |loss| number(loss, 4)),
];

fn rows_text(rows: Option<f64>) -> String {
    rows.map_or_else(|| UNKNOWN.to_owned(), |rows| count(rows as u64))
}

fn figures(
    ui: &mut Ui,
    model: &ModelEntry,
    own: &TaskResult,
    named: Option<&ModelEntry>,
    champion: Option<(&ModelEntry, &TaskResult)>,
) {
    widgets::section(ui, "Figures");
    let is_comparable = champion.is_some_and(|(_, theirs)| {
        theirs.task.fold.test == own.task.fold.test
            && theirs.task.symbols == own.task.symbols
            && theirs.task.timeframes == own.task.timeframes
    });
    match champion {
        // What is known of it, or why nothing is, stands above.
        None if named.is_some() => {}
        Some((champion, _)) => {
            if !is_comparable {
                let text = format!(
                    "{model} and {champion} were not tested on the same rows: a difference may come from the market as well as from the model."
                );
                widgets::hint(ui, &text);
            }
        }
        None => widgets::hint(
            ui,
            &match model.stage {
                crate::runs::ModelStage::Champion => {
                    format!(
                        "{model} is the champion: the other versions of {} are compared with it.",
                        model.name
                    )
                }
                _ => format!("{} has no champion yet to compare with.", model.name),
            },
        ),
    }
    if own.task.role == TaskRole::Refit {
        widgets::hint(
            ui,
            "It was trained on all rows, so nothing was left to test it on; the folds of its run say how good such a model is.",
        );
    }
    let Some(report) = &own.report else { return };
    let theirs = champion.and_then(|(_, task)| task.report.as_ref());
    let columns = if theirs.is_some() { 3 } else { 2 };
    let table = Fitted {
        id: "figures",
        columns: &FIGURES[..columns],
        rows: ALL_FIGURES.len(),
        most: ALL_FIGURES.len(),
    };
    let weak = ui.palette().text_weak;
    let success = ui.palette().success;
    let width = ui.available_width().min(FIGURES_WIDTH);
    let size = egui::vec2(width, (ALL_FIGURES.len() + 1) as f32 * ROW_HEIGHT);
    let layout = egui::Layout::top_down(egui::Align::Min);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        table.show(ui, |_, row| {
            let Some((name, more_is_better, read, write)) = ALL_FIGURES.get(row) else {
                return Vec::new();
            };
            let (mine, other) = (read(report), theirs.map(read));
            let better = |a: Option<f64>, b: Option<f64>| match (more_is_better, a.zip(b)) {
                // On other rows neither is the better one.
                (Some(more), Some((a, b))) if is_comparable => {
                    if *more {
                        a > b
                    } else {
                        a < b
                    }
                }
                _ => false,
            };
            let cell = |value: Option<f64>, is_better: bool| {
                let text = write(value);
                if is_better {
                    let text = format!("{} {text}", icons::TROPHY);
                    Cell::new(text)
                        .strong()
                        .color(success)
                        .hover(Some("The better of the two".to_owned()))
                } else {
                    Cell::new(text)
                }
            };
            let name = Cell::new(*name).color(weak);
            match other {
                None => vec![name, cell(mine, false)],
                Some(other) => {
                    vec![name, cell(mine, better(mine, other)), cell(other, better(other, mine))]
                }
            }
        });
    });
}
