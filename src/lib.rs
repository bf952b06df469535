//! Walkforge: a workbench that trains trading models. See `ARCHITECTURE.md` for the rooms and their invariants.

pub mod domain;
pub mod spec;
pub mod torch;
