use std::path::PathBuf;

use clap::{Args, Parser};

use crate::domain::{Symbol, Timeframe};
use crate::spec::{Assignment, DEFAULT_PRESET, DeviceChoice};

/// Where runs live unless `--runs` says otherwise: beside the work, as other trackers do.
pub(super) const DEFAULT_RUNS: &str = "runs";

/// Trains trading models: walk-forward folds, out-of-sample metrics beside baselines, models exported to disk.
#[derive(Debug, Parser)]
#[command(
    name = "walkforge",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 some task failed, 2 bad input, 130 cancelled."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Subcommand>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Subcommand {
    /// Open the window, on this experiment.
    Window(WindowArguments),
    /// Train every fold of an experiment and compare it with the baselines.
    Train(TrainArguments),
    /// Show what `train` would do, without training.
    Plan(TrainArguments),
    /// Look at market data.
    Data {
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Look up what an experiment's features can be.
    Features {
        #[command(subcommand)]
        command: FeaturesCommand,
    },
    /// Look at earlier runs.
    Runs {
        #[command(subcommand)]
        command: RunsCommand,
    },
    /// Write a run's trained models to a folder: TorchScript, safetensors, manifest.
    Export(ExportArguments),
    /// Show what there is to compute on.
    Devices {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Which experiment: a preset, and what is changed in it.
#[derive(Debug, Clone, Args)]
pub(super) struct ExperimentArguments {
    /// A preset's name (mlp-return, lstm-direction, gru-barrier, tcn-return, transformer-direction, linear-return, cross-section-mlp) or a .ron file.
    #[arg(long, value_name = "NAME|FILE", default_value = DEFAULT_PRESET)]
    pub(super) preset: String,
    /// Folder with market files; without it the preset's own data is used.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Symbols, as the files spell them; without it every one in the folder.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(super) symbols: Vec<Symbol>,
    /// Bar lengths; without it the preset's.
    #[arg(long, value_name = "1h,4h", value_delimiter = ',')]
    pub(super) timeframes: Vec<Timeframe>,
    /// Change one field of the experiment, as in `training.max_epochs=2`; may be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<Assignment>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct TrainArguments {
    #[command(flatten)]
    pub(super) experiment: ExperimentArguments,
    /// Tasks that train at the same time; never changes a result. Without it as many as the cores allow.
    #[arg(long, value_name = "N")]
    pub(super) workers: Option<u32>,
    /// Where to compute: auto, cpu, cuda:N or mps. Without it the preset's choice, usually auto.
    #[arg(long)]
    pub(super) device: Option<DeviceChoice>,
    /// Folder for runs.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RUNS)]
    pub(super) runs: PathBuf,
    /// Print every event as one JSON line on stdout and nothing else there.
    #[arg(long)]
    pub(super) json: bool,
    /// Print only the result.
    #[arg(long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct WindowArguments {
    #[command(flatten)]
    pub(super) experiment: ExperimentArguments,
    /// Folder for runs.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RUNS)]
    pub(super) runs: PathBuf,
}

impl Default for ExperimentArguments {
    fn default() -> Self {
        Self {
            preset: DEFAULT_PRESET.to_owned(),
            data: None,
            symbols: Vec::new(),
            timeframes: Vec::new(),
            set: Vec::new(),
        }
    }
}

impl Default for TrainArguments {
    /// What `walkforge train` takes without arguments.
    fn default() -> Self {
        Self {
            experiment: ExperimentArguments::default(),
            workers: None,
            device: None,
            runs: DEFAULT_RUNS.into(),
            json: false,
            quiet: false,
        }
    }
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum DataCommand {
    /// Read a market file or a folder of them and say what is in it.
    Inspect {
        /// The file or folder.
        path: PathBuf,
        /// Print one JSON object a line, one for each file.
        #[arg(long)]
        json: bool,
    },
    /// Look for leaks in an experiment: features, labels, folds and fitted statistics, and the contrast with shuffled folds. Ends with 1
    /// where something leaks.
    CheckLeaks(CheckLeaksArguments),
    /// Show where bars that were read before are kept, and how much space they take.
    Cache {
        #[command(subcommand)]
        command: Option<CacheCommand>,
        /// Print one JSON object.
        #[arg(long, global = true)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub(super) enum CacheCommand {
    /// Remove them all; the next reading of each file takes longer.
    Clear,
}

#[derive(Debug, Args)]
pub(super) struct CheckLeaksArguments {
    #[command(flatten)]
    pub(super) experiment: ExperimentArguments,
    /// Do not train on honest and shuffled folds to compare them: seconds instead of minutes.
    #[arg(long)]
    pub(super) skip_contrast: bool,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum FeaturesCommand {
    /// List the kinds of features: how they are written, formula, unit, warm-up.
    List {
        /// Only those with all these words in name, group, formula or source.
        search: Vec<String>,
        /// Print one JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum RunsCommand {
    /// List the runs, newest first.
    List(RunsArguments),
    /// Show one run: its tasks, metrics and failures.
    Show {
        /// The run's name, or the start of it where only one fits.
        run: String,
        #[command(flatten)]
        arguments: RunsArguments,
    },
}

#[derive(Debug, Args)]
pub(super) struct RunsArguments {
    /// Folder with runs.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RUNS)]
    pub(super) runs: PathBuf,
    /// Print one JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The run's name, or the start of it where only one fits.
    pub(super) run: String,
    /// Folder to write to: one folder inside for each task.
    #[arg(long, value_name = "DIR")]
    pub(super) to: PathBuf,
    /// Folder with runs.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RUNS)]
    pub(super) runs: PathBuf,
}

impl Arguments {
    pub(super) const fn json(&self) -> bool {
        match &self.command {
            Some(Subcommand::Train(arguments) | Subcommand::Plan(arguments)) => arguments.json,
            Some(
                Subcommand::Data {
                    command:
                        DataCommand::Inspect { json, .. }
                        | DataCommand::Cache { json, .. }
                        | DataCommand::CheckLeaks(CheckLeaksArguments { json, .. }),
                }
                | Subcommand::Features { command: FeaturesCommand::List { json, .. } }
                | Subcommand::Devices { json },
            ) => *json,
            Some(Subcommand::Runs {
                command: RunsCommand::List(arguments) | RunsCommand::Show { arguments, .. },
            }) => arguments.json,
            Some(Subcommand::Window(_) | Subcommand::Export(_)) | None => false,
        }
    }

    pub(super) const fn quiet(&self) -> bool {
        matches!(&self.command, Some(Subcommand::Train(arguments) | Subcommand::Plan(arguments)) if arguments.quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn defaults_are_those_of_an_empty_command_line() {
        let parsed = Arguments::try_parse_from(["walkforge", "train"]).unwrap();
        let Some(Subcommand::Train(parsed)) = parsed.command else { panic!("{parsed:?}") };
        assert_eq!(format!("{parsed:?}"), format!("{:?}", TrainArguments::default()));
    }
}
