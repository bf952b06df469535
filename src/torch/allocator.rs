use super::ffi;
use crate::domain::{Bytes, Device};

/// What libtorch's caching allocator has of one device, for the whole process. A task's own share is [`super::MemoryMeter`]'s to tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllocatorStatistics {
    /// In tensors.
    pub allocated: Bytes,
    /// Taken from the driver, in use or kept for the next tensor. The CUDA context comes on top.
    pub reserved: Bytes,
    /// The most there was of `allocated` since the start or [`reset_peak`].
    pub peak_allocated: Bytes,
    /// The most there was of `reserved`.
    pub peak_reserved: Bytes,
}

/// Reads the allocator; all 0 before the device's first tensor. `None` on the CPU, whose allocator keeps nothing, and where the device is
/// missing.
#[must_use]
pub fn memory_statistics(device: Device) -> Option<AllocatorStatistics> {
    let (device_type, index) = on_a_card(device)?;
    let [mut allocated, mut reserved, mut peak_allocated, mut peak_reserved] = [0; 4];
    // SAFETY: four valid places for the results.
    ffi::checked(unsafe {
        ffi::wf_memory_statistics(
            device_type,
            index,
            &raw mut allocated,
            &raw mut reserved,
            &raw mut peak_allocated,
            &raw mut peak_reserved,
        )
    })
    .ok()?;
    let bytes = |count: i64| Bytes(u64::try_from(count).unwrap_or(0));
    Some(AllocatorStatistics {
        allocated: bytes(allocated),
        reserved: bytes(reserved),
        peak_allocated: bytes(peak_allocated),
        peak_reserved: bytes(peak_reserved),
    })
}

/// Lets both peaks of the device begin again at what is there now. Does nothing on the CPU.
pub fn reset_peak(device: Device) {
    if let Some((device_type, index)) = on_a_card(device) {
        // SAFETY: takes two numbers; a device that is missing is an error.
        let _missing = ffi::checked(unsafe { ffi::wf_reset_peak(device_type, index) });
    }
}

/// Gives what no tensor uses back to the driver, on every card. Waits for them, so not between batches. Does nothing on the CPU.
pub fn empty_cache(device: Device) {
    if let Some((device_type, _)) = on_a_card(device) {
        // SAFETY: takes a number; a device that is missing is an error.
        let _missing = ffi::checked(unsafe { ffi::wf_empty_cache(device_type) });
    }
}

fn on_a_card(device: Device) -> Option<(i32, i32)> {
    (device != Device::Cpu).then(|| ffi::numbers(device))
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;

    #[test]
    fn the_cpu_and_a_card_that_is_not_there_have_nothing_to_tell() {
        for device in [Device::Cpu, Device::Cuda(99)] {
            reset_peak(device);
            empty_cache(device);
            let known = memory_statistics(device);
            assert!(known.is_none_or(|known| known == AllocatorStatistics::default()), "{device}");
        }
        assert_eq!(memory_statistics(Device::Cpu), None);
    }

    #[test]
    fn a_card_tells_what_tensors_take_and_what_is_kept() {
        if !tch::Cuda::is_available() {
            crate::skip!("no CUDA device");
        }
        let card = Device::Cuda(0);
        let held = Tensor::zeros([1 << 20], (Kind::Float, tch::Device::Cuda(0)));
        let with = memory_statistics(card).unwrap();
        assert!(with.allocated >= Bytes(4 << 20) && with.reserved >= with.allocated, "{with:?}");
        drop(held);
        reset_peak(card);
        let without = memory_statistics(card).unwrap();
        assert!(without.peak_allocated < with.peak_allocated, "{with:?}, then {without:?}");
        empty_cache(card);
        assert!(memory_statistics(card).unwrap().reserved < with.reserved);
    }
}
