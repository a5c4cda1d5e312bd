-- How the attempts of a minute ended, for judging an endpoint by its last hours. Each process counts in rows of its own
-- (`writer`), so that copies of the server never wait for each other over a busy endpoint.
CREATE TABLE endpoint_minute (
    subscription_id {uuid} NOT NULL,
    minute {int} NOT NULL,
    writer {int} NOT NULL,
    attempts {int} NOT NULL,
    failures {int} NOT NULL,
    succeeded_at {int},
    PRIMARY KEY (subscription_id, minute, writer)
) {clustered};

-- For removing what no window reaches any more.
CREATE INDEX endpoint_minute_by_age ON endpoint_minute (minute);

-- A row is changed as often as its process commits within the minute.
-- postgres
ALTER TABLE endpoint_minute SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01);

-- Whether `webhook.failing` was raised for this opening; `webhook.recovered` then follows.
ALTER TABLE breaker ADD COLUMN is_told {int} NOT NULL DEFAULT 0;
