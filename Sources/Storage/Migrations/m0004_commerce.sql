CREATE TABLE product (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    category TEXT,
    status TEXT NOT NULL CHECK (status IN ('draft', 'active', 'inactive', 'discontinued')),
    version {int} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    deleted_at {int}
) {table};

CREATE INDEX product_by_tenant ON product (tenant_id, org_id, id);

CREATE TABLE variant (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    product_id {uuid} NOT NULL REFERENCES product (id),
    sku TEXT,
    barcode TEXT,
    title TEXT,
    price_minor {int},
    currency TEXT,
    version {int} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    CHECK ((price_minor IS NULL) = (currency IS NULL))
) {table};

CREATE UNIQUE INDEX variant_by_sku ON variant (tenant_id, sku);

-- For telling a SKU that two variants differ in by case only.
CREATE INDEX variant_by_folded_sku ON variant (tenant_id, lower(sku));

CREATE INDEX variant_by_product ON variant (product_id, id);

-- Which of our variants an item of a connected store is.
CREATE TABLE variant_mapping (
    tenant_id {uuid} NOT NULL,
    connection_id {uuid} NOT NULL,
    external_id TEXT NOT NULL,
    variant_id {uuid} NOT NULL REFERENCES variant (id),
    created_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, external_id)
) {clustered};

-- `idempotency_key` is the connection and the source's order id, or what the caller of the API gave.
CREATE TABLE sales_order (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    idempotency_key TEXT NOT NULL,
    connection_id {uuid},
    external_id TEXT,
    channel TEXT NOT NULL,
    source_platform TEXT NOT NULL,
    status TEXT NOT NULL,
    source_status TEXT,
    currency TEXT NOT NULL,
    subtotal_minor {int} NOT NULL,
    discount_minor {int} NOT NULL,
    shipping_minor {int} NOT NULL,
    tax_minor {int} NOT NULL,
    total_minor {int} NOT NULL,
    refunded_minor {int} NOT NULL,
    total_difference_minor {int} NOT NULL,
    match_status TEXT NOT NULL CHECK (match_status IN ('full', 'partial', 'none')),
    customer_name TEXT,
    customer_email TEXT,
    customer_external_id TEXT,
    source_version {int} NOT NULL,
    inbox_id {uuid},
    placed_at {int} NOT NULL,
    version {int} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {busy};

CREATE UNIQUE INDEX sales_order_by_key ON sales_order (tenant_id, idempotency_key);

CREATE INDEX sales_order_by_tenant ON sales_order (tenant_id, org_id, id);

CREATE TABLE order_line (
    order_id {uuid} NOT NULL,
    line_key TEXT NOT NULL,
    position {int} NOT NULL,
    tenant_id {uuid} NOT NULL,
    external_item_id TEXT,
    sku TEXT,
    title TEXT NOT NULL,
    variant_id {uuid},
    match TEXT NOT NULL CHECK (match IN ('item', 'mapping', 'sku', 'unmatched', 'ambiguous')),
    quantity_ordered {int} NOT NULL,
    quantity_current {int} NOT NULL,
    quantity_fulfilled {int} NOT NULL,
    unit_price_minor {int} NOT NULL,
    total_minor {int} NOT NULL,
    tax_minor {int} NOT NULL,
    PRIMARY KEY (order_id, line_key),
    CHECK ((variant_id IS NULL) = (match IN ('unmatched', 'ambiguous')))
) {clustered};

-- Lines that still wait for their variant, by each of the ways in which one may be found for them later.
CREATE INDEX order_line_unmatched ON order_line (tenant_id, sku, order_id) WHERE variant_id IS NULL;

CREATE INDEX order_line_unmatched_folded ON order_line (tenant_id, lower(sku), order_id) WHERE variant_id IS NULL;

CREATE INDEX order_line_unmatched_item ON order_line (tenant_id, external_item_id, order_id)
WHERE variant_id IS NULL;

-- Refunds: never a negative order, each known by the source's own id.
CREATE TABLE order_adjustment (
    order_id {uuid} NOT NULL,
    external_id TEXT NOT NULL,
    tenant_id {uuid} NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('refund')),
    amount_minor {int} NOT NULL,
    reason TEXT,
    recorded_at {int} NOT NULL,
    PRIMARY KEY (order_id, external_id)
) {clustered};
