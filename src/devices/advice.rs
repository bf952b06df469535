use super::Inventory;
use super::precision::capability;
use crate::domain::text::count;
use crate::domain::{Bytes, Device};
use crate::spec::Precision;

/// More would not be read.
const MOST: usize = 4;
/// Below this share of its time, in percent, a card waits for work more than it works.
const IDLE_PERCENT: f64 = 50.0;
/// From this share on, the card's arithmetic is what holds up the training.
const BUSY_PERCENT: f64 = 80.0;
/// A larger batch is only proposed where an epoch keeps so many steps.
const STEPS_LEFT: u64 = 32;
/// A batch is proposed that is so many times larger at most: what it does to the result has to be tried step by step.
const LARGER_AT_MOST: u64 = 8;

/// What a run is about to do, as far as speed depends on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Where the tasks compute; of several cards the first.
    pub device: Device,
    /// Threads the machine runs at once.
    pub cores: u32,
    /// Tasks that train at the same time.
    pub workers: u32,
    /// Threads of each.
    pub threads_per_task: u32,
    /// Tasks of the run.
    pub tasks: u32,
    /// Samples in a batch.
    pub batch_size: u32,
    /// Train rows of a task; of the one with the fewest where they differ.
    pub train_rows: u64,
    /// Memory of a task, estimated or measured; of the one with the most where they differ. 0 where nobody knows.
    pub task_bytes: Bytes,
    /// Memory of the device that tasks may take together; `None` where it is unknown.
    pub budget: Option<Bytes>,
    /// How they compute.
    pub precision: Precision,
}

/// What is known of the machine besides, from looking or from measuring.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The device's CUDA compute capability.
    pub capability: Option<(u32, u32)>,
    /// Cards the run computes on; 0 counts as 1.
    pub cards: u32,
    /// CUDA cards that the run leaves alone though it computes on others.
    pub unused_cards: Vec<Device>,
    /// How busy the GPU was on average while tasks trained on it, 0 to 100.
    pub utilization_percent: Option<f64>,
    /// Samples that one task learnt from in a second.
    pub samples_per_second: Option<f64>,
}

impl Seen {
    /// What the inventory tells of a run on these devices, before anything is measured.
    #[must_use]
    pub fn of(devices: &[Device], inventory: &Inventory) -> Self {
        let is_used = |device: &Device| devices.contains(device);
        let uses_cuda = devices.iter().any(|device| matches!(device, Device::Cuda(_)));
        let cards = inventory.cuda.iter().map(|card| card.device);
        Self {
            cards: devices.len() as u32,
            capability: devices.first().and_then(|device| capability(*device, inventory)),
            unused_cards: cards.filter(|card| uses_cuda && !is_used(card)).collect(),
            ..Self::default()
        }
    }
}

/// What would make the run faster, in words, the most useful first, at most four. Only what follows from the facts: none is a guess about
/// another machine, and none is given where a fact it needs is unknown.
#[must_use]
pub fn recommend(facts: &Facts) -> Vec<String> {
    recommend_with(facts, &Seen::default())
}

/// The same with what was seen of the machine.
#[must_use]
pub fn recommend_with(facts: &Facts, seen: &Seen) -> Vec<String> {
    let rules = [
        too_large(facts, seen),
        too_many_threads(facts),
        unused_card(facts, seen),
        idle_cores(facts, seen),
        idle_card(facts, seen),
        whole_epoch(facts),
        shorter_numbers(facts, seen),
        waiting_workers(facts, seen),
    ];
    rules.into_iter().flatten().take(MOST).collect()
}

/// Tasks that fit into the budgets of all cards at once; `None` where that is unknown.
fn fitting(facts: &Facts, seen: &Seen) -> Option<u32> {
    let on_one = facts.budget?.0.checked_div(facts.task_bytes.0)?;
    Some(u32::try_from(on_one).unwrap_or(u32::MAX).saturating_mul(seen.cards.max(1)))
}

fn too_large(facts: &Facts, seen: &Seen) -> Option<String> {
    (fitting(facts, seen)? == 0).then(|| {
        format!(
            "a task takes {}, and of the memory of {} this run may use {}: lower batch_size, the window or the model, or raise memory_fraction",
            facts.task_bytes,
            facts.device,
            facts.budget.unwrap_or_default()
        )
    })
}

fn too_many_threads(facts: &Facts) -> Option<String> {
    let threads = facts.workers.saturating_mul(facts.threads_per_task);
    if facts.device != Device::Cpu || threads <= facts.cores {
        return None;
    }
    let fewer = facts.cores / facts.threads_per_task.max(1);
    let remedy = if fewer == 0 {
        format!("lower threads_per_task to {}", facts.cores)
    } else {
        format!("lower workers to {fewer}")
    };
    Some(format!(
        "{threads} threads compete for {}, which slows all of them: {remedy}",
        plural(facts.cores, "core")
    ))
}

fn unused_card(facts: &Facts, seen: &Seen) -> Option<String> {
    let unused: Vec<String> = seen.unused_cards.iter().map(ToString::to_string).collect();
    (facts.tasks > 1 && !unused.is_empty()).then(|| {
        let (are, it) = if unused.len() == 1 { ("is", "it") } else { ("are", "them") };
        format!("{} {are} left idle by this run: device `auto` takes {it} too", unused.join(", "))
    })
}

fn idle_cores(facts: &Facts, seen: &Seen) -> Option<String> {
    if facts.device != Device::Cpu {
        return None;
    }
    let by_cores = facts.cores / facts.threads_per_task.max(1);
    let workers = by_cores.min(facts.tasks).min(fitting(facts, seen).unwrap_or(u32::MAX));
    let idle = facts.cores.saturating_sub(facts.workers.saturating_mul(facts.threads_per_task));
    (workers > facts.workers).then(|| {
        let are = if idle == 1 { "is" } else { "are" };
        format!(
            "{} {are} idle: raise workers from {} to {workers}",
            plural(idle, "core"),
            facts.workers
        )
    })
}

/// A card that waits for work takes more tasks beside each other, or larger steps where there are no more.
fn idle_card(facts: &Facts, seen: &Seen) -> Option<String> {
    let busy = seen.utilization_percent.filter(|percent| *percent < IDLE_PERCENT)?;
    if facts.device == Device::Cpu {
        return None;
    }
    let busy = format!("{} was {busy:.0} % busy", facts.device);
    let fit = fitting(facts, seen)?;
    // Each needs a thread of the host to feed it.
    let workers = fit.min(facts.tasks).min(facts.cores);
    if workers > facts.workers {
        let run = if facts.workers == 1 {
            "one runs".to_owned()
        } else {
            format!("{} run", facts.workers)
        };
        let fits = if workers == fit {
            format!("{fit} tasks fit at once")
        } else {
            format!("{workers} tasks can run at once")
        };
        return Some(format!("{busy}: {fits}, and {run}; raise workers to {workers}"));
    }
    let larger = larger_batch(facts, seen)?;
    let speed = seen
        .samples_per_second
        .map_or_else(String::new, |rate| format!(" at {} samples a second", count(rate as u64)));
    Some(format!(
        "{busy}{speed}: a batch of {} takes too little to fill it, and one of {} would fit; raise batch_size or set find_batch_size, which also changes what is learnt",
        count(facts.batch_size.into()),
        count(larger)
    ))
}

/// The batch size, doubled as often as surely fits and leaves an epoch enough steps; `None` where that is not once.
fn larger_batch(facts: &Facts, seen: &Seen) -> Option<u64> {
    let batch = u64::from(facts.batch_size);
    let fits = |times: u64| {
        // A task with a batch so many times larger takes so many times the memory at most: weights and data do not grow.
        let beside = facts.workers.div_ceil(seen.cards.max(1));
        let needed = facts.task_bytes.0.saturating_mul(times).saturating_mul(beside.into());
        facts.budget.is_some_and(|budget| needed <= budget.0)
            && facts.train_rows >= batch.saturating_mul(times).saturating_mul(STEPS_LEFT)
    };
    let mut times = 1;
    while times < LARGER_AT_MOST && fits(times * 2) {
        times *= 2;
    }
    (times > 1).then_some(batch * times)
}

fn whole_epoch(facts: &Facts) -> Option<String> {
    let batch = u64::from(facts.batch_size);
    (facts.train_rows > 0 && batch >= facts.train_rows).then(|| {
        format!(
            "a batch of {} holds all {} train rows, so an epoch is a single step: lower batch_size",
            count(batch),
            count(facts.train_rows)
        )
    })
}

/// Only where the card's arithmetic was seen to be the limit: elsewhere shorter numbers make nothing faster.
fn shorter_numbers(facts: &Facts, seen: &Seen) -> Option<String> {
    let busy = seen.utilization_percent.filter(|percent| *percent >= BUSY_PERCENT)?;
    let capability = seen.capability.filter(|capability| *capability >= (7, 0))?;
    let card = format!(
        "{} was {busy:.0} % busy and has tensor cores (compute capability {}.{})",
        facts.device, capability.0, capability.1
    );
    match facts.precision {
        Precision::F32 if capability >= (8, 0) => Some(format!(
            "{card}, which f32 does not use: try precision Tf32 or Bf16 and compare the results"
        )),
        Precision::F32 => Some(format!(
            "{card}, which f32 does not use: try precision F16 and compare the results"
        )),
        Precision::F16 if capability >= (8, 0) => {
            Some(format!("{card}: Bf16 takes the same memory as F16 and needs no loss scaling"))
        }
        Precision::F16 | Precision::Tf32 | Precision::Bf16 => None,
    }
}

fn waiting_workers(facts: &Facts, seen: &Seen) -> Option<String> {
    let fit = fitting(facts, seen)?.max(1);
    (facts.device == Device::Cpu && facts.workers > fit).then(|| {
        format!(
            "{} are asked for and {fit} fit into the memory at once: the others wait",
            plural(facts.workers, "worker")
        )
    })
}

fn plural(number: u32, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
#[path = "advice_tests.rs"]
mod tests;
