//! What libtorch has and tch does not expose, behind safe wrappers; and the process-wide settings libtorch needs.
//!
//! The only room with `unsafe`. It knows tensors and devices, and must never know markets, models or runs.
#![expect(
    unsafe_code,
    reason = "the one room that talks to C++; every block states why it is sound"
)]

mod allocator;
mod autocast;
mod environment;
mod error;
pub(crate) mod faults;
mod ffi;
mod generator;
mod math_mode;
mod meter;
mod optim;
mod scale;
mod stream;

pub use allocator::{AllocatorStatistics, empty_cache, memory_statistics, reset_peak};
pub use autocast::Autocast;
pub use environment::{
    build_config, device, init_environment, libtorch_version, set_threads_of_this_thread,
};
pub use error::TorchError;
pub use generator::Generator;
pub use math_mode::{MathGuard, MathMode};
pub use meter::MemoryMeter;
pub use optim::{
    AdamSettings, AdamWSettings, Scaling, SgdSettings, clip_grad_norm, fused_adam, fused_adamw,
    fused_sgd,
};
pub use scale::{ScaleUpdate, non_finite_check_and_unscale, update_scale};
pub use stream::{StreamGuard, synchronize};
