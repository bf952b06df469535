use std::collections::BTreeSet;

use crate::domain::{RunId, SweepId};
use crate::runs::{RunEntry, RunResults};

/// Stored runs and the one looked at.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// Newest first.
    pub(crate) stored: Vec<RunEntry>,
    /// The run asked for.
    pub(crate) wanted: Option<RunId>,
    /// What is shown.
    pub(crate) loaded: Option<Box<RunResults>>,
    /// The user chose the run; a newer one does not take its place by itself.
    pub(crate) chosen: bool,
    /// Folders that cannot be read and have been told of.
    pub(crate) told_broken: BTreeSet<String>,
    /// Why the run asked for cannot be shown.
    pub(crate) error: Option<String>,
    /// Counts the lists told: what was made from an older one is made anew.
    pub(crate) generation: u64,
    /// The list has been told at least once.
    pub(crate) is_listed: bool,
    /// A list was asked for and has not been told, and whether another is wanted after it.
    asked: Option<bool>,
    /// Counts the lists asked for.
    lists_asked: u64,
    /// What words are looked for in, of each stored run.
    pub(crate) searched: Vec<String>,
    /// Sweeps whose end has been told.
    pub(crate) told_sweeps: BTreeSet<SweepId>,
}

impl Results {
    /// Whether the engine has to be asked for a list: one is under way at a time, however many runs begin and end.
    pub(crate) fn want_list(&mut self) -> bool {
        if let Some(again) = &mut self.asked {
            *again = true;
            return false;
        }
        self.asked = Some(false);
        self.lists_asked += 1;
        true
    }

    /// The number of the next list that is asked for.
    pub(crate) const fn next_list(&self) -> u64 {
        self.lists_asked + 1
    }

    /// Whether the list at hand is this one or a later one.
    pub(crate) const fn has_list(&self, number: u64) -> bool {
        let answered = if self.asked.is_some() { self.lists_asked - 1 } else { self.lists_asked };
        answered >= number
    }

    /// Whether a list that comes now was not asked for: another program has changed something.
    pub(crate) const fn is_unasked(&self) -> bool {
        self.asked.is_none()
    }

    /// Takes a list. Whether another has been wanted since it was asked for.
    pub(crate) fn listed(&mut self, runs: Vec<RunEntry>, searched: Vec<String>) -> bool {
        (self.stored, self.searched) = (runs, searched);
        self.generation += 1;
        self.is_listed = true;
        self.asked.take() == Some(true)
    }

    /// No list could be made.
    pub(crate) const fn not_listed(&mut self) {
        self.asked = None;
    }

    pub(crate) fn entry(&self, run: &RunId) -> Option<&RunEntry> {
        self.stored.iter().find(|entry| entry.id == *run)
    }

    /// The runs of a sweep that are stored, in the order of its variants.
    pub(crate) fn of_sweep(&self, sweep: &SweepId) -> Vec<&RunEntry> {
        let variant = |entry: &&RunEntry| entry.sweep.as_ref().map(|member| member.variant);
        let is_in =
            |entry: &&RunEntry| entry.sweep.as_ref().is_some_and(|member| member.sweep == *sweep);
        let mut runs: Vec<&RunEntry> = self.stored.iter().filter(is_in).collect();
        runs.sort_by_key(variant);
        runs
    }

    /// Takes what was loaded, unless another run has been asked for since.
    pub(crate) fn take(&mut self, run: &RunId, results: Result<Box<RunResults>, String>) {
        if self.wanted.as_ref() != Some(run) {
            return;
        }
        match results {
            Ok(results) => (self.loaded, self.error) = (Some(results), None),
            Err(message) => (self.loaded, self.error) = (None, Some(message)),
        }
    }
}
