-- What callers changed of the installation itself: who, what, and how it stood before and after. Secrets and contact
-- data are not in it. Ids carry their time, by which old rows are removed.
CREATE TABLE audit (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    user_id {uuid} NOT NULL,
    role TEXT NOT NULL,
    -- The key that the caller had; null for a token.
    api_key_id {uuid},
    request_id TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    resource TEXT NOT NULL,
    resource_id TEXT,
    state_before TEXT,
    state_after TEXT,
    created_at {int} NOT NULL
) {table};

CREATE INDEX audit_by_tenant ON audit (tenant_id, org_id, id);

CREATE INDEX audit_by_resource ON audit (tenant_id, org_id, resource, id);

CREATE INDEX audit_by_user ON audit (tenant_id, org_id, user_id, id);
