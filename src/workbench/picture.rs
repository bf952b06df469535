use std::io::{BufWriter, Write as _};
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::runs::{StoreError, write_atomically};

/// A picture, row by row from the top.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Red, green, blue and opacity of each pixel.
    pub rgba: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} × {})", self.width, self.height)
    }
}

/// Writes it as a PNG file, atomically.
pub(super) fn write_png(to: &Path, picture: &Picture) -> Result<(), StoreError> {
    let Picture { width, height, rgba } = picture;
    write_atomically(to, |file| {
        let pixels = u64::from(*width) * u64::from(*height);
        if rgba.len() as u64 != 4 * pixels {
            return Err(format!("{} bytes are not the {pixels} pixels of it", rgba.len()).into());
        }
        let mut buffer = BufWriter::new(file);
        let encoder = PngEncoder::new(&mut buffer);
        encoder.write_image(rgba, *width, *height, ExtendedColorType::Rgba8)?;
        // What is left in it would be lost without a word where the disk is full.
        Ok(buffer.flush()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_reads_back_with_the_same_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("charts.png");
        let rgba: Vec<u8> = (0..2 * 3 * 4).map(|byte| byte * 10).collect();
        write_png(&to, &Picture { width: 2, height: 3, rgba: rgba.clone() }).unwrap();
        let read = image::load_from_memory(&std::fs::read(&to).unwrap()).unwrap().to_rgba8();
        assert_eq!((read.dimensions(), read.into_raw()), ((2, 3), rgba));
    }

    #[test]
    fn a_picture_that_lacks_pixels_is_an_error_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("charts.png");
        let short = Picture { width: 2, height: 3, rgba: vec![0; 8] };
        let error = write_png(&to, &short).unwrap_err().to_string();
        assert!(error.contains("8 bytes are not the 6 pixels"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
