-- Event types that tenants bring themselves. A name belongs to the tenant; the organisation is whose caller made it.
CREATE TABLE event_type (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL REFERENCES tenant (id),
    org_id {uuid} NOT NULL,
    name TEXT NOT NULL,
    summary TEXT NOT NULL,
    schema {bytes} NOT NULL,
    example {bytes},
    version {int} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {table};

CREATE UNIQUE INDEX event_type_by_name ON event_type (tenant_id, name);
