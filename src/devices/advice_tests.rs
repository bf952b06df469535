use super::*;
use crate::devices::{CpuInfo, CudaInfo, MpsInfo, NvmlReading};

const MIB: u64 = 1 << 20;

/// Ten tasks of 100 MiB on a machine that they fill and that fills them: nothing to say.
fn cpu() -> Facts {
    Facts {
        device: Device::Cpu,
        cores: 4,
        workers: 4,
        threads_per_task: 1,
        tasks: 10,
        batch_size: 128,
        train_rows: 20_000,
        task_bytes: Bytes(100 * MIB),
        budget: Some(Bytes(1000 * MIB)),
        precision: Precision::F32,
    }
}

fn card() -> Facts {
    Facts { device: Device::Cuda(0), ..cpu() }
}

fn busy(percent: f64) -> Seen {
    Seen { utilization_percent: Some(percent), ..Seen::default() }
}

#[test]
fn advice_follows_from_the_facts_and_there_is_none_where_all_is_well() {
    let ampere = |percent| Seen { capability: Some((8, 0)), ..busy(percent) };
    let f16 = Facts { precision: Precision::F16, ..card() };
    let bf16 = Facts { precision: Precision::Bf16, ..card() };
    let other = Seen { unused_cards: vec![Device::Cuda(1)], ..Seen::default() };
    let measured = Seen { samples_per_second: Some(12_000.0), ..busy(14.0) };
    let two_cards = Seen { cards: 2, ..busy(14.0) };
    let eight = Facts { workers: 8, cores: 32, ..card() };
    let cases: [(Facts, Seen, &[&str]); 21] = [
        (cpu(), Seen::default(), &[]),
        (card(), Seen::default(), &[]),
        (card(), busy(60.0), &[]),
        (
            Facts { workers: 3, ..cpu() },
            Seen::default(),
            &["1 core is idle: raise workers from 3 to 4"],
        ),
        (
            Facts { workers: 1, tasks: 3, ..cpu() },
            Seen::default(),
            &["3 cores are idle: raise workers from 1 to 3"],
        ),
        (Facts { workers: 1, tasks: 1, ..cpu() }, Seen::default(), &[]),
        (Facts { workers: 1, threads_per_task: 3, ..cpu() }, Seen::default(), &[]),
        // Two fit, two run: the cores have to stay idle.
        (Facts { workers: 2, budget: Some(Bytes(250 * MIB)), ..cpu() }, Seen::default(), &[]),
        (
            Facts { workers: 4, budget: Some(Bytes(250 * MIB)), ..cpu() },
            Seen::default(),
            &["4 workers are asked for and 2 fit"],
        ),
        (
            Facts { threads_per_task: 2, ..cpu() },
            Seen::default(),
            &["8 threads compete for 4 cores, which slows all of them: lower workers to 2"],
        ),
        (
            Facts { workers: 1, threads_per_task: 8, ..cpu() },
            Seen::default(),
            &["lower threads_per_task to 4"],
        ),
        (
            Facts { budget: Some(Bytes(50 * MIB)), ..card() },
            Seen::default(),
            &["a task takes 100.0 MiB, and of the memory of cuda:0 this run may use 50.0 MiB"],
        ),
        (
            Facts { workers: 1, budget: Some(Bytes(300 * MIB)), ..card() },
            busy(14.0),
            &["cuda:0 was 14 % busy: 3 tasks fit at once, and one runs; raise workers to 3"],
        ),
        (
            Facts { workers: 1, ..card() },
            busy(14.0),
            &["4 tasks can run at once, and one runs; raise workers to 4"],
        ),
        // As many run as there are cores for; the batch can still grow twofold.
        (
            card(),
            measured,
            &[
                "cuda:0 was 14 % busy at 12\u{202f}000 samples a second: a batch of 128 takes too little to fill it, and one of 256 would fit",
            ],
        ),
        (eight, two_cards, &["8 run; raise workers to 10"]),
        (Facts { budget: None, ..card() }, busy(14.0), &[]),
        (card(), other, &["cuda:1 is left idle by this run"]),
        (
            Facts { batch_size: 32_768, ..cpu() },
            Seen::default(),
            &["holds all 20\u{202f}000 train rows"],
        ),
        (
            card(),
            ampere(95.0),
            &[
                "cuda:0 was 95 % busy and has tensor cores (compute capability 8.0), which f32 does not use: try precision Tf32 or Bf16",
            ],
        ),
        (f16, ampere(95.0), &["Bf16 takes the same memory as F16"]),
    ];
    for (facts, seen, expected) in cases {
        let advice = recommend_with(&facts, &seen);
        let case = format!("{facts:?} {seen:?}: {advice:?}");
        assert_eq!(advice.len(), expected.len(), "{case}");
        assert!(advice.iter().zip(expected).all(|(told, part)| told.contains(part)), "{case}");
    }
    let volta = Seen { capability: Some((7, 0)), ..busy(95.0) };
    assert!(recommend_with(&card(), &volta)[0].contains("try precision F16"));
    for seen in [ampere(60.0), Seen { capability: Some((6, 1)), ..busy(95.0) }] {
        assert_eq!(recommend_with(&card(), &seen), Vec::<String>::new());
    }
    assert_eq!(recommend_with(&bf16, &ampere(95.0)), Vec::<String>::new());
    assert_eq!(recommend(&cpu()), recommend_with(&cpu(), &Seen::default()));
}

#[test]
fn a_batch_grows_no_further_than_memory_rows_and_caution_allow() {
    let seen = Seen::default();
    let alone = Facts { workers: 1, ..card() };
    for (budget, train_rows, expected) in [
        (10_000, 1_000_000, Some(1024)),
        (450, 1_000_000, Some(512)),
        (450, 10_000, Some(256)),
        (150, 1_000_000, None),
        (450, 5_000, None),
    ] {
        let budget = Some(Bytes(budget * MIB));
        let facts = Facts { train_rows, budget, ..alone.clone() };
        assert_eq!(larger_batch(&facts, &seen), expected, "{facts:?}");
    }
}

#[test]
fn never_more_than_four() {
    let facts = Facts {
        workers: 8,
        batch_size: 40_000,
        budget: Some(Bytes(MIB)),
        precision: Precision::F16,
        ..cpu()
    };
    let seen = Seen { capability: Some((9, 0)), unused_cards: vec![Device::Cuda(1)], ..busy(95.0) };
    let all = [
        too_large(&facts, &seen),
        too_many_threads(&facts),
        unused_card(&facts, &seen),
        whole_epoch(&facts),
        shorter_numbers(&facts, &seen),
    ];
    let all: Vec<String> = all.into_iter().map(Option::unwrap).collect();
    assert_eq!(recommend_with(&facts, &seen), all[..MOST]);
}

#[test]
fn an_inventory_tells_what_a_run_leaves_unused() {
    let reading =
        NvmlReading { compute_capability: Some("9.0".to_owned()), ..NvmlReading::default() };
    let card = |index| CudaInfo { device: Device::Cuda(index), reading: reading.clone() };
    let inventory = Inventory {
        cpu: CpuInfo { cores: 2, memory_total: None, memory_available: None },
        cuda: vec![card(0), card(1)],
        no_cuda_because: None,
        driver_version: None,
        mps: MpsInfo { available: false, reason: None },
        libtorch: "2.11.0".to_owned(),
    };
    let one = Seen::of(&[Device::Cuda(0)], &inventory);
    assert_eq!((one.cards, one.capability), (1, Some((9, 0))));
    assert_eq!(one.unused_cards, [Device::Cuda(1)]);
    assert!(Seen::of(&[Device::Cuda(0), Device::Cuda(1)], &inventory).unused_cards.is_empty());
    // A run on the processor was put there on purpose.
    assert!(Seen::of(&[Device::Cpu], &inventory).unused_cards.is_empty());
}
