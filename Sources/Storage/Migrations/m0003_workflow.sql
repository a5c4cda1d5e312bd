-- Durable work. `next_at` is when it is due, or, while it is claimed, when the claim's lease ends: one index serves
-- both "due" and "abandoned", and work that is parked until later is never walked over.
CREATE TABLE workflow (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'completed', 'dead')),
    input {bytes} NOT NULL,
    next_at {int} NOT NULL,
    claim {int} NOT NULL,
    claims {int} NOT NULL,
    attempts {int} NOT NULL,
    outcome TEXT,
    reason TEXT,
    result_id {uuid},
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    CHECK ((state = 'pending') = (outcome IS NULL))
) {busy};

CREATE INDEX workflow_due ON workflow (kind, next_at) WHERE state = 'pending';

CREATE INDEX workflow_dead ON workflow (tenant_id, id) WHERE state = 'dead';

-- What a workflow has already done, so that it is not done again after a crash.
CREATE TABLE workflow_step (
    workflow_id {uuid} NOT NULL,
    name TEXT NOT NULL,
    output {bytes} NOT NULL,
    recorded_at {int} NOT NULL,
    PRIMARY KEY (workflow_id, name)
) {clustered};

-- Duties that recur. One copy of the server runs each at a time.
CREATE TABLE schedule (
    name TEXT NOT NULL PRIMARY KEY,
    next_at {int} NOT NULL,
    claim {int} NOT NULL
) {busy};
