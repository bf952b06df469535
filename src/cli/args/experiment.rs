use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::DEFAULT_RUNS;
use crate::domain::{Symbol, Timeframe};
use crate::spec::{Assignment, DEFAULT_PRESET, DeviceChoice, SweepAxis};

/// Which experiment: a preset, and what is changed in it.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ExperimentArguments {
    /// A preset's name (mlp-return, lstm-direction, gru-barrier, tcn-return, transformer-direction, linear-return, cross-section-mlp) or a .ron file.
    #[arg(long, value_name = "NAME|FILE", default_value = DEFAULT_PRESET, value_hint = ValueHint::FilePath)]
    pub(in crate::cli) preset: String,
    /// Folder with market files; without it the preset's own data is used.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) data: Option<PathBuf>,
    /// Symbols, as the files spell them; without it every one in the folder.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(in crate::cli) symbols: Vec<Symbol>,
    /// Bar lengths; without it the preset's.
    #[arg(long, value_name = "1h,4h", value_delimiter = ',')]
    pub(in crate::cli) timeframes: Vec<Timeframe>,
    /// Change one field of the experiment, as in `training.max_epochs=2`; may be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(in crate::cli) set: Vec<Assignment>,
}

/// Which variants of it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Sweep")]
pub(in crate::cli) struct SweepArguments {
    /// Train a variant for each value of a field, as in `window=4,8`; values with commas as a list: `model.hidden=[[8],[16,16]]`. May be repeated: every value goes with every other.
    #[arg(long, value_name = "PATH=V1,V2")]
    pub(in crate::cli) sweep: Vec<SweepAxis>,
    /// Go through the values of all --sweep together, first with first: each needs as many.
    #[arg(long, requires = "sweep")]
    pub(in crate::cli) zip: bool,
    /// Train every variant with each of these seeds.
    #[arg(long, value_name = "1,2", value_delimiter = ',')]
    pub(in crate::cli) seeds: Vec<u64>,
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct TrainArguments {
    #[command(flatten)]
    pub(in crate::cli) experiment: ExperimentArguments,
    /// Tasks that train at the same time; never changes a result. Without it as many as the cores allow.
    #[arg(long, value_name = "N")]
    pub(in crate::cli) workers: Option<u32>,
    /// Where to compute: auto, cpu, cuda:N or mps. Without it the preset's choice, usually auto.
    #[arg(long)]
    pub(in crate::cli) device: Option<DeviceChoice>,
    /// Train every task, also one that an earlier run in the same folder has trained just so.
    #[arg(long)]
    pub(in crate::cli) no_reuse: bool,
    /// Folder for runs.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RUNS, value_hint = ValueHint::DirPath)]
    pub(in crate::cli) runs: PathBuf,
    /// Write event files for TensorBoard, a folder in here for each run; `plan` writes none.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) tensorboard: Option<PathBuf>,
    /// Print every event as one JSON line on stdout and nothing else there.
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Print only the result.
    #[arg(long)]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) sweep: SweepArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  walkforge window
  walkforge window --preset lstm-direction --data data/crypto
  walkforge window --sweep window=4,8 --seeds 1,2

Exit codes: 0 closed, 2 bad input or no window, with the reason.")]
pub(in crate::cli) struct WindowArguments {
    #[command(flatten)]
    pub(in crate::cli) experiment: ExperimentArguments,
    /// Folder for runs.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RUNS, value_hint = ValueHint::DirPath)]
    pub(in crate::cli) runs: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) sweep: SweepArguments,
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
            no_reuse: false,
            runs: DEFAULT_RUNS.into(),
            tensorboard: None,
            json: false,
            quiet: false,
            sweep: SweepArguments::default(),
        }
    }
}
