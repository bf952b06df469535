use super::Inventory;
use crate::domain::Device;
use crate::spec::DeviceChoice;

/// A device and why it was taken: written into the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenDevice {
    /// Where to compute.
    pub device: Device,
    /// Why there, in words.
    pub reason: String,
}

/// The user asked for a device that is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{device} cannot be used: {reason}; use --device auto, or one of {available}")]
pub struct DeviceError {
    device: Device,
    reason: String,
    available: String,
}

/// Resolves the user's wish: CUDA before MPS before CPU where it is `auto`.
///
/// # Errors
/// [`DeviceError`] when the user named a device this machine does not have.
pub fn choose(choice: DeviceChoice, inventory: &Inventory) -> Result<ChosenDevice, DeviceError> {
    match choice {
        DeviceChoice::Auto => Ok(automatic(inventory)),
        DeviceChoice::Only(device) => match refusal(device, inventory) {
            None => Ok(ChosenDevice { device, reason: "as requested".to_owned() }),
            Some(reason) => Err(DeviceError { device, reason, available: available(inventory) }),
        },
    }
}

fn automatic(inventory: &Inventory) -> ChosenDevice {
    if let Some(card) = inventory.cuda.first() {
        let name = card.reading.name.as_deref().unwrap_or("CUDA card");
        return ChosenDevice { device: card.device, reason: format!("auto: {name} found") };
    }
    let no_cuda = inventory.no_cuda_because.as_deref().unwrap_or("no CUDA card");
    if inventory.mps.available {
        return ChosenDevice {
            device: Device::Mps,
            reason: format!("auto: Apple GPU found; {no_cuda}"),
        };
    }
    ChosenDevice { device: Device::Cpu, reason: format!("auto: {no_cuda}") }
}

fn refusal(device: Device, inventory: &Inventory) -> Option<String> {
    match device {
        Device::Cpu => None,
        Device::Mps => inventory.mps.reason.clone(),
        Device::Cuda(_) if inventory.cuda.iter().any(|card| card.device == device) => None,
        Device::Cuda(_) => Some(inventory.no_cuda_because.clone().unwrap_or_else(|| {
            format!("there are {} CUDA cards, numbered from 0", inventory.cuda.len())
        })),
    }
}

fn available(inventory: &Inventory) -> String {
    let cards = inventory.cuda.iter().map(|card| card.device);
    let mps = inventory.mps.available.then_some(Device::Mps);
    let all = cards.chain(mps).chain([Device::Cpu]);
    all.map(|device| device.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::{CpuInfo, CudaInfo, MpsInfo, NvmlReading};

    fn machine(cards: u32, mps: bool) -> Inventory {
        let card = |index| CudaInfo {
            device: Device::Cuda(index),
            reading: NvmlReading { name: Some("H100".to_owned()), ..NvmlReading::default() },
        };
        Inventory {
            cpu: CpuInfo { cores: 2, memory_total: None, memory_available: None },
            cuda: (0..cards).map(card).collect(),
            no_cuda_because: (cards == 0).then(|| "no NVIDIA driver is installed".to_owned()),
            driver_version: None,
            mps: MpsInfo { available: mps, reason: (!mps).then(|| "not a Mac".to_owned()) },
            libtorch: "2.11.0".to_owned(),
        }
    }

    #[test]
    fn cuda_comes_before_mps_before_cpu() {
        for (cards, mps, expected, reason) in [
            (2, true, Device::Cuda(0), "H100"),
            (0, true, Device::Mps, "Apple"),
            (0, false, Device::Cpu, "no NVIDIA driver"),
        ] {
            let chosen = choose(DeviceChoice::Auto, &machine(cards, mps)).unwrap();
            assert_eq!(chosen.device, expected);
            assert!(chosen.reason.contains(reason), "{}", chosen.reason);
        }
    }

    #[test]
    fn a_device_that_is_not_there_is_refused_with_what_is() {
        let asked = |device, cards| choose(DeviceChoice::Only(device), &machine(cards, false));
        assert_eq!(asked(Device::Cuda(1), 2).unwrap().device, Device::Cuda(1));
        let error = asked(Device::Cuda(2), 2).unwrap_err().to_string();
        assert!(error.contains("cuda:2") && error.contains("cuda:0, cuda:1, cpu"), "{error}");
        let error = asked(Device::Cuda(0), 0).unwrap_err().to_string();
        assert!(error.contains("no NVIDIA driver is installed"), "{error}");
        assert!(asked(Device::Mps, 1).unwrap_err().to_string().contains("not a Mac"));
    }
}
