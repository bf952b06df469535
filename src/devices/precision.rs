use super::Inventory;
use crate::domain::Device;
use crate::spec::Precision;

/// Compute capability, as in `9.0`: major and minor.
type Capability = (u32, u32);

const VOLTA: Capability = (7, 0);
const AMPERE: Capability = (8, 0);

/// Why the device cannot compute in this precision, with what to choose instead; `None` where it can, and where nobody knows.
#[must_use]
pub fn precision_refusal(
    precision: Precision,
    device: Device,
    inventory: &Inventory,
) -> Option<String> {
    if precision == Precision::F32 {
        return None;
    }
    let name = precision.name();
    match (device, precision) {
        (_, Precision::F32) | (Device::Cpu, Precision::Bf16) => None,
        (Device::Cpu, Precision::F16) => Some(
            "the processor has no training in f16: choose Bf16 or F32, or a CUDA device".to_owned(),
        ),
        (Device::Cpu, Precision::Tf32) => Some(
            "tf32 is an arithmetic of NVIDIA GPUs, not of the processor: choose F32 or Bf16, or a CUDA device"
                .to_owned(),
        ),
        (Device::Mps, _) => {
            Some(format!("on Apple's GPU there is only f32 so far, not {name}: choose F32"))
        }
        (Device::Cuda(_), Precision::F16) => {
            too_old(device, name, VOLTA, "choose F32, or another device", inventory)
        }
        (Device::Cuda(_), Precision::Tf32 | Precision::Bf16) => {
            too_old(device, name, AMPERE, "choose F32 or F16, or another device", inventory)
        }
    }
}

fn too_old(
    device: Device,
    name: &str,
    needed: Capability,
    instead: &str,
    inventory: &Inventory,
) -> Option<String> {
    let has = capability(device, inventory)?;
    (has < needed).then(|| {
        format!(
            "{name} takes compute capability {}.{}, and {device} has {}.{}: {instead}",
            needed.0, needed.1, has.0, has.1
        )
    })
}

/// The card's compute capability; `None` where it is no card or not known.
pub(super) fn capability(device: Device, inventory: &Inventory) -> Option<Capability> {
    let card = inventory.cuda.iter().find(|card| card.device == device)?;
    let (major, minor) = card.reading.compute_capability.as_deref()?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::{CpuInfo, CudaInfo, MpsInfo, NvmlReading};

    fn machine(capability: Option<&str>) -> Inventory {
        let compute_capability = capability.map(str::to_owned);
        let reading = NvmlReading { compute_capability, ..NvmlReading::default() };
        Inventory {
            cpu: CpuInfo { cores: 2, memory_total: None, memory_available: None },
            cuda: vec![CudaInfo { device: Device::Cuda(0), reading }],
            no_cuda_because: None,
            driver_version: None,
            mps: MpsInfo { available: true, reason: None },
            libtorch: "2.11.0".to_owned(),
        }
    }

    #[test]
    fn each_device_computes_what_it_can_and_says_what_it_cannot() {
        use Precision::{Bf16, F16, F32, Tf32};
        let card = Device::Cuda(0);
        for (device, capability, precision, refused) in [
            (Device::Cpu, None, F32, None),
            (Device::Cpu, None, Bf16, None),
            (Device::Cpu, None, F16, Some("choose Bf16 or F32")),
            (Device::Cpu, None, Tf32, Some("choose F32 or Bf16")),
            (Device::Mps, None, F32, None),
            (Device::Mps, None, Bf16, Some("choose F32")),
            (Device::Mps, None, F16, Some("not f16")),
            (card, Some("6.1"), F32, None),
            (card, Some("6.1"), F16, Some("cuda:0 has 6.1")),
            (card, Some("7.0"), F16, None),
            (card, Some("7.5"), Bf16, Some("takes compute capability 8.0")),
            (card, Some("7.5"), Tf32, Some("choose F32 or F16")),
            (card, Some("8.0"), Bf16, None),
            (card, Some("8.9"), Tf32, None),
            (card, Some("10.0"), Tf32, None),
            // Nobody knows: libtorch will tell.
            (card, None, Bf16, None),
            (Device::Cuda(7), Some("6.1"), Bf16, None),
        ] {
            let told = precision_refusal(precision, device, &machine(capability));
            let case = format!("{device} {capability:?} {precision:?}: {told:?}");
            assert_eq!(told.is_some(), refused.is_some(), "{case}");
            assert!(told.is_none_or(|told| told.contains(refused.unwrap())), "{case}");
        }
    }
}
