-- An index of version 2 with two runs, as that version wrote it.
PRAGMA application_id = 1464226377;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    experiment TEXT NOT NULL,
    spec TEXT NOT NULL,
    device TEXT NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER,
    outcome TEXT CHECK (outcome IN ('finished', 'failed', 'cancelled')),
    tasks INTEGER NOT NULL DEFAULT 0,
    finished INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    sweep TEXT,
    sweep_member TEXT,
    score TEXT,
    tags TEXT NOT NULL DEFAULT '[]',
    notes TEXT NOT NULL DEFAULT '',
    next_seq INTEGER NOT NULL DEFAULT 0,
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
    kept_from TEXT,
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

CREATE TABLE log (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    task TEXT,
    kind TEXT NOT NULL,
    message TEXT,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE broken (
    folder TEXT NOT NULL PRIMARY KEY,
    file TEXT NOT NULL,
    message TEXT NOT NULL,
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
CREATE TABLE model_names (
    name TEXT NOT NULL PRIMARY KEY,
    last_version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE tasks ADD COLUMN shape TEXT;
ALTER TABLE tasks ADD COLUMN train_rows INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tasks_by_shape ON tasks (shape, ended DESC) WHERE state = 'finished' AND kept_from IS NULL;
PRAGMA user_version = 2;
PRAGMA journal_mode = WAL;
INSERT INTO runs (id, name, experiment, spec, device, created, ended, outcome, score, tags, notes, next_seq) VALUES
    (1, '20260115-093000-mlp-return-5eed', 'mlp-return', '5158f66a61e792d4742e597574eae4d634edd9ab7323a44eb38cd532bfb78a15', 'cpu',
     1768469400000, 1768469460000, 'finished', '{"rows":10,"ic_ts":0.1,"rank_ic_ts":null,"hit_rate":0.5,"total_return":null,"sharpe":1.5,"max_drawdown":null,"turnover":2.0}',
     '["old","gold"]', 'of the index', 7);
INSERT INTO runs (id, name, experiment, spec, device, created, sweep, sweep_member, next_seq, owner_pid, owner_started, owner_boot) VALUES
    (2, 'halted', 'mlp-return', '5158f66a61e792d4742e597574eae4d634edd9ab7323a44eb38cd532bfb78a15', 'cuda:1', 1768469500000, 'sweep',
     '{"sweep":"sweep","variant":0,"variants":2,"settings":[{"path":"seed","value":"1"}]}', 9, 4000000, 12345, 'a boot long ago');
INSERT INTO tasks (id, run, name, position, key, state, ended, seconds, steps, epochs, peak, estimate, shape, train_rows) VALUES
    (1, 1, 'SYN_A-1h-fold00', 0, 'd28269bfac6e4bad0f36ae1c7e701c687e32e69d35f948eebf0ed79fdbede382', 'finished', 1768469450000, 1.5, 100, 2, 1000, 2000, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 500),
    (2, 1, 'SYN_A-1h-fold01', 1, 'd28269bfac6e4bad0f36ae1c7e701c687e32e69d35f948eebf0ed79fdbede383', 'finished', 1768469451000, 1.5, 100, 2, NULL, 2000, NULL, 0),
    (3, 2, 'SYN_A-1h-fold00', 0, 'd28269bfac6e4bad0f36ae1c7e701c687e32e69d35f948eebf0ed79fdbede382', 'finished', 1768469550000, 1.5, 100, 2, 1000, 2000, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 500);
INSERT INTO tasks (id, run, name, position, key, state, attempt, device, started, ended, failure, estimate) VALUES
    (4, 2, 'SYN_A-1h-fold01', 1, 'd28269bfac6e4bad0f36ae1c7e701c687e32e69d35f948eebf0ed79fdbede383', 'failed', 2, 'cuda:1', 1768469540000, 1768469551000, 'diverged', 2000);
INSERT INTO epochs VALUES (3, 1, 0.5, NULL, NULL, 0.001, NULL, 0.25, 0), (3, 2, 0.25, 0.5, 0.1, 0.001, 1.0, 0.25, 1);
INSERT INTO log VALUES (2, 0, 1768469500000, NULL, 'planned', NULL), (2, 1, 1768469551000, 'SYN_A-1h-fold01', 'failed', 'diverged');
INSERT INTO models VALUES ('gold', 1, 'archived', '20260115-093000-mlp-return-5eed', 'SYN_A-1h-fold00', 1768469470000, '[]', ''),
    ('gold', 2, 'champion', '20260115-093000-mlp-return-5eed', 'SYN_A-1h-fold01', 1768469480000, '["live"]', 'notes');
INSERT INTO model_names VALUES ('gold', 2);
