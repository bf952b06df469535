//! Pictures of what stands around and before the panels, and of devices.

use egui::{Key, Modifiers, Theme};
use walkforge::devices::{
    CardProcess, CpuInfo, CudaInfo, HostReading, Inventory, MachineReading, MpsInfo, NvmlReading,
};
use walkforge::domain::{Bytes, Device};
use walkforge::ui::Settings;
use walkforge::workbench::Update;

use crate::bench::Window;
use crate::pictures::{GIB, compare, experiment, open, reading, recorded, train_half};

/// A card that tells everything.
pub fn busy(second: i64) -> NvmlReading {
    let wave = (second as f64 * std::f64::consts::TAU / 40.0).sin();
    let process = |pid, name: &str, gib: u64| CardProcess {
        pid,
        name: Some(name.to_owned()),
        memory: Some(Bytes(gib * GIB)),
    };
    NvmlReading {
        name: Some("NVIDIA H100 80GB HBM3".to_owned()),
        memory_total: Some(Bytes(80 * GIB)),
        memory_used: Some(Bytes(12 * GIB)),
        memory_own: Some(Bytes(9 * GIB)),
        utilization_percent: Some((70.0 + 25.0 * wave) as u32),
        memory_utilization_percent: Some((38.0 + 9.0 * wave) as u32),
        sm_clock_mhz: Some((1_700.0 + 280.0 * wave) as u32),
        memory_clock_mhz: Some(2_619),
        temperature_celsius: Some((55.0 + 8.0 * wave) as u32),
        power_watts: Some(420.0 + 120.0 * wave),
        power_limit_watts: Some(700.0),
        compute_capability: Some("9.0".to_owned()),
        processes: Some(vec![
            process(41_207, "walkforge", 9),
            process(38_115, "a-program-with-a-long-name", 3),
        ]),
        ..NvmlReading::default()
    }
}

/// A card of which nobody is told anything.
pub fn silent() -> NvmlReading {
    NvmlReading::silent("the driver tells administrators only")
}

/// A card that has fallen off its bus.
pub fn lost() -> NvmlReading {
    NvmlReading::silent("the card does not answer any more; see `nvidia-smi`")
}

/// A made-up machine with cards, watched for five minutes: this one has none to show.
pub fn machine(window: &mut Window, cards: impl Fn(i64) -> Vec<(Device, NvmlReading)>) {
    let cuda = cards(0).into_iter();
    let inventory = Inventory {
        cpu: CpuInfo {
            cores: 32,
            memory_total: Some(Bytes(256 * GIB)),
            memory_available: Some(Bytes(200 * GIB)),
        },
        cuda: cuda.map(|(device, reading)| CudaInfo { device, reading }).collect(),
        no_cuda_because: None,
        driver_version: Some("580.65.06".to_owned()),
        mps: MpsInfo { available: false, reason: Some("MPS exists on macOS only".to_owned()) },
        libtorch: "2.11.0".to_owned(),
    };
    let readings = (0..300).map(|second| reading(second, cards(second))).collect();
    window.harness.state_mut().observe(inventory, readings);
}

/// Higher than a screen, so that all devices are in view.
fn high(theme: Theme) -> (tempfile::TempDir, Window) {
    let (runs, events) = recorded();
    let settings = Settings::default().with_theme(theme);
    let moment = Some("2026-01-15T09:30:33Z".parse().unwrap());
    let screen = ([1440.0, 1400.0], 1.0);
    let spec = Some(experiment(&[]));
    let mut window = Window::on_screen(runs.path(), spec, settings, moment, screen);
    train_half(&mut window, &events);
    (runs, window)
}

#[test]
fn devices_of_which_one_is_silent() {
    let (_runs, mut window) = high(Theme::Dark);
    machine(&mut window, |second| {
        vec![(Device::Cuda(0), busy(second)), (Device::Cuda(1), silent())]
    });
    window.until_says("cuda:1");
    compare(&mut window, "devices-silent");
}

#[test]
fn devices_of_which_one_is_lost() {
    let (_runs, mut window) = high(Theme::Light);
    machine(&mut window, |second| {
        let second_card = if second < 200 { busy(second) } else { lost() };
        vec![(Device::Cuda(0), busy(second)), (Device::Cuda(1), second_card)]
    });
    window.until_says("cuda:1 is lost");
    compare(&mut window, "devices-lost-light");
}

/// A host that tells nothing either.
#[test]
fn devices_without_a_card() {
    let (_runs, mut window) = high(Theme::Dark);
    let inventory = Inventory {
        cpu: CpuInfo { cores: 2, memory_total: None, memory_available: None },
        cuda: Vec::new(),
        no_cuda_because: Some(
            "no NVIDIA driver is installed: libnvidia-ml was not found".to_owned(),
        ),
        driver_version: None,
        mps: MpsInfo { available: false, reason: Some("MPS exists on macOS only".to_owned()) },
        libtorch: "2.11.0".to_owned(),
    };
    let at = "2026-01-15T09:30:33Z".parse().unwrap();
    let reading = MachineReading { at, host: HostReading::default(), cuda: Vec::new() };
    window.harness.state_mut().observe(inventory, vec![reading]);
    window.until_says("No NVIDIA GPU");
    assert!(window.says("Host Disk of the runs: unknown"), "{}", window.text());
    compare(&mut window, "devices-none");
}

/// On a machine of two cores without a GPU.
fn idle(theme: Theme) -> (tempfile::TempDir, Window) {
    let runs = tempfile::tempdir().unwrap();
    let mut window = open(runs.path(), experiment(&[]), theme, "2026-01-15T09:29:00Z");
    window.until_says("10 tasks");
    (runs, window)
}

fn palette(theme: Theme, name: &str) {
    let (_runs, mut window) = idle(theme);
    window.shortcut(Modifiers::COMMAND, Key::K);
    window.until_says("Up and Down choose");
    window.harness.event(egui::Event::Text("ca".to_owned()));
    window.harness.run_steps(2);
    compare(&mut window, name);
}

#[test]
fn palette_dark() {
    palette(Theme::Dark, "palette");
}

#[test]
fn palette_light() {
    palette(Theme::Light, "palette-light");
}

#[test]
fn about() {
    // The box names the folder, so it must be called the same on every machine: relative to the package, where tests run.
    let runs = std::path::Path::new("target/tmp/about");
    let _left_from_before = std::fs::remove_dir_all(runs);
    let mut window = open(runs, experiment(&[]), Theme::Dark, "2026-01-15T09:29:00Z");
    window.until_says("10 tasks");
    window.shortcut(Modifiers::NONE, Key::F1);
    window.press("About Walkforge");
    window.until_says("Copy details for a bug report");
    compare(&mut window, "about");
}

#[test]
fn toasts_and_notices() {
    let (_runs, mut window) = idle(Theme::Dark);
    let state = window.harness.state_mut();
    for message in ["the disk is full", "/exports cannot be written: permission denied"] {
        let message = message.to_owned();
        state.apply(Update::ExportFailed { message, cancelled: false });
    }
    let saved = Update::ExperimentSaved { path: "/experiments/mlp.ron".into(), saved: Ok(()) };
    state.apply(saved);
    let long = "/home/somebody/projects/trading/exports/20260115-092900-mlp-return/SYN_A-1h-fold00";
    state.apply(Update::Exported { run: "20260115-092900".to_owned(), folders: vec![long.into()] });
    window.until_says("1 of 2");
    compare(&mut window, "toasts");
}
