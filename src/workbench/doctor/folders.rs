use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Finding, Health};
use crate::domain::Bytes;
use crate::market::Cache;
use crate::runs::{RunStatus, RunStore, check_index};

/// Below this a run cannot be expected to get to its end.
const TOO_LITTLE: Bytes = Bytes(1 << 30);
/// Below this a larger run may not.
const LITTLE: Bytes = Bytes(5 << 30);

pub(super) fn examine(runs: &Path) -> Vec<Finding> {
    let own = "sudo chown -R \"$USER\"";
    let mut findings = vec![folder(
        "runs folder",
        runs,
        &format!("{own} {}, or another folder with --runs DIR", runs.display()),
        "walkforge runs delete RUN, or another folder with --runs DIR",
    )];
    findings.push(match Cache::platform().folder() {
        Some(cache) => no_worse_than_a_warning(folder(
            "cache",
            cache,
            &format!("{own} {}, or export WALKFORGE_CACHE=DIR", cache.display()),
            "walkforge data cache clear",
        )),
        None => Finding::warning(
            "cache",
            "switched off, so every file is read anew each time",
            "unset WALKFORGE_CACHE, or let it name a folder",
        ),
    });
    let temporary = std::env::temp_dir();
    let mend = "export TMPDIR=DIR, a folder you may write to";
    findings.push(folder("temporary files", &temporary, mend, mend));
    findings.push(index(runs));
    findings
}

fn no_worse_than_a_warning(finding: Finding) -> Finding {
    Finding { health: finding.health.min(Health::Warning), ..finding }
}

/// Whether a folder can be written, or made, and how much room there is.
fn folder(topic: &'static str, path: &Path, own: &str, make_room: &str) -> Finding {
    let shown = path.display();
    let Some(there) = nearest(path) else {
        return Finding::problem(topic, format!("{shown}: there is no such place"), own);
    };
    if !there.is_dir() {
        let found = format!("{shown} cannot be a folder: {} is a file", there.display());
        return Finding::problem(topic, found, own);
    }
    if let Err(error) = tempfile::tempfile_in(&there) {
        return Finding::problem(topic, format!("{shown} cannot be written: {error}"), own);
    }
    let is_new = if path.exists() { "" } else { ", made when it is needed" };
    match free_space(&there) {
        Some(free) if free < TOO_LITTLE => {
            Finding::problem(topic, format!("{shown}: only {free} are free"), make_room)
        }
        Some(free) if free < LITTLE => {
            Finding::warning(topic, format!("{shown}: {free} are free"), make_room)
        }
        Some(free) => Finding::ok(topic, format!("{shown}: {free} free{is_new}")),
        None => Finding::ok(topic, format!("{shown} can be written{is_new}")),
    }
}

/// The path itself or the nearest folder above it that is there.
fn nearest(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    absolute.ancestors().find(|path| path.exists()).map(Path::to_owned)
}

/// What a user without special rights may still write; `None` where the system has no `df` as POSIX wants it.
fn free_space(path: &Path) -> Option<Bytes> {
    let told = Command::new("df").args(["-P", "-k"]).arg(path).env("LC_ALL", "C").output().ok()?;
    parse_df(std::str::from_utf8(&told.stdout).ok()?)
}

/// The fourth column of the second line, in KiB; the first may hold spaces, so it is counted from the percentage.
fn parse_df(told: &str) -> Option<Bytes> {
    let line = told.lines().nth(1)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let percentage = words.iter().position(|word| word.ends_with('%'))?;
    let kib: u64 = words.get(percentage.checked_sub(1)?)?.parse().ok()?;
    Some(Bytes(kib.saturating_mul(1024)))
}

fn index(runs: &Path) -> Finding {
    const TOPIC: &str = "runs";
    if !runs.exists() {
        return Finding::ok(TOPIC, "there are none yet");
    }
    let again = format!("walkforge runs list --runs {}, which mends the index", runs.display());
    // First: looking at the runs would bring the index in step with their folders.
    match check_index(runs) {
        Ok(problems) if problems.is_empty() => {}
        Ok(problems) => return Finding::problem(TOPIC, in_short(&problems), again),
        Err(error) => return Finding::problem(TOPIC, error.to_string(), again),
    }
    let (entries, broken) = match RunStore::list(runs) {
        Ok(listed) => listed,
        Err(error) => return Finding::problem(TOPIC, error.to_string(), again),
    };
    if !broken.is_empty() {
        let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
        let mend = format!("walkforge runs list --runs {}, which names them all", runs.display());
        return Finding::problem(TOPIC, in_short(&broken), mend);
    }
    let of = |status| entries.iter().filter(|entry| entry.status == status).count();
    let (interrupted, running) = (of(RunStatus::Interrupted), of(RunStatus::Running));
    let found = format!("{} runs, {running} running, {interrupted} interrupted", entries.len());
    if interrupted > 0 {
        let mend = "walkforge runs list --status interrupted, then walkforge runs resume RUN";
        return Finding::warning(TOPIC, found, mend);
    }
    Finding::ok(TOPIC, found)
}

/// The first of several problems, and how many there are.
fn in_short(problems: &[String]) -> String {
    match problems {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn df_is_read_whatever_the_device_is_called() {
        for (told, expected) in [
            (
                "Filesystem 1024-blocks Used Available Capacity Mounted on\noverlay 100 40 60 40% /\n",
                Some(60),
            ),
            ("F\nmy device 100 40 7 93% /mnt/a b\n", Some(7)),
            ("F\n", None),
            ("", None),
        ] {
            assert_eq!(parse_df(told), expected.map(|kib| Bytes(kib * 1024)), "{told}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_problem_and_one_that_can_is_none() {
        let scratch = tempfile::tempdir().unwrap();
        let judge = |path: &Path| folder("runs folder", path, "own", "room");
        // How full this machine is is not what is tested.
        let new = judge(&scratch.path().join("new/runs"));
        assert!(new.mend.as_deref() != Some("own"), "{new:?}");
        assert!(!scratch.path().join("new").exists(), "looking makes nothing");
        let file = scratch.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [&file, &file.join("runs")] {
            let found = judge(path);
            assert_eq!((found.health, found.mend.as_deref()), (Health::Problem, Some("own")));
            assert!(found.found.contains("is a file"), "{found:?}");
        }
    }
}
