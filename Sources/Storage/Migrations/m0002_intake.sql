-- A tenant's link to a store. `external_id` is the connection_id of the wire and belongs to one tenant only.
CREATE TABLE connection (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    external_id TEXT NOT NULL UNIQUE,
    provider TEXT NOT NULL,
    category TEXT NOT NULL CHECK (category IN ('commerce', 'accounting')),
    status TEXT NOT NULL CHECK (status IN ('active', 'paused', 'disconnected')),
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {table};

CREATE INDEX connection_by_tenant ON connection (tenant_id, org_id, id);

-- Inbound secrets, sealed. More than one is live while a rotation overlaps. No connection: the workspace's own secret.
CREATE TABLE inbound_secret (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    connection_id {uuid},
    sealed {bytes} NOT NULL,
    created_at {int} NOT NULL,
    expires_at {int}
) {table};

CREATE INDEX inbound_secret_by_connection ON inbound_secret (tenant_id, org_id, connection_id);

-- Which deliveries are known: 16 bytes of a digest over connection, event and body.
CREATE TABLE inbox_key (
    key {bytes} NOT NULL PRIMARY KEY,
    inbox_id {uuid} NOT NULL
) {clustered};

-- Signed inbound events as they came. Never updated: what became of one stands in the workflow of the same id.
CREATE TABLE inbox (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    connection_id {uuid} NOT NULL,
    connector TEXT NOT NULL,
    event TEXT NOT NULL,
    disposition TEXT NOT NULL CHECK (disposition IN ('import', 'ignored')),
    reason TEXT,
    received_at {int} NOT NULL,
    body {bytes} NOT NULL
) {table};

CREATE INDEX inbox_by_connection ON inbox (connection_id, id);
