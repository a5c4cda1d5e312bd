-- Who buys. Contact data, notes and lifetime value are answered by the API and never leave in an event.
CREATE TABLE customer (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('individual', 'business')),
    status TEXT NOT NULL CHECK (status IN ('active', 'inactive', 'churned', 'at_risk', 'suspended')),
    first_name TEXT,
    last_name TEXT,
    company_name TEXT,
    email TEXT,
    -- In lower case: what is searched and compared.
    email_key TEXT,
    phone TEXT,
    notes TEXT,
    lifetime_minor {int},
    lifetime_currency TEXT,
    assigned_to {uuid},
    -- Tags and addresses as the members of one JSON object.
    details {bytes},
    version {int} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    deleted_at {int},
    erased_at {int},
    CHECK ((lifetime_minor IS NULL) = (lifetime_currency IS NULL))
) {table};

CREATE INDEX customer_by_tenant ON customer (tenant_id, org_id, id) WHERE deleted_at IS NULL;

CREATE INDEX customer_by_status ON customer (tenant_id, org_id, status, id) WHERE deleted_at IS NULL;

CREATE INDEX customer_by_assignee ON customer (tenant_id, org_id, assigned_to, id)
WHERE assigned_to IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX customer_by_email ON customer (tenant_id, org_id, email_key, id)
WHERE email_key IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX customer_by_update ON customer (tenant_id, org_id, updated_at, id) WHERE deleted_at IS NULL;

-- Words of a customer's names, in lower case.
CREATE TABLE customer_word (
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    word TEXT NOT NULL,
    customer_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, org_id, word, customer_id)
) {clustered};

-- Which customer of ours a buyer of a connected store is.
CREATE TABLE customer_reference (
    tenant_id {uuid} NOT NULL,
    connection_id {uuid} NOT NULL,
    external_id TEXT NOT NULL,
    customer_id {uuid} NOT NULL REFERENCES customer (id),
    created_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, external_id)
) {clustered};

CREATE INDEX customer_reference_by_customer ON customer_reference (customer_id);

-- Set at the import, by e-mail or by the buyer's id in the store; none for a guest without an e-mail.
ALTER TABLE sales_order ADD COLUMN customer_id {uuid};

CREATE INDEX sales_order_by_customer ON sales_order (customer_id, id) WHERE customer_id IS NOT NULL;

-- For erasing what was never linked. Small where the import links what it takes in.
CREATE INDEX sales_order_unlinked ON sales_order (tenant_id, org_id, lower(customer_email))
WHERE customer_id IS NULL AND customer_email IS NOT NULL;
