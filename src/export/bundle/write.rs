use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::example::Example;
use super::manifest::{ExportManifest, FILES, FileHash};
use super::texts;
use crate::dataset::SeriesScaler;
use crate::domain::Device;
use crate::export::onnx::{OnnxTexts, onnx};
use crate::export::{ExportError, torchscript};
use crate::models::Network;
use crate::runs::{Manifest, RunFolder, StoreError, TaskMetadata, read_weights, write_atomically};
use crate::spec::{ExperimentSpec, FeatureSpec};

const SCORE: &str = include_str!("score.py");
/// The file within `model.pt` that names its inputs, for `torch.jit.load(…, _extra_files={"features.json": ""})`.
const FEATURES_INSIDE: &str = "features.json";
/// What readers of protobuf take at most.
const LARGEST_ONNX: usize = i32::MAX as usize;

/// A model of a finished task, without files.
pub(super) struct Model {
    pub(super) network: Network,
    pub(super) manifest: ExportManifest,
    /// Where the weights are stored.
    weights: PathBuf,
}

impl Model {
    pub(super) fn of(
        (run, run_manifest, spec): (&RunFolder, &Manifest, &ExperimentSpec),
        (metadata, scaled): (&TaskMetadata, Option<&SeriesScaler>),
    ) -> Result<Self, ExportError> {
        let task = &metadata.task.id;
        if let Some(difference) = difference(spec, metadata) {
            let (path, task) = (run.spec_path(), task.clone());
            return Err(ExportError::SpecChanged { path, task, difference });
        }
        run.check_weights(&metadata.task, metadata)?;
        let weights = run.task(task).join("weights.safetensors");
        let mut design = metadata.design.clone();
        if let Some(own) = scaled {
            // While it learnt, its windows came scaled by the very numbers that it now applies itself.
            design.scaler = own.scaler.clone();
        }
        let manifest = ExportManifest::new((metadata, scaled), &design, (run_manifest, spec));
        let network = Network::from_weights(design, Device::Cpu, read_weights(&weights)?)
            .map_err(|source| ExportError::Network { task: task.clone(), source })?;
        Ok(Self { network, manifest, weights })
    }
}

/// Anybody can edit the run's specification, and a bundle says how its features are computed by it.
fn difference(spec: &ExperimentSpec, metadata: &TaskMetadata) -> Option<String> {
    let columns: Vec<String> = spec.features.iter().flat_map(FeatureSpec::columns).collect();
    if columns != metadata.features {
        let (now, then) = (columns.join(", "), metadata.features.join(", "));
        return Some(format!("its features are {now}, and were {then}"));
    }
    let then = metadata.design.input.window;
    (spec.window != then).then(|| format!("its window is {}, and was {then}", spec.window))
}

/// Builds one model of a finished task as a bundle in an empty folder.
pub(in crate::export) fn build(
    run: (&RunFolder, &Manifest, &ExperimentSpec),
    (metadata, scaled): (&TaskMetadata, Option<&SeriesScaler>),
    folder: &Path,
) -> Result<(), ExportError> {
    let task = &metadata.task.id;
    let torch = |source| ExportError::Torch { task: task.clone(), source };
    let Model { network, mut manifest, weights } = Model::of(run, (metadata, scaled))?;
    let module = torchscript::trace(&network).map_err(torch)?;
    if let Some((batch, difference)) =
        torchscript::first_mismatch(&network, &module).map_err(torch)?
    {
        return Err(ExportError::Mismatch { task: task.clone(), batch, difference });
    }
    let example = Example::of(&network).map_err(torch)?;
    let onnx = onnx(&network, onnx_texts(&manifest)).map_err(torch)?;
    if onnx.len() > LARGEST_ONNX {
        return Err(ExportError::TooLarge { task: task.clone() });
    }

    let path = |name: &str| folder.join(name);
    torchscript::save(&module, &path(FILES.torchscript))?;
    torchscript::add_file(&path(FILES.torchscript), FEATURES_INSIDE, &inside(&manifest))?;
    let weights = std::fs::read(&weights).map_err(|source| StoreError::read(&weights, &source))?;
    write(&path(FILES.weights), &weights)?;
    write(&path(FILES.onnx), &onnx)?;
    write(&path(FILES.example), &json(&example))?;
    write(&path(FILES.experiment), manifest.own_experiment().to_ron().as_bytes())?;
    write(&path(FILES.readme), texts::readme(&manifest).as_bytes())?;
    write(&path(FILES.score), SCORE.as_bytes())?;
    for name in FILES.all().into_iter().filter(|name| *name != FILES.manifest) {
        let path = path(name);
        let bytes = std::fs::read(&path).map_err(|source| StoreError::read(&path, &source))?;
        manifest.files.insert(name.to_owned(), FileHash::of(&bytes));
    }
    Ok(write(&path(FILES.manifest), &json(&manifest))?)
}

impl FileHash {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: format!("{:x}", Sha256::digest(bytes)) }
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
