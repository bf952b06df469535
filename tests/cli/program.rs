//! Starts the program the way a user does and keeps what it said.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_walkforge");

/// Cuts the built-in experiments down to four tasks of a few milliseconds: two symbols, two folds.
pub const SMALL: &str = "--device cpu --set validation.train=500 --set validation.validation=100 \
    --set validation.test=100 --set validation.max_folds=2 --set training.max_epochs=2";

/// A folder of its own in which the program works: paths in messages are short and the same everywhere.
pub struct Scratch {
    folder: TempDir,
}

impl Scratch {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("the temporary folder can be written") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it lies in the scratch folder"))
            .and_then(|()| fs::write(&path, content))
            .expect("the temporary folder can be written");
    }

    /// Runs the program to its end; the arguments are split at spaces.
    pub fn run(&self, arguments: &str) -> Done {
        finish(self.command(PROGRAM).args(arguments.split_whitespace()), arguments)
    }

    /// Runs the program from bash, after some lines of bash.
    pub fn run_after(&self, lines: &str, arguments: &str) -> Done {
        let script = format!("{lines}; exec \"$0\" \"$@\"");
        let mut bash = self.command("bash");
        finish(bash.args(["-c", &script, PROGRAM]).args(arguments.split_whitespace()), arguments)
    }

    /// Starts the program without waiting for it.
    pub fn start(&self, arguments: &str) -> Running {
        let mut child = self
            .command(PROGRAM)
            .args(arguments.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let out = child.stdout.take().map(BufReader::new);
        let err = child.stderr.take().map(BufReader::new);
        Running {
            child,
            out,
            err,
            read_out: String::new(),
            read_err: String::new(),
            command: arguments.into(),
        }
    }

    /// Folders of runs that were begun in the default place, by name.
    pub fn run_folders(&self) -> Vec<PathBuf> {
        let Ok(listing) = fs::read_dir(self.path("runs")) else { return Vec::new() };
        let mut folders: Vec<PathBuf> = listing.flatten().map(|entry| entry.path()).collect();
        // The index of the runs lies beside them.
        folders.retain(|path| path.is_dir());
        folders.sort();
        folders
    }

    /// The folder of the only run there is.
    #[track_caller]
    pub fn only_run(&self) -> PathBuf {
        let folders = self.run_folders();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders[0].clone()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        for set_by_the_user in
            ["DISPLAY", "WAYLAND_DISPLAY", "COLUMNS", "CLICOLOR_FORCE", "RUST_BACKTRACE"]
        {
            command.env_remove(set_by_the_user);
        }
        command.env("WALKFORGE_CACHE", self.folder.path().join("cache"));
        command
    }
}

fn finish(command: &mut Command, arguments: &str) -> Done {
    let Output { status, stdout, stderr } = command.output().expect("the program starts");
    Done::new(arguments, status.code(), text(stdout), text(stderr))
}

/// How a command ended and what it said.
pub struct Done {
    pub out: String,
    pub err: String,
    code: Option<i32>,
    command: String,
}

impl Done {
    fn new(command: &str, code: Option<i32>, out: String, err: String) -> Self {
        let done = Self { out, err, code, command: command.to_owned() };
        assert!(!done.err.contains("panicked"), "{done}");
        done
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Checks that all of it is on stderr.
    #[track_caller]
    pub fn says(&self, pieces: &[&str]) {
        for piece in pieces {
            assert!(self.err.contains(piece), "stderr lacks `{piece}`: {self}");
        }
    }

    /// Checks that the input was refused: exit code 2, one error, nothing on stdout.
    #[track_caller]
    pub fn refuses(self, pieces: &[&str]) -> Self {
        let done = self.exits(2);
        assert_eq!(done.out, "", "{done}");
        assert!(done.err.starts_with("error: "), "{done}");
        let errors = done.err.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "{done}");
        done.says(pieces);
        done
    }

    /// Stdout as one JSON object a line.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let parse = |line| match serde_json::from_str::<Value>(line) {
            Ok(value) if value.is_object() => value,
            other => panic!("no JSON object: {other:?} in `{line}`: {self}"),
        };
        self.out.lines().map(parse).collect()
    }

    /// Stdout as one JSON object.
    #[track_caller]
    pub fn one_json(&self) -> Value {
        let mut lines = self.json();
        assert_eq!(lines.len(), 1, "{self}");
        lines.remove(0)
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, code, out, err } = self;
        write!(
            f,
            "`walkforge {command}` ended with {code:?}\n--- stdout\n{out}--- stderr\n{err}---"
        )
    }
}

/// A program at work. Killed when a test fails in the meantime.
pub struct Running {
    child: Child,
    out: Option<BufReader<ChildStdout>>,
    err: Option<BufReader<ChildStderr>>,
    read_out: String,
    read_err: String,
    command: String,
}

impl Running {
    /// Reads events until one is of this kind.
    #[track_caller]
    pub fn wait_for_event(&mut self, kind: &str) -> Value {
        loop {
            let line = read_line(self.out.as_mut(), &mut self.read_out);
            assert!(!line.is_empty(), "ended before `{kind}`: {}", self.read_out);
            let event: Value = serde_json::from_str(&line).expect("an event is a JSON line");
            if event["kind"] == kind {
                return event;
            }
        }
    }

    /// Reads stderr until a line holds the text.
    #[track_caller]
    pub fn wait_for_note(&mut self, text: &str) {
        loop {
            let line = read_line(self.err.as_mut(), &mut self.read_err);
            assert!(!line.is_empty(), "ended before `{text}`: {}", self.read_err);
            if line.contains(text) {
                return;
            }
        }
    }

    /// Reads so many lines of stdout, or fewer where it ends before.
    pub fn listen(&mut self, lines: usize) {
        for _ in 0..lines {
            if read_line(self.out.as_mut(), &mut self.read_out).is_empty() {
                return;
            }
        }
    }

    /// Sends a signal: `INT`, `TERM`, `KILL`.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("sh");
        kill.arg("-c").arg(format!("kill -{name} {}", self.child.id()));
        assert!(kill.status().expect("a shell starts").success());
    }

    /// Goes away, as `head` does.
    pub fn close_stdout(&mut self) {
        self.out = None;
    }

    /// Waits for the end; the exit code is `None` for a program killed by a signal.
    pub fn finish(mut self) -> Done {
        if let Some(mut out) = self.out.take() {
            out.read_to_string(&mut self.read_out).expect("stdout is text");
        }
        if let Some(mut err) = self.err.take() {
            err.read_to_string(&mut self.read_err).expect("stderr is text");
        }
        let status = self.child.wait().expect("it was started");
        let (out, err) = (std::mem::take(&mut self.read_out), std::mem::take(&mut self.read_err));
        Done::new(&self.command, status.code(), out, err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail where it has ended, which is well.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// The next line, empty at the end; everything read is appended to `all`.
fn read_line(from: Option<&mut impl BufRead>, all: &mut String) -> String {
    let mut line = String::new();
    from.expect("it was not closed").read_line(&mut line).expect("the output is text");
    all.push_str(&line);
    line
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("the output is text")
}

/// Compares with `tests/snapshots/NAME.snap`, after replacing what differs from machine to machine.
#[track_caller]
pub fn assert_snapshot(name: &str, parts: &[(&str, &str)], filters: &[(&str, &str)]) {
    let mut shown = String::new();
    for (title, part) in parts {
        write!(shown, "--- {title}\n{part}\n").expect("a string can be written");
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // How many cores are idle depends on the machine.
    settings.add_filter(r"(?m)^Recommended: .*\n", "");
    for (pattern, replacement) in filters {
        settings.add_filter(pattern, *replacement);
    }
    settings.bind(|| insta::assert_snapshot!(name, shown));
}
