-- Lists of a subscription's deliveries name the tenant too. With the tenant in front the index is of use to them alone:
-- PostgreSQL took it for as good a way to a backlog, and walked over all that was delivered long ago.
DROP INDEX delivery_by_subscription;

CREATE INDEX delivery_by_subscription ON delivery (tenant_id, subscription_id, id);
