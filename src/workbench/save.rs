//! What a task leaves on disk once it is trained.

use super::run::Run;
use super::task::TaskOutput;
use crate::domain::{Task, TaskRole};
use crate::runs::{StoreError, TaskMetadata, write_history, write_predictions, write_weights};

impl Run {
    /// Writes weights, curve, predictions and, last, what vouches for them.
    ///
    /// # Errors
    /// When one of the files cannot be written.
    pub(super) fn save(&self, task: &Task, output: &TaskOutput) -> Result<(), StoreError> {
        let path = self.folder.create_task(&task.id)?;
        // What an earlier attempt left must not vouch for files of this one.
        self.folder.remove_metadata(&task.id)?;
        let weights = path.join("weights.safetensors");
        let weights_hash = Some(write_weights(&weights, output.network.parameters())?);
        write_history(&path.join("history.parquet"), &output.history)?;
        if task.role == TaskRole::Fold {
            let predictions = path.join("predictions.parquet");
            write_predictions(&predictions, task.fold.index, &output.predictions)?;
        }
        self.folder.write_metadata(&TaskMetadata {
            task: task.clone(),
            design: output.network.design().clone(),
            features: self.prepared.plan.features.clone(),
            label: self.prepared.spec.label,
            weights: self.prepared.spec.weights,
            dead_zone: output.dead_zone,
            series_scalers: output.series_scalers.clone(),
            weights_hash,
            report: output.report.clone(),
        })
    }
}
