-- Whether the order's source told of a refund, and so may restate it. Of those that were there before nobody knows, but
-- for the ones whose ids only connectors make; the others stay as they are.
ALTER TABLE order_adjustment ADD COLUMN is_from_source {int} NOT NULL DEFAULT 0;

UPDATE order_adjustment SET is_from_source = 1 WHERE external_id LIKE 'line:%' OR external_id LIKE '#%';
