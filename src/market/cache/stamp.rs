use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A file may change twice within one tick of its clock and look the same: FAT counts in steps of two seconds, networks drift.
pub(super) const TICK: Duration = Duration::from_secs(3);

/// How a file looks from outside. While that is the same, and had come to rest when it was taken, so is the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    len: u64,
    /// When the content changed, in nanoseconds since 1970: programs may set it as they please.
    modified_ns: u64,
    /// What the system itself writes down: when content or time of change was last touched, and which file it is. 0 where it does not tell.
    changed_ns: u64,
    file: u64,
    /// When the stamp was taken to be compared with the times of change.
    #[serde(skip)]
    taken_ns: Moment,
}

/// Does not count in comparisons.
#[derive(Debug, Clone, Copy, Default)]
struct Moment(u64);

impl PartialEq for Moment {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Moment {}

impl Stamp {
    /// The stamp of a file as it is now; `None` where the system does not tell.
    pub fn of(path: &Path) -> Option<Self> {
        let taken_ns = Moment(nanos(SystemTime::now())?);
        let metadata = std::fs::metadata(path).ok()?;
        let modified_ns = nanos(metadata.modified().ok()?)?;
        let (changed_ns, file) = of_the_system(&metadata);
        Some(Self { len: metadata.len(), modified_ns, changed_ns, file, taken_ns })
    }

    /// Whether the last change was over when the stamp was taken, so that any later one gives another stamp. Not so for a time in the future.
    pub fn is_settled(self, tick: Duration) -> bool {
        let last = self.modified_ns.max(self.changed_ns);
        u128::from(self.taken_ns.0) > u128::from(last) + tick.as_nanos()
    }
}

fn nanos(at: SystemTime) -> Option<u64> {
    u64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}

#[cfg(unix)]
fn of_the_system(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(metadata.ctime()).unwrap_or(0);
    let rest = u64::try_from(metadata.ctime_nsec()).unwrap_or(0);
    (seconds.saturating_mul(1_000_000_000).saturating_add(rest), metadata.ino())
}

#[cfg(not(unix))]
fn of_the_system(_metadata: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_has_just_changed_is_not_settled() {
        let seconds = |seconds: u64| seconds * 1_000_000_000;
        let settled = |modified, changed, taken| {
            let taken_ns = Moment(seconds(taken));
            let (modified_ns, changed_ns) = (seconds(modified), seconds(changed));
            Stamp { len: 1, modified_ns, changed_ns, file: 1, taken_ns }.is_settled(TICK)
        };
        assert!(settled(100, 100, 110));
        assert!(!settled(100, 100, 102), "within the tick");
        assert!(!settled(50, 100, 102), "an old time that was set just now");
        assert!(!settled(200, 100, 150), "a time in the future");
    }
}
