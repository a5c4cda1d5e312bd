-- The replay that a delivery belongs to; null for one that an event caused when it happened.
ALTER TABLE delivery ADD COLUMN replay_id {uuid};

-- What a pending delivery waits for. 0: its time (`next_at`), or the end of its lease. 1: room at its endpoint, which
-- fetches it from here. 2: an earlier delivery of the same entity, where the subscription is ordered.
ALTER TABLE delivery ADD COLUMN held {int} NOT NULL DEFAULT 0 CHECK (held IN (0, 1, 2));

-- The entity within which an ordered subscription keeps the order; null where no order is kept.
ALTER TABLE delivery ADD COLUMN ordered_by {uuid};

-- Microseconds of name lookup, connecting, TLS, first byte and the whole call, separated by commas; empty where the
-- call never came to it.
ALTER TABLE attempt ADD COLUMN phases TEXT;

-- Claims look only at what waits for its time. What an endpoint can't take now lies outside, however much it is.
DROP INDEX delivery_due;

CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'pending' AND held = 0;

-- For an endpoint that fetches what was held back, oldest first, and for ending what a disabled one waits for.
DROP INDEX delivery_pending_by_subscription;

CREATE INDEX delivery_pending ON delivery (held, subscription_id, id) WHERE state = 'pending';

-- For finding what stands before and behind a delivery of the same entity.
CREATE INDEX delivery_ordered ON delivery (subscription_id, ordered_by, id)
    WHERE state = 'pending' AND ordered_by IS NOT NULL;

CREATE INDEX delivery_by_replay ON delivery (replay_id, id) WHERE replay_id IS NOT NULL;

-- Endpoints that failed so often in a row that only single deliveries are tried. No row: closed, the usual state.
CREATE TABLE breaker (
    subscription_id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'half_open')),
    trips {int} NOT NULL,
    opened_at {int} NOT NULL,
    next_at {int} NOT NULL
) {busy};

CREATE INDEX breaker_due ON breaker (next_at);
