//! The networks: linear, MLP, LSTM, GRU, TCN, Transformer behind one trait; what they weigh; the scaler and the output's unit around them.
//!
//! Uses rooms up to `dataset`. It must never know how a model is trained, what a run is, or what a file looks like.

mod activations;
#[cfg(test)]
mod causality;
mod estimate;
#[cfg(test)]
mod estimate_tests;
#[cfg(test)]
pub(crate) mod golden;
mod head;
mod layout;
mod linear;
mod mlp;
mod network;
mod recurrent;
mod tcn;
mod transformer;

pub use estimate::{
    estimate_evaluation_pass, estimate_memory, estimate_training_pass, parameter_count,
};
pub use layout::{Initial, InputShape, ParameterShape, layout};
pub use network::{
    BuildError, Mode, Model, NamedWeights, Network, NetworkDesign, OutputUnit, Parameter,
};
pub use transformer::sinusoidal_positions;

#[cfg(test)]
mod tests;
