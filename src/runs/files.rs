use std::io::Write;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tch::{Kind, Tensor};

use super::StoreError;
use crate::domain::ContentHash;
use crate::models::{NamedWeights, Parameter};

/// Writes a file so that it is there whole or not at all, even after a power cut: a temporary file beside it, fsync, rename, fsync of the folder.
///
/// # Errors
/// [`StoreError::Write`] naming the file; an older file of that name is then untouched.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut std::fs::File) -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
) -> Result<(), StoreError> {
    // The parent of a bare file name is the empty path.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or_else(|| Path::new("."));
    let attempt = || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut file = tempfile::Builder::new().prefix(".walkforge-").tempfile_in(folder)?;
        write(file.as_file_mut())?;
        file.as_file().sync_all()?;
        set_shared_permissions(file.as_file())?;
        file.persist(path)?;
        std::fs::File::open(folder)?.sync_all()?;
        Ok(())
    };
    attempt().map_err(|source| StoreError::write(path, &source))
}

/// Makes the names in a folder survive a power cut.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| StoreError::write(folder, &source))
}

/// Temporary files are made for their owner alone; results are as readable as any other new file.
#[cfg(unix)]
fn set_shared_permissions(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_shared_permissions(_file: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Writes a value as indented JSON, atomically.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    write_atomically(path, |file| {
        let mut text = serde_json::to_vec_pretty(value)?;
        text.push(b'\n');
        file.write_all(&text)?;
        Ok(())
    })
}

/// Reads what [`write_json`] wrote.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    let text = std::fs::read(path).map_err(|source| StoreError::read(path, &source))?;
    serde_json::from_slice(&text).map_err(|source| StoreError::damaged(path, &source))
}

/// Writes a network's weights as f32 in the safetensors format, names as PyTorch's, atomically. Gives the hash of the file.
///
/// # Errors
/// [`StoreError::Write`] naming the file.
pub fn write_weights(path: &Path, parameters: &[Parameter]) -> Result<ContentHash, StoreError> {
    let mut hash = ContentHash::of(&[]);
    write_atomically(path, |file| {
        let buffers = parameters
            .iter()
            .map(|parameter| {
                let host =
                    parameter.tensor.detach().f_to(tch::Device::Cpu)?.f_to_kind(Kind::Float)?;
                let values: Vec<f32> = host.f_flatten(0, -1)?.try_into()?;
                let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                let shape: Vec<usize> =
                    parameter.tensor.size().iter().map(|&size| size as usize).collect();
                Ok((parameter.name.as_str(), shape, bytes))
            })
            .collect::<Result<Vec<_>, tch::TchError>>()?;
        let views = buffers
            .iter()
            .map(|(name, shape, bytes)| {
                Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?))
            })
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        // `format: pt` is what PyTorch's own readers look for.
        let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let bytes = safetensors::serialize(views, Some(metadata))?;
        hash = ContentHash::of(&bytes);
        file.write_all(&bytes)?;
        Ok(())
    })?;
    Ok(hash)
}

/// Makes sure that a file of weights is the one with this hash; where nobody wrote the hash down, that it can be read as weights.
pub(super) fn check_weights(path: &Path, hash: Option<ContentHash>) -> Result<(), StoreError> {
    let bytes = std::fs::read(path).map_err(|source| StoreError::read(path, &source))?;
    match hash {
        Some(hash) if hash == ContentHash::of(&bytes) => Ok(()),
        Some(_) => Err(StoreError::damaged(path, &"its content is not what was written")),
        None => match SafeTensors::deserialize(&bytes) {
            Ok(_) => Ok(()),
            Err(source) => Err(StoreError::damaged(path, &source)),
        },
    }
}

/// Reads what [`write_weights`] wrote: f32 tensors on the CPU by name.
///
/// # Errors
/// [`StoreError::Read`] or [`StoreError::Damaged`] naming the file.
pub fn read_weights(path: &Path) -> Result<NamedWeights, StoreError> {
    let bytes = std::fs::read(path).map_err(|source| StoreError::read(path, &source))?;
    let file =
        SafeTensors::deserialize(&bytes).map_err(|source| StoreError::damaged(path, &source))?;
    let mut weights = NamedWeights::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(StoreError::damaged(
                path,
                &format!("`{name}` is {:?}, not F32", view.dtype()),
            ));
        }
        let values: Vec<f32> = view
            .data()
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        let tensor = Tensor::f_from_slice(&values)
            .and_then(|tensor| tensor.f_reshape(&shape))
            .map_err(|source| StoreError::damaged(path, &source))?;
        weights.insert(name, tensor);
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_round_trip_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let values: Vec<f32> = vec![1.0, -0.0, f32::MIN_POSITIVE, 3.5, 1e-38, 7.0];
        let tensor = Tensor::from_slice(&values).reshape([2, 3]);
        write_weights(&path, &[Parameter { name: "head.weight".to_owned(), tensor }]).unwrap();
        let read = read_weights(&path).unwrap();
        assert_eq!(read["head.weight"].size(), [2, 3]);
        let back: Vec<f32> = read["head.weight"].flatten(0, -1).try_into().unwrap();
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&values));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        std::fs::write(&path, b"not a safetensors file").unwrap();
        let error = read_weights(&path).unwrap_err();
        assert!(
            matches!(&error, StoreError::Damaged { path: named, .. } if *named == path),
            "{error}"
        );
    }

    #[test]
    fn weights_that_changed_since_they_were_written_are_told_by_their_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        let tensor = Tensor::from_slice(&[1.0_f32, 2.0]);
        let hash = write_weights(&path, &[Parameter { name: "head".to_owned(), tensor }]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // A number that turned, an end that is missing, and nothing at all. Only a hash tells the first.
        let mut turned = whole.clone();
        *turned.last_mut().unwrap() ^= 1;
        let cases = [
            (whole.as_slice(), true, true),
            (&turned, false, true),
            (&whole[..whole.len() - 1], false, false),
            (&[], false, false),
        ];
        for (bytes, by_hash, without) in cases {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(check_weights(&path, Some(hash)).is_ok(), by_hash, "{} bytes", bytes.len());
            assert_eq!(check_weights(&path, None).is_ok(), without, "{} bytes", bytes.len());
        }
        let error = check_weights(&path, Some(hash)).unwrap_err().to_string();
        assert!(error.contains("weights.safetensors: is damaged"), "{error}");
    }

    #[test]
    fn a_failed_write_leaves_the_older_file_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outcome.json");
        write_json(&path, &1).unwrap();
        let error = write_atomically(&path, |file| {
            file.write_all(b"half of")?;
            Err("the disk is full".into())
        })
        .unwrap_err();
        assert!(
            error.to_string().contains("outcome.json") && error.to_string().contains("full"),
            "{error}"
        );
        assert_eq!(read_json::<u32>(&path).unwrap(), 1);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
