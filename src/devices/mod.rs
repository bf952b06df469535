//! What there is to compute on: CUDA, MPS, CPU, with the reason where something is missing, and what NVML and the system can tell of it now.
//!
//! Uses `domain`, `spec` and `torch`. It owns one thread, the telemetry's, for whoever wants the machine watched. It must never know models, tasks or runs. A reading that the driver does not give is `None`, never 0.

mod advice;
mod budget;
mod choice;
mod host;
mod inventory;
mod libtorch;
mod nvml;
mod pool;
mod precision;
mod telemetry;

pub use advice::{Facts, Seen, recommend, recommend_with};
pub use budget::{MemoryBudget, budget_of};
pub use choice::{ChosenDevice, DeviceError, choose};
pub use host::{DiskReading, HostReading};
pub use inventory::{CpuInfo, CudaInfo, Inventory, MpsInfo};
pub use libtorch::LibtorchFacts;
pub use nvml::{CardFact, CardProcess, Nvml, NvmlReading};
pub use pool::{DeviceLease, DevicePool, DeviceSet, PoolDevice, PoolUsage, Refused, Request};
pub use precision::precision_refusal;
pub use telemetry::{MachineReading, Telemetry};
