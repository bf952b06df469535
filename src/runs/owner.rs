use serde::{Deserialize, Serialize};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Seconds by which two readings of one process's start, or of the machine's, may differ where the clock was set in between.
const CLOCK_SECS: u64 = 2;

/// The process a run belongs to: while it lives, the run is running; once it is gone without an outcome, the run was interrupted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// Its process id.
    pub pid: u32,
    /// When it started: ids are used again. Where `boot` is Linux's boot id, in clock ticks since the machine started, which no change of the
    /// clock moves; otherwise in seconds since 1970. `None` where the system does not tell.
    pub started: Option<u64>,
    /// Since which start of the machine it lives; `None` where the system does not tell, and in files of versions that did not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn this_process() -> Self {
        let pid = std::process::id();
        let boot = boot();
        let started = match ticks(pid) {
            Some(ticks) if boot.is_some() => Some(ticks),
            _ => start_secs(pid),
        };
        Self { pid, started, boot }
    }

    /// Whether the very same process still lives on this machine.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        match (&self.boot, boot()) {
            // The machine was started again since, or this is another one.
            (Some(then), Some(now)) if !is_same_boot(then, &now) => false,
            (Some(_), Some(_)) if cfg!(target_os = "linux") => {
                ticks(self.pid).is_some_and(|now| self.started.is_none_or(|then| then == now))
            }
            _ => start_secs(self.pid).is_some_and(|now| {
                self.started.is_none_or(|then| then.abs_diff(now) <= CLOCK_SECS)
            }),
        }
    }

    /// Whether it is this very process.
    #[must_use]
    pub fn is_this_process(&self) -> bool {
        self.pid == std::process::id() && self.is_alive()
    }
}

/// What tells one start of the machine from the next.
#[cfg(target_os = "linux")]
fn boot() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(not(target_os = "linux"))]
fn boot() -> Option<String> {
    Some(System::boot_time()).filter(|&secs| secs > 0).map(|secs| secs.to_string())
}

/// Linux's are random words and must be equal; elsewhere it is a time, which a change of the clock moves.
fn is_same_boot(then: &str, now: &str) -> bool {
    match (then.parse::<u64>(), now.parse::<u64>()) {
        (Ok(then), Ok(now)) => then.abs_diff(now) <= CLOCK_SECS,
        _ => then == now,
    }
}

/// When a living process started, in clock ticks since the machine did (proc(5), field 22 of `stat`). One that has ended and that its parent
/// has not asked about yet does not live.
fn ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may contain anything, a parenthesis too.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") { None } else { fields.nth(18)?.parse().ok() }
}

fn start_secs(pid: u32) -> Option<u64> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing(),
    );
    Some(system.process(pid)?.start_time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_an_older_one_of_the_same_id_does_not() {
        let own = Owner::this_process();
        assert!(own.is_alive() && own.is_this_process());
        assert!(!Owner { started: Some(1), ..own.clone() }.is_alive());
        assert!(!Owner { pid: u32::MAX - 7, started: None, boot: None }.is_alive());
        assert!(!Owner { pid: u32::MAX - 7, ..own.clone() }.is_alive());
        assert!(!Owner { boot: Some("another start".to_owned()), ..own }.is_alive());
    }

    #[test]
    fn an_owner_of_a_version_that_knew_no_boot_is_told_by_the_second_it_started() {
        let text =
            |started: u64| format!(r#"{{"pid":{},"started":{started}}}"#, std::process::id());
        let now = start_secs(std::process::id()).unwrap();
        for (started, lives) in [(now, true), (now - 1, true), (now - 60, false)] {
            let owner: Owner = serde_json::from_str(&text(started)).unwrap();
            assert_eq!(owner.is_alive(), lives, "{started} and {now}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_that_was_killed_does_not_live_even_before_its_parent_knows() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let owner = Owner { pid: child.id(), started: ticks(child.id()), ..Owner::this_process() };
        assert!(owner.is_alive() && !owner.is_this_process());
        child.kill().unwrap();
        // The signal has been sent; give the kernel its moment.
        let gone = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            !owner.is_alive()
        });
        assert!(gone, "a zombie is no owner");
        child.wait().unwrap();
    }
}
