use super::app::App;
use super::modals::Modal;
use crate::workbench;

/// How the window is being closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quitting {
    /// Everything was told to stop; it closes when nothing runs any more.
    Stopping,
    /// Everything was told to write checkpoints and stop; it closes when the engine says that this is done.
    Checkpointing,
    /// All is on disk.
    Done,
}

impl App {
    /// Asks before closing while something runs, and closes once nothing does.
    pub(super) fn mind_closing(&mut self, ctx: &egui::Context) {
        let busy = self.state.is_busy() && self.quitting != Some(Quitting::Done);
        if ctx.input(|input| input.viewport().close_requested()) && busy {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            if self.quitting.is_none() {
                self.modal = Some(Modal::Quit);
            }
        }
        let waits = self.quitting == Some(Quitting::Checkpointing);
        if self.quitting.is_some() && !busy && !waits {
            self.quitting = Some(Quitting::Done);
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    /// Stops everything and closes the window when that is safe on disk. Whoever waits for checkpoints may still change their mind.
    pub(super) fn stop_and_quit(&mut self) {
        self.stop_everything();
        self.quitting = Some(Quitting::Stopping);
        if self.state.is_busy() {
            self.modal = Some(Modal::Quit);
        }
    }

    /// Lets everything write checkpoints and stop, and closes the window when the engine says that it is done.
    pub(super) fn checkpoint_and_quit(&mut self) {
        if self.quitting.is_some() {
            // Asked for twice, as by a second Ctrl-C.
            return;
        }
        self.state.checks.stop();
        self.engine.send(workbench::Command::CheckpointAndStop);
        self.quitting = Some(Quitting::Checkpointing);
        self.modal = Some(Modal::Quit);
    }

    /// The engine has written every checkpoint, and nothing runs any more.
    pub(super) fn all_stopped(&mut self) {
        if self.quitting == Some(Quitting::Checkpointing) {
            self.quitting = Some(Quitting::Done);
        }
    }
}
