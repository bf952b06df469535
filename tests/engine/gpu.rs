//! What only a CUDA card can show. Without one every test here skips and says so. The test program can be built elsewhere and carried to the
//! machine with the card, beside a libtorch with CUDA (`LD_LIBRARY_PATH`); one command then runs them all and prints what they measured:
//!
//! ```sh
//! engine-0123456789abcdef gpu:: --nocapture
//! ```

use std::thread::available_parallelism;
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};
use tch::{Kind, Tensor};
use walkforge::devices::{Inventory, Nvml, choose};
use walkforge::domain::{
    Bytes, Cancel, Determinism, Device, EpochRecord, Progress, RunOutcome, Stage,
};
use walkforge::spec::DeviceChoice;
use walkforge::torch::{empty_cache, memory_statistics, reset_peak, set_threads_of_this_thread};
use walkforge::training::Observer;
use walkforge::workbench::{Prepared, TaskObserver, TaskOutput, run_task};

use crate::skip;
use crate::support::{prepare, run, run_to_end, spec};

const CARD: Device = Device::Cuda(0);

/// Peaks and times are the card's, not a test's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let guard = ALONE.lock();
    empty_cache(CARD);
    guard
}

/// The card for this test alone, or a skip.
macro_rules! card {
    () => {{
        if !tch::Cuda::is_available() {
            skip!("no CUDA device");
        }
        alone()
    }};
}

/// Every model, wide enough that what libtorch rounds up is a trifle.
const MODELS: [(&str, &str); 7] = [
    ("linear", r#""Linear""#),
    ("MLP", r#"{"Mlp":{"hidden":[4096,2048],"activation":"Relu","dropout":0.1}}"#),
    ("LSTM", r#"{"Lstm":{"hidden":128,"layers":2,"dropout":0.1}}"#),
    ("GRU", r#"{"Gru":{"hidden":128,"layers":1,"dropout":0.1}}"#),
    ("TCN", r#"{"Tcn":{"channels":[64,64,64],"kernel_size":3,"dropout":0.1}}"#),
    (
        "causal Transformer",
        r#"{"Transformer":{"d_model":64,"heads":4,"layers":2,"feedforward":256,"dropout":0.1,"tokens":"Causal"}}"#,
    ),
    (
        "patch Transformer",
        r#"{"Transformer":{"d_model":128,"heads":4,"layers":2,"feedforward":256,"dropout":0.1,"tokens":{"Patch":{"length":8,"stride":4}}}}"#,
    ),
];

const LARGE_LSTM: &str = r#"{"Lstm":{"hidden":512,"layers":2,"dropout":0.1}}"#;

/// One fold of one symbol, or as `set` says otherwise.
fn experiment(model: &str, set: &[&str]) -> Prepared {
    let model = format!("model={model}");
    let common = [
        r#"data.source={"Synthetic":{"market":{"Planted":{"ic":0.3}},"bars":26000,"seed":5}}"#,
        r#"data.symbols=["SYN_A"]"#,
        "window=64",
        "validation.train=20000",
        "validation.validation=2000",
        "validation.test=1000",
        "validation.max_folds=1",
        "training.batch_size=2048",
        "training.max_epochs=2",
        "training.patience=null",
        "resources.device=cuda:0",
        &model,
    ];
    prepare(&spec("mlp-return", &common.iter().chain(set).copied().collect::<Vec<_>>()))
}

/// Keeps warnings, and how long training took.
#[derive(Default)]
struct Notes {
    warnings: Vec<String>,
    began: Option<Instant>,
    seconds: f64,
}

impl Observer for Notes {
    fn progress(&mut self, _: Progress) {}
    fn epoch(&mut self, _: EpochRecord) {}
    fn warning(&mut self, message: String) {
        self.warnings.push(message);
    }
}

impl TaskObserver for Notes {
    fn stage(&mut self, stage: Stage) {
        match stage {
            Stage::Training => self.began = Some(Instant::now()),
            Stage::Evaluation => self.seconds = self.began.unwrap().elapsed().as_secs_f64(),
            _ => {}
        }
    }
}

fn run_noting(prepared: &Prepared) -> (TaskOutput, Notes) {
    set_threads_of_this_thread(prepared.plan.threads_per_task);
    let mut notes = Notes::default();
    let (task, series) = (&prepared.plan.tasks[0], &prepared.series[0]);
    let output = run_task(task, &prepared.spec, series, &Cancel::new(), &mut notes).unwrap();
    (output, notes)
}

#[test]
fn a_card_is_found_and_chosen_and_trained_on() {
    let _alone = card!();
    let inventory = Inventory::detect();
    println!("{:?}", inventory.cuda);
    assert_eq!(inventory.cuda[0].device, CARD);
    assert_eq!(inventory.no_cuda_because, None);
    let chosen = choose(DeviceChoice::Auto, &inventory).unwrap();
    assert!(matches!(chosen.device, Device::Cuda(_)), "{chosen:?}");
    let prepared = experiment(MODELS[1].1, &[]);
    assert_eq!(prepared.plan.tasks[0].device, CARD);
    let output = run(&prepared, 0);
    for parameter in output.network.parameters() {
        assert_eq!(parameter.tensor.device(), tch::Device::Cuda(0), "{}", parameter.name);
    }
}

#[test]
fn nvml_reads_the_card() {
    let _alone = card!();
    let held = Tensor::zeros([1 << 28], (Kind::Float, tch::Device::Cuda(0)));
    let nvml = Nvml::open().unwrap();
    assert!(nvml.device_count().unwrap() >= 1 && nvml.driver_version().is_some());
    let reading = nvml.read(0);
    println!("{reading:?}");
    let (total, used) = (reading.memory_total.unwrap(), reading.memory_used.unwrap());
    assert!(used >= Bytes(1 << 30) && used <= total, "a tensor of 1 GiB is held: {reading:?}");
    assert!(reading.name.is_some() && reading.compute_capability.is_some(), "{reading:?}");
    assert!(reading.utilization_percent.unwrap() <= 100);
    let temperature = reading.temperature_celsius.unwrap();
    assert!((5..120).contains(&temperature), "{temperature} °C");
    assert!(reading.power_watts.unwrap() > 1.0 && reading.sm_clock_mhz.unwrap() > 0);
    drop(held);
}

#[test]
fn the_estimate_of_memory_is_within_a_fifth_of_what_is_taken() {
    let _alone = card!();
    let mut far = Vec::new();
    for (name, model) in MODELS {
        let prepared = experiment(model, &[]);
        empty_cache(CARD);
        let before = memory_statistics(CARD).unwrap().allocated;
        reset_peak(CARD);
        let output = run(&prepared, 0);
        let peak = memory_statistics(CARD).unwrap().peak_allocated.0;
        let peak = Bytes(peak.saturating_sub(before.0));
        let estimate = prepared.plan.tasks[0].memory;
        let off = estimate.0 as f64 / peak.0 as f64 - 1.0;
        let own = output.report.peak_memory;
        println!(
            "{name}: estimated {estimate}, taken {peak} ({:+.0} %), by the task's own meter {own:?}",
            off * 100.0
        );
        if off.abs() > 0.2 {
            far.push(name);
        }
    }
    assert!(far.is_empty(), "further off than 20 %: {far:?}");
}

#[test]
fn a_batch_that_does_not_fit_is_halved_and_the_task_ends_well() {
    let _alone = card!();
    let model = r#"{"Lstm":{"hidden":256,"layers":1,"dropout":0.0}}"#;
    let prepared = experiment(model, &["training.batch_size=4096", "training.max_epochs=1"]);
    let (with_room, notes) = run_noting(&prepared);
    assert!(notes.warnings.is_empty(), "{:?}", notes.warnings);

    // Takes the card's memory but for a part of what the task needs.
    empty_cache(CARD);
    let reading = Nvml::open().unwrap().read(0);
    let free = reading.memory_total.unwrap().0 - reading.memory_used.unwrap().0;
    let room = prepared.plan.tasks[0].memory.0 * 7 / 10;
    let taken = i64::try_from(free.saturating_sub(room)).unwrap();
    let held = Tensor::zeros([taken], (Kind::Uint8, tch::Device::Cuda(0)));
    let (output, notes) = run_noting(&prepared);
    drop(held);
    println!("{:?}", notes.warnings);
    assert!(notes.warnings.iter().any(|warning| warning.contains("memory was short")));
    assert!(matches!(output.report.determinism, Determinism::No { .. }));
    let (tight, wide) = (output.report.train_loss, with_room.report.train_loss);
    assert!((tight / wide - 1.0).abs() < 1e-3, "in parts {tight}, at once {wide}");
}

#[test]
fn half_precision_learns_as_much() {
    let _alone = card!();
    for (name, model) in [MODELS[1], MODELS[2], MODELS[4], MODELS[5]] {
        let loss = |precision: &str| {
            let precision = format!("training.precision={precision}");
            let set = ["training.batch_size=512", "training.max_epochs=4", &precision];
            run(&experiment(model, &set), 0).report.validation_loss.unwrap()
        };
        let full = loss("F32");
        for precision in ["Tf32", "Bf16", "F16"] {
            let half = loss(precision);
            println!("{name}: f32 {full:.5}, {precision} {half:.5}");
            assert!(
                (half / full - 1.0).abs() <= 0.02,
                "{name}, {precision}: {half} and not {full}"
            );
        }
    }
}

/// Measured once against a plain PyTorch loop: 8.9 times.
#[test]
fn a_large_lstm_learns_faster_than_on_the_processor() {
    let _alone = card!();
    let threads = format!("resources.threads_per_task={}", available_parallelism().unwrap());
    let steps_per_second = |set: &[&str]| {
        let common = ["training.batch_size=512", "validation.validation=100"];
        let set: Vec<&str> = common.iter().chain(set).copied().collect();
        let (output, notes) = run_noting(&experiment(LARGE_LSTM, &set));
        output.report.steps as f64 / notes.seconds
    };
    let on_card = ["training.max_steps=40"];
    steps_per_second(&on_card);
    let card = steps_per_second(&on_card);
    let processor = steps_per_second(&["resources.device=cpu", "training.max_steps=4", &threads]);
    println!(
        "large LSTM: {card:.1} steps/s on the card, {processor:.2} on the processor with {} threads: {:.1} times",
        available_parallelism().unwrap(),
        card / processor
    );
    assert!(card > processor);
}

#[test]
fn tasks_share_a_card() {
    let _alone = card!();
    let seconds = |workers: u32| {
        let prepared = experiment(
            MODELS[2].1,
            &[
                r#"data.symbols=["SYN_A","SYN_B"]"#,
                "training.batch_size=256",
                "training.max_epochs=3",
                &format!("resources.workers={workers}"),
            ],
        );
        let runs = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let (_, outcome) = run_to_end(&prepared.spec, runs.path());
        assert_eq!(outcome, RunOutcome::Finished);
        began.elapsed().as_secs_f64()
    };
    seconds(1);
    let (after, at_once) = (seconds(1), seconds(2));
    println!(
        "two LSTM tasks: {after:.2} s one after another, {at_once:.2} s at once: {:.2} times",
        after / at_once
    );
}
