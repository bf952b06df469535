use std::collections::BTreeMap;

use crate::spec::{ExperimentSpec, Monitor};
use crate::workbench::Waiting;

/// Experiments that have been started and are no runs yet.
#[derive(Debug, Default)]
pub(crate) struct Launches {
    /// Sent to the engine, which has not said a word of them yet.
    sent: usize,
    /// What waits or is being planned, as the engine told it last, in the order of starting.
    pub(crate) waiting: Vec<Waiting>,
    /// What experiments of these names watch; `None` where two of one name watch different things.
    monitors: BTreeMap<String, Option<Monitor>>,
    /// The next run that is planned is the one to look at: somebody has just pressed Start.
    pub(crate) follow_next: bool,
}

impl Launches {
    /// An experiment goes to the engine.
    pub(crate) fn send(&mut self, spec: &ExperimentSpec) {
        self.sent += 1;
        self.follow_next = true;
        let is_varied = spec.sweep.axes.iter().any(|axis| axis.path.starts_with("training"));
        let watches = (!is_varied).then_some(spec.training.monitor);
        let known = self.monitors.entry(spec.name.clone()).or_insert(watches);
        if *known != watches {
            *known = None;
        }
    }

    /// The engine told what waits.
    pub(crate) fn told(&mut self, waiting: Vec<Waiting>) {
        self.sent = 0;
        self.waiting = waiting;
    }

    /// One has become a run, or cannot.
    pub(crate) const fn answered(&mut self) {
        self.sent = self.sent.saturating_sub(1);
    }

    /// One cannot become a run: where it was the only one, there is no next run to look at.
    pub(crate) const fn nobody_to_follow(&mut self) {
        if self.sent + self.waiting.len() <= 1 {
            self.follow_next = false;
        }
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.sent + self.waiting.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What says which epoch of an experiment's runs is the best one, where that is known.
    pub(crate) fn monitor(&self, experiment: &str) -> Option<Monitor> {
        self.monitors.get(experiment).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{SweepAxis, load};

    #[test]
    fn what_was_sent_counts_until_the_engine_lists_it() {
        let mut launches = Launches::default();
        let spec = load("mlp-return").unwrap();
        launches.send(&spec);
        launches.send(&spec);
        assert_eq!(launches.len(), 2);
        let waiting = |number| Waiting {
            number,
            experiment: spec.name.clone(),
            sweep: None,
            priority: crate::domain::Priority::default(),
            is_planning: number == 0,
        };
        launches.told(vec![waiting(0), waiting(1), waiting(2)]);
        assert_eq!(launches.len(), 3, "one of them is a sweep");
        launches.answered();
        launches.told(Vec::new());
        assert!(launches.is_empty());
    }

    #[test]
    fn what_is_watched_is_known_only_where_all_of_a_name_agree() {
        let mut launches = Launches::default();
        let mut spec = load("mlp-return").unwrap();
        launches.send(&spec);
        assert_eq!(launches.monitor(&spec.name), Some(spec.training.monitor));
        let axis = SweepAxis {
            path: "training.monitor".to_owned(),
            values: vec!["Loss".to_owned(), "RankIc".to_owned()],
        };
        spec.sweep.axes.push(axis);
        launches.send(&spec);
        assert_eq!((launches.monitor(&spec.name), launches.monitor("other")), (None, None));
    }
}
