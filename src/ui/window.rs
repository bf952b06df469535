use std::any::Any;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::app::{App, Options};
use super::settings::Settings;
use crate::spec::ExperimentSpec;

/// Where eframe keeps what [`Settings`] writes.
pub(super) const SETTINGS_KEY: &str = "walkforge";

/// The size of the first start, in points.
const SIZE: [f32; 2] = [1440.0, 900.0];
/// Below this the panels have no room.
const MIN_SIZE: [f32; 2] = [960.0, 600.0];

/// Opens the window and returns when it is closed. `spec` is put on the bench, or what was left there; runs are written to `runs`. The
/// inner error says in words why it could not stay open: a runs folder that cannot be written, a display that went away.
///
/// # Errors
/// Why there is no window, in words: no display, no graphics device.
pub fn open(spec: Option<ExperimentSpec>, runs: PathBuf) -> Result<Result<(), String>, String> {
    has_display()?;
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../assets/icon.png"))
        .map_err(|error| format!("the program's icon cannot be read: {error}"))?;
    let viewport = egui::ViewportBuilder::default()
        .with_title("Walkforge")
        .with_app_id("walkforge")
        .with_icon(icon)
        .with_inner_size(SIZE)
        .with_min_inner_size(MIN_SIZE);
    let options = eframe::NativeOptions { viewport, ..Default::default() };
    let opening = Arc::new(AtomicBool::new(true));
    keep_quiet_while(&opening);
    let opened = Arc::clone(&opening);
    let create: eframe::AppCreator<'_> = Box::new(move |context| {
        opened.store(false, Ordering::Relaxed);
        let stored = context.storage.and_then(|storage| storage.get_string(SETTINGS_KEY));
        let settings =
            stored.map_or_else(|| Ok(Settings::default()), |text| Settings::from_text(&text));
        let software_rendered = context.wgpu_render_state.as_ref().is_some_and(|state| {
            state.adapter.get_info().device_type == eframe::wgpu::DeviceType::Cpu
        });
        let options = Options { runs, spec, settings, telemetry: true, software_rendered };
        // For those who write panels: the tests keep it.
        context.egui_ctx.options_mut(|options| options.warn_on_id_clash = false);
        let app = App::new(&context.egui_ctx, options)?;
        stop_when_interrupted(&app, &context.egui_ctx);
        Ok(Box::new(app))
    });
    // winit panics where a library that it loads at run time is missing; that too is only a reason why there is no window.
    let ended = catch_unwind(AssertUnwindSafe(|| eframe::run_native("walkforge", options, create)));
    let never_opened = opening.swap(false, Ordering::Relaxed);
    match ended {
        Ok(Err(error)) if never_opened => Err(in_words(&error)),
        Ok(ended) => Ok(ended.map_err(|error| in_words(&error))),
        Err(panic) if never_opened => Err(message(panic.as_ref())),
        Err(panic) => panic::resume_unwind(panic),
    }
}

/// Ctrl-C in the terminal, and a polite kill, stop what runs as the window's own button does.
fn stop_when_interrupted(app: &App, ctx: &egui::Context) {
    let (flag, ctx) = (app.interrupt_flag(), ctx.clone());
    // Where it cannot be set, such a signal ends the program at once; the run on disk is then shown as interrupted.
    let _unavailable = ctrlc::set_handler(move || {
        flag.store(true, Ordering::Relaxed);
        ctx.request_repaint();
    });
}

/// Prints no panic while the flag is up.
fn keep_quiet_while(flag: &Arc<AtomicBool>) {
    let (flag, print) = (Arc::clone(flag), panic::take_hook());
    panic::set_hook(Box::new(move |panic| {
        if !flag.load(Ordering::Relaxed) {
            print(panic);
        }
    }));
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("the system's window library failed").trim_end_matches('.').to_owned()
}

fn in_words(error: &eframe::Error) -> String {
    let unusable =
        |reason: &str| format!("{} cannot be used: {}", display(), without_place(reason));
    match error {
        eframe::Error::AppCreation(error) => error.to_string(),
        eframe::Error::Winit(error) => unusable(&error.to_string()),
        eframe::Error::WinitEventLoop(error) => unusable(&error.to_string()),
        eframe::Error::Wgpu(error) => format!(
            "no graphics device can draw on {} ({}); Mesa's Vulkan driver is enough, also without a graphics card",
            display(),
            error.to_string().trim_end_matches(": {}")
        ),
    }
}

/// The display server that a window would go to.
fn display() -> String {
    let named = ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().find_map(|name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        Some(format!("{name}={}", value.display()))
    });
    named.unwrap_or_else(|| "the display".to_owned())
}

/// winit's messages begin with the place in winit's source.
fn without_place(text: &str) -> &str {
    let reason = text.rsplit_once(".rs:").and_then(|(_, rest)| rest.split_once(": "));
    reason.map_or(text, |(_, reason)| reason)
}

/// On Linux and the BSDs a window needs a display server; elsewhere there always is one.
fn has_display() -> Result<(), String> {
    let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(not(any(target_os = "macos", target_os = "windows")))
        && !named("DISPLAY")
        && !named("WAYLAND_DISPLAY")
    {
        return Err("there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_in_a_source_file_is_left_out() {
        for (text, reason) in [
            (
                "os error at /a/winit-0.30.13/src/linux/mod.rs:788: No X server: gone",
                "No X server: gone",
            ),
            ("os error at mod.rs:7", "os error at mod.rs:7"),
            ("Exit Failure: 1", "Exit Failure: 1"),
        ] {
            assert_eq!(without_place(text), reason);
        }
    }

    #[test]
    fn a_panic_becomes_a_reason() {
        let caught = |panic: Box<dyn Any + Send>| message(panic.as_ref());
        assert_eq!(caught(Box::new("No library.")), "No library");
        assert_eq!(caught(Box::new("No library".to_owned())), "No library");
        assert_eq!(caught(Box::new(7)), "the system's window library failed");
    }
}
