//! What the read side answers.

use walkforge::domain::{RunId, RunOutcome, Setting, SweepId, SweepMember};
use walkforge::runs::{Manifest, RunFilter, RunIndex, RunStatus, StoreError, annotate_run};

use crate::support::{create, end, finished, id, interrupted, open, plan, spec};

#[test]
fn runs_are_found_by_words_status_sweep_and_number() {
    let root = tempfile::tempdir().unwrap();
    let ended = id(&finished(root.path()));
    let halted = id(&interrupted(root.path(), 1));
    let store = open(root.path());
    let member = SweepMember {
        sweep: SweepId::new("sweep"),
        variant: 1,
        variants: 3,
        settings: vec![Setting {
            path: "training.learning_rate".to_owned(),
            value: "0.01".to_owned(),
        }],
    };
    let (swept, folder, log) = store.create(&spec(), &plan(), Some(&member)).unwrap();
    annotate_run(root.path(), &ended, &["Über".to_owned(), "gold".to_owned()], "the GOOD one")
        .unwrap();
    let index = RunIndex::open(root.path()).unwrap();
    let ids = |filter: RunFilter| -> Vec<RunId> {
        index.runs(&filter).unwrap().into_iter().map(|entry| entry.id).collect()
    };
    let all = RunFilter::default();
    let sorted = ids(all.clone());
    assert_eq!(sorted.len(), 3);
    assert_eq!(sorted[0], swept, "the newest first");
    assert_eq!(ids(RunFilter { limit: Some(2), ..all.clone() }), sorted[..2]);
    for (text, fitting) in [
        ("good über", vec![ended.clone()]),
        ("GOLD", vec![ended.clone()]),
        (swept.as_str(), vec![swept.clone()]),
        ("gold nothing", vec![]),
        ("tag:gold -status:failed", vec![ended.clone()]),
        ("training.learning_rate=0.01", vec![swept.clone()]),
        ("  ", sorted.clone()),
    ] {
        assert_eq!(
            ids(RunFilter { query: text.parse().unwrap(), ..all.clone() }),
            fitting,
            "{text}"
        );
    }
    for (status, fitting) in [
        (RunStatus::Finished, vec![ended.clone()]),
        (RunStatus::Interrupted, vec![halted]),
        (RunStatus::Running, vec![swept.clone()]),
        (RunStatus::Failed, vec![]),
    ] {
        assert_eq!(ids(RunFilter { status: Some(status), ..all.clone() }), fitting, "{status:?}");
    }
    let of_sweep = RunFilter { sweep: Some(member.sweep.clone()), ..all.clone() };
    assert_eq!(ids(of_sweep), std::slice::from_ref(&swept));
    let entry = index.runs(&RunFilter { limit: Some(1), ..all }).unwrap().remove(0);
    assert_eq!(entry.sweep.as_ref(), Some(&member));
    assert_eq!(folder.manifest().unwrap().sweep, Some(member));
    assert_eq!(entry.path, folder.path());
    end(&folder, &log, RunOutcome::Cancelled).unwrap();
    let cancelled = RunFilter { status: Some(RunStatus::Cancelled), ..RunFilter::default() };
    assert_eq!(ids(cancelled), [swept]);
}

#[test]
fn a_run_is_found_by_the_start_of_its_name() {
    let root = tempfile::tempdir().unwrap();
    let [one, other] = [interrupted(root.path(), 0), interrupted(root.path(), 0)];
    for (folder, name) in [(&one, "alpha-1"), (&other, "alpha-2")] {
        std::fs::rename(folder.path(), root.path().join(name)).unwrap();
    }
    let index = RunIndex::open(root.path()).unwrap();
    assert_eq!(index.find("alpha-1").unwrap().path(), root.path().join("alpha-1"));
    let error = index.find("alpha").unwrap_err();
    assert!(
        matches!(&error, StoreError::AmbiguousRun { fitting, .. } if fitting.contains("alpha-2"))
    );
    for unknown in ["beta", "", "%", "lpha-1"] {
        let error = index.find(unknown).unwrap_err();
        assert!(
            matches!(error, StoreError::UnknownRun { .. } | StoreError::AmbiguousRun { .. }),
            "{unknown}: {error}"
        );
    }
    assert!(matches!(index.find("").unwrap_err(), StoreError::UnknownRun { .. }));
}

#[test]
fn the_manifest_says_by_what_and_of_what_the_run_was_made() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let (_, folder, _) = create(&store);
    let manifest = folder.manifest().unwrap();
    let Manifest { schema, build, seed, owner, libtorch, walkforge, .. } = &manifest;
    assert_eq!((*schema, *seed), (2, Some(spec().seed)));
    assert!(!libtorch.is_empty() && walkforge == env!("CARGO_PKG_VERSION"));
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    assert_eq!(build.as_ref().unwrap().profile, profile);
    assert!(owner.as_ref().unwrap().is_this_process());
    assert_eq!(manifest.plan, plan());
    let json = serde_json::to_value(&manifest).unwrap();
    for place in
        ["/plan/series/0/data", "/plan/tasks/0/seed", "/plan/threads_per_task", "/plan/device"]
    {
        assert!(json.pointer(place).is_some(), "{place}");
    }
}
