//! The networks: linear, MLP, LSTM behind one trait; what they weigh; the scaler and the output's unit around them.
//!
//! Uses rooms up to `dataset`. It must never know how a model is trained, what a run is, or what a file looks like.

mod estimate;
#[cfg(test)]
pub(crate) mod golden;
mod layout;
mod linear;
mod lstm;
mod mlp;
mod network;

pub use estimate::{estimate_memory, parameter_count};
pub use layout::{InputShape, ParameterShape, layout};
pub use network::{BuildError, Mode, Model, Network, NetworkDesign, OutputUnit, Parameter};

#[cfg(test)]
mod tests;
