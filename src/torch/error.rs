use tch::TchError;

/// A call into libtorch failed, and how: what can be done about it depends on that.
#[derive(Debug, thiserror::Error)]
pub enum TorchError {
    /// There was no room for a tensor. The device goes on working; a smaller batch may fit.
    #[error("out of memory: {0}")]
    OutOfMemory(String),
    /// The device no longer answers. Every later call on it from this process fails too.
    #[error(
        "the device failed and cannot be used until Walkforge is started again: {0}; look at `nvidia-smi` and the system's log"
    )]
    DeviceLost(String),
    /// Anything else: shapes, types, a device that does not exist.
    #[error("{0}")]
    Other(String),
}

/// What libtorch, CUDA, cuBLAS, cuDNN and Metal say where memory is short. CUDA's own error 2 is no sticky one.
const OUT_OF_MEMORY: [&str; 7] = [
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "std::bad_alloc",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "cudaErrorMemoryAllocation",
];

/// What CUDA says where a context is beyond repair (`cudaError_t`, the errors that "leave the process in an inconsistent state").
const DEVICE_LOST: [&str; 14] = [
    "an illegal memory access",
    "device-side assert",
    "unspecified launch failure",
    "uncorrectable ECC error",
    "the launch timed out",
    "misaligned address",
    "an illegal instruction",
    "invalid program counter",
    "operation not supported on global/shared address space",
    "hardware stack error",
    "Invalid access of peer GPU memory over nvlink or a hardware error",
    "GPU is lost",
    "CUDA error: unknown error",
    "driver shutting down",
];

impl TorchError {
    /// Whether memory was short.
    #[must_use]
    pub const fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::OutOfMemory(_))
    }

    /// Whether the device is of no more use to this process.
    #[must_use]
    pub const fn is_device_lost(&self) -> bool {
        matches!(self, Self::DeviceLost(_))
    }

    /// Sorts a message by what it says: tch has nothing but messages. What follows the message proper (a C++ stack) is cut off.
    #[must_use]
    pub fn from_message(message: &str) -> Self {
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
        let message_proper =
            message.split("\nException raised from").next().unwrap_or(message).trim().to_owned();
        if says(&OUT_OF_MEMORY) {
            Self::OutOfMemory(message_proper)
        } else if says(&DEVICE_LOST) {
            Self::DeviceLost(message_proper)
        } else {
            Self::Other(message_proper)
        }
    }
}

impl From<TchError> for TorchError {
    fn from(error: TchError) -> Self {
        match error {
            TchError::Torch(message) => Self::from_message(&message),
            other => Self::Other(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;

    #[test]
    fn a_tensor_too_large_for_the_host_is_out_of_memory() {
        // A pebibyte.
        let refused = Tensor::f_empty([1_i64 << 48], (Kind::Float, tch::Device::Cpu));
        let error = TorchError::from(refused.unwrap_err());
        assert!(error.is_out_of_memory(), "{error}");
        assert!(!error.to_string().contains("Exception raised"), "{error}");
    }

    #[test]
    fn messages_are_sorted_by_what_they_say() {
        let of = TorchError::from_message;
        assert!(of("CUDA out of memory. Tried to allocate 2.00 GiB.").is_out_of_memory());
        assert!(of("CUDA error: out of memory\nCUDA kernel errors might be").is_out_of_memory());
        assert!(of("CUDA error: an illegal memory access was encountered").is_device_lost());
        assert!(of("CUDA error: device-side assert triggered").is_device_lost());
        let shapes = of("mat1 and mat2 shapes cannot be multiplied (1x2 and 3x4)");
        assert!(!shapes.is_out_of_memory() && !shapes.is_device_lost());
        let shapes = Tensor::from_slice(&[1.0_f32]).f_matmul(&Tensor::from_slice(&[1.0_f32, 2.0]));
        assert!(matches!(TorchError::from(shapes.unwrap_err()), TorchError::Other(_)));
    }
}
