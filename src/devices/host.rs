use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use sysinfo::{
    Disk, DiskRefreshKind, Disks, MINIMUM_CPU_UPDATE_INTERVAL, Pid, ProcessRefreshKind,
    ProcessesToUpdate, System,
};

use crate::domain::Bytes;

/// What the operating system says of the host now. Each reading stands alone: `None` where the system does not give it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct HostReading {
    /// Share of all the machine's processors that was busy since the reading before, 0 to 100. `None` at first: it takes two looks.
    pub utilization_percent: Option<f64>,
    /// Host memory, within the control group's limit.
    pub memory_total: Option<Bytes>,
    /// What of it could not be given to a process now, whoever has it.
    pub memory_used: Option<Bytes>,
    /// This process's resident set.
    pub memory_own: Option<Bytes>,
    /// The file system that was asked for. `None` where nobody asked, and where the system does not tell. A network share's space is not
    /// even asked for, because that may hang.
    pub disk: Option<DiskReading>,
}

/// A file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DiskReading {
    /// All of it.
    pub total: Bytes,
    /// What this process could still write.
    pub free: Bytes,
}

/// Reads the host again and again; the processors' utilisation needs the look before.
pub(super) struct HostReader {
    /// `None` on a system that sysinfo does not know.
    system: Option<System>,
    /// When the processors were first looked at.
    first_look: Option<Instant>,
    disk: DiskReader,
}

impl HostReader {
    /// `folder` says of which file system the space is read.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { system: System::new().ok(), first_look: None, disk: DiskReader::new(folder) }
    }

    pub(super) fn read(&mut self) -> HostReading {
        let disk = self.disk.read();
        let Some(system) = &mut self.system else {
            return HostReading { disk, ..HostReading::default() };
        };
        // Before that, what sysinfo gives is an average since the machine started.
        let is_known =
            self.first_look.is_some_and(|first| first.elapsed() >= MINIMUM_CPU_UPDATE_INTERVAL);
        system.refresh_cpu_usage();
        self.first_look.get_or_insert_with(Instant::now);
        let has_cpus = !system.cpus().is_empty();
        let (memory_total, memory_available) = memory(system);
        HostReading {
            utilization_percent: (is_known && has_cpus)
                .then(|| f64::from(system.global_cpu_usage())),
            memory_total,
            memory_used: memory_total
                .zip(memory_available)
                .map(|(total, available)| Bytes(total.0.saturating_sub(available.0))),
            memory_own: resident_set(system),
            disk,
        }
    }
}

/// Reads how full the file system of a folder is.
struct DiskReader {
    folder: PathBuf,
    /// Where the file system of the folder is mounted, once it has been found.
    mounted: Option<PathBuf>,
    /// `None` on a system that sysinfo does not know.
    disks: Option<Disks>,
}

impl DiskReader {
    fn new(folder: PathBuf) -> Self {
        let disks = Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing()).ok();
        Self { folder, mounted: None, disks }
    }

    fn read(&mut self) -> Option<DiskReading> {
        if self.mounted.is_none() {
            self.mounted = self.find();
        }
        let mounted = self.mounted.as_deref()?;
        let disk = self.disks.as_mut()?.iter_mut().find(|disk| disk.mount_point() == mounted)?;
        disk.refresh_specifics(DiskRefreshKind::nothing().with_storage());
        let (total, free) = (Bytes(disk.total_space()), Bytes(disk.available_space()));
        (total > Bytes(0)).then_some(DiskReading { total, free })
    }

    /// `None` where the folder is on no disk that is listed, and before it is made.
    fn find(&self) -> Option<PathBuf> {
        // Absolute: `runs` lies on no mount point by name.
        let folder = self.folder.canonicalize().ok()?;
        let holds = |disk: &&Disk| {
            folder.starts_with(disk.mount_point())
                && is_same_file_system(&folder, disk.mount_point())
        };
        let disks = self.disks.as_ref()?.iter().filter(holds);
        let disk = disks.max_by_key(|disk| disk.mount_point().as_os_str().len())?;
        Some(disk.mount_point().to_owned())
    }
}

/// Something that is not listed may be mounted between the two.
#[cfg(unix)]
fn is_same_file_system(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let device = |path: &Path| path.metadata().ok().map(|metadata| metadata.dev());
    device(one).is_some_and(|one| device(other) == Some(one))
}

/// Drives are listed with everything that is mounted in them.
#[cfg(not(unix))]
fn is_same_file_system(_: &Path, _: &Path) -> bool {
    true
}

/// Host memory in total and what could be given to a process now, within the control group's limits.
pub(super) fn memory(system: &mut System) -> (Option<Bytes>, Option<Bytes>) {
    system.refresh_memory();
    let limits = system.cgroup_limits();
    let within_group = |host: u64, group: Option<u64>| {
        (host > 0).then(|| Bytes(group.map_or(host, |group| group.min(host))))
    };
    (
        within_group(system.total_memory(), limits.as_ref().map(|limits| limits.total_memory)),
        within_group(system.available_memory(), limits.as_ref().map(|limits| limits.free_memory)),
    )
}

fn resident_set(system: &mut System) -> Option<Bytes> {
    let own = Pid::from_u32(std::process::id());
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[own]),
        true,
        ProcessRefreshKind::nothing().with_memory(),
    );
    Some(Bytes(system.process(own)?.memory()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_knows_memory_and_not_how_busy_the_processors_are() {
        let reading = HostReader::new(PathBuf::new()).read();
        assert_eq!(reading.utilization_percent, None);
        let [total, used, own] =
            [reading.memory_total, reading.memory_used, reading.memory_own].map(Option::unwrap);
        assert!(own > Bytes(1 << 20) && own < total && used <= total, "{reading:?}");
    }

    #[test]
    fn a_later_look_knows_how_busy_they_were() {
        let mut reader = HostReader::new(PathBuf::new());
        let _first = reader.read();
        // As if the first one had been long ago.
        reader.first_look =
            reader.first_look.and_then(|at| at.checked_sub(MINIMUM_CPU_UPDATE_INTERVAL));
        let busy = reader.read().utilization_percent.unwrap();
        assert!((0.0..=100.0).contains(&busy), "{busy} %");
    }

    #[test]
    fn space_is_that_of_the_folders_own_file_system_or_unknown() {
        let nowhere = HostReader::new(PathBuf::from("/no/such/folder")).read();
        assert_eq!(nowhere.disk, None);
        // Which file systems there are is the machine's own business.
        for folder in [std::env::temp_dir(), PathBuf::from("/"), PathBuf::from("/proc")] {
            if let Some(disk) = HostReader::new(folder.clone()).read().disk {
                assert!(disk.free <= disk.total, "{}: {disk:?}", folder.display());
                assert!(folder != Path::new("/proc"), "it is on no disk");
            }
        }
    }
}
