//! Event files that TensorBoard reads: the curves of a run, a subfolder for each task.

mod proto;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use prost::Message;

use self::proto::{SessionLog, Summary, Value, What};
use super::ExportError;
use crate::domain::{EpochRecord, Event, EventKind, RunId, TaskId, UtcMillis};

/// The version that TensorBoard expects in the first record.
const FILE_VERSION: &str = "brain.Event:2";

/// Writes a run's epochs as scalars to `DIR/RUN/TASK/events.out.tfevents.*`: `loss/train`, `loss/validation`, `monitor`, `learning_rate` and
/// `gradient_norm`, by epoch. What is recorded is in the files when [`Self::record`] returns, so that TensorBoard follows a run at work. Where a task
/// goes back to a checkpoint or begins anew, TensorBoard shows the later of two records of an epoch.
#[derive(Debug)]
pub struct EventFiles {
    run: RunId,
    folder: PathBuf,
    open: BTreeMap<TaskId, EventFile>,
}

impl EventFiles {
    /// Makes the run's folder in `dir`.
    ///
    /// # Errors
    /// [`ExportError::EventFile`] naming the folder.
    pub fn create(dir: &Path, run: &RunId) -> Result<Self, ExportError> {
        let folder = dir.join(run.as_str());
        std::fs::create_dir_all(&folder).map_err(|source| refused(&folder, &source))?;
        Ok(Self { run: run.clone(), folder, open: BTreeMap::new() })
    }

    /// Writes what an event tells about an epoch. Everything else, and what concerns other runs, is passed over.
    ///
    /// # Errors
    /// [`ExportError::EventFile`] naming the file.
    pub fn record(&mut self, event: &Event) -> Result<(), ExportError> {
        let Some(task) = event.task.as_ref().filter(|_| event.run == self.run) else {
            return Ok(());
        };
        match &event.kind {
            EventKind::Epoch(record) => {
                let file = match self.open.remove(task) {
                    Some(file) => file,
                    None => EventFile::create(&self.folder.join(task.as_str()), event.at)?,
                };
                let file = self.open.entry(task.clone()).or_insert(file);
                file.record(record, event.at)
            }
            // A file for each of thousands of tasks must not stay open.
            EventKind::Finished { .. } | EventKind::Failed { .. } | EventKind::Cancelled => {
                self.open.remove(task).map_or(Ok(()), EventFile::close)
            }
            _ => Ok(()),
        }
    }

    /// Closes every file and makes sure that they are on disk.
    ///
    /// # Errors
    /// [`ExportError::EventFile`] naming the first one that is not.
    pub fn finish(self) -> Result<(), ExportError> {
        self.open.into_values().try_for_each(EventFile::close)
    }
}

fn summary(record: &EpochRecord, at: UtcMillis) -> proto::Event {
    let scalars = [
        ("loss/train", Some(record.train_loss)),
        ("loss/validation", record.validation_loss),
        ("monitor", record.monitor),
        ("learning_rate", Some(record.learning_rate)),
        ("gradient_norm", Some(record.gradient_norm)),
    ];
    let value = scalars.into_iter().filter_map(|(tag, value)| {
        Some(Value { tag: tag.to_owned(), simple_value: Some(value? as f32) })
    });
    let summary = Summary { value: value.collect() };
    event(at, i64::from(record.epoch), What::Summary(summary))
}

fn event(at: UtcMillis, step: i64, what: What) -> proto::Event {
    proto::Event { wall_time: at.0 as f64 / 1000.0, step, what: Some(what) }
}

/// One task's file.
#[derive(Debug)]
struct EventFile {
    path: PathBuf,
    file: File,
    /// The last epoch that was recorded; before the first, whether earlier files may hold any.
    last: Last,
}

#[derive(Debug, Clone, Copy)]
enum Last {
    Nothing,
    InEarlierFiles,
    Epoch(u32),
}

impl EventFile {
    fn create(folder: &Path, at: UtcMillis) -> Result<Self, ExportError> {
        std::fs::create_dir_all(folder).map_err(|source| refused(folder, &source))?;
        let earlier = std::fs::read_dir(folder).map_err(|source| refused(folder, &source))?.next();
        let last = if earlier.is_none() { Last::Nothing } else { Last::InEarlierFiles };
        let (path, file) = Self::open(folder, at)?;
        let mut file = Self { path, file, last };
        file.write(&event(at, 0, What::FileVersion(FILE_VERSION.to_owned())))?;
        Ok(file)
    }

    /// A new file: TensorBoard reads those of a folder one after another, so a task that goes on later begins another.
    fn open(folder: &Path, at: UtcMillis) -> Result<(PathBuf, File), ExportError> {
        let mut count = 0_u32;
        loop {
            // By name the later one comes last.
            let name = format!("events.out.tfevents.{:010}.walkforge.{count:04}", at.0 / 1000);
            let path = folder.join(name);
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => count += 1,
                Err(error) => return Err(refused(&path, &error)),
            }
        }
    }

    fn record(&mut self, record: &EpochRecord, at: UtcMillis) -> Result<(), ExportError> {
        let is_repeated = match self.last {
            Last::Nothing => false,
            Last::InEarlierFiles => true,
            Last::Epoch(last) => record.epoch <= last,
        };
        if is_repeated {
            let start = What::SessionLog(SessionLog::START);
            self.write(&event(at, i64::from(record.epoch), start))?;
        }
        self.write(&summary(record, at))?;
        self.last = Last::Epoch(record.epoch);
        Ok(())
    }

    /// Appends in one piece, so that whoever reads meanwhile sees whole records.
    fn write(&mut self, event: &proto::Event) -> Result<(), ExportError> {
        let framed = frame(&event.encode_to_vec());
        self.file.write_all(&framed).map_err(|source| refused(&self.path, &source))
    }

    fn close(self) -> Result<(), ExportError> {
        self.file.sync_all().map_err(|source| refused(&self.path, &source))
    }
}

/// A record of TensorFlow's `core/lib/io/record_writer.h`: length, its checksum, content, its checksum.
fn frame(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(content.len() + 16);
    record.extend(length);
    record.extend(masked_crc(&length).to_le_bytes());
    record.extend(content);
    record.extend(masked_crc(content).to_le_bytes());
    record
}

/// CRC-32C turned and shifted, so that a checksum of something that holds its own checksum is no special case (`core/lib/hash/crc32c.h`).
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn refused(path: &Path, source: &dyn std::fmt::Display) -> ExportError {
    ExportError::EventFile { path: path.to_owned(), message: source.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(run: &str, epoch: u32) -> Event {
        let record = EpochRecord {
            epoch,
            train_loss: 0.5,
            validation_loss: None,
            monitor: None,
            learning_rate: 0.0,
            gradient_norm: 2.0,
            seconds: 1.0,
            is_best: false,
        };
        Event {
            run: RunId::new(run),
            task: Some(TaskId::new("T-1h-fold00")),
            seq: 0,
            at: UtcMillis(1_700_000_000_250),
            kind: EventKind::Epoch(record),
        }
    }

    /// The content of every record, checksums checked.
    fn records(path: &Path) -> Vec<proto::Event> {
        let bytes = std::fs::read(path).unwrap();
        let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            assert_eq!(masked_crc(&rest[..8]).to_le_bytes(), rest[8..12]);
            let content = &rest[12..12 + length];
            assert_eq!(masked_crc(content).to_le_bytes(), rest[12 + length..16 + length]);
            found.push(proto::Event::decode(content).unwrap());
            rest = &rest[16 + length..];
        }
        found
    }

    #[test]
    fn epochs_of_the_run_are_written_and_those_of_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunId::new("run");
        for _ in 0..2 {
            let mut files = EventFiles::create(folder.path(), &run).unwrap();
            files.record(&epoch("run", 1)).unwrap();
            files.record(&epoch("another", 7)).unwrap();
            files.record(&epoch("run", 2)).unwrap();
            files.finish().unwrap();
        }
        let task = folder.path().join("run/T-1h-fold00");
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(&task).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert_eq!(paths.len(), 2, "a run that goes on begins another file");
        let records = records(&paths[0]);
        assert_eq!(records[0].what, Some(What::FileVersion(FILE_VERSION.to_owned())));
        assert_eq!(records[1].wall_time, 1_700_000_000.25);
        let steps: Vec<i64> = records.iter().map(|record| record.step).collect();
        assert_eq!(steps, [0, 1, 2]);
        // What the second file begins with takes the place of what the first holds.
        let second: Vec<(i64, bool)> = self::tests::records(&paths[1])
            .iter()
            .map(|record| (record.step, record.what == Some(What::SessionLog(SessionLog::START))))
            .collect();
        assert_eq!(second, [(0, false), (1, true), (1, false), (2, false)]);
        let Some(What::Summary(summary)) = &records[1].what else { panic!("a summary") };
        let tags: Vec<&str> = summary.value.iter().map(|value| value.tag.as_str()).collect();
        assert_eq!(tags, ["loss/train", "learning_rate", "gradient_norm"]);
        assert_eq!(summary.value[1].simple_value, Some(0.0), "a zero is a value");
    }

    #[test]
    fn a_checksum_is_masked_as_tensorflow_masks_it() {
        // The last two by TensorBoard's own `masked_crc32c`; the first by RFC 3720's polynomial.
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(masked_crc(b"123456789"), 0xc78a_b0e5);
        assert_eq!(masked_crc(&24_u64.to_le_bytes()), 0x224b_7fa3);
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = EventFiles::create(&file, &RunId::new("run")).unwrap_err().to_string();
        assert!(error.contains("file/run") && error.contains("--tensorboard"), "{error}");
    }
}
