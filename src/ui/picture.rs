//! The training charts as a picture on disk: the window takes a picture of itself, of which a part is kept.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use egui::{ColorImage, Rect};

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
        let taken = taken.try_recv();
        if taken == Err(TryRecvError::Empty) {
            return;
        }
        let PictureRequest { to: Some(to), .. } = std::mem::take(&mut self.picture) else { return };
        let Ok(image) = taken else {
            let text = "The window could not take a picture of itself: make the Training panel visible and export again.";
            self.tell(Level::Warning, text.to_owned());
            return;
        };
        let charts = self.panels.training.charts;
        let Some(part) = charts.and_then(|charts| cut_out(&image, charts, ctx.pixels_per_point()))
        else {
            let text = "The training charts are out of view: bring the Training panel to the front and export again.";
            self.tell(Level::Warning, text.to_owned());
            return;
        };
        let [width, height] = part.size.map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        let rgba = part.as_raw().to_vec();
        let picture = Picture { width, height, rgba };
        self.engine.send(workbench::Command::SavePicture { picture, to });
    }
}

/// What of an area, in points, is in the picture: the window may have another size by now. `None` where that is nothing.
fn cut_out(image: &ColorImage, area: Rect, pixels_per_point: f32) -> Option<ColorImage> {
    let size = egui::vec2(image.width() as f32, image.height() as f32);
    let whole = Rect::from_min_size(egui::Pos2::ZERO, size / pixels_per_point);
    let pixels = (area.intersect(whole) * pixels_per_point).round();
    let has_some = pixels.width() >= 1.0 && pixels.height() >= 1.0;
    let corner = [pixels.min.x as usize, pixels.min.y as usize];
    has_some.then(|| {
        image.region_by_pixels(corner, [pixels.width(), pixels.height()].map(|side| side as usize))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_out_lies_within_the_picture() {
        let image = ColorImage::filled([30, 20], egui::Color32::RED);
        let cut = |left: f32, top: f32, right: f32, bottom: f32| {
            let area = Rect::from_min_max(egui::pos2(left, top), egui::pos2(right, bottom));
            cut_out(&image, area, 2.0).map(|part| part.size)
        };
        assert_eq!(cut(1.0, 1.0, 5.0, 6.0), Some([8, 10]));
        assert_eq!(cut(-4.0, 2.0, 99.0, 99.0), Some([30, 16]), "the window was larger before");
        assert_eq!(cut(20.0, 2.0, 30.0, 9.0), None);
        assert_eq!(cut(5.0, 2.0, 5.0, 9.0), None);
    }
}
