use std::io::{self, BufRead, Read};

/// The lines of a text, one at a time, numbered from 1.
pub struct Lines<'a> {
    source: &'a mut dyn BufRead,
    line: Vec<u8>,
    number: u64,
}

/// A line longer than this is no row of bars, but a file of another kind.
const LONGEST_LINE: u64 = 1 << 16;

impl<'a> Lines<'a> {
    pub fn new(source: &'a mut dyn BufRead) -> Self {
        Self { source, line: Vec::new(), number: 0 }
    }

    /// The next line and its number, without its end; `None` after the last one.
    pub fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        self.line.clear();
        let read = (&mut self.source).take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        match self.line.strip_suffix(b"\n") {
            Some(line) => Ok(Some((self.number, line.strip_suffix(b"\r").unwrap_or(line)))),
            None if read as u64 == LONGEST_LINE => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "line {} is longer than {LONGEST_LINE} bytes: no table of bars",
                    self.number
                ),
            )),
            None => Ok(Some((self.number, &self.line))),
        }
    }
}
