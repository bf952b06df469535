use serde::{Deserialize, Serialize};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::domain::{Plan, RunId, RunOutcome, RunSummary, UtcMillis};

/// `manifest.json`: what was to be done, by which program, on which machine. Written once, before the first task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file's format.
    pub schema: u32,
    /// The run.
    pub run: RunId,
    /// When it was started.
    pub created: UtcMillis,
    /// This program's version.
    pub walkforge: String,
    /// The libtorch it used.
    pub libtorch: String,
    /// Operating system and architecture, as in `linux x86_64`.
    pub platform: String,
    /// The process that runs it.
    pub owner: Owner,
    /// What is done.
    pub plan: Plan,
}

/// The process a run belongs to: while it lives, the run is running; once it is gone without an outcome, the run was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Its process id.
    pub pid: u32,
    /// When it started, in seconds since 1970: ids are used again. `None` where the system does not tell.
    pub started: Option<u64>,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn this_process() -> Self {
        let pid = std::process::id();
        Self { pid, started: start_time(pid) }
    }

    /// Whether the very same process still lives on this machine.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        start_time(self.pid)
            .is_some_and(|started| self.started.is_none_or(|known| known == started))
    }
}

fn start_time(pid: u32) -> Option<u64> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing(),
    );
    Some(system.process(pid)?.start_time())
}

/// `outcome.json`: how the run ended. Written once, after the last task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// When.
    pub ended: UtcMillis,
    /// How.
    pub outcome: RunOutcome,
    /// What the finished tasks add up to.
    pub summary: RunSummary,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_an_older_one_of_the_same_id_does_not() {
        let own = Owner::this_process();
        assert!(own.is_alive());
        assert!(!Owner { started: Some(1), ..own }.is_alive());
        assert!(!Owner { pid: u32::MAX - 7, started: None }.is_alive());
    }
}
