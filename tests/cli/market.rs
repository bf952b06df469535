//! Small market files, sound and broken.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, TimestampMillisecondArray};
use arrow::ipc::writer::FileWriter;

const FIRST_OPEN_MS: i64 = 1_704_067_200_000;
const HOUR_MS: i64 = 3_600_000;
const HEADER: [&str; 6] = ["date", "open", "high", "low", "close", "volume"];

/// Line 1 is the header, so that line numbers are those of messages.
pub type Lines = Vec<Vec<String>>;

/// Hourly bars that move up and down without a pattern worth learning, oldest first.
pub fn lines(bars: u32) -> Lines {
    let header = HEADER.map(str::to_owned).to_vec();
    let rows = rows(bars).into_iter().map(|(time, values)| {
        let values = values.iter().map(|value| format!("{value:.4}"));
        std::iter::once(time.to_string()).chain(values).collect()
    });
    std::iter::once(header).chain(rows).collect()
}

/// A sound CSV file of hourly bars.
pub fn csv(bars: u32) -> String {
    csv_with(bars, |_lines| {})
}

/// A CSV file of hourly bars after a change.
pub fn csv_with(bars: u32, change: impl FnOnce(&mut Lines)) -> String {
    let mut lines = lines(bars);
    change(&mut lines);
    lines.iter().map(|fields| fields.join(",") + "\n").collect()
}

/// A sound Feather file of the same bars.
pub fn write_feather(path: &Path, bars: u32) {
    let rows = rows(bars);
    let times = TimestampMillisecondArray::from_iter_values(rows.iter().map(|(time, _)| *time));
    let column = |index: usize| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|(_, values)| values[index])))
    };
    let times: ArrayRef = Arc::new(times.with_timezone("UTC"));
    let columns = std::iter::once(times).chain((0..5).map(column));
    let batch = RecordBatch::try_from_iter(HEADER.into_iter().zip(columns))
        .expect("the columns are of one length");
    let file = File::create(path).expect("the temporary folder can be written");
    let mut writer = FileWriter::try_new(file, &batch.schema()).expect("the header can be written");
    writer.write(&batch).and_then(|()| writer.finish()).expect("the bars can be written");
}

/// Open time and open, high, low, close, volume.
fn rows(bars: u32) -> Vec<(i64, [f64; 5])> {
    let mut open = 100.0;
    // The constants are those of Numerical Recipes; any generator would do.
    let mut state: u32 = 1;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    (0..bars)
        .map(|bar| {
            let close = open * (1.0 + 0.02 * (draw() - 0.5));
            let values =
                [open, open.max(close) * 1.001, open.min(close) * 0.999, close, 1.0 + draw()];
            open = close;
            (FIRST_OPEN_MS + i64::from(bar) * HOUR_MS, values)
        })
        .collect()
}
