-- Which process takes from the backlog of an endpoint, and until when. It keeps the leases of what it takes in memory;
-- the rows of the deliveries go on waiting. Where one process has the store alone nothing stands here.
CREATE TABLE backlog_lease (
    subscription_id {uuid} NOT NULL PRIMARY KEY,
    holder {int} NOT NULL,
    ends_at {int} NOT NULL
) {clustered};

-- A row is changed with each part of the backlog that is taken.
-- postgres
ALTER TABLE backlog_lease SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);
