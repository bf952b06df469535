use super::Finding;
use crate::devices::CpuInfo;
use crate::domain::Bytes;

/// Below this a task of any size may find no room.
const LITTLE_MEMORY: Bytes = Bytes(1 << 30);
/// Files that a run with many series and the window have open at once fit into this.
const FEW_FILES: u64 = 512;

pub(super) fn examine() -> Vec<Finding> {
    let cpu = CpuInfo::detect();
    let all = std::fs::read_to_string("/proc/cpuinfo").ok().map(|text| processors(&text));
    let mut findings = vec![memory(&cpu), threads(cpu.cores, all)];
    if let Ok(limits) = std::fs::read_to_string("/proc/self/limits") {
        findings.push(self::limits(&limits));
    }
    findings
}

fn memory(cpu: &CpuInfo) -> Finding {
    const TOPIC: &str = "memory";
    let Some(available) = cpu.memory_available else {
        return Finding::ok(TOPIC, "not known on this system");
    };
    let of = cpu.memory_total.map(|total| format!(" of {total}")).unwrap_or_default();
    if available < LITTLE_MEMORY {
        return Finding::warning(
            TOPIC,
            format!("only {available}{of} available"),
            "end what else runs, or train with --workers 1",
        );
    }
    Finding::ok(TOPIC, format!("{available}{of} available"))
}

/// `all`: of the machine, where that is known and larger.
fn threads(usable: u32, all: Option<u32>) -> Finding {
    let limited = all.filter(|&all| all > usable).map(|all| {
        format!(
            " of the machine's {all}: its control group or affinity leaves no more to this process"
        )
    });
    let noun = if usable == 1 { "processor" } else { "processors" };
    Finding::ok("processors", format!("{usable} {noun}{}", limited.unwrap_or_default()))
}

fn processors(cpuinfo: &str) -> u32 {
    cpuinfo.lines().filter(|line| line.starts_with("processor")).count() as u32
}

/// What the shell allows the process.
fn limits(told: &str) -> Finding {
    const TOPIC: &str = "limits";
    // `Max open files            1024                 524288               files`
    let soft = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next().map(str::to_owned)
    };
    let number = |name: &str| soft(name).and_then(|value| value.parse::<u64>().ok());
    if let Some(bytes) = number("Max file size") {
        return Finding::warning(
            TOPIC,
            format!(
                "no file may be larger than {}, so a run may not be written to its end",
                Bytes(bytes)
            ),
            "ulimit -f unlimited",
        );
    }
    match number("Max open files") {
        Some(files) if files < FEW_FILES => Finding::warning(
            TOPIC,
            format!("only {files} files may be open at once"),
            "ulimit -n 4096",
        ),
        Some(files) => Finding::ok(TOPIC, format!("{files} open files, files of any size")),
        None => Finding::ok(TOPIC, "files of any size"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    #[test]
    fn tight_limits_are_told_with_what_lifts_them() {
        let told = |size: &str, files: &str| {
            format!(
                "Limit  Soft Limit  Hard Limit  Units\nMax file size   {size}  unlimited  bytes\nMax open files  {files}  4096  files\n"
            )
        };
        for (size, files, mend) in [
            ("unlimited", "1024", None),
            ("unlimited", "unlimited", None),
            ("unlimited", "64", Some("ulimit -n 4096")),
            ("1048576", "1024", Some("ulimit -f unlimited")),
        ] {
            assert_eq!(limits(&told(size, files)).mend.as_deref(), mend);
        }
    }

    #[test]
    fn little_memory_is_a_warning_and_fewer_processors_are_explained() {
        let cpu = |available| CpuInfo {
            cores: 2,
            memory_total: Some(Bytes(8 << 30)),
            memory_available: available,
        };
        assert_eq!(memory(&cpu(Some(Bytes(1 << 20)))).health, Health::Warning);
        assert_eq!(memory(&cpu(Some(Bytes(4 << 30)))).found, "4.0 GiB of 8.0 GiB available");
        assert_eq!(memory(&cpu(None)).health, Health::Ok);
        assert_eq!(threads(2, Some(2)).found, "2 processors");
        assert!(threads(2, Some(64)).found.starts_with("2 processors of the machine's 64"));
        assert_eq!(processors("processor : 0\nmodel : x\n\nprocessor : 1\n"), 2);
    }
}
