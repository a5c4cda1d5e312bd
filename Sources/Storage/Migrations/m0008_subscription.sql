-- What a subscription may ask for besides its address and types. Retries and filter are the JSON that the caller gave.
ALTER TABLE subscription ADD COLUMN signature TEXT NOT NULL DEFAULT 'hmac' CHECK (signature IN ('hmac', 'ed25519'));
ALTER TABLE subscription ADD COLUMN retry TEXT;
ALTER TABLE subscription ADD COLUMN rate_limit {int};
ALTER TABLE subscription ADD COLUMN max_in_flight {int};
ALTER TABLE subscription ADD COLUMN is_ordered {int} NOT NULL DEFAULT 0;
ALTER TABLE subscription ADD COLUMN filter TEXT;

-- What a tenant has set (seed 003's table). A tenant without a row has the defaults.
CREATE TABLE webhook_setting (
    tenant_id {uuid} NOT NULL PRIMARY KEY,
    retention_days {int} NOT NULL,
    max_subscriptions {int} NOT NULL,
    max_retry_attempts {int} NOT NULL,
    backoff_schedule TEXT NOT NULL,
    failure_threshold {int} NOT NULL,
    failure_window {int} NOT NULL,
    min_deliveries_for_disable {int} NOT NULL,
    updated_at {int} NOT NULL
) {table};
