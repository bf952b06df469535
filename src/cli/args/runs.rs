use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::DEFAULT_RUNS;
use crate::domain::{SweepId, TaskId};
use crate::runs::{RunQuery, RunStatus};

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum RunsCommand {
    /// List the runs, newest first.
    List(ListRunsArguments),
    /// Show one run: its tasks, metrics and failures, and what can be done next.
    Show(ShowRunArguments),
    /// Put runs side by side: the settings that differ, and their figures.
    Compare(CompareArguments),
    /// Go on with a run that was interrupted, cancelled or has failed tasks; finished tasks are kept.
    Resume(ResumeArguments),
    /// Delete runs with all their files.
    Delete(DeleteArguments),
    /// Give a run tags and notes, to find it again.
    #[command(visible_alias = "tag")]
    Annotate(AnnotateRunArguments),
    /// Write a run's trained models to a folder; the same as `walkforge export`.
    Export(ExportArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
A run is running, interrupted (its process is gone, or was asked to stop), finished, failed (some
task failed) or cancelled. rank IC and Sharpe are out of sample: the mean over the run's series.
A filter's words are looked for in name, experiment, tags, notes and swept settings. Its columns
are name, experiment, status, tag, note, device, sweep, started, ended, duration, tasks, finished,
failed, ic, rank_ic, hit_rate, net_return, sharpe, max_drawdown and turnover; a swept setting goes
by its path.

Examples:
  walkforge runs list
  walkforge runs list --status interrupted
  walkforge runs list --filter 'lstm btc' --limit 20
  walkforge runs list --filter 'mlp sharpe>1 -tag:old started>=2026-01-14'
  walkforge runs list --json | jq -r .id

Exit codes: 0 done, 2 bad input.")]
pub(in crate::cli) struct ListRunsArguments {
    /// Only those of which all of this holds: words, `tag:good`, `sharpe>1`, `-status:failed`.
    #[arg(
        long,
        value_name = "QUERY",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub(in crate::cli) filter: RunQuery,
    /// Only those that stand so: running, interrupted, finished, failed or cancelled.
    #[arg(long, value_parser = status)]
    pub(in crate::cli) status: Option<RunStatus>,
    /// Only the variants of this sweep.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) sweep: Option<SweepId>,
    /// At most so many, the newest.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) limit: Option<usize>,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

fn status(text: &str) -> Result<RunStatus, String> {
    use RunStatus::{Cancelled, Failed, Finished, Interrupted, Running};
    let all = [Running, Interrupted, Finished, Failed, Cancelled];
    all.into_iter().find(|status| status.word() == text).ok_or_else(|| {
        let words = all.map(RunStatus::word).join(", ");
        format!("`{text}` is none; expected one of {words}")
    })
}

/// Where the runs are.
#[derive(Debug, Args)]
pub(in crate::cli) struct Place {
    /// Folder with runs.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RUNS, value_hint = ValueHint::DirPath)]
    pub(in crate::cli) runs: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  walkforge runs show 20261122-0654
  walkforge runs show RUN --json

Exit codes: 0 done, 2 bad input.")]
pub(in crate::cli) struct ShowRunArguments {
    /// The run's name, or the start of it where only one fits.
    pub(in crate::cli) run: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Print one JSON object.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "walkforge runs compare [OPTIONS] <RUN>...\n       walkforge runs compare [OPTIONS] --sweep <ID>",
    after_help = "\
Figures are out of sample: the mean over a run's series, and for the validation loss over its
tasks. Runs that differ in their seeds only are also summed up: mean ± standard deviation.

Examples:
  walkforge runs compare RUN1 RUN2
  walkforge runs compare --sweep SWEEP
  walkforge runs compare --sweep SWEEP --csv > sweep.csv

Exit codes: 0 done, 2 bad input."
)]
pub(in crate::cli) struct CompareArguments {
    /// The runs' names, or the starts of them where only one fits.
    #[arg(value_name = "RUN", required_unless_present = "sweep", conflicts_with = "sweep")]
    pub(in crate::cli) compared: Vec<String>,
    /// The variants of this sweep, in their order.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) sweep: Option<SweepId>,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Print one JSON object.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print a CSV table, a row for each run.
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) csv: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Finished tasks are kept; the others go on from their checkpoints, or begin. On the CPU the result
is bit for bit that of a run nobody interrupted. A run that another process is working on is
refused.

Examples:
  walkforge runs list --status interrupted
  walkforge runs resume RUN

Exit codes: 0 done, 1 some task failed, 2 bad input, 130 stopped.")]
pub(in crate::cli) struct ResumeArguments {
    /// The run's name, or the start of it where only one fits.
    pub(in crate::cli) run: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Write event files for TensorBoard, a folder in here for the run.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) tensorboard: Option<PathBuf>,
    /// Print every event as one JSON line on stdout and nothing else there.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print only the result.
    #[arg(long)]
    pub(in crate::cli) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal it asks first; elsewhere it needs --yes. A run that a process is working on, and
one that a named model comes from, are refused.

Examples:
  walkforge runs delete RUN
  walkforge runs delete RUN1 RUN2 --yes

Exit codes: 0 all deleted, 2 bad input, or one could not be deleted, 130 not confirmed.")]
pub(in crate::cli) struct DeleteArguments {
    /// The runs' names, or the starts of them where only one fits.
    #[arg(value_name = "RUN", required = true)]
    pub(in crate::cli) deleted: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Do not ask.
    #[arg(long)]
    pub(in crate::cli) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What is given replaces what was there; what is not given stays. An empty text removes it.

Examples:
  walkforge runs tag RUN --tags baseline,btc
  walkforge runs annotate RUN --notes 'before the new features'
  walkforge runs tag RUN --tags ''

Exit codes: 0 done, 2 bad input.")]
pub(in crate::cli) struct AnnotateRunArguments {
    /// The run's name, or the start of it where only one fits.
    pub(in crate::cli) run: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    #[command(flatten)]
    pub(in crate::cli) said: Annotation,
}

/// What is said about something.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(in crate::cli) struct Annotation {
    /// Short words.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    tags: Option<Vec<String>>,
    /// Free text.
    #[arg(long, value_name = "TEXT")]
    notes: Option<String>,
}

impl Annotation {
    /// Tags and notes, given those there are.
    pub(in crate::cli) fn over(&self, tags: &[String], notes: &str) -> (Vec<String>, String) {
        let given = self.tags.as_ref().map(|tags| {
            let tags = tags.iter().map(|tag| tag.trim().to_owned());
            tags.filter(|tag| !tag.is_empty()).collect()
        });
        let tags = given.unwrap_or_else(|| tags.to_vec());
        (tags, self.notes.clone().unwrap_or_else(|| notes.to_owned()))
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each model becomes a folder: model.pt (TorchScript) and model.onnx, both with the scaler inside,
weights.safetensors, manifest.json, experiment.ron, example.json, README.md and score.py. A folder
from an earlier export is replaced whole; one that holds anything else is left alone.

Examples:
  walkforge export RUN --to models
  walkforge export RUN --to models --task BTC_USDT-1h-fold03
  walkforge runs export RUN --to models --refit

Exit codes: 0 done, 2 bad input, 130 cancelled.")]
pub(in crate::cli) struct ExportArguments {
    /// The run's name, or the start of it where only one fits.
    pub(in crate::cli) run: String,
    /// Folder to write to: one folder inside for each model.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) to: PathBuf,
    /// Only this task's model, as `walkforge runs show` names it.
    #[arg(long, value_name = "TASK")]
    pub(in crate::cli) task: Option<TaskId>,
    /// Only the models trained on all rows after the folds.
    #[arg(long, conflicts_with = "task")]
    pub(in crate::cli) refit: bool,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
}

impl RunsCommand {
    pub(super) const fn json(&self) -> bool {
        match self {
            Self::List(arguments) => arguments.json,
            Self::Show(arguments) => arguments.json,
            Self::Compare(arguments) => arguments.json,
            Self::Resume(arguments) => arguments.json,
            Self::Delete(_) | Self::Annotate(_) | Self::Export(_) => false,
        }
    }
}
