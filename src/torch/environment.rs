use std::ffi::CStr;

use super::{TorchError, ffi};
use crate::domain::Device;

/// Sets what CUDA and cuBLAS read from the environment when they start: cards are numbered as NVML numbers them, and matrix products are
/// repeatable. What the user has set stays.
///
/// Must be the first thing the program does: it changes the environment, which is only sound while there is one thread.
pub fn init_environment() {
    for (name, value) in
        [("CUDA_DEVICE_ORDER", "PCI_BUS_ID"), ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")]
    {
        if std::env::var_os(name).is_none() {
            // SAFETY: called first in `main`, before any other thread exists.
            unsafe { std::env::set_var(name, value) };
        }
    }
}

/// Limits the threads libtorch uses for operations started from the calling thread.
///
/// libtorch's lazy initialisation would undo a limit set before it, so it is provoked first.
pub fn set_threads_of_this_thread(threads: u32) {
    let _initialised = tch::get_num_threads();
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
}

/// The libtorch this program is built against, as in `2.11.0`.
#[must_use]
pub fn libtorch_version() -> &'static str {
    // SAFETY: a string literal of the C++ side: NUL-terminated, never freed.
    let version = unsafe { CStr::from_ptr(ffi::wf_libtorch_version()) };
    version.to_str().unwrap_or("unknown")
}

/// How the libtorch that runs was built and what it uses of the processor, in its own words, one fact a line. What it says of CUDA is there only
/// where it has found a card.
///
/// # Errors
/// [`TorchError`] where libtorch cannot say.
pub fn build_config() -> Result<String, TorchError> {
    ffi::build_config()
}

/// The device as tch names it.
#[must_use]
pub const fn device(device: Device) -> tch::Device {
    match device {
        Device::Cpu => tch::Device::Cpu,
        Device::Cuda(index) => tch::Device::Cuda(index as usize),
        Device::Mps => tch::Device::Mps,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_thread_has_its_own_limit() {
        let limits: Vec<i32> = [1, 2]
            .map(|threads| {
                let name = format!("walkforge-test-{threads}");
                let measure = move || {
                    super::set_threads_of_this_thread(threads);
                    tch::get_num_threads()
                };
                std::thread::Builder::new().name(name).spawn(measure).unwrap()
            })
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(limits, [1, 2]);
    }
}
