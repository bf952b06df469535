//! The declarations of `ext.h`, word for word.

use std::ffi::{CStr, c_char, c_int};

use tch::Tensor;
use torch_sys::C_tensor;

use super::TorchError;

/// An `at::Generator`, owned by whoever holds the pointer.
#[repr(C)]
pub(super) struct CGenerator {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    pub(super) fn wf_libtorch_version() -> *const c_char;
    fn wf_take_error() -> *mut c_char;
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
    pub(super) fn wf_dropout_mask(
        like: *const C_tensor,
        keep: f64,
        generator: *mut CGenerator,
        out: *mut *mut C_tensor,
    ) -> c_int;
    pub(super) fn wf_fused_adamw(
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
    ) -> c_int;
    pub(super) fn wf_clip_grad_norm(
        grads: *const *const C_tensor,
        n: c_int,
        max_norm: f64,
        out: *mut *mut C_tensor,
    ) -> c_int;
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
    let message = unsafe {
        let text = wf_take_error();
        if text.is_null() {
            String::from("out of host memory")
        } else {
            let message = CStr::from_ptr(text).to_string_lossy().into_owned();
            free(text.cast());
            message
        }
    };
    Err(match code {
        OUT_OF_MEMORY => TorchError::OutOfMemory(message),
        DEVICE_LOST => TorchError::DeviceLost(message),
        _ => TorchError::from_message(&message),
    })
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

/// The length as C takes it.
pub(super) fn length(tensors: &[Tensor]) -> Result<c_int, TorchError> {
    c_int::try_from(tensors.len())
        .map_err(|source| TorchError::Other(format!("{} tensors: {source}", tensors.len())))
}
