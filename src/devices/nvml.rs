use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
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
    /// Of the chip, in °C.
    pub temperature_celsius: Option<u32>,
    /// Drawn now, in watts.
    pub power_watts: Option<f64>,
    /// Most it may draw, in watts.
    pub power_limit_watts: Option<f64>,
    /// CUDA compute capability, as in `9.0`.
    pub compute_capability: Option<String>,
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

    /// Cards the driver sees.
    #[must_use]
    pub fn device_count(&self) -> Option<u32> {
        self.library.device_count().ok()
    }

    /// Reads one card, numbered in PCI bus order; all `None` where there is no such card.
    #[must_use]
    pub fn read(&self, index: u32) -> NvmlReading {
        let Ok(card) = self.library.device_by_index(index) else { return NvmlReading::default() };
        let memory = card.memory_info().ok();
        let watts = |milliwatts: u32| f64::from(milliwatts) / 1000.0;
        NvmlReading {
            name: card.name().ok(),
            memory_total: memory.as_ref().map(|memory| Bytes(memory.total)),
            memory_used: memory.as_ref().map(|memory| Bytes(memory.used)),
            memory_own: memory_own(&card),
            utilization_percent: card.utilization_rates().ok().map(|rates| rates.gpu),
            temperature_celsius: card.temperature(TemperatureSensor::Gpu).ok(),
            power_watts: card.power_usage().ok().map(watts),
            power_limit_watts: card.enforced_power_limit().ok().map(watts),
            compute_capability: card
                .cuda_compute_capability()
                .ok()
                .map(|capability| format!("{}.{}", capability.major, capability.minor)),
        }
    }
}

/// What the driver counts for this process; more than one entry where the card is partitioned.
fn memory_own(card: &Device<'_>) -> Option<Bytes> {
    let processes = card.running_compute_processes().ok()?;
    let own = processes.iter().filter(|process| process.pid == std::process::id());
    own.map(|process| match process.used_gpu_memory {
        UsedGpuMemory::Used(bytes) => Some(Bytes(bytes)),
        UsedGpuMemory::Unavailable => None,
    })
    .reduce(|sum, part| Some(sum?.saturating_add(part?)))
    .flatten()
}
