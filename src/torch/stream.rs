use std::fmt;
use std::ptr;

use super::{TorchError, ffi};
use crate::domain::Device;

/// A CUDA stream of its own for the calling thread, until it is dropped: what this thread asks of the card does not queue behind what other
/// threads ask. Dropping it waits for the stream and gives the thread the one it had back.
///
/// Memory that one stream frees may be handed out again on that stream before another stream has read it. So what streams share must be
/// complete ([`synchronize`]) before a second thread reads it, and must be dropped after this guard. Drop the youngest first.
pub struct StreamGuard {
    /// Not [`Send`]: the current stream is a state of the thread.
    raw: *mut ffi::CStream,
}

impl StreamGuard {
    /// Takes a stream from the device's pool, once what this thread asked of the card before is done. libtorch has 32 streams a card and
    /// hands them out in turn. `None` on the CPU and on MPS, which have none.
    ///
    /// # Errors
    /// When the card is missing or lost.
    pub fn enter(device: Device) -> Result<Option<Self>, TorchError> {
        if !matches!(device, Device::Cuda(_)) {
            return Ok(None);
        }
        let (device_type, index) = ffi::numbers(device);
        let mut raw = ptr::null_mut();
        // SAFETY: `raw` is a valid place for the result.
        ffi::checked(unsafe { ffi::wf_stream_enter(device_type, index, &raw mut raw) })?;
        Ok(Some(Self { raw }))
    }

    /// Waits for what this stream was asked to do.
    ///
    /// # Errors
    /// When what was asked failed on the card; most of CUDA's errors show here first.
    pub fn synchronize(&self) -> Result<(), TorchError> {
        // SAFETY: `self.raw` is alive until drop.
        ffi::checked(unsafe { ffi::wf_stream_synchronize(self.raw) })
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        // SAFETY: `self.raw` came from wf_stream_enter on this thread (the type is not Send) and is freed only here.
        // A card that is lost says so to every later call, too.
        let _lost = ffi::checked(unsafe { ffi::wf_stream_leave(self.raw) });
    }
}

impl fmt::Debug for StreamGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamGuard").finish_non_exhaustive()
    }
}

/// Waits for everything the device was asked to do, by any thread. The CPU has always done it.
///
/// # Errors
/// When what was asked failed on the card, or there is no such card.
pub fn synchronize(device: Device) -> Result<(), TorchError> {
    if device == Device::Cpu {
        return Ok(());
    }
    let (device_type, index) = ffi::numbers(device);
    // SAFETY: takes two numbers; a device that is missing is an error.
    ffi::checked(unsafe { ffi::wf_synchronize(device_type, index) })
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;

    #[test]
    fn the_cpu_has_no_streams_and_never_waits() {
        for _ in 0..3 {
            assert!(StreamGuard::enter(Device::Cpu).unwrap().is_none());
        }
        synchronize(Device::Cpu).unwrap();
    }

    #[test]
    fn a_card_that_is_not_there_is_an_error() {
        assert!(StreamGuard::enter(Device::Cuda(99)).is_err());
        assert!(synchronize(Device::Cuda(99)).is_err());
    }

    #[test]
    fn on_a_card_streams_compute_what_the_default_stream_does() {
        if !tch::Cuda::is_available() {
            crate::skip!("no CUDA device");
        }
        let product = || {
            let ones = Tensor::ones([512, 512], (Kind::Float, tch::Device::Cuda(0)));
            ones.matmul(&ones).sum(Kind::Double).double_value(&[])
        };
        let plain = product();
        for _ in 0..40 {
            let guard = StreamGuard::enter(Device::Cuda(0)).unwrap().unwrap();
            assert_eq!(product(), plain);
            guard.synchronize().unwrap();
        }
        synchronize(Device::Cuda(0)).unwrap();
        assert_eq!(product(), plain);
    }
}
