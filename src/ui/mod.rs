//! The window: panels that read the state and send commands, and the app that carries them out.
//!
//! Uses every room but `cli`, and is the only one that knows egui. It must never train, read market files or write runs itself: whatever can
//! take longer than a few milliseconds is asked of the workbench and comes back as an update. It starts no thread.
//!
//! One frame: [`app`] drains what the engine, the telemetry and file dialogs have to say (`logic`), draws every panel from the state
//! (`ui`), and then carries out the commands that the panels sent (`command_handling`). Nothing changes while it is being drawn.

mod actions;
mod app;
mod closing;
mod command_handling;
mod commands;
mod data_commands;
mod dialogs;
mod drop_hint;
mod frame_meter;
mod icons;
mod keys;
mod layout;
mod modals;
mod panels;
mod picture;
mod plots;
mod run_commands;
mod run_updates;
mod settings;
mod state;
#[cfg(test)]
mod testing;
mod theme;
mod tiling;
mod toasts;
mod top_bar;
mod updates;
mod widgets;
mod window;

pub use app::{App, Options};
pub use settings::Settings;
pub use window::open;
