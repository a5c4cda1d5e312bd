-- Whether anybody ever counted what lies here. A level that only orders have moved says how much was sold, and nothing
-- of what is there.
ALTER TABLE inventory_level ADD COLUMN is_counted {int} NOT NULL DEFAULT 0;

UPDATE inventory_level SET is_counted = 1 WHERE EXISTS (
    SELECT 1 FROM inventory_ledger g
    WHERE g.variant_id = inventory_level.variant_id AND g.location_id = inventory_level.location_id
        AND g.order_id IS NULL
);
