-- Version 2 of the index: what tasks cost is learnt by their shapes. Never change this file once it is released.
ALTER TABLE tasks ADD COLUMN shape TEXT;
ALTER TABLE tasks ADD COLUMN train_rows INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tasks_by_shape ON tasks (shape, ended DESC) WHERE state = 'finished' AND kept_from IS NULL;
