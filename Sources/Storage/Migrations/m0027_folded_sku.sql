-- While there are few variants PostgreSQL knows nothing of them, and takes an index that begins as another does for as
-- good a one: it looked for a SKU by its folded form, among all variants of the tenant. SQLite has no such choice.
-- postgres
DROP INDEX variant_by_folded_sku;

-- postgres
CREATE INDEX variant_by_folded_sku ON variant (lower(sku), tenant_id);
