use std::collections::VecDeque;

use crate::domain::UtcMillis;

/// Lines kept; the oldest go first. The index of the runs keeps everything.
const CAPACITY: usize = 2000;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Info,
    Success,
    Warning,
    Error,
}

/// One line of the log panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: UtcMillis,
    pub(crate) level: Level,
    pub(crate) text: String,
}

/// What happened, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    lines: VecDeque<Line>,
}

impl Journal {
    pub(crate) fn add(&mut self, at: UtcMillis, level: Level, text: impl Into<String>) {
        if self.lines.len() == CAPACITY {
            self.lines.pop_front();
        }
        self.lines.push_back(Line { at, level, text: text.into() });
    }

    pub(crate) const fn lines(&self) -> &VecDeque<Line> {
        &self.lines
    }
}
