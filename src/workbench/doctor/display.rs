use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Finding;

const TOPIC: &str = "display";

/// What the window loads when it starts, for X11 and for Wayland.
const X11_LIBRARIES: [&str; 7] = [
    "libX11.so.6",
    "libX11-xcb.so.1",
    "libxcb.so.1",
    "libXcursor.so.1",
    "libXi.so.6",
    "libxkbcommon.so.0",
    "libxkbcommon-x11.so.0",
];
const WAYLAND_LIBRARIES: [&str; 2] = ["libwayland-client.so.0", "libxkbcommon.so.0"];
/// Either draws.
const GRAPHICS_LIBRARIES: [&str; 2] = ["libvulkan.so.1", "libEGL.so.1"];

/// Only the terminal is needed to train, so what is missing here is a warning.
const NO_WINDOW: &str = "the window cannot open; the terminal can do everything";

pub(super) fn examine() -> Vec<Finding> {
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        return vec![Finding::ok(TOPIC, "the system's own")];
    }
    // The names of all libraries that the loader knows of.
    let known = std::fs::read("/etc/ld.so.cache").ok();
    vec![judge(&Server::named(|name| std::env::var_os(name)), known.as_deref())]
}

/// The display server that the environment names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Server {
    Wayland { name: String, socket: Option<PathBuf> },
    X11 { name: String, socket: Option<PathBuf> },
    None,
}

impl Server {
    fn named(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let text = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(|value| value.display().to_string())
        };
        if let Some(name) = text("WAYLAND_DISPLAY") {
            let socket = if name.starts_with('/') {
                Some(PathBuf::from(&name))
            } else {
                text("XDG_RUNTIME_DIR").map(|folder| Path::new(&folder).join(&name))
            };
            return Self::Wayland { name, socket };
        }
        match text("DISPLAY") {
            Some(name) => Self::X11 { socket: x11_socket(&name), name },
            None => Self::None,
        }
    }

    const fn libraries(&self) -> &'static [&'static str] {
        match self {
            Self::Wayland { .. } => &WAYLAND_LIBRARIES,
            Self::X11 { .. } => &X11_LIBRARIES,
            Self::None => &[],
        }
    }
}

/// `:0.1` is the socket X0 of this machine; one on another machine (`host:0`) has none here.
fn x11_socket(display: &str) -> Option<PathBuf> {
    let number = display.strip_prefix("unix").unwrap_or(display).strip_prefix(':')?;
    let number = number.split('.').next().filter(|number| number.parse::<u32>().is_ok())?;
    Some(PathBuf::from(format!("/tmp/.X11-unix/X{number}")))
}

fn judge(server: &Server, loader_cache: Option<&[u8]>) -> Finding {
    let (variable, name, socket) = match server {
        Server::None => {
            return Finding::warning(
                TOPIC,
                format!(
                    "there is none: neither DISPLAY nor WAYLAND_DISPLAY is set, so {NO_WINDOW}"
                ),
                "start it where there is a screen, or over ssh -X HOST",
            );
        }
        Server::Wayland { name, socket } => ("WAYLAND_DISPLAY", name, socket),
        Server::X11 { name, socket } => ("DISPLAY", name, socket),
    };
    if let Some(socket) = socket
        && let Err(error) = connect(socket)
    {
        return Finding::warning(
            TOPIC,
            format!(
                "{variable}={name}, but nobody answers at {}: {error}; {NO_WINDOW}",
                socket.display()
            ),
            format!("unset {variable}, or let it name the display that runs"),
        );
    }
    let is_missing = |library: &&&str| {
        loader_cache.is_some_and(|cache| !has_name(cache, library)) && !is_beside(library)
    };
    let mut missing: Vec<&str> = server.libraries().iter().filter(is_missing).copied().collect();
    if GRAPHICS_LIBRARIES.iter().filter(is_missing).count() == GRAPHICS_LIBRARIES.len() {
        missing.push(GRAPHICS_LIBRARIES[0]);
    }
    if missing.is_empty() {
        return Finding::ok(TOPIC, format!("{variable}={name} answers"));
    }
    Finding::warning(
        TOPIC,
        format!(
            "{variable}={name} answers, but {} is not installed; {NO_WINDOW}",
            missing.join(", ")
        ),
        "make setup, which installs the Debian packages of scripts/apt-packages.txt",
    )
}

#[cfg(unix)]
fn connect(socket: &Path) -> std::io::Result<()> {
    std::os::unix::net::UnixStream::connect(socket).map(|_closed| ())
}

#[cfg(not(unix))]
fn connect(_socket: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Whether the loader's cache, in which names end with a NUL, has this one.
fn has_name(cache: &[u8], library: &str) -> bool {
    let name = [library.as_bytes(), b"\0"].concat();
    cache.windows(name.len()).any(|window| window == name)
}

/// Whether a folder of `LD_LIBRARY_PATH` has it.
fn is_beside(library: &str) -> bool {
    let folders = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(library).exists())
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::Health;
    use super::*;

    fn server(variables: &[(&str, &str)]) -> Server {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Server::named(|name| find(name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn the_environment_names_the_server() {
        let x11 = |name: &str, socket: Option<&str>| Server::X11 {
            name: name.to_owned(),
            socket: socket.map(PathBuf::from),
        };
        assert_eq!(server(&[("DISPLAY", ":1.0")]), x11(":1.0", Some("/tmp/.X11-unix/X1")));
        assert_eq!(server(&[("DISPLAY", "unix:0")]), x11("unix:0", Some("/tmp/.X11-unix/X0")));
        assert_eq!(server(&[("DISPLAY", "far:10.0")]), x11("far:10.0", None));
        assert_eq!(server(&[("DISPLAY", "")]), Server::None);
        let wayland =
            server(&[("WAYLAND_DISPLAY", "w-0"), ("XDG_RUNTIME_DIR", "/run/u"), ("DISPLAY", ":0")]);
        let socket = Some(PathBuf::from("/run/u/w-0"));
        assert_eq!(wayland, Server::Wayland { name: "w-0".to_owned(), socket });
    }

    #[test]
    fn what_keeps_the_window_from_opening_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("display");
        let server = Server::X11 { name: ":7".to_owned(), socket: Some(socket.clone()) };
        let all =
            [X11_LIBRARIES.join("\0"), GRAPHICS_LIBRARIES.join("\0"), String::new()].join("\0");
        assert_eq!(judge(&Server::None, None).health, Health::Warning);
        let dead = judge(&server, Some(all.as_bytes()));
        assert!(
            dead.health == Health::Warning && dead.found.contains("nobody answers"),
            "{dead:?}"
        );
        let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(judge(&server, Some(all.as_bytes())).health, Health::Ok);
        let without = all.replace("libXi.so.6", "libXi.so.5");
        let found = judge(&server, Some(without.as_bytes()));
        assert!(found.found.contains("but libXi.so.6 is not installed"), "{found:?}");
        let one_of_two = all.replace("libEGL.so.1", "libGL.so.1");
        assert_eq!(judge(&server, Some(one_of_two.as_bytes())).health, Health::Ok);
    }
}
