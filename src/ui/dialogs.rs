use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::commands::Purpose;

/// Nobody closes a dialog sooner; rfd tells a dialog that could not be shown and one that was dismissed alike.
const FASTEST: Duration = Duration::from_millis(150);

/// The system's file dialog, one at a time. It runs beside the window: the app asks every frame whether it is done.
#[derive(Default)]
pub(super) struct Dialogs {
    open: Option<Open>,
}

/// What came of a dialog.
#[derive(Debug)]
pub(super) enum Answer {
    /// This was chosen.
    Path(Purpose, PathBuf),
    /// It was closed without a choice.
    Dismissed,
    /// The system could not show one.
    NoDialog,
}

struct Open {
    purpose: Purpose,
    since: Instant,
    answer: Pin<Box<dyn Future<Output = Option<PathBuf>>>>,
}

/// Wakes the window when the dialog is closed.
struct Repaint(egui::Context);

impl Wake for Repaint {
    fn wake(self: Arc<Self>) {
        self.0.request_repaint();
    }
}

impl Dialogs {
    /// Opens the dialog for a purpose; while one is open another is not opened.
    pub(super) fn open(&mut self, purpose: Purpose) {
        if self.open.is_some() {
            return;
        }
        let dialog = rfd::AsyncFileDialog::new();
        let answer: Pin<Box<dyn Future<Output = _>>> = match purpose {
            Purpose::Data => Box::pin(dialog.set_title("Folder with market files").pick_folder()),
            Purpose::Open => Box::pin(
                dialog
                    .set_title("Open an experiment")
                    .add_filter("Experiment", &["ron"])
                    .pick_file(),
            ),
            Purpose::Save => Box::pin(
                dialog
                    .set_title("Save the experiment")
                    .add_filter("Experiment", &["ron"])
                    .save_file(),
            ),
            Purpose::Curves(_) => Box::pin(
                dialog
                    .set_title("Export training curves")
                    .add_filter("Table", &["csv", "parquet"])
                    .save_file(),
            ),
            Purpose::Picture => Box::pin(
                dialog
                    .set_title("Export the training charts")
                    .add_filter("Picture", &["png"])
                    .save_file(),
            ),
            Purpose::Export(..) => {
                Box::pin(dialog.set_title("Folder for the models").pick_folder())
            }
        };
        let answer =
            Box::pin(async move { answer.await.map(|handle| handle.path().to_path_buf()) });
        self.open = Some(Open { purpose, since: Instant::now(), answer });
    }

    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// What came of a dialog that has been closed since the last call.
    pub(super) fn poll(&mut self, ctx: &egui::Context) -> Option<Answer> {
        let open = self.open.as_mut()?;
        let waker = Waker::from(Arc::new(Repaint(ctx.clone())));
        match open.answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => None,
            Poll::Ready(path) => {
                let Open { purpose, since, .. } = self.open.take()?;
                Some(match path {
                    Some(path) => Answer::Path(purpose, path),
                    None if since.elapsed() < FASTEST => Answer::NoDialog,
                    None => Answer::Dismissed,
                })
            }
        }
    }
}
