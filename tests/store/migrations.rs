//! An index of every older version is brought up to date with all that is in it.

use std::path::{Path, PathBuf};

use walkforge::domain::{RunId, TaskId};
use walkforge::runs::{ModelStage, RunFilter, RunIndex, RunStatus, check_index};

use crate::support::{copy, open, recorded, sqlite};

fn fixture(version: i64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/store/index-v{version}.sql"))
}

fn newest() -> i64 {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()));
    sqlite(root.path()).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// The schema alone, in words, to be compared.
fn schema(root: &Path) -> Vec<String> {
    let connection = sqlite(root);
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
        .unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let without_comments = |sql: String| -> String {
        let lines = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    };
    rows.map(|sql| without_comments(sql.unwrap())).collect()
}

#[test]
fn an_index_of_every_version_is_brought_up_to_date() {
    let newest = newest();
    assert!(fixture(newest).is_file(), "version {newest} needs tests/store/index-v{newest}.sql");
    for version in 1..=newest {
        let root = tempfile::tempdir().unwrap();
        sqlite(root.path())
            .execute_batch(&std::fs::read_to_string(fixture(version)).unwrap())
            .unwrap();
        for run in ["20260115-093000-mlp-return-5eed", "halted"] {
            copy(&recorded(), &root.path().join(run));
        }
        std::fs::remove_file(root.path().join("halted/outcome.json")).unwrap();
        // A reader alone does it too, and a program that only looks is told the same.
        let index = RunIndex::open(root.path()).unwrap();
        let runs = index.runs(&RunFilter::default()).unwrap();
        let found: Vec<_> = runs
            .iter()
            .map(|run| (run.id.as_str(), run.status, run.finished, run.failed, run.notes.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("halted", RunStatus::Interrupted, 1, 1, ""),
                ("20260115-093000-mlp-return-5eed", RunStatus::Finished, 2, 0, "of the index"),
            ],
            "version {version}"
        );
        assert_eq!(runs[1].tags, ["old", "gold"]);
        assert_eq!(runs[1].score.unwrap().hit_rate, Some(0.5));
        let halted = RunId::new("halted");
        let failed = (TaskId::new("SYN_A-1h-fold01"), "diverged".to_owned());
        assert_eq!(index.failures(&halted).unwrap(), [failed]);
        let curves = index.curves(&halted).unwrap();
        let curve = &curves[&TaskId::new("SYN_A-1h-fold00")];
        assert_eq!((curve.len(), curve[1].train_loss, curve[1].is_best), (2, 0.25, true));
        assert!(curve[0].gradient_norm.is_nan(), "what could not be a number");
        let model = index.model("gold").unwrap();
        assert_eq!((model.version, model.stage), (2, ModelStage::Champion));
        assert_eq!(index.log(&halted).unwrap().len(), 2);
        drop(open(root.path()));
        let fresh = tempfile::tempdir().unwrap();
        drop(open(fresh.path()));
        assert_eq!(schema(root.path()), schema(fresh.path()), "version {version}");
        let problems = check_index(root.path()).unwrap();
        assert!(
            problems.iter().all(|problem| problem.contains("its files are gone")),
            "{problems:?}"
        );
    }
}
