//! What there is to compute on: CUDA, MPS, CPU, with the reason where something is missing, and what NVML can tell about a card.
//!
//! Uses `domain`, `spec` and `torch`. It must never know models, tasks or runs. A reading that the driver does not give is `None`, never 0.

mod choice;
mod inventory;
mod nvml;

pub use choice::{ChosenDevice, DeviceError, choose};
pub use inventory::{CpuInfo, CudaInfo, Inventory, MpsInfo};
pub use nvml::{Nvml, NvmlReading};
