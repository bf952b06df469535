use crate::domain::{Task, TaskRole};
use crate::runs::{RunFolder, StoreError};
use crate::spec::ExperimentSpec;

/// How a refit is trained: as the folds were, for the median of their best epochs, without anything to stop it early. Folds that did not finish have
/// no say.
pub(super) fn spec(
    task: &Task,
    spec: &ExperimentSpec,
    folder: &RunFolder,
) -> Result<ExperimentSpec, StoreError> {
    debug_assert_eq!(task.role, TaskRole::Refit, "of a refit");
    let mut best_epochs = Vec::new();
    for fold in &task.after {
        if let Some(metadata) = folder.metadata(fold)? {
            best_epochs.push(metadata.report.best_epoch);
        }
    }
    let mut spec = spec.clone();
    spec.training.max_epochs = median(best_epochs).unwrap_or(spec.training.max_epochs);
    spec.training.patience = None;
    Ok(spec)
}

/// The middle one; of an even number the upper of the two in the middle.
fn median(mut epochs: Vec<u32>) -> Option<u32> {
    epochs.sort_unstable();
    epochs.get(epochs.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_one_of_the_epochs() {
        for (epochs, expected) in
            [(vec![], None), (vec![4], Some(4)), (vec![9, 1, 5], Some(5)), (vec![2, 8], Some(8))]
        {
            assert_eq!(median(epochs), expected);
        }
    }
}
