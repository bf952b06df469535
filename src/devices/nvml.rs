use std::collections::BTreeMap;

use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use serde::Serialize;

use crate::domain::Bytes;

/// NVIDIA's management library, opened once. Absent on a machine without its driver.
#[derive(Debug)]
pub struct Nvml {
    library: nvml_wrapper::Nvml,
}

/// What NVML says of one card now. Each reading stands alone: `None` where this card or driver does not give it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NvmlReading {
    /// The card's product name.
    pub name: Option<String>,
    /// All of its memory.
    pub memory_total: Option<Bytes>,
    /// Memory in use by every process.
    pub memory_used: Option<Bytes>,
    /// Memory in use by this process. `None` where the driver does not list it: before it has used the card, and in a container whose
    /// process ids are not the driver's.
    pub memory_own: Option<Bytes>,
    /// Share of the last sample period in which a kernel ran, 0 to 100.
    pub utilization_percent: Option<u32>,
    /// Share of the last sample period in which its memory was read or written, 0 to 100.
    pub memory_utilization_percent: Option<u32>,
    /// What its multiprocessors run at now, in MHz.
    pub sm_clock_mhz: Option<u32>,
    /// What its memory runs at now, in MHz.
    pub memory_clock_mhz: Option<u32>,
    /// Of the chip, in °C.
    pub temperature_celsius: Option<u32>,
    /// Drawn now, in watts.
    pub power_watts: Option<f64>,
    /// Most it may draw, in watts.
    pub power_limit_watts: Option<f64>,
    /// CUDA compute capability, as in `9.0`.
    pub compute_capability: Option<String>,
    /// Every process the driver lists on it, the largest first. `None` where it does not list them.
    pub processes: Option<Vec<CardProcess>>,
    /// Why what is unknown is unknown, in words, where the driver says it.
    #[serde(skip)]
    pub unknown: BTreeMap<CardFact, String>,
}

/// A reading that may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CardFact {
    /// All and used memory.
    Memory,
    /// How busy kernels keep it, and its memory.
    Utilization,
    /// What its multiprocessors run at.
    SmClock,
    /// What its memory runs at.
    MemoryClock,
    /// Of the chip.
    Temperature,
    /// Drawn now.
    Power,
    /// The most it may draw.
    PowerLimit,
    /// Who uses it.
    Processes,
}

impl CardFact {
    const ALL: [Self; 8] = [
        Self::Memory,
        Self::Utilization,
        Self::SmClock,
        Self::MemoryClock,
        Self::Temperature,
        Self::Power,
        Self::PowerLimit,
        Self::Processes,
    ];
}

impl NvmlReading {
    /// Nothing is known, for one reason.
    #[must_use]
    pub fn silent(reason: &str) -> Self {
        let unknown = CardFact::ALL.into_iter().map(|fact| (fact, reason.to_owned())).collect();
        Self { unknown, ..Self::default() }
    }
}

/// A process that uses a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardProcess {
    /// Its number, as the driver counts: of the host, also in a container.
    pub pid: u32,
    /// Its program's file name. `None` where the driver does not tell, and in a container, where the number means another process.
    pub name: Option<String>,
    /// What it has of the card's memory.
    pub memory: Option<Bytes>,
}

impl Nvml {
    /// Opens the library.
    ///
    /// # Errors
    /// Why there is none, in words for the user.
    pub fn open() -> Result<Self, String> {
        nvml_wrapper::Nvml::init().map(|library| Self { library }).map_err(|error| match error {
            NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => {
                "no NVIDIA driver is installed: libnvidia-ml was not found".to_owned()
            }
            NvmlError::DriverNotLoaded => {
                "the NVIDIA driver is installed but not loaded; see `nvidia-smi`".to_owned()
            }
            other => format!("the NVIDIA driver does not answer: {other}"),
        })
    }

    /// The driver's version, as in `580.65.06`.
    #[must_use]
    pub fn driver_version(&self) -> Option<String> {
        self.library.sys_driver_version().ok()
    }

    /// The newest CUDA that the driver can run, as in `13.0`.
    #[must_use]
    pub fn cuda_version(&self) -> Option<String> {
        let version = self.library.sys_cuda_driver_version().ok()?;
        Some(format!("{}.{}", version / 1000, version % 1000 / 10))
    }

    /// Cards the driver sees.
    #[must_use]
    pub fn device_count(&self) -> Option<u32> {
        self.library.device_count().ok()
    }

    /// Reads one card, numbered in PCI bus order; all `None` where there is no such card.
    #[must_use]
    pub fn read(&self, index: u32) -> NvmlReading {
        let card = match self.library.device_by_index(index) {
            Ok(card) => card,
            Err(error) => return NvmlReading::silent(&reason(&error)),
        };
        let mut unknown = BTreeMap::new();
        let memory = known(CardFact::Memory, card.memory_info(), &mut unknown);
        let load = known(CardFact::Utilization, card.utilization_rates(), &mut unknown);
        let sm = known(CardFact::SmClock, card.clock_info(Clock::SM), &mut unknown);
        let memory_clock =
            known(CardFact::MemoryClock, card.clock_info(Clock::Memory), &mut unknown);
        let temperature = card.temperature(TemperatureSensor::Gpu);
        let temperature = known(CardFact::Temperature, temperature, &mut unknown);
        let power = known(CardFact::Power, card.power_usage(), &mut unknown);
        let limit = known(CardFact::PowerLimit, card.enforced_power_limit(), &mut unknown);
        let processes = known(CardFact::Processes, self.processes(&card), &mut unknown);
        let watts = |milliwatts: u32| f64::from(milliwatts) / 1000.0;
        NvmlReading {
            name: card.name().ok(),
            memory_total: memory.as_ref().map(|memory| Bytes(memory.total)),
            memory_used: memory.as_ref().map(|memory| Bytes(memory.used)),
            memory_own: processes.as_deref().and_then(memory_own),
            utilization_percent: load.as_ref().map(|rates| rates.gpu),
            memory_utilization_percent: load.as_ref().map(|rates| rates.memory),
            sm_clock_mhz: sm,
            memory_clock_mhz: memory_clock,
            temperature_celsius: temperature,
            power_watts: power.map(watts),
            power_limit_watts: limit.map(watts),
            compute_capability: card
                .cuda_compute_capability()
                .ok()
                .map(|capability| format!("{}.{}", capability.major, capability.minor)),
            processes,
            unknown,
        }
    }

    /// Those that compute and those that draw; an error where the driver tells of neither.
    fn processes(&self, card: &Device<'_>) -> Result<Vec<CardProcess>, NvmlError> {
        let lists = match (card.running_compute_processes(), card.running_graphics_processes()) {
            (Err(error), Err(_)) => return Err(error),
            (computing, drawing) => [computing.ok(), drawing.ok()],
        };
        let lists = lists.map(|list| {
            let list = list.unwrap_or_default().into_iter();
            list.map(|process| (process.pid, memory_of(&process.used_gpu_memory))).collect()
        });
        let process = |(pid, memory)| CardProcess { pid, name: self.name_of_process(pid), memory };
        Ok(merged(lists).into_iter().map(process).collect())
    }

    fn name_of_process(&self, pid: u32) -> Option<String> {
        if !counts_as_the_driver() {
            return None;
        }
        // Room for a path; a longer one is cut by the driver.
        let command = self.library.sys_process_name(pid, 256).ok()?;
        let program = command.split('\0').next().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default().trim();
        (!name.is_empty()).then(|| name.to_owned())
    }
}

/// A reading, or the reason why there is none, put down where it belongs.
fn known<T>(
    fact: CardFact,
    reading: Result<T, NvmlError>,
    unknown: &mut BTreeMap<CardFact, String>,
) -> Option<T> {
    let noted = reading.map_err(|error| unknown.insert(fact, reason(&error)));
    noted.ok()
}

/// Why the driver gives no reading, in words for the user.
fn reason(error: &NvmlError) -> String {
    match error {
        NvmlError::NotSupported => "this card or its driver does not tell".to_owned(),
        NvmlError::NoPermission => "the driver tells administrators only".to_owned(),
        NvmlError::GpuLost | NvmlError::NotFound | NvmlError::InvalidArg => {
            "the card does not answer any more; see `nvidia-smi`".to_owned()
        }
        NvmlError::FailedToLoadSymbol(_) | NvmlError::FunctionNotFound => {
            "the driver is too old to tell".to_owned()
        }
        other => format!("the driver says: {other}"),
    }
}

/// A process's number and its memory on a card.
type Listed = (u32, Option<Bytes>);

fn memory_of(memory: &UsedGpuMemory) -> Option<Bytes> {
    match memory {
        UsedGpuMemory::Used(bytes) => Some(Bytes(*bytes)),
        UsedGpuMemory::Unavailable => None,
    }
}

/// One entry a process, the largest first. Where a card is partitioned a list has several entries of a process, which are parts; a process
/// that computes and draws is in both lists with the same memory.
fn merged(lists: [Vec<Listed>; 2]) -> Vec<Listed> {
    let mut all: BTreeMap<u32, Option<Bytes>> = BTreeMap::new();
    for list in lists {
        let mut sums: BTreeMap<u32, Option<Bytes>> = BTreeMap::new();
        for (pid, memory) in list {
            let sum = sums.entry(pid).or_insert(Some(Bytes(0)));
            *sum = sum.zip(memory).map(|(sum, part)| sum.saturating_add(part));
        }
        for (pid, memory) in sums {
            let known = all.entry(pid).or_insert(memory);
            *known = (*known).max(memory);
        }
    }
    let mut all: Vec<Listed> = all.into_iter().collect();
    all.sort_by_key(|(_, memory)| std::cmp::Reverse(*memory));
    all
}

/// What the driver counts for this process.
fn memory_own(processes: &[CardProcess]) -> Option<Bytes> {
    processes.iter().find(|process| process.pid == std::process::id())?.memory
}

/// Whether a process has the same number here as for the driver, which counts in the host's own process namespace. Its inode is fixed in
/// Linux (`PROC_PID_INIT_INO`). Elsewhere there are no such namespaces.
fn counts_as_the_driver() -> bool {
    !cfg!(target_os = "linux")
        || std::fs::read_link("/proc/self/ns/pid")
            .is_ok_and(|namespace| namespace.as_os_str() == "pid:[4026531836]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_listed_once_with_the_largest_first() {
        let bytes = |count| Some(Bytes(count));
        let computing = vec![(7, bytes(10)), (3, bytes(20)), (7, bytes(15)), (9, None)];
        let drawing = vec![(3, bytes(20)), (1, bytes(5)), (9, bytes(2)), (4, None)];
        let expected = [(7, bytes(25)), (3, bytes(20)), (1, bytes(5)), (9, bytes(2)), (4, None)];
        assert_eq!(merged([computing, drawing]), expected);
        assert!(merged([Vec::new(), Vec::new()]).is_empty());
    }

    #[test]
    fn what_is_unknown_has_its_reason() {
        let mut unknown = BTreeMap::new();
        let power: Option<u32> = known(CardFact::Power, Err(NvmlError::NotSupported), &mut unknown);
        let clock = known(CardFact::SmClock, Ok(1_980), &mut unknown);
        assert_eq!((power, clock), (None, Some(1_980)));
        let reasons: Vec<_> = unknown.iter().map(|(fact, why)| (*fact, why.as_str())).collect();
        assert_eq!(reasons, [(CardFact::Power, "this card or its driver does not tell")]);
        let silent = NvmlReading::silent("no driver");
        assert!(CardFact::ALL.iter().all(|fact| silent.unknown[fact] == "no driver"));
    }

    #[test]
    fn own_memory_is_that_of_this_process() {
        let process = |pid, memory| CardProcess { pid, name: None, memory };
        let own = std::process::id();
        let others = process(own + 1, Some(Bytes(9)));
        assert_eq!(memory_own(std::slice::from_ref(&others)), None);
        assert_eq!(memory_own(&[others.clone(), process(own, None)]), None);
        assert_eq!(memory_own(&[others, process(own, Some(Bytes(5)))]), Some(Bytes(5)));
    }
}
