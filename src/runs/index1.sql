-- Version 1 of the index. Never change this file once it is released: add the next one instead.
-- Marks the file as ours: `WFRI`.
PRAGMA application_id = 1464226377;

CREATE TABLE runs (
    -- AUTOINCREMENT: a number is never used again, so that an event of a deleted run finds nothing.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- That of its folder.
    name TEXT NOT NULL UNIQUE,
    experiment TEXT NOT NULL,
    spec TEXT NOT NULL,
    device TEXT NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER,
    -- NULL while it has not ended.
    outcome TEXT CHECK (outcome IN ('finished', 'failed', 'cancelled')),
    -- Counted by the triggers below.
    tasks INTEGER NOT NULL DEFAULT 0,
    finished INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    sweep TEXT,
    sweep_member TEXT,
    score TEXT,
    tags TEXT NOT NULL DEFAULT '[]',
    notes TEXT NOT NULL DEFAULT '',
    next_seq INTEGER NOT NULL DEFAULT 0,
    -- All NULL where nobody runs it.
    owner_pid INTEGER,
    owner_started INTEGER,
    owner_boot TEXT
) STRICT;
CREATE INDEX runs_by_time ON runs (created DESC, name DESC);
CREATE INDEX runs_by_sweep ON runs (sweep) WHERE sweep IS NOT NULL;
CREATE INDEX runs_not_ended ON runs (id) WHERE outcome IS NULL;

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'queued', 'running', 'paused', 'finished', 'failed', 'cancelled')),
    attempt INTEGER NOT NULL DEFAULT 1,
    device TEXT,
    started INTEGER,
    ended INTEGER,
    failure TEXT,
    -- The task of another run whose result it took over.
    kept_from TEXT,
    -- Measured costs.
    seconds REAL,
    steps INTEGER,
    epochs INTEGER,
    peak INTEGER,
    estimate INTEGER NOT NULL,
    UNIQUE (run, name)
) STRICT;
CREATE INDEX tasks_finished ON tasks (key) WHERE state = 'finished';
CREATE INDEX tasks_failed ON tasks (run) WHERE state = 'failed';

CREATE TRIGGER task_added AFTER INSERT ON tasks BEGIN
    UPDATE runs SET tasks = tasks + 1, finished = finished + (new.state = 'finished'),
        failed = failed + (new.state = 'failed') WHERE id = new.run;
END;
CREATE TRIGGER task_moved AFTER UPDATE OF state ON tasks WHEN old.state <> new.state BEGIN
    UPDATE runs SET finished = finished + (new.state = 'finished') - (old.state = 'finished'),
        failed = failed + (new.state = 'failed') - (old.state = 'failed') WHERE id = new.run;
END;

-- A NaN is stored as NULL.
CREATE TABLE epochs (
    task INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    train_loss REAL,
    validation_loss REAL,
    monitor REAL,
    learning_rate REAL,
    gradient_norm REAL,
    seconds REAL,
    is_best INTEGER NOT NULL,
    PRIMARY KEY (task, epoch)
) STRICT, WITHOUT ROWID;

-- What happened, without what other tables have.
CREATE TABLE log (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    task TEXT,
    kind TEXT NOT NULL,
    message TEXT,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

-- Folders that look like runs and cannot be read.
CREATE TABLE broken (
    folder TEXT NOT NULL PRIMARY KEY,
    file TEXT NOT NULL,
    message TEXT NOT NULL,
    -- As it was then: it is read again once that changes.
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE models (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('candidate', 'champion', 'archived')),
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    registered INTEGER NOT NULL,
    tags TEXT NOT NULL DEFAULT '[]',
    notes TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_champion ON models (name) WHERE stage = 'champion';
CREATE INDEX models_by_run ON models (run);
-- A version's number is never given again, even after it was removed.
CREATE TABLE model_names (
    name TEXT NOT NULL PRIMARY KEY,
    last_version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
