//! Chooses a front end, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    walkforge::torch::init_environment();
    walkforge::cli::run(std::env::args_os(), walkforge::ui::open)
}
