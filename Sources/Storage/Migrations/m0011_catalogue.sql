-- The tree that products are placed in. Two siblings never share a name.
CREATE TABLE category (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    parent_id {uuid} REFERENCES category (id),
    name TEXT NOT NULL,
    position {int} NOT NULL,
    version {int} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {table};

CREATE UNIQUE INDEX category_root_by_name ON category (tenant_id, org_id, name) WHERE parent_id IS NULL;

CREATE UNIQUE INDEX category_child_by_name ON category (tenant_id, org_id, parent_id, name)
WHERE parent_id IS NOT NULL;

CREATE INDEX category_by_tenant ON category (tenant_id, org_id, id);

CREATE INDEX category_by_parent ON category (parent_id);

-- `category` stays the caller's own word; `category_id` is the place in the tree. `details` are options, tags,
-- attributes and media as the members of one JSON object, kept as they are answered.
ALTER TABLE product ADD COLUMN handle TEXT;

ALTER TABLE product ADD COLUMN brand TEXT;

ALTER TABLE product ADD COLUMN url TEXT;

ALTER TABLE product ADD COLUMN category_id {uuid} REFERENCES category (id);

ALTER TABLE product ADD COLUMN details {bytes};

-- Cleared when the product is deleted, and so is a variant's SKU: what is deleted holds no name.
CREATE UNIQUE INDEX product_by_handle ON product (tenant_id, org_id, handle) WHERE handle IS NOT NULL;

DROP INDEX product_by_tenant;

CREATE INDEX product_by_tenant ON product (tenant_id, org_id, id) WHERE deleted_at IS NULL;

CREATE INDEX product_by_status ON product (tenant_id, org_id, status, id) WHERE deleted_at IS NULL;

CREATE INDEX product_by_brand ON product (tenant_id, org_id, brand, id)
WHERE brand IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX product_by_category ON product (tenant_id, org_id, category, id)
WHERE category IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX product_by_category_id ON product (category_id, id) WHERE category_id IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX product_by_update ON product (tenant_id, org_id, updated_at, id) WHERE deleted_at IS NULL;

-- `option_values` is a JSON object of the product's option names. Cost prices never enter an event or a feed.
ALTER TABLE variant ADD COLUMN option_values {bytes};

ALTER TABLE variant ADD COLUMN compare_at_minor {int};

ALTER TABLE variant ADD COLUMN cost_minor {int};

ALTER TABLE variant ADD COLUMN cost_currency TEXT;

ALTER TABLE variant ADD COLUMN gtin TEXT;

ALTER TABLE variant ADD COLUMN mpn TEXT;

ALTER TABLE variant ADD COLUMN weight_grams {int};

ALTER TABLE variant ADD COLUMN image_url TEXT;

ALTER TABLE variant ADD COLUMN deleted_at {int};

-- The SKU that a deleted variant had.
ALTER TABLE variant ADD COLUMN former_sku TEXT;

CREATE INDEX variant_by_barcode ON variant (tenant_id, barcode) WHERE barcode IS NOT NULL;

-- Words of a product's title, brand, handle and tags, in lower case: what the text search finds.
CREATE TABLE product_word (
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    word TEXT NOT NULL,
    product_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, org_id, word, product_id)
) {clustered};

-- How far the changes of an organisation's catalogue are counted. The row is locked to the end of the transaction that
-- takes numbers, so that numbers become visible in their order.
CREATE TABLE catalogue_head (
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    sequence {int} NOT NULL,
    PRIMARY KEY (tenant_id, org_id)
) {busy};

-- The newest change of each product, deleted ones included: whoever builds something of the catalogue reads on from
-- the number up to which it has built.
CREATE TABLE catalogue_change (
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    product_id {uuid} NOT NULL,
    sequence {int} NOT NULL,
    changed_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, org_id, product_id)
) {clustered};

CREATE INDEX catalogue_change_by_sequence ON catalogue_change (tenant_id, org_id, sequence);

INSERT INTO catalogue_change (tenant_id, org_id, product_id, sequence, changed_at)
SELECT tenant_id, org_id, id, row_number() OVER (PARTITION BY tenant_id, org_id ORDER BY id), updated_at FROM product;

INSERT INTO catalogue_head (tenant_id, org_id, sequence)
SELECT tenant_id, org_id, max(sequence) FROM catalogue_change GROUP BY tenant_id, org_id;

-- A list of products: `manual`, or by `rule`, whose conditions are evaluated when it is read.
CREATE TABLE collection (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('manual', 'rule')),
    title TEXT NOT NULL,
    handle TEXT,
    description TEXT,
    rule {bytes},
    version {int} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    CHECK ((kind = 'rule') = (rule IS NOT NULL))
) {table};

CREATE INDEX collection_by_tenant ON collection (tenant_id, org_id, id);

CREATE UNIQUE INDEX collection_by_handle ON collection (tenant_id, org_id, handle) WHERE handle IS NOT NULL;

CREATE TABLE collection_product (
    collection_id {uuid} NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    position {int} NOT NULL,
    product_id {uuid} NOT NULL REFERENCES product (id),
    PRIMARY KEY (collection_id, position)
) {clustered};

CREATE UNIQUE INDEX collection_product_by_product ON collection_product (product_id, collection_id);
