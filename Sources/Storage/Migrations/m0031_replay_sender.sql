-- A replay's deliveries are written with their first attempt. `sender` is the number of the claim under which they are
-- sent: whoever records one shows it. Deliveries from `unsure_from` on may be of events behind `last_position`; null
-- where there are none.
ALTER TABLE replay ADD COLUMN sender {int} NOT NULL DEFAULT 0;

ALTER TABLE replay ADD COLUMN unsure_from {uuid};
