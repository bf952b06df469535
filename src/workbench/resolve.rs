use super::planner::PlanError;
use super::probe::PROBE;
use crate::devices::{ChosenDevice, Inventory, budget_of, precision_refusal};
use crate::domain::text::count;
use crate::domain::{Bytes, Device};
use crate::models::{InputShape, estimate_memory};
use crate::spec::{DeviceChoice, ExperimentSpec};
use crate::training::{EVALUATION_BATCH, autocast_kind};

/// A larger batch has to learn so many times the samples a second of the best smaller one to be worth it.
const WORTH_IT: f64 = 1.1;
/// No batch is larger than this: beyond, an epoch has too few steps to learn anything.
const LARGEST_BATCH: u32 = 65_536;
/// Tasks at once on one card at most: each needs a thread of the processor to feed it.
const TASKS_PER_CARD: u32 = 4;

/// What only the machine can decide, decided once, before the tasks are made: it is written into the plan, and a run never asks again.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    /// The specification without anything left open.
    pub(super) spec: ExperimentSpec,
    /// The device whose kind all tasks use, and why.
    pub(super) chosen: ChosenDevice,
    /// Every device of that kind that may be used.
    pub(super) devices: Vec<Device>,
    /// Memory of each that may be used; `None` where it is unknown.
    pub(super) budgets: Vec<Option<Bytes>>,
    /// What was found out by trying, in words.
    pub(super) decisions: Vec<String>,
}

/// What the trials have to know of the data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) features: u32,
    /// Rows of the largest series group, which lie on the device.
    pub(super) rows: u64,
    /// Train rows of the smallest fold: no batch is larger.
    pub(super) train_rows: u64,
}

/// Decides device, batch size and budgets.
///
/// # Errors
/// [`PlanError::Precision`] where the device cannot compute as asked.
pub(super) fn resolve(
    spec: &ExperimentSpec,
    chosen: ChosenDevice,
    shape: Shape,
    inventory: &Inventory,
) -> Result<Resolved, PlanError> {
    let mut decisions = Vec::new();
    let chosen = faster(spec, chosen, shape, inventory);
    let devices = match (spec.resources.device, chosen.device) {
        (DeviceChoice::Auto, Device::Cuda(_)) => {
            inventory.cuda.iter().map(|card| card.device).collect()
        }
        (_, device) => vec![device],
    };
    if let Some(reason) = precision_refusal(spec.training.precision, chosen.device, inventory) {
        return Err(PlanError::Precision { precision: spec.training.precision.name(), reason });
    }
    if autocast_kind(spec.training.precision).is_some() {
        // Whether a processor has this model's layers in half precision only a trial can say.
        let one = (chosen.device, spec.training.batch_size);
        PROBE.samples_per_second(spec, shape.features, one).map_err(|error| {
            PlanError::Precision {
                precision: spec.training.precision.name(),
                reason: format!(
                    "a trial of this model on {} failed ({error}); use F32, or another model or device",
                    chosen.device
                ),
            }
        })?;
    }
    let fraction = spec.resources.memory_fraction;
    let budgets: Vec<Option<Bytes>> =
        devices.iter().map(|device| budget_of(*device, inventory, fraction)).collect();
    let mut spec = spec.clone();
    if spec.training.find_batch_size {
        let smallest = budgets.iter().flatten().min().copied();
        let (batch, why) = find_batch_size(&spec, shape, chosen.device, smallest);
        spec.training.batch_size = batch;
        spec.training.find_batch_size = false;
        decisions.push(why);
    }
    Ok(Resolved { spec, chosen, devices, budgets, decisions })
}

/// A tiny network is faster on the processor, where several train beside each other. Only asked where the user left the choice and there is one.
fn faster(
    spec: &ExperimentSpec,
    chosen: ChosenDevice,
    shape: Shape,
    inventory: &Inventory,
) -> ChosenDevice {
    let is_free = spec.resources.device == DeviceChoice::Auto && chosen.device != Device::Cpu;
    let precision = spec.training.precision;
    if !is_free || precision_refusal(precision, Device::Cpu, inventory).is_some() {
        return chosen;
    }
    let rate =
        |device| PROBE.samples_per_second(spec, shape.features, (device, spec.training.batch_size));
    let workers = (inventory.cpu.cores / spec.resources.threads_per_task).max(1);
    match (rate(chosen.device), rate(Device::Cpu)) {
        (Ok(gpu), Ok(cpu)) => better(&chosen, gpu, cpu, workers),
        (Err(error), _) => ChosenDevice {
            device: Device::Cpu,
            reason: format!("auto: a trial on {} failed: {error}", chosen.device),
        },
        (_, Err(_)) => chosen,
    }
}

/// Chooses between a GPU and the processor by samples a second: of one task on the GPU, and of all workers together on the processor.
fn better(chosen: &ChosenDevice, gpu: f64, cpu: f64, workers: u32) -> ChosenDevice {
    let together = cpu * f64::from(workers);
    let rates = format!(
        "a trial of this model learnt from {} samples a second on {} and {} on the processor with {workers} at once",
        count(gpu as u64),
        chosen.device,
        count(together as u64),
    );
    if together > gpu {
        ChosenDevice { device: Device::Cpu, reason: format!("auto: {rates}") }
    } else {
        ChosenDevice { device: chosen.device, reason: format!("{}; {rates}", chosen.reason) }
    }
}

/// Doubles the batch while that is worth it, and says what came of it.
fn find_batch_size(
    spec: &ExperimentSpec,
    shape: Shape,
    device: Device,
    budget: Option<Bytes>,
) -> (u32, String) {
    let input = InputShape { window: spec.window, features: shape.features };
    let begin = spec.training.batch_size;
    let fits = |batch| {
        let needed = estimate_memory(
            &spec.model,
            (input, spec.label.outputs()),
            shape.rows,
            batch,
            EVALUATION_BATCH,
        );
        budget.is_none_or(|budget| needed <= budget)
    };
    let most = LARGEST_BATCH.min(u32::try_from(shape.train_rows).unwrap_or(u32::MAX));
    let rate = |batch| PROBE.samples_per_second(spec, shape.features, (device, batch)).ok();
    let (batch, gain, end) = climb(begin, most, fits, rate);
    let gain = if batch == begin {
        String::new()
    } else {
        format!(", {gain:.1} times as many samples a second as at {}", count(begin.into()))
    };
    (batch, format!("batch size {} was found{gain}; {end}", count(batch.into())))
}

/// The batch size after doubling from `begin`, its rate over that of `begin`, and why it went no further.
fn climb(
    begin: u32,
    most: u32,
    fits: impl Fn(u32) -> bool,
    rate: impl Fn(u32) -> Option<f64>,
) -> (u32, f64, String) {
    let Some(first) = rate(begin) else {
        return (begin, 1.0, "not even that one could be tried".to_owned());
    };
    let (mut batch, mut best) = (begin, first);
    loop {
        let next = batch.saturating_mul(2);
        let end = if next > most {
            format!("{} would be more than a fold or an epoch can take", count(next.into()))
        } else if !fits(next) {
            format!("{} would not fit into the memory", count(next.into()))
        } else {
            match rate(next) {
                Some(rate) if rate >= best * WORTH_IT => {
                    (batch, best) = (next, rate);
                    continue;
                }
                Some(_) => format!("{} is no faster", count(next.into())),
                None => format!("{} could not be tried", count(next.into())),
            }
        };
        return (batch, best / first, end);
    }
}

/// Tasks at a time on this machine, of this run or of several: as many as asked for, else as the cores allow, and on cards a few for each.
pub(super) fn at_once(resolved: &Resolved, cores: u32) -> u32 {
    let resources = &resolved.spec.resources;
    let by_cores = (cores / resources.threads_per_task).max(1);
    let automatic = match resolved.chosen.device {
        Device::Cpu => by_cores,
        Device::Cuda(_) => by_cores.min(TASKS_PER_CARD * resolved.devices.len() as u32),
        Device::Mps => 1,
    };
    resources.workers.unwrap_or(automatic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_grows_while_it_pays_and_fits() {
        let rate = |batch: u32| Some(f64::from(batch.min(512)));
        for (begin, most, limit, expected) in [
            (64, 10_000, 10_000, (512, 8.0, "no faster")),
            (64, 300, 10_000, (256, 4.0, "more than a fold")),
            (64, 10_000, 200, (128, 2.0, "not fit")),
            (512, 10_000, 10_000, (512, 1.0, "no faster")),
        ] {
            let (batch, gain, end) = climb(begin, most, |batch| batch <= limit, rate);
            assert_eq!((batch, gain), (expected.0, expected.1));
            assert!(end.contains(expected.2), "{end}");
        }
        let fails = |batch: u32| (batch < 128).then_some(f64::from(batch));
        assert_eq!(climb(64, 1000, |_| true, fails).0, 64);
    }

    #[test]
    fn a_batch_size_that_is_looked_for_is_written_into_the_plan() {
        let set = [
            "training.find_batch_size=true",
            "training.batch_size=64",
            "validation.max_folds=1",
            "resources.device=cpu",
        ];
        let set: Vec<crate::spec::Assignment> =
            set.iter().map(|text| text.parse().unwrap()).collect();
        let spec = crate::spec::apply(&crate::spec::load("mlp-return").unwrap(), &set).unwrap();
        let prepared = crate::workbench::plan(&spec, &crate::domain::Cancel::new()).unwrap();
        let training = &prepared.spec.training;
        assert!(!training.find_batch_size, "nothing is left open");
        assert!(training.batch_size >= 64 && training.batch_size.is_power_of_two());
        let found = format!("batch size {} was found", count(training.batch_size.into()));
        assert!(prepared.plan.decisions[0].starts_with(&found), "{:?}", prepared.plan.decisions);
    }

    #[test]
    fn the_faster_device_is_taken_and_the_numbers_told() {
        let gpu =
            || ChosenDevice { device: Device::Cuda(0), reason: "auto: H100 found".to_owned() };
        let tiny = better(&gpu(), 10_000.0, 4_000.0, 4);
        assert_eq!(tiny.device, Device::Cpu);
        assert!(
            tiny.reason.contains(&count(16_000)) && tiny.reason.contains(&count(10_000)),
            "{tiny:?}"
        );
        let large = better(&gpu(), 100_000.0, 4_000.0, 4);
        assert_eq!(large.device, Device::Cuda(0));
        assert!(
            large.reason.contains("H100") && large.reason.contains(&count(100_000)),
            "{large:?}"
        );
    }
}
