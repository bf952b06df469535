//! The declarations of `ext.h`, word for word.

use std::ffi::{CStr, c_char, c_int};

use tch::Tensor;
use torch_sys::C_tensor;

use super::TorchError;
use crate::domain::Device;

/// An `at::Generator`, owned by whoever holds the pointer.
#[repr(C)]
pub(super) struct CGenerator {
    _opaque: [u8; 0],
}

/// A memory meter, owned by whoever holds the pointer.
#[repr(C)]
pub(super) struct CMeter {
    _opaque: [u8; 0],
}

/// What autocast was before, owned by whoever holds the pointer.
#[repr(C)]
pub(super) struct CAutocast {
    _opaque: [u8; 0],
}

/// A thread's stream and the one before, owned by whoever holds the pointer.
#[repr(C)]
pub(super) struct CStream {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    pub(super) fn wf_libtorch_version() -> *const c_char;
    fn wf_build_config(out: *mut *mut c_char) -> c_int;
    fn wf_take_error() -> *mut c_char;
    #[cfg(test)]
    fn wf_code_of_accelerator(error: c_int) -> c_int;
    pub(super) fn wf_generator_new(
        device_type: c_int,
        device_index: c_int,
        seed: u64,
        out: *mut *mut CGenerator,
    ) -> c_int;
    pub(super) fn wf_generator_free(generator: *mut CGenerator);
    pub(super) fn wf_generator_get_state(
        generator: *mut CGenerator,
        out: *mut *mut C_tensor,
    ) -> c_int;
    pub(super) fn wf_generator_set_state(
        generator: *mut CGenerator,
        state: *const C_tensor,
    ) -> c_int;
    pub(super) fn wf_meter_start(out: *mut *mut CMeter) -> c_int;
    pub(super) fn wf_meter_read(
        meter: *mut CMeter,
        device_type: c_int,
        device_index: c_int,
        current: *mut i64,
        peak: *mut i64,
    );
    pub(super) fn wf_meter_reset_peak(meter: *mut CMeter);
    pub(super) fn wf_meter_stop(meter: *mut CMeter) -> c_int;
    pub(super) fn wf_dropout_mask(
        like: *const C_tensor,
        keep: f64,
        generator: *mut CGenerator,
        out: *mut *mut C_tensor,
    ) -> c_int;
    pub(super) fn wf_fused_adam(
        decoupled: c_int,
        params: *const *const C_tensor,
        grads: *const *const C_tensor,
        exp_avgs: *const *const C_tensor,
        exp_avg_sqs: *const *const C_tensor,
        n: c_int,
        step: *const C_tensor,
        learning_rate: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        eps: f64,
        grad_scale: *const C_tensor,
        found_inf: *const C_tensor,
    ) -> c_int;
    pub(super) fn wf_fused_sgd(
        params: *const *const C_tensor,
        grads: *const *const C_tensor,
        momentum_buffers: *const *const C_tensor,
        n: c_int,
        learning_rate: f64,
        momentum: f64,
        weight_decay: f64,
        nesterov: c_int,
        grad_scale: *const C_tensor,
        found_inf: *const C_tensor,
    ) -> c_int;
    pub(super) fn wf_unscale(
        grads: *const *const C_tensor,
        n: c_int,
        found_inf: *const C_tensor,
        inverse_scale: *const C_tensor,
    ) -> c_int;
    pub(super) fn wf_update_scale(
        scale: *const C_tensor,
        growth_tracker: *const C_tensor,
        found_inf: *const C_tensor,
        growth_factor: f64,
        backoff_factor: f64,
        growth_interval: i64,
    ) -> c_int;
    pub(super) fn wf_clip_grad_norm(
        grads: *const *const C_tensor,
        n: c_int,
        max_norm: f64,
        out: *mut *mut C_tensor,
    ) -> c_int;
    pub(super) fn wf_autocast_enter(
        device_type: c_int,
        dtype: c_int,
        out: *mut *mut CAutocast,
    ) -> c_int;
    pub(super) fn wf_autocast_leave(autocast: *mut CAutocast) -> c_int;
    pub(super) fn wf_math_flags_set(flags: c_int) -> c_int;
    pub(super) fn wf_math_flags_get(flags: *mut c_int) -> c_int;
    pub(super) fn wf_memory_statistics(
        device_type: c_int,
        device_index: c_int,
        allocated: *mut i64,
        reserved: *mut i64,
        peak_allocated: *mut i64,
        peak_reserved: *mut i64,
    ) -> c_int;
    pub(super) fn wf_reset_peak(device_type: c_int, device_index: c_int) -> c_int;
    pub(super) fn wf_empty_cache(device_type: c_int) -> c_int;
    pub(super) fn wf_stream_enter(
        device_type: c_int,
        device_index: c_int,
        out: *mut *mut CStream,
    ) -> c_int;
    pub(super) fn wf_stream_leave(stream: *mut CStream) -> c_int;
    pub(super) fn wf_stream_synchronize(stream: *mut CStream) -> c_int;
    pub(super) fn wf_synchronize(device_type: c_int, device_index: c_int) -> c_int;
    fn free(pointer: *mut std::ffi::c_void);
}

/// Return codes of `ext.h`, where C++ knew the kind of failure from the exception's type.
const OUT_OF_MEMORY: c_int = -2;
const DEVICE_LOST: c_int = -3;

/// Turns a return code into a result with the message C++ left for this thread.
pub(super) fn checked(code: c_int) -> Result<(), TorchError> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: wf_take_error returns a fresh NUL-terminated string that is ours to free, or null when out of memory.
    let message = unsafe { take_text(wf_take_error()) };
    let message = message.unwrap_or_else(|| String::from("out of host memory"));
    Err(match code {
        OUT_OF_MEMORY => TorchError::OutOfMemory(message),
        DEVICE_LOST => TorchError::DeviceLost(message),
        _ => TorchError::from_message(&message),
    })
}

/// Takes over a text that C++ made, `None` where there was no memory for it.
///
/// # Safety
/// `text` is null, or a NUL-terminated string from malloc that nobody else owns.
unsafe fn take_text(text: *mut c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: it is not null, so by the caller's promise a string, and ours to free.
    unsafe {
        let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
        free(text.cast());
        Some(owned)
    }
}

/// See [`super::build_config`].
pub(super) fn build_config() -> Result<String, TorchError> {
    let mut text = std::ptr::null_mut();
    // SAFETY: `text` is a place for one pointer, and what is put there is a fresh string or null.
    unsafe {
        checked(wf_build_config(&raw mut text))?;
        take_text(text).ok_or_else(|| TorchError::OutOfMemory("no memory for a text".to_owned()))
    }
}

/// The device as `ext.h` numbers it: its type and its index.
pub(super) fn numbers(device: Device) -> (c_int, c_int) {
    match device {
        Device::Cpu => (0, 0),
        Device::Cuda(index) => (1, c_int::try_from(index).unwrap_or(c_int::MAX)),
        Device::Mps => (2, 0),
    }
}

/// Calls `make` with a place for a tensor and takes the tensor it puts there.
pub(super) fn new_tensor(
    make: impl FnOnce(*mut *mut C_tensor) -> c_int,
) -> Result<Tensor, TorchError> {
    let mut out = std::ptr::null_mut();
    checked(make(&raw mut out))?;
    // SAFETY: the call succeeded, so `out` is a new at::Tensor nobody else owns.
    Ok(unsafe { Tensor::from_ptr(out) })
}

/// The tensors' pointers, valid while the tensors are borrowed.
pub(super) fn pointers(tensors: &[Tensor]) -> Vec<*const C_tensor> {
    tensors.iter().map(Tensor::as_ptr).collect()
}

/// The tensor's pointer, null where there is none.
pub(super) fn pointer(tensor: Option<&Tensor>) -> *const C_tensor {
    tensor.map_or(std::ptr::null(), Tensor::as_ptr)
}

/// The length as C takes it.
pub(super) fn length(tensors: &[Tensor]) -> Result<c_int, TorchError> {
    c_int::try_from(tensors.len())
        .map_err(|source| TorchError::Other(format!("{} tensors: {source}", tensors.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_lost_by_the_errors_that_no_process_survives() {
        // Numbers of cudaError_t: cudaErrorMemoryAllocation; an illegal address, a timeout, an assertion, a launch failure, ECC; an invalid value,
        // devices that are busy, a driver that is too old.
        for (errors, code) in [
            (&[2][..], OUT_OF_MEMORY),
            (&[700, 702, 710, 719, 214], DEVICE_LOST),
            (&[1, 46, 35], -1),
        ] {
            for error in errors {
                // SAFETY: takes a number and gives one.
                assert_eq!(unsafe { wf_code_of_accelerator(*error) }, code, "{error}");
            }
        }
    }
}
