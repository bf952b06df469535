use std::io::Write;
use std::path::Path;

use super::example::Example;
use super::manifest::{ExportManifest, FILES, FileHash};
use super::{place, texts};
use crate::dataset::SeriesScaler;
use crate::domain::{ContentHash, Device};
use crate::export::onnx::{OnnxTexts, onnx};
use crate::export::{ExportError, sha256, torchscript};
use crate::models::Network;
use crate::runs::{Manifest, RunFolder, StoreError, TaskMetadata, read_weights, write_atomically};
use crate::spec::ExperimentSpec;

const SCORE: &str = include_str!("score.py");
/// The file within `model.pt` that names its inputs, for `torch.jit.load(…, _extra_files={"features.json": ""})`.
const FEATURES_INSIDE: &str = "features.json";
/// What readers of protobuf take at most.
const LARGEST_ONNX: usize = i32::MAX as usize;

/// Writes one model of a finished task as a bundle, in the place of an earlier one.
pub(in crate::export) fn export_model(
    (run, run_manifest, spec): (&RunFolder, &Manifest, &ExperimentSpec),
    (metadata, scaled): (&TaskMetadata, Option<&SeriesScaler>),
    folder: &Path,
) -> Result<(), ExportError> {
    let task = &metadata.task.id;
    let torch = |source| ExportError::Torch { task: task.clone(), source };
    let stored = run.task(task).join("weights.safetensors");
    let mut design = metadata.design.clone();
    if let Some(own) = scaled {
        // While it learnt, its windows came scaled by the very numbers that it now applies itself.
        design.scaler = own.scaler.clone();
    }
    let network = Network::from_weights(design.clone(), Device::Cpu, read_weights(&stored)?)
        .map_err(|source| ExportError::Network { task: task.clone(), source })?;
    let module = torchscript::trace(&network).map_err(torch)?;
    if let Some((batch, difference)) =
        torchscript::first_mismatch(&network, &module).map_err(torch)?
    {
        return Err(ExportError::Mismatch { task: task.clone(), batch, difference });
    }
    let mut manifest = ExportManifest::new((metadata, scaled), &design, (run_manifest, spec));
    let example = Example::of(&network).map_err(torch)?;
    let onnx = onnx(&network, onnx_texts(&manifest)).map_err(torch)?;
    if onnx.len() > LARGEST_ONNX {
        return Err(ExportError::TooLarge { task: task.clone() });
    }

    let to = folder.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(to).map_err(|source| StoreError::write(to, &source))?;
    // Built aside and put in place whole: a folder never holds files of two models.
    let aside = tempfile::Builder::new()
        .prefix(".walkforge-")
        .tempdir_in(to)
        .map_err(|source| StoreError::write(to, &source))?;
    let path = |name: &str| aside.path().join(name);
    torchscript::save(&module, &path(FILES.torchscript))?;
    torchscript::add_file(&path(FILES.torchscript), FEATURES_INSIDE, &inside(&manifest))?;
    let weights = std::fs::read(&stored).map_err(|source| StoreError::read(&stored, &source))?;
    write(&path(FILES.weights), &weights)?;
    write(&path(FILES.onnx), &onnx)?;
    write(&path(FILES.example), &json(&example))?;
    let (symbols, timeframes) = manifest.own_series();
    let experiment = manifest.experiment_on(&symbols, &timeframes);
    write(&path(FILES.experiment), experiment.to_ron().as_bytes())?;
    write(&path(FILES.readme), texts::readme(&manifest).as_bytes())?;
    write(&path(FILES.score), SCORE.as_bytes())?;
    for name in FILES.all().into_iter().filter(|name| *name != FILES.manifest) {
        let path = path(name);
        let bytes = std::fs::read(&path).map_err(|source| StoreError::read(&path, &source))?;
        manifest.files.insert(name.to_owned(), FileHash::of(&bytes));
    }
    write(&path(FILES.manifest), &json(&manifest))?;
    place::put_in_place(aside, folder).map_err(|source| StoreError::write(folder, &source).into())
}

impl FileHash {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let (blake3, sha256) = (ContentHash::of(bytes), sha256::hex(bytes));
        Self { bytes: bytes.len() as u64, blake3, sha256 }
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    write_atomically(path, |file| Ok(file.write_all(bytes)?))
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value)
        .expect("a manifest has only string keys and finite floats");
    text.push(b'\n');
    text
}

/// What somebody who has nothing but `model.pt` needs to know.
fn inside(manifest: &ExportManifest) -> Vec<u8> {
    json(&serde_json::json!({
        "about": manifest.about,
        "features": manifest.columns().collect::<Vec<_>>(),
        "window": manifest.window,
        "output": manifest.output.text,
    }))
}

fn onnx_texts(manifest: &ExportManifest) -> OnnxTexts {
    let columns: Vec<&str> = manifest.columns().collect();
    let columns = columns.join(",");
    OnnxTexts {
        about: format!(
            "{}. Output: {}. Features, in order: {columns}",
            manifest.about, manifest.output.text
        ),
        input: manifest.input.text.clone(),
        output: manifest.output.text.clone(),
        metadata: vec![
            ("features".to_owned(), columns),
            ("window".to_owned(), manifest.window.to_string()),
            ("label".to_owned(), manifest.label.name().to_owned()),
            ("run".to_owned(), manifest.lineage.run.to_string()),
            ("task".to_owned(), manifest.lineage.task.id.to_string()),
        ],
    }
}
