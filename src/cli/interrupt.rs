use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context;

use super::Printer;
use crate::domain::Cancel;
use crate::workbench::{Command, Update, Workbench};

/// Longest time until Ctrl-C is seen.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What Ctrl-C asks for, the first time and each time after; once more than that quits at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Let training write its checkpoints and stop; then cancel it without.
    CheckpointFirst,
    /// Stop.
    Cancel,
}

impl Manner {
    const fn steps(self) -> &'static [Step] {
        match self {
            Self::CheckpointFirst => &[Step::Checkpoint, Step::Cancel],
            Self::Cancel => &[Step::Cancel],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Checkpoint,
    Cancel,
}

/// Waits for a workbench's updates and turns Ctrl-C (and a polite kill) into a stop.
pub(super) struct Watch<'a> {
    workbench: &'a Workbench,
    printer: &'a Printer,
    manner: Manner,
    interrupts: Arc<AtomicU32>,
    steps_taken: usize,
}

impl<'a> Watch<'a> {
    /// Catches Ctrl-C from now on; may be called once in a process.
    pub(super) fn new(
        workbench: &'a Workbench,
        printer: &'a Printer,
        manner: Manner,
    ) -> anyhow::Result<Self> {
        let interrupts = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&interrupts);
        catch(move || {
            if count.fetch_add(1, Ordering::Relaxed) as usize >= manner.steps().len() {
                quit_at_once();
            }
        })?;
        Ok(Self { workbench, printer, manner, interrupts, steps_taken: 0 })
    }

    /// Whether somebody has asked to stop.
    pub(super) const fn is_stopping(&self) -> bool {
        self.steps_taken > 0
    }

    /// What has happened since the last call; empty when nothing has for a moment.
    pub(super) fn updates(&mut self) -> Vec<Update> {
        let asked = self.interrupts.load(Ordering::Relaxed) as usize;
        let steps = self.manner.steps();
        while let Some(step) = steps.get(self.steps_taken).filter(|_| self.steps_taken < asked) {
            self.steps_taken += 1;
            self.take(*step);
        }
        self.workbench.wait(POLL_INTERVAL)
    }

    fn take(&self, step: Step) {
        let (note, command) = match step {
            Step::Checkpoint => (
                "Stopping: every task writes a checkpoint. Ctrl-C again stops at once, without checkpoints.",
                Command::CheckpointAndStop,
            ),
            Step::Cancel => (
                "Stopping; what is finished is kept. Ctrl-C again quits at once.",
                Command::CancelAll,
            ),
        };
        self.printer.note(note);
        self.workbench.send(command);
    }
}

/// A flag that Ctrl-C raises, for work that needs no workbench. A second Ctrl-C quits at once. May be called once in a process.
pub(super) fn cancel_when_interrupted() -> anyhow::Result<Cancel> {
    let cancel = Cancel::new();
    let raised = cancel.clone();
    catch(move || {
        if raised.is_cancelled() {
            quit_at_once();
        }
        raised.cancel();
    })?;
    Ok(cancel)
}

fn catch(interrupted: impl FnMut() + Send + 'static) -> anyhow::Result<()> {
    ctrlc::set_handler(interrupted)
        .context("Ctrl-C cannot be caught; start the program from a terminal of its own")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the user asked once more than there is to ask; files are replaced atomically, so nothing is left half written"
)]
fn quit_at_once() {
    std::process::exit(130);
}
