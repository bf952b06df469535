//! Walkforge: a workbench that trains trading models. See `ARCHITECTURE.md` for the rooms and their invariants.

pub mod domain;
pub mod spec;

pub mod market;

pub mod features;
pub mod labels;
pub mod validation;

pub mod evaluation;

pub mod torch;

pub mod devices;

pub mod dataset;
pub mod models;
pub mod training;
pub mod ui;

pub mod runs;

pub mod export;

pub mod workbench;

pub mod cli;

#[cfg(test)]
#[path = "../tests/support/skip.rs"]
mod skip;
