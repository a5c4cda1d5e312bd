-- What begins with a text is found in the order of bytes, whatever language a database sorts by: under the rules of
-- most, other words stand between "cafe" and "cafes". SQLite compares bytes anyway.
-- postgres
ALTER TABLE product_word ALTER COLUMN word TYPE TEXT COLLATE "C";

-- postgres
ALTER TABLE customer_word ALTER COLUMN word TYPE TEXT COLLATE "C";
