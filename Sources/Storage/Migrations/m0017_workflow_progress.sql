-- What may be told of work that takes long, as one JSON object; null where a workflow tells nothing of itself.
ALTER TABLE workflow ADD COLUMN progress {bytes};
