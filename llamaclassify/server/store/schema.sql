-- `number` is the order of arrival; `project` a digest of the key and the project's id; moments are whole
-- microseconds since 1970; `body` is what the API answers. A job has `ended` once its status is final.

CREATE TABLE files (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project BLOB NOT NULL,
    name TEXT NOT NULL,
    external_id TEXT,
    document TEXT NOT NULL,
    created INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX files_by_arrival ON files (project);
CREATE INDEX files_by_name ON files (project, name);
CREATE INDEX files_by_id ON files (project, id);
CREATE INDEX files_by_external_id ON files (project, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX files_by_age ON files (created);

CREATE TABLE configurations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project BLOB NOT NULL,
    name TEXT NOT NULL,
    product_type TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (project, name, product_type)
);
CREATE INDEX configurations_by_arrival ON configurations (project);

CREATE TABLE webhook_configurations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project BLOB NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    webhook TEXT NOT NULL
);
CREATE INDEX webhook_configurations_by_arrival ON webhook_configurations (project);

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project BLOB NOT NULL,
    status TEXT NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER,
    file_id TEXT NOT NULL,
    configuration_id TEXT,
    transaction_id TEXT,
    webhooks TEXT NOT NULL,
    pages INTEGER,
    body TEXT NOT NULL,
    type TEXT GENERATED ALWAYS AS (json_extract(body, '$.result.type')) VIRTUAL
);
CREATE INDEX jobs_by_type ON jobs (project, type) WHERE status = 'COMPLETED';
CREATE INDEX jobs_by_age ON jobs (project, created);
CREATE INDEX jobs_by_status ON jobs (project, status, created);
CREATE INDEX jobs_by_configuration ON jobs (project, configuration_id, created) WHERE configuration_id IS NOT NULL;
CREATE UNIQUE INDEX jobs_by_transaction ON jobs (project, transaction_id) WHERE transaction_id IS NOT NULL;
CREATE INDEX jobs_unfinished ON jobs (file_id) WHERE ended IS NULL;
CREATE INDEX jobs_by_end ON jobs (ended) WHERE ended IS NOT NULL;

CREATE TABLE classifier_jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project BLOB NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER,
    webhooks TEXT NOT NULL,
    configuration TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX classifier_jobs_by_arrival ON classifier_jobs (project);
CREATE INDEX classifier_jobs_by_end ON classifier_jobs (ended);

-- One file of a v1 job; `item` is what the API answers for it once it is done, `failure` why it has no result.
CREATE TABLE classifier_files (
    job INTEGER NOT NULL REFERENCES classifier_jobs (number) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    file_id TEXT NOT NULL,
    item TEXT,
    failure TEXT,
    PRIMARY KEY (job, place)
) WITHOUT ROWID;
CREATE INDEX classifier_files_unfinished ON classifier_files (file_id) WHERE item IS NULL;
