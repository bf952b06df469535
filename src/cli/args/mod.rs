mod data;
mod experiment;
mod models;
mod runs;

use std::path::PathBuf;

use clap::{Parser, ValueHint};
use clap_complete::Shell;

pub(super) use data::{
    CacheCommand, CheckLeaksArguments, DataCommand, FeaturesArguments, FeaturesCommand,
};
pub(super) use experiment::{ExperimentArguments, SweepArguments, TrainArguments, WindowArguments};
pub(super) use models::{
    ListModelsArguments, ModelsCommand, PredictArguments, RegisterArguments, ShowModelArguments,
};
pub(super) use runs::{
    AnnotateRunArguments, CompareArguments, DeleteArguments, ExportArguments, ListRunsArguments,
    ResumeArguments, RunsCommand,
};

pub(super) use crate::spec::DEFAULT_RUNS;

/// Trains trading models: walk-forward folds, out-of-sample metrics beside baselines, models exported to disk.
#[derive(Debug, Parser)]
#[command(
    name = "walkforge",
    version,
    max_term_width = 100,
    after_help = "\
Without a command it opens the window, or trains the default experiment where there is no screen.

Examples:
  walkforge train                              the default experiment, in seconds
  walkforge plan --data data/crypto            what would be done, before anything is
  walkforge train --sweep window=4,8 --seeds 1,2
  walkforge runs list                          what has been trained
  walkforge runs resume RUN                    go on with what was interrupted
  walkforge doctor                             what is wrong here, and how to mend it

Exit codes: 0 done, 1 some task failed or some check found a problem, 2 bad input, 130 cancelled."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Subcommand>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Subcommand {
    /// Open the window, on this experiment.
    Window(WindowArguments),
    /// Train every fold of an experiment, or of each variant of a sweep, and compare it with the baselines.
    #[command(after_help = "\
Ctrl-C lets every task write a checkpoint and stops within seconds; it then shows the command
that goes on from there, `walkforge runs resume RUN`. A second Ctrl-C cancels at once, without
checkpoints.

Examples:
  walkforge train --preset lstm-direction --data data/crypto --symbols BTC_USDT --timeframes 1h
  walkforge train --set training.max_epochs=5 --set 'model.hidden=[128,64]'
  walkforge train --sweep training.learning_rate=0.01,0.001 --sweep window=4,8 --seeds 1,2
  walkforge train --preset runs/RUN/spec.ron --json

Exit codes: 0 done, 1 some task failed, 2 bad input, 130 stopped; of several runs the worst.")]
    Train(TrainArguments),
    /// Show what `train` would do, without training.
    #[command(after_help = "\
Reads the data, cuts the folds and chooses the device. Memory and disk are estimates; the time is
what earlier runs in the same folder let expect at most, and unknown until one like it has
finished. Takes the same arguments as `train`; --json prints one JSON object, for a sweep one
each variant.

Examples:
  walkforge plan --data data/crypto --symbols BTC_USDT,ETH_USDT --timeframes 1h
  walkforge plan --sweep training.learning_rate=0.01,0.001 --sweep window=4,8 --seeds 1,2

Exit codes: 0 done, 2 bad input.")]
    Plan(TrainArguments),
    /// Look at market data.
    Data {
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Write an experiment's features to a file, or look up what features there are.
    Features(FeaturesArguments),
    /// Look at runs, compare them, go on with them, remove them.
    Runs {
        #[command(subcommand)]
        command: RunsCommand,
    },
    /// Name trained models, say which one is in use, predict with them.
    Models {
        #[command(subcommand)]
        command: ModelsCommand,
    },
    /// Predict with an exported or named model from raw bars.
    Predict(PredictArguments),
    /// Write a run's trained models to a folder, each as a bundle for other programs.
    Export(ExportArguments),
    /// Show what there is to compute on.
    #[command(after_help = "\
Example:
  walkforge devices --json

`walkforge doctor` says what is wrong where something is missing. Exit codes: 0 done, 2 bad
input.")]
    Devices {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Find out what is wrong with this installation, and which command mends it.
    Doctor(DoctorArguments),
    /// Write a script that completes commands and options in your shell.
    Completions(CompletionsArguments),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Looks at libtorch, CUDA, the NVIDIA driver, the display, the folders for runs, cache and
temporary files, the index of the runs, memory and processors. Each line says ok, warning or
problem; where something is wrong, the line below says what mends it.

Examples:
  walkforge doctor
  walkforge doctor --runs /data/runs --json

Exit codes: 0 no problem (warnings may be there), 1 a problem, 2 bad input.")]
pub(super) struct DoctorArguments {
    /// Folder for runs.
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RUNS, value_hint = ValueHint::DirPath)]
    pub(super) runs: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bash        walkforge completions bash > ~/.local/share/bash-completion/completions/walkforge
  zsh         walkforge completions zsh > ~/.zfunc/_walkforge     (a folder in your fpath)
  fish        walkforge completions fish > ~/.config/fish/completions/walkforge.fish
  powershell  walkforge completions powershell >> $PROFILE
  elvish      walkforge completions elvish >> ~/.config/elvish/rc.elv

They hold from the next shell on.")]
pub(super) struct CompletionsArguments {
    /// The shell.
    pub(super) shell: Shell,
}

impl Arguments {
    /// Whether stdout is for programs.
    pub(super) const fn json(&self) -> bool {
        let Some(command) = &self.command else { return false };
        match command {
            Subcommand::Train(arguments) | Subcommand::Plan(arguments) => arguments.json,
            Subcommand::Data { command } => command.json(),
            Subcommand::Features(arguments) => arguments.json(),
            Subcommand::Runs { command } => command.json(),
            Subcommand::Models { command } => command.json(),
            Subcommand::Devices { json } => *json,
            Subcommand::Doctor(arguments) => arguments.json,
            Subcommand::Predict(_)
            | Subcommand::Window(_)
            | Subcommand::Export(_)
            | Subcommand::Completions(_) => false,
        }
    }

    /// Whether only the result is wanted.
    pub(super) const fn quiet(&self) -> bool {
        match &self.command {
            Some(Subcommand::Train(arguments) | Subcommand::Plan(arguments)) => arguments.quiet,
            Some(Subcommand::Runs { command: RunsCommand::Resume(arguments) }) => arguments.quiet,
            _ => false,
        }
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

    /// The lines of a command's help that show how it is used, and those of the commands in it.
    fn examples(command: &clap::Command, found: &mut Vec<String>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().filter_map(|line| line.strip_prefix("  walkforge"));
        // What stands behind two spaces explains it; pipes and files are the shell's.
        found.extend(lines.map(|line| {
            let line = line.trim_start().split("  ").next().unwrap_or(line);
            let line = [" | ", " > "].into_iter().fold(line, |line, shell| {
                line.split_once(shell).map_or(line, |(before, _)| before)
            });
            format!("walkforge {}", line.trim())
        }));
        command.get_subcommands().for_each(|command| examples(command, found));
    }

    #[test]
    fn the_examples_of_help_are_understood() {
        use clap::CommandFactory;
        let mut found = Vec::new();
        examples(&Arguments::command(), &mut found);
        assert!(found.len() > 40, "{found:?}");
        for example in &found {
            let words = shlex::split(example).expect("it is well quoted");
            if let Err(error) = Arguments::try_parse_from(words) {
                panic!("{example}: {error}");
            }
        }
    }

    #[test]
    fn every_command_says_how_it_ends_or_how_it_is_used() {
        use clap::CommandFactory;
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let is_group = command.has_subcommands() && command.is_subcommand_required_set();
            assert!(
                is_group || command.get_after_help().is_some() || path.ends_with("clear"),
                "`{path} --help` has no examples"
            );
            assert!(command.get_about().is_some(), "{path}");
            // clap leaves two columns free, and would break the line once more.
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines() {
                assert!(line.chars().count() <= 98, "`{path} --help`: {line}");
            }
            command.get_subcommands().for_each(|command| check(command, &path));
        }
        check(&Arguments::command(), "");
    }

    #[test]
    fn defaults_are_those_of_an_empty_command_line() {
        let parsed = Arguments::try_parse_from(["walkforge", "train"]).unwrap();
        let Some(Subcommand::Train(parsed)) = parsed.command else { panic!("{parsed:?}") };
        assert_eq!(format!("{parsed:?}"), format!("{:?}", TrainArguments::default()));
    }
}
