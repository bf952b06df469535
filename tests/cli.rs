//! The command line as its users meet it: what each command prints, the exit codes, and what it says about input it cannot use.
//!
//! Every test starts the real program in a folder of its own. Experiments are small and made on the built-in market, so that the whole
//! file takes seconds; what a run computes is checked by the engine's own tests.

#[path = "cli/bundle.rs"]
mod bundle;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/hostile.rs"]
mod hostile;
#[path = "cli/kill.rs"]
mod kill;
#[path = "cli/leaks.rs"]
mod leaks;
#[path = "cli/look.rs"]
mod look;
#[path = "cli/market.rs"]
mod market;
#[path = "cli/models.rs"]
mod models;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/stopped.rs"]
mod stopped;
#[path = "cli/stored.rs"]
mod stored;
#[path = "cli/sweep.rs"]
mod sweep;
#[path = "cli/together.rs"]
mod together;
#[path = "cli/train.rs"]
mod train;

#[path = "support/skip.rs"]
mod skip;
