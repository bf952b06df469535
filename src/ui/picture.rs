//! The training charts as a picture on disk: the window takes a picture of itself, of which a part is kept.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};
use egui::ColorImage;

use super::app::App;
use super::state::Level;
use crate::workbench::{self, Picture};

/// A picture that somebody asked for.
#[derive(Debug, Default)]
pub(super) struct PictureRequest {
    to: Option<PathBuf>,
    /// What the window will have taken.
    taken: Option<Receiver<Arc<ColorImage>>>,
}

impl PictureRequest {
    /// From the next frame on, in which no dialog stands before the charts.
    pub(super) fn ask(&mut self, to: PathBuf) {
        *self = Self { to: Some(to), taken: None };
    }
}

impl App {
    /// Asks for a picture of this frame, or keeps the one that was asked for before.
    pub(super) fn mind_picture(&mut self, ctx: &egui::Context) {
        if self.picture.to.is_none() {
            return;
        }
        let Some(taken) = &self.picture.taken else {
            let (done, taken) = bounded(1);
            let wake = ctx.clone();
            ctx.request_screenshot(move |image| {
                // Nobody waits for it where another one was asked for since.
                let _sent = done.try_send(image);
                wake.request_repaint();
            });
            self.picture.taken = Some(taken);
            return;
        };
        let Ok(image) = taken.try_recv() else { return };
        let PictureRequest { to: Some(to), .. } = std::mem::take(&mut self.picture) else { return };
        let Some(charts) = self.panels.training.charts else {
            let text = "The training charts are out of view: bring the Training panel to the front and export again.";
            self.tell(Level::Warning, text.to_owned());
            return;
        };
        let part = image.region(&charts, Some(ctx.pixels_per_point()));
        let [width, height] = part.size.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        let rgba = part.pixels.iter().flat_map(egui::Color32::to_array).collect();
        let picture = Picture { width, height, rgba };
        self.engine.send(workbench::Command::SavePicture { picture, to });
    }
}
