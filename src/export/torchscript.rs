use std::io::Write;
use std::path::Path;

use tch::{CModule, Kind, Tensor};

use crate::models::{InputShape, Network};
use crate::runs::StoreError;
use crate::torch::TorchError;

/// Largest absolute difference between the network and its exported module.
pub const TOLERANCE: f64 = 1e-5;

/// Batch sizes at which the exported module is checked: a traced graph must not have one baked in.
const CHECKED_BATCHES: [i64; 3] = [1, 3, 257];

/// The network as a TorchScript module: `forward(raw windows [batch, window, features] f32) -> predictions [batch] f32`, scaler and output
/// unit inside, any batch size. The network must be one that learns no more ([`Network::from_weights`]), on the CPU.
///
/// # Errors
/// When libtorch cannot trace it.
pub fn trace(network: &Network) -> Result<CModule, TorchError> {
    let _no_grad = tch::no_grad_guard();
    let example = windows(network, 2)?;
    let mut failure = None;
    let mut module =
        CModule::create_by_tracing("WalkforgeModel", "forward", &[example], &mut |inputs| {
            // Tracing must be ended even when this fails, so that the thread can trace again.
            let output = network.predict(&inputs[0]);
            vec![output.unwrap_or_else(|error| {
                failure = Some(error);
                inputs[0].shallow_clone()
            })]
        })?;
    if let Some(error) = failure {
        return Err(error);
    }
    module.f_set_eval()?;
    Ok(module)
}

/// The first batch size at which module and network differ by more than [`TOLERANCE`], and by how much.
pub(super) fn first_mismatch(
    network: &Network,
    module: &CModule,
) -> Result<Option<(i64, f64)>, TorchError> {
    let _no_grad = tch::no_grad_guard();
    for batch in CHECKED_BATCHES {
        let input = windows(network, batch)?;
        let expected = network.predict(&input)?;
        let exported = module.forward_ts(&[&input])?;
        let difference = (exported.f_sub(&expected)?).f_abs()?.f_max()?.f_double_value(&[])?;
        // A NaN is a mismatch too.
        if difference.is_nan() || difference > TOLERANCE {
            return Ok(Some((batch, difference)));
        }
    }
    Ok(None)
}

/// Deterministic windows around the train rows' mean, within two standard deviations: realistic in scale, different in every cell.
pub(super) fn windows(network: &Network, batch: i64) -> Result<Tensor, TorchError> {
    let design = network.design();
    let InputShape { window, features } = design.input;
    let row = |values: &[f64]| Tensor::f_from_slice(values)?.f_view([1, 1, i64::from(features)]);
    let cells = batch * design.input.flat();
    let phase =
        Tensor::f_arange(cells, (Kind::Double, tch::Device::Cpu))?.f_mul_scalar(0.618_034)?;
    let spread = phase.f_sin()?.f_mul_scalar(2.0)?;
    Ok(spread
        .f_view([batch, i64::from(window), i64::from(features)])?
        .f_mul(&row(design.scaler.scale())?)?
        .f_add(&row(design.scaler.mean())?)?
        .f_to_kind(Kind::Float)?)
}

/// Saves the module to a file that nobody reads yet.
pub(super) fn save(module: &CModule, path: &Path) -> Result<(), StoreError> {
    module.save(path).map_err(|source| StoreError::write(path, &source))
}

/// Adds a file to a saved module, where PyTorch's `_extra_files` finds it. tch saves none, but a module is a zip archive.
pub(super) fn add_file(module: &Path, name: &str, content: &[u8]) -> Result<(), StoreError> {
    let attempt = || -> Result<(), Box<dyn std::error::Error>> {
        let file = std::fs::OpenOptions::new().read(true).write(true).open(module)?;
        let mut archive = zip::ZipWriter::new_append(file)?;
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        // PyTorch calls the folder within after the file.
        let inside = module.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        archive.start_file(format!("{inside}/extra/{name}"), stored)?;
        archive.write_all(content)?;
        archive.finish()?.sync_all()?;
        Ok(())
    };
    attempt().map_err(|source| StoreError::write(module, &source))
}
