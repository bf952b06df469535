//! Chooses a front end, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    walkforge::torch::init_environment();
    walkforge::cli::run(std::env::args_os(), |_experiment, _runs| {
        Err("the window is not part of this build".to_owned())
    })
}
