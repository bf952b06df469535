use std::path::PathBuf;

use super::app::{App, Options};
use super::settings::Settings;
use crate::spec::ExperimentSpec;

/// Where eframe keeps what [`Settings`] writes.
pub(super) const SETTINGS_KEY: &str = "walkforge";

/// The size of the first start, in points.
const SIZE: [f32; 2] = [1440.0, 900.0];
/// Below this the panels have no room.
const MIN_SIZE: [f32; 2] = [960.0, 600.0];

/// Opens the window and returns when it is closed. `spec` is put on the bench, or what was left there; runs are written to `runs`.
///
/// # Errors
/// Why there is no window, in words: no display, no graphics device, a runs folder that cannot be written.
pub fn open(spec: Option<ExperimentSpec>, runs: PathBuf) -> Result<(), String> {
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
    let create: eframe::AppCreator<'_> = Box::new(move |context| {
        let stored = context.storage.and_then(|storage| storage.get_string(SETTINGS_KEY));
        let settings =
            stored.map_or_else(|| Ok(Settings::default()), |text| Settings::from_text(&text));
        let options = Options { runs, spec, settings, telemetry: true };
        Ok(Box::new(App::new(&context.egui_ctx, options)?))
    });
    eframe::run_native("walkforge", options, create).map_err(|error| error.to_string())
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
