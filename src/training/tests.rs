//! The loop as a whole: where it may stop and go on, what it survives, and what it says when it cannot.

use proptest::prelude::*;

use super::fixture_tests::{Fixture, InMemory, SEEDS, Watcher, bits, interrupted, timeless};
use super::{NoCheckpoints, Signals, TrainError, Trainer, samples_per_second};
use crate::domain::{Cancel, Determinism, Device, FoldPlan, TimeSpan};
use crate::spec::Precision;
use crate::torch::faults::{Place, Plan};

const CUDA_SHORT: &str = "CUDA out of memory. Tried to allocate 2.00 GiB.";

fn any_training() -> impl Strategy<Value = (Vec<String>, u32)> {
    let model = prop_oneof![
        Just(r#"model={"Mlp":{"hidden":[12],"activation":"Tanh","dropout":0.3}}"#),
        Just(r#"model={"Lstm":{"hidden":4,"layers":2,"dropout":0.3}}"#),
        Just(r#"model={"Tcn":{"channels":[4,4],"kernel_size":2,"dropout":0.3}}"#),
        Just(
            r#"model={"Transformer":{"d_model":8,"heads":2,"layers":1,"feedforward":8,"dropout":0.3,"tokens":"Causal"}}"#
        ),
    ];
    let optimizer = prop_oneof![
        Just(r#"training.optimizer={"AdamW":{}}"#),
        Just(r#"training.optimizer={"Adam":{}}"#),
        Just(r#"training.optimizer={"Sgd":{"momentum":0.9,"nesterov":true}}"#),
        Just(r#"training.optimizer={"Sgd":{}}"#),
    ];
    let schedule = prop_oneof![
        Just(r#"training.schedule="Constant""#),
        Just(r#"training.schedule={"Cosine":{"warmup_epochs":0.5,"final_share":0.1}}"#),
        Just(r#"training.schedule={"Plateau":{"factor":0.5,"patience":0}}"#),
    ];
    let batch = 20_u32..400;
    let rest = prop_oneof![
        Just("training.patience=1"),
        Just("training.monitor=RankIc"),
        Just("training.accumulate_grad_batches=2"),
        Just("training.max_steps=7"),
        Just(r#"training.precision="Bf16""#),
    ];
    (model, optimizer, schedule, batch, rest, 1_u32..12).prop_map(
        |(model, optimizer, schedule, batch, rest, every)| {
            let batch = format!("training.batch_size={batch}");
            let set = [model, optimizer, schedule, &batch, rest].map(str::to_owned).to_vec();
            (set, every)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn training_goes_on_from_any_step_with_the_same_bits((set, every) in any_training()) {
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let fixture = Fixture::new(&set, 1);
        // Not every processor has every layer in half precision; the plan asks before.
        let is_possible = samples_per_second(&fixture.spec, 5, (Device::Cpu, 32)).is_ok();
        prop_assume!(is_possible || fixture.spec.training.precision == Precision::F32);
        let (whole, trained) = fixture.trained();
        let (resumed, again, began) = interrupted(&fixture, every);
        prop_assert_eq!(began as u64, 1 + (trained.steps - 1) / u64::from(every).max(1), "{} steps", trained.steps);
        prop_assert_eq!(timeless(&again), timeless(&trained));
        prop_assert_eq!(again.steps, trained.steps);
        prop_assert!(resumed == whole, "{:?} every {} steps", set, every);
        prop_assert_eq!(again.determinism, Determinism::BitForBit);
    }
}

#[test]
fn checkpoints_change_nothing_and_a_full_disk_ends_nothing() {
    let fixture = Fixture::new(&[], 1);
    let (whole, trained) = fixture.trained();
    for full in [false, true] {
        let network = fixture.network();
        let trainer = Trainer {
            network: &network,
            data: &fixture.data,
            spec: &fixture.spec,
            seeds: SEEDS,
            device: Device::Cpu,
        };
        let mut keeper = InMemory { every: 4, full, ..InMemory::default() };
        let mut watcher = Watcher::default();
        let again = trainer.run(&Signals::default(), &mut keeper, &mut watcher).unwrap();
        assert_eq!(timeless(&again), timeless(&trained));
        assert!(bits(&network) == whole);
        assert_eq!(keeper.kept.is_none(), full);
        assert_eq!(watcher.warnings.iter().any(|text| text.contains("disk is full")), full);
        let signals = Signals::default();
        signals.pause.pause();
        // Somebody asks to stand still where nothing can be kept: it goes on instead of losing everything.
        let ended = trainer.run(&signals, &mut keeper, &mut watcher);
        assert_eq!(matches!(ended, Err(TrainError::Paused { .. })), !full, "{ended:?}");
        // Told where it was asked for and where one is due, not at each of a dozen steps, twice.
        assert!(watcher.warnings.len() <= 8, "{:?}", watcher.warnings);
    }
}

#[test]
fn a_checkpoint_of_another_network_is_refused() {
    let fixture = Fixture::new(&[], 1);
    let mut keeper = InMemory { every: 2, ..InMemory::default() };
    let network = fixture.network();
    let (data, device, spec) = (&fixture.data, Device::Cpu, &fixture.spec);
    let trainer = Trainer { network: &network, data, spec, seeds: SEEDS, device };
    trainer.run(&Signals::default(), &mut keeper, &mut Watcher::default()).unwrap();
    let other =
        Fixture::new(&[r#"model={"Mlp":{"hidden":[5],"activation":"Tanh","dropout":0.3}}"#], 1);
    let network = other.network();
    let trainer = Trainer { network: &network, spec: &other.spec, ..trainer };
    let error = trainer.run(&Signals::default(), &mut keeper, &mut Watcher::default());
    let message = error.unwrap_err().to_string();
    assert!(
        message.contains("checkpoint cannot be used") && message.contains("shape"),
        "{message}"
    );
}

#[test]
fn where_memory_is_short_a_batch_goes_through_in_parts_with_the_same_loss() {
    // Without dropout the parts have the very gradients of the whole.
    let no_dropout = r#"model={"Mlp":{"hidden":[12],"activation":"Tanh","dropout":0.0}}"#;
    for set in [
        &[no_dropout][..],
        &[
            no_dropout,
            "label={\"Direction\":{\"horizon\":2}}",
            "training.loss=\"BalancedCrossEntropy\"",
        ],
    ] {
        let fixture = Fixture::new(set, 1);
        let (_, whole) = fixture.train(&mut Watcher::default()).unwrap();
        let faults = Plan::new(&[(Place::Step, 2, CUDA_SHORT), (Place::Step, 0, CUDA_SHORT)]);
        let mut watcher = Watcher::default();
        let (_, parts) = fixture.train(&mut watcher).unwrap();
        assert_eq!((faults.happened(), watcher.warnings.len()), (2, 2), "{:?}", watcher.warnings);
        assert!(
            watcher.warnings[0].contains("at 64 samples")
                && watcher.warnings[0].contains("parts of 32"),
            "{:?}",
            watcher.warnings
        );
        assert!(watcher.warnings[1].contains("parts of 16"), "{:?}", watcher.warnings);
        assert!(
            matches!(&parts.determinism, Determinism::No { because } if because.contains("memory"))
        );
        assert_eq!(whole.determinism, Determinism::BitForBit);
        for (whole, parts) in whole.history.iter().zip(&parts.history) {
            assert!((whole.train_loss - parts.train_loss).abs() < 1e-5, "{whole:?} {parts:?}");
            let losses = whole.validation_loss.zip(parts.validation_loss);
            assert!(losses.is_some_and(|(a, b)| (a - b).abs() < 1e-5), "{whole:?} {parts:?}");
        }
    }
}

#[test]
fn a_task_that_is_short_of_memory_three_times_is_given_up_with_advice() {
    let fixture = Fixture::new(&[], 1);
    let _faults = Plan::new(&[(Place::Step, 0, CUDA_SHORT); 3]);
    let (error, watcher) = fixture.fails();
    let message = error.to_string();
    assert!(matches!(error, TrainError::OutOfMemory { .. }), "{message}");
    assert!(
        message.contains("lower training.batch_size") && message.contains("2.00 GiB"),
        "{message}"
    );
    assert_eq!(watcher.warnings.len(), 2);
}

#[test]
fn a_loss_that_cannot_be_taken_in_parts_fails_with_advice() {
    let set = ["data.pooling=Pooled", "training.loss=NegativeIc", "training.batch_size=120"];
    let fixture = pooled(&set);
    let (_, trained) = fixture.trained();
    assert!(trained.best.validation_loss.is_some_and(|loss| loss < 0.0), "{:?}", trained.best);
    let _faults = Plan::new(&[(Place::Step, 2, CUDA_SHORT)]);
    let (error, _) = fixture.fails();
    let message = error.to_string();
    assert!(message.contains("cannot be computed in parts"), "{message}");
}

/// Twelve symbols.
fn pooled(set: &[&str]) -> Fixture {
    Fixture::new(set, 12)
}

#[test]
fn memory_that_is_short_while_validating_halves_the_rows_at_once() {
    let fixture = Fixture::new(&[], 1);
    let (_, whole) = fixture.train(&mut Watcher::default()).unwrap();
    let faults = Plan::new(&[(Place::Evaluation, 1, CUDA_SHORT)]);
    let mut watcher = Watcher::default();
    let (_, parts) = fixture.train(&mut watcher).unwrap();
    assert_eq!(faults.happened(), 1);
    assert!(watcher.warnings[0].contains("while validating"), "{:?}", watcher.warnings);
    assert!(matches!(parts.determinism, Determinism::No { .. }));
    for (whole, parts) in whole.history.iter().zip(&parts.history) {
        let losses = whole.validation_loss.zip(parts.validation_loss);
        assert!(losses.is_some_and(|(a, b)| (a - b).abs() < 1e-6));
    }
}

#[test]
fn a_device_that_fails_ends_the_training_as_lost() {
    let fixture = Fixture::new(&[], 1);
    let _faults =
        Plan::new(&[(Place::Step, 4, "CUDA error: an illegal memory access was encountered")]);
    let (error, _) = fixture.fails();
    assert!(matches!(&error, TrainError::Torch(error) if error.is_device_lost()), "{error}");
}

#[test]
fn a_loss_that_leaves_the_numbers_is_told_with_its_place() {
    let linear = "model=Linear";
    let fixture = Fixture::new(
        &[linear, "training.learning_rate=1e30", "training.gradient_clip_val=null"],
        1,
    );
    let (error, watcher) = fixture.fails();
    let TrainError::Diverged(divergence) = &error else { panic!("{error}") };
    assert_eq!((divergence.epoch, divergence.of, divergence.last_good), (1, 4, None));
    let (first, last) = divergence.batches.unwrap();
    assert!(first == last && (2..=4).contains(&first), "{divergence:?}");
    let message = error.to_string();
    assert!(
        message.contains("epoch 1, batch")
            && message.contains("1e30")
            && message.contains("lower training.learning_rate"),
        "{message}"
    );
    assert_eq!(watcher.epochs, 0, "no silent curve");

    let slow = [
        "model=Linear",
        "training.learning_rate=5.0",
        "training.gradient_clip_val=null",
        "training.optimizer={\"Sgd\":{}}",
        "training.max_epochs=60",
    ];
    let (error, watcher) = Fixture::new(&slow, 1).fails();
    let TrainError::Diverged(divergence) = &error else { panic!("{error}") };
    assert!(watcher.epochs >= 1 || divergence.epoch == 1, "{error}");
}

#[test]
fn limits_on_steps_and_time_keep_what_was_learnt() {
    let (_, trained) = Fixture::new(&["training.max_steps=7"], 1).trained();
    assert_eq!((trained.steps, trained.history.len()), (7, 2), "four steps an epoch");
    assert_eq!(trained.determinism, Determinism::BitForBit);
    let (_, trained) = Fixture::new(&["training.max_minutes=1e-9"], 1).trained();
    assert_eq!(trained.steps, 1);
    assert!(
        matches!(trained.determinism, Determinism::No { because } if because.contains("max_minutes"))
    );
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    let no_dropout = r#"model={"Mlp":{"hidden":[12],"activation":"Tanh","dropout":0.0}}"#;
    let (_, large) = Fixture::new(&[no_dropout, "training.batch_size=100"], 1).trained();
    let parts = ["training.batch_size=25", "training.accumulate_grad_batches=4", no_dropout];
    let (_, small) = Fixture::new(&parts, 1).trained();
    assert_eq!(large.steps, small.steps);
    for (large, small) in large.history.iter().zip(&small.history) {
        assert!((large.train_loss - small.train_loss).abs() < 1e-5, "{large:?} {small:?}");
    }
}

#[test]
fn any_metric_of_the_validation_rows_chooses_the_best_epoch() {
    for monitor in ["Ic", "RankIc", "HitRate"] {
        let (_, trained) = Fixture::new(&[&format!("training.monitor={monitor}")], 2).trained();
        let values: Vec<f64> =
            trained.history.iter().map(|record| record.monitor.unwrap()).collect();
        let best = values.iter().copied().fold(f64::MIN, f64::max);
        assert_eq!(trained.best.monitor, Some(best), "{monitor}: {values:?}");
    }
    let across = ["training.monitor=CrossSectionRankIc", "data.pooling=Pooled"];
    let (_, trained) = pooled(&across).trained();
    assert!(trained.history.iter().all(|record| record.monitor.is_some()));
    // With two symbols at a moment there is no such correlation: the last epoch is kept, and that is said.
    let mut watcher = Watcher::default();
    let (_, trained) = Fixture::new(&across, 2).train(&mut watcher).unwrap();
    assert_eq!(trained.best.epoch, 3);
    assert!(watcher.warnings[0].contains("cross-section rank IC"), "{:?}", watcher.warnings);
}

#[test]
fn without_validation_rows_the_last_epoch_is_kept() {
    let only_train = |fold: FoldPlan| {
        let nothing = TimeSpan { start: fold.test.end, end: fold.test.end };
        FoldPlan { validation: nothing, test: nothing, ..fold }
    };
    let fixture = Fixture::with_fold(&["training.patience=1"], 1, only_train);
    let (_, trained) = fixture.trained();
    assert_eq!((trained.best.epoch, trained.history.len()), (3, 3));
    assert!(trained.history.iter().all(|record| record.validation_loss.is_none()));
    assert!(!trained.stopped_early);
}

#[test]
fn half_precision_learns_what_full_precision_learns() {
    // Not every processor has recurrent layers in half precision; the plan asks before.
    let mlp = r#"model={"Mlp":{"hidden":[16],"activation":"Tanh","dropout":0.0}}"#;
    let loss = |precision: &str| {
        let precision = format!("training.precision={precision}");
        let (_, trained) = Fixture::new(&[mlp, &precision, "training.max_epochs=6"], 2).trained();
        trained.best.validation_loss.unwrap()
    };
    let full = loss("F32");
    for precision in ["Bf16", "F16"] {
        let half = loss(precision);
        assert!((half / full - 1.0).abs() < 0.02, "{precision}: {half} and {full}");
        assert_ne!(half, full, "{precision} is another arithmetic");
    }
}

#[test]
fn nobody_is_cancelled_late() {
    let fixture = Fixture::new(&[], 1);
    let (network, cancel) = (fixture.network(), Cancel::new());
    cancel.cancel();
    let signals = Signals { cancel, ..Signals::default() };
    let (data, spec) = (&fixture.data, &fixture.spec);
    let trainer = Trainer { network: &network, data, spec, seeds: SEEDS, device: Device::Cpu };
    let ended = trainer.run(&signals, &mut NoCheckpoints, &mut Watcher::default());
    assert!(matches!(ended, Err(TrainError::Cancelled { steps: 0 })), "{ended:?}");
}
