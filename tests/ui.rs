//! The window as its users meet it: stories told by accessible labels with the real engine underneath, and pictures of every panel.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]
#![expect(clippy::print_stdout, reason = "a story prints how long its frames took")]

#[path = "ui/bench.rs"]
mod bench;
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
#[path = "ui/run_pictures.rs"]
mod run_pictures;
#[path = "ui/runs.rs"]
mod runs;
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
#[path = "ui/training.rs"]
mod training;
#[path = "ui/training_panel.rs"]
mod training_panel;
