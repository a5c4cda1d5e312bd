-- Lists of a subscription's deliveries name the tenant too. With the tenant in front the index is of use to them alone:
-- PostgreSQL took it for as good a way to a backlog, and walked over all that was delivered long ago. SQLite has no
-- statistics to be misled by.
-- postgres
DROP INDEX delivery_by_subscription;

-- postgres
CREATE INDEX delivery_by_subscription ON delivery (tenant_id, subscription_id, id);
