-- A catalogue file that somebody sent. `position` and `line` are where the first record stands that is not dealt with
-- yet: they are written in the transaction of the records before it, so that a crash neither repeats nor misses one.
CREATE TABLE catalogue_import (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    format TEXT NOT NULL CHECK (format IN ('csv', 'jsonl')),
    currency TEXT,
    dry_run {int} NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('uploading', 'running', 'paused', 'completed', 'cancelled')),
    source TEXT,
    idempotency_key TEXT,
    digest {bytes},
    size {int} NOT NULL,
    position {int} NOT NULL,
    line {int} NOT NULL,
    row_count {int} NOT NULL,
    created_count {int} NOT NULL,
    updated_count {int} NOT NULL,
    unchanged_count {int} NOT NULL,
    refused_count {int} NOT NULL,
    fault_count {int} NOT NULL,
    requested_by {uuid} NOT NULL,
    role TEXT NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    finished_at {int}
) {busy};

CREATE INDEX catalogue_import_by_tenant ON catalogue_import (tenant_id, org_id, id);

CREATE INDEX catalogue_import_by_update ON catalogue_import (updated_at);

CREATE UNIQUE INDEX catalogue_import_by_key ON catalogue_import (tenant_id, org_id, idempotency_key)
WHERE idempotency_key IS NOT NULL;

-- The file in pieces, in the store so that whichever copy goes on with it can read it.
CREATE TABLE import_piece (
    import_id {uuid} NOT NULL REFERENCES catalogue_import (id) ON DELETE CASCADE,
    position {int} NOT NULL,
    content {bytes} NOT NULL,
    PRIMARY KEY (import_id, position)
) {table};

-- SKUs that a file has named, with the line that named them first.
CREATE TABLE import_sku (
    import_id {uuid} NOT NULL REFERENCES catalogue_import (id) ON DELETE CASCADE,
    sku TEXT NOT NULL,
    line {int} NOT NULL,
    PRIMARY KEY (import_id, sku)
) {clustered};

-- What was wrong with rows, numbered in the order of the file.
CREATE TABLE import_fault (
    import_id {uuid} NOT NULL REFERENCES catalogue_import (id) ON DELETE CASCADE,
    number {int} NOT NULL,
    line {int} NOT NULL,
    field TEXT,
    reason TEXT NOT NULL,
    PRIMARY KEY (import_id, number)
) {clustered};
