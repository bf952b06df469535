//! A store with as many runs as years of use leave.

use std::path::Path;

use anyhow::Result;
use rusqlite::Connection;
use walkforge::domain::Plan;
use walkforge::runs::{Manifest, RunStore};

/// How much there is to look through.
pub struct Size {
    pub runs: i64,
    pub tasks_per_run: i64,
    pub epochs_per_task: i64,
}

/// A run whose plan the others borrow.
pub fn plan() -> Result<Plan> {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pictures/runs/20260115-093000-mlp-return-5eed/manifest.json");
    let manifest: Manifest = serde_json::from_slice(&std::fs::read(recorded)?)?;
    Ok(manifest.plan)
}

/// Fills a store as if it had been in use for years. Written by SQL: recording each run would take hours.
pub fn fill(root: &Path, size: &Size) -> Result<()> {
    drop(RunStore::open(root, |_| {})?);
    for run in 0..size.runs {
        std::fs::create_dir(root.join(name(run)))?;
    }
    let connection = Connection::open(root.join("index.sqlite3"))?;
    // Only for the filling: the store itself never does without.
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    let Size { runs, tasks_per_run, epochs_per_task } = size;
    let counting = |name: &str, count: i64| {
        format!(
            "RECURSIVE {name} (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM {name} WHERE n + 1 < {count})"
        )
    };
    let spec = plan()?.spec;
    connection.execute_batch(&format!(
        r#"BEGIN;
        WITH {counting_runs}
        INSERT INTO runs (name, experiment, spec, device, created, ended, outcome, score, tags, notes)
        SELECT printf('run-%06d', n), printf('strategy-%d', n % 37), '{spec}', 'cuda:0', 1700000000000 + n * 60000,
            1700000000000 + n * 60000 + 30000, iif(n % 9 = 0, 'failed', 'finished'),
            printf('{{"rows":2500,"ic_ts":%.6f,"rank_ic_ts":0.04,"hit_rate":0.51,"total_return":0.12,"sharpe":%.4f,
                "max_drawdown":0.08,"turnover":120.5}}', (n % 100) / 1000.0, (n % 300) / 100.0),
            iif(n % 50 = 0, '["gold","weekly"]', '[]'), iif(n % 100 = 0, 'worth another look', '')
        FROM runs_counted;
        WITH {counting_tasks}
        INSERT INTO tasks (run, name, position, key, state, ended, seconds, steps, epochs, estimate)
        SELECT runs.id, printf('SYN_A-1h-fold%02d', n), n, printf('%064x', runs.id * 1000 + n), 'finished',
            runs.ended, 12.5, 4000, {epochs_per_task}, 9000000
        FROM runs CROSS JOIN tasks_counted ORDER BY runs.id, n;
        WITH {counting_epochs}
        INSERT INTO epochs
        SELECT tasks.id, n + 1, 1.0 / (n + 1), 1.1 / (n + 1), NULL, 0.001, 0.5, 0.1, n % 7 = 0
        FROM tasks CROSS JOIN epochs_counted ORDER BY tasks.id, n;
        COMMIT;
        PRAGMA journal_mode = WAL;"#,
        counting_runs = counting("runs_counted", *runs),
        counting_tasks = counting("tasks_counted", *tasks_per_run),
        counting_epochs = counting("epochs_counted", *epochs_per_task),
    ))?;
    Ok(())
}

pub fn name(run: i64) -> String {
    format!("run-{run:06}")
}
