-- What an order goes through after it was placed. Presentment amounts are those that the buyer saw, where the source
-- tells them beside its own. `tags` are separated by line breaks; `order_tag` is there to be searched.
ALTER TABLE sales_order ADD COLUMN number TEXT;

ALTER TABLE sales_order ADD COLUMN tags TEXT;

ALTER TABLE sales_order ADD COLUMN is_oversold {int} NOT NULL DEFAULT 0;

ALTER TABLE sales_order ADD COLUMN presentment_currency TEXT;

ALTER TABLE sales_order ADD COLUMN presentment_discount_minor {int};

ALTER TABLE sales_order ADD COLUMN presentment_shipping_minor {int};

ALTER TABLE sales_order ADD COLUMN presentment_tax_minor {int};

ALTER TABLE sales_order ADD COLUMN presentment_total_minor {int};

CREATE INDEX sales_order_by_external ON sales_order (tenant_id, external_id);

CREATE INDEX sales_order_by_number ON sales_order (tenant_id, number) WHERE number IS NOT NULL;

CREATE INDEX sales_order_by_email ON sales_order (tenant_id, lower(customer_email)) WHERE customer_email IS NOT NULL;

-- Where a line's stock is; null while the line takes part in none. `quantity_shipped` and `quantity_returned` are the
-- sums of the parcels recorded here, `quantity_fulfilled` also knows what a source told by its state.
ALTER TABLE order_line ADD COLUMN location_id {uuid};

ALTER TABLE order_line ADD COLUMN quantity_shipped {int} NOT NULL DEFAULT 0;

ALTER TABLE order_line ADD COLUMN quantity_returned {int} NOT NULL DEFAULT 0;

CREATE TABLE order_tag (
    tenant_id {uuid} NOT NULL,
    tag TEXT NOT NULL,
    order_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, tag, order_id)
) {clustered};

CREATE INDEX order_tag_by_order ON order_tag (order_id);

CREATE TABLE order_note (
    id {uuid} NOT NULL PRIMARY KEY,
    order_id {uuid} NOT NULL,
    tenant_id {uuid} NOT NULL,
    text TEXT NOT NULL,
    user_id {uuid} NOT NULL,
    role TEXT NOT NULL,
    created_at {int} NOT NULL
) {table};

CREATE INDEX order_note_by_order ON order_note (order_id, id);

-- Goods that left for an order, or that came back from it.
CREATE TABLE order_parcel (
    id {uuid} NOT NULL PRIMARY KEY,
    order_id {uuid} NOT NULL,
    tenant_id {uuid} NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('fulfilment', 'return')),
    external_id TEXT,
    carrier TEXT,
    tracking_number TEXT,
    tracking_url TEXT,
    reason TEXT,
    created_at {int} NOT NULL
) {table};

-- A parcel that is told again under its id is the same one.
CREATE UNIQUE INDEX order_parcel_by_external ON order_parcel (order_id, kind, external_id);

CREATE TABLE order_parcel_line (
    parcel_id {uuid} NOT NULL REFERENCES order_parcel (id),
    line_key TEXT NOT NULL,
    quantity {int} NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (parcel_id, line_key)
) {clustered};
