//! Compiles `src/torch/ext*.cpp`, the C++ beside tch, and links every program of ours with libtorch. Tells the crate which engine it is.
//!
//! The libtorch is the one that torch-sys found: its build script publishes the folder, so both always agree.

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const SOURCES: [&str; 2] = ["src/torch/ext.cpp", "src/torch/ext_state.cpp"];
const HEADERS: [&str; 2] = ["src/torch/ext.h", "src/torch/ext_common.h"];

/// The rooms whose code decides what weights and predictions come out.
const ENGINE: [&str; 10] = [
    "src/domain",
    "src/spec",
    "src/market",
    "src/features",
    "src/labels",
    "src/validation",
    "src/torch",
    "src/dataset",
    "src/models",
    "src/training",
];

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    // A file that does not exist would count as changed at every build.
    for file in ENGINE.iter().filter(|file| Path::new(file).exists()) {
        println!("cargo:rerun-if-changed={file}");
    }
    if let Err(problem) = build() {
        // `cargo::error` is shown without the noise that a panic brings.
        for line in problem.lines() {
            println!("cargo::error={line}");
        }
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn build() -> Result<(), String> {
    println!("cargo:rustc-env=WALKFORGE_ENGINE={:016x}", engine()?);
    let lib_dir = torch_lib_dir()?;
    compile(&include_dirs(&lib_dir)?)?;
    link(&lib_dir);
    Ok(())
}

/// Differs wherever the engine's sources do: what another engine has trained is not taken over.
fn engine() -> Result<u64, String> {
    let mut files = Vec::new();
    for room in ENGINE {
        list(Path::new(room), &mut files)?;
    }
    // Tests change no result.
    files.retain(|file| !file.to_string_lossy().ends_with("tests.rs"));
    files.sort();
    fingerprint(files.iter().map(PathBuf::as_path))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let cannot = |error| format!("{} cannot be listed: {error}", folder.display());
    for entry in folder.read_dir().map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn fingerprint<'a>(files: impl Iterator<Item = &'a Path>) -> Result<u64, String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let text = std::fs::read(file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        (file.to_string_lossy(), text).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// The folder of `libtorch_cpu`, from torch-sys (its manifest says `links = "tch"`).
fn torch_lib_dir() -> Result<PathBuf, String> {
    let dir = env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from).ok_or(
        "torch-sys did not say where libtorch is (DEP_TCH_LIBTORCH_LIB is not set).\n\
         Next step: keep torch-sys 0.24 a direct dependency in Cargo.toml; Linux and macOS are supported.",
    )?;
    if dir.is_dir() {
        return Ok(dir);
    }
    Err(format!(
        "libtorch was in {}, which is gone (was the project or its .venv moved?).\n\
         Next step: `make setup`, then `cargo clean -p torch-sys` and build again.",
        dir.display()
    ))
}

fn include_dirs(lib_dir: &Path) -> Result<Vec<PathBuf>, String> {
    println!("cargo:rerun-if-env-changed=LIBTORCH_INCLUDE");
    println!("cargo:rerun-if-env-changed=LIBTORCH_USE_PYTORCH");
    // torch-sys honours LIBTORCH_INCLUDE only where libtorch is not Python's; so do we.
    let own =
        env::var_os("LIBTORCH_INCLUDE").filter(|_| env::var_os("LIBTORCH_USE_PYTORCH").is_none());
    let root = own.map_or_else(|| lib_dir.join(".."), PathBuf::from).join("include");
    let api = root.join("torch/csrc/api/include");
    if api.join("torch/torch.h").exists() {
        return Ok(vec![root, api]);
    }
    Err(format!(
        "libtorch's headers are not complete: {} was not found.\n\
         Next step: `make setup` repairs .venv; with LIBTORCH set, point it at a libtorch 2.11.0 that has include/ and lib/.",
        api.join("torch/torch.h").display()
    ))
}

/// Compiles the C++, unless it is what was compiled last: the other sources change more often.
fn compile(include_dirs: &[PathBuf]) -> Result<(), String> {
    println!("cargo:rerun-if-env-changed=LIBTORCH_CXX11_ABI");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    let mut cpp = cc::Build::new();
    cpp.cpp(true).pic(true).std("c++17").files(SOURCES);
    cpp.define("_GLIBCXX_USE_CXX11_ABI", abi.as_str());
    for dir in include_dirs {
        // As system headers: warnings stay on for our own lines only.
        cpp.flag("-isystem").flag(dir);
    }
    let made_of = fingerprint(SOURCES.iter().chain(&HEADERS).map(Path::new))?;
    let made_of = format!("{made_of:016x} {abi} {include_dirs:?}");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?);
    let stamp = out.join("walkforge_ext.stamp");
    let is_made = out.join("libwalkforge_ext.a").exists()
        && std::fs::read_to_string(&stamp).is_ok_and(|text| text == made_of);
    if !is_made {
        cpp.cargo_metadata(false).compile("walkforge_ext");
        std::fs::write(&stamp, made_of)
            .map_err(|error| format!("{} cannot be written: {error}", stamp.display()))?;
    }
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=walkforge_ext");
    let is_apple = env::var("CARGO_CFG_TARGET_VENDOR").is_ok_and(|vendor| vendor == "apple");
    println!("cargo:rustc-link-lib={}", if is_apple { "c++" } else { "stdc++" });
    Ok(())
}

fn link(lib_dir: &Path) {
    // Programs start without LD_LIBRARY_PATH.
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib_dir.display());
    // Nothing refers to a symbol of libtorch_cuda, so the linker would drop it and CUDA would look absent.
    // These arguments come after rustc's `--as-needed`; both GNU ld and lld let the later mention win.
    if lib_dir.join("libtorch_cuda.so").exists() {
        println!("cargo:rustc-link-arg=-Wl,--push-state,--no-as-needed,-ltorch_cuda,--pop-state");
    }
}
