use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::ExperimentArguments;

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum DataCommand {
    /// Read a market file or a folder of them and say what is in it.
    #[command(after_help = "\
Examples:
  walkforge data inspect data/crypto
  walkforge data inspect data/crypto/BTC_USDT-1h.feather --json

Exit codes: 0 every file can be used, 2 one cannot.")]
    Inspect {
        /// The file or folder.
        #[arg(value_hint = ValueHint::AnyPath)]
        path: PathBuf,
        /// Print one JSON object a line, one for each file.
        #[arg(long)]
        json: bool,
    },
    /// Look for leaks in an experiment: features, labels, folds and fitted statistics, and the contrast with shuffled folds.
    CheckLeaks(CheckLeaksArguments),
    /// Show where bars that were read before are kept, and how much space they take.
    #[command(after_help = "\
Examples:
  walkforge data cache
  walkforge data cache clear

The folder is that of the environment variable WALKFORGE_CACHE, or the system's for caches;
WALKFORGE_CACHE=off switches it off.")]
    Cache {
        #[command(subcommand)]
        command: Option<CacheCommand>,
        /// Print one JSON object.
        #[arg(long, global = true)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub(in crate::cli) enum CacheCommand {
    /// Remove them all; the next reading of each file takes longer.
    Clear,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  walkforge data check-leaks --preset lstm-direction --data data/crypto --symbols BTC_USDT
  walkforge data check-leaks --skip-contrast --json

Exit codes: 0 no leak was found, 1 something leaks, 2 bad input.")]
pub(in crate::cli) struct CheckLeaksArguments {
    #[command(flatten)]
    pub(in crate::cli) experiment: ExperimentArguments,
    /// Do not train on honest and shuffled folds to compare them: seconds instead of minutes.
    #[arg(long)]
    pub(in crate::cli) skip_contrast: bool,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
A row for every bar: time (when it closes, UTC), symbol, timeframe, bar (its number within the
series), a column for each feature as it is before scaling, empty where it is not defined, and
window_complete: whether a model can predict at this row; not where the bar is still forming. The
score.py of an exported model reads such a file.

Examples:
  walkforge features --preset lstm-direction --out features.parquet
  walkforge features --data data/crypto --symbols BTC_USDT --timeframes 1h --out btc.csv
  walkforge features list momentum

Exit codes: 0 done, 2 bad input, 130 cancelled."
)]
pub(in crate::cli) struct FeaturesArguments {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<FeaturesCommand>,
    #[command(flatten)]
    pub(in crate::cli) experiment: ExperimentArguments,
    /// File to write the features to: .parquet or .csv.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) out: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum FeaturesCommand {
    /// List the kinds of features: how they are written, formula, unit, warm-up.
    List(ListFeaturesArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  walkforge features list
  walkforge features list wilder index
  walkforge features list --json rsi")]
pub(in crate::cli) struct ListFeaturesArguments {
    /// Only those with all these words in name, group, formula or source.
    pub(in crate::cli) search: Vec<String>,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

impl DataCommand {
    pub(super) const fn json(&self) -> bool {
        match self {
            Self::Inspect { json, .. }
            | Self::Cache { json, .. }
            | Self::CheckLeaks(CheckLeaksArguments { json, .. }) => *json,
        }
    }
}

impl FeaturesArguments {
    pub(super) const fn json(&self) -> bool {
        matches!(&self.command, Some(FeaturesCommand::List(arguments)) if arguments.json)
    }
}
