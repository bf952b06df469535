//! The engine as its front ends use it: signals found and not invented, results that repeat bit for bit, cancel, export.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

#[path = "engine/asking.rs"]
mod asking;
#[path = "engine/bundle.rs"]
mod bundle;
#[path = "engine/cancel.rs"]
mod cancel;
#[path = "engine/determinism.rs"]
mod determinism;
#[path = "engine/equity.rs"]
mod equity;
#[path = "engine/export.rs"]
mod export;
#[path = "engine/gpu.rs"]
mod gpu;
#[path = "engine/leakage.rs"]
mod leakage;
#[path = "engine/onnx.rs"]
mod onnx;
#[path = "engine/parity.rs"]
mod parity;
#[path = "engine/pause.rs"]
mod pause;
#[path = "engine/presets.rs"]
mod presets;
#[path = "engine/resume.rs"]
mod resume;
#[path = "engine/retry.rs"]
mod retry;
#[path = "engine/reuse.rs"]
mod reuse;
#[path = "engine/schemes.rs"]
mod schemes;
#[path = "engine/several.rs"]
mod several;
#[path = "engine/signal.rs"]
mod signal;
#[path = "support/skip.rs"]
mod skip;
#[path = "engine/support.rs"]
mod support;
#[path = "engine/tensorboard.rs"]
mod tensorboard;
#[path = "engine/told.rs"]
mod told;
