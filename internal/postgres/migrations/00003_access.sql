-- +goose Up

CREATE TABLE tenants (
    id         text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- API tokens. The token itself is shown once, when it is made; only its hash is kept.
CREATE TABLE api_tokens (
    id         text PRIMARY KEY,
    tenant     text        NOT NULL REFERENCES tenants (id),
    name       text        NOT NULL,
    hash       bytea       NOT NULL UNIQUE,         -- SHA-256 of the whole token, which is 256 random bits
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz
);

CREATE INDEX api_tokens_by_tenant ON api_tokens (tenant, created_at);
