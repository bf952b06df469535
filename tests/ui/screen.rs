//! A screen of its own for the real program: an X server that draws into memory, keys and mouse for it, and what is on it as pixels.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_walkforge");
const OUT: &str = "stdout.txt";
const ERR: &str = "stderr.txt";
const SIZE: &str = "1440x900x24";
/// Longer than any step takes on a busy machine; only a defect waits for it.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(100);

/// A software renderer and a training run want the whole machine, so one test at a time has a screen.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A folder, an X server, and the program started on it. Dropping it ends them.
pub struct Screen {
    program: Option<Program>,
    display: String,
    server: Child,
    /// The server goes away when nobody reads what it says.
    _server_says: BufReader<ChildStdout>,
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Screen {
    /// Starts the server.
    ///
    /// # Errors
    /// Which program is missing.
    pub fn open() -> Result<Self, String> {
        for program in ["Xvfb", "xdotool"] {
            let path = std::env::var_os("PATH").unwrap_or_default();
            if !std::env::split_paths(&path).any(|folder| folder.join(program).is_file()) {
                return Err(format!("no {program} on the PATH"));
            }
        }
        let turn = ONE_AT_A_TIME.lock();
        let folder = tempfile::tempdir().unwrap();
        // Only its owner may look into it, or libwayland complains.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        // -r: no key repeats by itself, however long a busy machine takes to release it.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-noreset", "-r", "-nolisten", "tcp"])
            .args(["-screen", "0", SIZE, "-fbdir"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("server.txt")).unwrap())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(server.stdout.take().unwrap());
        let mut number = String::new();
        says.read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        let screen =
            Self { program: None, display, server, _server_says: says, folder, _turn: turn };
        let complaint = || fs::read_to_string(screen.path("server.txt")).unwrap();
        assert!(screen.display.len() > 1, "no X server: {}", complaint());
        Ok(screen)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program on this screen, with settings and runs of its own; the arguments are split at spaces.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        for set_by_the_user in ["WAYLAND_DISPLAY", "COLUMNS", "CLICOLOR_FORCE", "RUST_BACKTRACE"] {
            command.env_remove(set_by_the_user);
        }
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("DISPLAY", &self.display)
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Starts a command; what it says goes to files.
    pub fn start(&mut self, command: &mut Command) {
        let [out, err] = [OUT, ERR].map(|name| File::create(self.path(name)).unwrap());
        command.stdout(out).stderr(err);
        self.program = Some(Program { child: command.spawn().unwrap() });
    }

    /// Opens the window and waits until it can be used.
    #[track_caller]
    pub fn open_window(&mut self, arguments: &str) {
        let mut command = self.command(arguments);
        self.start(&mut command);
        let window = self.until("a window", |screen| {
            // `--sync` would wait for ever.
            let found = screen.xdotool(&["search", "--onlyvisible", "--name", "^Walkforge$"])?;
            found.lines().next().map(str::to_owned)
        });
        self.until("the first picture", |screen| screen.look().is_drawn().then_some(()));
        // Without a window manager nobody else gives it the keyboard.
        self.until("the keyboard", |screen| {
            screen.xdotool(&["windowfocus", &window])?;
            (screen.xdotool(&["getwindowfocus"])?.trim() == window).then_some(())
        });
    }

    /// Presses one key, or several together: `ctrl+Return`.
    #[track_caller]
    pub fn press(&self, keys: &str) {
        assert!(self.xdotool(&["key", "--clearmodifiers", keys]).is_some(), "{}", self.evidence());
    }

    #[track_caller]
    pub fn write(&self, text: &str) {
        assert!(self.xdotool(&["type", text]).is_some(), "{}", self.evidence());
    }

    #[track_caller]
    pub fn click(&self, (x, y): (usize, usize)) {
        let (x, y) = (x.to_string(), y.to_string());
        let clicked = self.xdotool(&["mousemove", &x, &y, "click", "1"]);
        assert!(clicked.is_some(), "{}", self.evidence());
    }

    /// What it prints, unless it fails.
    fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("xdotool")
            .env("DISPLAY", &self.display)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// What is on the screen now.
    pub fn look(&self) -> Picture {
        Picture::from_xwd(&fs::read(self.path("Xvfb_screen0")).unwrap())
    }

    /// Waits until there is an answer.
    #[track_caller]
    pub fn until<T>(&mut self, what: &str, mut ask: impl FnMut(&Self) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(answer) = ask(self) {
                return answer;
            }
            if let Some(status) = self.program.as_mut().and_then(Program::status) {
                panic!("the program ended ({status}) before there was {what}: {}", self.evidence());
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}: {}", self.evidence());
            sleep(LOOK);
        }
    }

    /// Waits until a part of the screen is no longer as it was, and comes to rest.
    #[track_caller]
    pub fn until_other(&mut self, what: &str, area: Area, before: &Picture) -> Picture {
        let mut last = before.clone();
        self.until(what, |screen| {
            let now = screen.look().part(area);
            let rests = now == std::mem::replace(&mut last, now.clone());
            (rests && now != *before).then_some(now)
        })
    }

    /// Waits for the program's end.
    #[track_caller]
    pub fn until_exit(&mut self) -> Ended {
        let mut program = self.program.take().unwrap();
        let began = Instant::now();
        loop {
            if let Some(status) = program.status() {
                let said = self.said();
                assert!(!said.contains("panicked"), "{said}");
                return Ended { code: status.code(), said };
            }
            assert!(began.elapsed() < PATIENCE, "it does not end: {}", self.evidence());
            sleep(LOOK);
        }
    }

    /// Sends a signal to the program: `INT`, `TERM`.
    pub fn signal(&self, name: &str) {
        signal(&self.program.as_ref().unwrap().child, name);
    }

    /// What the program has printed so far.
    pub fn said(&self) -> String {
        let text = |name| fs::read_to_string(self.path(name)).unwrap_or_default();
        format!("--- stdout\n{}--- stderr\n{}---", text(OUT), text(ERR))
    }

    /// The same for the message of a failure, with the screen in a file that outlives the test.
    fn evidence(&self) -> String {
        let test = std::thread::current().name().unwrap_or("display").replace("::", "-");
        let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test).with_extension("ppm");
        fs::write(&picture, self.look().to_ppm()).unwrap();
        format!("the screen is in {}\n{}", picture.display(), self.said())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.program = None;
        // Asked politely, the server removes its lock and its socket.
        signal(&self.server, "TERM");
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if !matches!(self.server.try_wait(), Ok(None)) {
                return;
            }
            sleep(LOOK);
        }
        let _ended = self.server.kill();
        let _ended = self.server.wait();
    }
}

/// How a program ended and what it said.
pub struct Ended {
    pub code: Option<i32>,
    pub said: String,
}

struct Program {
    child: Child,
}

impl Program {
    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail where it has ended, which is well.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    // It fails where the child has ended, which is well.
    let _ended = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
}

/// Pixels as `0xrrggbb`, from the top left.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pixels: Vec<u32>,
}

impl Picture {
    /// Reads the X Window Dump that Xvfb keeps up to date: a header of big-endian words, a colour table, rows of pixels.
    fn from_xwd(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            let bytes = bytes[at * 4..][..4].try_into().unwrap();
            u32::from_be_bytes(bytes) as usize
        };
        let (header, version, width, height) = (word(0), word(1), word(4), word(5));
        let (little_endian, bits, row, colors) = (word(7) == 0, word(11), word(12), word(19));
        assert_eq!((version, little_endian, bits), (7, true, 32), "another kind of dump");
        assert_eq!((word(14), word(15), word(16)), (0xff_00_00, 0xff_00, 0xff), "another order");
        let rows = bytes[header + colors * 12..].chunks_exact(row).take(height);
        let pixels = rows
            .flat_map(|row| row.chunks_exact(4).take(width))
            .map(|pixel| u32::from_le_bytes(pixel.try_into().unwrap()) & 0xff_ff_ff);
        let pixels: Vec<u32> = pixels.collect();
        assert_eq!(pixels.len(), width * height);
        Self { width, height, pixels }
    }

    fn to_ppm(&self) -> Vec<u8> {
        let header = format!("P6 {} {} 255\n", self.width, self.height).into_bytes();
        let colors = self.pixels.iter().flat_map(|pixel| pixel.to_be_bytes().into_iter().skip(1));
        header.into_iter().chain(colors).collect()
    }

    /// Whether there is more on it than the server's black and a window's background.
    fn is_drawn(&self) -> bool {
        let mut colors = BTreeSet::new();
        self.pixels.iter().any(|pixel| colors.insert(*pixel) && colors.len() > 32)
    }

    /// A part of it; what lies outside is left out.
    pub fn part(&self, area: Area) -> Self {
        let (right, bottom) = (area.right.min(self.width), area.bottom.min(self.height));
        let rows = (area.top..bottom).map(|y| y * self.width);
        let pixels = rows.flat_map(|row| &self.pixels[row + area.left..row + right]);
        Self {
            width: right - area.left,
            height: bottom - area.top,
            pixels: pixels.copied().collect(),
        }
    }

    /// Where a colour is, give or take what smooth edges do to it.
    pub fn places(&self, color: u32) -> Vec<(usize, usize)> {
        let found = self.pixels.iter().enumerate().filter(|(_, pixel)| is_near(**pixel, color));
        found.map(|(index, _)| (index % self.width, index / self.width)).collect()
    }

    /// The smallest area that holds all of a colour.
    pub fn area_of(&self, color: u32) -> Option<Area> {
        let places = self.places(color);
        Some(Area {
            left: places.iter().map(|(x, _)| *x).min()?,
            top: places.iter().map(|(_, y)| *y).min()?,
            right: places.iter().map(|(x, _)| x + 1).max()?,
            bottom: places.iter().map(|(_, y)| y + 1).max()?,
        })
    }

    /// Whether most of it is bright.
    pub fn is_light(&self) -> bool {
        let bright = self.pixels.iter().filter(|pixel| **pixel & 0xff > 0xc0).count();
        bright * 2 > self.pixels.len()
    }
}

fn is_near(one: u32, other: u32) -> bool {
    one.to_be_bytes().iter().zip(other.to_be_bytes()).all(|(one, other)| one.abs_diff(other) <= 3)
}

/// Part of a picture; right and bottom are the first columns and rows outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}
