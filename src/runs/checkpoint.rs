use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor};

use super::{StoreError, write_atomically};
use crate::domain::ContentHash;
use crate::training::Checkpoint;

/// What the file's metadata call its parts.
const POSITION: &str = "position";
const TASK: &str = "task_key";
const CHECKSUM: &str = "blake3";

/// The checkpoints of one task: the newest, and the one before it, which stays until the newest is whole on disk. Safetensors files whose metadata
/// hold the position, the task's key and a checksum over all of it.
#[derive(Debug, Clone)]
pub struct CheckpointFiles {
    newest: PathBuf,
    /// The newest while it is written.
    aside: PathBuf,
    previous: PathBuf,
    task: ContentHash,
}

impl CheckpointFiles {
    /// The checkpoints in a task's folder. `task` is the task's key: those of another task are refused.
    #[must_use]
    pub fn new(folder: &Path, task: ContentHash) -> Self {
        Self {
            newest: folder.join("checkpoint.safetensors"),
            aside: folder.join("checkpoint.new"),
            previous: folder.join("checkpoint.previous.safetensors"),
            task,
        }
    }

    /// Writes a checkpoint so that at any moment, even in a power cut, there is a whole one: the new file is complete and synced before the newest
    /// takes the previous one's place.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the file; older checkpoints are still there.
    pub fn write(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let bytes = encode(checkpoint, &self.task)
            .map_err(|error| StoreError::write(&self.newest, &std::io::Error::other(error)))?;
        // Under a name that no reader looks for, until it is whole.
        write_atomically(&self.aside, |file| Ok(file.write_all(&bytes)?))?;
        let in_place = || -> std::io::Result<()> {
            if self.newest.exists() {
                std::fs::rename(&self.newest, &self.previous)?;
            }
            std::fs::rename(&self.aside, &self.newest)?;
            let folder = self.newest.parent().filter(|folder| !folder.as_os_str().is_empty());
            std::fs::File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
        };
        in_place().map_err(|source| StoreError::write(&self.newest, &source))
    }

    /// The newest checkpoint that is whole and this task's, and what was wrong with those passed over. `None` where there is none.
    #[must_use]
    pub fn read(&self) -> (Option<Checkpoint>, Vec<StoreError>) {
        let mut refused = Vec::new();
        for path in [&self.newest, &self.previous] {
            if !path.exists() {
                continue;
            }
            match self.read_one(path) {
                Ok(checkpoint) => return (Some(checkpoint), refused),
                Err(error) => refused.push(error),
            }
        }
        (None, refused)
    }

    fn read_one(&self, path: &Path) -> Result<Checkpoint, StoreError> {
        let bytes = std::fs::read(path).map_err(|source| StoreError::read(path, &source))?;
        decode(&bytes, &self.task).map_err(|problem| StoreError::damaged(path, &problem))
    }

    /// Removes them: a task that has finished needs none.
    ///
    /// # Errors
    /// [`StoreError::Write`] naming the file that stayed.
    pub fn remove(&self) -> Result<(), StoreError> {
        for path in [&self.newest, &self.previous, &self.aside] {
            match std::fs::remove_file(path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::write(path, &source));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A tensor as the file holds it.
struct Stored {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

fn encode(checkpoint: &Checkpoint, task: &ContentHash) -> Result<Vec<u8>, String> {
    let position =
        serde_json::to_string(&checkpoint.position).map_err(|error| error.to_string())?;
    let stored = checkpoint
        .tensors
        .iter()
        .map(|(name, tensor)| store(name, tensor).map_err(|error| format!("`{name}`: {error}")))
        .collect::<Result<Vec<_>, String>>()?;
    let views = stored
        .iter()
        .map(|stored| {
            let view = TensorView::new(stored.dtype, stored.shape.clone(), &stored.bytes)
                .map_err(|error| error.to_string())?;
            Ok((stored.name.as_str(), view))
        })
        .collect::<Result<Vec<_>, String>>()?;
    let task = task.to_string();
    let parts = stored.iter().map(|stored| {
        (stored.name.as_str(), stored.dtype, stored.shape.as_slice(), stored.bytes.as_slice())
    });
    let checksum = checksum(&position, &task, parts);
    let metadata = [(POSITION, position), (TASK, task), (CHECKSUM, checksum)]
        .map(|(name, value)| (name.to_owned(), value));
    safetensors::serialize(views, Some(metadata.into())).map_err(|error| error.to_string())
}

fn decode(bytes: &[u8], task: &ContentHash) -> Result<Checkpoint, String> {
    let readable = |error: &dyn std::fmt::Display| format!("no whole checkpoint: {error}");
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| readable(&error))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| readable(&error))?;
    let metadata = header.metadata().as_ref().ok_or("no checkpoint: it has no metadata")?;
    let part = |name: &str| {
        metadata.get(name).ok_or_else(|| format!("no checkpoint: its metadata have no `{name}`"))
    };
    let (position, of_task) = (part(POSITION)?, part(TASK)?);
    let mut views = file.tensors();
    views.sort_by(|a, b| a.0.cmp(&b.0));
    let parts =
        views.iter().map(|(name, view)| (name.as_str(), view.dtype(), view.shape(), view.data()));
    if checksum(position, of_task, parts) != *part(CHECKSUM)? {
        return Err("its checksum is wrong: it was damaged after it was written".to_owned());
    }
    if *of_task != task.to_string() {
        return Err(
            "it belongs to another task, or data, specification or program have changed since"
                .to_owned(),
        );
    }
    let position = serde_json::from_str(position).map_err(|error| readable(&error))?;
    let tensors = views
        .into_iter()
        .map(|(name, view)| {
            let tensor = restore(&view).map_err(|error| format!("`{name}`: {error}"))?;
            Ok((name, tensor))
        })
        .collect::<Result<BTreeMap<_, _>, String>>()?;
    Ok(Checkpoint { position, tensors })
}

/// Over everything that is read back, in the order of the tensors' names.
fn checksum<'a>(
    position: &str,
    task: &str,
    tensors: impl Iterator<Item = (&'a str, Dtype, &'a [usize], &'a [u8])>,
) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        // Lengths keep the parts apart.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    add(position.as_bytes());
    add(task.as_bytes());
    for (name, dtype, shape, bytes) in tensors {
        add(name.as_bytes());
        add(format!("{dtype:?} {shape:?}").as_bytes());
        add(bytes);
    }
    hasher.finalize().to_hex().to_string()
}

fn store(name: &str, tensor: &Tensor) -> Result<Stored, String> {
    let host = tensor.f_to(tch::Device::Cpu).and_then(|tensor| tensor.f_contiguous());
    let host = host.map_err(|error| error.to_string())?;
    let dtype = match host.kind() {
        Kind::Float => Dtype::F32,
        Kind::Double => Dtype::F64,
        Kind::Int64 => Dtype::I64,
        Kind::Int => Dtype::I32,
        Kind::Uint8 => Dtype::U8,
        other => return Err(format!("checkpoints hold no tensors of {other:?}")),
    };
    let shape: Vec<usize> = host.size().iter().map(|&size| size as usize).collect();
    let mut bytes = vec![0_u8; host.numel() * host.kind().elt_size_in_bytes()];
    host.f_copy_data_u8(&mut bytes, host.numel()).map_err(|error| error.to_string())?;
    Ok(Stored { name: name.to_owned(), dtype, shape, bytes })
}

fn restore(view: &TensorView<'_>) -> Result<Tensor, String> {
    let kind = match view.dtype() {
        Dtype::F32 => Kind::Float,
        Dtype::F64 => Kind::Double,
        Dtype::I64 => Kind::Int64,
        Dtype::I32 => Kind::Int,
        Dtype::U8 => Kind::Uint8,
        other => return Err(format!("checkpoints hold no tensors of {other:?}")),
    };
    let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
    Tensor::f_from_data_size(view.data(), &shape, kind).map_err(|error| error.to_string())
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
