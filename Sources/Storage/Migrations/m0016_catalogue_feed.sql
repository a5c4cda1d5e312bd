-- What an organisation says of itself as a seller in its catalogue feed. `version` tells builders that it changed.
CREATE TABLE catalogue_feed_setting (
    tenant_id {uuid} NOT NULL,
    org_id {uuid} NOT NULL,
    seller_name TEXT,
    seller_url TEXT,
    product_url TEXT,
    country TEXT,
    version {int} NOT NULL,
    updated_at {int} NOT NULL,
    PRIMARY KEY (tenant_id, org_id)
) {clustered};
