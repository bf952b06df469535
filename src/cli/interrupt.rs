use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;

use super::Printer;
use crate::workbench::{Command, Update, Workbench};

/// Longest time until Ctrl-C is seen.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Waits for a workbench's updates and turns Ctrl-C (and a polite kill) into a cancel.
pub(super) struct Watch<'a> {
    workbench: &'a Workbench,
    printer: &'a Printer,
    interrupted: Arc<AtomicBool>,
    asked_to_stop: bool,
}

impl<'a> Watch<'a> {
    /// Catches Ctrl-C from now on; may be called once in a process.
    pub(super) fn new(workbench: &'a Workbench, printer: &'a Printer) -> anyhow::Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&interrupted);
        ctrlc::set_handler(move || {
            if raised.swap(true, Ordering::Relaxed) {
                quit_at_once();
            }
        })
        .context("Ctrl-C cannot be caught; start the program from a terminal of its own")?;
        Ok(Self { workbench, printer, interrupted, asked_to_stop: false })
    }

    /// What has happened since the last call; empty when nothing has for a moment.
    pub(super) fn updates(&mut self) -> Vec<Update> {
        if self.interrupted.load(Ordering::Relaxed) && !self.asked_to_stop {
            self.asked_to_stop = true;
            self.printer.note("Stopping; what is finished is kept. Ctrl-C again quits at once.");
            self.workbench.send(Command::CancelAll);
        }
        self.workbench.wait(POLL_INTERVAL)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user asked twice; files are replaced atomically, so nothing is left half written"
)]
fn quit_at_once() {
    std::process::exit(130);
}
