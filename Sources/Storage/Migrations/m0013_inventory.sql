-- Places where stock lies. Each organisation has one default, made when it is first needed.
CREATE TABLE location (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    name TEXT NOT NULL,
    is_default {int} NOT NULL CHECK (is_default IN (0, 1)),
    version {int} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {table};

CREATE INDEX location_by_tenant ON location (tenant_id, org_id, id);

CREATE UNIQUE INDEX location_default ON location (tenant_id, org_id) WHERE is_default = 1;

-- How many pieces of a variant lie at a location, and how many of them orders have a claim to. Each number is the sum
-- of its ledger lines. A null threshold: the tenant's own holds.
CREATE TABLE inventory_level (
    id {uuid} NOT NULL UNIQUE,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    variant_id {uuid} NOT NULL REFERENCES variant (id),
    location_id {uuid} NOT NULL REFERENCES location (id),
    on_hand {int} NOT NULL,
    reserved {int} NOT NULL,
    low_stock_threshold {int},
    updated_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, variant_id, location_id)
) {busy};

CREATE INDEX inventory_level_by_tenant ON inventory_level (tenant_id, org_id, id);

CREATE INDEX inventory_level_by_location ON inventory_level (location_id, id);

-- Why each level is what it is. Never updated.
CREATE TABLE inventory_ledger (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    variant_id {uuid} NOT NULL,
    location_id {uuid} NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('adjustment', 'sale', 'return', 'transfer', 'sync', 'reservation')),
    on_hand_delta {int} NOT NULL,
    reserved_delta {int} NOT NULL,
    on_hand {int} NOT NULL,
    reserved {int} NOT NULL,
    order_id {uuid},
    transfer_id {uuid},
    note TEXT,
    user_id {uuid} NOT NULL,
    source TEXT NOT NULL,
    created_at {int} NOT NULL
) {table};

CREATE INDEX inventory_ledger_by_tenant ON inventory_ledger (tenant_id, org_id, id);

CREATE INDEX inventory_ledger_by_variant ON inventory_ledger (variant_id, id);

CREATE INDEX inventory_ledger_by_order ON inventory_ledger (order_id, id) WHERE order_id IS NOT NULL;

-- What a tenant has set for its stock; without a row the defaults hold.
CREATE TABLE inventory_setting (
    tenant_id {uuid} NOT NULL PRIMARY KEY,
    allocation TEXT NOT NULL CHECK (allocation IN ('HARD', 'SOFT')),
    low_stock_threshold {int} NOT NULL CHECK (low_stock_threshold >= 0),
    updated_at {int} NOT NULL
) {table};
