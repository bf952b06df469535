use super::args::{ExperimentArguments, SweepArguments, TrainArguments, WindowArguments};
use crate::spec::{Combine, ExperimentSpec, apply, load};

/// The experiment to train: the preset, then the flags, then every `--set` in order.
pub(super) fn spec(arguments: &TrainArguments) -> anyhow::Result<ExperimentSpec> {
    let mut spec = with_flags(&arguments.experiment)?;
    spec.resources.workers = arguments.workers.or(spec.resources.workers);
    spec.resources.device = arguments.device.unwrap_or(spec.resources.device);
    spec.resources.reuse &= !arguments.no_reuse;
    sweep(&mut spec, &arguments.sweep);
    Ok(apply(&spec, &arguments.experiment.set)?)
}

/// The experiment that the window opens on.
pub(super) fn of_window(arguments: &WindowArguments) -> anyhow::Result<ExperimentSpec> {
    let mut spec = with_flags(&arguments.experiment)?;
    sweep(&mut spec, &arguments.sweep);
    Ok(apply(&spec, &arguments.experiment.set)?)
}

/// The experiment that the arguments describe.
pub(super) fn described(arguments: &ExperimentArguments) -> anyhow::Result<ExperimentSpec> {
    Ok(apply(&with_flags(arguments)?, &arguments.set)?)
}

fn with_flags(arguments: &ExperimentArguments) -> anyhow::Result<ExperimentSpec> {
    let mut spec = load(&arguments.preset)?;
    if let Some(folder) = &arguments.data {
        spec.use_folder(folder);
    }
    if !arguments.symbols.is_empty() {
        spec.data.symbols.clone_from(&arguments.symbols);
    }
    if !arguments.timeframes.is_empty() {
        spec.data.timeframes.clone_from(&arguments.timeframes);
    }
    Ok(spec)
}

/// What is given takes the place of the file's own sweep, axes and seeds each for themselves.
fn sweep(spec: &mut ExperimentSpec, arguments: &SweepArguments) {
    if !arguments.sweep.is_empty() {
        spec.sweep.axes.clone_from(&arguments.sweep);
        spec.sweep.combine = if arguments.zip { Combine::List } else { Combine::Grid };
    }
    if !arguments.seeds.is_empty() {
        spec.sweep.seeds.clone_from(&arguments.seeds);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use proptest::prelude::*;

    use super::super::args::{Arguments, Subcommand};
    use super::*;
    use crate::spec::{Assignment, PRESETS, SweepAxis, command_line};

    /// What a shell and this program make of a command line.
    fn parsed(line: &str) -> ExperimentSpec {
        let words = shlex::split(line).expect("it is well quoted");
        let arguments = Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        let Some(Subcommand::Train(arguments)) = arguments.command else { panic!("{line}") };
        spec(&arguments).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[track_caller]
    fn survives(spec: &ExperimentSpec) {
        let line = command_line(spec).expect("its folder is Unicode");
        assert_eq!(parsed(&line), *spec, "{line}");
    }

    #[test]
    fn every_preset_is_its_own_command_line() {
        for preset in PRESETS {
            let spec = load(preset.name).unwrap();
            let line = command_line(&spec);
            assert_eq!(line, Some(format!("walkforge train --preset {}", preset.name)));
            survives(&spec);
        }
    }

    /// One change of every kind a specification knows.
    const CHANGES: [&str; 31] = [
        "name=two words",
        "name=\"null\"",
        "name=it's $HOME \"quoted\" `x` \\",
        "notes=",
        "notes= spaced ",
        r#"notes="a line\nand another""#,
        "seed=18446744073709551615",
        r#"data.source={"Folder":"/some where/data"}"#,
        r#"data.source={"Folder":"relative"}"#,
        r#"data.source={"Folder":"--odd"}"#,
        r#"data.source={"Synthetic":{"market":"Null","bars":5000,"seed":2}}"#,
        r#"data.symbols=["BTC_USDT","ETH_USDT"]"#,
        "data.symbols=[]",
        r#"data.timeframes=["4h","1d"]"#,
        "data.timeframes=[]",
        "data.pooling=Pooled",
        "data.from=2024-01-01T00:00:00Z",
        "data.quality.unreadable=Reject",
        r#"features=["TimeOfDay",{"LogReturn":{"lag":2}}]"#,
        r#"label={"Direction":{"horizon":4}}"#,
        r#"model={"Lstm":{"hidden":16,"layers":1,"dropout":0.0}}"#,
        "model=Linear",
        "training.learning_rate=0.0003",
        "training.patience=null",
        r#"training.loss={"Huber":{"delta":0.5}}"#,
        "costs.fee_bps=0.1",
        "resources.device=cuda:1",
        "resources.workers=2",
        "resources.reuse=false",
        "resources.memory_fraction=0.5",
        "weights.uniqueness=true",
    ];

    #[test]
    fn every_kind_of_change_survives_on_every_preset() {
        for preset in PRESETS {
            for change in CHANGES {
                let change: Assignment = change.parse().unwrap();
                let changed = apply(&load(preset.name).unwrap(), std::slice::from_ref(&change));
                survives(&changed.unwrap_or_else(|error| panic!("{change}: {error}")));
            }
        }
    }

    fn any_axis() -> impl Strategy<Value = SweepAxis> {
        let values = prop_oneof![
            "[-a-zA-Z0-9.]{1,6}",
            "[0-9]{1,3}",
            Just("[8,16]".to_owned()),
            Just(r#"{"Huber":{"delta":1.0}}"#.to_owned()),
            Just("a, b".to_owned()),
            Just(" x".to_owned()),
        ];
        ("[a-z]{1,5}(\\.[a-z_]{1,5})?(\\[[0-9]\\])?", proptest::collection::vec(values, 0..4))
            .prop_map(|(path, values)| SweepAxis { path, values })
    }

    proptest! {
        // Each compares with every preset.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_changed_experiment_survives_as_a_command_line(
            preset in 0..PRESETS.len(),
            changes in proptest::sample::subsequence(CHANGES.to_vec(), 0..6),
            axes in proptest::collection::vec(any_axis(), 0..3),
            seeds in proptest::collection::vec(any::<u64>(), 0..3),
            list in any::<bool>(),
        ) {
            let changes: Vec<Assignment> = changes.iter().map(|change| change.parse().unwrap()).collect();
            let mut spec = apply(&load(PRESETS[preset].name).unwrap(), &changes).unwrap();
            // Without axes there is nothing to go through together.
            spec.sweep.combine = if list && !axes.is_empty() { Combine::List } else { Combine::Grid };
            spec.sweep.axes = axes;
            spec.sweep.seeds = seeds;
            let line = command_line(&spec).expect("its folder is Unicode");
            prop_assert_eq!(parsed(&line), spec, "{}", line);
        }
    }

    #[test]
    fn a_list_without_axes_survives_too() {
        let mut spec = load("mlp-return").unwrap();
        spec.sweep.combine = Combine::List;
        survives(&spec);
    }
}
