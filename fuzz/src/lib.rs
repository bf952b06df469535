//! What every fuzz target does: write the bytes into a file, read it as bars, and count the memory that this took.

#[path = "../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../src/market/mod.rs"]
pub mod market;
#[path = "../../src/spec/mod.rs"]
pub mod spec;

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Memory in use, and the most since the count began.
static USED: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
struct Counted;

#[global_allocator]
static COUNTED: Counted = Counted;

fn add(bytes: usize) {
    let used = USED.fetch_add(bytes, Ordering::Relaxed) + bytes;
    MOST.fetch_max(used, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; only counters change beside it.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Buffers and tables that every reading needs, whatever the file.
const ALWAYS: usize = 4 << 20;
/// What a packed or compressed file may unpack to however small it is (`market::read::source`).
const UNPACKED: usize = 16 << 20;

/// Reads the bytes as a file of that ending.
///
/// # Panics
/// Where reading takes more than four times the file, or of what a packed file may unpack to.
pub fn read(ending: &str, content: &[u8], is_packed: bool) {
    let path = file(ending);
    std::fs::write(&path, content).expect("the temporary folder can be written");
    let symbol = "AB".parse().expect("it is a symbol");
    let timeframe = "1h".parse().expect("it is a timeframe");
    let before = USED.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let _either_is_fine = market::read_bars(&path, symbol, timeframe);
    let most = MOST.load(Ordering::Relaxed).saturating_sub(before);
    let plain = if is_packed { content.len().max(UNPACKED) } else { content.len() };
    assert!(
        most <= 4 * plain + ALWAYS,
        "{most} bytes were allocated for a file of {} bytes",
        content.len()
    );
}

/// A file of this process in memory where there is such a file system.
fn file(ending: &str) -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let in_memory = std::path::Path::new("/dev/shm");
        let folder = if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
        folder.expect("a temporary folder can be made")
    });
    folder.path().join(format!("AB-1h.{ending}"))
}

/// Reads the bytes as a `walkforge.ron`.
pub fn overrides(content: &[u8]) {
    if let Ok(text) = std::str::from_utf8(content)
        && let Ok(overrides) = market::Overrides::parse(text, std::path::Path::new("walkforge.ron"))
    {
        let _unused = overrides.unused(&["AB-1h.csv"]);
        let _chosen = overrides.of_file(std::path::Path::new("AB-1h.csv"));
    }
}
