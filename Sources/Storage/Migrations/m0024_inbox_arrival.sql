-- Deduplication keys that are not in inbox_key yet, in the order in which they came. The writer holds them sorted in
-- memory too, and reads them from here when it starts. PostgreSQL, whose copies share no memory, has no such tables.
-- sqlite
CREATE TABLE inbox_arrival (
    position {identity},
    key {bytes} NOT NULL,
    inbox_id {uuid} NOT NULL
) {table};

-- One row: the walk over those keys that moves them into inbox_key. Of the arrivals up to `bound`, keys up to `start`
-- are there; of those up to `moved`, all.
-- sqlite
CREATE TABLE inbox_key_walk (
    start {bytes} NOT NULL,
    bound {int} NOT NULL,
    moved {int} NOT NULL
) {table};

-- sqlite
INSERT INTO inbox_key_walk (start, bound, moved) VALUES (x'', 0, 0);
