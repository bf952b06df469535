use std::io::{ErrorKind, IsTerminal, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicatif::MultiProgress;
use parking_lot::Mutex;
use serde::Serialize;

/// The one place that writes to the terminal. Results go to stdout, everything else to stderr, so that results can be piped.
#[derive(Debug)]
pub(super) struct Printer {
    json: bool,
    quiet: bool,
    /// Lines printed while bars are shown must go through them.
    bars: Option<MultiProgress>,
    /// The first failure to write a result.
    failure: Mutex<Option<std::io::Error>>,
}

impl Printer {
    pub(super) fn new(json: bool, quiet: bool) -> Self {
        let bars = (!json && !quiet && std::io::stderr().is_terminal()).then(MultiProgress::new);
        Self { json, quiet, bars, failure: Mutex::new(None) }
    }

    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// Where progress bars go; `None` when nobody would see them.
    pub(super) const fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// One line of the result. A reader who went away is no error: nobody is left to tell.
    pub(super) fn line(&self, text: &str) {
        let print = || {
            let mut stdout = std::io::stdout().lock();
            match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    self.failure.lock().get_or_insert(error);
                }
                _ => {}
            }
        };
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    /// Why not every line of the result could be written, where that is so.
    pub(super) fn failure(&self) -> Option<String> {
        let failure = self.failure.lock();
        failure.as_ref().map(|error| format!("the result could not be written to stdout: {error}"))
    }

    /// One JSON line of the result.
    pub(super) fn json_line(&self, value: &impl Serialize) {
        let line =
            serde_json::to_string(value).expect("what is printed has string keys and serialises");
        self.line(&line);
    }

    /// What happens meanwhile; not with `--quiet`, and on stderr.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet && !self.json {
            self.stderr(text);
        }
    }

    /// What the user should look at.
    pub(super) fn warning(&self, text: &str) {
        self.stderr(&format!("warning: {text}"));
    }

    /// Why it did not work.
    pub(super) fn error(&self, text: &str) {
        self.stderr(&format!("error: {text}"));
    }

    /// A question, which is answered on the same line.
    pub(super) fn ask(&self, text: &str) {
        let print = || {
            let mut stderr = std::io::stderr().lock();
            let _closed = write!(stderr, "{text}").and_then(|()| stderr.flush());
        };
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    fn stderr(&self, text: &str) {
        let print = || {
            let _closed = writeln!(std::io::stderr().lock(), "{text}");
        };
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    /// A table of the result; columns from `numbers_from` on are aligned right.
    pub(super) fn table(&self, header: &[&str], numbers_from: usize, rows: &[Vec<String>]) {
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(header);
        table.add_rows(rows);
        for column in table.column_iter_mut() {
            // Two spaces between columns, none at the edges.
            column.set_padding((0, 2));
            if column.index >= numbers_from {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let text = table.to_string();
        self.line(&text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    }
}
