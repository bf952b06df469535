use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::runs::{Annotation, Place};
use crate::domain::{Symbol, TaskId, Timeframe};
use crate::runs::ModelStage;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum ModelsCommand {
    /// List the named models, by name and version.
    List(ListModelsArguments),
    /// Show one: where it comes from, what it was trained on, and how it compares with the champion.
    Show(ShowModelArguments),
    /// Give a finished task's model a name: it becomes the next version, a candidate.
    Register(RegisterArguments),
    /// Say what a model is good for: a champion replaces the one there is, which is archived.
    Promote(PromoteArguments),
    /// Take a model out of use; the same as `promote MODEL --to archived`.
    Archive(ChosenModelArguments),
    /// Give a model tags and notes.
    #[command(visible_alias = "tag")]
    Annotate(AnnotateModelArguments),
    /// Forget a name and version; the run keeps its files.
    Remove(RemoveModelArguments),
    /// Predict from raw bars; the same as `walkforge predict`.
    Predict(PredictArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  walkforge models list
  walkforge models list --stage champion --json

Exit codes: 0 done, 2 bad input.")]
pub(in crate::cli) struct ListModelsArguments {
    /// Only those with all these words in name, run, task, tags or notes.
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    pub(in crate::cli) filter: String,
    /// Only those of this stage: candidate, champion or archived.
    #[arg(long)]
    pub(in crate::cli) stage: Option<ModelStage>,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  walkforge models show trend
  walkforge models show trend@2 --json

Exit codes: 0 done, 2 bad input.")]
pub(in crate::cli) struct ShowModelArguments {
    /// NAME@VERSION, NAME@champion, or NAME alone: its champion, else its newest version that is not archived.
    pub(in crate::cli) model: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Print one JSON object.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  walkforge models register trend --run RUN
  walkforge models register trend --run RUN --task BTC_USDT-1h-fold03

Exit codes: 0 done, 2 bad input.")]
pub(in crate::cli) struct RegisterArguments {
    /// What to call it.
    pub(in crate::cli) name: String,
    /// The run it comes from: its name, or the start of it where only one fits.
    #[arg(long, value_name = "RUN")]
    pub(in crate::cli) run: String,
    /// Which of its tasks; without it the only finished one, or the only one trained on all rows.
    #[arg(long, value_name = "TASK")]
    pub(in crate::cli) task: Option<TaskId>,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  walkforge models promote trend@2
  walkforge models promote trend@2 --to archived

Exit codes: 0 done, 2 bad input.")]
pub(in crate::cli) struct PromoteArguments {
    /// NAME@VERSION, or NAME alone where it has only one version.
    pub(in crate::cli) model: String,
    /// What for: candidate, champion or archived.
    #[arg(long, value_name = "STAGE", default_value = "champion")]
    pub(in crate::cli) to: ModelStage,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  walkforge models archive trend@2

Exit codes: 0 done, 2 bad input.")]
pub(in crate::cli) struct ChosenModelArguments {
    /// NAME@VERSION, or NAME alone where it has only one version.
    pub(in crate::cli) model: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What is given replaces what was there; what is not given stays. An empty text removes it.

Examples:
  walkforge models annotate trend@2 --notes 'live since March'
  walkforge models tag trend@2 --tags live

Exit codes: 0 done, 2 bad input.")]
pub(in crate::cli) struct AnnotateModelArguments {
    /// NAME@VERSION, or NAME alone where it has only one version.
    pub(in crate::cli) model: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    #[command(flatten)]
    pub(in crate::cli) said: Annotation,
}

#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal it asks first; elsewhere it needs --yes.

Example:
  walkforge models remove trend@1 --yes

Exit codes: 0 done, 2 bad input, 130 not confirmed.")]
pub(in crate::cli) struct RemoveModelArguments {
    /// NAME@VERSION, or NAME alone where it has only one version.
    pub(in crate::cli) model: String,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
    /// Do not ask.
    #[arg(long)]
    pub(in crate::cli) yes: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Features are computed from the bars as in training: name a folder with the same kind of files.
Bars whose window is not whole, or that are still forming, get no prediction. Without --out the
last predictions are shown.

Examples:
  walkforge predict models/BTC_USDT-1h-fold03 --data data/crypto --out predictions.parquet
  walkforge predict trend --data data/crypto --symbols BTC_USDT
  walkforge models predict trend@2 --data data/crypto --out predictions.csv

Exit codes: 0 done, 2 bad input, 130 cancelled.")]
pub(in crate::cli) struct PredictArguments {
    /// The folder of an exported model or a file in it, or a named one: NAME, NAME@VERSION, NAME@champion.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(in crate::cli) model: String,
    /// Folder with market files.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) data: PathBuf,
    /// Symbols, as the files spell them; without it those the model was trained on.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(in crate::cli) symbols: Vec<Symbol>,
    /// Bar lengths; without it those the model was trained on.
    #[arg(long, value_name = "1h,4h", value_delimiter = ',')]
    pub(in crate::cli) timeframes: Vec<Timeframe>,
    /// File to write every prediction to: .parquet or .csv.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) out: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) place: Place,
}

impl ModelsCommand {
    pub(super) const fn json(&self) -> bool {
        match self {
            Self::List(arguments) => arguments.json,
            Self::Show(arguments) => arguments.json,
            Self::Register(_)
            | Self::Promote(_)
            | Self::Archive(_)
            | Self::Annotate(_)
            | Self::Remove(_)
            | Self::Predict(_) => false,
        }
    }
}
