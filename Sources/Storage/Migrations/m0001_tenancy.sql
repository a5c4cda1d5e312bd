-- Who may do what. Tenants and organisations come into being with the first valid token that names them.
CREATE TABLE tenant (
    id {uuid} NOT NULL PRIMARY KEY,
    created_at {int} NOT NULL
) {table};

CREATE TABLE organisation (
    tenant_id {uuid} NOT NULL REFERENCES tenant (id),
    id {uuid} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, id)
) {clustered};

-- A key is kept as a SHA-256 of its text: it is 32 random bytes, so nothing slower is needed.
CREATE TABLE api_key (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('admin', 'member', 'viewer')),
    label TEXT NOT NULL,
    digest {bytes} NOT NULL UNIQUE,
    created_at {int} NOT NULL,
    revoked_at {int}
) {table};

CREATE INDEX api_key_by_tenant ON api_key (tenant_id, id);

-- The stored answer of a POST that named an Idempotency-Key. A null status: the first call is still running.
CREATE TABLE idempotency (
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    name TEXT NOT NULL,
    digest {bytes} NOT NULL,
    status {int},
    content_type TEXT,
    answer {bytes},
    created_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, org_id, name)
) {clustered};

CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- Counters that are written to prove something: that the store commits, for one.
CREATE TABLE revision (
    name TEXT NOT NULL PRIMARY KEY,
    value {int} NOT NULL
) {busy};
