-- The feed by organisation, so that a reader never walks over what belongs to another one.
CREATE TABLE feed_by_organisation (
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    position {int} NOT NULL,
    event_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, org_id, position)
) {clustered};

INSERT INTO feed_by_organisation (tenant_id, org_id, position, event_id)
SELECT f.tenant_id, e.org_id, f.position, f.event_id FROM feed f JOIN event e ON e.id = f.event_id;

DROP TABLE feed;

ALTER TABLE feed_by_organisation RENAME TO feed;

-- postgres
ALTER INDEX feed_by_organisation_pkey RENAME TO feed_pkey;

CREATE UNIQUE INDEX feed_by_event ON feed (event_id);

-- postgres
ALTER TABLE feed_pending ADD COLUMN org_id UUID;

-- postgres
UPDATE feed_pending SET org_id = (SELECT e.org_id FROM event e WHERE e.id = event_id);

-- postgres
ALTER TABLE feed_pending ALTER COLUMN org_id SET NOT NULL;

-- How far retention has cleared an organisation's feed: the highest position that was removed, and whose it was. A
-- cursor at or behind it has missed nothing; one before it has.
CREATE TABLE feed_floor (
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    position {int} NOT NULL,
    event_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, org_id)
) {clustered};

-- For an event's own page, for replays of what failed, and for clearing out what has no event any more.
CREATE INDEX delivery_by_event ON delivery (event_id);

-- What replays still wait for: few rows, however much is replayed, and none of a fresh delivery.
CREATE INDEX delivery_replaying ON delivery (replay_id) WHERE state = 'pending' AND replay_id IS NOT NULL;

-- Past events sent again to one subscription. `last_position` is how far the feed was gone through: it is written in
-- the transaction that inserts the deliveries, so that a crash neither repeats nor misses one.
CREATE TABLE replay (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    subscription_id {uuid} NOT NULL,
    since {int} NOT NULL,
    until {int} NOT NULL,
    event_types TEXT NOT NULL,
    selection TEXT NOT NULL CHECK (selection IN ('all', 'failed', 'missed')),
    rate {int},
    state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'completed', 'cancelled')),
    reason TEXT,
    total {int} NOT NULL,
    queued {int} NOT NULL,
    last_position {int} NOT NULL,
    end_position {int} NOT NULL,
    paced_until {int} NOT NULL,
    requested_by {uuid} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    finished_at {int}
) {busy};

CREATE INDEX replay_by_tenant ON replay (tenant_id, org_id, id);

-- Where a sweep over a whole table goes on next time.
CREATE TABLE sweep (
    name TEXT NOT NULL PRIMARY KEY,
    position {bytes} NOT NULL
) {busy};

-- PostgreSQL keeps the widest tables by day, so that days are dropped whole. What there was becomes the partition of
-- the past, without being copied; the server cuts it off at the next day and adds the days to come.
-- postgres
ALTER TABLE event RENAME TO event_past;

-- postgres
ALTER INDEX event_by_entity RENAME TO event_past_by_entity;

-- postgres
ALTER INDEX event_pkey RENAME TO event_past_pkey;

-- postgres
CREATE TABLE event (LIKE event_past INCLUDING ALL) PARTITION BY RANGE (id);

-- postgres
ALTER INDEX event_entity_id_id_idx RENAME TO event_by_entity;

-- postgres
ALTER TABLE event ATTACH PARTITION event_past FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

-- postgres
ALTER TABLE attempt RENAME TO attempt_past;

-- postgres
ALTER INDEX attempt_pkey RENAME TO attempt_past_pkey;

-- postgres
CREATE TABLE attempt (LIKE attempt_past INCLUDING ALL) PARTITION BY RANGE (delivery_id);

-- postgres
ALTER TABLE attempt ATTACH PARTITION attempt_past FOR VALUES FROM (MINVALUE) TO (MAXVALUE);

-- postgres
ALTER TABLE inbox RENAME TO inbox_past;

-- postgres
ALTER INDEX inbox_by_connection RENAME TO inbox_past_by_connection;

-- postgres
ALTER INDEX inbox_pkey RENAME TO inbox_past_pkey;

-- postgres
CREATE TABLE inbox (LIKE inbox_past INCLUDING ALL) PARTITION BY RANGE (id);

-- postgres
ALTER INDEX inbox_connection_id_id_idx RENAME TO inbox_by_connection;

-- postgres
ALTER TABLE inbox ATTACH PARTITION inbox_past FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
