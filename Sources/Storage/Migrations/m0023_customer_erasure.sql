-- Whether the buyer was erased on request: such an order stays without one when its source tells of it again.
ALTER TABLE sales_order ADD COLUMN is_buyer_erased {int} NOT NULL DEFAULT 0;
