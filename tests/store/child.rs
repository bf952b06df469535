//! What this program does when it is started by itself: another process at work on the same store.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use walkforge::domain::{EventKind, RunId, RunOutcome, TaskId};
use walkforge::runs::{RunFolder, RunLog, RunStatus, RunStore, StoreError};

use crate::support::{create, end, entries, open, plan, train};

const DUTY: &str = "WALKFORGE_STORE_DUTY";
const ROOT: &str = "WALKFORGE_STORE_ROOT";

/// Another process, killed when dropped.
pub struct Other {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Other {
    /// `hold`: makes a run and keeps it. `resume RUN`: takes it over and keeps it. `work`: brings a run to its end, an interrupted one first.
    pub fn start(root: &Path, duty: &str) -> Self {
        Self::start_after(root, duty, "")
    }

    /// The same after a line for the shell.
    pub fn start_after(root: &Path, duty: &str, before: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut process = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "{before}\nexec \"$0\" --ignored --exact child::other_process --nocapture --test-threads=1"
            ))
            .arg(program)
            .env(DUTY, duty)
            .env(ROOT, root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, input, output }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The next thing it says; `None` once it has ended.
    pub fn says(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // libtest talks too.
            if let Some((_, said)) = line.split_once("| ") {
                return Some(said.trim_end().to_owned());
            }
        }
    }

    /// Ends its waiting.
    pub fn go_on(&mut self) {
        self.input.write_all(b"\n").unwrap();
    }

    /// Kills it, unless it has ended by itself, and waits until it is gone.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Lets one that keeps a run go in peace.
    pub fn finish(mut self) {
        self.go_on();
        while self.says().is_some() {}
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "| {what}").unwrap();
    out.flush().unwrap();
}

/// Until the parent says something, or is gone.
fn wait() {
    let _line = std::io::stdin().lock().read_line(&mut String::new());
}

#[test]
#[ignore = "the other tests start it as a process of its own"]
fn other_process() {
    let (Ok(duty), Some(root)) = (std::env::var(DUTY), std::env::var_os(ROOT)) else { return };
    let root = Path::new(&root);
    match duty.split_once(' ') {
        None if duty == "hold" => hold(root),
        None if duty == "work" => {
            if let Err(error) = work(root) {
                say(&format!("error {error}"));
            }
        }
        Some(("resume", run)) => resume(root, &RunId::new(run)),
        _ => panic!("no such duty: {duty}"),
    }
}

fn hold(root: &Path) {
    let store = open(root);
    let (run, _, log) = create(&store);
    let device = plan().device;
    log.record(Some(&plan().tasks[0].id), EventKind::Started { device }).unwrap();
    say(run.as_str());
    wait();
}

fn resume(root: &Path, run: &RunId) {
    let store = open(root);
    say("ready");
    wait();
    match store.resume(run) {
        Ok(resumed) => {
            say("got it");
            wait();
            drop(resumed);
        }
        Err(error) => say(&error.to_string()),
    }
}

/// Says `told SEQ KIND TASK` for every lifecycle event, and `kept TASKS` when it goes on with a run.
fn work(root: &Path) -> Result<(), StoreError> {
    let store = RunStore::open(root, |event| {
        if event.kind.is_lifecycle() {
            let kind = match event.kind {
                EventKind::Finished { .. } => "finished",
                EventKind::RunEnded { .. } => "ended",
                _ => "other",
            };
            let task = event.task.as_ref().map_or("-", TaskId::as_str);
            say(&format!("told {} {kind} {task}", event.seq));
        }
    })?;
    let interrupted =
        entries(root).into_iter().find(|entry| entry.status == RunStatus::Interrupted);
    let (folder, log, finished): (RunFolder, RunLog, Vec<TaskId>) = if let Some(entry) = interrupted
    {
        let resumed = store.resume(&entry.id)?;
        (resumed.folder, resumed.log, resumed.finished)
    } else {
        let (_, folder, log) = store.create(&crate::support::spec(), &plan(), None)?;
        (folder, log, Vec::new())
    };
    let kept: Vec<&str> = finished.iter().map(TaskId::as_str).collect();
    say(&format!("kept {}", kept.join(" ")));
    let at_work = || -> Result<(), StoreError> {
        for task in plan().tasks.iter().filter(|task| !finished.contains(&task.id)) {
            train(&folder, &log, task)?;
        }
        Ok(())
    };
    let outcome = match at_work() {
        Ok(()) => RunOutcome::Finished,
        Err(error) => {
            say(&format!("error {error}"));
            RunOutcome::Failed
        }
    };
    end(&folder, &log, outcome)
}
