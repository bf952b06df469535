use std::time::Duration;

/// A frame longer than this is felt.
const LONG: Duration = Duration::from_millis(50);

/// How long the window's thread was busy with a frame, since the last report: taking in what happened, layout, tessellation. What the graphics
/// driver then takes to draw it is not in it.
#[derive(Debug, Default)]
pub(super) struct FrameMeter {
    frames: u64,
    long: u64,
    longest: Duration,
}

impl FrameMeter {
    pub(super) fn add(&mut self, frame: Duration) {
        self.frames += 1;
        self.longest = self.longest.max(frame);
        if frame > LONG {
            self.long += 1;
        }
    }

    /// The line for the log, and a fresh start; nothing where no frame was measured.
    pub(super) fn report(&mut self) -> Option<String> {
        let Self { frames, long, longest } = std::mem::take(self);
        (frames > 0).then(|| {
            format!(
                "window: {frames} frames, longest {:.1} ms, {long} over {} ms",
                longest.as_secs_f64() * 1000.0,
                LONG.as_millis()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_frames_are_counted_until_reported() {
        let mut meter = FrameMeter::default();
        for millis in [3, 51, 50] {
            meter.add(Duration::from_millis(millis));
        }
        let report = meter.report();
        assert_eq!(report.as_deref(), Some("window: 3 frames, longest 51.0 ms, 1 over 50 ms"));
        assert_eq!(meter.report(), None);
    }
}
