-- What happened, written in the transaction of the change it tells of. Never updated.
CREATE TABLE event (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    role TEXT NOT NULL,
    type TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id {uuid} NOT NULL,
    occurred_at {int} NOT NULL,
    source TEXT NOT NULL,
    causation_id {uuid},
    payload {bytes} NOT NULL,
    withheld {bytes}
) {table};

CREATE INDEX event_by_entity ON event (entity_id, id);

-- Events in commit order. Positions are dense over all tenants and are taken under the lock of `feed_head`.
CREATE TABLE feed (
    tenant_id {uuid} NOT NULL,
    position {int} NOT NULL,
    event_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, position)
) {clustered};

CREATE UNIQUE INDEX feed_by_event ON feed (event_id);

CREATE TABLE feed_head (
    id {int} NOT NULL PRIMARY KEY CHECK (id = 1),
    position {int} NOT NULL
) {busy};

INSERT INTO feed_head (id, position) VALUES (1, 0);

-- Committed events that the sequencer has not numbered yet. Only where commits are out of order.
-- postgres
CREATE TABLE feed_pending (
    sequence {identity},
    tenant_id {uuid} NOT NULL,
    event_id {uuid} NOT NULL
) {busy};
