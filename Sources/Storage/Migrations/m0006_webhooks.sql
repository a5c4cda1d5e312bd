CREATE TABLE subscription (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    url TEXT NOT NULL,
    event_types TEXT NOT NULL,
    profile TEXT NOT NULL,
    payload_mode TEXT NOT NULL CHECK (payload_mode IN ('full', 'thin')),
    headers {bytes},
    description TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    status_reason TEXT,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {table};

CREATE INDEX subscription_by_tenant ON subscription (tenant_id, org_id, id);

CREATE TABLE subscription_secret (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    subscription_id {uuid} NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    sealed {bytes} NOT NULL,
    created_at {int} NOT NULL,
    expires_at {int}
) {table};

CREATE INDEX subscription_secret_by_subscription ON subscription_secret (subscription_id);

-- One event for one subscription. `next_at` is when the next attempt is due, or when the running one's lease ends.
CREATE TABLE delivery (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    subscription_id {uuid} NOT NULL,
    event_id {uuid} NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed', 'skipped')),
    reason TEXT,
    attempts {int} NOT NULL,
    next_at {int} NOT NULL,
    claim {int} NOT NULL,
    created_at {int} NOT NULL,
    finished_at {int},
    CHECK ((state = 'pending') = (finished_at IS NULL))
) {busy};

CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'pending';

CREATE INDEX delivery_by_subscription ON delivery (subscription_id, id);

-- For ending what a disabled subscription still waits for.
CREATE INDEX delivery_pending_by_subscription ON delivery (subscription_id) WHERE state = 'pending';

-- One HTTP call. Never updated.
CREATE TABLE attempt (
    delivery_id {uuid} NOT NULL,
    number {int} NOT NULL,
    tenant_id {uuid} NOT NULL,
    started_at {int} NOT NULL,
    duration_us {int} NOT NULL,
    status {int},
    error_class TEXT,
    detail TEXT,
    request_headers {bytes} NOT NULL,
    response_headers {bytes},
    response_body {bytes},
    PRIMARY KEY (delivery_id, number)
) {clustered};
