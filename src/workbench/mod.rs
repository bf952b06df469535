//! Commands in, updates out: plans experiments, runs their tasks on named worker threads, exports models. The only way a front end starts
//! and stops work.
//!
//! Uses every room above. It must never know who is watching: it wakes a front end through a plain `Fn()` and keeps what it has to say in a
//! mailbox that never makes a worker wait.

mod contain;
mod engine;
mod load;
mod mailbox;
mod planner;
mod run;
mod scoring;
mod task;

pub use engine::{Command, Update, Workbench};
pub use planner::{PlanError, Prepared, plan};
pub use task::{TaskError, TaskObserver, TaskOutput, run_task};
