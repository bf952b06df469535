use super::app::App;
use super::modals::Modal;
use crate::domain::UtcMillis;
use crate::workbench;

/// So long after it was told to stop the window may be closed on what has not.
const PATIENCE_SECS: f64 = 10.0;

/// How the window is being closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quitting {
    /// Everything was told to stop at that time; it closes when nothing runs any more.
    Stopping(UtcMillis),
    /// Everything was told to write checkpoints and stop; it closes when the engine says that this is done.
    Checkpointing,
    /// All is on disk, or somebody will wait no longer.
    Done,
}

impl Quitting {
    /// Whether stopping takes so long that something may be stuck.
    pub(super) fn is_overdue(self, now: UtcMillis) -> bool {
        matches!(self, Self::Stopping(since) if (now.0 - since.0) as f64 > PATIENCE_SECS * 1000.0)
    }
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
        if self.quitting == Some(Quitting::Done) {
            // All is on disk already; the window closes with this frame.
            return;
        }
        self.stop_everything();
        self.quitting = Some(Quitting::Stopping(self.state.now));
        if self.state.is_busy() {
            self.modal = Some(Modal::Quit);
        }
    }

    /// Lets everything write checkpoints and stop, and closes the window when the engine says that it is done.
    pub(super) fn checkpoint_and_quit(&mut self) {
        match self.quitting {
            // Asked for once more, as by another Ctrl-C.
            Some(quitting) if quitting.is_overdue(self.state.now) => return self.close_anyway(),
            Some(_) => return,
            None => {}
        }
        self.state.checks.stop();
        self.engine.send(workbench::Command::CheckpointAndStop);
        self.quitting = Some(Quitting::Checkpointing);
        self.modal = Some(Modal::Quit);
    }

    /// Waits no longer for what was told to stop and has not: it is cut off where it stands, and found interrupted by the next start.
    pub(super) fn close_anyway(&mut self) {
        self.quitting = Some(Quitting::Done);
    }

    /// The engine has written every checkpoint, and nothing runs any more. That holds too where somebody has changed their mind meanwhile and
    /// will not wait for checkpoints: of runs that were let go before no end is told.
    pub(super) fn all_stopped(&mut self) {
        if self.quitting.is_some() {
            self.quitting = Some(Quitting::Done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing;
    use crate::workbench::Update;

    /// A window with a run that the engine knows nothing of: no end of it is ever told.
    fn with_a_run_that_never_ends(runs: &std::path::Path) -> App {
        let mut app = testing::app(runs);
        testing::begin(&mut app, "r");
        assert!(app.state.is_busy());
        app
    }

    #[test]
    fn whoever_will_not_wait_for_checkpoints_after_all_is_not_kept_waiting_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = with_a_run_that_never_ends(folder.path());
        app.checkpoint_and_quit();
        assert_eq!(app.quitting, Some(Quitting::Checkpointing));
        app.stop_and_quit();
        assert!(matches!(app.quitting, Some(Quitting::Stopping(_))));
        // The runs were let go before: this is the last that is heard of them.
        app.apply(Update::Stopped);
        assert_eq!(app.quitting, Some(Quitting::Done));
        app.stop_and_quit();
        assert_eq!(app.quitting, Some(Quitting::Done), "a press that comes late changes nothing");
    }

    #[test]
    fn what_does_not_stop_keeps_the_window_open_for_seconds_only() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = with_a_run_that_never_ends(folder.path());
        app.stop_and_quit();
        let Some(quitting @ Quitting::Stopping(since)) = app.quitting else { panic!() };
        assert!(!quitting.is_overdue(since));
        app.checkpoint_and_quit();
        assert_eq!(app.quitting, Some(quitting), "a second Ctrl-C waits like the first");
        app.state.now = UtcMillis(since.0 + 60_000);
        assert!(quitting.is_overdue(app.state.now));
        app.checkpoint_and_quit();
        assert_eq!(app.quitting, Some(Quitting::Done));
    }

    #[test]
    fn nothing_that_is_told_closes_a_window_that_nobody_asked_to_close() {
        let folder = tempfile::tempdir().unwrap();
        let mut app = with_a_run_that_never_ends(folder.path());
        app.apply(Update::Stopped);
        assert_eq!(app.quitting, None);
    }
}
