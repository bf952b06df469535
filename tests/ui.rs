//! The window as its users meet it: stories told by accessible labels with the real engine underneath, and pictures of every panel.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]
#![expect(clippy::print_stdout, reason = "a story prints how long its frames took")]

#[path = "ui/bench.rs"]
mod bench;
#[path = "ui/pictures.rs"]
mod pictures;
#[path = "support/skip.rs"]
mod skip;
#[path = "ui/stories.rs"]
mod stories;
