use serde::Serialize;
use sysinfo::System;

use super::host::memory;
use super::{Nvml, NvmlReading};
use crate::domain::{Bytes, Device};

/// Everything this machine can compute on. What is missing says why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inventory {
    /// The processor.
    pub cpu: CpuInfo,
    /// CUDA cards, in PCI bus order.
    pub cuda: Vec<CudaInfo>,
    /// Why there are no CUDA cards to use, where there are none.
    pub no_cuda_because: Option<String>,
    /// NVIDIA's driver version.
    pub driver_version: Option<String>,
    /// Apple's GPU.
    pub mps: MpsInfo,
    /// The libtorch in use.
    pub libtorch: String,
}

/// The processor and its memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CpuInfo {
    /// Threads the operating system lets this process run at once.
    pub cores: u32,
    /// Host memory, within the control group's limit.
    pub memory_total: Option<Bytes>,
    /// Host memory that could be given to a process now.
    pub memory_available: Option<Bytes>,
}

/// One CUDA card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CudaInfo {
    /// How to name it: `cuda:0`.
    pub device: Device,
    /// What NVML says of it.
    #[serde(flatten)]
    pub reading: NvmlReading,
}

/// Apple's GPU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MpsInfo {
    /// Whether libtorch can use it.
    pub available: bool,
    /// Why not, where it cannot.
    pub reason: Option<String>,
}

impl Inventory {
    /// Looks at the machine. Takes up to a second the first time CUDA is asked.
    #[must_use]
    pub fn detect() -> Self {
        Self::detect_with(Nvml::open().as_ref())
    }

    /// The same with a library that stays open.
    pub(super) fn detect_with(nvml: Result<&Nvml, &String>) -> Self {
        let (cuda, no_cuda_because) = match cuda_cards(nvml) {
            Ok(cards) => (cards, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        Self {
            cpu: CpuInfo::detect(),
            cuda,
            no_cuda_because,
            driver_version: nvml.ok().and_then(Nvml::driver_version),
            mps: MpsInfo::detect(),
            libtorch: crate::torch::libtorch_version().to_owned(),
        }
    }
}

fn cuda_cards(nvml: Result<&Nvml, &String>) -> Result<Vec<CudaInfo>, String> {
    if !tch::utils::has_cuda() {
        let driver = nvml.err().cloned();
        return Err(driver.unwrap_or_else(|| {
            "a card is there, but this libtorch has no CUDA or found no usable device; \
             install the CUDA build of torch, or check CUDA_VISIBLE_DEVICES and the driver's age"
                .to_owned()
        }));
    }
    let count = u32::try_from(tch::Cuda::device_count()).unwrap_or(0);
    if count == 0 {
        return Err(
            "the driver shows no card to this process; check CUDA_VISIBLE_DEVICES".to_owned()
        );
    }
    Ok((0..count)
        .map(|index| CudaInfo {
            device: Device::Cuda(index),
            reading: nvml
                .map_or_else(|reason| NvmlReading::silent(reason), |nvml| nvml.read(index)),
        })
        .collect())
}

impl CpuInfo {
    /// Looks at the processor and the memory.
    #[must_use]
    pub fn detect() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (memory_total, memory_available) =
            System::new().map_or((None, None), |mut system| memory(&mut system));
        Self { cores: u32::try_from(cores).unwrap_or(u32::MAX), memory_total, memory_available }
    }
}

impl MpsInfo {
    fn detect() -> Self {
        let available = tch::utils::has_mps();
        let reason = (!available).then(|| {
            if cfg!(target_os = "macos") {
                "this libtorch or this Mac does not offer Metal".to_owned()
            } else {
                "MPS exists on macOS only".to_owned()
            }
        });
        Self { available, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_device_always_says_why() {
        let inventory = Inventory::detect();
        assert!(inventory.cpu.cores >= 1);
        assert_eq!(inventory.cuda.is_empty(), inventory.no_cuda_because.is_some());
        assert_eq!(inventory.mps.available, inventory.mps.reason.is_none());
        assert_eq!(inventory.libtorch.split('.').count(), 3, "{}", inventory.libtorch);
    }
}
