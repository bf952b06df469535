//! The store of runs: nothing that was told is lost, whatever ends the process, the index or the disk.
//!
//! Several processes at once are real ones: this program starts itself again (`store/child.rs`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

#[path = "store/child.rs"]
mod child;
#[path = "store/damage.rs"]
mod damage;
#[path = "store/failing.rs"]
mod failing;
#[path = "store/folders.rs"]
mod folders;
#[path = "store/index.rs"]
mod index;
#[path = "store/kill.rs"]
mod kill;
#[path = "store/migrations.rs"]
mod migrations;
#[path = "store/owners.rs"]
mod owners;
#[path = "store/read_only.rs"]
mod read_only;
#[path = "store/registry.rs"]
mod registry;
#[path = "store/resume.rs"]
mod resume;
#[path = "support/skip.rs"]
mod skip;
#[path = "store/support.rs"]
mod support;
