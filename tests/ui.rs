//! The window as its users meet it: stories told by accessible labels with the real engine underneath, and pictures of every panel.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]
#![expect(clippy::print_stdout, reason = "a story prints how long its frames took")]

#[path = "ui/bench.rs"]
mod bench;
#[path = "ui/data.rs"]
mod data;
#[path = "ui/data_pictures.rs"]
mod data_pictures;
// Elsewhere windows do not go to an X server.
#[cfg(target_os = "linux")]
#[path = "ui/display.rs"]
mod display;
#[path = "ui/journey.rs"]
mod journey;
#[path = "ui/pictures.rs"]
mod pictures;
#[path = "ui/queue.rs"]
mod queue;
#[path = "ui/run_panel_pictures.rs"]
mod run_panel_pictures;
#[path = "ui/run_pictures.rs"]
mod run_pictures;
#[path = "ui/runs.rs"]
mod runs;
#[path = "ui/runs_panel.rs"]
mod runs_panel;
#[path = "ui/scale.rs"]
mod scale;
#[cfg(target_os = "linux")]
#[path = "ui/screen.rs"]
mod screen;
#[path = "ui/shell.rs"]
mod shell;
#[path = "ui/shell_pictures.rs"]
mod shell_pictures;
#[path = "support/skip.rs"]
mod skip;
#[path = "ui/stories.rs"]
mod stories;
#[path = "ui/strategy.rs"]
mod strategy;
#[path = "ui/strategy_panel.rs"]
mod strategy_panel;
#[path = "ui/strategy_pictures.rs"]
mod strategy_pictures;
#[path = "ui/training.rs"]
mod training;
#[path = "ui/training_panel.rs"]
mod training_panel;
