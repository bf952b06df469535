use std::sync::Arc;

use parking_lot::Mutex;

use super::PlanError;
use super::load::Sources;
use super::origins::Origins;
use super::preview::LoadKey;
use crate::dataset::Series;
use crate::domain::Cancel;
use crate::spec::ExperimentSpec;

/// The series of the experiment that was looked at last, shared by whoever plans or looks: what is costly to find out is found out once.
///
/// At most one experiment's: the features, labels and times of every chosen series, about 4 bytes for each bar and feature and 53 more for
/// each bar. For 62 symbols of 6,000 bars and 13 features that is 39 MB, kept beside what a run has loaded for itself.
#[derive(Default)]
pub(super) struct SeriesCache {
    /// Locked while files are read: whoever else wants series waits, and mostly finds just those.
    loaded: Mutex<Option<Loaded>>,
}

struct Loaded {
    key: LoadKey,
    series: Vec<Arc<Series>>,
    origins: Origins,
}

impl SeriesCache {
    /// The experiment's series: those at hand where nothing that decides them has changed, else read anew.
    pub(super) fn series(
        &self,
        spec: &ExperimentSpec,
        sources: &Sources<'_>,
        cancel: &Cancel,
    ) -> Result<(Vec<Arc<Series>>, Origins), PlanError> {
        // Looked at before the files are read: one that changes meanwhile is read again the next time.
        let key = LoadKey::new(spec, sources);
        let mut kept = self.loaded.lock();
        if let (Some(key), Some(loaded)) = (&key, &*kept)
            && *key == loaded.key
        {
            return Ok((loaded.series.clone(), loaded.origins.clone()));
        }
        // Given up while it waited: what is at hand may be what the next one asks for.
        if cancel.is_cancelled() {
            return Err(PlanError::Cancelled);
        }
        // Before others are read, so that there are never two.
        *kept = None;
        let (series, origins) = sources.read(spec, cancel)?;
        let (kept_series, kept_origins) = (series.clone(), origins.clone());
        *kept = key.map(|key| Loaded { key, series: kept_series, origins: kept_origins });
        Ok((series, origins))
    }

    /// Gives the memory back, but for what somebody else holds.
    pub(super) fn forget(&self) {
        *self.loaded.lock() = None;
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.loaded.lock().is_none()
    }
}
