use std::fmt;
use std::ptr;

use super::{TorchError, ffi};
use crate::domain::{Bytes, Device};

/// Counts the tensor memory that the calling thread allocates and frees, and the backward passes it starts, from [`Self::start`] until it is
/// dropped. Other threads are not counted, so tasks beside each other on one device are told apart.
///
/// Counted is what libtorch's allocators are asked for: on a card in their blocks of 512 bytes, without what they keep in reserve, the CUDA
/// context or the work space of its libraries. A tensor that is freed on another thread counts on until its address is used again. What was
/// allocated before the meter, and is freed under it, changes nothing.
///
/// Meters nest: the outer one counts what the inner one counts. Allocating a tensor and freeing it again takes some 0.1 µs longer.
pub struct MemoryMeter {
    /// Not [`Send`]: the meter hangs on the thread that started it.
    raw: *mut ffi::CMeter,
}

impl MemoryMeter {
    /// Starts to count, from nothing.
    #[must_use]
    pub fn start() -> Self {
        let mut raw = ptr::null_mut();
        // SAFETY: `raw` is a valid place for the result.
        let started = ffi::checked(unsafe { ffi::wf_meter_start(&raw mut raw) });
        started.expect("a meter needs a few hundred bytes of host memory and nothing else");
        Self { raw }
    }

    /// Bytes on the device that were allocated since the start and are not freed.
    #[must_use]
    pub fn current(&self, device: Device) -> Bytes {
        self.read(device).0
    }

    /// The most there has been of [`Self::current`] since the start, or since the last [`Self::reset_peak`].
    #[must_use]
    pub fn peak(&self, device: Device) -> Bytes {
        self.read(device).1
    }

    /// Lets the peak of every device begin again at what is there now.
    pub fn reset_peak(&self) {
        // SAFETY: `self.raw` is alive until drop; the C++ side locks.
        unsafe { ffi::wf_meter_reset_peak(self.raw) };
    }

    fn read(&self, device: Device) -> (Bytes, Bytes) {
        let (device_type, index) = ffi::numbers(device);
        let (mut current, mut peak) = (0, 0);
        // SAFETY: `self.raw` is alive until drop, both places are valid; the C++ side locks.
        unsafe {
            ffi::wf_meter_read(self.raw, device_type, index, &raw mut current, &raw mut peak);
        }
        let bytes = |count: i64| Bytes(u64::try_from(count).unwrap_or(0));
        (bytes(current), bytes(peak))
    }
}

impl Drop for MemoryMeter {
    fn drop(&mut self) {
        // SAFETY: `self.raw` came from wf_meter_start on this thread (the type is not Send) and is freed only here.
        let stopped: Result<(), TorchError> = ffi::checked(unsafe { ffi::wf_meter_stop(self.raw) });
        debug_assert!(stopped.is_ok(), "{stopped:?}");
    }
}

impl fmt::Debug for MemoryMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryMeter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;

    const CPU: (Kind, tch::Device) = (Kind::Float, tch::Device::Cpu);
    /// 1,000 numbers of 4 bytes.
    const KILO: Bytes = Bytes(4000);

    fn kilo() -> Tensor {
        Tensor::zeros([1000], CPU)
    }

    fn now(meter: &MemoryMeter) -> (Bytes, Bytes) {
        (meter.current(Device::Cpu), meter.peak(Device::Cpu))
    }

    #[test]
    fn what_is_allocated_and_freed_is_counted_and_what_was_there_before_is_not() {
        let before = kilo();
        let meter = MemoryMeter::start();
        assert_eq!(now(&meter), (Bytes(0), Bytes(0)));
        let (first, second) = (kilo(), kilo());
        assert_eq!(now(&meter), (Bytes(8000), Bytes(8000)));
        drop(first);
        drop(before);
        assert_eq!(now(&meter), (KILO, Bytes(8000)), "the elder one must not be subtracted");
        meter.reset_peak();
        assert_eq!(now(&meter), (KILO, KILO));
        drop(second);
        assert_eq!(now(&meter), (Bytes(0), KILO));
        assert_eq!(meter.peak(Device::Cuda(0)), Bytes(0));
    }

    #[test]
    fn a_product_takes_its_result_and_a_chain_its_steps() {
        let (a, b) = (Tensor::ones([200, 300], CPU), Tensor::ones([300, 100], CPU));
        let meter = MemoryMeter::start();
        let product = a.matmul(&b);
        assert_eq!(meter.current(Device::Cpu), Bytes(200 * 100 * 4));
        let chained = (&product + 1.0) * 2.0;
        // The product, the sum while the doubled one was made, the doubled one.
        let (current, peak) = now(&meter);
        assert_eq!(current, Bytes(2 * 80_000));
        // And the numbers 1 and 2, which are tensors of their own for a moment.
        assert!((240_000..240_064).contains(&peak.0), "{peak:?}");
        assert_eq!(chained.size(), [200, 100]);
    }

    #[test]
    fn a_backward_pass_is_counted() {
        let weights = Tensor::ones([1000], CPU).set_requires_grad(true);
        let meter = MemoryMeter::start();
        let loss = (&weights * &weights).sum(Kind::Float);
        let forward = meter.current(Device::Cpu);
        assert!(forward < KILO, "the product is not kept: {forward}");
        meter.reset_peak();
        loss.backward();
        assert_eq!(meter.current(Device::Cpu), forward.saturating_add(KILO), "the gradient stays");
        assert!(meter.peak(Device::Cpu) >= Bytes(8000), "both factors' parts, before their sum");
        assert_eq!(weights.grad().size(), [1000]);
    }

    #[test]
    fn nothing_of_another_thread_is_counted() {
        let meter = MemoryMeter::start();
        let elsewhere = || {
            let own = MemoryMeter::start();
            let held = kilo();
            (own.current(Device::Cpu), held)
        };
        let thread = std::thread::Builder::new().name("walkforge-test-meter".to_owned());
        let (theirs, held) = thread.spawn(elsewhere).unwrap().join().unwrap();
        assert_eq!((theirs, now(&meter)), (KILO, (Bytes(0), Bytes(0))));
        // Theirs until its end, wherever that is.
        drop(held);
        assert_eq!(now(&meter), (Bytes(0), Bytes(0)));
    }

    #[test]
    fn an_inner_meter_counts_for_the_outer_one_too_and_any_order_of_ends_will_do() {
        let outer = MemoryMeter::start();
        let first = kilo();
        let inner = MemoryMeter::start();
        let second = kilo();
        assert_eq!((now(&outer).0, now(&inner).0), (Bytes(8000), KILO));
        drop(first);
        assert_eq!((now(&outer).0, now(&inner).0), (KILO, KILO));
        // The outer one goes first; the inner one counts on.
        drop(outer);
        drop(second);
        assert_eq!(now(&inner), (Bytes(0), KILO));
        drop(inner);
        let last = MemoryMeter::start();
        let third = kilo();
        assert_eq!(now(&last), (KILO, KILO));
        drop(third);
    }
}
